#!/usr/bin/env python3
"""Writes typed_data.json: what wallets sign and what a registry logs, as a program computes it that shares no code with MedSeal.

The declarations stand in interface.abi, frozen: what a changed contract or client makes of them no longer fits here. Hashes, signatures
and ABI come from eth-account (pip install eth-account==0.14.0). The contract is where anvil's first account deploys first on
chain 31337. The keys are for tests only.
"""

import json
import re
from functools import reduce
from pathlib import Path

from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

HERE = Path(__file__).parent
CHAIN_ID = 31337
DEPLOYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ADMIN = "0x00000000000000000000000000000000000000AD"
BLOCK, TIME = 7, 1_800_000_000
# Hash of the block before, from which the contract draws numbers.
HASH_BEFORE = keccak(text="block 6")
RANDAO = keccak(text="randomness of block 7")
DOMAIN = {"name": "MedSeal", "version": "1", "chainId": CHAIN_ID, "verifyingContract": REGISTRY}
KEYS = {name: bytes([0x11 * number]) * 32 for number, name in enumerate(("sender", "verifier", "arbiter", "operator"), 1)}
WALLETS = {name: Account.from_key(key).address for name, key in KEYS.items()}
READER = "0x000000000000000000000000000000000000bEEF"


def hexed(data: bytes) -> str:
    return "0x" + bytes(data).hex()


# ---- declarations ----


class Interface:
    """The structs, errors, events and functions of interface.abi."""

    def __init__(self, text: str) -> None:
        lines = [line for line in text.splitlines() if line]
        structs = (re.fullmatch(r"struct (\w+) \{ (.*); \}", line) for line in lines if line.startswith("struct "))
        self.structs = {name: self.fields(body, "; ") for name, body in (match.groups() for match in structs)}
        self.errors, self.events, self.functions = (
            {name: self.fields(body, ", ") for name, body in re.findall(rf"^{kind} (\w+)\((.*?)\)", text, re.M)}
            for kind in ("error", "event", "function")
        )

    @staticmethod
    def fields(body: str, separator: str) -> list[tuple[str, str]]:
        """Type and name of each field of `body`."""
        return [(words[0], words[-1]) for words in map(str.split, body.split(separator)) if words]

    def canonical(self, kind: str) -> str:
        """The ABI type that `kind` stands for: a struct is a tuple."""
        name = kind.removesuffix("[]")
        return self.arguments(self.structs[name]) + kind[len(name):] if name in self.structs else kind

    def arguments(self, fields: list[tuple[str, str]]) -> str:
        return "(" + ",".join(self.canonical(kind) for kind, _ in fields) + ")"

    def selectors(self, declarations: dict, key: str, length: int) -> dict:
        signatures = {name: name + self.arguments(fields) for name, fields in declarations.items()}
        return {name: {"signature": text, key: hexed(keccak(text=text)[:length])} for name, text in signatures.items()}

    def type_string(self, name: str) -> str:
        """EIP-712's encodeType of a struct with at most one struct inside."""
        inner = {kind.removesuffix("[]") for kind, _ in self.structs[name]} & self.structs.keys()
        return "".join(
            f"{struct}({','.join(' '.join(field) for field in self.structs[struct])})" for struct in (name, *sorted(inner))
        )

    def values(self, name: str, message: dict) -> tuple:
        """The fields of `message` as eth-abi takes them."""
        return tuple(self.value(kind, message[field]) for kind, field in self.structs[name])

    def value(self, kind: str, value):
        if kind.endswith("[]"):
            return [self.values(kind.removesuffix("[]"), item) for item in value]
        return bytes.fromhex(value[2:]) if kind.startswith("bytes") else value


INTERFACE = Interface((HERE / "interface.abi").read_text())


# ---- what is signed ----


def case(name: str, signer: str | None, message: dict) -> dict:
    """The struct with all hashes on the way to its signature; without a signer it is only ever part of another."""
    types = {
        struct: [{"type": kind, "name": field} for kind, field in INTERFACE.structs[struct]]
        for struct in (["Batch", "Item"] if name == "Batch" else [name])
    }
    signable = encode_typed_data(DOMAIN, types, message)
    encoded = encode([INTERFACE.canonical(name)], [INTERFACE.values(name, message)])
    vector = {
        "typeString": INTERFACE.type_string(name),
        "typeHash": hexed(keccak(text=INTERFACE.type_string(name))),
        "message": message,
        "encoded": hexed(encoded),
        "structHash": hexed(signable.body),
    }
    if signer:
        signed = Account.sign_message(signable, KEYS[signer])
        vector |= {"digest": hexed(signed.message_hash), "privateKey": hexed(KEYS[signer])}
        vector["signature"] = hexed(signed.signature)
    return vector


