//! The file: one JSON object of the form `medseal/evidence/v1`, bytes as 0x-hex. Every part of it is checked; none is there for people alone.

use super::EvidenceError;
use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

/// Names the form.
pub const SCHEMA: &str = "medseal/evidence/v1";
/// More is not read: 128 MiB, some 1,000,000 events after the registration.
pub const MOST_BYTES: u64 = 128 << 20;

/// What proves an image's record, its verifications and its flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// [`SCHEMA`].
    pub schema: String,
    /// The chain's id.
    pub chain_id: u64,
    /// The contract.
    pub registry: Address,
    /// The image.
    pub image_id: B256,
    /// Header of the block up to which the evidence goes, in RLP: its keccak256 is the hash that is to be trusted.
    pub header: Bytes,
    /// The contract's account in that block.
    pub account: Account,
    /// Slots of its storage.
    pub slots: Slots,
    /// The word of the audit trail before the first of the events.
    pub before: B256,
    /// Every numbered event of the registry from the first that concerns the registration up to the block.
    pub events: Vec<Entry>,
    /// Blocks before the block.
    pub blocks: Blocks,
}

/// An account, with the nodes of the state trie that prove it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// Contracts that it made, and one.
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    /// Root of its storage.
    pub storage_root: B256,
    /// keccak256 of its code.
    pub code_hash: B256,
    /// Its code, whole.
    pub code: Bytes,
    /// From the root down.
    pub proof: Vec<Bytes>,
}

/// A storage slot, with the nodes of the storage trie that prove it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// What it holds.
    pub value: U256,
    /// From the root down.
    pub proof: Vec<Bytes>,
}

/// The slots; where they stand follows from the image id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slots {
    /// The audit trail: slot 0.
    pub trail: Slot,
    /// SHA-256 of the sealed image.
    pub content_hash: Slot,
    /// Sender, time, state, number of verifications.
    pub record: Slot,
    /// The newest flag.
    pub flag: Slot,
    /// SHA-256 of the capsules that replaced those of the registration.
    pub capsules_hash: Slot,
    /// How often they were replaced.
    pub capsules_version: Slot,
}

/// A numbered event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    /// One of the image's, whole.
    Own(Box<OwnEvent>),
    /// One that says nothing of the image: its name, number and time of its block, keccak256 of its fields.
    Other(String, u64, u64, B256),
}

/// An event of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnEvent {
    /// Number of its block.
    pub block: u64,
    /// Time of its block, unix seconds.
    pub time: u64,
    /// Of the log.
    pub topics: Vec<B256>,
    /// Of the log.
    pub data: Bytes,
    /// Of a batch: which of its items is the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<BatchItem>,
    /// That it is in its block; of all of the image's events, or of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptProof>,
}

/// The log of an item, which has no number, and its place in the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchItem {
    /// Of the log.
    pub topics: Vec<B256>,
    /// Of the log.
    pub data: Bytes,
    /// Struct hashes of all items of the batch, zero for those that were skipped.
    pub hashes: Vec<B256>,
    /// Which of them is this one, from 0.
    pub place: usize,
}

/// A transaction's receipt, with the nodes of the block's receipts trie that prove it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptProof {
    /// Which transaction of the block, from 0.
    pub index: u64,
    /// As the trie holds it (EIP-2718).
    pub receipt: Bytes,
    /// Which of its logs is the event, from 0.
    pub log: usize,
    /// From the root down.
    pub proof: Vec<Bytes>,
}

/// Headers of blocks before the block, oldest first, in RLP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// Whether they are all from the oldest one on, each the parent of the next and the last that of the block; else only those with receipts.
    pub linked: bool,
    /// The headers.
    pub headers: Vec<Bytes>,
}

impl Evidence {
    /// Reads a file.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`, `Schema`; the outer error where the file cannot be read.
    pub fn read(path: &Path) -> std::io::Result<Result<Self, EvidenceError>> {
        let file = std::fs::File::open(path)?;
        let found = file.metadata()?.len();
        let mut bytes = Vec::new();
        // A pipe has no length; it ends where the limit is all the same.
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(match found.max(bytes.len() as u64) {
            found if found > MOST_BYTES => Err(EvidenceError::TooLarge { limit: MOST_BYTES, found }),
            _ => Self::parse(&bytes),
        })
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// `Malformed`, `Schema`.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        /// What every version of the form begins with.
        #[derive(Deserialize)]
        struct Form {
            schema: String,
        }
        let malformed = |error: serde_json::Error| EvidenceError::Malformed { reason: error.to_string() };
        let Form { schema: found } = serde_json::from_slice(bytes).map_err(malformed)?;
        if found != SCHEMA {
            return Err(EvidenceError::Schema { expected: SCHEMA, found: found.chars().take(80).collect() });
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }

    /// The bytes of a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("numbers, text and lists alone");
        bytes.push(b'\n');
        bytes
    }
}

impl Slots {
    /// Each with its name.
    pub(super) fn named(&self) -> [(&'static str, &Slot); 6] {
        [
            ("audit trail", &self.trail),
            ("content hash", &self.content_hash),
            ("record", &self.record),
            ("flag", &self.flag),
            ("capsules' hash", &self.capsules_hash),
            ("capsules' version", &self.capsules_version),
        ]
    }
}
