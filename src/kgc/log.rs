//! The append-only log of what a key center gave out: one JSON object a line, on disk before the
//! answer leaves.
//!
//! ```text
//! release.log         the entries
//! release.log.state   how many there are, and their head: the log is compared with it when opened
//! release.log.torn    what a crash left of a last line; nothing was given for it
//! ```
//! A log that was lost begins anew after the last head that is known, and its first line says so.
//! Several processes may have one log open: the file is locked while it is looked at or written.
//! Nothing is given out after the file was removed, replaced, cut short or changed, by whoever can
//! write to it.

use crate::checksummed;
use crate::files::{Existing, folder_of, write_whole};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use alloy::primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

use super::error::{Known, LogError};

/// How many entries a log has, and the head of the hash chain over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// How many.
    pub seq: u64,
    /// Zero before the first; then keccak256 of the head before and the keccak256 of the entry's
    /// line, without its end.
    pub head: B256,
}

impl LogHead {
    /// The head of a log without entries.
    pub const EMPTY: Self = Self { seq: 0, head: B256::ZERO };

    fn after(self, line: &[u8]) -> Self {
        Self { seq: self.seq + 1, head: keccak256([self.head, keccak256(line)].concat()) }
    }
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

/// The first line of a log that begins anew, because the one before it was lost.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Continuation {
    /// When, unix seconds.
    at: u64,
    /// `continued`.
    kind: String,
    /// How many entries were there before it.
    seq: u64,
    /// Their head.
    head: B256,
}

impl Continuation {
    const KIND: &'static str = "continued";

    /// The head before a log whose first line this is.
    fn before(line: &[u8]) -> LogHead {
        match serde_json::from_slice::<Self>(line) {
            Ok(Self { kind, seq, head, .. }) if kind == Self::KIND => LogHead { seq, head },
            _ => LogHead::EMPTY,
        }
    }
}

/// An append-only file.
#[derive(Debug)]
pub struct ReleaseLog {
    path: PathBuf,
    log: Mutex<LogFile>,
}

#[derive(Debug)]
struct LogFile {
    file: File,
    /// Its entries when it was last read or written.
    head: LogHead,
    /// The file then.
    stamp: Stamp,
    /// The last head on chain that it was compared with.
    anchored: LogHead,
    /// Bytes of last lines that were put aside.
    healed: u64,
}

/// What changes with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self { length: file.len(), changed: (file.ctime(), file.ctime_nsec()) }
    }
}

/// The log's lock, for as long as this lives.
struct Locked<'a>(&'a File);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // The end of the process gives it back at the latest.
        let _ = self.0.unlock();
    }
}