def image_id(salt: bytes) -> bytes:
    fields = [CHAIN_ID, REGISTRY, WALLETS["sender"], salt]
    return keccak(encode(["uint256", "address", "address", "bytes32"], fields))


def raw_cid(sha256: bytes) -> str:
    return hexed(b"\x01\x55\x12\x20" + sha256)


def structs(flag_id: int) -> dict:
    """What is signed; the decision is about the flag with this id, which is drawn when it is raised."""
    sender, verifier, arbiter, operator = WALLETS.values()
    salt = bytes(range(32))
    image = hexed(image_id(salt))
    items = [
        {
            "salt": hexed(bytes([0xA0 + number]) * 32),
            "contentHash": hexed(bytes([0xB0 + number]) * 32),
            "headerHash": hexed(bytes([0xC0 + number]) * 32),
            "capsulesHash": hexed(bytes([0xD0 + number]) * 32),
            "size": 1 << 20 if number else 1,
        }
        for number in range(2)
    ]
    registration = {
        "sender": sender,
        "salt": hexed(salt),
        "contentHash": hexed(b"\xc0" * 32),
        "headerHash": hexed(b"\x4e" * 32),
        "size": 135_512,
        "cid": raw_cid(b"\xc0" * 32),
        "capsulesHash": hexed(b"\xca" * 32),
        "capsulesCid": raw_cid(b"\xca" * 32),
        "deadline": TIME + 3600,
    }
    anchor = {
        "sender": sender,
        "root": hexed(b"\x60" * 32),
        "count": 1000,
        "leavesCid": hexed(b"\x01\x70\x12\x20" + b"\x61" * 32),
        "deadline": TIME + 3603,
    }
    verification = {
        "imageId": image,
        "verifier": verifier,
        "observedHash": hexed(b"\xbd" * 32),
        "observedAt": TIME + 10,
        "nonce": 0,
        "deadline": TIME + 3601,
    }
    decision = {"imageId": image, "flagId": flag_id, "confirmed": True, "by": arbiter, "deadline": TIME + 3604}
    change = {"sender": sender, "operator": operator, "allowed": True, "operatorSeq": 0, "deadline": TIME + 3605}
    grant = {"imageId": image, "wallet": READER, "expiry": TIME + 86_400, "accessSeq": 0, "by": operator, "operatorSeq": 1}
    revocation = {"imageId": image, "wallet": READER, "accessSeq": 1, "by": sender, "operatorSeq": 0}
    update = {"imageId": image, "version": 0, "capsulesHash": hexed(b"\xcb" * 32), "capsulesCid": "0x", "by": operator, "operatorSeq": 1}
    return {
        "Registration": case("Registration", "sender", registration),
        "Item": case("Item", None, items[1]),
        "Batch": case("Batch", "sender", {"sender": sender, "items": items, "deadline": TIME + 3602}),
        "Anchor": case("Anchor", "sender", anchor),
        "Verification": case("Verification", "verifier", verification),
        "FlagDecision": case("FlagDecision", "arbiter", decision),
        "OperatorChange": case("OperatorChange", "sender", change),
        "Grant": case("Grant", "operator", grant | {"deadline": TIME + 3606}),
        "Revocation": case("Revocation", "sender", revocation | {"deadline": TIME + 3607}),
        "CapsulesUpdate": case("CapsulesUpdate", "operator", update | {"deadline": TIME + 3608}),
    }


# ---- what is logged ----


