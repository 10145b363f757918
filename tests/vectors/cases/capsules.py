"""`capsules/good.json`, `capsules/bad.json` and their files."""

from dataclasses import replace
from itertools import combinations

from medseal import capsules, hpke, shamir
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

def _coefficients(threshold, number):
    return [fixed(f"coefficient {power} of {threshold} of {number}") for power in range(1, threshold)]


# (threshold, number) of each shared set, and its shares of the key.
SETS = {of: shamir.split(KEY, _coefficients(*of), of[1]) for of in ((2, 3), (3, 3), (5, 16))}
# The sealed image that the capsules belong to.
OPENED = b"Opened with a key out of a capsule.\n"
IMAGE = Description(layout="bytes", payload_bytes=len(OPENED), name=b"capsule.txt")


class Holder:
    """Somebody to whom a capsule is sealed."""

    def __init__(self, kind, label, key_id=None, epoch=0, share_index=0, of=(0, 0)):
        self.kind, self.type = kind, capsules.TYPES[kind]
        self.private = fixed(f"{label}: private key")
        self.public = hpke.public_key(self.private)
        self.ephemeral = fixed(f"{label}: ephemeral key")
        self.key_id = key_id or sha256(self.public)
        self.epoch = epoch
        self.share_index = share_index
        self.share = u8(share_index) + u8(of[0])
        self.plaintext = SETS[of][share_index - 1] if kind == "share" else KEY

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

def _shared(of, epoch=3):
    """The holders of the shares of a set: indices in order of the KGCs' ids."""
    label = f"share of {of[0]} of {of[1]}"
    ids = sorted(fixed(f"{label}: id of KGC {number}") for number in range(of[1]))
    return [Holder("share", f"{label}: {index}", id_, epoch, index, of) for index, id_ in enumerate(ids, 1)]


def _commitments(of):
    return capsules.share_commitments(WHO.image_id, of[0], SETS[of])


SHARES, ALL_OF_THREE, SIXTEEN = (_shared(of) for of in SETS)
TWO_OF_THREE = _commitments((2, 3))
# The KGC of share 2 has a key of a later epoch too; what is sealed to it is the same share.
LATER = Holder("share", "share 2 of 2 of 3: later", SHARES[1].key_id, 9, 2, (2, 3))


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
    everybody = [KGC, READER, RECOVERY]
    yield "kgc", [KGC.stanza()], [KGC]
    yield "kgc-and-readers", [h.stanza() for h in (KGC, KGC_NEXT, READER, OTHER_READER)], [
        KGC, KGC_NEXT, READER, OTHER_READER
    ]  # fmt: skip
    yield "everybody-after-unknown", [UNKNOWN, *(holder.stanza() for holder in everybody)], everybody
    yield "shares-2-of-3", [*(holder.stanza() for holder in SHARES), TWO_OF_THREE], SHARES
    yield "shares-3-of-3", [_commitments((3, 3)), *(holder.stanza() for holder in ALL_OF_THREE)], ALL_OF_THREE
    yield "shares-5-of-16", [*(holder.stanza() for holder in SIXTEEN), _commitments((5, 16))], SIXTEEN
    mixed = [LATER, READER, *SHARES]
    yield "shares-two-epochs-and-reader", [UNKNOWN, TWO_OF_THREE, *(holder.stanza() for holder in mixed)], mixed
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

    def committed(replaced):
        return capsules.encode([replace(TWO_OF_THREE, body=replaced)])

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
        ("DuplicateStanza", "share commitments twice", capsules.encode([TWO_OF_THREE] * 2)),
        ("StanzaLength", "commitments to one share", committed(TWO_OF_THREE.body[:34])),
        ("StanzaLength", "commitments a byte too long", committed(TWO_OF_THREE.body + b"\0")),
        ("StanzaLength", "commitments to 17 shares", committed(bytes(2 + 32 * 17))),
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
    yield from _bad_shares()


