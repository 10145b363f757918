//! The audit trail: the hash chain over the registry's events, recomputed from its log. An event that is missing, added or changed shows.

mod checkpoint;
mod proof;
mod read;
mod run;
mod storage;
mod summary;

pub use proof::Proven;
pub(super) use proof::prove;
pub(super) use read::{Ranges, headers_to, logs_of};
pub(super) use run::target;
pub use run::{Audit, Audited, Listed, Options, Step, WINDOW_BLOCKS, audit};
pub use storage::Storage;
pub use summary::{FlagOpen, Summary, Tally, TimeLine};

use super::bindings::IImageRegistry::{
    BatchRegistered, IImageRegistryEvents as Event, Item, Paused, RegisteredInBatch, Unpaused,
};
use super::error::{ChainError, ErrorKind};
use super::events::RegistryEvent;
use super::registry::Registry;
use crate::clock::Clock;
use crate::envelope::image_id;
use alloy::primitives::{Address, B256, FixedBytes, U256, keccak256};
use alloy::sol_types::private::IntoLogData;
use alloy::sol_types::{SolEvent, SolStruct, SolValue};

/// Items that a batch may have.
const MOST_ITEMS: usize = 100;
/// Bits of the head; above them stands the number, and above that the pause.
const HEAD_BITS: usize = 208;
const PAUSE_BIT: usize = 248;

/// The word that the contract's first storage slot holds after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trail(U256);

/// Why the log is not the whole log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The node does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An event is not where it belongs: it is missing, or another stands in its place.
    #[error("event {seq} is missing: event {next} in block {block} stands in its place")]
    Missing {
        /// The number that the event has.
        seq: u64,
        /// The number of the one that is there instead.
        next: u64,
        /// Its block.
        block: u64,
    },
    /// An event's word is not the one that follows from all before it.
    #[error("event {seq} in block {block} is altered: expected trail {expected}, found {found}")]
    Broken {
        /// Its number.
        seq: u64,
        /// Its block.
        block: u64,
        /// The word that follows.
        expected: B256,
        /// The event's.
        found: B256,
    },
    /// A log is no event of the registry.
    #[error("event {seq} in block {block} cannot be read: {reason}")]
    Unreadable {
        /// The number that it should have.
        seq: u64,
        /// Its block.
        block: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The items of a batch are not those that its event covers.
    #[error("event {seq} in block {block}: the items of a batch hash to {found}, expected {expected}")]
    Batch {
        /// The number of the batch's event.
        seq: u64,
        /// Its block.
        block: u64,
        /// What the event says.
        expected: B256,
        /// What the items give.
        found: B256,
    },
    /// An item of a batch is not its batch's: the contract makes sender and image id from the batch and the item's salt.
    #[error("event {seq} in block {block}: an item of the batch has {what} {found}, expected {expected}")]
    Item {
        /// The number of the batch's event.
        seq: u64,
        /// Its block.
        block: u64,
        /// What of it.
        what: &'static str,
        /// What follows.
        expected: B256,
        /// The item's.
        found: B256,
    },
    /// The log ends before the contract's own head.
    #[error("event {} is missing: the contract counts {expected} events, the log has {found}", found + 1)]
    Incomplete {
        /// The contract's number.
        expected: u64,
        /// The log's.
        found: u64,
    },
    /// The log has as many events, and another head.
    #[error("after {seq} events the contract's head is {expected}, the log's {found}")]
    OtherHead {
        /// How many.
        seq: u64,
        /// The contract's.
        expected: FixedBytes<26>,
        /// The log's.
        found: FixedBytes<26>,
    },
    /// The log is whole, and the contract's storage is not what its events make.
    #[error("the contract's storage has root {expected}, its events make {found}")]
    OtherStorage {
        /// The contract's.
        expected: B256,
        /// The events'.
        found: B256,
    },
    /// What the node says of the contract's storage does not follow from the block's header.
    #[error("block {block}: {what} is not proven: {reason}")]
    Unproven {
        /// The block.
        block: u64,
        /// What was to be proven.
        what: &'static str,
        /// Why it is not.
        reason: String,
    },
    /// Another code is proven to stand at the address.
    #[error("block {block}: expected code hash {expected}, proven is {found}")]
    OtherCode {
        /// The block.
        block: u64,
        /// As pinned.
        expected: B256,
        /// As proven.
        found: B256,
    },
    /// Two nodes have different blocks of one number.
    #[error("block {block} is {expected}, and {found} at {endpoint}")]
    OtherBlock {
        /// Its number.
        block: u64,
        /// Its hash at the first node.
        expected: B256,
        /// Its hash at the other.
        found: B256,
        /// The other.
        endpoint: String,
    },
    /// A block that had been settled was replaced.
    #[error(
        "the chain was replaced more than {WINDOW_BLOCKS} blocks deep: block {block} was {expected}, it is {found} now"
    )]
    ReorgTooDeep {
        /// Its number.
        block: u64,
        /// Its hash before.
        expected: B256,
        /// Its hash now.
        found: B256,
    },
    /// The chain was replaced while its log was read.
    #[error("the chain went on another way while its log was read: block {block} was {expected}")]
    Moved {
        /// Number of the block up to which it was read.
        block: u64,
        /// Its hash.
        expected: B256,
    },
    /// There is no such block, or the contract is younger.
    #[error("no block {block} to audit up to: the registry is of block {first}, the newest block is {newest}")]
    NoBlock {
        /// What was asked for.
        block: u64,
        /// The registry's own.
        first: u64,
        /// The newest.
        newest: u64,
    },
    /// The checkpoint or the list cannot be written.
    #[error("cannot write {}", path.display())]
    Io {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl AuditError {
    /// What it means to whoever called.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Chain(error) => error.kind(),
            Self::NoBlock { .. } => ErrorKind::NotFound,
            Self::OtherCode { .. } => ErrorKind::WrongChain,
            _ => ErrorKind::Failure,
        }
    }

    /// The number of the first event that is missing or altered, where that is what went wrong.
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Missing { seq, .. }
            | Self::Broken { seq, .. }
            | Self::Unreadable { seq, .. }
            | Self::Batch { seq, .. }
            | Self::Item { seq, .. }
            | Self::OtherHead { seq, .. } => Some(*seq),
            Self::Incomplete { found, .. } => Some(found + 1),
            _ => None,
        }
    }
}

