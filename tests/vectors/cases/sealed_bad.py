"""`sealed/bad.json` with its files: each has one fault, and the name of the refusal."""

from dataclasses import replace

from medseal.description import Description, pad, padme
from medseal.keys import subkeys
from medseal.primitives import MedSealError, u16, u32, u64
from medseal.sealed import TAG_BYTES, encode_prefix, open_sealed, seal, seal_frames

from .common import dump, fixed, hex0x, identity

KEY = fixed("bad: image key")
OTHER_KEY = fixed("bad: another image key")
WHO = identity("bad")
SPLICED = Description(
    layout="spliced",
    payload_bytes=24,
    format="dicom",
    sample_type="u8",
    bits_stored=8,
    shape=(2, 3, 4, 1),
    name=b"bad.dcm",
    head=b"head",
    tail=b"tail",
)
SPLICED_16 = replace(SPLICED, sample_type="u16", bits_stored=12, shape=(2, 3, 2, 1))
RGB = replace(SPLICED, shape=(2, 2, 2, 3), channel_order="planar")
OPAQUE = Description(layout="bytes", payload_bytes=9, name=b"bad.bin")
PIXELS = Description(
    layout="pixels", payload_bytes=24, format="png", sample_type="u16", bits_stored=16, shape=(1, 3, 4, 1)
)
PAYLOAD = fixed("bad: payload", 24)
GOOD = seal(WHO, KEY, SPLICED, PAYLOAD).data
FRAMES_AT = 14 + 182 + 8 * 3
# Frame 0 of SPLICED, then two slices of 12 bytes; each with its tag.
FRAME_1 = len(GOOD) - 2 * (12 + TAG_BYTES)
FRAME_2 = len(GOOD) - (12 + TAG_BYTES)


def _put(at, value, data=GOOD):
    """The good file with other bytes at one place."""
    assert data[at : at + len(value)] != value
    return data[:at] + value + data[at + len(value) :]


def _flip(at, data=GOOD):
    return _put(at, bytes([data[at] ^ 1]), data)


def _header_cases():
    """Faults that need no key."""
    yield "BadMagic", "first byte", _flip(0)
    yield "BadMagic", "line feed of the magic is a carriage return", _put(7, b"\r")
    yield "BadMagic", "four bytes that are not the magic's", b"MEDX"
    yield "Truncated", "empty file", b""
    yield "Truncated", "five bytes of the magic", GOOD[:5]
    yield "Truncated", "13 bytes", GOOD[:13]
    yield "Truncated", "one byte of the header missing", GOOD[: FRAMES_AT - 1]
    yield "Truncated", "header only", GOOD[:FRAMES_AT]
    yield "Truncated", "one byte of the last frame missing", GOOD[:-1]
    yield "Truncated", "last frame missing", GOOD[:FRAME_2]
    yield "UnsupportedVersion", "version 2", _put(8, u16(2))
    yield "UnsupportedVersion", "version 0", _put(8, u16(0))
    yield "HeaderLength", "one less than the smallest", _put(10, u32(197))
    yield "HeaderLength", "one more than the largest", _put(10, u32(8388799))
    yield "HeaderLength", "huge", _put(10, u32(0xFFFFFFFF))
    yield "HeaderLength", "right for two frames, not for three", _put(10, u32(198))
    yield "HeaderLength", "one byte too many for three frames", _put(10, u32(207))
    yield "UnsupportedSuite", "suite 2", _put(14, u16(2))
    yield "UnsupportedSuite", "suite 0", _put(14, u16(0))
    yield "FrameCount", "1", _put(14 + 178, u32(1))
    yield "FrameCount", "0", _put(14 + 178, u32(0))
    yield "FrameCount", "one more than the largest", _put(14 + 178, u32(1048578))
    yield "FrameLength", "16: a tag and nothing before it", _put(14 + 182 + 8, u64(16))
    yield "FrameLength", "one more than the largest", _put(14 + 182 + 8, u64(2147483665))
    yield "FrameLength", "huge, so that a sum of u64 overflows", _put(14 + 182 + 16, u64(0xFFFFFFFFFFFFFFFF))
    yield "ImageIdMismatch", "image id", _flip(14 + 82)
    yield "ImageIdMismatch", "salt", _flip(14 + 50)
    yield "ImageIdMismatch", "sender", _flip(14 + 30)
    yield "ImageIdMismatch", "registry", _flip(14 + 10)
    yield "ImageIdMismatch", "chain id", _flip(14 + 9)
    yield "TrailingBytes", "one zero", GOOD + b"\0"


