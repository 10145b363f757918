//! HPKE of 32 secret bytes (RFC 9180, base mode): X25519 keys, sealing, opening.

use alloy::primitives::B256;
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::CapsuleError;

type Aead = hpke::aead::ChaCha20Poly1305;
type Kdf = hpke::kdf::HkdfSha256;
type X25519 = hpke::kem::X25519HkdfSha256;

/// Length of [`SealedSecret`]: an encapsulated key (32), 32 secret bytes and their tag (16).
pub const SEALED_BYTES: usize = 80;
/// `enc || ciphertext` of 32 secret bytes.
pub type SealedSecret = [u8; SEALED_BYTES];
/// Length of the encapsulated key in bytes.
const ENC_BYTES: usize = 32;

/// An X25519 public key that things may be sealed to: canonical and not of low order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct X25519Public([u8; 32]);

impl X25519Public {
    /// Returns the public key with these bytes.
    ///
    /// # Errors
    /// [`CapsuleError::PublicKey`] for a point of low order (the zero key is one), to which
    /// everybody could open, and for a second encoding of a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, CapsuleError> {
        if !is_canonical(&bytes) {
            return Err(CapsuleError::PublicKey { reason: "not canonical" });
        }
        // RFC 9180, 7.1.4: the shared secret with a point of low order is zero, whatever the secret
        // key; `hpke` refuses it.
        let probe = private_key(&[1; 32]);
        let enc = encapsulated(&bytes);
        match hpke::setup_receiver::<Aead, Kdf, X25519>(&OpModeR::Base, &probe, &enc, &[]) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(CapsuleError::PublicKey { reason: "of low order" }),
        }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the key id of a reader or a recovery key: SHA-256 of the key.
    pub fn key_id(&self) -> B256 {
        B256::from_slice(&Sha256::digest(self.0))
    }
}

/// An X25519 secret key: wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct X25519Secret([u8; 32]);

impl X25519Secret {
    /// Returns a new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        Self(*bytes)
    }

    /// Wraps 32 secret bytes; X25519 clamps them as it uses them.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the public key.
    pub fn public(&self) -> X25519Public {
        X25519Public(X25519::sk_to_pk(&private_key(&self.0)).to_bytes().into())
    }
}

impl PartialEq for X25519Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for X25519Secret {}

impl std::fmt::Debug for X25519Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("X25519Secret(..)")
    }
}

/// Returns `secret` sealed to `recipient` and bound to `info`.
pub fn seal_secret(secret: &[u8; 32], recipient: &X25519Public, info: &[u8], rng: &mut impl CryptoRng) -> SealedSecret {
    let recipient = Deserializable::from_bytes(&recipient.0).expect("an X25519 key has 32 bytes");
    let (enc, ciphertext) =
        hpke::single_shot_seal_with_rng::<Aead, Kdf, X25519>(&OpModeS::Base, &recipient, info, secret, &[], rng)
            .expect("the key is not of low order and the message is short");
    let mut sealed = [0; SEALED_BYTES];
    sealed[..ENC_BYTES].copy_from_slice(&enc.to_bytes());
    sealed[ENC_BYTES..].copy_from_slice(&ciphertext);
    sealed
}

/// Returns what was sealed to this key and bound to this `info`; nothing where either is another,
/// or a bit was changed.
pub fn open_secret(sealed: &SealedSecret, recipient: &X25519Secret, info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (enc, ciphertext) = sealed.split_first_chunk::<ENC_BYTES>().expect("80 bytes are more than 32");
    let (enc, recipient) = (encapsulated(enc), private_key(&recipient.0));
    let opened =
        hpke::single_shot_open::<Aead, Kdf, X25519>(&OpModeR::Base, &recipient, &enc, info, ciphertext, &[]).ok()?;
    let opened = Zeroizing::new(opened);
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(&opened);
    Some(secret)
}

/// Whether the bytes are a number below 2^255 - 19, little-endian.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    *last < 0x7f || (*last == 0x7f && (middle.iter().any(|byte| *byte != 0xff) || *first < 0xed))
}

fn private_key(bytes: &[u8; 32]) -> <X25519 as Kem>::PrivateKey {
    Deserializable::from_bytes(bytes).expect("an X25519 key has 32 bytes")
}

fn encapsulated(bytes: &[u8; 32]) -> <X25519 as Kem>::EncappedKey {
    Deserializable::from_bytes(bytes).expect("an encapsulated X25519 key has 32 bytes")
}
