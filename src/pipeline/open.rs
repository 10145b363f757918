//! Opening a sealed image: from its id to the file.

use super::release::{home, request_key};
use super::{PipelineError, rebuild};
use crate::chain::{ChainError, Registry, Wallet};
use crate::cipher::ImageKey;
use crate::clock::Clock;
use crate::contract::LoggedImage;
use crate::contract::bindings::IImageRegistry::Record;
use crate::envelope::capsules::{Capsules, Recipient, X25519Secret, open_capsule};
use crate::envelope::{Description, SealedImage};
use crate::imaging::Image;
use crate::kgc::KeyCenter;
use crate::storage::{Cid, Length, Store};
use alloy::primitives::B256;
use zeroize::Zeroizing;

/// What the chain says of an image: its record and its registration event, compared.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// Its registration, from the log.
    pub logged: LoggedImage,
    /// CID of the sealed image.
    pub cid: Cid,
    /// Its newest capsules.
    pub capsules: CapsulesAt,
}

/// Version, hash and CID of capsules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapsulesAt {
    /// 0 for those of the registration; each update raises it.
    pub version: u64,
    /// Their SHA-256.
    pub hash: B256,
    /// Their CID.
    pub cid: Cid,
}

/// Returns what the chain says of an image.
///
/// # Errors
/// [`ChainError::UnknownImage`]; [`PipelineError::RecordMismatch`] if record and event differ.
pub async fn lookup(registry: &Registry, image_id: B256) -> Result<Stored, PipelineError> {
    let record = registry.record(image_id).await?;
    let logged = match registry.registration(image_id).await {
        Err(ChainError::UnknownImage { .. }) => {
            let what = "the image's registration";
            return Err(ChainError::Contradicts { what, contract: 1, log: 0 }.into());
        }
        logged => logged?,
    };
    if record.contentHash != logged.content_hash {
        let (expected, found) = (record.contentHash, logged.content_hash);
        return Err(PipelineError::RecordMismatch { what: "registered content hash", expected, found });
    }
    if record.sender != logged.sender {
        let (expected, found) = (record.sender.into_word(), logged.sender.into_word());
        return Err(PipelineError::RecordMismatch { what: "registered sender", expected, found });
    }
    let cid = Cid::from_bytes(&logged.cid)?;
    let newest = registry.capsules(image_id).await?;
    let (capsules_cid, hash) = match newest.version {
        0 => (logged.capsules_cid.clone(), logged.capsules_hash),
        version => registry.capsules_of_version(image_id, version).await?,
    };
    if newest.version != 0 && hash != newest.hash {
        let (expected, found) = (newest.hash, hash);
        return Err(PipelineError::RecordMismatch { what: "newest capsules' hash", expected, found });
    }
    let capsules = CapsulesAt { version: newest.version, hash, cid: Cid::from_bytes(&capsules_cid)? };
    Ok(Stored { record, logged, cid, capsules })
}

/// Returns the sealed image of a record, checked against its CID, its registered SHA-256 and its
/// signed size. No more than that is read.
///
/// # Errors
/// [`PipelineError::Store`]; [`StoreError::Size`](crate::storage::StoreError::Size) if it has
/// another size.
pub async fn fetch(store: &impl Store, stored: &Stored) -> Result<Vec<u8>, PipelineError> {
    let size = Length::Exactly(stored.logged.size);
    Ok(store.get_of_length(&stored.cid, &stored.record.contentHash.0, size).await?)
}

/// Returns the newest capsules of an image, as they are stored, checked against their CID and their
/// registered SHA-256.
///
/// # Errors
/// [`PipelineError::Store`].
pub(super) async fn fetch_capsules(store: &impl Store, stored: &Stored) -> Result<Vec<u8>, PipelineError> {
    // Nobody signs their size.
    let length = Length::AtMost(Capsules::MAX_BYTES);
    Ok(store.get_of_length(&stored.capsules.cid, &stored.capsules.hash.0, length).await?)
}

