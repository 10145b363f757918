//! What a watch tells: what is printed, and what webhooks and programs are given, as answers of `watch`.

use super::described::{about, describe};
use super::event::EventView;
use super::kind::EventKind;
use super::values::{Checksummed, json};
use crate::contract::RegistryEvent;
use alloy::primitives::{Address, B256};
use serde::Serialize;
use serde_json::Value;

/// An event that came. One that is taken back looks the same, but for `type`, `id` and `retracts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchedView {
    r#type: &'static str,
    id: B256,
    /// Null: only what is taken back names an event.
    retracts: Option<B256>,
    chain_id: u64,
    registry: Checksummed,
    kind: EventKind,
    /// Its number is, for an item of a batch, that of its batch.
    #[serde(flatten)]
    event: EventView,
    block_hash: B256,
    time: u64,
    image_id: Option<B256>,
    actor: Option<Checksummed>,
    outcome: Option<&'static str>,
    /// What happened, in words.
    what: String,
}

impl WatchedView {
    /// The event of this id and number, in a block of this time, of the registry at this address of a chain.
    pub fn new((chain_id, registry): (u64, Address), id: B256, event: &RegistryEvent, (seq, time): (u64, u64)) -> Self {
        let (image_id, actor, outcome) = about(&event.event);
        Self {
            r#type: "event",
            id,
            retracts: None,
            chain_id,
            registry: registry.into(),
            kind: EventKind::from(&event.event),
            event: EventView::from(event).numbered(seq),
            block_hash: event.place.block_hash,
            time,
            image_id,
            actor: actor.map(Checksummed),
            outcome,
            what: describe(&event.event).1,
        }
    }
}

/// What is told of an event that is taken back: what its line said, as news of its own.
///
/// # Errors
/// A line that is no JSON; none where it has no result.
pub fn retracted(id: B256, retracts: B256, line: &str) -> Result<Option<Value>, serde_json::Error> {
    let mut object: Value = serde_json::from_str(line)?;
    let mut result = object["result"].take();
    if !result.is_object() {
        return Ok(None);
    }
    result["type"] = "retracted".into();
    result["id"] = json(id);
    result["retracts"] = json(retracts);
    Ok(Some(result))
}

/// How far a watch came that ends.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchEndView {
    r#type: &'static str,
    chain_id: u64,
    registry: Checksummed,
    /// Null, as hash and number are, where nothing is settled yet.
    block: Option<u64>,
    block_hash: Option<B256>,
    seq: Option<u64>,
    events: u64,
    retracted: u64,
    waiting: u64,
    dead: u64,
}

impl WatchEndView {
    /// A watch of the registry at this address of a chain: the block, its hash and the number of events up to it; how many events were
    /// told and how many taken back; how many deliveries wait and how many were given up.
    pub fn new(
        (chain_id, registry): (u64, Address),
        mark: Option<(u64, B256, u64)>,
        (events, retracted): (u64, u64),
        (waiting, dead): (u64, u64),
    ) -> Self {
        let registry = registry.into();
        let (block, block_hash, seq) = (mark.map(|mark| mark.0), mark.map(|mark| mark.1), mark.map(|mark| mark.2));
        Self { r#type: "end", chain_id, registry, block, block_hash, seq, events, retracted, waiting, dead }
    }
}
