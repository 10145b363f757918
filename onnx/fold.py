"""The fold of an image, `src/envelope/FORMAT.md` section 4.1, in numpy: fast enough for thousands of images.

    python onnx/fold.py      compares it with the committed vectors and with tests/vectors/medseal; prints the counts
"""

from functools import lru_cache

import numpy as np

TYPE_CODES = {"u1": 1, "i1": 2, "u2": 3, "i2": 4, "u4": 5, "i4": 6, "f4": 7, "u8": 8, "i8": 9, "f8": 10}
ROW_BYTES = 4096
CELLS = 64 * 64


def mix(z):
    """One step of the mixing function, modulo 2^64, of a u64 array."""
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def multipliers(index, limb=0):
    """The odd multipliers of samples with these indices."""
    return (mix(np.asarray(index, np.uint64) * np.uint64(4) + np.uint64(limb)) >> np.uint64(48)).astype(np.uint16) | np.uint16(1)


@lru_cache(maxsize=256)
def cells(shape):
    """The cell, 64 t + k, of each sample of an image (D, H, W, C), as a flat array."""
    depth, height, width, channels = shape
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    plane = 64 * ((8 * y // height) * 8 + 8 * x // width) + (y % 8) * 8 + x % 8
    return np.broadcast_to(plane[None, :, :, None], shape).reshape(-1).astype(np.uint16)


@lru_cache(maxsize=256)
def _cached_multipliers(count, limb):
    return multipliers(np.arange(count), limb)


def _begin(parameters):
    g = np.zeros(1, np.uint64)
    for value in parameters:
        g = mix(g ^ np.uint64(value))
    return (mix(g + np.arange(CELLS, dtype=np.uint64)) >> np.uint64(48)).astype(np.uint16)


def _sum(words, places, factors, limbs):
    # Sums stay below 2^53, so float64 holds them.
    added = np.bincount(places, weights=factors * limbs, minlength=CELLS)
    return words + (added.astype(np.uint64) & np.uint64(0xFFFF)).astype(np.uint16)


def fold_image(samples, bits_stored=None):
    """The fold, u16 (64, 64), of samples (D, H, W, C) of any type of the format."""
    kind = samples.dtype.str[1:]
    width = samples.dtype.itemsize
    bits = 8 * width if bits_stored is None else bits_stored
    words = _begin((samples.nbytes, *samples.shape, TYPE_CODES[kind], bits))
    flat = np.ascontiguousarray(samples.astype(samples.dtype.newbyteorder("<"))).reshape(-1).view(f"<u{width}")
    for limb in range(max(1, width // 2)):
        limbs = (flat >> np.array(16 * limb, flat.dtype)).astype(np.uint16) if limb else flat.astype(np.uint16)
        words = _sum(words, cells(samples.shape), _cached_multipliers(flat.size, limb), limbs)
    return words.reshape(64, 64)


def fold_bytes(data):
    """The fold of a file that is not decoded: its bytes in rows of 4096."""
    data = np.frombuffer(data, np.uint8)
    rows = -(-data.size // ROW_BYTES)
    words = _begin((data.size, 1, rows, ROW_BYTES, 1, 0, 0))
    places = cells((1, rows, ROW_BYTES, 1))[: data.size]
    return _sum(words, places, _cached_multipliers(data.size, 0), data.astype(np.uint16)).reshape(64, 64)


def tokens(folds):
    """The model's input (N, 64, 128) f32 of folds (N, 64, 64): low bytes, then high bytes."""
    folds = np.asarray(folds, np.uint16)
    return np.concatenate([folds & np.uint16(255), folds >> np.uint16(8)], axis=-1).astype(np.float32)


def check():
    """Compares with `derivation.json` and, on random images, with the program that wrote it. Returns the number of folds."""
    import hashlib
    import json
    import sys
    from pathlib import Path

    vectors = Path(__file__).resolve().parent.parent / "tests" / "vectors"
    sys.path.insert(0, str(vectors))
    from medseal import fold as slow

    def encoded(words):
        return words.astype(">u2").tobytes()

    cases = json.loads((vectors / "derivation.json").read_text())
    for case in cases["imageFolds"]:
        shape = tuple(case[axis] for axis in ("depth", "height", "width", "channels"))
        letter, size = case["sampleType"][0], int(case["sampleType"][1:]) // 8
        order = ">" if case["byteOrder"] == "big" else "<"
        samples = np.frombuffer(bytes.fromhex(case["samples"][2:]), f"{order}{letter}{size}")
        if case["channelOrder"] == "planar":
            samples = samples.reshape(shape[0], shape[3], shape[1], shape[2]).transpose(0, 2, 3, 1)
        found = fold_image(samples.reshape(shape), case["bitsStored"])
        if "0x" + hashlib.sha256(encoded(found)).hexdigest() != case["fold"]["sha256"]:
            raise SystemExit(f"fold.py disagrees with derivation.json: {case['name']}")
    random = np.random.default_rng(1)
    types = [("u1", "u8"), ("u2", "u16"), ("i2", "i16"), ("f4", "f32"), ("f8", "f64")]
    for number in range(40):
        kind, name = types[number % len(types)]
        shape = tuple(int(n) for n in random.integers(1, (4, 40, 40, 4)))
        samples = np.frombuffer(random.bytes(int(np.prod(shape)) * int(kind[1])), f"<{kind}").reshape(shape)
        data = random.bytes(int(random.integers(1, 3 * ROW_BYTES)))
        same = slow.fold_encode(slow.fold_image(samples.tobytes(), shape, name, 7)) == encoded(fold_image(samples, 7))
        if not same or slow.fold_encode(slow.fold_bytes(data)) != encoded(fold_bytes(data)):
            raise SystemExit(f"fold.py disagrees with tests/vectors/medseal: {shape} {name}, {len(data)} bytes")
    return len(cases["imageFolds"]) + 2 * 40


if __name__ == "__main__":
    print(f"{check()} passed")
