//! Why an audit fails.

use crate::chain::ChainError;
use crate::contract::{ErrorKind, EventError};
use alloy::primitives::{B256, FixedBytes};

/// Why an audit fails: the log is not complete and unaltered, or cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The node does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An event is missing: another one is in its place.
    #[error("event {seq} is missing: event {next} in block {block} stands in its place")]
    Missing {
        /// Number of the missing event.
        seq: u64,
        /// Number of the event in its place.
        next: u64,
        /// Its block.
        block: u64,
    },
    /// An event was changed: its word does not follow from the events before it.
    #[error("event {seq} in block {block} is altered: expected trail {expected}, found {found}")]
    Broken {
        /// Its number.
        seq: u64,
        /// Its block.
        block: u64,
        /// The word that follows from the events before it.
        expected: B256,
        /// The event's.
        found: B256,
    },
    /// A log does not decode as an event of the registry.
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
    /// An item of a batch is not its batch's: the contract makes sender and image id from the batch
    /// and the item's salt.
    #[error("event {seq} in block {block}: an item of the batch has {what} {found}, expected {expected}")]
    Item {
        /// The number of the batch's event.
        seq: u64,
        /// Its block.
        block: u64,
        /// What of it.
        what: &'static str,
        /// What the contract computes.
        expected: B256,
        /// The item's.
        found: B256,
    },
    /// The log has fewer or more events than the contract counts.
    #[error("event {} is missing: the contract counts {expected} events, the log has {found}", found + 1)]
    Incomplete {
        /// The contract's count.
        expected: u64,
        /// The log's count.
        found: u64,
    },
    /// The log has as many events as the contract counts, and another hash chain.
    #[error("after {seq} events the contract's audit head is {expected}, the log's is {found}")]
    OtherHead {
        /// How many.
        seq: u64,
        /// The contract's.
        expected: FixedBytes<26>,
        /// The log's count.
        found: FixedBytes<26>,
    },
    /// The log is complete, and the contract's storage is not what its events give.
    #[error("the contract's storage has root {expected}, the log's events give {found}")]
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
    /// Another contract's code is proven to be at the address.
    #[error("block {block}: expected code hash {expected}, found {found}")]
    OtherCode {
        /// The block.
        block: u64,
        /// As pinned.
        expected: B256,
        /// As proven.
        found: B256,
    },
    /// Two nodes have different blocks of one number.
    #[error("the nodes disagree: block {block} is {expected}, and {found} at {endpoint}")]
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
    /// A block was replaced that was too old for that.
    #[error("the chain was reorganised more than {deep} blocks deep: block {block} was {expected}, it is {found} now")]
    ReorgTooDeep {
        /// Blocks that may be replaced.
        deep: u64,
        /// Its number.
        block: u64,
        /// Its hash before.
        expected: B256,
        /// Its hash now.
        found: B256,
    },
    /// The chain was replaced while its log was read.
    #[error("the chain was reorganised while its log was read: block {block} is no longer {expected}")]
    Moved {
        /// Number of the block up to which it was read.
        block: u64,
        /// Its hash.
        expected: B256,
    },
    /// There is no such block, or it is older than the contract.
    #[error(
        "cannot audit up to block {block}: expected the registry's block {first}, the newest block {newest}, or one between"
    )]
    NoBlock {
        /// What was asked for.
        block: u64,
        /// The registry's own.
        first: u64,
        /// The newest.
        newest: u64,
    },
    /// Whoever follows the audit takes no more of its events.
    #[error("cannot write the list of events to stdout")]
    Unlisted(#[source] std::io::Error),
    /// The node does not know the block that is trusted.
    #[error("the node has no block {hash}")]
    UnknownBlock {
        /// Its hash.
        hash: B256,
    },
    /// The list cannot be written.
    #[error("cannot write {}", path.display())]
    Io {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl AuditError {
    /// The kind of failure, which decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Chain(error) => error.kind(),
            Self::NoBlock { .. } | Self::UnknownBlock { .. } => ErrorKind::NotFound,
            Self::OtherCode { .. } => ErrorKind::WrongChain,
            _ => ErrorKind::Failure,
        }
    }

    /// A log in `block` does not decode, where event `seq` was expected.
    pub fn unreadable(seq: u64, block: u64, error: EventError) -> Self {
        Self::Unreadable { seq, block, reason: error.to_string() }
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