/// A log that was found whole.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// Its events, oldest first.
    pub events: Vec<RegistryEvent>,
    /// The word after the last of them.
    pub trail: Trail,
    /// Number of the block up to which it was read.
    pub block: u64,
    /// Hash of that block.
    pub block_hash: B256,
}

impl From<B256> for Trail {
    fn from(word: B256) -> Self {
        Self(word.into())
    }
}

impl Trail {
    /// The word before the first event of a registry.
    pub fn start(chain_id: u64, registry: Address) -> Self {
        let domain = ("MedSeal audit v1", U256::from(chain_id), registry).abi_encode_params();
        Self(head_of(keccak256(domain)))
    }

    /// The word that an event ends with; an item of a batch has none.
    pub fn of(event: &Event) -> Option<Self> {
        if matches!(event, Event::RegisteredInBatch(_)) {
            return None;
        }
        words(event).1.last().copied().map(Self::from)
    }

    /// The hash chain's head.
    pub fn head(&self) -> FixedBytes<26> {
        FixedBytes::from_slice(&self.0.to_be_bytes::<32>()[6..])
    }

    /// How many events it counts.
    pub fn seq(&self) -> u64 {
        ((self.0 >> HEAD_BITS) & U256::from((1_u64 << 40) - 1)).to()
    }

    /// The word itself, as storage slot 0 holds it.
    pub fn word(&self) -> B256 {
        self.0.into()
    }

    /// Whether a pause was begun and not ended; by itself it ends after 7 days.
    pub fn pause_begun(&self) -> bool {
        self.0.bit(PAUSE_BIT)
    }

    /// The word after `event`, which a block of this number and time holds.
    fn after(self, event: &Event, block: u64, time: u64) -> Self {
        let (kind, fields) = kind_and_fields(event);
        self.then(kind, fields, block, time)
    }

    /// The word after an event of which no more is known than its kind and the hash of its fields.
    pub(super) fn then(self, kind: B256, fields: B256, block: u64, time: u64) -> Self {
        // The bit of a pause is set and taken away before the event is taken in.
        let mut before = self.0;
        match kind {
            Paused::SIGNATURE_HASH => before.set_bit(PAUSE_BIT, true),
            Unpaused::SIGNATURE_HASH => before.set_bit(PAUSE_BIT, false),
            _ => {}
        }
        let hash = keccak256((before, kind, U256::from(block), U256::from(time), fields).abi_encode_params());
        Self((((before >> HEAD_BITS) + U256::from(1)) << HEAD_BITS) | head_of(hash))
    }
}

