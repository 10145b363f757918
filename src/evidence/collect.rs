//! Collects evidence of an image from a node, and checks it before it is written.

use super::check::outline;
use super::file::{Account, BatchItem, BlockHeaders, Entry, Evidence, OwnEvent, ReceiptProof, SCHEMA, Slot, Slots};
use super::{CollectError, check, receipts};
use crate::audit::{Storage, log_ranges, target};
use crate::chain::{BlockTimes, ChainError, ReadBudget, Registry};
use crate::contract::bindings::IImageRegistry::{BatchRegistered, IImageRegistryEvents as Event, RegisteredInBatch};
use crate::contract::{EventPlace, LoggedImage, RegistrationKind, RegistryEvent, Trail, decode, item_hash};
use alloy::eips::BlockNumberOrTag;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{B256, Bytes};
use alloy::rlp;
use alloy::rpc::types::{Header, Log};
use alloy::sol_types::private::IntoLogData;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;

/// Requests that run at the same time.
const AT_ONCE: usize = 8;
/// Blocks that are searched first for the last event before the image's.
const LOOK_BACK: u64 = 1_000;

/// Options of collecting.
#[derive(Debug, Clone, Copy)]
pub struct CollectOptions {
    /// The last block to cover; `None` is the newest one of a development chain, the newest final
    /// one of a network.
    pub block: Option<u64>,
    /// Most headers to include for linking the events' blocks to the last block.
    pub most_headers: u64,
    /// Whether receipts are included.
    pub receipts: bool,
}

/// Reads everything from the node, checks it with [`check()`], and returns it with the hash of its
/// block. `progress` is called with the blocks read so far, and how many there are.
///
/// # Errors
/// [`CollectError`].
pub async fn collect(
    registry: &Registry,
    image_id: B256,
    options: &CollectOptions,
    mut progress: impl FnMut(u64, u64),
) -> Result<(Evidence, B256), CollectError> {
    let target = target(registry, options.block).await?;
    // First of all: nodes can prove storage in the newest blocks only.
    let (account, slots) = proven(registry, image_id, &target).await?;
    let image = registry.registration(image_id).await?;
    if image.place.block_number > target.number {
        let (registered, block) = (image.place.block_number, target.number);
        return Err(CollectError::NotYet { image_id, registered, block });
    }
    let first = match image.kind {
        RegistrationKind::Leaf { root } => anchor_of(registry, &image, root).await?,
        RegistrationKind::Alone { .. } | RegistrationKind::Batch { .. } => image.place,
    };
    let mut collector = LogCollector::new(image_id, first);
    let budget = registry.read_budget();
    let mut ranges = log_ranges(registry, &budget, first.block_number, target.number);
    while let Some((range, rest)) = ranges.read().await? {
        ranges = rest;
        for log in &range.logs {
            budget.hold(log)?;
            check_block(log, range.from..=range.to)?;
            collector.take(registry, log).await?;
        }
        progress(range.to - first.block_number + 1, target.number - first.block_number + 1);
    }
    let before = match collector.before {
        Some(before) => before,
        None => word_before(registry, &budget, first.block_number).await?,
    };
    let blocks = match options.receipts {
        true => with_receipts(registry, &mut collector, &target, options.most_headers).await?,
        false => BlockHeaders { linked: false, headers: vec![] },
    };
    let evidence = Evidence {
        schema: SCHEMA.to_owned(),
        chain_id: registry.chain_id(),
        registry: registry.address(),
        image_id,
        header: rlp::encode(&target.inner).into(),
        account,
        slots,
        before: before.word(),
        events: collector.entries,
        blocks,
    };
    check(&evidence, target.hash, |_, _| {})?;
    Ok((evidence, target.hash))
}

/// The account and the slots, with their proofs.
async fn proven(registry: &Registry, image_id: B256, target: &Header) -> Result<(Account, Slots), CollectError> {
    let places = Storage::default().of_image(image_id).map(|(place, _)| place);
    let asked: Vec<B256> = std::iter::once(B256::ZERO).chain(places).collect();
    let answer = registry.rpc().proof(registry.address(), asked, target.hash).await?;
    let code = registry.rpc().code(registry.address()).await?;
    let account = Account {
        nonce: answer.nonce,
        balance: answer.balance,
        storage_root: answer.storage_hash,
        code_hash: answer.code_hash,
        code,
        proof: answer.account_proof,
    };
    let slots: Vec<Slot> =
        answer.storage_proof.into_iter().map(|slot| Slot { value: slot.value, proof: slot.proof }).collect();
    let count = slots.len();
    let [trail, content_hash, record, flag, capsules_hash, capsules_version] = slots.try_into().map_err(|_| {
        ChainError::BadAnswer { method: "eth_getProof", reason: format!("expected 6 slots, found {count}") }
    })?;
    Ok((account, Slots { trail, content_hash, record, flag, capsules_hash, capsules_version }))
}

