//! The append-only log of the keys that a key center gave out: one JSON object a line, on disk before the answer is sent.

use crate::checksummed;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use alloy::primitives::{Address, B256, keccak256};
use serde::Serialize;

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be opened, written or synced.
    #[error("the log {} cannot be written", path.display())]
    Io {
        /// The log.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It has fewer entries than were anchored on chain.
    #[error("the log {} has {found} entries, {expected} were anchored", path.display())]
    Shorter {
        /// The log.
        path: PathBuf,
        /// Number of entries that were anchored.
        expected: u64,
        /// Number of entries in the file.
        found: u64,
    },
    /// Its entries are not those whose head was anchored on chain.
    #[error("the first {seq} entries of the log {} have head {found}, {expected} was anchored", path.display())]
    Altered {
        /// The log.
        path: PathBuf,
        /// How many were anchored.
        seq: u64,
        /// Their head on chain.
        expected: B256,
        /// Theirs now.
        found: B256,
    },
}

/// How many entries a log has, and the head of the hash chain over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// How many.
    pub seq: u64,
    /// Zero before the first; then keccak256 of the head before and the keccak256 of the entry's line, without its end.
    pub head: B256,
}

/// The name on chain of the release log of a KGC.
pub fn release_log_id(kgc_id: B256) -> B256 {
    keccak256([b"medseal/v1/release-log", kgc_id.as_slice()].concat())
}

/// One entry: what was given to whom. It holds no secret and no patient data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// When, unix seconds.
    pub at: u64,
    /// `issue` or `release`.
    pub kind: &'static str,
    /// Wallet that signed the request.
    #[serde(serialize_with = "checksummed::serialize")]
    pub requester: Address,
    /// Image that it was about.
    pub image_id: B256,
    /// The KGCs that were asked.
    pub kgc_set_hash: B256,
    /// The KGC that answered.
    pub kgc_id: B256,
    /// Epoch of its key.
    pub epoch: u32,
    /// The request's EIP-712 digest.
    pub request_digest: B256,
}

/// An append-only file.
#[derive(Debug)]
pub struct ReleaseLog {
    path: PathBuf,
    file: Mutex<LogFile>,
}

#[derive(Debug)]
struct LogFile {
    file: File,
    /// Whether the last line may lack its line end, after a crash or a full disk.
    torn: bool,
}

impl ReleaseLog {
    /// Opens the log, or begins one that only its owner can read.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let open = || {
            let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                File::open(folder)?.sync_all()?;
            }
            let torn = ends_inside_a_line(&file)?;
            Ok(LogFile { file, torn })
        };
        let file = open().map_err(|source| LogError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// The log's head, after a check that the log still begins with the entries that were `anchored`. A line without a line end is not counted.
    ///
    /// # Errors
    /// [`LogError::Io`], [`LogError::Shorter`], [`LogError::Altered`].
    pub fn head_after(&self, anchored: LogHead) -> Result<LogHead, LogError> {
        let path = || self.path.clone();
        let text = std::fs::read(&self.path).map_err(|source| LogError::Io { path: path(), source })?;
        let mut now = LogHead { seq: 0, head: B256::ZERO };
        let mut then = now;
        for line in text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n")) {
            now = LogHead { seq: now.seq + 1, head: keccak256([now.head, keccak256(line)].concat()) };
            if now.seq == anchored.seq {
                then = now;
            }
        }
        if now.seq < anchored.seq {
            return Err(LogError::Shorter { path: path(), expected: anchored.seq, found: now.seq });
        }
        if then != anchored {
            let (expected, found) = (anchored.head, then.head);
            return Err(LogError::Altered { path: path(), seq: anchored.seq, expected, found });
        }
        Ok(now)
    }

    /// Appends an entry; when this returns, it is on the disk.
    ///
    /// # Errors
    /// [`LogError::Io`]; then nothing may be given out.
    pub fn append(&self, entry: &LogEntry) -> Result<(), LogError> {
        let mut log = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut append = || {
            let mut line = if log.torn { vec![b'\n'] } else { Vec::new() };
            serde_json::to_writer(&mut line, entry)?;
            line.push(b'\n');
            log.torn = true;
            log.file.write_all(&line)?;
            log.torn = false;
            log.file.sync_data()
        };
        append().map_err(|source| LogError::Io { path: self.path.clone(), source })
    }
}

fn ends_inside_a_line(mut file: &File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
