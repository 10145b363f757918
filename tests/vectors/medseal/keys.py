"""Sections 4.3 and 5: image id, context, image key, subkeys, key commitment."""

from .primitives import abi_word, hkdf, keccak256, lp, u16, u64

SUITE = 1
LABELS = ("key-commitment", "confusion", "substitution", "diffusion")


def image_id(chain_id, registry, sender, salt):
    """keccak256(abi.encode(uint256 chain id, address registry, address sender, bytes32 salt))."""
    return keccak256(abi_word(chain_id) + abi_word(registry) + abi_word(sender) + salt)


def context(chain_id, registry, identifier, sender):
    """The 80 bytes that bind a key to its image and home."""
    return u64(chain_id) + registry + identifier + sender


def image_key(salt, partials, r, fold, tout, model_digest, bound_context):
    """Ke. `partials` are in ascending order of KGC id, each with its own length before it."""
    ikm = b"".join(lp(partial) for partial in partials) + lp(r) + lp(fold) + lp(tout)
    info = lp(b"medseal/v1/image-key") + lp(u16(SUITE)) + lp(model_digest) + lp(bound_context)
    return hkdf(salt, ikm, info)


def subkey(key, identifier, label):
    """The 32-byte key of one layer, or the key commitment."""
    return hkdf(identifier, key, lp(b"medseal/v1/" + label.encode()) + lp(u16(SUITE)))


def subkeys(key, identifier):
    """All four, by label."""
    return {label: subkey(key, identifier, label) for label in LABELS}
