//! Opening a sealed image: from its id to the file.

use super::release::{home, request_key};
use super::{PipelineError, rebuild};
use crate::chain::{ChainError, Registry, Wallet};
use crate::cipher::ImageKey;
use crate::clock::Clock;
use crate::contract::bindings::IImageRegistry::Record;
use crate::contract::{LoggedImage, spelled_out};
use crate::envelope::capsules::{CapsuleError, Capsules, Recipient, X25519Secret, open_capsule};
use crate::envelope::{Description, SealedImage};
use crate::imaging::Image;
use crate::kgc::{Asking, KeyCenter, KeyCenters};
use crate::storage::{Cid, Length, Store};
use alloy::primitives::{B256, Bytes};
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
    let capsules = CapsulesAt { version: newest.version, hash, cid: capsules_address(&capsules_cid, hash) };
    Ok(Stored { record, logged, cid, capsules })
}

/// The CID of capsules, as it was sent. Nobody checked it: one that is none names nothing, and the
/// hash alone is left.
pub(super) fn capsules_address(cid: &[u8], hash: B256) -> Cid {
    let of_hash = || Cid::from_bytes(&spelled_out(Bytes::new(), hash)).expect("a CID in full");
    Cid::from_bytes(cid).unwrap_or_else(|_| of_hash())
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
    fetch_set(store, &stored.capsules).await
}

/// The same for any set of capsules.
pub(super) async fn fetch_set(store: &impl Store, at: &CapsulesAt) -> Result<Vec<u8>, PipelineError> {
    // Nobody signs their size.
    let length = Length::AtMost(Capsules::MAX_BYTES);
    Ok(store.get_of_length(&at.cid, &at.hash.0, length).await?)
}

/// Returns the newest capsules of an image; where they cannot be had, or are not `usable`, those of
/// the registration, and why: whoever may replace capsules may replace them by what nobody has.
///
/// # Errors
/// [`PipelineError`] of the newest, where neither can be used.
pub(super) async fn usable_capsules(
    store: &impl Store,
    stored: &Stored,
    usable: impl Fn(&Capsules) -> Result<(), CapsuleError>,
) -> Result<(Vec<u8>, Option<PipelineError>), PipelineError> {
    let check = |bytes: Vec<u8>| match Capsules::decode(&bytes).and_then(|capsules| usable(&capsules)) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(PipelineError::from(error)),
    };
    let newest = match fetch_capsules(store, stored).await {
        // What is wrong with them is for whoever opens them to say.
        Ok(bytes) if stored.capsules.version == 0 => return Ok((bytes, None)),
        fetched => fetched.and_then(check),
    };
    let why = match newest {
        Ok(bytes) => return Ok((bytes, None)),
        Err(why) if stored.capsules.version == 0 => return Err(why),
        Err(why) => why,
    };
    match fetch_set(store, &registered_set(&stored.logged)).await.and_then(check) {
        Ok(bytes) => Ok((bytes, Some(why))),
        Err(_) => Err(why),
    }
}

/// Where the capsules of the registration are.
pub(super) fn registered_set(logged: &LoggedImage) -> CapsulesAt {
    let (cid, hash) = (&logged.capsules_cid, logged.capsules_hash);
    CapsulesAt { version: 0, hash, cid: capsules_address(cid, hash) }
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
    /// Why it was opened with the capsules of the registration, where newer ones are of no use.
    pub unusable_capsules: Option<PipelineError>,
}

/// A reader: a wallet, and what it needs to open images.
pub struct Reader<'a, K, S> {
    /// The registry that holds the record.
    pub registry: &'a Registry,
    /// The wallet that asks for the key.
    pub wallet: &'a Wallet,
    /// The Key Generation Centers that are asked.
    pub key_centers: &'a KeyCenters<K>,
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
        let (capsules, unusable) = usable_capsules(self.store, &stored, |capsules| {
            let only = self.key_centers.only().map(|center| center.identity().id);
            // Which KGCs several addresses lead to shows when they are asked.
            let found = capsules.kgcs().any(|(id, _)| only.is_none_or(|only| only == id));
            let key_id = only.unwrap_or_default();
            if found { Ok(()) } else { Err(CapsuleError::NoMatchingStanza { key_id, epoch: 0 }) }
        })
        .await?;
        let key = self.request_key(&stored, &image, &capsules).await?;
        Ok(OpenedImage { unusable_capsules: unusable, ..finish(&image, &key, stored)? })
    }

    /// Returns the key of a sealed image, after checking the image against its record.
    pub(super) async fn request_key(
        &self,
        stored: &Stored,
        image: &SealedImage<'_>,
        capsules: &[u8],
    ) -> Result<ImageKey, PipelineError> {
        check_header(self.registry, stored, image)?;
        let now = self.registry.checked_time(self.clock.unix_secs()).await?;
        let header = image.header();
        let (home, image_id) = (home(self.registry), header.image_id);
        let is_shared = || Capsules::decode(capsules).is_ok_and(|capsules| capsules.shares().is_some());
        match self.key_centers.only() {
            Some(center) if !is_shared() => request_key(center, self.wallet, &home, header, capsules, now).await,
            _ => {
                let asking = Asking { home: &home, image_id, now };
                Ok(self.key_centers.release(asking, self.wallet.signer(), header, capsules).await?)
            }
        }
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
    let public = secret.public();
    let (recovery, reader) = (Recipient::Recovery { public }, Recipient::Reader { public });
    let (bytes, unusable) = usable_capsules(store, &stored, |capsules| {
        let found = [&recovery, &reader].iter().any(|recipient| capsules.find(&recipient.holder()).is_some());
        if found { Ok(()) } else { Err(CapsuleError::NoMatchingStanza { key_id: public.key_id(), epoch: 0 }) }
    })
    .await?;
    let capsules = Capsules::decode(&bytes)?;
    let (context, commitment) = (image.header().context(), image.header().key_commitment);
    let recipient = if capsules.find(&recovery.holder()).is_some() { recovery } else { reader };
    let key = open_capsule(&capsules, &recipient, secret, &context, &commitment)?;
    Ok(OpenedImage { unusable_capsules: unusable, ..finish(&image, &key, stored)? })
}

/// Checks that a sealed image is that of the record, and of this chain.
pub(super) fn check_header(registry: &Registry, stored: &Stored, image: &SealedImage<'_>) -> Result<(), PipelineError> {
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
    Ok(OpenedImage { file, description: opened.description, image, stored, unusable_capsules: None })
}
