"""`cipher.json`: permutations, S-boxes and whole frames of cipher suite 1."""

import struct

from medseal.permutation import permutation, permute
from medseal.primitives import fnv1a64
from medseal.sealed import diffuse
from medseal.substitution import SBox

from .common import counter, dump, fixed, hex0x

FORMAT_KEY = bytes(range(32))
# The check values that FORMAT.md prints, all with f = 1.
FORMAT_CHECKS = {
    (16, 1): 0x11B189D22B1E4E45,
    (4096, 1): 0x9F4B719D2C66C84D,
    (4099, 2): 0x9F6E39BB671D5F0A,
    (70000, 1): 0x9091D434B7D47B55,
    (300001, 4): 0xA27DEF5E1ABD0CE8,
}
# (N, w, f): under a page, its edges, 15 and 16 pages (3 and 2 passes), 128, 129 and 257 pages (1, 2 and 3 groups), tails.
SIZES = [
    (1, 1, 1), (2, 1, 1), (15, 1, 1), (16, 1, 2), (4095, 1, 1), (4096, 1, 2), (4097, 1, 1), (70000, 1, 2),
    (1, 2, 1), (2047, 2, 1), (2048, 2, 1), (2049, 2, 2), (70000, 2, 1),
    (1, 4, 1), (1023, 4, 2), (1024, 4, 1), (1025, 4, 1), (15360, 4, 1), (16384, 4, 1), (70000, 4, 1),
    (1, 8, 1), (511, 8, 1), (512, 8, 1), (515, 8, 2), (65536, 8, 1), (66048, 8, 1), (131600, 8, 2),
]  # fmt: skip
# (name, w, plaintext length, frame index, frame count)
FRAMES = [
    ("one byte", 1, 1, 1, 2),
    ("17 bytes", 1, 17, 2, 5),
    ("zeros", 1, 64, 1, 2),
    ("one sample of two bytes", 2, 2, 1, 2),
    ("5 x 7 of two bytes", 2, 70, 3, 4),
    ("3 x 3 of four bytes", 4, 36, 1, 3),
    ("one page and a tail, one byte", 1, 4100, 1, 2),
    ("one page and a tail, two bytes", 2, 4102, 300, 301),
    ("one page and a tail, four bytes", 4, 4108, 1, 2),
    ("one page and a tail, eight bytes", 8, 4120, 2, 3),
]


def _hash(m):
    return fnv1a64(struct.pack(f"<{len(m)}Q", *m))


def _permutations():
    for (samples, width), expected in FORMAT_CHECKS.items():
        found = _hash(permutation(FORMAT_KEY, 1, samples, width))
        assert found == expected, f"N={samples} w={width}: {found:016x}, FORMAT.md says {expected:016x}"
    cases = [(FORMAT_KEY, n, w, 1) for n, w in FORMAT_CHECKS] + [(fixed("permutation key"), *size) for size in SIZES]
    for key, samples, width, frame in cases:
        m = permutation(key, frame, samples, width)
        assert sorted(m) == list(range(samples))
        yield {
            "key": hex0x(key),
            "frame": frame,
            "samples": samples,
            "sampleWidth": width,
            "first": m[:8],
            "fnv1a64": f"0x{_hash(m):016x}",
        }


def _boxes():
    for number in range(3):
        key = fixed(f"substitution key {number}")
        box = SBox(key)
        assert sorted(box.table) == list(range(256))
        yield {
            "key": hex0x(key),
            "matrixA": hex0x(box.A),
            "matrixB": hex0x(box.B),
            "redrawnA": box.redrawn_a,
            "redrawnB": box.redrawn_b,
            "a": box.a,
            "b": box.b,
            "table": hex0x(box.table),
        }


def _frames():
    for name, width, length, index, count in FRAMES:
        keys = [fixed(f"{name}: {layer}") for layer in ("confusion", "substitution", "diffusion")]
        header_hash = fixed(f"{name}: header hash")
        plaintext = bytes(length) if name == "zeros" else counter(length)
        permuted = permute(keys[0], index, plaintext, width)
        substituted = permuted.translate(SBox(keys[1]).table)
        yield {
            "name": name,
            "sampleWidth": width,
            "index": index,
            "frameCount": count,
            "confusionKey": hex0x(keys[0]),
            "substitutionKey": hex0x(keys[1]),
            "diffusionKey": hex0x(keys[2]),
            "headerHash": hex0x(header_hash),
            "plaintext": hex0x(plaintext),
            "permuted": hex0x(permuted),
            "substituted": hex0x(substituted),
            "sealed": hex0x(diffuse(keys[2], header_hash, index, count, substituted)),
        }


def files():
    return {
        "cipher.json": dump(
            {"permutations": list(_permutations()), "sBoxes": list(_boxes()), "frames": list(_frames())}
        )
    }