/// The first 26 bytes of a hash.
fn head_of(hash: B256) -> U256 {
    U256::from_be_bytes(hash.0) >> (256 - HEAD_BITS)
}

/// An event's topic 0, and the keccak256 of its arguments but the last, as the trail takes them in.
pub(super) fn kind_and_fields(event: &Event) -> (B256, B256) {
    let (kind, mut fields) = words(event);
    fields.pop();
    (kind, keccak256(fields.iter().flat_map(|word| word.0).collect::<Vec<u8>>()))
}

/// An event's topic 0, and its arguments in the order of their declaration, a word each: `bytes` as their keccak256. The indexed ones come first in all of ours.
fn words(event: &Event) -> (B256, Vec<B256>) {
    let log = event.to_log_data();
    let (kind, indexed) = log.topics().split_first().expect("no event is anonymous");
    let signature = Event::signature_by_selector(kind.0).expect("an event of the interface");
    let types = signature.split_once('(').map_or("", |(_, types)| types).trim_end_matches(')').split(',');
    let word = |at: usize| B256::from_slice(&log.data[at..at + 32]);
    let number = |at: usize| U256::from_be_bytes(word(at).0).to::<usize>();
    let mut words = indexed.to_vec();
    words.extend(types.skip(indexed.len()).enumerate().map(|(place, kind)| {
        let at = place * 32;
        if kind != "bytes" {
            return word(at);
        }
        let start = number(at);
        keccak256(&log.data[start + 32..start + 32 + number(start)])
    }));
    (*kind, words)
}

/// Follows a registry's events one by one: each must follow from all before it.
#[derive(Debug, Clone)]
pub struct Follower {
    chain_id: u64,
    registry: Address,
    trail: Trail,
    /// Items whose batch has not come yet.
    items: Vec<RegisteredInBatch>,
}

impl Follower {
    /// Follows a registry's events from its first.
    pub fn new(chain_id: u64, registry: Address) -> Self {
        Self::after(chain_id, registry, Trail::start(chain_id, registry))
    }

    /// Follows a registry's events from the word before the first to be taken.
    pub fn after(chain_id: u64, registry: Address, trail: Trail) -> Self {
        Self { chain_id, registry, trail, items: Vec::new() }
    }

    /// The word after the last event that has a number.
    pub fn trail(&self) -> Trail {
        self.trail
    }

    /// Takes the next event, which a block of this time holds.
    ///
    /// # Errors
    /// [`AuditError::Missing`], [`AuditError::Broken`], [`AuditError::Batch`], [`AuditError::Item`].
    pub fn take(&mut self, event: &RegistryEvent, time: u64) -> Result<(), AuditError> {
        let block = event.place.block_number;
        if let Event::RegisteredInBatch(item) = &event.event {
            self.items.push(item.clone());
            return if self.items.len() > MOST_ITEMS { self.check_items(None, block) } else { Ok(()) };
        }
        self.check_items(Some(&event.event), block)?;
        self.items.clear();
        let next = self.trail.after(&event.event, block, time);
        let found = Trail::of(&event.event).expect("only an item has none");
        if next != found {
            return Err(match (next.seq(), found.seq()) {
                (seq, next) if seq != next => AuditError::Missing { seq, next, block },
                (seq, _) => AuditError::Broken { seq, block, expected: next.word(), found: found.word() },
            });
        }
        self.trail = next;
        Ok(())
    }

    /// The word after the last event, where none has been left open.
    ///
    /// # Errors
    /// [`AuditError::Batch`] for items without their batch.
    pub fn end(&self, block: u64) -> Result<Trail, AuditError> {
        self.check_items(None, block)?;
        Ok(self.trail)
    }

    /// Checks that the log ends where the contract's own word in `block` says.
    ///
    /// # Errors
    /// [`AuditError::Incomplete`], [`AuditError::OtherHead`], [`AuditError::Batch`].
    pub fn check_end(&self, block: u64, contract: Trail) -> Result<(), AuditError> {
        let trail = self.end(block)?;
        if contract.seq() != trail.seq() {
            return Err(AuditError::Incomplete { expected: contract.seq(), found: trail.seq() });
        }
        if contract.head() != trail.head() {
            let seq = trail.seq();
            return Err(AuditError::OtherHead { seq, expected: contract.head(), found: trail.head() });
        }
        Ok(())
    }