/// Checks that a log is of one of the blocks that were asked for.
fn check_block(log: &Log, asked: std::ops::RangeInclusive<u64>) -> Result<(), ChainError> {
    match log.block_number {
        Some(block) if asked.contains(&block) => Ok(()),
        found => {
            let reason = format!("expected logs of blocks {asked:?}, found one of block {found:?}");
            Err(ChainError::BadAnswer { method: "eth_getLogs", reason })
        }
    }
}

async fn anchor_of(registry: &Registry, image: &LoggedImage, root: B256) -> Result<EventPlace, ChainError> {
    let anchors = registry.anchors(Some(image.sender)).await?;
    let found = anchors.into_iter().find(|(anchored, _)| anchored.root == root);
    let reason = || format!("no anchor {root} of {}", image.sender);
    found.map(|(_, place)| place).ok_or_else(|| ChainError::BadAnswer { method: "eth_getLogs", reason: reason() })
}

/// Collects events in the order of the chain.
struct LogCollector {
    image_id: B256,
    first: EventPlace,
    entries: Vec<Entry>,
    /// The image's own entries: their indices, and where they are in the chain.
    own: Vec<(usize, EventPlace)>,
    /// The trail's word before the first entry, once it is known.
    before: Option<Trail>,
    last: Option<Trail>,
    /// Items whose `BatchRegistered` event has not come yet.
    items: Vec<RegisteredInBatch>,
    times: BlockTimes,
}

impl LogCollector {
    fn new(image_id: B256, first: EventPlace) -> Self {
        let (entries, own, items) = (vec![], vec![], vec![]);
        Self { image_id, first, entries, own, before: None, last: None, items, times: BlockTimes::default() }
    }

    async fn take(&mut self, registry: &Registry, log: &Log) -> Result<(), CollectError> {
        let RegistryEvent { event, place } = decode(registry.address(), log).map_err(ChainError::from)?;
        if let Event::RegisteredInBatch(item) = event {
            self.items.push(item);
            return Ok(());
        }
        let items = std::mem::take(&mut self.items);
        let trail = Trail::of(&event);
        // Items come before their batch's event: for an image in a batch, `first` is the item's
        // place.
        if (place.block_number, place.log_index) < (self.first.block_number, self.first.log_index) {
            self.last = trail;
            return Ok(());
        }
        if self.entries.is_empty() {
            self.before = self.last;
        }
        let time = self.times.of(registry, log, &place).await?;
        let entry = match self.is_own(&event, &items, &place) {
            false => {
                let (name, fields) = outline(&event);
                Entry::Other(name.to_owned(), place.block_number, time, fields)
            }
            true => {
                self.own.push((self.entries.len(), place));
                let item = match &event {
                    Event::BatchRegistered(batch) => item_of(batch, &items, self.image_id),
                    _ => None,
                };
                let log = event.to_log_data();
                let (topics, data) = (log.topics().to_vec(), log.data);
                Entry::Own(Box::new(OwnEvent { block: place.block_number, time, topics, data, item, receipt: None }))
            }
        };
        self.entries.push(entry);
        Ok(())
    }

    fn is_own(&self, event: &Event, items: &[RegisteredInBatch], place: &EventPlace) -> bool {
        let image = match event {
            Event::Registered(e) => e.imageId,
            Event::Materialized(e) => e.imageId,
            Event::Verified(e) => e.imageId,
            Event::FlagRaised(e) => e.imageId,
            Event::FlagJoined(e) => e.imageId,
            Event::FlagConfirmed(e) => e.imageId,
            Event::FlagDismissed(e) => e.imageId,
            Event::CapsulesUpdated(e) => e.imageId,
            Event::BatchRegistered(_) => return items.iter().any(|item| item.imageId == self.image_id),
            Event::Anchored(_) => return *place == self.first,
            _ => return false,
        };
        image == self.image_id
    }
}

