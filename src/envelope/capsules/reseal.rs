//! Sealing a holder's capsules to its next key, whatever they hold: the key, or a share of it.

use super::shamir::Share;
use super::{CapsuleError, Capsules, Holder, Stanza, X25519Public, X25519Secret};
use super::{check_commitment, info, open_secret, seal_secret};
use crate::cipher::ImageKey;
use crate::envelope::ImageContext;
use alloy::primitives::B256;
use hpke::rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The next key of a KGC, to which its capsules are sealed anew.
#[derive(Debug, Clone, Copy)]
pub struct NextKey<'a> {
    /// The KGC's id on chain.
    pub id: B256,
    /// Epoch of the next key.
    pub epoch: u32,
    /// The next key.
    pub public: &'a X25519Public,
}

impl Holder {
    /// The same holder with its key of another epoch; `None` for holders that have none.
    fn in_epoch(self, epoch: u32) -> Option<Self> {
        match self {
            Self::Kgc { id, .. } => Some(Self::Kgc { id, epoch }),
            Self::Share { id, index, threshold, .. } => Some(Self::Share { id, epoch, index, threshold }),
            _ => None,
        }
    }
}

/// Returns capsules in which what was sealed to earlier keys of a KGC is sealed to its next one;
/// `secret` gives its key of an epoch. All other stanzas stay as they are. `None` where nothing is
/// sealed to an earlier key, or all of it to the next one as well.
///
/// An opened key, or share of it, is checked against the commitment to it.
///
/// # Errors
/// `NoMatchingStanza` where `secret` gives no key, `CapsuleNotAuthentic`, `WrongKey`,
/// `ShareMismatch`.
pub fn reseal_capsules<'a>(
    capsules: &Capsules,
    next: &NextKey<'_>,
    secret: impl Fn(u32) -> Option<&'a X25519Secret>,
    (context, commitment): (&ImageContext, &[u8; 32]),
    rng: &mut impl CryptoRng,
) -> Result<Option<Capsules>, CapsuleError> {
    let mut new: Vec<(usize, Stanza)> = Vec::new();
    for (place, stanza) in newest_of_each(capsules, next) {
        let (_, key_id, epoch) = stanza.holder.address();
        let key = secret(epoch).ok_or(CapsuleError::NoMatchingStanza { key_id, epoch })?;
        let opened = open_secret(&stanza.sealed, key, &info(context, &stanza.holder, commitment));
        let opened = opened.ok_or(CapsuleError::CapsuleNotAuthentic)?;
        match (stanza.holder, capsules.shares()) {
            (Holder::Share { index, .. }, Some(set)) => {
                let share = Share { index, bytes: Zeroizing::new(opened.to_vec()) };
                set.check_share(&context.image_id, &share)?;
            }
            _ => check_commitment(&ImageKey::from_bytes(*opened), context, commitment)?,
        }
        let holder = stanza.holder.in_epoch(next.epoch).expect("a KGC has epochs");
        let sealed = seal_secret(&opened, next.public, &info(context, &holder, commitment), rng);
        new.push((place, Stanza { holder, sealed }));
    }
    if new.is_empty() { Ok(None) } else { capsules.clone().replacing(new).map(Some) }
}

/// The KGC's stanzas that are sealed to an earlier key and not to the next one, of each share the
/// newest, with their places.
fn newest_of_each<'a>(capsules: &'a Capsules, next: &NextKey<'_>) -> Vec<(usize, &'a Stanza)> {
    let mut found: Vec<(usize, &Stanza)> = Vec::new();
    for (place, stanza) in capsules.stanzas().iter().enumerate() {
        let (_, key_id, epoch) = stanza.holder.address();
        let Some(sealed_next) = stanza.holder.in_epoch(next.epoch) else { continue };
        if key_id != next.id || epoch >= next.epoch || capsules.find(&sealed_next).is_some() {
            continue;
        }
        match found.iter_mut().find(|(_, other)| other.holder.in_epoch(next.epoch) == Some(sealed_next)) {
            Some(other) if other.1.holder.address().2 < epoch => *other = (place, stanza),
            Some(_) => {}
            None => found.push((place, stanza)),
        }
    }
    found
}
