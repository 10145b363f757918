//! Why evidence is refused, or cannot be collected.

use crate::audit::AuditError;
use crate::chain::ChainError;
use crate::contract::ErrorKind;
use alloy::primitives::{Address, B256, U256};

/// Why evidence is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The file is too large to be read.
    #[error("expected at most {limit} bytes of evidence, found {found}")]
    TooLarge {
        /// Most bytes that are read.
        limit: u64,
        /// The file's length, in bytes.
        found: u64,
    },
    /// The file is not evidence: cut short, in another format, or nested too deep.
    #[error("not an evidence file: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The file's format is of another version.
    #[error("expected evidence of the form {expected}, found \"{}\"", found.escape_debug())]
    Schema {
        /// The format that this program reads.
        expected: &'static str,
        /// What the file says.
        found: String,
    },
    /// The evidence is of another block than the one that is trusted.
    #[error("expected block {expected}, the evidence is of block {found}")]
    OtherBlock {
        /// As trusted.
        expected: B256,
        /// What the header in the file hashes to.
        found: B256,
    },
    /// The header of a block cannot be read.
    #[error("the header of block {block} cannot be read: {reason}")]
    Header {
        /// Its hash.
        block: B256,
        /// What is wrong with it.
        reason: String,
    },
    /// The account of the registry does not follow from the block's header.
    #[error("the account of {registry} is not proven: {reason}")]
    Account {
        /// The registry.
        registry: Address,
        /// Why not.
        reason: String,
    },
    /// The code in the file is not the code of the account.
    #[error("expected code that hashes to {expected}, found {found}")]
    OtherCode {
        /// As proven.
        expected: B256,
        /// Of the code in the file.
        found: B256,
    },
    /// The code is none that this program knows.
    #[error("code {code_hash} is no ImageRegistry that this program knows: {reason}")]
    UnknownCode {
        /// Its hash.
        code_hash: B256,
        /// What differs.
        reason: &'static str,
    },
    /// A storage slot does not follow from the account.
    #[error("the slot of the {slot} is not proven: {reason}")]
    Slot {
        /// Which.
        slot: &'static str,
        /// Why not.
        reason: String,
    },
    /// An event does not decode, or does not belong in this file.
    #[error("event {seq}: {reason}")]
    Event {
        /// Its number.
        seq: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// An event's word does not follow from the events before it.
    #[error("event {seq} is altered, or one before it: expected trail {expected}, found {found}")]
    Altered {
        /// Its number.
        seq: u64,
        /// The word that follows from the events before it.
        expected: B256,
        /// The event's.
        found: B256,
    },
    /// The events do not lead to the trail's word that the contract holds.
    #[error(
        "the events are not those of the registry: they lead to trail {found}, expected the proven trail {expected}"
    )]
    OtherTrail {
        /// As proven.
        expected: B256,
        /// The word to which the events lead.
        found: B256,
    },
    /// The image's item is not one that the batch's event covers.
    #[error("event {seq}: the item is not one of its batch: {reason}")]
    Item {
        /// Number of the batch's event.
        seq: u64,
        /// What differs.
        reason: &'static str,
    },
    /// The evidence holds no registration of the image.
    #[error("the registration of image {image_id} is not in the evidence")]
    NoRegistration {
        /// The image.
        image_id: B256,
    },
    /// The image id does not follow from chain, registry, sender and salt.
    #[error("expected image {expected}, the registration is of {found}")]
    OtherImage {
        /// What the file says.
        expected: B256,
        /// What chain, registry, sender and salt give.
        found: B256,
    },
    /// A verification, a flag or a version of the capsules is missing: they are numbered.
    #[error("event {seq}: expected {what} {expected}, found {found}: one is missing")]
    Gap {
        /// Number of the event.
        seq: u64,
        /// What is numbered.
        what: &'static str,
        /// The number that should come next.
        expected: u64,
        /// The number that comes.
        found: u64,
    },
    /// The contract's slots are not what the events give: an event is not in the evidence.
    #[error("the contract holds {expected:#x} as the {slot}, the events in the evidence give {found:#x}")]
    OtherState {
        /// Which slot.
        slot: &'static str,
        /// As proven.
        expected: U256,
        /// What the events give.
        found: U256,
    },
    /// A receipt is not in its block, or the event is not in the receipt.
    #[error("event {seq}: its receipt does not prove it: {reason}")]
    Receipt {
        /// Number of the event.
        seq: u64,
        /// Why not.
        reason: String,
    },
    /// The headers do not link the events' blocks to the trusted block.
    #[error("the headers do not link the events' blocks to the trusted block: {reason}")]
    Headers {
        /// What is wrong with them.
        reason: String,
    },
    /// The sealed image beside the evidence is another.
    #[error("the sealed image is not the one that was registered: expected {what} {expected}, found {found}")]
    Sealed {
        /// What differs.
        what: &'static str,
        /// As registered.
        expected: String,
        /// The file's.
        found: String,
    },
    /// The evidence is of another registry than the one that was asked for.
    #[error("expected {what} {expected}, the evidence is of {found}")]
    OtherRegistry {
        /// `registry` or `chain`.
        what: &'static str,
        /// As asked for.
        expected: String,
        /// What the file says.
        found: String,
    },
}

/// Why no evidence could be collected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// The node does not answer, or does not know the image.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// There is no such block.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The image was registered after the block that was asked for.
    #[error("image {image_id} was registered in block {registered}, after block {block}")]
    NotYet {
        /// The image.
        image_id: B256,
        /// The block of its registration.
        registered: u64,
        /// The one that was asked for.
        block: u64,
    },
    /// The node's receipts are not those of the block.
    #[error("block {block}: the node's receipts have root {found}, the header says {expected}")]
    Receipts {
        /// The block.
        block: u64,
        /// As the header says.
        expected: B256,
        /// The root of the node's receipts.
        found: B256,
    },
    /// The evidence made from the node's answers does not pass the check.
    #[error("the node's answers do not prove the record: no file is written")]
    Unproven(#[from] EvidenceError),
}

impl CollectError {
    /// The kind of failure, which decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Chain(error) => error.kind(),
            Self::Audit(error) => error.kind(),
            Self::NotYet { .. } => ErrorKind::NotFound,
            Self::Receipts { .. } | Self::Unproven(_) => ErrorKind::Failure,
        }
    }
}