/// An opened file.
pub struct OpenedImage {
    /// The file: the same bytes that were sealed, or a lossless re-encoding where decoded samples
    /// were.
    pub file: Zeroizing<Vec<u8>>,
    /// The file's description.
    pub description: Description,
    /// The samples as an image, where it has samples.
    pub image: Option<Image>,
    /// What the chain says of it; a flagged record still opens.
    pub stored: Stored,
}

/// A reader: a wallet, and what it needs to open images.
pub struct Reader<'a, K, S> {
    /// The registry that holds the record.
    pub registry: &'a Registry,
    /// The wallet that asks for the key.
    pub wallet: &'a Wallet,
    /// The Key Generation Center that is asked.
    pub key_center: &'a K,
    /// The store that holds the sealed image.
    pub store: &'a S,
    /// The clock for the request's times.
    pub clock: &'a dyn Clock,
}

impl<K: KeyCenter, S: Store> Reader<'_, K, S> {
    /// Fetches, checks, asks for the key and opens.
    ///
    /// # Errors
    /// [`PipelineError`]; no part of the file is returned then.
    pub async fn open(&self, image_id: B256) -> Result<OpenedImage, PipelineError> {
        let stored = lookup(self.registry, image_id).await?;
        let sealed = fetch(self.store, &stored).await?;
        let image = SealedImage::decode(&sealed)?;
        let capsules = fetch_capsules(self.store, &stored).await?;
        let key = self.request_key(&stored, &image, &capsules).await?;
        finish(&image, &key, stored)
    }

    /// Returns the key of a sealed image, after checking the image against its record.
    pub(super) async fn request_key(
        &self,
        stored: &Stored,
        image: &SealedImage<'_>,
        capsules: &[u8],
    ) -> Result<ImageKey, PipelineError> {
        check_header(self.registry, stored, image)?;
        let (header, now) = (image.header(), self.clock.unix_secs());
        request_key(self.key_center, self.wallet, &home(self.registry), header, capsules, now).await
    }
}

/// Fetches, checks and opens with the capsule of a reader or a recovery key: no KGC is asked, and
/// no grant is needed.
///
/// # Errors
/// [`PipelineError`]; [`CapsuleError::NoMatchingStanza`](crate::envelope::capsules::CapsuleError)
/// where the newest capsules have none for this key.
pub async fn open_with_key(
    registry: &Registry,
    store: &impl Store,
    image_id: B256,
    secret: &X25519Secret,
) -> Result<OpenedImage, PipelineError> {
    let stored = lookup(registry, image_id).await?;
    let sealed = fetch(store, &stored).await?;
    let image = SealedImage::decode(&sealed)?;
    check_header(registry, &stored, &image)?;
    let capsules = Capsules::decode(&fetch_capsules(store, &stored).await?)?;
    let (context, commitment) = (image.header().context(), image.header().key_commitment);
    let public = secret.public();
    let recovery = Recipient::Recovery { public };
    let recipient = match capsules.find(&recovery.holder()) {
        Some(_) => recovery,
        None => Recipient::Reader { public },
    };
    let key = open_capsule(&capsules, &recipient, secret, &context, &commitment)?;
    finish(&image, &key, stored)
}

/// Checks that a sealed image is that of the record, and of this chain.
fn check_header(registry: &Registry, stored: &Stored, image: &SealedImage<'_>) -> Result<(), PipelineError> {
    let header = image.header();
    for (what, expected, found) in [
        ("header hash", stored.logged.header_hash, B256::from(header.hash())),
        ("image id", stored.logged.image_id, header.image_id),
    ] {
        if expected != found {
            return Err(PipelineError::RecordMismatch { what, expected, found });
        }
    }
    let (expected, found) = (registry.chain_id(), header.chain_id);
    if found == expected { Ok(()) } else { Err(ChainError::WrongChain { expected, found }.into()) }
}

fn finish(image: &SealedImage<'_>, key: &ImageKey, stored: Stored) -> Result<OpenedImage, PipelineError> {
    let opened = image.open(key)?;
    let file = Zeroizing::new(rebuild(&opened.description, &opened.payload)?);
    let image = opened.description.shape().map(|shape| super::image_of(shape, &opened.payload)).transpose()?;
    Ok(OpenedImage { file, description: opened.description, image, stored })
}
