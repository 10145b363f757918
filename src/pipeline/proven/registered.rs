//! What an image's registration says that storage does not hold: the hashes of its header and of
//! its capsules. They stand in an event, which is proven from the receipts of its block.

use crate::chain::{AgreedBlock, ChainError, Quorum, QuorumError, Registry};
use crate::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use crate::contract::{OF_RECORDS, decode_data};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256};
use alloy::rpc::types::TransactionReceipt;
use alloy_trie::root::ordered_trie_root_encoded;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So many registrations are remembered.
const KEPT: usize = 10_000;

/// What an image's record holds in storage, of what its event holds too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) sender: Address,
    pub(super) content_hash: B256,
}

/// What the event of a registration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Registered {
    pub(super) record: Record,
    pub(super) header_hash: B256,
    pub(super) capsules_hash: B256,
}

impl Registered {
    /// What an event says of an image, if it registers it.
    fn of(event: &Event, image: B256) -> Option<Self> {
        let (id, sender, content_hash, header_hash, capsules_hash) = match event {
            Event::Registered(e) => (e.imageId, e.sender, e.contentHash, e.headerHash, e.capsulesHash),
            Event::RegisteredInBatch(e) => (e.imageId, e.sender, e.contentHash, e.headerHash, e.capsulesHash),
            Event::Materialized(e) => (e.imageId, e.sender, e.contentHash, e.headerHash, e.capsulesHash),
            _ => return None,
        };
        (id == image).then_some(Self { record: Record { sender, content_hash }, header_hash, capsules_hash })
    }
}

/// Registrations that were proven, in blocks that the chain calls safe.
#[derive(Debug, Default)]
pub(super) struct Registrations(Mutex<HashMap<B256, Registered>>);

impl Registrations {
    pub(super) fn known(&self, image: B256) -> Option<Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&image).copied()
    }

    fn keep(&self, image: B256, registered: Registered) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(image, registered);
    }

    pub(super) fn forget(&self, image: B256) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&image);
    }

    /// Finds and proves the registration of an image that has this record in `newest`. Which node
    /// finds it does not matter.
    ///
    /// # Errors
    /// [`QuorumError::Unproven`].
    pub(super) async fn find(
        &self,
        nodes: &Quorum,
        image: B256,
        record: Record,
        newest: &AgreedBlock,
    ) -> Result<Registered, QuorumError> {
        let mut wrong = Vec::new();
        for (place, node) in nodes.alone() {
            match found_at(&node, nodes, image, record, newest).await {
                Ok((registered, block)) => {
                    if newest.safe.is_some_and(|safe| block <= safe) {
                        self.keep(image, registered);
                    }
                    return Ok(registered);
                }
                Err(reason) => wrong.push(nodes.is_unproven(place, format!("the registration of {image}: {reason}"))),
            }
        }
        Err(QuorumError::Unproven { block: newest.header.number, nodes: wrong })
    }
}

/// The registration as one node has it, proven by a block that enough nodes have; and that block's
/// number.
async fn found_at(
    node: &Registry,
    nodes: &Quorum,
    image: B256,
    record: Record,
    newest: &AgreedBlock,
) -> Result<(Registered, u64), String> {
    let said = |error: ChainError| error.to_string();
    let place = node.registration(image).await.map_err(said)?.place;
    if place.block_number > newest.header.number {
        return Err(format!("the registration is in block {}, newer than the newest", place.block_number));
    }
    let block = nodes.block(place.block_number).await.map_err(|error| error.to_string())?.header;
    let receipts = node.rpc().receipts(block.hash).await.map_err(said)?;
    let found = proven(receipts, block.receipts_root, node.address(), image)?;
    match found.record == record {
        true => Ok((found, place.block_number)),
        false => Err("the registration's event is of another record than the one in storage".to_owned()),
    }
}

/// The registration of an image among all receipts of a block, which are those under `root`.
fn proven(receipts: Vec<TransactionReceipt>, root: B256, registry: Address, image: B256) -> Result<Registered, String> {
    let events = receipts.iter().flat_map(|receipt| receipt.inner.logs());
    let ours = events.filter(|log| log.address() == registry);
    let kinds = ours.filter(|log| log.topic0().is_some_and(|kind| OF_RECORDS.contains(kind)));
    let decoded = kinds.filter_map(|log| decode_data(log.topics(), &log.data().data).ok());
    let found = decoded.map(|(event, _)| event).find_map(|event| Registered::of(&event, image));
    let encoded: Vec<Vec<u8>> =
        receipts.into_iter().map(|receipt| receipt.inner.into_primitives_receipt().encoded_2718()).collect();
    let computed = ordered_trie_root_encoded(&encoded);
    if computed != root {
        return Err(format!("the block's receipts have root {computed}, the block says {root}"));
    }
    found.ok_or_else(|| format!("the block holds no registration of image {image}"))
}
