"""Section 7: the key capsules."""

import hmac
from dataclasses import dataclass

from . import hpke
from .keys import SUITE, subkey
from .primitives import MedSealError, lp, sha256, u8, u16, u32, u64

MAGIC = bytes.fromhex("4d45444b4559530a")
VERSION = 1
PREFIX_BYTES = 12
STANZA_FIXED_BYTES = 39
MAX_STANZAS = 1024
MAX_BODY_BYTES = 4096
TYPES = {"kgc": 1, "reader": 2, "recovery": 3, "share": 4, "commitments": 5}
BODY_BYTES = {1: {80}, 2: {80}, 3: {80}, 4: {82}, 5: {2 + 32 * shares for shares in range(2, 17)}}
KGC, SHARE, COMMITMENTS = TYPES["kgc"], TYPES["share"], TYPES["commitments"]


@dataclass(frozen=True)
class Stanza:
    """One stanza; a share's body begins with its index and the threshold."""

    type: int
    key_id: bytes
    epoch: int
    body: bytes

    def encode(self):
        return u8(self.type) + self.key_id + u32(self.epoch) + u16(len(self.body)) + self.body

    @property
    def share(self):
        """Share index and threshold, two bytes; zeros except for a share."""
        return self.body[:2] if self.type == SHARE else bytes(2)

    @property
    def sealed(self):
        """What HPKE made."""
        return self.body[2:] if self.type == SHARE else self.body


def info(identity, commitment, type_, key_id, epoch, share=bytes(2)):
    """What HPKE binds a capsule to."""
    parts = (
        b"medseal/v1/capsule",
        u16(SUITE),
        u64(identity.chain_id),
        identity.registry,
        identity.image_id,
        identity.sender,
        u8(type_),
        key_id,
        u32(epoch),
        share,
        commitment,
    )
    return b"".join(lp(part) for part in parts)


def encode(stanzas):
    """The capsules' file."""
    return MAGIC + u16(VERSION) + u16(len(stanzas)) + b"".join(stanza.encode() for stanza in stanzas)


def decode(data):
    """The stanzas of a capsules' file, unknown types included, after section 7's checks."""
    if data[:8] != MAGIC[: min(8, len(data))]:
        raise MedSealError("BadMagic")
    if len(data) < PREFIX_BYTES:
        raise MedSealError("Truncated", f"{len(data)} bytes")
    version, count = (int.from_bytes(data[at : at + 2], "big") for at in (8, 10))
    if version != VERSION:
        raise MedSealError("UnsupportedVersion", version)
    if not 1 <= count <= MAX_STANZAS:
        raise MedSealError("StanzaCount", count)
    stanzas, seen, at = [], set(), PREFIX_BYTES
    for index in range(count):
        stanza, at = _decode_stanza(data, at, index)
        identity = (stanza.type, stanza.key_id, stanza.epoch, stanza.share)
        if identity in seen:
            raise MedSealError("DuplicateStanza", index)
        seen.add(identity)
        stanzas.append(stanza)
    if at != len(data):
        raise MedSealError("TrailingBytes", f"{len(data)} bytes, expected {at}")
    _check_shares(stanzas)
    return stanzas


def _check_shares(stanzas):
    """The rules for stanzas of types 4 and 5."""
    sets = [stanza for stanza in stanzas if stanza.type == COMMITMENTS]
    shares = [stanza for stanza in stanzas if stanza.type == SHARE]
    if not sets and not shares:
        return
    if len(sets) != 1 or sets[0].key_id != bytes(32) or sets[0].epoch != 0:
        raise MedSealError("ShareSet", "not one stanza of commitments")
    threshold, number = sets[0].body[:2]
    if len(sets[0].body) != 2 + 32 * number or not 2 <= threshold <= number:
        raise MedSealError("ShareSet", f"{threshold} of {number}")
    if any(stanza.type == KGC for stanza in stanzas) or any(stanza.share[1] != threshold for stanza in shares):
        raise MedSealError("ShareSet", "another threshold")
    held = sorted({(stanza.key_id, stanza.share[0]) for stanza in shares})
    if [index for _, index in held] != list(range(1, number + 1)) or len({id_ for id_, _ in held}) != number:
        raise MedSealError("ShareSet", "numbers of the shares")


def share_commitments(image_id, threshold, shares):
    """The stanza that commits to these shares, the first of which has index 1."""
    body = u8(threshold) + u8(len(shares))
    for index, share in enumerate(shares, 1):
        which = u8(index) + u8(threshold) + u8(len(shares))
        body += sha256(b"".join(map(lp, (b"medseal/v1/share-commitment", image_id, which, share))))
    return Stanza(COMMITMENTS, bytes(32), 0, body)


def _decode_stanza(data, at, index):
    fixed = data[at : at + STANZA_FIXED_BYTES]
    if len(fixed) < STANZA_FIXED_BYTES:
        raise MedSealError("Truncated", f"stanza {index}")
    type_, length = fixed[0], int.from_bytes(fixed[37:39], "big")
    if length > MAX_BODY_BYTES or length not in BODY_BYTES.get(type_, {length}):
        raise MedSealError("StanzaLength", f"stanza {index}: {length}")
    at += STANZA_FIXED_BYTES
    body = data[at : at + length]
    if len(body) < length:
        raise MedSealError("Truncated", f"stanza {index}")
    return Stanza(type_, fixed[1:33], int.from_bytes(fixed[33:37], "big"), body), at + length


def open_stanza(stanzas, identity, commitment, type_, key_id, epoch, private, share_index=None):
    """What the stanza of this holder seals: Ke, checked against the commitment, or for a share the share."""
    for stanza in stanzas:
        if (stanza.type, stanza.key_id, stanza.epoch) != (type_, key_id, epoch):
            continue
        if type_ == SHARE and stanza.share[0] != share_index:
            continue
        bound = info(identity, commitment, type_, key_id, epoch, stanza.share)
        opened = hpke.open_(private, bound, stanza.sealed)
        if type_ == SHARE:
            _check_share(stanzas, identity, stanza.share[0], opened)
        elif not hmac.compare_digest(subkey(opened, identity.image_id, "key-commitment"), commitment):
            raise MedSealError("WrongKey")
        return opened
    raise MedSealError("NoMatchingStanza")


def _check_share(stanzas, identity, index, share):
    """The share must be the one that the sender committed to."""
    body = next(stanza.body for stanza in stanzas if stanza.type == COMMITMENTS)
    threshold, number = body[:2]
    # Only this share is known: the others' places are filled with zeros.
    shares = [share if place == index else bytes(32) for place in range(1, number + 1)]
    found = share_commitments(identity.image_id, threshold, shares).body
    at = slice(2 + 32 * (index - 1), 2 + 32 * index)
    if not hmac.compare_digest(found[at], body[at]):
        raise MedSealError("ShareMismatch", index)