/// The image's item in a batch, if it has one.
fn item_of(batch: &BatchRegistered, items: &[RegisteredInBatch], image_id: B256) -> Option<BatchItem> {
    let mut left = items.iter();
    let mut found = None;
    let count = usize::try_from(batch.count).unwrap_or(0).min(256);
    let mut hashes = Vec::new();
    for place in 0..count {
        let item = if batch.skipped.bit(place) { None } else { left.next() };
        hashes.push(item.map_or(B256::ZERO, item_hash));
        if let Some(item) = item.filter(|item| item.imageId == image_id) {
            found = Some((place, item.to_log_data()));
        }
    }
    found.map(|(place, log)| BatchItem { topics: log.topics().to_vec(), data: log.data, hashes, place })
}

/// The trail's word before a block.
async fn word_before(registry: &Registry, budget: &ReadBudget, block: u64) -> Result<Trail, CollectError> {
    let (mut to, mut length) = (block, LOOK_BACK);
    while to > registry.first_block() {
        let from = to.saturating_sub(length).max(registry.first_block());
        let mut ranges = log_ranges(registry, budget, from, to - 1);
        let mut last = None;
        while let Some((range, rest)) = ranges.read().await? {
            ranges = rest;
            for log in &range.logs {
                last = Trail::of(&decode(registry.address(), log).map_err(ChainError::from)?.event).or(last);
            }
        }
        if let Some(last) = last {
            return Ok(last);
        }
        (to, length) = (from, length.saturating_mul(4));
    }
    Ok(Trail::start(registry.chain_id(), registry.address()))
}

/// Adds a receipt to each of the image's events, and returns the headers of their blocks: all up to
/// `target` if they are at most `most`.
async fn with_receipts(
    registry: &Registry,
    collector: &mut LogCollector,
    target: &Header,
    most: u64,
) -> Result<BlockHeaders, CollectError> {
    let mut blocks: BTreeMap<u64, Vec<(usize, EventPlace)>> = BTreeMap::new();
    for (entry, place) in &collector.own {
        blocks.entry(place.block_number).or_default().push((*entry, *place));
    }
    let oldest = *blocks.keys().next().unwrap_or(&target.number);
    let linked = target.number - oldest <= most;
    let numbers: Vec<u64> = match linked {
        true => (oldest..target.number).collect(),
        false => blocks.keys().copied().filter(|number| *number != target.number).collect(),
    };
    let ask = |number: u64| async move { registry.rpc().block(BlockNumberOrTag::Number(number)).await };
    let headers: Vec<Header> =
        stream::iter(numbers).map(ask).buffered(AT_ONCE).map_ok(|block| block.header).try_collect().await?;
    for header in headers.iter().chain([target]) {
        let Some(own) = blocks.get(&header.number) else { continue };
        let given = receipts_of(registry, header, own).await?;
        for ((entry, _), receipt) in own.iter().zip(given) {
            if let Some(Entry::Own(own)) = collector.entries.get_mut(*entry) {
                own.receipt = Some(receipt);
            }
        }
    }
    let headers = headers.iter().map(|header| rlp::encode(&header.inner).into()).collect();
    Ok(BlockHeaders { linked, headers })
}

async fn receipts_of(
    registry: &Registry,
    header: &Header,
    own: &[(usize, EventPlace)],
) -> Result<Vec<ReceiptProof>, CollectError> {
    let found = registry.rpc().receipts(header.hash).await?;
    let bad = |reason: String| ChainError::BadAnswer { method: "eth_getBlockReceipts", reason };
    let mut wanted = Vec::new();
    for (_, place) in own {
        let index = found.iter().position(|receipt| receipt.transaction_hash == place.transaction);
        let index = index.ok_or_else(|| bad(format!("no receipt of transaction {}", place.transaction)))?;
        let logs = found[index].inner.logs();
        let log = logs.iter().position(|log| log.log_index == Some(place.log_index));
        let log = log.ok_or_else(|| bad(format!("no log {} in transaction {}", place.log_index, place.transaction)))?;
        wanted.push((index, log));
    }
    let encoded: Vec<Vec<u8>> =
        found.into_iter().map(|receipt| receipt.inner.into_primitives_receipt().encoded_2718()).collect();
    let indices: Vec<usize> = wanted.iter().map(|(index, _)| *index).collect();
    let (root, proofs) = receipts::prove(&encoded, &indices);
    if root != header.receipts_root {
        let (block, expected) = (header.number, header.receipts_root);
        return Err(CollectError::Receipts { block, expected, found: root });
    }
    let receipt = |((index, log), proof): ((usize, usize), Vec<Bytes>)| {
        let receipt = encoded[index].clone().into();
        ReceiptProof { index: index as u64, receipt, log, proof }
    };
    Ok(wanted.into_iter().zip(proofs).map(receipt).collect())
}
