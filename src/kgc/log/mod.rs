//! The append-only log of what a key center answered: one JSON object a line, on disk before the
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

mod check;
mod entry;
mod error;
mod writer;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use alloy::primitives::B256;

pub use check::{LogCheck, LogFault, check_log};
pub use entry::{Answered, LogEntry, LogHead, release_log_id};
use entry::{Continuation, Line};
pub use error::{Known, LogError};
pub use writer::LogWriter;

use crate::files::{Existing, folder_of, write_whole};

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
    /// Whether the disk failed: what is on it is not known then.
    failed: bool,
}

/// What changes with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    changed: (i64, i64),
    mode: u32,
    links: u64,
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        let changed = (file.ctime(), file.ctime_nsec());
        Self { length: file.len(), changed, mode: file.mode(), links: file.nlink() }
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
            Ok(LogFile { file, head: LogHead::EMPTY, stamp, anchored: LogHead::EMPTY, healed: 0, failed: false })
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends entries to a log that has all that it had, and all whose head was `anchored` on
    /// chain; when this returns, they are on the disk. Returns the head after each.
    ///
    /// # Errors
    /// [`LogError`]; then nothing may be given out, and none of them is in the log.
    pub fn append(&self, entries: &[&LogEntry], anchored: LogHead) -> Result<Vec<LogHead>, LogError> {
        let mut log = self.locked();
        let log = &mut *log;
        let file = log.file.try_clone().map_err(|source| self.io(source))?;
        let (_lock, now) = self.writable(log, &file)?;
        if now != log.stamp || (anchored != log.anchored && anchored != LogHead::EMPTY) {
            self.read(log, anchored)?;
        }
        let (lines, heads) = lines(log.head, entries).map_err(|source| self.io(source))?;
        let before = log.stamp.length;
        if let Err(source) = (&file).write_all(&lines) {
            // What did not find room is taken back; a log that can't be cut is not written again.
            log.failed = file.set_len(before).and_then(|()| file.sync_data()).is_err();
            log.stamp = file.metadata().map_or(log.stamp, |file| Stamp::of(&file));
            return Err(self.io(source));
        }
        // A failed sync is final: the next one may say that all is well although it is not.
        log.failed = true;
        file.sync_data().map_err(|source| self.io(source))?;
        let (head, stamp) = (heads.last().copied().unwrap_or(log.head), file.metadata());
        log.stamp = Stamp::of(&stamp.map_err(|source| self.io(source))?);
        log.head = head;
        log.failed = false;
        // Behind by some after a crash in here: the log may have more than was noted, never less.
        let noted = serde_json::to_vec(&head).map_err(std::io::Error::from);
        noted
            .and_then(|noted| write_whole(&beside(&self.path, "state"), &noted, Existing::Replace))
            .map_err(|source| self.io(source))?;
        Ok(heads)
    }

    /// Whether it can be written to now, without writing: it is there, whole and not failed.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn check(&self) -> Result<LogHead, LogError> {
        let mut log = self.locked();
        let file = log.file.try_clone().map_err(|source| self.io(source))?;
        let (_lock, now) = self.writable(&log, &file)?;
        if now != log.stamp {
            self.read(&mut log, LogHead::EMPTY)?;
        }
        Ok(log.head)
    }

    /// The log's lock and what its file is now, if it may be written to.
    fn writable<'a>(&self, log: &LogFile, file: &'a File) -> Result<(Locked<'a>, Stamp), LogError> {
        if log.failed {
            return Err(LogError::Failed { path: self.path.clone() });
        }
        let lock = self.lock(file)?;
        let now = Stamp::of(&file.metadata().map_err(|source| self.io(source))?);
        if now.mode & 0o200 == 0 {
            // An open file goes on taking entries; whoever took this right away meant it to stop.
            return Err(self.io(std::io::ErrorKind::PermissionDenied.into()));
        }
        Ok((lock, now))
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

/// The lines of these entries, and the head after each.
fn lines(mut head: LogHead, entries: &[&LogEntry]) -> std::io::Result<(Vec<u8>, Vec<LogHead>)> {
    let (mut lines, mut heads) = (Vec::new(), Vec::with_capacity(entries.len()));
    for entry in entries {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(std::io::Error::other)?;
        let salt = alloy::hex::encode(salt);
        let line = serde_json::to_vec(&Line { seq: head.seq + 1, prev: head.head, salt, entry })?;
        head = head.after(&line);
        heads.push(head);
        lines.extend_from_slice(&line);
        lines.push(b'\n');
    }
    Ok((lines, heads))
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
