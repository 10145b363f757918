"""`sealed/good.json` with its files, and `sealed/large.json`."""

from medseal.description import Description
from medseal.fold import SAMPLE_TYPES, fold_bytes, fold_encode, fold_image
from medseal.keys import image_key
from medseal.primitives import sha256
from medseal.sealed import open_sealed, seal

from .common import FIRST_MODEL_DIGEST, MODEL_DIGEST, counter, dump, fixed, hex0x, identity, identity_json, subkeys_json
from .samples import dicom, nifti

LONG_NAME = ("Schädel_頭部_".encode() * 60)[:1023] + b"x"


def _spliced(parts, shape, sample_type, format_, bits_stored=None, order="little", channels="interleaved", name=b""):
    head, samples, tail = parts
    return (
        Description(
            layout="spliced",
            payload_bytes=len(samples),
            format=format_,
            sample_type=sample_type,
            byte_order=order,
            channel_order=channels,
            bits_stored=bits_stored or 8 * SAMPLE_TYPES[sample_type][1],
            shape=shape,
            name=name,
            head=head,
            tail=tail,
        ),
        samples,
    )


def _dicom(label, shape, bits=8, **options):
    """A described DICOM file with random-looking samples."""
    depth, height, width, channels = shape
    samples = fixed(f"{label}: samples", depth * height * width * channels * bits // 8)
    signed, big, planar = (options.get(key, False) for key in ("signed", "big_endian", "planar"))
    return _spliced(
        dicom(samples, shape, bits, **options),
        shape,
        ("i" if signed else "u") + str(bits),
        "dicom",
        options.get("bits_stored"),
        "big" if big else "little",
        "planar" if planar else "interleaved",
        f"{label}.dcm".encode(),
    )


def _nifti(label, shape, sample_type, big_endian=False):
    depth, height, width, _ = shape
    samples = fixed(f"{label}: samples", depth * height * width * SAMPLE_TYPES[sample_type][1])
    order = "big" if big_endian else "little"
    parts = nifti(samples, shape, sample_type, big_endian)
    return _spliced(parts, shape, sample_type, "nifti", None, order, name=f"{label}.nii".encode())


def _bytes(data, format_="unknown", name=b""):
    return Description(layout="bytes", payload_bytes=len(data), format=format_, name=name), data


def _pixels(label, shape, sample_type, format_):
    depth, height, width, channels = shape
    size = SAMPLE_TYPES[sample_type][1]
    samples = fixed(f"{label}: samples", depth * height * width * channels * size)
    description = Description(
        layout="pixels",
        payload_bytes=len(samples),
        format=format_,
        sample_type=sample_type,
        bits_stored=8 * size,
        shape=shape,
        name=f"{label}.png".encode(),
    )
    return description, samples


def cases():
    """(name, (description, payload)) of every good case."""
    return [
        ("u8-1x1", _dicom("u8-1x1", (1, 1, 1, 1))),
        ("u8-1x37", _dicom("u8-1x37", (1, 1, 37, 1))),
        ("u8-17x31", _dicom("u8-17x31", (1, 17, 31, 1))),
        ("u8-3-slices", _dicom("u8-3-slices", (3, 9, 8, 1))),
        ("i16-7x5-trailing", _dicom("i16-7x5-trailing", (2, 7, 5, 1), 16, bits_stored=12, signed=True, trailing=b"end")),
        ("u16-big-endian", _dicom("u16-big-endian", (1, 6, 9, 1), 16, bits_stored=14, big_endian=True)),
        ("rgb-interleaved", _dicom("rgb", (1, 4, 5, 3))),
        ("rgb-planar-odd", _dicom("rgb-planar-odd", (1, 3, 5, 3), planar=True)),
        ("u8-page-and-tail", _dicom("u8-page-and-tail", (1, 67, 71, 1))),
        ("i16-big-endian-page", _dicom("i16-big-endian-page", (1, 45, 47, 1), 16, signed=True, big_endian=True)),
        ("i8-nifti", _nifti("i8-nifti", (1, 8, 9, 1), "i8")),
        ("u32-nifti", _nifti("u32-nifti", (2, 5, 3, 1), "u32")),
        ("i32-nifti-big-endian", _nifti("i32-nifti-big-endian", (1, 4, 7, 1), "i32", True)),
        ("f32-nifti-page", _nifti("f32-nifti-page", (1, 33, 32, 1), "f32")),
        ("f64-nifti", _nifti("f64-nifti", (2, 5, 7, 1), "f64")),
        ("f64-nifti-page", _nifti("f64-nifti-page", (1, 23, 25, 1), "f64")),
        ("no-head-no-tail", _spliced((b"", fixed("raw", 12), b""), (1, 3, 2, 1), "u16", "unknown")),
        ("bytes-1", _bytes(b"\xa5", name=b"one.bin")),
        ("bytes-long-name", _bytes(b"The name of this file has 1024 bytes.\n", name=LONG_NAME)),
        ("bytes-5000", _bytes(counter(5000), "jpeg", b"scan.jpg")),
        ("bytes-no-name", _bytes(bytes(9))),
        ("pixels-u8-rgb", _pixels("pixels-u8-rgb", (1, 5, 4, 3), "u8", "png")),
        ("pixels-u16", _pixels("pixels-u16", (1, 6, 7, 1), "u16", "png")),
        ("first-model", _dicom("stand-in-model", (1, 17, 31, 1))),
        ("tout-of-96-bytes", _bytes(b"Tout of 768 logits\n", name=b"96.txt")),
    ]


def large_cases():
    """Byte files whose payload is `counter(length)`: frame edges that are too long to be written down."""
    return [
        ("bytes-1-mib", _bytes(counter(1048576), name=b"counter.bin")),
        ("bytes-1-mib-and-5", _bytes(counter(1048581), name=b"counter.bin")),
    ]


def description_json(d):
    depth, height, width, channels = d.shape
    return {
        "layout": d.layout,
        "format": d.format,
        "sampleType": d.sample_type,
        "byteOrder": d.byte_order,
        "channelOrder": d.channel_order,
        "bitsStored": d.bits_stored,
        "depth": depth,
        "height": height,
        "width": width,
        "channels": channels,
        "payloadBytes": d.payload_bytes,
        "fileName": d.name.decode(),
        "head": hex0x(d.head),
        "tail": hex0x(d.tail),
    }


def _fold(description, payload):
    d = description
    if d.layout == "bytes":
        return fold_bytes(payload)
    return fold_image(payload, d.shape, d.sample_type, d.bits_stored, d.byte_order, d.channel_order)


def _model(name):
    """Digest and Tout of the model that a case was sealed with."""
    if name == "first-model":
        # What that model gave for the fold of this image, run by ONNX Runtime 1.32.0; no logit was within 0.014 of zero.
        return FIRST_MODEL_DIGEST, bytes.fromhex("6c6a71b3275aec2ed1437cb5a16800528cdc05b97e00dfcb1b8bc13223c7d221")
    return MODEL_DIGEST, fixed(f"{name}: tout", 96 if name == "tout-of-96-bytes" else 32)


def _sealed(name, description, payload):
    """The sealed image and what both kinds of case say of it."""
    model_digest, tout = _model(name)
    who = identity(name, model_digest)
    partials, r = [fixed(f"{name}: partial")], fixed(f"{name}: r")
    fold = fold_encode(_fold(description, payload))
    key = image_key(who.salt, partials, r, fold, tout, who.model_digest, who.context)
    sealed = seal(who, key, description, payload)
    opened = description.head + payload + description.tail
    assert open_sealed(sealed.data, key) == (description, opened), name
    return sealed, {
        "name": name,
        **identity_json(who),
        "partials": [hex0x(partial) for partial in partials],
        "r": hex0x(r),
        "foldSha256": hex0x(sha256(fold)),
        "tout": hex0x(tout),
        "imageKey": hex0x(key),
        "subkeys": subkeys_json(key, who),
        "headerHash": hex0x(sealed.header_hash),
        "sealedBytes": len(sealed.data),
        "sealedSha256": hex0x(sha256(sealed.data)),
        "description": description_json(description),
        "descriptionPlaintext": hex0x(sealed.stages[0].plaintext),
    }


def _large(name, description, payload):
    sealed, common = _sealed(name, description, payload)
    frames = [
        {
            "plaintextSha256": hex0x(sha256(stage.plaintext)),
            "permutedSha256": hex0x(sha256(stage.permuted)),
            "substitutedSha256": hex0x(sha256(stage.substituted)),
            "sealedSha256": hex0x(sha256(stage.sealed)),
        }
        for stage in sealed.stages[1:]
    ]
    return {**common, "frames": frames, "openedSha256": hex0x(sha256(payload))}


def files():
    out, good = {}, []
    for name, (description, payload) in cases():
        sealed, common = _sealed(name, description, payload)
        frames = [
            {
                "plaintext": hex0x(stage.plaintext),
                "permuted": hex0x(stage.permuted),
                "substituted": hex0x(stage.substituted),
            }
            for stage in sealed.stages[1:]
        ]
        opened = description.head + payload + description.tail
        good.append({"file": f"good/{name}.msl", **common, "frames": frames, "opened": hex0x(opened)})
        out[f"sealed/good/{name}.msl"] = sealed.data
    out["sealed/good.json"] = dump({"cases": good})
    out["sealed/large.json"] = dump({"cases": [_large(name, *parts) for name, parts in large_cases()]})
    return out
