"""`requests.json`: EIP-712 digests, and a KGC's answer to them."""

from medseal import hpke
from medseal.primitives import keccak256
from medseal.requests import DOMAIN_TYPE, ISSUE_TYPE, KEY_TYPE, array_hash, digest, domain_separator, struct_hash

from .common import CHAIN_ID, REGISTRY, SENDER, dump, fixed, hex0x, identity

ISSUED_AT = 1_795_000_000


def _request(kind, type_string, wallet, kgcs):
    kgc_ids = sorted(fixed(f"{kind}: KGC {number}") for number in range(kgcs))
    challenges = [fixed(f"{kind}: challenge {number}") for number in range(kgcs)]
    private, ephemeral = fixed(f"{kind}: recipient"), fixed(f"{kind}: ephemeral")
    public = hpke.public_key(private)
    identifier = identity(kind).image_id
    values = (wallet, array_hash(kgc_ids), identifier, public, array_hash(challenges), ISSUED_AT, ISSUED_AT + 300)
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


def files():
    return {
        "requests.json": dump(
            {
                "chainId": CHAIN_ID,
                "registry": hex0x(REGISTRY),
                "domainType": DOMAIN_TYPE,
                "domainSeparator": hex0x(domain_separator(CHAIN_ID, REGISTRY)),
                "requests": [
                    _request("IssueRequest", ISSUE_TYPE, SENDER, 1),
                    _request("KeyRequest", KEY_TYPE, fixed("requester", 20), 2),
                ],
            }
        )
    }
