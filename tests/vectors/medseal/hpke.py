"""RFC 9180, base mode, single shot, for the one suite of section 7.

Opening is the package's own. Sealing is here, because the package draws the ephemeral key itself and vectors must not change.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .primitives import MedSealError, u8, u16

KEM_ID, KDF_ID, AEAD_ID = 0x0020, 0x0001, 0x0003
KEM_SUITE = b"KEM" + u16(KEM_ID)
HPKE_SUITE = b"HPKE" + u16(KEM_ID) + u16(KDF_ID) + u16(AEAD_ID)
PACKAGE_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
MODE_BASE = 0


def _hmac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def _labeled_extract(suite, salt, label, ikm):
    return _hmac(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def _labeled_expand(suite, prk, label, info, length):
    # All lengths wanted here are at most one block of SHA-256.
    return _hmac(prk, u16(length) + b"HPKE-v1" + suite + label + info + u8(1))[:length]


def public_key(private):
    """The 32-byte public key of a 32-byte private key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal(recipient, info, plaintext, ephemeral):
    """`enc || ciphertext` with empty associated data. Never use an ephemeral key twice."""
    enc = public_key(ephemeral)
    shared = X25519PrivateKey.from_private_bytes(ephemeral).exchange(X25519PublicKey.from_public_bytes(recipient))
    eae = _labeled_extract(KEM_SUITE, b"", b"eae_prk", shared)
    secret = _labeled_expand(KEM_SUITE, eae, b"shared_secret", enc + recipient, 32)
    psk_id_hash = _labeled_extract(HPKE_SUITE, b"", b"psk_id_hash", b"")
    info_hash = _labeled_extract(HPKE_SUITE, b"", b"info_hash", info)
    schedule = u8(MODE_BASE) + psk_id_hash + info_hash
    prk = _labeled_extract(HPKE_SUITE, secret, b"secret", b"")
    key = _labeled_expand(HPKE_SUITE, prk, b"key", schedule, 32)
    nonce = _labeled_expand(HPKE_SUITE, prk, b"base_nonce", schedule, 12)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, b"")


def open_(private, info, sealed):
    """The plaintext, or `CapsuleNotAuthentic`."""
    try:
        key = X25519PrivateKey.from_private_bytes(private)
        return PACKAGE_SUITE.decrypt(sealed, key, info=info)
    except (InvalidTag, ValueError):
        raise MedSealError("CapsuleNotAuthentic") from None
