//! A sealed file on its way: stored and read back, then registered.

use super::job::JobFolder;
use super::{PipelineError, Registered, SealingJob};
use crate::contract::shortened;
use crate::imaging::WholeReason;
use crate::storage::Cid;
use alloy::primitives::Bytes;
use std::time::Duration;

/// Most bytes of one block.
const BLOCK_BYTES: u64 = 1 << 20;

/// What a sealing is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the file, folding it, running the transformer, deriving the key.
    Key,
    /// Permuting, substituting, diffusing, and opening it once to be sure.
    Cipher,
    /// Putting it into the store and reading it back.
    Store,
    /// Registering it on chain.
    Chain,
}

/// How long the stages took; zero for those that a resumed job had behind it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// [`Stage::Key`].
    pub key: Duration,
    /// [`Stage::Cipher`].
    pub cipher: Duration,
    /// [`Stage::Store`].
    pub store: Duration,
    /// [`Stage::Chain`].
    pub chain: Duration,
}

/// A registered image.
#[derive(Debug)]
pub struct Sealed {
    /// What was sealed, stored and registered.
    pub job: SealingJob,
    /// How it was registered.
    pub registered: Registered,
    /// Whether an earlier run had registered it already, and chain and store still have it.
    pub already: bool,
    /// Why what an earlier run had made was given up, if it was.
    pub renewed: Option<&'static str>,
    /// Why it was sealed as plain bytes, where it was; unknown for a resumed job.
    pub whole: Option<WholeReason>,
    /// How long it took.
    pub timings: Timings,
}

/// A file that is sealed and stored.
pub enum StoredFile {
    /// It was registered by an earlier run.
    Registered(Box<Sealed>),
    /// It is to be registered.
    Unregistered(Box<Unregistered>),
}

/// A sealed image that is stored and was read back, and is not registered yet. Nobody else has its
/// job open.
pub struct Unregistered {
    pub(super) job: SealingJob,
    pub(super) folder: JobFolder,
    pub(super) whole: Option<WholeReason>,
    pub(super) renewed: Option<&'static str>,
    pub(super) timings: Timings,
}

impl Unregistered {
    /// Its job.
    pub fn job(&self) -> &SealingJob {
        &self.job
    }

    /// Whether sealed image and capsules are one block each, so that it can be one of a batch.
    ///
    /// # Errors
    /// [`PipelineError::Cid`].
    pub fn is_one_block(&self) -> Result<bool, PipelineError> {
        let (cid, capsules_cid) = self.job.chain_cids()?;
        Ok(self.job.size <= BLOCK_BYTES && cid.is_empty() && capsules_cid.is_empty())
    }

    pub(super) fn finish(mut self, registered: Registered, chain: Duration) -> Result<Sealed, PipelineError> {
        self.timings.chain = chain;
        self.job.registered = Some(registered.clone());
        self.folder.finish(&self.job)?;
        let Self { job, whole, renewed, timings, .. } = self;
        Ok(Sealed { job, registered, already: false, renewed, whole, timings })
    }
}

impl SealingJob {
    /// The CIDs of sealed image and capsules as they go to the chain.
    pub(super) fn chain_cids(&self) -> Result<(Bytes, Bytes), PipelineError> {
        let (cid, capsules_cid) = (self.cid.parse::<Cid>()?, self.capsules_cid.parse::<Cid>()?);
        Ok((shortened(&cid.to_bytes(), self.content_hash), shortened(&capsules_cid.to_bytes(), self.capsules_hash)))
    }
}
