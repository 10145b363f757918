//! An image as the chain knows it: its record, how it was registered, its flag and its events.

use super::access::AccessView;
use super::event::EventView;
use super::flag::FlagView;
use super::values::{Checksummed, state_name};
use crate::contract::bindings::IImageRegistry::{Flag, Record};
use crate::contract::{RegistryEvent, Way, spelled_out};
use crate::pipeline::{AnchoredImage, Stored};
use crate::storage::{Cid, CidError};
use alloy::primitives::{Address, B256, Bytes, FixedBytes};
use serde::Serialize;

/// An image with a record.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageView {
    image_id: B256,
    chain_id: u64,
    registry: Checksummed,
    record: RecordView,
    registration: RegistrationView,
    capsules: CapsulesAtView,
    /// Null where none was ever raised.
    flag: Option<FlagView>,
    /// Of the wallet that was asked about.
    access: Option<AccessView>,
    pinned: bool,
    events: Vec<EventView>,
}

impl ImageView {
    /// The image `id` of the registry at this address of a chain.
    ///
    /// # Errors
    /// [`CidError`] where the log holds a CID that is none.
    pub fn new(
        (chain_id, registry): (u64, Address),
        (id, stored): (B256, &Stored),
        flag: &Flag,
        access: Option<AccessView>,
        pinned: bool,
        events: &[RegistryEvent],
    ) -> Result<Self, CidError> {
        let at = stored.capsules;
        Ok(Self {
            image_id: id,
            chain_id,
            registry: registry.into(),
            record: RecordView::from(&stored.record),
            registration: RegistrationView::new(stored)?,
            capsules: CapsulesAtView { version: at.version, hash: at.hash, cid: at.cid.to_string() },
            flag: FlagView::of(flag),
            access,
            pinned,
            events: events.iter().map(EventView::from).collect(),
        })
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordView {
    content_hash: B256,
    sender: Checksummed,
    registered_at: u64,
    state: &'static str,
    verifications: u64,
}

impl From<&Record> for RecordView {
    fn from(record: &Record) -> Self {
        Self {
            content_hash: record.contentHash,
            sender: record.sender.into(),
            registered_at: record.registeredAt.to(),
            state: state_name(record.state),
            verifications: record.verifications.to(),
        }
    }
}

/// What was registered, and where it is logged.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationView {
    way: &'static str,
    /// Of the anchor that held it.
    root: Option<B256>,
    salt: B256,
    header_hash: B256,
    size: u64,
    cid: String,
    capsules_hash: B256,
    capsules_cid: String,
    deadline: Option<u64>,
    signature: Option<Bytes>,
    seq: u64,
    head: FixedBytes<26>,
    block: u64,
    block_hash: B256,
    transaction: B256,
}

impl RegistrationView {
    fn new(stored: &Stored) -> Result<Self, CidError> {
        let (logged, place) = (&stored.logged, &stored.logged.place);
        let (signature, deadline) = logged.way.signature().unzip();
        Ok(Self {
            way: logged.way.name(),
            root: match logged.way {
                Way::Leaf { root } => Some(root),
                Way::Alone { .. } | Way::Batch { .. } => None,
            },
            salt: logged.salt,
            header_hash: logged.header_hash,
            size: logged.size,
            cid: stored.cid.to_string(),
            capsules_hash: logged.capsules_hash,
            capsules_cid: Cid::from_bytes(&logged.capsules_cid)?.to_string(),
            deadline,
            signature: signature.cloned(),
            seq: logged.trail.seq(),
            head: logged.trail.head(),
            block: place.block_number,
            block_hash: place.block_hash,
            transaction: place.transaction,
        })
    }
}

#[derive(Debug, Clone, Serialize)]
struct CapsulesAtView {
    version: u64,
    hash: B256,
    cid: String,
}

/// An image that an anchor holds, and that has no record yet.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnchoredView {
    image_id: B256,
    chain_id: u64,
    registry: Checksummed,
    /// Always null.
    record: (),
    anchor: AnchorView,
    pinned: bool,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct AnchorView {
    root: B256,
    /// Leaves of the anchor.
    count: u32,
    leaves_cid: String,
    sender: Checksummed,
    salt: B256,
    content_hash: B256,
    header_hash: B256,
    capsules_hash: B256,
    size: u64,
    cid: String,
    block: u64,
    transaction: B256,
}

impl AnchoredView {
    /// The image `id` of the registry at this address of a chain.
    ///
    /// # Errors
    /// [`CidError`] where the leaf holds a CID that is none.
    pub fn new(
        (chain_id, registry): (u64, Address),
        id: B256,
        image: &AnchoredImage,
        pinned: bool,
    ) -> Result<Self, CidError> {
        let (list, leaf) = (&image.list, image.leaf());
        let anchor = AnchorView {
            root: list.root,
            count: list.leaves.count(),
            leaves_cid: list.leaves_cid.to_string(),
            sender: list.sender.into(),
            salt: leaf.salt,
            content_hash: leaf.content_hash,
            header_hash: leaf.header_hash,
            capsules_hash: leaf.capsules_hash,
            size: leaf.size,
            cid: Cid::from_bytes(&spelled_out(leaf.cid.clone().into(), leaf.content_hash))?.to_string(),
            block: list.place.block_number,
            transaction: list.place.transaction,
        };
        Ok(Self { image_id: id, chain_id, registry: registry.into(), record: (), anchor, pinned })
    }
}
