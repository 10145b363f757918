//! New capsules for an image: whoever can have its key seals it for others, and the sealed image
//! stays as it is.

use super::PipelineError;
use super::open::{
    CapsulesAt, Reader, Stored, capsules_address, fetch, fetch_capsules, fetch_set, lookup, registered_set,
};
use super::put::{put_and_read_back, sha256};
use crate::chain::Registry;
use crate::envelope::SealedImage;
use crate::envelope::capsules::{Capsules, Recipient, seal_capsule};
use crate::kgc::{KeyCenter, os_random};
use crate::storage::{Cid, Store};
use alloy::primitives::B256;

/// Most sets, and most KGCs of one set, that are tried.
const MOST_TRIED: usize = 16;

/// Capsules that were read, hold a KGC's stanza, and are not yet on chain.
#[derive(Debug, Clone)]
pub struct Recapsuled {
    /// The version that they replace.
    pub version: u64,
    /// Their SHA-256.
    pub hash: B256,
    /// Their address.
    pub cid: Cid,
    /// How many recipients are new.
    pub added: usize,
}

/// Returns the newest capsules of an image.
///
/// # Errors
/// [`PipelineError::Store`], [`PipelineError::Capsule`].
pub async fn current_capsules(store: &impl Store, stored: &Stored) -> Result<Capsules, PipelineError> {
    Ok(Capsules::decode(&fetch_capsules(store, stored).await?)?)
}

/// Returns an earlier set of an image's capsules, read and checked, to be put on chain again:
/// `version`, or the newest that can be used.
///
/// # Errors
/// [`PipelineError::NoEarlierCapsules`] if there is no such version;
/// [`PipelineError::NoKgcStanza`], [`PipelineError::Store`], [`PipelineError::Capsule`] if what is
/// there is of no use.
pub async fn earlier_capsules(
    registry: &Registry,
    store: &impl Store,
    image_id: B256,
    version: Option<u64>,
) -> Result<(u64, Recapsuled), PipelineError> {
    let stored = lookup(registry, image_id).await?;
    let newest = stored.capsules.version;
    let none = PipelineError::NoEarlierCapsules { image_id, newest };
    let versions: Vec<u64> = match version {
        Some(version) if version < newest => vec![version],
        Some(_) => return Err(none),
        // Anybody who may replace them may have done so often: the registration's are tried always.
        None => (1..newest).rev().take(MOST_TRIED).chain((newest > 0).then_some(0)).collect(),
    };
    let mut failure = None;
    for version in versions {
        let at = match version {
            0 => registered_set(&stored.logged),
            _ => {
                let (cid, hash) = registry.capsules_of_version(image_id, version).await?;
                CapsulesAt { version, hash, cid: capsules_address(&cid, hash) }
            }
        };
        match read_registrable(registry, store, &at).await {
            Ok(()) => return Ok((version, Recapsuled { version: newest, hash: at.hash, cid: at.cid, added: 0 })),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or(none))
}

/// Reads capsules that are about to be registered: with any others, nobody could open the image.
///
/// # Errors
/// [`PipelineError::Store`], [`PipelineError::Capsule`], [`PipelineError::NoKgcStanza`].
pub(super) async fn read_registrable(
    registry: &Registry,
    store: &impl Store,
    at: &CapsulesAt,
) -> Result<(), PipelineError> {
    check_registrable(registry, &fetch_set(store, at).await?).await
}

/// Checks that capsules hold a stanza of a KGC that the chain knows.
async fn check_registrable(registry: &Registry, bytes: &[u8]) -> Result<(), PipelineError> {
    let capsules = Capsules::decode(bytes)?;
    for (id, epoch) in capsules.kgcs().take(MOST_TRIED) {
        match registry.kgc_key(id, epoch).await {
            Ok(_) => return Ok(()),
            Err(error) if error.revert().is_some() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PipelineError::NoKgcStanza)
}

impl<K: KeyCenter, S: Store> Reader<'_, K, S> {
    /// Seals the image's key for `recipients` too, and stores the capsules; nothing where all of
    /// them have one.
    ///
    /// Warning: a recipient keeps the key for ever.
    ///
    /// # Errors
    /// [`PipelineError`]: as for opening, or the store is at fault.
    pub async fn add_recipients(
        &self,
        image_id: B256,
        recipients: &[Recipient],
    ) -> Result<Option<Recapsuled>, PipelineError> {
        let stored = lookup(self.registry, image_id).await?;
        let bytes = fetch_capsules(self.store, &stored).await?;
        let capsules = Capsules::decode(&bytes)?;
        let mut new: Vec<&Recipient> = Vec::new();
        for recipient in recipients {
            let holder = recipient.holder();
            if capsules.find(&holder).is_none() && new.iter().all(|other| other.holder() != holder) {
                new.push(recipient);
            }
        }
        if new.is_empty() {
            return Ok(None);
        }
        let sealed = fetch(self.store, &stored).await?;
        let image = SealedImage::decode(&sealed)?;
        let key = self.request_key(&stored, &image, &bytes).await?;
        let (context, commitment) = (image.header().context(), image.header().key_commitment);
        let seal = |recipient: &&Recipient| seal_capsule(&key, recipient, &context, &commitment, &mut os_random());
        let stanzas = new.iter().map(seal).collect::<Result<_, _>>()?;
        let bytes = capsules.with(stanzas)?.encode();
        check_registrable(self.registry, &bytes).await?;
        let (cid, hash) = (Cid::of(&bytes), sha256(&bytes));
        put_and_read_back(self.store, &bytes, cid, hash).await?;
        Ok(Some(Recapsuled { version: stored.capsules.version, hash, cid, added: new.len() }))
    }
}
