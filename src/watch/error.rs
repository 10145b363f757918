//! Why a watch ends.

use crate::audit::AuditError;
use crate::chain::ChainError;
use crate::contract::ErrorKind;
use alloy::primitives::B256;
use std::path::PathBuf;

/// Why a watch does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The log is not whole, or the node does not answer.
    #[error(transparent)]
    Log(#[from] AuditError),
    /// The chain is another one now: it was made anew.
    #[error("{} is of the chain with block 0 {expected}, this one has {found}", path.display())]
    ChainReset {
        /// The memory of the watch.
        path: PathBuf,
        /// Hash of block 0 when it began.
        expected: B256,
        /// Hash of block 0 now.
        found: B256,
    },
    /// No block that is remembered is in the chain any more.
    #[error("the chain was replaced deeper than is remembered: block {block} was {expected}, it is {found} now")]
    TooDeep {
        /// Number of the oldest block that is remembered.
        block: u64,
        /// Its hash before.
        expected: B256,
        /// Its hash now.
        found: B256,
    },
    /// Another process watches with the same memory.
    #[error("another process watches with {}", path.display())]
    Busy {
        /// The memory.
        path: PathBuf,
    },
    /// The memory cannot be made or locked.
    #[error("cannot open {}", path.display())]
    Io {
        /// The memory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The memory cannot be read or written.
    #[error("the memory of the watch fails")]
    Memory(#[from] rusqlite::Error),
    /// The memory is not as it was written.
    #[error("the memory of the watch is damaged: expected {expected}, found {found}")]
    Damaged {
        /// What was expected.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Nobody takes what is told any more.
    #[error("what was to be told could not be written")]
    Untold(#[source] std::io::Error),
}

impl From<ChainError> for WatchError {
    fn from(error: ChainError) -> Self {
        Self::Log(error.into())
    }
}

impl WatchError {
    /// What it means to whoever called.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Log(error) => error.kind(),
            Self::ChainReset { .. } => ErrorKind::WrongChain,
            _ => ErrorKind::Failure,
        }
    }
}
