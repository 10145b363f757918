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
    /// An event is missing or altered, or the node does not answer.
    #[error(transparent)]
    Log(#[from] AuditError),
    /// The chain was made anew: a development chain that was restarted.
    #[error("{} belongs to a chain whose block 0 is {expected}; the node's block 0 is {found}", path.display())]
    ChainReset {
        /// File of the watch's memory.
        path: PathBuf,
        /// Hash of block 0 when it began.
        expected: B256,
        /// Hash of block 0 now.
        found: B256,
    },
    /// No block that the memory holds is in the chain any more.
    #[error(
        "the chain was reorganised below the oldest block in the watch's memory: block {block} was {expected}, \
         it is {found} now"
    )]
    TooDeep {
        /// Number of the oldest block in the memory.
        block: u64,
        /// Its hash before.
        expected: B256,
        /// Its hash now.
        found: B256,
    },
    /// Another process watches with the same memory.
    #[error("another process is using {}", path.display())]
    Busy {
        /// File of the memory.
        path: PathBuf,
    },
    /// The memory cannot be made or locked.
    #[error("cannot open {}", path.display())]
    Io {
        /// File of the memory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The memory cannot be read or written.
    #[error("cannot read or write the watch's memory")]
    Memory(#[from] rusqlite::Error),
    /// The memory holds something that this program never writes.
    #[error("the watch's memory is damaged: expected {expected}, found {found}")]
    Damaged {
        /// What was expected.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The output that notifications are printed to is closed or full.
    #[error("cannot write a notification to the output")]
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
