//! The audit trail's rule: how each event's hash follows from the one before, as `AuditTrail.sol`
//! has it.

use super::bindings::IImageRegistry::{
    BatchRegistered, IImageRegistryEvents as Event, Item, Paused, RegisteredInBatch, Unpaused,
};
use crate::envelope::image_id;
use alloy::primitives::{Address, B256, FixedBytes, U256, keccak256};
use alloy::sol_types::private::IntoLogData;
use alloy::sol_types::{SolEvent, SolStruct, SolValue};

/// Bits of the head; above them stands the number, and above that the pause.
const HEAD_BITS: usize = 208;
const PAUSE_BIT: usize = 248;

/// The audit trail's word: the 32 bytes in the contract's storage slot 0 after an event. They hold
/// the hash chain's head, the number of events, and whether the registry is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trail(U256);

/// The audit head that the contract returns: the hash chain's head, and how many events it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// The first 26 bytes of the last hash.
    pub head: FixedBytes<26>,
    /// How many numbered events there were.
    pub seq: u64,
}

impl From<Trail> for AuditHead {
    fn from(trail: Trail) -> Self {
        Self { head: trail.head(), seq: trail.seq() }
    }
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

    /// The word that an event carries as its last field; `None` for an item of a batch.
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

    /// Whether a pause was begun and not ended by a call; it also ends by itself after at most 7
    /// days.
    pub fn pause_begun(&self) -> bool {
        self.0.bit(PAUSE_BIT)
    }

    /// The word after `event`, which a block of this number and time holds.
    pub fn after(self, event: &Event, block: u64, time: u64) -> Self {
        let (kind, fields) = kind_and_fields(event);
        self.then(kind, fields, block, time)
    }

    /// The word after an event, from its topic 0 and the hash of its fields alone.
    pub fn then(self, kind: B256, fields: B256, block: u64, time: u64) -> Self {
        // The pause's bit changes before the event is hashed.
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

/// An event's topic 0, and the keccak256 of all its arguments but the last, as the trail hashes
/// them.
pub fn kind_and_fields(event: &Event) -> (B256, B256) {
    let (kind, mut fields) = words(event);
    fields.pop();
    (kind, keccak256(fields.iter().flat_map(|word| word.0).collect::<Vec<u8>>()))
}

/// An event's topic 0, and its arguments in the order of their declaration, a word each: `bytes` as
/// their keccak256. The indexed ones come first in all of ours.
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

/// The first field of an item that is not what the contract computes from the batch's sender and
/// the item's salt, with the expected and the found value; `None` if all are.
pub fn foreign_part(
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
pub fn item_hash(item: &RegisteredInBatch) -> B256 {
    let RegisteredInBatch { salt, contentHash, headerHash, capsulesHash, size, .. } = *item;
    Item { salt, contentHash, headerHash, capsulesHash, size }.eip712_hash_struct()
}
