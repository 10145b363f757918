"""What all vectors share: hex, JSON, and bytes that are the same at every run."""

import hashlib
import json

from medseal.keys import subkeys
from medseal.primitives import u64
from medseal.sealed import Identity

CHAIN_ID = 31337


def hex0x(data):
    return "0x" + data.hex()


def dump(value):
    """JSON as it is committed."""
    return (json.dumps(value, indent=1) + "\n").encode()


def fixed(label, length=32):
    """Bytes that look random and depend on the label alone."""
    blocks = (hashlib.sha256(b"MedSeal test vector: " + label.encode() + u64(i)).digest() for i in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def counter(length):
    """The rule for payloads too long to be written down: byte i is i mod 251."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


MODEL_DIGEST = fixed("model digest")
# The model of the first release, 256 logits. It is not kept: whoever opens an image needs no model.
FIRST_MODEL_DIGEST = bytes.fromhex("467090fed8af97ca3d60abd31eda0501ba0c659cc2c5322cafacf5da55985513")
REGISTRY = fixed("registry", 20)
SENDER = fixed("sender", 20)


def identity(name, model_digest=MODEL_DIGEST):
    """The identity of the image called so: one chain, registry and sender, and a salt of its own."""
    return Identity(CHAIN_ID, REGISTRY, SENDER, fixed(f"{name}: salt"), model_digest)


def identity_json(who):
    return {
        "chainId": who.chain_id,
        "registry": hex0x(who.registry),
        "sender": hex0x(who.sender),
        "salt": hex0x(who.salt),
        "modelDigest": hex0x(who.model_digest),
        "imageId": hex0x(who.image_id),
        "context": hex0x(who.context),
    }


def subkeys_json(key, who):
    keys = subkeys(key, who.image_id)
    return {
        "keyCommitment": hex0x(keys["key-commitment"]),
        "confusion": hex0x(keys["confusion"]),
        "substitution": hex0x(keys["substitution"]),
        "diffusion": hex0x(keys["diffusion"]),
    }
