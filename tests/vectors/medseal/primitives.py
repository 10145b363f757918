"""Section 1: integers, length prefixes, hashes, and the one error type."""

import hashlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASK64 = (1 << 64) - 1


class MedSealError(Exception):
    """A refusal; `name` is the name that FORMAT.md gives it."""

    def __init__(self, name, detail=""):
        super().__init__(f"{name}: {detail}" if detail else name)
        self.name = name


def u8(value):
    return struct.pack(">B", value)


def u16(value):
    return struct.pack(">H", value)


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def lp(data):
    """The bytes with their u32 length before them."""
    return u32(len(data)) + data


def sha256(data):
    return hashlib.sha256(data).digest()


def hkdf(salt, ikm, info):
    """HKDF-SHA256, extract and expand, 32 bytes."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(ikm)


def fnv1a64(data):
    """FNV-1a, 64 bits: names a long list in a check value, nothing more."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value


def _rotate(value, by):
    return ((value << by) | (value >> (64 - by))) & MASK64 if by else value


def _keccak_tables():
    """Round constants (from the LFSR) and, for each lane, its rotation and its place after pi (FIPS 202, 3.2)."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    steps, x, y = [], 1, 0
    for t in range(24):
        target = (y, (2 * x + 3 * y) % 5)
        steps.append((x + 5 * y, target[0] + 5 * target[1], ((t + 1) * (t + 2) // 2) % 64))
        x, y = target
    return constants, steps


_CONSTANTS, _STEPS = _keccak_tables()


def _keccak_f(a):
    for constant in _CONSTANTS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        a = [a[i] ^ c[(i + 4) % 5] ^ _rotate(c[(i + 1) % 5], 1) for i in range(25)]
        b = [a[0]] * 25
        for source, target, by in _STEPS:
            b[target] = _rotate(a[source], by)
        a = [b[i] ^ (~b[i - i % 5 + (i + 1) % 5] & b[i - i % 5 + (i + 2) % 5]) for i in range(25)]
        a[0] ^= constant
    return a


def keccak_sponge(data, suffix):
    """Keccak with rate 136 and 32 bytes of output; `suffix` begins the padding: 1 for keccak256, 6 for SHA3-256."""
    padding = bytearray(136 - len(data) % 136)
    padding[0] |= suffix
    padding[-1] |= 0x80
    state = [0] * 25
    data = data + bytes(padding)
    for block in range(0, len(data), 136):
        for lane, word in enumerate(struct.unpack_from("<17Q", data, block)):
            state[lane] ^= word
        state = _keccak_f(state)
    return struct.pack("<4Q", *state[:4])


def keccak256(data):
    """Ethereum's keccak256."""
    return keccak_sponge(data, 0x01)


def abi_word(value):
    """An integer, an address (20 bytes) or 32 bytes as one word of `abi.encode`."""
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def abi_bytes32_array(items):
    """`abi.encode(bytes32[])`: offset, length, items."""
    return abi_word(32) + abi_word(len(items)) + b"".join(items)
