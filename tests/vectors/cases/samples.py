"""Small files made by hand, each as (head, samples, tail): DICOM in both byte orders, and NIfTI."""

import struct

NIFTI_CODES = {"i8": 256, "i32": 8, "f32": 16, "f64": 64, "u16": 512, "u32": 768, "i64": 1024, "u64": 1280}
LONG_FORMS = (b"OB", b"OW")


def _element(order, group, element, vr, value):
    """A DICOM element in explicit VR."""
    if len(value) % 2:
        value += b"\0" if vr in (b"UI", b"OB") else b" "
    tag = struct.pack(order + "HH", group, element) + vr
    if vr in LONG_FORMS:
        return tag + bytes(2) + struct.pack(order + "I", len(value)) + value
    return tag + struct.pack(order + "H", len(value)) + value


def dicom(samples, shape, bits, bits_stored=None, signed=False, big_endian=False, planar=False, trailing=b""):
    """A DICOM file, explicit VR; samples of odd length get the padding byte that the standard asks for, in the tail."""
    depth, height, width, channels = shape
    syntax = b"1.2.840.10008.1.2.2" if big_endian else b"1.2.840.10008.1.2.1"
    sop_class, instance = b"1.2.840.10008.5.1.4.1.1.7", b"2.25.1234567890"
    meta = b"".join(
        _element("<", 2, element, vr, value)
        for element, vr, value in (
            (0x0001, b"OB", b"\0\1"),
            (0x0002, b"UI", sop_class),
            (0x0003, b"UI", instance),
            (0x0010, b"UI", syntax),
            (0x0012, b"UI", b"2.25.987654321"),
        )
    )
    order = ">" if big_endian else "<"

    def us(value):
        return struct.pack(order + "H", value)

    stored = bits if bits_stored is None else bits_stored
    elements = [
        (0x0008, 0x0016, b"UI", sop_class),
        (0x0008, 0x0018, b"UI", instance),
        (0x0008, 0x0060, b"CS", b"OT"),
        (0x0010, 0x0010, b"PN", b"Phantom^Vector"),
        (0x0028, 0x0002, b"US", us(channels)),
        (0x0028, 0x0004, b"CS", b"RGB" if channels == 3 else b"MONOCHROME2"),
    ]
    if channels > 1:
        elements.append((0x0028, 0x0006, b"US", us(1 if planar else 0)))
    elements += [
        (0x0028, 0x0008, b"IS", str(depth).encode()),
        (0x0028, 0x0010, b"US", us(height)),
        (0x0028, 0x0011, b"US", us(width)),
        (0x0028, 0x0100, b"US", us(bits)),
        (0x0028, 0x0101, b"US", us(stored)),
        (0x0028, 0x0102, b"US", us(stored - 1)),
        (0x0028, 0x0103, b"US", us(1 if signed else 0)),
    ]
    length = len(samples) + len(samples) % 2
    vr = b"OB" if bits == 8 else b"OW"
    head = bytes(128) + b"DICM" + _element("<", 2, 0, b"UL", struct.pack("<I", len(meta))) + meta
    head += b"".join(_element(order, *element) for element in elements)
    head += struct.pack(order + "HH", 0x7FE0, 0x0010) + vr + bytes(2) + struct.pack(order + "I", length)
    tail = bytes(len(samples) % 2)
    if trailing:
        tail += _element(order, 0xFFFC, 0xFFFC, b"OB", trailing)
    return head, samples, tail


def nifti(samples, shape, sample_type, big_endian=False):
    """A NIfTI-1 file of (D, H, W) samples, one channel."""
    depth, height, width, _ = shape
    order = ">" if big_endian else "<"
    bits = 8 * len(samples) // (depth * height * width)
    head = bytearray(352)
    struct.pack_into(order + "i", head, 0, 348)
    struct.pack_into(order + "8h", head, 40, 3, width, height, depth, 1, 1, 1, 1)
    struct.pack_into(order + "2h", head, 70, NIFTI_CODES[sample_type], bits)
    struct.pack_into(order + "8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into(order + "2f", head, 108, 352, 1)
    head[344:348] = b"n+1\0"
    return bytes(head), samples, b""