def _key_and_frame_cases():
    """Faults that the key or a tag finds."""
    yield "WrongKey", "key commitment", _flip(14 + 114)
    yield "FrameNotAuthentic", "first byte of frame 0", _flip(FRAMES_AT)
    yield "FrameNotAuthentic", "tag of frame 0", _flip(FRAME_1 - 1)
    yield "FrameNotAuthentic", "first byte of frame 1", _flip(FRAME_1)
    yield "FrameNotAuthentic", "last byte of the file", _flip(len(GOOD) - 1)
    yield "FrameNotAuthentic", "two frames swapped", GOOD[:FRAME_1] + GOOD[FRAME_2:] + GOOD[FRAME_1:FRAME_2]
    yield "FrameNotAuthentic", "model digest in the header", _flip(14 + 146)
    without = encode_prefix(WHO, subkeys(KEY, WHO.image_id)["key-commitment"], [FRAME_1 - FRAMES_AT, 28])
    yield "FrameNotAuthentic", "last frame taken out of file and header", without + GOOD[FRAMES_AT:FRAME_2]
    moved = _put(14 + 182, u64(FRAME_1 - FRAMES_AT - 1) + u64(29))
    yield "FrameNotAuthentic", "edge between two frames moved in the header", moved


def _described(plaintext, description=SPLICED, payload=PAYLOAD):
    """A file with this frame 0, sealed with the right key."""
    return seal_frames(WHO, KEY, [plaintext] + description.cut(payload), description.sample_width).data


def _with_byte(at, value, description=SPLICED):
    plaintext = description.encode()
    assert plaintext[at] != value
    return _described(plaintext[:at] + bytes([value]) + plaintext[at + 1 :], description, PAYLOAD[: description.payload_bytes])


def _changed(description, **fields):
    """A file whose frame 0 differs in these fields, its payload frames unchanged."""
    plaintext = replace(description, **fields).encode()
    return _described(plaintext, description, PAYLOAD[: description.payload_bytes])


def _truncated_descriptions():
    content = SPLICED.content()
    name_at, head_at = 28, 28 + 2 + len(SPLICED.name)
    tail_at = head_at + 8 + len(SPLICED.head)
    yield "27 bytes", content[:27]
    yield "ends inside the length of the name", content[:29]
    yield "name runs past the end", content[:name_at] + u16(0xFFFF) + content[name_at + 2 :]
    yield "ends before the length of the head", content[:head_at]
    yield "length of the head is huge", content[:head_at] + u64(0xFFFFFFFFFFFFFFFF) + content[head_at + 8 :]
    yield "ends before the length of the tail", content[:tail_at]
    yield "tail runs past the end", content[:-1]


def _field_cases():
    """Well-formed frames 0 that say something impossible."""
    yield "layout 3", _with_byte(0, 3)
    yield "format 7", _with_byte(1, 7)
    yield "sample type 11", _with_byte(2, 11)
    yield "byte order 2", _with_byte(3, 2, SPLICED_16)
    yield "channel order 2", _with_byte(4, 2, RGB)
    yield "17 bits stored of u16", _with_byte(5, 17, SPLICED_16)
    yield "0 bits stored", _with_byte(5, 0)
    yield "depth 0", _changed(SPLICED, shape=(0, 3, 4, 1))
    yield "height 0", _changed(SPLICED, shape=(2, 0, 4, 1))
    yield "channels 0", _changed(SPLICED, shape=(2, 3, 4, 0))
    yield "big-endian u8", _with_byte(3, 1)
    yield "planar with one channel", _with_byte(4, 1)
    yield "name of 1025 bytes", _changed(SPLICED, name=b"n" * 1025)
    yield "name that is not UTF-8", _changed(SPLICED, name=b"bad\xff.dcm")
    yield "name with a UTF-16 surrogate in it", _changed(SPLICED, name=b"\xed\xa0\x80")
    yield "payload length one too small", _changed(SPLICED, payload_bytes=23)
    yield "payload length whose product overflows u64", _changed(
        SPLICED, shape=(0x80000000, 0x80000000, 4, 1), payload_bytes=0
    )
    yield "spliced without a sample type", _changed(SPLICED, sample_type="none", bits_stored=8)
    yield "bytes with a sample type", _changed(OPAQUE, sample_type="u8")
    yield "bytes with bits stored", _changed(OPAQUE, bits_stored=8)
    yield "bytes with a depth", _changed(OPAQUE, shape=(1, 0, 0, 0))
    yield "bytes with a head", _changed(OPAQUE, head=b"h")
    yield "bytes with a tail", _changed(OPAQUE, tail=b"t")
    yield "bytes with a byte order", _changed(OPAQUE, byte_order="big")
    yield "bytes without a payload", _changed(OPAQUE, payload_bytes=0)
    yield "pixels with a head", _changed(PIXELS, head=b"h")
    yield "pixels with a tail", _changed(PIXELS, tail=b"t")
    yield "big-endian pixels", _changed(PIXELS, byte_order="big")
    rgb = replace(PIXELS, shape=(1, 2, 2, 3))
    yield "planar pixels", _changed(rgb, channel_order="planar")


