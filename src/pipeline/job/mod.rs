//! A sealing on disk: what the next run needs to finish an interrupted one.
//!
//! A job is a folder in the sender's state. `sealed.msl` and `sealed.keys` are written first,
//! `job.json` last: if it is there, the files are complete. After registration only `job.json` is
//! kept, and says nothing of the file. The folder's name is made of the file's hash with a key that
//! lies beside the jobs: whoever sees the names alone (in a backup, a listing) cannot tell whether
//! a file that they have is among them.

use super::PipelineError;
use super::prepare::Mode;
use super::put::sha256;
use crate::envelope::{EnvelopeError, SealedImage};
use crate::files::{Existing, folder_of, is_draft, make_private_folder, write_whole};
use crate::storage::Cid;
use alloy::primitives::{Address, B256};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

const DESCRIPTION: &str = "job.json";
const LOCK: &str = "lock";
const SEALED: &str = "sealed.msl";
const CAPSULES: &str = "sealed.keys";

/// A sealed image, registered or on its way to the chain. All but `registered` follows from the
/// bytes of the two files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SealingJob {
    /// The image's id.
    pub image_id: B256,
    /// The image's salt.
    pub salt: B256,
    /// SHA-256 of the sealed image.
    pub content_hash: B256,
    /// SHA-256 of its public part.
    pub header_hash: B256,
    /// Length of the sealed image in bytes.
    pub size: u64,
    /// CID of the sealed image.
    pub cid: String,
    /// SHA-256 of the capsules.
    pub capsules_hash: B256,
    /// CID of the capsules.
    pub capsules_cid: String,
    /// How it was registered; `None` before.
    pub registered: Option<Registered>,
}

/// How an image was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registered {
    /// Hash of the transaction.
    pub transaction: B256,
    /// Number of its block.
    pub block: u64,
    /// Gas that it used; an equal share where the transaction registered several images.
    pub gas: u64,
    /// How many images the transaction registered or anchored.
    #[serde(default = "one")]
    pub images: u64,
    /// The anchor that holds it, where it has no record of its own yet.
    #[serde(default)]
    pub anchor: Option<Anchored>,
}

fn one() -> u64 {
    1
}

/// A Merkle root that stands for many images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Anchored {
    /// The root.
    pub root: B256,
    /// CID of the list of leaves.
    pub leaves_cid: String,
}

impl SealingJob {
    /// Returns the job of these two files, not yet registered.
    pub(super) fn of(sealed: &[u8], capsules: &[u8]) -> Result<Self, EnvelopeError> {
        let image = SealedImage::decode(sealed)?;
        let header = image.header();
        Ok(Self {
            image_id: header.image_id,
            salt: header.salt,
            content_hash: sha256(sealed),
            header_hash: header.hash().into(),
            size: sealed.len() as u64,
            cid: Cid::of(sealed).to_string(),
            capsules_hash: sha256(capsules),
            capsules_cid: Cid::of(capsules).to_string(),
            registered: None,
        })
    }
}

/// A sealed image and its capsules.
pub(super) struct SealedFiles {
    pub(super) sealed: Vec<u8>,
    pub(super) capsules: Vec<u8>,
}

/// The folder of a sender's jobs.
#[derive(Debug, Clone)]
pub struct SealingJobs {
    folder: PathBuf,
}

/// The folder of one job: one file, sealed in one way, by one sender, for one registry. It is
/// locked against other processes.
pub(super) struct JobFolder {
    path: PathBuf,
    _lock: File,
}

