//! The evidence file: one JSON object of the format `medseal/evidence/v1`, bytes as 0x-hex. Every
//! part of it is checked.

use super::EvidenceError;
use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

/// Name and version of the format.
pub const SCHEMA: &str = "medseal/evidence/v1";
/// Largest file that is read: 128 MiB, some 1,000,000 events after the registration.
pub const MOST_BYTES: u64 = 128 << 20;

/// What proves an image's record, its verifications and its flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// [`SCHEMA`].
    pub schema: String,
    /// The chain's id.
    pub chain_id: u64,
    /// The registry's address.
    pub registry: Address,
    /// The image's id.
    pub image_id: B256,
    /// Header of the last block that the evidence covers, in RLP: its keccak256 is the hash to be
    /// trusted.
    pub header: Bytes,
    /// The contract's account in that block.
    pub account: Account,
    /// Slots of its storage, with their proofs.
    pub slots: Slots,
    /// The audit trail's word before the first of the events.
    pub before: B256,
    /// Every numbered event of the registry, from the image's registration (or its anchor) to the
    /// last block.
    pub events: Vec<Entry>,
    /// Headers of earlier blocks, for the receipts.
    pub blocks: BlockHeaders,
}

/// The contract's account, with the nodes of the state trie that prove it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// The account's nonce.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Root of its storage.
    pub storage_root: B256,
    /// keccak256 of its code.
    pub code_hash: B256,
    /// Its code.
    pub code: Bytes,
    /// The trie's nodes, from the root down.
    pub proof: Vec<Bytes>,
}

/// A storage slot, with the nodes of the storage trie that prove it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// What it holds.
    pub value: U256,
    /// The trie's nodes, from the root down.
    pub proof: Vec<Bytes>,
}

/// The slots that prove the image's state; their keys follow from the image id.
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
    /// An event of the image, complete.
    Own(Box<OwnEvent>),
    /// Any other event: its name, number and time of its block, keccak256 of its fields.
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
    /// As in the log.
    pub topics: Vec<B256>,
    /// As in the log.
    pub data: Bytes,
    /// For a batch: the image's item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<BatchItem>,
    /// Proof that the event is in its block; all of the image's events have one, or none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptProof>,
}

/// The log of a batch's item, which has no number of its own, and its place in the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchItem {
    /// As in the log.
    pub topics: Vec<B256>,
    /// As in the log.
    pub data: Bytes,
    /// Struct hashes of all items of the batch, zero for those that were skipped.
    pub hashes: Vec<B256>,
    /// Index of this item among them, from 0.
    pub place: usize,
}

/// A transaction's receipt, with the nodes of the block's receipts trie that prove it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptProof {
    /// Index of the transaction in the block, from 0.
    pub index: u64,
    /// The receipt as the trie holds it (EIP-2718).
    pub receipt: Bytes,
    /// Index of the event among the receipt's logs, from 0.
    pub log: usize,
    /// The trie's nodes, from the root down.
    pub proof: Vec<Bytes>,
}

/// Headers of blocks before the last one, oldest first, in RLP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockHeaders {
    /// Whether every block from the oldest one on is there, each the parent of the next; else only
    /// those with receipts are.
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
        // A pipe has no length: the limit applies to what is read.
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(match found.max(bytes.len() as u64) {
            found if found > MOST_BYTES => Err(EvidenceError::TooLarge { limit: MOST_BYTES, found }),
            _ => Self::decode(&bytes),
        })
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// `Malformed`, `Schema`.
    pub fn decode(bytes: &[u8]) -> Result<Self, EvidenceError> {
        /// The field that every version of the format has.
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
