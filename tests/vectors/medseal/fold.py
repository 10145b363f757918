"""Section 4.1: the fold, 4096 words that depend on every sample."""

import struct

from .primitives import MASK64

# Code, width in bytes and the unsigned struct letter with which a sample's bits are read.
SAMPLE_TYPES = {
    "none": (0, 1, "B"),
    "u8": (1, 1, "B"),
    "i8": (2, 1, "B"),
    "u16": (3, 2, "H"),
    "i16": (4, 2, "H"),
    "u32": (5, 4, "I"),
    "i32": (6, 4, "I"),
    "f32": (7, 4, "I"),
    "u64": (8, 8, "Q"),
    "i64": (9, 8, "Q"),
    "f64": (10, 8, "Q"),
}
ROW_BYTES = 4096


def mix(z):
    """One step of the mixing function, modulo 2^64."""
    z = (z + 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def values_in_order(data, shape, sample_type, byte_order, channel_order):
    """The file's samples as unsigned integers, always in the order (D, H, W, C)."""
    depth, height, width, channels = shape
    _, _, letter = SAMPLE_TYPES[sample_type]
    count = depth * height * width * channels
    values = struct.unpack((">" if byte_order == "big" else "<") + f"{count}{letter}", data)
    if channel_order == "interleaved":
        return values
    plane = height * width
    return [
        values[d * channels * plane + c * plane + i]
        for d in range(depth)
        for i in range(plane)
        for c in range(channels)
    ]


def _fold(values, length, shape, code, bits_stored, limbs):
    depth, height, width, channels = shape
    g = 0
    for v in (length, depth, height, width, channels, code, bits_stored):
        g = mix(g ^ v)
    words = [mix((g + n) & MASK64) >> 48 for n in range(64 * 64)]
    for i, value in enumerate(values):
        place = i // channels
        x, y = place % width, place // width % height
        t = (8 * y // height) * 8 + (8 * x // width)
        k = (y % 8) * 8 + (x % 8)
        for limb in range(limbs):
            m = (mix((4 * i + limb) & MASK64) >> 48) | 1
            words[64 * t + k] = (words[64 * t + k] + m * (value >> (16 * limb) & 0xFFFF)) & 0xFFFF
    return words


def fold_image(data, shape, sample_type, bits_stored, byte_order="little", channel_order="interleaved"):
    """The fold's 4096 words for decoded samples of the shape (D, H, W, C)."""
    code, width, _ = SAMPLE_TYPES[sample_type]
    values = values_in_order(data, shape, sample_type, byte_order, channel_order)
    return _fold(values, len(data), shape, code, bits_stored, max(1, width // 2))


def fold_bytes(data):
    """The fold's 4096 words for bytes in rows of 4096."""
    shape = (1, -(-len(data) // ROW_BYTES), ROW_BYTES, 1)
    return _fold(data, len(data), shape, 0, 0, 1)


def fold_encode(words):
    """The 8192 bytes that enter the key derivation: u16, big-endian as all of FORMAT.md's integers."""
    return struct.pack(">4096H", *words)
