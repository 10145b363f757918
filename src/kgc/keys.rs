//! The secrets of one Key Generation Center: those of its newest epoch, which issues and is sealed
//! to, and those of earlier epochs, which open only.

use alloy::primitives::{Address, B256};
use alloy::signers::local::PrivateKeySigner;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::KgcIdentity;
use crate::cipher::{hkdf_sha256, length_prefixed};
use crate::envelope::capsules::{Capsules, CryptoRng, Holder, Recipient, Stanza, X25519Secret};

/// Length of the secrets of an epoch: root, X25519 key, wallet key.
pub(super) const SECRET_BYTES: usize = 96;
/// Length of an epoch in [`KgcKeys::to_bytes`]: its number, then its secrets.
const EPOCH_BYTES: usize = 4 + SECRET_BYTES;
/// Most epochs whose keys are kept.
pub const MAX_EPOCHS: usize = 64;

/// The root from which all partials come: wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct RootSecret([u8; 32]);

/// The keys of one epoch, from a seed of their own: no other epoch's keys tell them.
#[derive(Clone)]
struct EpochKeys {
    epoch: u32,
    root: RootSecret,
    x25519: X25519Secret,
    wallet: PrivateKeySigner,
}

impl EpochKeys {
    fn generate(epoch: u32, rng: &mut impl CryptoRng) -> Self {
        loop {
            let mut secrets = Zeroizing::new([0; SECRET_BYTES]);
            rng.fill_bytes(secrets.as_mut());
            // A draw outside the wallet's curve happens about once in 2^128.
            if let Some(keys) = Self::from_bytes(epoch, &secrets) {
                return keys;
            }
        }
    }

    /// `None` where the wallet's key is not on its curve.
    fn from_bytes(epoch: u32, bytes: &[u8; SECRET_BYTES]) -> Option<Self> {
        let part = |at: usize| -> [u8; 32] { bytes[at..at + 32].try_into().expect("a third of 96 bytes") };
        let wallet = PrivateKeySigner::from_slice(&bytes[64..]).ok()?;
        Some(Self { epoch, root: RootSecret(part(0)), x25519: X25519Secret::from_bytes(part(32)), wallet })
    }

    fn write_to(&self, bytes: &mut [u8]) {
        let wallet = Zeroizing::new(self.wallet.to_bytes().0);
        bytes[..32].copy_from_slice(&self.root.0);
        bytes[32..64].copy_from_slice(self.x25519.as_bytes());
        bytes[64..].copy_from_slice(wallet.as_ref());
    }
}

/// Everything that a KGC keeps: its name and, for each epoch, the root of its partials, its X25519
/// key and its wallet. Prints its public half only.
#[derive(Clone)]
pub struct KgcKeys {
    id: B256,
    /// Ascending, at least one.
    epochs: Vec<EpochKeys>,
}