def _bad_shares():
    """Shares that do not belong together, are moved, or are not what was committed to."""
    opener = SHARES[0]
    one, two, three = (holder.stanza() for holder in SHARES)
    body = TWO_OF_THREE.body

    def numbered(stanza, index, threshold=2):
        return replace(stanza, body=u8(index) + u8(threshold) + stanza.body[2:])

    def committed(threshold, number, commitments=body[2:]):
        return replace(TWO_OF_THREE, body=u8(threshold) + u8(number) + commitments)

    for fault, stanzas in (
        ("commitments missing", [one, two, three]),
        ("commitments twice", [one, two, three, TWO_OF_THREE, replace(TWO_OF_THREE, key_id=KGC_ID)]),
        ("commitments with a key id", [one, two, three, replace(TWO_OF_THREE, key_id=KGC_ID)]),
        ("commitments with an epoch", [one, two, three, replace(TWO_OF_THREE, epoch=1)]),
        ("more shares than commitments", [one, two, three, committed(2, 3, body[2:66])]),
        ("threshold 0", [numbered(s, i, 0) for i, s in enumerate((one, two, three), 1)] + [committed(0, 3)]),
        ("threshold 1", [numbered(s, i, 1) for i, s in enumerate((one, two, three), 1)] + [committed(1, 3)]),
        ("threshold N + 1", [numbered(s, i, 4) for i, s in enumerate((one, two, three), 1)] + [committed(4, 3)]),
        ("threshold of one share changed", [numbered(one, 1, 3), two, three, TWO_OF_THREE]),
        ("index 0", [numbered(one, 0), two, three, TWO_OF_THREE]),
        ("index N + 1", [one, two, numbered(three, 4), TWO_OF_THREE]),
        ("an index twice", [one, two, numbered(three, 2), TWO_OF_THREE]),
        ("a KGC with two shares", [one, two, replace(three, key_id=two.key_id), TWO_OF_THREE]),
        ("not in the order of the KGCs", [numbered(one, 2), numbered(two, 1), three, TWO_OF_THREE]),
        ("a share without stanza", [one, two, TWO_OF_THREE]),
        ("commitments without shares", [TWO_OF_THREE]),
        ("a KGC with the whole key", [one, two, three, TWO_OF_THREE, KGC.stanza()]),
    ):
        yield "ShareSet", fault, capsules.encode(stanzas), opener, opener.private
    moved = replace(one, body=one.body[:2] + two.body[2:])
    for error, fault, stanza in (
        ("CapsuleNotAuthentic", "another share's body", moved),
        ("CapsuleNotAuthentic", "share sealed for another image", opener.stanza(who=OTHER_IMAGE)),
        ("ShareMismatch", "another share than was committed to", opener.stanza(SHARES[1].plaintext)),
    ):
        yield error, fault, capsules.encode([stanza, two, three, TWO_OF_THREE]), opener, opener.private
    changed = capsules.encode([one, two, three, committed(2, 3, bytes([body[2] ^ 1]) + body[3:])])
    yield "ShareMismatch", "a bit of the commitment", changed, opener, opener.private
    other = capsules.encode([one, two, three, TWO_OF_THREE])
    yield "NoMatchingStanza", "a KGC without share", other, SIXTEEN[0], SIXTEEN[0].private


def _sharings():
    """Every sharing: coefficients, shares, and what each has in the capsules."""
    for (threshold, number), shares in SETS.items():
        for chosen in list(combinations(range(1, number + 1), threshold))[:200]:
            assert shamir.combine({index: shares[index - 1] for index in chosen}) == KEY
        yield {
            "threshold": threshold,
            "coefficients": [hex0x(row) for row in _coefficients(threshold, number)],
            "shares": [hex0x(share) for share in shares],
            "commitments": [hex0x(_commitments((threshold, number)).body[2:][32 * at :][:32]) for at in range(number)],
        }


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
            "sharings": list(_sharings()),
            "cases": good,
        }
    )
    out["capsules/bad.json"] = dump({"record": record, "cases": bad})
    return out
