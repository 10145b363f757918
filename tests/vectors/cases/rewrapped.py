"""`rewrapped.json`: lists of capsules that were sealed anew, their roots, and lists with one fault each."""

from medseal.primitives import MedSealError, u16, u32
from medseal.rewrapped import decode, encode, root

from .common import dump, fixed, hex0x


def _leaves(count):
    return [(fixed(f"rewrapped image {number}"), fixed(f"rewrapped capsules {number}")) for number in range(count)]


def _good(count):
    leaves = _leaves(count)
    data = encode(leaves)
    assert decode(data) == leaves
    listed = [{"imageId": hex0x(image), "capsulesHash": hex0x(capsules)} for image, capsules in leaves]
    return {"leaves": listed, "bytes": hex0x(data), "root": hex0x(root(leaves))}


def _bad(error, data):
    try:
        decode(data)
    except MedSealError as refused:
        assert refused.name == error, (refused.name, error)
        return {"error": error, "bytes": hex0x(data)}
    raise AssertionError(error)


def files():
    whole = encode(_leaves(2))
    bad = [
        _bad("BadMagic", b"MEDLEAF\n" + whole[8:]),
        _bad("Truncated", whole[:13]),
        _bad("UnsupportedVersion", whole[:8] + u16(2) + whole[10:]),
        _bad("Truncated", whole[:-1]),
        _bad("Truncated", whole[:10] + u32(3) + whole[14:]),
        _bad("TrailingBytes", whole + b"\0"),
        _bad("Count", encode([])),
        _bad("Duplicate", encode([_leaves(1)[0], (_leaves(1)[0][0], bytes(32))])),
    ]
    return {"rewrapped.json": dump({"good": [_good(count) for count in (1, 2, 3, 7, 8)], "bad": bad})}