impl ReleaseLog {
    /// Opens the log, or begins one that only its owner can read. A last line that a crash left
    /// without its end is put aside.
    ///
    /// # Errors
    /// [`LogError::Io`], [`LogError::State`]; [`LogError::Shorter`], [`LogError::Altered`] where it
    /// has not the entries that it had.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let open = || {
            let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
            File::open(folder_of(path))?.sync_all()?;
            let stamp = Stamp::of(&file.metadata()?);
            Ok(LogFile { file, head: LogHead::EMPTY, stamp, anchored: LogHead::EMPTY, healed: 0 })
        };
        let log = open().map_err(|source| LogError::Io { path: path.to_owned(), source })?;
        let this = Self { path: path.to_owned(), log: Mutex::new(log) };
        {
            let mut log = this.locked();
            let log = &mut *log;
            let file = log.file.try_clone().map_err(|source| this.io(source))?;
            let _lock = this.lock(&file)?;
            log.head = this.state()?;
            this.read(log, LogHead::EMPTY)?;
        }
        Ok(this)
    }

    /// Begins a log anew after the head that was `anchored` last: the one before it is lost, or is
    /// not what it was. What is there of it, and of its state, is kept under names that end in
    /// `.lost-SECONDS`.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn begin_anew(path: &Path, anchored: LogHead, now_unix_secs: u64) -> Result<Self, LogError> {
        let continuation = Continuation {
            at: now_unix_secs,
            kind: Continuation::KIND.to_owned(),
            seq: anchored.seq,
            head: anchored.head,
        };
        let begin = || {
            for file in [path.to_owned(), beside(path, "state")] {
                match std::fs::rename(&file, beside(&file, &format!("lost-{now_unix_secs}"))) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            let mut line = serde_json::to_vec(&continuation)?;
            line.push(b'\n');
            write_whole(path, &line, Existing::Keep)
        };
        begin().map_err(|source| LogError::Io { path: path.to_owned(), source })?;
        Self::open(path)
    }

    /// How many bytes of a last line without an end were put aside since it was opened.
    pub fn healed(&self) -> u64 {
        self.locked().healed
    }

    /// The log's head, after its beginning was found to be what was `anchored` before.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn head_after(&self, anchored: LogHead) -> Result<LogHead, LogError> {
        let mut log = self.locked();
        let file = log.file.try_clone().map_err(|source| self.io(source))?;
        let _lock = self.lock(&file)?;
        self.read(&mut log, anchored)?;
        Ok(log.head)
    }

    /// Appends an entry to a log that has all that it had, and all whose head was `anchored` on
    /// chain; when this returns, it is on the disk.
    ///
    /// # Errors
    /// [`LogError`]; then nothing may be given out.
    pub fn append(&self, entry: &LogEntry, anchored: LogHead) -> Result<(), LogError> {
        let mut log = self.locked();
        let log = &mut *log;
        let file = log.file.try_clone().map_err(|source| self.io(source))?;
        let _lock = self.lock(&file)?;
        let now = file.metadata().map_err(|source| self.io(source))?;
        if Stamp::of(&now) != log.stamp || (anchored != log.anchored && anchored != LogHead::EMPTY) {
            self.read(log, anchored)?;
        }
        let mut append = || {
            let mut line = serde_json::to_vec(entry)?;
            let head = log.head.after(&line);
            line.push(b'\n');
            (&file).write_all(&line)?;
            file.sync_data()?;
            log.stamp = Stamp::of(&file.metadata()?);
            log.head = head;
            // Behind by one after a crash in here: the log may have more than was noted, never
            // less.
            write_whole(&beside(&self.path, "state"), &serde_json::to_vec(&head)?, Existing::Replace)
        };
        append().map_err(|source| self.io(source))
    }

    fn locked(&self) -> MutexGuard<'_, LogFile> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn io(&self, source: std::io::Error) -> LogError {
        LogError::Io { path: self.path.clone(), source }
    }

    /// Waits until no other process has the log, and looks whether it is still the one under its
    /// name.
    fn lock<'a>(&self, file: &'a File) -> Result<Locked<'a>, LogError> {
        file.lock().map_err(|source| self.io(source))?;
        let lock = Locked(file);
        let held = file.metadata().map_err(|source| self.io(source))?;
        match std::fs::metadata(&self.path) {
            Ok(named) if (named.dev(), named.ino()) == (held.dev(), held.ino()) => Ok(lock),
            Ok(_) => Err(LogError::Replaced { path: self.path.clone() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(LogError::Replaced { path: self.path.clone() })
            }
            Err(source) => Err(self.io(source)),
        }
    }

    /// What was noted of the log; of an empty one where nothing was.
    fn state(&self) -> Result<LogHead, LogError> {
        let path = beside(&self.path, "state");
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|_| LogError::State { path }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(LogHead::EMPTY),
            Err(source) => Err(LogError::Io { path, source }),
        }
    }

    /// Reads the whole log, which must begin with the entries that it is known to have had, and
    /// puts aside what follows its last whole line.
    fn read(&self, log: &mut LogFile, anchored: LogHead) -> Result<(), LogError> {
        let (written, marks) = (log.head, [(log.head, Known::Written), (anchored, Known::Anchored)]);
        let (now, then, whole) = heads(&log.file, [written.seq, anchored.seq]).map_err(|source| self.io(source))?;
        for ((mark, known), found) in marks.into_iter().zip(then) {
            let path = self.path.clone();
            if now.seq < mark.seq {
                return Err(LogError::Shorter { path, expected: mark.seq, found: now.seq, known });
            }
            if found != mark.head {
                return Err(LogError::Altered { path, seq: mark.seq, expected: mark.head, found, known });
            }
        }
        log.healed += self.heal(&log.file, whole).map_err(|source| self.io(source))?;
        let metadata = log.file.metadata().map_err(|source| self.io(source))?;
        (log.head, log.stamp) = (now, Stamp::of(&metadata));
        if anchored != LogHead::EMPTY {
            log.anchored = anchored;
        }
        Ok(())
    }

    /// Puts aside what stands after the first `whole` bytes: a line that a crash, or a full disk,
    /// cut. Returns how many bytes.
    fn heal(&self, mut file: &File, whole: u64) -> std::io::Result<u64> {
        let torn = file.metadata()?.len().saturating_sub(whole);
        if torn == 0 {
            return Ok(0);
        }
        let mut rest = Vec::new();
        file.seek(SeekFrom::Start(whole))?;
        file.read_to_end(&mut rest)?;
        rest.push(b'\n');
        let mut aside = OpenOptions::new().append(true).create(true).mode(0o600).open(beside(&self.path, "torn"))?;
        aside.write_all(&rest)?;
        aside.sync_all()?;
        file.set_len(whole)?;
        file.sync_all()?;
        Ok(torn)
    }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".{what}"));
    name.into()
}

/// The head of a log now, its heads after so many entries, and the bytes of its whole lines. A line
/// without an end does not count.
fn heads(mut file: &File, after: [u64; 2]) -> std::io::Result<(LogHead, [B256; 2], u64)> {
    let (mut now, mut then, mut whole) = (LogHead::EMPTY, [B256::ZERO; 2], 0);
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    let (mut lines, mut line) = (BufReader::new(file.take(length)), Vec::new());
    while lines.read_until(b'\n', &mut line)? > 0 {
        let Some(entry) = line.strip_suffix(b"\n") else { break };
        if whole == 0 {
            now = Continuation::before(entry);
            for (seq, head) in after.iter().zip(&mut then) {
                if now.seq == *seq {
                    *head = now.head;
                }
            }
        }
        now = now.after(entry);
        whole += line.len() as u64;
        for (seq, head) in after.iter().zip(&mut then) {
            if now.seq == *seq {
                *head = now.head;
            }
        }
        line.clear();
    }
    Ok((now, then, whole))
}
