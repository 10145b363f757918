//! How an image became a record, as the log tells it: alone, in a batch, or as a leaf of an anchor.

use super::bindings::IImageRegistry::{BatchRegistered, IImageRegistryEvents as Event};
use super::events::{EventError, EventPlace, RegistryEvent};
use super::trail::Trail;
use alloy::primitives::{Address, B256, Bytes};

/// CIDv1, raw, sha2-256 with 32 bytes: what stands before the hash in the CID of a file of one block.
const RAW_SHA256: [u8; 4] = [0x01, 0x55, 0x12, 0x20];

/// An image as it was registered.
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
    /// Its binary CID; one that the log leaves empty is spelled out here.
    pub cid: Bytes,
    /// SHA-256 of the capsules with which it was registered.
    pub capsules_hash: B256,
    /// Their binary CID, spelled out.
    pub capsules_cid: Bytes,
    /// By which way.
    pub kind: RegistrationKind,
    /// Where the log says so.
    pub place: EventPlace,
    /// The audit trail after it; of an item, after its batch.
    pub trail: Trail,
}

/// By which way an image became a record. A signature is empty where the transaction itself is the sender's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationKind {
    /// By itself.
    Alone {
        /// Last second of the signature; nobody looked at it where there is none.
        deadline: u64,
        /// Of the `Registration`.
        signature: Bytes,
    },
    /// As one of a batch.
    Batch {
        /// Last second of the signature.
        deadline: u64,
        /// Of the `Batch`.
        signature: Bytes,
    },
    /// As a leaf of an anchor that the sender made before.
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

    /// The sender's signature in the log of this record; none where it stands with the anchor.
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
            other => return Err(bad(&format!("an event that makes no record: {other:?}"))),
        })
    }
}

/// A CID as the log has it, with what an empty one stands for.
pub fn spelled_out(cid: Bytes, hash: B256) -> Bytes {
    if cid.is_empty() { [&RAW_SHA256, hash.as_slice()].concat().into() } else { cid }
}

/// The CID as it goes to the chain: empty where `hash` says it already, which costs less.
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
        // Of more blocks than one the CID is another, and stays.
        let file = vec![7; (1 << 20) + 1];
        let (cid, hash) = (Cid::of(&file), sha256(&file));
        assert_eq!(shortened(&cid.to_bytes(), hash), cid.to_bytes());
        assert_eq!(spelled_out(cid.to_bytes().into(), hash), cid.to_bytes());
    }
}
