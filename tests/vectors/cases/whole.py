"""`from_samples.json`: section 4 as a whole, from samples and `r` to the image key, with what lies between."""

from medseal.fold import SAMPLE_TYPES, fold_bytes, fold_encode, fold_image
from medseal.keys import image_key
from medseal.primitives import lp, sha256, u16

from .common import counter, dump, fixed, hex0x, identity, identity_json, subkeys_json

# (name, (D, H, W, C), sample type, bits stored, byte order, KGCs); rows of 4096 for a file that is not decoded.
IMAGES = [
    ("u16 3x9x11, 12 bits stored, big-endian, one KGC", (3, 9, 11, 1), "u16", 12, "big", 1),
    ("u8 2x10x6x3, two KGCs", (2, 10, 6, 3), "u8", 8, "little", 2),
]
FILE_BYTES = 5001


def _key(name, words, kgcs):
    who = identity(f"from samples, {name}")
    partials = [fixed(f"from samples, {name}: partial {number}") for number in range(kgcs)]
    r, tout = fixed(f"from samples, {name}: r"), fixed(f"from samples, {name}: tout", 96)
    fold = fold_encode(words)
    ikm = b"".join(lp(part) for part in (*partials, r, fold, tout))
    key = image_key(who.salt, partials, r, fold, tout, who.model_digest, who.context)
    return {
        "fold": hex0x(fold),
        **identity_json(who),
        "partials": [hex0x(partial) for partial in partials],
        "r": hex0x(r),
        "tout": hex0x(tout),
        "ikmBytes": len(ikm),
        "ikmSha256": hex0x(sha256(ikm)),
        "info": hex0x(lp(b"medseal/v1/image-key") + lp(u16(1)) + lp(who.model_digest) + lp(who.context)),
        "imageKey": hex0x(key),
        "subkeys": subkeys_json(key, who),
    }


def _images():
    for name, shape, sample_type, bits_stored, byte_order, kgcs in IMAGES:
        width = SAMPLE_TYPES[sample_type][1]
        data = fixed(f"from samples, {name}", shape[0] * shape[1] * shape[2] * shape[3] * width)
        words = fold_image(data, shape, sample_type, bits_stored, byte_order, "interleaved")
        yield {
            "name": name,
            "depth": shape[0],
            "height": shape[1],
            "width": shape[2],
            "channels": shape[3],
            "sampleType": sample_type,
            "bitsStored": bits_stored,
            "byteOrder": byte_order,
            "channelOrder": "interleaved",
            "samples": hex0x(data),
            **_key(name, words, kgcs),
        }


def _files():
    name = f"a file of {FILE_BYTES} bytes, one KGC"
    yield {"name": name, "length": FILE_BYTES, **_key(name, fold_bytes(counter(FILE_BYTES)), 1)}


def files():
    return {"from_samples.json": dump({"images": list(_images()), "files": list(_files())})}
