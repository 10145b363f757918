//! Opening a sealed image: from its id to the file.

use super::release::{home, request_key};
use super::{PipelineError, rebuild};
use crate::chain::bindings::IImageRegistry::Record;
use crate::chain::{ChainError, LoggedImage, Registry, Wallet};
use crate::clock::Clock;
use crate::envelope::{Description, SealedImage};
use crate::imaging::Image;
use crate::kgc::KeyCenter;
use crate::storage::{Cid, Store};
use alloy::primitives::B256;
use zeroize::Zeroizing;

/// What the chain says of an image, its two tellings compared.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// How it came about, by the log.
    pub logged: LoggedImage,
    /// Address of the sealed image.
    pub cid: Cid,
    /// Address of its capsules.
    pub capsules_cid: Cid,
}

/// Returns what the chain says of an image.
///
/// # Errors
/// [`ChainError::UnknownImage`]; [`PipelineError::RecordMismatch`] if record and event differ.
pub async fn lookup(registry: &Registry, image_id: B256) -> Result<Stored, PipelineError> {
    let record = registry.record(image_id).await?;
    let logged = registry.registration(image_id).await?;
    if record.contentHash != logged.content_hash {
        let (expected, found) = (record.contentHash, logged.content_hash);
        return Err(PipelineError::RecordMismatch { what: "registered content hash", expected, found });
    }
    if record.sender != logged.sender {
        let (expected, found) = (record.sender.into_word(), logged.sender.into_word());
        return Err(PipelineError::RecordMismatch { what: "registered sender", expected, found });
    }
    let (cid, capsules_cid) = (Cid::from_bytes(&logged.cid)?, Cid::from_bytes(&logged.capsules_cid)?);
    Ok(Stored { record, logged, cid, capsules_cid })
}

/// Returns the sealed image of a record, checked against its CID and its registered SHA-256.
///
/// # Errors
/// [`PipelineError::Store`].
pub async fn fetch(store: &impl Store, stored: &Stored) -> Result<Vec<u8>, PipelineError> {
    Ok(store.get(&stored.cid, &stored.record.contentHash.0).await?)
}

/// A file that came back.
pub struct OpenedImage {
    /// The file: the same bytes that were sealed, or a lossless re-encoding where decoded samples were.
    pub file: Zeroizing<Vec<u8>>,
    /// What it is.
    pub description: Description,
    /// The samples as an image, where there are samples.
    pub image: Option<Image>,
    /// What the chain says of it; a flagged record still opens.
    pub stored: Stored,
}

/// A wallet and everything that it opens with.
pub struct Reader<'a, K, S> {
    /// Where the record is.
    pub registry: &'a Registry,
    /// Who asks for the key.
    pub wallet: &'a Wallet,
    /// The Key Generation Center.
    pub key_center: &'a K,
    /// Where the ciphertext is.
    pub store: &'a S,
    /// What time it is.
    pub clock: &'a dyn Clock,
}

impl<K: KeyCenter, S: Store> Reader<'_, K, S> {
    /// Fetches, checks, asks for the key and opens.
    ///
    /// # Errors
    /// [`PipelineError`]; nothing of the file is then given out.
    pub async fn open(&self, image_id: B256) -> Result<OpenedImage, PipelineError> {
        let stored = lookup(self.registry, image_id).await?;
        let sealed = fetch(self.store, &stored).await?;
        let image = SealedImage::parse(&sealed)?;
        let header = image.header();
        for (what, expected, found) in [
            ("header hash", stored.logged.header_hash, B256::from(header.hash())),
            ("image id", image_id, header.image_id),
        ] {
            if expected != found {
                return Err(PipelineError::RecordMismatch { what, expected, found });
            }
        }
        if header.chain_id != self.registry.chain_id() {
            let (expected, found) = (self.registry.chain_id(), header.chain_id);
            return Err(ChainError::WrongChain { expected, found }.into());
        }
        let capsules = self.store.get(&stored.capsules_cid, &stored.logged.capsules_hash.0).await?;
        let now = self.clock.unix_secs();
        let key = request_key(self.key_center, self.wallet, &home(self.registry), header, &capsules, now).await?;
        let opened = image.open(&key)?;
        let file = Zeroizing::new(rebuild(&opened.description, &opened.payload)?);
        let image = opened.description.shape().map(|shape| super::image_of(shape, &opened.payload)).transpose()?;
        Ok(OpenedImage { file, description: opened.description, image, stored })
    }
}