    /// Items stand right before the event of their batch, and nowhere else.
    fn check_items(&self, event: Option<&Event>, block: u64) -> Result<(), AuditError> {
        let items: Vec<&RegisteredInBatch> = self.items.iter().collect();
        let (expected, found) = match event {
            Some(Event::BatchRegistered(batch)) => (batch.recordedHash, recorded_hash(batch, &items)),
            _ if items.is_empty() => return Ok(()),
            _ => (keccak256([]), items_hash(&items, items.len(), U256::ZERO)),
        };
        let seq = self.trail.seq() + 1;
        if found != expected {
            return Err(AuditError::Batch { seq, block, expected, found });
        }
        // The hashes cover neither the items' senders nor their image ids.
        let Some(Event::BatchRegistered(batch)) = event else { return Ok(()) };
        let foreign = |item| foreign_part(self.chain_id, self.registry, batch, item);
        match items.into_iter().find_map(foreign) {
            None => Ok(()),
            Some((what, expected, found)) => Err(AuditError::Item { seq, block, what, expected, found }),
        }
    }
}

/// Follows the events and returns the word after the last; `times` are those of their blocks.
///
/// # Errors
/// As [`Follower::take`].
fn follow(mut follower: Follower, events: &[RegistryEvent], times: &[u64]) -> Result<Trail, AuditError> {
    for (event, time) in events.iter().zip(times) {
        follower.take(event, *time)?;
    }
    follower.end(events.last().map_or(0, |event| event.place.block_number))
}

fn recorded_hash(batch: &BatchRegistered, items: &[&RegisteredInBatch]) -> B256 {
    let count = usize::try_from(batch.count).unwrap_or(usize::MAX).min(items.len() + 256);
    items_hash(items, count, batch.skipped)
}

/// keccak256 of the items' EIP-712 struct hashes, with zero for each place that was skipped.
fn items_hash(items: &[&RegisteredInBatch], count: usize, skipped: U256) -> B256 {
    let mut items = items.iter().copied();
    let mut hashes = Vec::new();
    for place in 0..count {
        let item = if place < 256 && skipped.bit(place) { None } else { items.next() };
        hashes.extend(item.map_or(B256::ZERO, item_hash));
    }
    // One too many must show as well.
    hashes.extend(items.flat_map(|item| item_hash(item).0));
    keccak256(hashes)
}

/// What of an item is not as the contract makes it from the batch's sender and the item's salt, if anything is: how it must be, and how it is.
pub(super) fn foreign_part(
    chain_id: u64,
    registry: Address,
    batch: &BatchRegistered,
    item: &RegisteredInBatch,
) -> Option<(&'static str, B256, B256)> {
    let id = image_id(chain_id, registry, batch.sender, item.salt);
    [("sender", batch.sender.into_word(), item.sender.into_word()), ("image id", id, item.imageId)]
        .into_iter()
        .find(|(_, expected, found)| expected != found)
}

/// The EIP-712 struct hash of an item.
pub(super) fn item_hash(item: &RegisteredInBatch) -> B256 {
    let RegisteredInBatch { salt, contentHash, headerHash, capsulesHash, size, .. } = *item;
    Item { salt, contentHash, headerHash, capsulesHash, size }.eip712_hash_struct()
}

/// Reads the registry's whole log, recomputes the hash chain over it, and compares its head with the contract's in the same block.
///
/// Trusts the node for the contract's head and for the blocks' times; who does not has the head proven (`eth_getProof` of slot 0).
///
/// # Errors
/// [`AuditError`].
pub async fn replay(registry: &Registry, clock: &dyn Clock) -> Result<Replayed, AuditError> {
    let head = registry.head(clock).await?;
    let events = registry.log(head.number).await?;
    let mut times: Vec<u64> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let known = index.checked_sub(1).filter(|last| events[*last].place.block_hash == event.place.block_hash);
        let time = match known {
            Some(last) => times[last],
            None => registry.block_time(&event.place).await?,
        };
        times.push(time);
    }
    let trail = follow(Follower::new(registry.chain_id(), registry.address()), &events, &times)?;
    let (expected, seq) = registry.audit_in(head.hash).await?;
    if seq != trail.seq() {
        return Err(AuditError::Incomplete { expected: seq, found: trail.seq() });
    }
    if expected != trail.head() {
        return Err(AuditError::OtherHead { seq, expected, found: trail.head() });
    }
    Ok(Replayed { events, trail, block: head.number, block_hash: head.hash })
}

#[cfg(test)]
mod tests;
