//! How an image was registered, read from its events: alone, in a batch, or as a leaf of an anchor.

use super::bindings::IImageRegistry::{BatchRegistered, IImageRegistryEvents as Event};
use super::events::{EventError, EventPlace, RegistryEvent};
use super::trail::Trail;
use alloy::primitives::{Address, B256, Bytes};

/// First bytes of the CID of a one-block file, before the hash: CIDv1, raw, sha2-256, 32 bytes.
const RAW_SHA256: [u8; 4] = [0x01, 0x55, 0x12, 0x20];

/// An image as its registration was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedImage {
    /// Its id.
    pub image_id: B256,
    /// Who sealed it.
    pub sender: Address,
    /// Its salt.
    pub salt: B256,
    /// SHA-256 of the sealed image.
    pub content_hash: B256,
    /// SHA-256 of its public part.
    pub header_hash: B256,
    /// Its length in bytes.
    pub size: u64,
    /// Its binary CID; where the log leaves it empty (one block, so the hash says it), it is filled
    /// in here.
    pub cid: Bytes,
    /// SHA-256 of the capsules with which it was registered.
    pub capsules_hash: B256,
    /// The capsules' binary CID, filled in likewise.
    pub capsules_cid: Bytes,
    /// How it was registered.
    pub kind: RegistrationKind,
    /// Where the event is in the chain.
    pub place: EventPlace,
    /// The audit trail after it; of an item, after its batch.
    pub trail: Trail,
}

/// How an image was registered. A signature is empty where the sender submitted the transaction
/// itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationKind {
    /// Alone, by `register`.
    Alone {
        /// Last second of the signature, unix seconds; not checked by the contract where the
        /// signature is empty.
        deadline: u64,
        /// The sender's signature of the `Registration`.
        signature: Bytes,
    },
    /// As an item of a batch, by `registerBatch`.
    Batch {
        /// Last second of the signature, unix seconds.
        deadline: u64,
        /// The sender's signature of the `Batch`.
        signature: Bytes,
    },
    /// As a leaf of an anchor that the sender made before, by `materialize`.
    Leaf {
        /// The anchor's root.
        root: B256,
    },
}

impl RegistrationKind {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Alone { .. } => "alone",
            Self::Batch { .. } => "batch",
            Self::Leaf { .. } => "leaf",
        }
    }

    /// The sender's signature and its deadline; `None` for a leaf, whose anchor was signed.
    pub fn signature(&self) -> Option<(&Bytes, u64)> {
        match self {
            Self::Alone { signature, deadline } | Self::Batch { signature, deadline } => Some((signature, *deadline)),
            Self::Leaf { .. } => None,
        }
    }
}

impl LoggedImage {
    /// Reads an event that makes a record; an item of a batch comes with the event that covers it.
    pub fn new(event: RegistryEvent, batch: Option<BatchRegistered>) -> Result<Self, EventError> {
        let bad = |what: &str| EventError::new(what);
        let place = event.place;
        Ok(match event.event {
            Event::Registered(e) => Self {
                image_id: e.imageId,
                sender: e.sender,
                salt: e.salt,
                content_hash: e.contentHash,
                header_hash: e.headerHash,
                size: e.size,
                cid: spelled_out(e.cid, e.contentHash),
                capsules_hash: e.capsulesHash,
                capsules_cid: spelled_out(e.capsulesCid, e.capsulesHash),
                kind: RegistrationKind::Alone { deadline: e.deadline, signature: e.signature },
                place,
                trail: Trail::from(e.trail),
            },
            Event::RegisteredInBatch(e) => {
                let batch = batch.ok_or_else(|| bad("an item of a batch without its batch"))?;
                Self {
                    image_id: e.imageId,
                    sender: e.sender,
                    salt: e.salt,
                    content_hash: e.contentHash,
                    header_hash: e.headerHash,
                    size: e.size,
                    cid: spelled_out(Bytes::new(), e.contentHash),
                    capsules_hash: e.capsulesHash,
                    capsules_cid: spelled_out(Bytes::new(), e.capsulesHash),
                    kind: RegistrationKind::Batch { deadline: batch.deadline, signature: batch.signature },
                    place,
                    trail: Trail::from(batch.trail),
                }
            }
            Event::Materialized(e) => Self {
                image_id: e.imageId,
                sender: e.sender,
                salt: e.salt,
                content_hash: e.contentHash,
                header_hash: e.headerHash,
                size: e.size,
                cid: spelled_out(e.cid, e.contentHash),
                capsules_hash: e.capsulesHash,
                capsules_cid: spelled_out(Bytes::new(), e.capsulesHash),
                kind: RegistrationKind::Leaf { root: e.root },
                place,
                trail: Trail::from(e.trail),
            },
            other => return Err(bad(&format!("expected an event that registers an image, found {other:?}"))),
        })
    }
}

/// The CID in full: an empty one is the CID of a one-block file with this hash.
pub fn spelled_out(cid: Bytes, hash: B256) -> Bytes {
    if cid.is_empty() { [&RAW_SHA256, hash.as_slice()].concat().into() } else { cid }
}

/// The CID as sent to the chain: empty if it follows from `hash`, which saves gas.
pub fn shortened(cid: &[u8], hash: B256) -> Bytes {
    let bytes = Bytes::copy_from_slice(cid);
    if bytes == spelled_out(Bytes::new(), hash) { Bytes::new() } else { bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Cid;
    use sha2::{Digest, Sha256};

    fn sha256(bytes: &[u8]) -> B256 {
        B256::from_slice(&Sha256::digest(bytes))
    }

    #[test]
    fn an_empty_cid_is_the_raw_one_of_the_hash_beside_it() {
        let file = b"one block";
        let (cid, hash) = (Cid::of(file), sha256(file));
        assert_eq!(spelled_out(Bytes::new(), hash), cid.to_bytes());
        assert_eq!(shortened(&cid.to_bytes(), hash), Bytes::new());
        // The CID of a file of several blocks is another, and is kept.
        let file = vec![7; (1 << 20) + 1];
        let (cid, hash) = (Cid::of(&file), sha256(&file));
        assert_eq!(shortened(&cid.to_bytes(), hash), cid.to_bytes());
        assert_eq!(spelled_out(cid.to_bytes().into(), hash), cid.to_bytes());
    }
}
