"""Sections 2 and 6.3: the sealed image, its header, sealing, reading and opening."""

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from . import description as frame_zero
from .keys import SUITE, context, image_id, subkey, subkeys
from .permutation import permute, unpermute
from .primitives import MedSealError, sha256, u16, u32, u64
from .substitution import SBox

MAGIC = bytes.fromhex("4d45445345414c0a")
VERSION = 1
PREFIX_BYTES = 14
FIXED_HEADER_BYTES = 182
TAG_BYTES = 16
MIN_FRAMES, MAX_FRAMES = 2, 1048577
MIN_FRAME_BYTES, MAX_FRAME_BYTES = 17, 2147483664


@dataclass(frozen=True)
class Identity:
    """What is known of an image before its key."""

    chain_id: int
    registry: bytes
    sender: bytes
    salt: bytes
    model_digest: bytes

    @property
    def image_id(self):
        return image_id(self.chain_id, self.registry, self.sender, self.salt)

    @property
    def context(self):
        return context(self.chain_id, self.registry, self.image_id, self.sender)


@dataclass(frozen=True)
class Stages:
    """One frame on its way: `permuted` and `substituted` are the plaintext itself in frame 0."""

    plaintext: bytes
    permuted: bytes
    substituted: bytes
    sealed: bytes


@dataclass(frozen=True)
class Sealed:
    """A sealed image with everything that was on the way to it."""

    data: bytes
    header_hash: bytes
    subkeys: dict
    stages: list


def encode_prefix(identity, commitment, frame_lengths):
    """The file's bytes 0 .. 14+H."""
    header = (
        u16(SUITE)
        + u64(identity.chain_id)
        + identity.registry
        + identity.sender
        + identity.salt
        + identity.image_id
        + commitment
        + identity.model_digest
        + u32(len(frame_lengths))
        + b"".join(u64(length) for length in frame_lengths)
    )
    return MAGIC + u16(VERSION) + u32(len(header)) + header


def diffuse(key, header_hash, index, count, data):
    """Ciphertext and tag of a frame, eq. (7)."""
    return AESGCMSIV(key).encrypt(bytes(4) + u64(index), data, header_hash + u64(index) + u64(count))


def undiffuse(key, header_hash, index, count, data):
    """The frame before diffusion, eq. (8); `FrameNotAuthentic` where anything was changed."""
    try:
        return AESGCMSIV(key).decrypt(bytes(4) + u64(index), data, header_hash + u64(index) + u64(count))
    except InvalidTag:
        raise MedSealError("FrameNotAuthentic", f"frame {index}") from None


def seal_frames(identity, key, plaintexts, sample_width, prefix=None):
    """A sealed image of these plaintexts, frame 0 first, without asking whether they belong together."""
    keys = subkeys(key, identity.image_id)
    box = SBox(keys["substitution"])
    if prefix is None:
        prefix = encode_prefix(identity, keys["key-commitment"], [len(p) + TAG_BYTES for p in plaintexts])
    header_hash = sha256(prefix)
    stages = []
    for index, plaintext in enumerate(plaintexts):
        permuted = permute(keys["confusion"], index, plaintext, sample_width) if index else plaintext
        substituted = permuted.translate(box.table) if index else permuted
        sealed = diffuse(keys["diffusion"], header_hash, index, len(plaintexts), substituted)
        stages.append(Stages(plaintext, permuted, substituted, sealed))
    return Sealed(prefix + b"".join(s.sealed for s in stages), header_hash, keys, stages)


def seal(identity, key, description, payload):
    """The sealed image of a described payload."""
    plaintexts = [description.encode()] + description.cut(payload)
    return seal_frames(identity, key, plaintexts, description.sample_width)


@dataclass(frozen=True)
class Header:
    """A header that passed section 2's checks, and where each frame lies."""

    identity: Identity
    commitment: bytes
    frame_lengths: list
    header_hash: bytes
    frames_at: int

    def frame(self, data, index):
        """The sealed bytes of one frame."""
        at = self.frames_at + sum(self.frame_lengths[:index])
        return data[at : at + self.frame_lengths[index]]


def _refuse_unless(holds, name, detail=""):
    if not holds:
        raise MedSealError(name, detail)


def read(data):
    """The header of a sealed image, after steps 1 to 8 of section 2."""

    def number(at, size):
        return int.from_bytes(data[at : at + size], "big")

    _refuse_unless(data[:8] == MAGIC[: min(8, len(data))], "BadMagic")
    _refuse_unless(len(data) >= PREFIX_BYTES, "Truncated", f"{len(data)} bytes")
    _refuse_unless(number(8, 2) == VERSION, "UnsupportedVersion", number(8, 2))
    length = number(10, 4)
    smallest, largest = (FIXED_HEADER_BYTES + 8 * n for n in (MIN_FRAMES, MAX_FRAMES))
    _refuse_unless(smallest <= length <= largest, "HeaderLength", length)
    _refuse_unless(len(data) >= PREFIX_BYTES + length, "Truncated", f"{len(data)} bytes")
    header = data[PREFIX_BYTES : PREFIX_BYTES + length]
    suite = int.from_bytes(header[:2], "big")
    _refuse_unless(suite == SUITE, "UnsupportedSuite", suite)
    count = int.from_bytes(header[178:182], "big")
    _refuse_unless(MIN_FRAMES <= count <= MAX_FRAMES, "FrameCount", count)
    _refuse_unless(length == FIXED_HEADER_BYTES + 8 * count, "HeaderLength", f"{length} with {count} frames")
    lengths = [int.from_bytes(header[at : at + 8], "big") for at in range(FIXED_HEADER_BYTES, length, 8)]
    for index, frame_length in enumerate(lengths):
        within = MIN_FRAME_BYTES <= frame_length <= MAX_FRAME_BYTES
        _refuse_unless(within, "FrameLength", f"frame {index}: {frame_length}")
    identity = Identity(
        int.from_bytes(header[2:10], "big"), header[10:30], header[30:50], header[50:82], header[146:178]
    )
    _refuse_unless(header[82:114] == identity.image_id, "ImageIdMismatch")
    frames_at = PREFIX_BYTES + length
    total = frames_at + sum(lengths)
    _refuse_unless(total <= len(data), "Truncated", f"{len(data)} bytes, expected {total}")
    _refuse_unless(total == len(data), "TrailingBytes", f"{len(data)} bytes, expected {total}")
    return Header(identity, header[114:146], lengths, sha256(data[:frames_at]), frames_at)


def open_sealed(data, key):
    """The description and the opened file (for `pixels`: the samples), after every check of section 2."""
    header = read(data)
    identifier, count = header.identity.image_id, len(header.frame_lengths)
    commitment = subkey(key, identifier, "key-commitment")
    _refuse_unless(hmac.compare_digest(commitment, header.commitment), "WrongKey")
    keys = subkeys(key, identifier)
    described = undiffuse(keys["diffusion"], header.header_hash, 0, count, header.frame(data, 0))
    description = frame_zero.decode(described)
    frame_zero.check_frame_table(description, [length - TAG_BYTES for length in header.frame_lengths[1:]])
    box, frames = SBox(keys["substitution"]), []
    for index in range(1, count):
        substituted = undiffuse(keys["diffusion"], header.header_hash, index, count, header.frame(data, index))
        permuted = substituted.translate(box.inverse)
        frames.append(unpermute(keys["confusion"], index, permuted, description.sample_width))
    return description, description.join(frames)
