"""`requests.json`: EIP-712 digests, and a KGC's answer to them."""

from medseal import hpke
from medseal.primitives import keccak256
from medseal.requests import (
    DOMAIN_TYPE,
    ISSUE_TYPE,
    KEY_TYPE,
    RECEIPT_TYPE,
    array_hash,
    challenges_hash,
    digest,
    domain_separator,
    log_heads,
    log_id,
    struct_hash,
)

from .common import CHAIN_ID, REGISTRY, SENDER, dump, fixed, hex0x, identity

ISSUED_AT = 1_795_000_000


def _request(kind, type_string, wallet, kgcs):
    kgc_ids = sorted(fixed(f"{kind}: KGC {number}") for number in range(kgcs))
    challenges = [fixed(f"{kind}: challenge {number}") for number in range(kgcs)]
    private, ephemeral = fixed(f"{kind}: recipient"), fixed(f"{kind}: ephemeral")
    public = hpke.public_key(private)
    identifier = identity(kind).image_id
    values = (wallet, array_hash(kgc_ids), identifier, public, challenges_hash(challenges), ISSUED_AT, ISSUED_AT + 300)
    separator = domain_separator(CHAIN_ID, REGISTRY)
    hashed = struct_hash(type_string, values)
    signed = digest(separator, hashed)
    secret = fixed(f"{kind}: secret")
    answer = hpke.seal(public, signed, secret, ephemeral)
    assert hpke.open_(private, signed, answer) == secret
    return {
        "kind": kind,
        "type": type_string,
        "typeHash": hex0x(keccak256(type_string.encode())),
        "wallet": hex0x(wallet),
        "kgcIds": [hex0x(kgc) for kgc in kgc_ids],
        "kgcSetHash": hex0x(values[1]),
        "imageId": hex0x(identifier),
        "recipientPublicKey": hex0x(public),
        "challenges": [hex0x(challenge) for challenge in challenges],
        "challengesHash": hex0x(values[4]),
        "issuedAt": values[5],
        "deadline": values[6],
        "structHash": hex0x(hashed),
        "digest": hex0x(signed),
        "answer": {
            "recipientPrivateKey": hex0x(private),
            "ephemeralPrivateKey": hex0x(ephemeral),
            "plaintext": hex0x(secret),
            "sealed": hex0x(answer),
        },
    }


def _receipt(request, decision, reason):
    kgc_id = bytes.fromhex(request["kgcIds"][0][2:])
    lines = [f'{{"line":{number},"of":"{reason}"}}'.encode() for number in range(3)]
    answer = b"" if decision == 3 else bytes.fromhex(request["answer"]["sealed"][2:])
    fields = {
        "requestDigest": bytes.fromhex(request["digest"][2:]),
        "imageId": bytes.fromhex(request["imageId"][2:]),
        "wallet": bytes.fromhex(request["wallet"][2:]),
        "decision": decision,
        "reason": keccak256(reason.encode()),
        "blockNumber": 21,
        "blockHash": fixed("block"),
        "time": ISSUED_AT + 2,
        "kgcId": kgc_id,
        "logId": log_id(kgc_id, "east"),
        "logSeq": len(lines),
        "logHead": log_heads(lines)[-1],
        "answerHash": keccak256(answer) if answer else bytes(32),
    }
    hashed = struct_hash(RECEIPT_TYPE, tuple(fields.values()))
    shown = {name: value if isinstance(value, int) else hex0x(value) for name, value in fields.items()}
    return shown | {
        "type": RECEIPT_TYPE,
        "reason": reason,
        "instance": "east",
        "lines": [line.decode() for line in lines],
        "structHash": hex0x(hashed),
        "digest": hex0x(digest(domain_separator(CHAIN_ID, REGISTRY), hashed)),
    }


def files():
    requests = [
        _request("IssueRequest", ISSUE_TYPE, SENDER, 1),
        _request("KeyRequest", KEY_TYPE, fixed("requester", 20), 2),
    ]
    given, refused = _receipt(requests[1], 2, ""), _receipt(requests[1], 3, "not-authorised")
    return {
        "requests.json": dump(
            {
                "chainId": CHAIN_ID,
                "registry": hex0x(REGISTRY),
                "domainType": DOMAIN_TYPE,
                "domainSeparator": hex0x(domain_separator(CHAIN_ID, REGISTRY)),
                "requests": requests,
                "receipts": [_receipt(requests[0], 1, ""), given, refused],
            }
        )
    }
