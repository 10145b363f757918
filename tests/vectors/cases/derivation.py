"""`derivation.json`: folds, and image keys from given parts."""

from medseal.fold import SAMPLE_TYPES, fold_bytes, fold_encode, fold_image
from medseal.keys import image_key
from medseal.primitives import sha256

from .common import counter, dump, fixed, hex0x, identity, identity_json, subkeys_json

# (name, (D, H, W, C), sample type, bits stored, byte order, channel order)
IMAGES = [
    ("u8 1x1", (1, 1, 1, 1), "u8", 8, "little", "interleaved"),
    ("u8 1x1, 7 bits stored", (1, 1, 1, 1), "u8", 7, "little", "interleaved"),
    ("u8 17x31", (1, 17, 31, 1), "u8", 8, "little", "interleaved"),
    ("i8 9x8, axes that 8 divides and not", (1, 9, 8, 1), "i8", 8, "little", "interleaved"),
    ("i16 2x5x7", (2, 5, 7, 1), "i16", 12, "little", "interleaved"),
    ("u16 4x6 little-endian", (1, 4, 6, 1), "u16", 16, "little", "interleaved"),
    ("u16 4x6 big-endian", (1, 4, 6, 1), "u16", 16, "big", "interleaved"),
    ("u8 2x5x4x3 interleaved", (2, 5, 4, 3), "u8", 8, "little", "interleaved"),
    ("u8 2x5x4x3 planar", (2, 5, 4, 3), "u8", 8, "little", "planar"),
    ("u32 3x5", (1, 3, 5, 1), "u32", 32, "little", "interleaved"),
    ("i32 3x5 big-endian", (1, 3, 5, 1), "i32", 32, "big", "interleaved"),
    ("f32 5x3", (1, 5, 3, 1), "f32", 32, "little", "interleaved"),
    ("u64 2x2", (1, 2, 2, 1), "u64", 64, "little", "interleaved"),
    ("f64 7x9", (1, 7, 9, 1), "f64", 64, "little", "interleaved"),
]
BYTE_LENGTHS = (1, 4095, 4096, 4097, 5000)


def _reordered(data, width, shape, byte_order, channel_order):
    """Samples that stand little-endian and interleaved, written as the file would have them."""
    depth, height, columns, channels = shape
    samples = [data[i : i + width] for i in range(0, len(data), width)]
    if byte_order == "big":
        samples = [sample[::-1] for sample in samples]
    if channel_order == "planar":
        plane = height * columns
        samples = [
            samples[(d * plane + i) * channels + c] for d in range(depth) for c in range(channels) for i in range(plane)
        ]
    return b"".join(samples)


def _fold_json(words):
    return {"first": words[:8], "sha256": hex0x(sha256(fold_encode(words)))}


def _images():
    for name, shape, sample_type, bits_stored, byte_order, channel_order in IMAGES:
        width = SAMPLE_TYPES[sample_type][1]
        length = shape[0] * shape[1] * shape[2] * shape[3] * width
        # Named by shape and type, so that the two orders of one image hold the same samples and must give one fold.
        plain = fixed(f"samples {shape} {sample_type}", length)
        data = _reordered(plain, width, shape, byte_order, channel_order)
        words = fold_image(data, shape, sample_type, bits_stored, byte_order, channel_order)
        assert words == fold_image(plain, shape, sample_type, bits_stored)
        yield {
            "name": name,
            "depth": shape[0],
            "height": shape[1],
            "width": shape[2],
            "channels": shape[3],
            "sampleType": sample_type,
            "bitsStored": bits_stored,
            "byteOrder": byte_order,
            "channelOrder": channel_order,
            "samples": hex0x(data),
            "fold": _fold_json(words),
        }


def _bytes():
    for length in BYTE_LENGTHS:
        yield {"name": f"{length} bytes", "length": length, "fold": _fold_json(fold_bytes(counter(length)))}


def _image_keys():
    # Tout is as long as the model makes it: 32 bytes of the first one, 96 of the one after it.
    for name, kgcs, tout_bytes in (("one KGC", 1, 32), ("two KGCs", 2, 32), ("one KGC, Tout of 96 bytes", 1, 96)):
        who = identity(f"image key, {name}")
        partials = [fixed(f"{name}: partial {number}") for number in range(kgcs)]
        r, tout, words = fixed(f"{name}: r"), fixed(f"{name}: tout", tout_bytes), fold_bytes(counter(5000))
        key = image_key(who.salt, partials, r, fold_encode(words), tout, who.model_digest, who.context)
        yield {
            "name": name,
            **identity_json(who),
            "partials": [hex0x(partial) for partial in partials],
            "r": hex0x(r),
            "foldOf": "5000 bytes",
            "tout": hex0x(tout),
            "imageKey": hex0x(key),
            "subkeys": subkeys_json(key, who),
        }


def files():
    return {
        "derivation.json": dump(
            {"imageFolds": list(_images()), "byteFolds": list(_bytes()), "imageKeys": list(_image_keys())}
        )
    }
