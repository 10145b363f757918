//! New capsules for an image: whoever can have its key seals it for others, and the sealed image
//! stays as it is.

use super::PipelineError;
use super::open::{Reader, Stored, fetch, fetch_capsules, lookup};
use super::put::{put_and_read_back, sha256};
use crate::envelope::SealedImage;
use crate::envelope::capsules::{Capsules, Recipient, seal_capsule};
use crate::kgc::{KeyCenter, os_random};
use crate::storage::{Cid, Store};
use alloy::primitives::B256;

/// Capsules for more recipients, stored and read back, and not yet on chain.
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
        let mut stanzas = capsules.stanzas().to_vec();
        for recipient in &new {
            stanzas.push(seal_capsule(&key, recipient, &context, &commitment, &mut os_random())?);
        }
        let bytes = Capsules::new(stanzas)?.encode();
        let (cid, hash) = (Cid::of(&bytes), sha256(&bytes));
        put_and_read_back(self.store, &bytes, cid, hash).await?;
        Ok(Some(Recapsuled { version: stored.capsules.version, hash, cid, added: new.len() }))
    }
}
