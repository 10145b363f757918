"""Section 3: frame 0, Padme, and how a payload is cut into frames."""

from dataclasses import dataclass

from .fold import SAMPLE_TYPES
from .primitives import MedSealError, u8, u16, u32, u64

LAYOUTS = ("bytes", "spliced", "pixels")
FORMATS = ("unknown", "dicom", "png", "tiff", "nifti", "jpeg", "matlab")
TYPES = tuple(SAMPLE_TYPES)
BYTE_ORDERS = ("little", "big")
CHANNEL_ORDERS = ("interleaved", "planar")
CHUNK_BYTES = 1048576
FIXED_BYTES = 28
MAX_NAME_BYTES = 1024


def padme(length):
    """The padded length (Nikitin et al. 2019)."""
    if length < 2:
        return length
    e = length.bit_length() - 1
    s = e.bit_length()
    k = e - s if e > s else 0
    return (length + (1 << k) - 1) >> k << k


@dataclass(frozen=True)
class Description:
    """What frame 0 says. Codes are given by name; `name` is bytes so that a test can write one that is not UTF-8."""

    layout: str
    payload_bytes: int
    format: str = "unknown"
    sample_type: str = "none"
    byte_order: str = "little"
    channel_order: str = "interleaved"
    bits_stored: int = 0
    shape: tuple = (0, 0, 0, 0)
    name: bytes = b""
    head: bytes = b""
    tail: bytes = b""

    @property
    def sample_width(self):
        """Bytes of a sample; 1 for the layout bytes."""
        return SAMPLE_TYPES[self.sample_type][1]

    @property
    def slice_bytes(self):
        """Bytes of a slice, `H W C w`."""
        _, height, width, channels = self.shape
        return height * width * channels * self.sample_width

    def content(self):
        """The content before the padding."""
        codes = (
            LAYOUTS.index(self.layout),
            FORMATS.index(self.format),
            TYPES.index(self.sample_type),
            BYTE_ORDERS.index(self.byte_order),
            CHANNEL_ORDERS.index(self.channel_order),
            self.bits_stored,
        )
        depth, height, width, channels = self.shape
        return (
            b"".join(u8(code) for code in codes)
            + b"".join(u32(axis) for axis in (depth, height, width))
            + u16(channels)
            + u64(self.payload_bytes)
            + u16(len(self.name))
            + self.name
            + u64(len(self.head))
            + self.head
            + u64(len(self.tail))
            + self.tail
        )

    def encode(self):
        """Frame 0's plaintext."""
        return pad(self.content())

    def frame_bytes(self):
        """Length of each payload frame's plaintext, in order."""
        if self.layout == "bytes":
            whole, rest = divmod(self.payload_bytes, CHUNK_BYTES)
            return [CHUNK_BYTES] * whole + ([padme(rest)] if rest else [])
        return [self.slice_bytes] * self.shape[0]

    def cut(self, payload):
        """The plaintext of the frames 1 .. n-1."""
        frames, at = [], 0
        for length in self.frame_bytes():
            frames.append(payload[at : at + length].ljust(length, b"\0"))
            at += length
        return frames

    def join(self, frames):
        """The opened file; for `pixels` the samples, which this program does not re-encode."""
        payload = b"".join(frames)
        if any(payload[self.payload_bytes :]):
            raise MedSealError("PaddingNotZero", "last frame")
        return self.head + payload[: self.payload_bytes] + self.tail


def pad(content):
    """The content with zeros up to `padme` of its length."""
    return content.ljust(padme(len(content)), b"\0")


class _Reader:
    """Takes fields off a plaintext; `DescriptionTruncated` where it ends too early."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        if length > len(self.data) - self.at:
            raise MedSealError("DescriptionTruncated", f"{length} bytes wanted at {self.at} of {len(self.data)}")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, length):
        return int.from_bytes(self.take(length), "big")


def _named(names, code, field):
    if code >= len(names):
        raise MedSealError("DescriptionField", f"{field} {code}")
    return names[code]


def _require(holds, field):
    if not holds:
        raise MedSealError("DescriptionField", field)


def _check_fields(d):
    """The rules that tie the fields together."""
    opaque = d.layout == "bytes"
    depth, height, width, channels = d.shape
    _require(d.bits_stored <= 8 * d.sample_width, "bits stored")
    _require(not any(d.shape) if opaque else all(d.shape), "shape")
    _require((d.bits_stored == 0) if opaque else (d.bits_stored >= 1), "bits stored")
    _require((d.sample_type == "none") == opaque, "sample type")
    _require(d.byte_order == "little" or d.sample_width > 1, "byte order")
    _require(d.channel_order == "interleaved" or channels > 1, "channel order")
    _require(len(d.name) <= MAX_NAME_BYTES, "name length")
    try:
        d.name.decode("utf-8")
    except UnicodeDecodeError:
        _require(False, "name is not UTF-8")
    _require(d.layout == "spliced" or not (d.head or d.tail), "head or tail")
    if opaque:
        _require(d.payload_bytes >= 1, "payload length")
    else:
        _require(d.payload_bytes == depth * d.slice_bytes, "payload length")
    if d.layout == "pixels":
        _require(d.byte_order == "little" and d.channel_order == "interleaved", "order of pixels")


def decode(plaintext):
    """The description of frame 0, checked in the order of section 3, but for the frame table."""
    if len(plaintext) < FIXED_BYTES:
        raise MedSealError("DescriptionTruncated", f"{len(plaintext)} bytes")
    reader = _Reader(plaintext)
    codes = list(reader.take(6))
    shape = tuple(reader.number(size) for size in (4, 4, 4, 2))
    payload_bytes = reader.number(8)
    name, head, tail = (reader.take(reader.number(size)) for size in (2, 8, 8))
    tables = (LAYOUTS, FORMATS, TYPES, BYTE_ORDERS, CHANNEL_ORDERS)
    fields = ("layout", "format", "sample type", "byte order", "channel order")
    named = [_named(table, code, field) for table, code, field in zip(tables, codes, fields)]
    description = Description(
        layout=named[0],
        format=named[1],
        sample_type=named[2],
        byte_order=named[3],
        channel_order=named[4],
        bits_stored=codes[5],
        shape=shape,
        payload_bytes=payload_bytes,
        name=name,
        head=head,
        tail=tail,
    )
    _check_fields(description)
    if len(plaintext) != padme(reader.at):
        raise MedSealError("PaddingLength", f"{len(plaintext)} bytes, expected {padme(reader.at)}")
    if any(plaintext[reader.at :]):
        raise MedSealError("PaddingNotZero", "frame 0")
    return description


def check_frame_table(description, plaintext_lengths):
    """Whether the payload frames have the number and lengths that the layout says: else `FrameTable`."""
    # Compared before any list of that many lengths is made: D and P come out of the file.
    if description.layout == "bytes":
        count = -(-description.payload_bytes // CHUNK_BYTES)
    else:
        count = description.shape[0]
    if count != len(plaintext_lengths) or description.frame_bytes() != plaintext_lengths:
        raise MedSealError("FrameTable", f"{len(plaintext_lengths)} frames, expected {count}")