impl KgcKeys {
    /// Returns the keys of a new KGC with a random id, in epoch 1.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut id = B256::ZERO;
        rng.fill_bytes(id.as_mut());
        Self { id, epochs: vec![EpochKeys::generate(1, rng)] }
    }

    /// The same with the keys of one more epoch; `None` where it has [`MAX_EPOCHS`].
    #[must_use]
    pub fn with_next_epoch(&self, rng: &mut impl CryptoRng) -> Option<Self> {
        let next = self.newest().epoch.checked_add(1)?;
        if self.epochs.len() == MAX_EPOCHS {
            return None;
        }
        let mut keys = self.only(|_| true)?;
        keys.epochs.push(EpochKeys::generate(next, rng));
        Some(keys)
    }

    /// The same without the keys of later epochs; `None` where it has none of `epoch` or earlier.
    #[must_use]
    pub fn up_to(&self, epoch: u32) -> Option<Self> {
        self.only(|found| found <= epoch)
    }

    /// The same without the keys of an earlier epoch; `None` where it has none of it, or it is the
    /// newest.
    #[must_use]
    pub fn without(&self, epoch: u32) -> Option<Self> {
        let earlier = self.epochs.iter().any(|keys| keys.epoch == epoch) && epoch != self.newest().epoch;
        self.only(|found| found != epoch).filter(|_| earlier)
    }

    /// The public half of the newest epoch: it issues, and it is sealed to.
    pub fn identity(&self) -> KgcIdentity {
        self.identity_of(self.newest())
    }

    /// The public half of each epoch, ascending.
    pub fn identities(&self) -> Vec<KgcIdentity> {
        self.epochs.iter().map(|keys| self.identity_of(keys)).collect()
    }

    /// The wallet with which the KGC signs receipts: that of the newest epoch.
    pub fn wallet(&self) -> &PrivateKeySigner {
        &self.newest().wallet
    }

    /// Returns `HKDF(salt = empty, ikm = root, info = LP("medseal/v1/partial") || LP(kgc id) ||
    /// LP(sender) || LP(image id))`, with the newest root: nothing is ever derived again.
    pub(super) fn partial(&self, sender: Address, image_id: B256) -> Zeroizing<[u8; 32]> {
        let info =
            length_prefixed(&[b"medseal/v1/partial", self.id.as_slice(), sender.as_slice(), image_id.as_slice()]);
        hkdf_sha256(&[], &self.newest().root.0, &info)
    }

    /// This KGC as a recipient of capsules in an epoch, and the key that opens them; `None` where
    /// it has no key of that epoch.
    pub(super) fn holding(&self, epoch: u32) -> Option<(Recipient, &X25519Secret)> {
        let keys = self.epochs.iter().find(|keys| keys.epoch == epoch)?;
        Some((Recipient::Kgc { id: self.id, epoch, public: keys.x25519.public() }, &keys.x25519))
    }

    /// The epochs to which a set of capsules was sealed for this KGC, the newest first.
    pub(super) fn own_epochs(&self, capsules: &Capsules) -> Vec<u32> {
        let own = |stanza: &Stanza| match stanza.holder {
            Holder::Kgc { id, epoch } | Holder::Share { id, epoch, .. } if id == self.id => Some(epoch),
            _ => None,
        };
        let mut epochs: Vec<u32> = capsules.stanzas().iter().filter_map(own).collect();
        epochs.sort_unstable_by(|one, other| other.cmp(one));
        epochs.dedup();
        epochs
    }

    /// For each epoch its number (big-endian), root, X25519 key, wallet key.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; self.epochs.len() * EPOCH_BYTES]);
        for (keys, place) in self.epochs.iter().zip(bytes.chunks_mut(EPOCH_BYTES)) {
            place[..4].copy_from_slice(&keys.epoch.to_be_bytes());
            keys.write_to(&mut place[4..]);
        }
        bytes
    }

    /// Returns the keys that [`KgcKeys::to_bytes`] gave; `None` for anything else.
    pub(super) fn from_bytes(id: B256, bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(EPOCH_BYTES) || bytes.len() / EPOCH_BYTES > MAX_EPOCHS {
            return None;
        }
        let epoch = |bytes: &[u8]| {
            let (epoch, secrets) = bytes.split_first_chunk::<4>()?;
            EpochKeys::from_bytes(u32::from_be_bytes(*epoch), secrets.try_into().ok()?)
        };
        let mut epochs = Vec::with_capacity(bytes.len() / EPOCH_BYTES);
        for bytes in bytes.chunks(EPOCH_BYTES) {
            epochs.push(epoch(bytes)?);
        }
        epochs.windows(2).all(|two| two[0].epoch < two[1].epoch).then_some(Self { id, epochs })
    }

    /// Root, X25519 key, wallet key of the newest epoch: 32 bytes each.
    pub(super) fn to_secret_bytes(&self) -> Zeroizing<[u8; SECRET_BYTES]> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        self.newest().write_to(bytes.as_mut());
        bytes
    }

    /// Returns keys of one epoch; `None` where the wallet's key is not on its curve.
    pub(super) fn from_secret_bytes(id: B256, epoch: u32, bytes: &[u8; SECRET_BYTES]) -> Option<Self> {
        Some(Self { id, epochs: vec![EpochKeys::from_bytes(epoch, bytes)?] })
    }

    /// The same with these epochs only, and room for one more; `None` where none is left. Nothing
    /// is moved about in memory: only what is dropped in its place is wiped.
    fn only(&self, wanted: impl Fn(u32) -> bool) -> Option<Self> {
        let mut epochs = Vec::with_capacity(self.epochs.len() + 1);
        for keys in self.epochs.iter().filter(|keys| wanted(keys.epoch)) {
            epochs.push(keys.clone());
        }
        (!epochs.is_empty()).then_some(Self { id: self.id, epochs })
    }

    fn newest(&self) -> &EpochKeys {
        self.epochs.last().expect("there is one")
    }

    fn identity_of(&self, keys: &EpochKeys) -> KgcIdentity {
        KgcIdentity {
            id: self.id,
            epoch: keys.epoch,
            public: keys.x25519.public(),
            receipt_signer: keys.wallet.address(),
        }
    }
}

impl std::fmt::Debug for KgcKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KgcKeys").field(&self.identity()).finish_non_exhaustive()
    }
}
