"""FORMAT.md, section 11: capsules that were sealed anew, and section 9's tree over them."""

from .primitives import MedSealError, keccak256, u16, u32

MAGIC = b"MEDWRAP\n"


def encode(leaves):
    """The bytes of the list of `(image id, hash of the capsules)`."""
    return MAGIC + u16(1) + u32(len(leaves)) + b"".join(image + capsules for image, capsules in leaves)


def decode(data):
    """The leaves of a list."""
    if data[:8] != MAGIC[: len(data)]:
        raise MedSealError("BadMagic")
    if len(data) < 14:
        raise MedSealError("Truncated")
    if data[8:10] != u16(1):
        raise MedSealError("UnsupportedVersion")
    count = int.from_bytes(data[10:14], "big")
    body = data[14:]
    if len(body) < 64 * count:
        raise MedSealError("Truncated")
    if len(body) > 64 * count:
        raise MedSealError("TrailingBytes")
    leaves = [(body[at : at + 32], body[at + 32 : at + 64]) for at in range(0, len(body), 64)]
    if not leaves:
        raise MedSealError("Count")
    if len({image for image, _ in leaves}) < len(leaves):
        raise MedSealError("Duplicate")
    return leaves


def root(leaves):
    """The root of the tree over a list."""
    hashes = sorted(keccak256(keccak256(image + capsules)) for image, capsules in leaves)
    count = len(hashes)
    nodes = [b""] * (2 * count - 1)
    for index, leaf in enumerate(hashes):
        nodes[2 * count - 2 - index] = leaf
    for index in range(count - 2, -1, -1):
        nodes[index] = keccak256(b"".join(sorted((nodes[2 * index + 1], nodes[2 * index + 2]))))
    return nodes[0]
