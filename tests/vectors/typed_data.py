#!/usr/bin/env python3
"""Writes typed_data.json: one Registration and one Verification with their EIP-712 hashes and signatures.

Shares no code with MedSeal: the hashes come from eth-account (pip install eth-account==0.14.0), the types are written out here.
The contract is where anvil's first account deploys first on chain 31337. The keys are for tests only.
"""

import json
from pathlib import Path

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from eth_abi import encode

CHAIN_ID = 31337
REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
DOMAIN = {"name": "MedSeal", "version": "1", "chainId": CHAIN_ID, "verifyingContract": REGISTRY}
FIELDS = {
    "Registration": "address sender,bytes32 salt,bytes32 contentHash,bytes32 headerHash,uint64 size,bytes cid,"
    "bytes32 capsulesHash,bytes capsulesCid,uint64 deadline",
    "Verification": "bytes32 imageId,address verifier,bytes32 observedHash,uint64 observedAt,uint256 nonce,uint64 deadline",
}


def hexed(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def case(name: str, key: bytes, message: dict) -> dict:
    types = {name: [dict(zip(("type", "name"), field.split())) for field in FIELDS[name].split(",")]}
    signable = encode_typed_data(DOMAIN, types, message)
    signed = Account.sign_message(signable, key)
    return {
        "typeString": f"{name}({FIELDS[name]})",
        "message": message,
        "domainSeparator": hexed(signable.header),
        "structHash": hexed(signable.body),
        "digest": hexed(signed.message_hash),
        "privateKey": hexed(key),
        "signature": hexed(signed.signature),
    }


def main() -> None:
    sender_key, verifier_key = b"\x11" * 32, b"\x22" * 32
    sender = Account.from_key(sender_key).address
    verifier = Account.from_key(verifier_key).address
    salt = bytes(range(32))
    image_id = keccak(encode(["uint256", "address", "address", "bytes32"], [CHAIN_ID, REGISTRY, sender, salt]))
    registration = {
        "sender": sender,
        "salt": hexed(salt),
        "contentHash": hexed(b"\xc0" * 32),
        "headerHash": hexed(b"\x4e" * 32),
        "size": 135_512,
        "cid": hexed(b"\x01\x55\x12\x20" + b"\xc0" * 32),
        "capsulesHash": hexed(b"\xca" * 32),
        "capsulesCid": hexed(b"\x01\x55\x12\x20" + b"\xca" * 32),
        "deadline": 1_800_003_600,
    }
    verification = {
        "imageId": hexed(image_id),
        "verifier": verifier,
        "observedHash": hexed(b"\xbd" * 32),
        "observedAt": 1_800_000_010,
        "nonce": 0,
        "deadline": 1_800_003_601,
    }
    first_head = keccak(encode(["string", "uint256", "address"], ["MedSeal audit v1", CHAIN_ID, REGISTRY]))[:26]
    vectors = {
        "about": "written by typed_data.py with eth-account 0.14.0",
        "domain": DOMAIN,
        "domainType": "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        "imageId": hexed(image_id),
        "firstAuditHead": hexed(first_head),
        "registration": case("Registration", sender_key, registration),
        "verification": case("Verification", verifier_key, verification),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(vectors, indent=2) + "\n")


if __name__ == "__main__":
    main()
