//! Key capsules: the image key, sealed once for each who may open it (`FORMAT.md`, section 7).
//!
//! A capsule is bound to suite, chain, registry, image, sender, holder and key commitment, and
//! whoever opens one checks the key against the commitment. Copied to another image's capsules it
//! does not open.

mod error;
mod holder;
mod reseal;
mod sealing;
pub mod shamir;
mod share_set;
mod shares;
mod stanza;
#[cfg(test)]
mod tests;

use alloy::primitives::B256;
pub use hpke::rand_core::CryptoRng;
use subtle::ConstantTimeEq;

pub use error::CapsuleError;
pub use holder::Holder;
pub use reseal::{NextKey, reseal_capsules};
pub use sealing::{SEALED_BYTES, SealedSecret, X25519Public, X25519Secret, open_secret, seal_secret};
pub use share_set::ShareSet;
pub use shares::{combine_shares, open_share, seal_shares};
pub use stanza::{Capsules, Stanza};

use super::ImageContext;
use crate::cipher::{ImageKey, SUITE, key_commitment, length_prefixed};

/// A recipient of an image key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipient {
    /// A Key Generation Center, with the key that it published on chain.
    Kgc {
        /// Its id on chain.
        id: B256,
        /// Epoch of its key.
        epoch: u32,
        /// Its key of this epoch.
        public: X25519Public,
    },
    /// A reader, who keeps the key for ever.
    Reader {
        /// The reader's key.
        public: X25519Public,
    },
    /// A recovery key, kept offline.
    Recovery {
        /// The recovery key.
        public: X25519Public,
    },
}

impl Recipient {
    /// How this recipient is named in a stanza.
    pub fn holder(&self) -> Holder {
        match *self {
            Self::Kgc { id, epoch, .. } => Holder::Kgc { id, epoch },
            Self::Reader { public } => Holder::Reader { key_id: public.key_id() },
            Self::Recovery { public } => Holder::Recovery { key_id: public.key_id() },
        }
    }

    /// The key that is sealed to.
    pub fn public(&self) -> &X25519Public {
        match self {
            Self::Kgc { public, .. } | Self::Reader { public } | Self::Recovery { public } => public,
        }
    }
}

/// Returns the stanza that gives `key` to `recipient`.
///
/// # Errors
/// `WrongKey` where `key` does not give `commitment`: nobody could use such a capsule.
pub fn seal_capsule(
    key: &ImageKey,
    recipient: &Recipient,
    context: &ImageContext,
    commitment: &[u8; 32],
    rng: &mut impl CryptoRng,
) -> Result<Stanza, CapsuleError> {
    check_commitment(key, context, commitment)?;
    let holder = recipient.holder();
    let info = info(context, &holder, commitment);
    Ok(Stanza { holder, sealed: seal_secret(key.as_bytes(), recipient.public(), &info, rng) })
}

/// Returns the image key in the capsule for `recipient`, whose secret key this is; checked against
/// the commitment.
///
/// # Errors
/// `NoMatchingStanza`, `CapsuleNotAuthentic`, `WrongKey`.
pub fn open_capsule(
    capsules: &Capsules,
    recipient: &Recipient,
    secret: &X25519Secret,
    context: &ImageContext,
    commitment: &[u8; 32],
) -> Result<ImageKey, CapsuleError> {
    let holder = recipient.holder();
    let (_, key_id, epoch) = holder.address();
    let stanza = capsules.find(&holder).ok_or(CapsuleError::NoMatchingStanza { key_id, epoch })?;
    let info = info(context, &holder, commitment);
    let opened = open_secret(&stanza.sealed, secret, &info).ok_or(CapsuleError::CapsuleNotAuthentic)?;
    let key = ImageKey::from_bytes(*opened);
    check_commitment(&key, context, commitment)?;
    Ok(key)
}

/// Checks, in constant time, that the header commits to this key.
///
/// # Errors
/// `WrongKey`.
pub fn check_commitment(key: &ImageKey, context: &ImageContext, commitment: &[u8; 32]) -> Result<(), CapsuleError> {
    let same = key_commitment(&context.image_id, key).ct_eq(commitment);
    if same.into() { Ok(()) } else { Err(CapsuleError::WrongKey) }
}

/// HPKE's `info` of a capsule.
fn info(context: &ImageContext, holder: &Holder, commitment: &[u8; 32]) -> Vec<u8> {
    let (kind, key_id, epoch) = holder.address();
    length_prefixed(&[
        b"medseal/v1/capsule",
        &SUITE.to_be_bytes(),
        &context.chain_id.to_be_bytes(),
        context.registry.as_slice(),
        context.image_id.as_slice(),
        context.sender.as_slice(),
        &[kind],
        key_id.as_slice(),
        &epoch.to_be_bytes(),
        &holder.share(),
        commitment,
    ])
}
