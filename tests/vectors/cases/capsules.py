"""`capsules/good.json`, `capsules/bad.json` and their files."""

from dataclasses import replace

from medseal import capsules, hpke
from medseal.capsules import Stanza
from medseal.description import Description
from medseal.keys import subkey
from medseal.primitives import MedSealError, sha256, u8, u16
from medseal.sealed import open_sealed, seal

from .common import dump, fixed, hex0x, identity, identity_json

WHO = identity("capsules")
OTHER_IMAGE = identity("capsules of another image")
KEY = fixed("capsules: image key")
COMMITMENT = subkey(KEY, WHO.image_id, "key-commitment")
KGC_ID = fixed("capsules: KGC id")
UNKNOWN = Stanza(0x7A, fixed("grease: key id"), 7, b"grease")
THRESHOLD = 2
# The sealed image that the capsules belong to.
OPENED = b"Opened with a key out of a capsule.\n"
IMAGE = Description(layout="bytes", payload_bytes=len(OPENED), name=b"capsule.txt")


class Holder:
    """Somebody to whom a capsule is sealed."""

    def __init__(self, kind, label, key_id=None, epoch=0, share_index=0):
        self.kind, self.type = kind, capsules.TYPES[kind]
        self.private = fixed(f"{label}: private key")
        self.public = hpke.public_key(self.private)
        self.ephemeral = fixed(f"{label}: ephemeral key")
        self.key_id = key_id or sha256(self.public)
        self.epoch = epoch
        self.share_index = share_index
        self.share = u8(share_index) + u8(THRESHOLD) if kind == "share" else bytes(2)
        self.plaintext = fixed(f"{label}: share") if kind == "share" else KEY

    def info(self, who=WHO):
        return capsules.info(who, COMMITMENT, self.type, self.key_id, self.epoch, self.share)

    def stanza(self, plaintext=None, who=WHO):
        sealed = hpke.seal(self.public, self.info(who), plaintext or self.plaintext, self.ephemeral)
        return Stanza(self.type, self.key_id, self.epoch, (self.share if self.kind == "share" else b"") + sealed)

    def open(self, data, private=None):
        stanzas = capsules.decode(data)
        private = private or self.private
        return capsules.open_stanza(
            stanzas, WHO, COMMITMENT, self.type, self.key_id, self.epoch, private, self.share_index
        )


KGC = Holder("kgc", "KGC", KGC_ID, 1)
KGC_NEXT = Holder("kgc", "KGC, next epoch", KGC_ID, 2)
READER = Holder("reader", "reader")
OTHER_READER = Holder("reader", "another reader")
RECOVERY = Holder("recovery", "recovery")
SHARES = [Holder("share", f"share {index}", fixed(f"share {index}: KGC id"), 3, index) for index in (1, 2)]
# The same KGC and epoch hold two shares: their first two body bytes tell them apart.
SAME_KGC = [Holder("share", f"share {index} of one KGC", KGC_ID, 1, index) for index in (3, 4)]


def _holder_json(holder):
    info, sealed = holder.info(), holder.stanza().sealed
    assert hpke.open_(holder.private, info, sealed) == holder.plaintext
    return {
        "holder": holder.kind,
        "type": holder.type,
        "keyId": hex0x(holder.key_id),
        "epoch": holder.epoch,
        "shareIndex": holder.share[0],
        "threshold": holder.share[1],
        "publicKey": hex0x(holder.public),
        "privateKey": hex0x(holder.private),
        "ephemeralPrivateKey": hex0x(holder.ephemeral),
        "info": hex0x(info),
        "sealed": hex0x(sealed),
        "plaintext": hex0x(holder.plaintext),
    }


def _good():
    """(name, stanzas, holders) of every good file."""
    everybody = [KGC, READER, RECOVERY, *SHARES]
    yield "kgc", [KGC.stanza()], [KGC]
    yield "kgc-and-readers", [h.stanza() for h in (KGC, KGC_NEXT, READER, OTHER_READER)], [
        KGC, KGC_NEXT, READER, OTHER_READER
    ]  # fmt: skip
    yield "everybody-after-unknown", [UNKNOWN, *(holder.stanza() for holder in everybody)], everybody
    yield "shares-of-one-kgc", [holder.stanza() for holder in SAME_KGC], SAME_KGC
    longest = replace(UNKNOWN, body=fixed("grease: body", 4096))
    empty = replace(UNKNOWN, type=0, body=b"")
    yield "unknown-4096-and-0-bytes", [longest, KGC.stanza(), empty], [KGC]


