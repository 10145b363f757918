//! The secrets of one Key Generation Center.

use alloy::primitives::{Address, B256};
use alloy::signers::local::PrivateKeySigner;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::KgcIdentity;
use crate::cipher::{hkdf_sha256, length_prefixed};
use crate::envelope::capsules::{CryptoRng, Recipient, X25519Secret};

/// Length of [`KgcKeys::to_secret_bytes`].
pub(super) const SECRET_BYTES: usize = 96;

/// The root from which all partials come: wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct RootSecret([u8; 32]);

/// Everything that a KGC keeps: its name, the root of its partials, its X25519 key, its wallet.
/// Prints its public half only.
#[derive(Clone)]
pub struct KgcKeys {
    id: B256,
    epoch: u32,
    root: RootSecret,
    x25519: X25519Secret,
    wallet: PrivateKeySigner,
}

impl KgcKeys {
    /// Returns the keys of a new KGC with a random id, in epoch 1.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut id = B256::ZERO;
        rng.fill_bytes(id.as_mut());
        loop {
            let mut secrets = Zeroizing::new([0; SECRET_BYTES]);
            rng.fill_bytes(secrets.as_mut());
            // A draw outside the wallet's curve happens about once in 2^128.
            if let Some(keys) = Self::from_secret_bytes(id, 1, &secrets) {
                return keys;
            }
        }
    }

    /// The public half.
    pub fn identity(&self) -> KgcIdentity {
        KgcIdentity {
            id: self.id,
            epoch: self.epoch,
            public: self.x25519.public(),
            receipt_signer: self.wallet.address(),
        }
    }

    /// The wallet with which the KGC publishes its key and signs receipts.
    pub fn wallet(&self) -> &PrivateKeySigner {
        &self.wallet
    }

    /// Returns `HKDF(salt = empty, ikm = root, info = LP("medseal/v1/partial") || LP(kgc id) ||
    /// LP(sender) || LP(image id))`.
    pub(super) fn partial(&self, sender: Address, image_id: B256) -> Zeroizing<[u8; 32]> {
        let info =
            length_prefixed(&[b"medseal/v1/partial", self.id.as_slice(), sender.as_slice(), image_id.as_slice()]);
        hkdf_sha256(&[], &self.root.0, &info)
    }

    /// This KGC as a recipient of capsules.
    pub(super) fn recipient(&self) -> Recipient {
        Recipient::Kgc { id: self.id, epoch: self.epoch, public: self.x25519.public() }
    }

    /// The key that opens this KGC's capsules.
    pub(super) fn x25519(&self) -> &X25519Secret {
        &self.x25519
    }

    /// Root, X25519 key, wallet key: 32 bytes each.
    pub(super) fn to_secret_bytes(&self) -> Zeroizing<[u8; SECRET_BYTES]> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        let wallet = Zeroizing::new(self.wallet.to_bytes().0);
        bytes[..32].copy_from_slice(&self.root.0);
        bytes[32..64].copy_from_slice(self.x25519.as_bytes());
        bytes[64..].copy_from_slice(wallet.as_ref());
        bytes
    }

    /// Returns the keys; `None` where the wallet's key is not on its curve.
    pub(super) fn from_secret_bytes(id: B256, epoch: u32, bytes: &[u8; SECRET_BYTES]) -> Option<Self> {
        let part = |at: usize| -> [u8; 32] { bytes[at..at + 32].try_into().expect("a third of 96 bytes") };
        let wallet = PrivateKeySigner::from_slice(&bytes[64..]).ok()?;
        Some(Self { id, epoch, root: RootSecret(part(0)), x25519: X25519Secret::from_bytes(part(32)), wallet })
    }
}

impl std::fmt::Debug for KgcKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KgcKeys").field(&self.identity()).finish_non_exhaustive()
    }
}