def _framed(description, frames):
    return seal_frames(WHO, KEY, [description.encode(), *frames], description.sample_width).data


def _padding_and_table_cases():
    content = SPLICED.content()
    assert padme(len(content)) > len(content)
    yield "PaddingLength", "not padded", _described(content)
    yield "PaddingLength", "one zero too many", _described(pad(content) + b"\0")
    yield "PaddingNotZero", "last byte of frame 0", _described(content.ljust(padme(len(content)) - 1, b"\0") + b"\1")
    payload = PAYLOAD[:9]
    assert padme(9) == 10
    yield "PaddingNotZero", "last frame of a byte file", _framed(OPAQUE, [payload + b"\1"])
    yield "FrameTable", "a slice too few", _framed(SPLICED, [PAYLOAD[:12]])
    yield "FrameTable", "a slice too many", _framed(SPLICED, [PAYLOAD[:12], PAYLOAD[12:], bytes(12)])
    yield "FrameTable", "a slice one byte too long", _framed(SPLICED, [PAYLOAD[:12], PAYLOAD[11:]])
    yield "FrameTable", "edge between slices moved", _framed(SPLICED, [PAYLOAD[:11], PAYLOAD[11:]])
    yield "FrameTable", "last frame of a byte file not padded", _framed(OPAQUE, [payload])
    yield "FrameTable", "byte file cut in two frames", _framed(OPAQUE, [payload[:5], payload[5:]])
    many = replace(OPAQUE, payload_bytes=0xFFFFFFFFFFFFFFFF)
    yield "FrameTable", "byte file that claims 2^64 - 1 bytes", _framed(many, [payload + b"\0"])


def cases():
    """(error, fault, file, key) of every bad case."""
    for error, fault, data in (*_header_cases(), *_key_and_frame_cases()):
        yield error, fault, data, KEY
    yield "WrongKey", "another key", GOOD, OTHER_KEY
    for fault, plaintext in _truncated_descriptions():
        yield "DescriptionTruncated", fault, _described(plaintext), KEY
    for fault, data in _field_cases():
        yield "DescriptionField", fault, data, KEY
    for error, fault, data in _padding_and_table_cases():
        yield error, fault, data, KEY


def found_error(data, key):
    """The name of the refusal, or None where the file opens."""
    try:
        open_sealed(data, key)
    except MedSealError as error:
        return error.name
    return None


def files():
    # The files that the faults were put into do open; else a case would pass for another reason than its own.
    for description, payload in ((SPLICED, PAYLOAD), (SPLICED_16, PAYLOAD), (RGB, PAYLOAD), (OPAQUE, PAYLOAD[:9])):
        assert found_error(seal(WHO, KEY, description, payload).data, KEY) is None
    assert found_error(seal(WHO, KEY, PIXELS, PAYLOAD).data, KEY) is None
    out, listed, numbers = {}, [], {}
    for error, fault, data, key in cases():
        numbers[error] = numbers.get(error, 0) + 1
        name = f"{error}-{numbers[error]}"
        found = found_error(data, key)
        assert found == error, f"{name} ({fault}): {found}"
        out[f"sealed/bad/{name}.msl"] = data
        listed.append(
            {"name": name, "file": f"bad/{name}.msl", "fault": fault, "imageKey": hex0x(key), "error": error}
        )
    out["sealed/bad.json"] = dump({"cases": listed})
    return out
