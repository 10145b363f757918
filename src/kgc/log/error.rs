//! Why a log does not take an entry.

use std::path::PathBuf;

use alloy::primitives::B256;

/// Why the log does not take an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be opened, written, or brought to the disk.
    #[error("the log {} cannot be written", path.display())]
    Io {
        /// The log.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It has fewer entries than it had.
    #[error("the log {} has {found} entries, {expected} were {known}", path.display())]
    Shorter {
        /// The log.
        path: PathBuf,
        /// As many were anchored or written.
        expected: u64,
        /// As many are there.
        found: u64,
        /// How that is known.
        known: Known,
    },
    /// Its entries are not those that it had.
    #[error("the first {seq} entries of the log {} have head {found}, {expected} was {known}", path.display())]
    Altered {
        /// The log.
        path: PathBuf,
        /// How many were anchored or written.
        seq: u64,
        /// Their head then.
        expected: B256,
        /// Theirs now.
        found: B256,
        /// How that is known.
        known: Known,
    },
    /// The disk did not take an entry before: what is on it is not known until the log is opened
    /// anew.
    #[error("the log {} was not brought to the disk before, so nothing more is written to it", path.display())]
    Failed {
        /// The log.
        path: PathBuf,
    },
    /// The disk takes too long, or too many entries wait for it.
    #[error("the log {} takes too long to be written", path.display())]
    Slow {
        /// The log.
        path: PathBuf,
    },
    /// Another file, or none, is under its name since it was opened.
    #[error("the log {} was removed or replaced while it was in use", path.display())]
    Replaced {
        /// The log.
        path: PathBuf,
    },
    /// What was noted of its last state is not readable as that.
    #[error("{} does not say how many entries the log had", path.display())]
    State {
        /// The file beside the log.
        path: PathBuf,
    },
}

impl LogError {
    /// The same error for another entry of the same group.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Io { path, source } => {
                Self::Io { path: path.clone(), source: std::io::Error::new(source.kind(), source.to_string()) }
            }
            Self::Shorter { path, expected, found, known } => {
                Self::Shorter { path: path.clone(), expected: *expected, found: *found, known: *known }
            }
            Self::Altered { path, seq, expected, found, known } => {
                Self::Altered { path: path.clone(), seq: *seq, expected: *expected, found: *found, known: *known }
            }
            Self::Failed { path } => Self::Failed { path: path.clone() },
            Self::Slow { path } => Self::Slow { path: path.clone() },
            Self::Replaced { path } => Self::Replaced { path: path.clone() },
            Self::State { path } => Self::State { path: path.clone() },
        }
    }
}

/// From where a head is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was anchored on chain.
    Anchored,
    /// It was written here.
    Written,
}

impl std::fmt::Display for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Anchored => "anchored",
            Self::Written => "written",
        })
    }
}
