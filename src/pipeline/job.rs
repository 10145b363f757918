//! A sealing on disk: what a second start needs to finish what the first one began.
//!
//! A job is a folder in the sender's state. `sealed.msl` and `sealed.keys` are written first, `job.json` last: where it stands, the
//! files are whole. After registration only `job.json` stays.

use super::{Mode, PipelineError};
use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const DESCRIPTION: &str = "job.json";
const SEALED: &str = "sealed.msl";
const CAPSULES: &str = "sealed.keys";

/// A finished sealed image on its way to the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Job {
    /// Where the file came from, for people.
    pub file_name: String,
    /// Its id.
    pub image_id: B256,
    /// Its salt.
    pub salt: B256,
    /// SHA-256 of the sealed image.
    pub content_hash: B256,
    /// SHA-256 of its public part.
    pub header_hash: B256,
    /// Its length in bytes.
    pub size: u64,
    /// Its address.
    pub cid: String,
    /// SHA-256 of the capsules.
    pub capsules_hash: B256,
    /// Their address.
    pub capsules_cid: String,
    /// Last second in which a relayer may submit the registration.
    pub deadline: u64,
    /// How it was registered, once it was.
    pub registered: Option<Registered>,
}

/// How an image was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registered {
    /// The transaction.
    pub transaction: B256,
    /// Its block.
    pub block: u64,
    /// What it cost.
    pub gas: u64,
}

/// The folder of a sender's jobs.
#[derive(Debug, Clone)]
pub struct Jobs {
    folder: PathBuf,
}

/// Names one job: the same file, sealed the same way, by the same sender, for the same registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JobKey(B256);

impl JobKey {
    pub(super) fn new(file: &[u8], mode: Mode, sender: Address, chain_id: u64, registry: Address) -> Self {
        let mode = match mode {
            Mode::Auto => 0_u8,
            Mode::Pixels => 1,
            Mode::Raw => 2,
        };
        let hash = Sha256::new_with_prefix(Sha256::digest(file))
            .chain_update([mode])
            .chain_update(sender)
            .chain_update(chain_id.to_be_bytes())
            .chain_update(registry);
        Self(B256::from_slice(&hash.finalize()))
    }
}

impl Jobs {
    /// The jobs in this folder, which is made when the first one is.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path(&self, key: JobKey, file: &str) -> PathBuf {
        self.folder.join(alloy::hex::encode(key.0)).join(file)
    }

    /// The job with this key, if it got as far as finished files.
    pub(super) fn find(&self, key: JobKey) -> Result<Option<Job>, PipelineError> {
        let path = self.path(key, DESCRIPTION);
        match std::fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map(Some).map_err(|source| PipelineError::JobDescription { path, source })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(PipelineError::JobFile { path, source }),
        }
    }

    /// Writes a job with its files.
    pub(super) fn begin(&self, key: JobKey, job: &Job, sealed: &[u8], capsules: &[u8]) -> Result<(), PipelineError> {
        write(&self.path(key, SEALED), sealed)?;
        write(&self.path(key, CAPSULES), capsules)?;
        self.describe(key, job)
    }

    /// The sealed image and the capsules of an unfinished job.
    pub(super) fn files(&self, key: JobKey) -> Result<(Vec<u8>, Vec<u8>), PipelineError> {
        let read = |file| {
            let path = self.path(key, file);
            std::fs::read(&path).map_err(|source| PipelineError::JobFile { path, source })
        };
        Ok((read(SEALED)?, read(CAPSULES)?))
    }

    /// Notes that the job was registered, and drops its files: the store has them.
    pub(super) fn finish(&self, key: JobKey, job: &Job) -> Result<(), PipelineError> {
        self.describe(key, job)?;
        for file in [SEALED, CAPSULES] {
            let path = self.path(key, file);
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(PipelineError::JobFile { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn describe(&self, key: JobKey, job: &Job) -> Result<(), PipelineError> {
        let text = serde_json::to_vec_pretty(job).expect("a job is plain JSON");
        write(&self.path(key, DESCRIPTION), &text)
    }
}

/// Writes a file whole or not at all, durably.
fn write(path: &Path, bytes: &[u8]) -> Result<(), PipelineError> {
    let folder = path.parent().expect("a file in a job's folder");
    let attempt = || {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        std::fs::File::open(folder)?.sync_all()
    };
    attempt().map_err(|source| PipelineError::JobFile { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job {
            file_name: "a.dcm".to_owned(),
            image_id: B256::repeat_byte(1),
            salt: B256::repeat_byte(2),
            content_hash: B256::repeat_byte(3),
            header_hash: B256::repeat_byte(4),
            size: 5,
            cid: "bafy".to_owned(),
            capsules_hash: B256::repeat_byte(6),
            capsules_cid: "bafk".to_owned(),
            deadline: 7,
            registered: None,
        }
    }

    #[test]
    fn a_job_is_found_by_file_mode_sender_and_registry() {
        let folder = tempfile::tempdir().expect("a folder");
        let jobs = Jobs::new(folder.path().join("jobs"));
        let (sender, registry) = (Address::repeat_byte(8), Address::repeat_byte(9));
        let key = JobKey::new(b"scan", Mode::Auto, sender, 1, registry);
        assert_eq!(jobs.find(key).expect("no job yet"), None);
        jobs.begin(key, &job(), b"sealed", b"capsules").expect("written");
        assert_eq!(jobs.find(key).expect("read"), Some(job()));
        assert_eq!(jobs.files(key).expect("read"), (b"sealed".to_vec(), b"capsules".to_vec()));
        for other in [
            JobKey::new(b"scam", Mode::Auto, sender, 1, registry),
            JobKey::new(b"scan", Mode::Raw, sender, 1, registry),
            JobKey::new(b"scan", Mode::Pixels, sender, 1, registry),
            JobKey::new(b"scan", Mode::Auto, sender, 2, registry),
            JobKey::new(b"scan", Mode::Auto, registry, 1, registry),
            JobKey::new(b"scan", Mode::Auto, sender, 1, sender),
        ] {
            assert_eq!(jobs.find(other).expect("no such job"), None);
        }
        let done = Job { registered: Some(Registered { transaction: B256::ZERO, block: 7, gas: 8 }), ..job() };
        jobs.finish(key, &done).expect("finished");
        jobs.finish(key, &done).expect("finished twice");
        assert_eq!(jobs.find(key).expect("read"), Some(done));
        assert!(matches!(jobs.files(key), Err(PipelineError::JobFile { .. })));
    }

    #[test]
    fn a_damaged_description_is_an_error_and_not_a_new_job() {
        let folder = tempfile::tempdir().expect("a folder");
        let jobs = Jobs::new(folder.path());
        let key = JobKey::new(b"scan", Mode::Auto, Address::ZERO, 1, Address::ZERO);
        jobs.begin(key, &job(), b"", b"").expect("written");
        std::fs::write(jobs.path(key, DESCRIPTION), b"{").expect("written");
        assert!(matches!(jobs.find(key), Err(PipelineError::JobDescription { .. })));
    }
}
