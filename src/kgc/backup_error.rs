//! What is wrong with a backup.

use std::path::PathBuf;

use alloy::primitives::{B256, FixedBytes};

use super::key_file::KeyFileError;
use crate::envelope::capsules::shamir::ShamirError;

/// Why a backup is not made, or gives no keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file cannot be read, others may read it, or its passphrase is not the one.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The file is no backup.
    #[error("{} is not a backup of a key center's keys", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What does not parse.
        source: serde_json::Error,
    },
    /// Another version of the file.
    #[error("expected a backup of version {expected}, found {found} in {}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version that this program reads.
        expected: u32,
        /// Its version.
        found: u32,
    },
    /// The share is not as it was made.
    #[error("the share in {} was changed or damaged", path.display())]
    ShareAltered {
        /// The file.
        path: PathBuf,
    },
    /// A share of another backup than the first.
    #[error("{} is of another backup than the first file: expected {expected}, found {found}", path.display())]
    OtherBackup {
        /// The file.
        path: PathBuf,
        /// Id and newest epoch of the first file's.
        expected: String,
        /// Id and newest epoch of this file's.
        found: String,
    },
    /// Not enough shares.
    #[error("expected {threshold} different shares of backup {backup}, found {found}")]
    TooFewShares {
        /// Id of the backup.
        backup: FixedBytes<16>,
        /// How many give its key.
        threshold: u8,
        /// How many different ones there are.
        found: usize,
    },
    /// Several files, and they are not shares.
    #[error("{} is a whole backup: expected no file beside it", path.display())]
    NotAShare {
        /// The file.
        path: PathBuf,
    },
    /// The numbers of shares cannot be.
    #[error(transparent)]
    Shares(#[from] ShamirError),
    /// It is sealed to an offline key, and that is not at hand.
    #[error("the backup is sealed to the recovery key with id {key_id}")]
    RecoveryKeyNeeded {
        /// Id of the key.
        key_id: B256,
    },
    /// The offline key is another.
    #[error("the backup is sealed to the recovery key with id {expected}, found {found}")]
    OtherRecoveryKey {
        /// Id of the key that it is sealed to.
        expected: B256,
        /// Id of the key at hand.
        found: B256,
    },
    /// The secrets do not open: some byte is another.
    #[error("the backup was changed or damaged")]
    Tampered,
    /// What was written is not what was to be backed up. It cannot be relied on.
    #[error("the backup that was made does not open to the same keys")]
    DoesNotComeBack,
}