def _bad():
    """(error, fault, file, holder who opens, private key) of every bad file."""
    stanza, good = KGC.stanza(), capsules.encode([KGC.stanza()])
    two = capsules.encode([stanza, READER.stanza()])

    def count(number, stanzas=b""):
        return good[:10] + u16(number) + stanzas

    rewrapped = replace(stanza, body=bytes(80))

    def body(replaced):
        return capsules.encode([replace(stanza, body=replaced)])

    files = [
        ("BadMagic", "first byte", b"m" + good[1:]),
        ("BadMagic", "magic of a sealed image", bytes.fromhex("4d45445345414c0a") + good[8:]),
        ("BadMagic", "three bytes that are not the magic's", b"MEX"),
        ("Truncated", "empty file", b""),
        ("Truncated", "seven bytes of the magic", good[:7]),
        ("Truncated", "11 bytes", good[:11]),
        ("Truncated", "inside the fixed bytes of a stanza", good[: 12 + 38]),
        ("Truncated", "inside the body", good[:-1]),
        ("Truncated", "second stanza missing", two[: len(good)]),
        ("UnsupportedVersion", "version 2", good[:8] + u16(2) + good[10:]),
        ("StanzaCount", "0", count(0)),
        ("StanzaCount", "1025", count(1025, good[12:])),
        ("StanzaLength", "79 bytes for a KGC", body(stanza.body[:79])),
        ("StanzaLength", "81 bytes for a KGC", body(stanza.body + b"\0")),
        ("StanzaLength", "80 bytes for a share", capsules.encode([replace(stanza, type=4)])),
        ("StanzaLength", "4097 bytes for an unknown type", capsules.encode([replace(UNKNOWN, body=bytes(4097))])),
        ("DuplicateStanza", "the same stanza twice", capsules.encode([stanza, stanza])),
        ("DuplicateStanza", "another body for the same holder", capsules.encode([stanza, READER.stanza(), rewrapped])),
        ("DuplicateStanza", "the same share twice", capsules.encode([SHARES[0].stanza()] * 2)),
        ("TrailingBytes", "one zero", good + b"\0"),
        ("TrailingBytes", "count one too small", two[:10] + u16(1) + two[12:]),
        ("NoMatchingStanza", "another epoch", capsules.encode([KGC_NEXT.stanza()])),
        ("NoMatchingStanza", "another type with the same key id", capsules.encode([replace(stanza, type=2)])),
        ("NoMatchingStanza", "unknown types only", capsules.encode([UNKNOWN])),
        ("CapsuleNotAuthentic", "last byte of the body", body(stanza.body[:-1] + bytes([stanza.body[-1] ^ 1]))),
        ("CapsuleNotAuthentic", "first byte of enc", body(bytes([stanza.body[0] ^ 1]) + stanza.body[1:])),
        ("CapsuleNotAuthentic", "enc of zeros, a point of low order", body(bytes(32) + stanza.body[32:])),
        ("CapsuleNotAuthentic", "sealed for another image", capsules.encode([KGC.stanza(who=OTHER_IMAGE)])),
        ("CapsuleNotAuthentic", "copied to another epoch", capsules.encode([replace(KGC_NEXT.stanza(), epoch=1)])),
        ("WrongKey", "another key in the capsule", capsules.encode([KGC.stanza(plaintext=fixed("another key"))])),
    ]  # fmt: skip
    for error, fault, data in files:
        yield error, fault, data, KGC, KGC.private
    yield "NoMatchingStanza", "a reader who is not named", good, READER, READER.private
    yield "CapsuleNotAuthentic", "another private key", good, KGC, READER.private
    share = SHARES[0].stanza()
    changed = capsules.encode([replace(share, body=bytes([1, THRESHOLD + 1]) + share.body[2:])])
    yield "CapsuleNotAuthentic", "threshold of a share changed", changed, SHARES[0], SHARES[0].private


def found_error(data, holder, private):
    """The name of the refusal, or None where the capsule opens."""
    try:
        holder.open(data, private)
    except MedSealError as error:
        return error.name
    return None


def files():
    out, good, bad, numbers = {}, [], [], {}
    record = {**identity_json(WHO), "keyCommitment": hex0x(COMMITMENT)}
    for name, stanzas, holders in _good():
        data = capsules.encode(stanzas)
        assert all(holder.open(data) == holder.plaintext for holder in holders), name
        assert capsules.encode(capsules.decode(data)) == data
        out[f"capsules/good/{name}.keys"] = data
        good.append(
            {
                "name": name,
                "file": f"good/{name}.keys",
                "stanzaCount": len(stanzas),
                "holders": [_holder_json(holder) for holder in holders],
            }
        )
    for error, fault, data, holder, private in _bad():
        numbers[error] = numbers.get(error, 0) + 1
        name = f"{error}-{numbers[error]}"
        found = found_error(data, holder, private)
        assert found == error, f"{name} ({fault}): {found}"
        out[f"capsules/bad/{name}.keys"] = data
        bad.append(
            {
                "name": name,
                "file": f"bad/{name}.keys",
                "fault": fault,
                "type": holder.type,
                "keyId": hex0x(holder.key_id),
                "epoch": holder.epoch,
                "shareIndex": holder.share[0],
                "privateKey": hex0x(private),
                "error": error,
            }
        )
    image = seal(WHO, KEY, IMAGE, OPENED).data
    assert open_sealed(image, KEY) == (IMAGE, OPENED)
    out["capsules/image.msl"] = image
    out["capsules/good.json"] = dump(
        {
            "record": record,
            "imageKey": hex0x(KEY),
            "sealedImage": "image.msl",
            "opened": hex0x(OPENED),
            "cases": good,
        }
    )
    out["capsules/bad.json"] = dump({"record": record, "cases": bad})
    return out