impl SealingJobs {
    /// The jobs in this folder, which is created with the first job.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Opens the folder of a job; fails at once if another process has it open.
    pub(super) fn open(
        &self,
        file: &[u8],
        mode: Mode,
        sender: Address,
        chain_id: u64,
        registry: Address,
    ) -> Result<JobFolder, PipelineError> {
        let mode = match mode {
            // What strictness lets through is sealed as without it.
            Mode::Auto | Mode::Strict => 0_u8,
            Mode::Pixels => 1,
            Mode::Raw => 2,
        };
        self.sweep_once();
        let key = self.key()?;
        let name = Hmac::<Sha256>::new_from_slice(key.as_slice())
            .expect("HMAC takes keys of any length")
            .chain_update(Sha256::digest(file))
            .chain_update([mode])
            .chain_update(sender)
            .chain_update(chain_id.to_be_bytes())
            .chain_update(registry)
            .finalize();
        let path = self.folder.join(alloy::hex::encode(name.into_bytes()));
        let failed = |source| PipelineError::JobFile { path: path.clone(), source };
        make_private_folder(&path).map_err(failed)?;
        let lock = File::create(path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(JobFolder { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(PipelineError::JobBusy { path }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl SealingJobs {
    /// Takes away what dead processes left in the folders of all jobs, once in a process: drafts,
    /// and the files of sealings that never came to their description.
    fn sweep_once(&self) {
        static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
        if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(self.folder.clone()) {
            self.sweep();
        }
    }

    /// What cannot be looked at stays: nothing of ours depends on it.
    fn sweep(&self) {
        for job in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let pieces = pieces(&job.path());
            if pieces.is_empty() {
                continue;
            }
            // Whoever works on the job holds its lock.
            let Ok(lock) = File::open(job.path().join(LOCK)) else { continue };
            if lock.try_lock().is_ok() {
                pieces.iter().for_each(|piece| drop(std::fs::remove_file(piece)));
            }
        }
    }

    /// The key of the folders' names, which is made with the first job.
    fn key(&self) -> Result<Zeroizing<Vec<u8>>, PipelineError> {
        let path = self.folder.with_extension("key");
        let failed = |source| PipelineError::JobFile { path: path.clone(), source };
        let read = || std::fs::read(&path).map(Zeroizing::new);
        let key = match read() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_private_folder(folder_of(&path)).map_err(failed)?;
                let mut random = Zeroizing::new([0; 32]);
                getrandom::fill(random.as_mut()).map_err(|error| failed(error.into()))?;
                let made = write_whole(&path, random.as_slice(), Existing::Keep);
                // Another process was first.
                made.or_else(|error| if error.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
                    .map_err(failed)?;
                read()
            }
            there => there,
        };
        let key = key.map_err(failed)?;
        let wrong = || std::io::Error::new(ErrorKind::InvalidData, "expected a key of 32 bytes");
        if key.len() == 32 { Ok(key) } else { Err(failed(wrong())) }
    }
}

/// Files in a job's folder that no run goes on with.
fn pieces(folder: &Path) -> Vec<PathBuf> {
    let described = folder.join(DESCRIPTION).exists();
    let is_piece =
        |name: &str| name.starts_with(".tmp") || is_draft(name) || (!described && [SEALED, CAPSULES].contains(&name));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_str().is_some_and(is_piece)).map(|entry| entry.path()).collect()
}

impl JobFolder {
    /// The job that an earlier run left, if its files are complete.
    pub(super) fn read(&self) -> Result<Option<SealingJob>, PipelineError> {
        let path = self.path.join(DESCRIPTION);
        match std::fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map(Some).map_err(|source| PipelineError::JobDescription { path, source })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(PipelineError::JobFile { path, source }),
        }
    }

    /// The files of an unfinished job; none if one is missing or is not what the job says.
    pub(super) fn files(&self, job: &SealingJob) -> Result<Option<SealedFiles>, PipelineError> {
        let read = |file| {
            let path = self.path.join(file);
            match std::fs::read(&path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(source) => Err(PipelineError::JobFile { path, source }),
            }
        };
        let (Some(sealed), Some(capsules)) = (read(SEALED)?, read(CAPSULES)?) else { return Ok(None) };
        let same = SealingJob::of(&sealed, &capsules)
            .is_ok_and(|found| found == SealingJob { registered: None, ..job.clone() });
        Ok(same.then_some(SealedFiles { sealed, capsules }))
    }

    /// Writes a job with its files.
    pub(super) fn begin(&self, job: &SealingJob, files: &SealedFiles) -> Result<(), PipelineError> {
        // Remove an older job's description first: it must not be read together with the new files.
        self.remove(DESCRIPTION)?;
        self.write(SEALED, &files.sealed)?;
        self.write(CAPSULES, &files.capsules)?;
        self.describe(job)
    }

    /// Stores that the job was registered, and deletes its files: the store has them.
    pub(super) fn finish(&self, job: &SealingJob) -> Result<(), PipelineError> {
        self.describe(job)?;
        self.remove(SEALED)?;
        self.remove(CAPSULES)
    }

    fn describe(&self, job: &SealingJob) -> Result<(), PipelineError> {
        self.write(DESCRIPTION, &serde_json::to_vec_pretty(job).expect("a job is plain JSON"))
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), PipelineError> {
        let path = self.path.join(file);
        write_whole(&path, bytes, Existing::Replace).map_err(|source| PipelineError::JobFile { path, source })
    }

    fn remove(&self, file: &str) -> Result<(), PipelineError> {
        let path = self.path.join(file);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(PipelineError::JobFile { path, source }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