class Trail:
    """Storage slot 0 of the registry, event by event, all in one block."""

    def __init__(self) -> None:
        first = keccak(encode(["string", "uint256", "address"], ["MedSeal audit v1", CHAIN_ID, REGISTRY]))
        self.slot = int.from_bytes(first[:26], "big")
        self.events = [{"event": "", "fields": "0x", "trail": self.word()}]

    def word(self) -> str:
        return hexed(self.slot.to_bytes(32, "big"))

    def draw(self) -> int:
        """64 bits that nobody but the block's maker knows before the block."""
        drawn = keccak(encode(["bytes32", "bytes32", "uint256", "uint256"], [HASH_BEFORE, RANDAO, TIME, self.slot]))
        return int.from_bytes(drawn[-8:], "big")

    def log(self, event: str, *values) -> None:
        kinds = [kind for kind, _ in INTERFACE.events[event][:-1]]
        words = [keccak(value) if kind == "bytes" else value for kind, value in zip(kinds, values, strict=True)]
        fields = encode(["bytes32" if kind == "bytes" else kind for kind in kinds], words)
        topic = keccak(text=event + INTERFACE.arguments(INTERFACE.events[event]))
        link = ["uint256", "bytes32", "uint256", "uint256", "bytes32"]
        head = keccak(encode(link, [self.slot, topic, BLOCK, TIME, keccak(fields)]))[:26]
        self.slot = ((self.slot >> 208) + 1) << 208 | int.from_bytes(head, "big")
        self.events.append({"event": event, "fields": hexed(fields), "trail": self.word()})


def audit(signed: dict) -> tuple[list[dict], int]:
    """The word before any event, and the events of a registry with an admin, a verifier and an arbiter to which all
    signed structs are relayed in turn; and the id of the flag that they raise."""
    trail = Trail()
    trail.log("RoleChanged", bytes(32), ADMIN, True, DEPLOYER)
    for holder in ("verifier", "arbiter"):
        trail.log("RoleChanged", keccak(text=f"{holder.upper()}_ROLE"), WALLETS[holder], True, DEPLOYER)
    value = {name: INTERFACE.values(name, vector["message"]) for name, vector in signed.items()}
    proof = {name: bytes.fromhex(vector.get("signature", "0x")[2:]) for name, vector in signed.items()}
    image = image_id(bytes(range(32)))
    trail.log("Registered", image, *value["Registration"], proof["Registration"])
    hashes = [bytes.fromhex(case("Item", None, item)["structHash"][2:]) for item in signed["Batch"]["message"]["items"]]
    sender, _, deadline = value["Batch"]
    items_hash = keccak(b"".join(hashes))
    trail.log("BatchRegistered", sender, 2, 0, items_hash, items_hash, deadline, proof["Batch"])
    trail.log("Anchored", *value["Anchor"], proof["Anchor"])
    _, verifier, observed, observed_at, nonce, deadline = value["Verification"]
    trail.log("Verified", image, verifier, False, observed, observed_at, nonce, deadline, 1, proof["Verification"])
    # The first flag of the image, and the upper half of 64 drawn bits.
    flag_id = 1 << 32 | trail.draw() >> 32
    trail.log("FlagRaised", image, flag_id, verifier)
    trail.log("FlagConfirmed", image, flag_id, WALLETS["arbiter"])
    trail.log("OperatorSet", WALLETS["sender"], WALLETS["operator"], True, 1)
    trail.log("AccessGranted", image, READER, WALLETS["operator"], TIME + 86_400, 1)
    # The first revocation of the pair, 64 drawn bits, and nothing counted since.
    trail.log("AccessRevoked", image, READER, WALLETS["sender"], 1 << 96 | trail.draw() << 32)
    trail.log("CapsulesUpdated", image, 1, WALLETS["operator"], b"\xcb" * 32, b"")
    return trail.events, flag_id


def main() -> None:
    # No event before the flag depends on the decision, so the first round finds the id that the second signs.
    _, flag_id = audit(structs(0))
    signed = structs(flag_id)
    events, raised = audit(signed)
    assert raised == flag_id
    functions = INTERFACE.selectors(INTERFACE.functions, "selector", 4)
    interface_id = reduce(lambda id_, function: id_ ^ int(function["selector"], 16), functions.values(), 0)
    vectors = {
        "about": "written by typed_data.py with eth-account 0.14.0",
        "domain": DOMAIN,
        "domainType": "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        "domainSeparator": hexed(encode_typed_data(DOMAIN, {"E": []}, {}).header),
        "deployer": DEPLOYER,
        "admin": ADMIN,
        "imageId": hexed(image_id(bytes(range(32)))),
        "structs": signed,
        "errors": INTERFACE.selectors(INTERFACE.errors, "selector", 4),
        "events": INTERFACE.selectors(INTERFACE.events, "topic", 32),
        "functions": functions,
        "interfaceId": hexed(interface_id.to_bytes(4, "big")),
        "audit": {"block": BLOCK, "time": TIME, "hashBefore": hexed(HASH_BEFORE), "randao": hexed(RANDAO), "events": events},
    }
    (HERE / "typed_data.json").write_text(json.dumps(vectors, indent=2) + "\n")


if __name__ == "__main__":
    main()
