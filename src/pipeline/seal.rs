//! Sealing a file: from its bytes to its record on chain.

use super::job::{JobFolder, SealedFiles};
use super::prepare::prepare;
use super::put::put_and_read_back;
use super::sealed::{Sealed, Stage, StoredFile, Timings, Unregistered};
use super::{Mode, PipelineError, Registered, SealingJob, SealingJobs, Signers};
use crate::chain::{ChainError, Outbox, Registry};
use crate::clock::Clock;
use crate::envelope::capsules::Capsules;
use crate::imaging::Limits;
use crate::keygen::Vit;
use crate::kgc::{KeyCenter, KeyCenters};
use crate::storage::{PinState, Store};
use std::time::Instant;

/// A file to be sealed.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name, for the encrypted description.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// How it is sealed.
    pub mode: Mode,
    /// Whether it is sealed anew although it was registered before.
    pub again: bool,
}

/// A sender and everything that it seals with.
pub struct Sender<'a, K, S> {
    /// Where it registers.
    pub registry: &'a Registry,
    /// The images' sender, and who pays for the transactions.
    pub signers: &'a Signers,
    /// The payer's outbox.
    pub outbox: &'a mut Outbox,
    /// The Key Generation Centers.
    pub key_centers: &'a KeyCenters<K>,
    /// Where the ciphertext goes.
    pub store: &'a S,
    /// The transformer.
    pub vit: &'a mut Vit,
    /// Its unfinished and finished jobs.
    pub jobs: &'a SealingJobs,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// How large a file may be.
    pub limits: &'a Limits,
}

/// What an earlier run left of a job.
enum Left {
    /// Nothing, or nothing that can be gone on with, for this reason.
    Nothing(Option<&'static str>),
    /// Finished files that are not registered.
    Files(SealingJob, SealedFiles),
    /// A record on chain, or an anchor that holds it, with its bytes in the store.
    Record(SealingJob, Registered),
}

impl<K: KeyCenter, S: Store> Sender<'_, K, S> {
    /// Seals one file, stores it and reads it back, so that it can be registered; finishes what an
    /// earlier run began with the same file.
    ///
    /// # Errors
    /// [`PipelineError`]; a later call with the same file goes on from where this one stopped.
    pub async fn store(
        &mut self,
        source: &Source<'_>,
        progress: &(dyn Fn(Stage) + Sync),
    ) -> Result<StoredFile, PipelineError> {
        if source.mode == Mode::Strict {
            // An earlier run, less strict, may have sealed it.
            prepare(source.bytes, source.name, source.mode, self.limits)?;
        }
        let (chain_id, registry) = (self.registry.chain_id(), self.registry.address());
        let folder = self.jobs.open(source.bytes, source.mode, self.signers.signer.address(), chain_id, registry)?;
        let (mut timings, mut whole, mut renewed) = (Timings::default(), None, None);
        let (job, files) = match self.left(&folder, source.again).await? {
            Left::Record(job, registered) => {
                folder.finish(&job)?;
                let sealed = Sealed { job, registered, already: true, renewed, whole, timings };
                return Ok(StoredFile::Registered(Box::new(sealed)));
            }
            Left::Files(job, files) => (job, files),
            Left::Nothing(reason) => {
                let made = self.make(source, progress, &mut timings).await?;
                folder.begin(&made.job, &made.files)?;
                (whole, renewed) = (made.whole, reason);
                (made.job, made.files)
            }
        };

        progress(Stage::Store);
        let started = Instant::now();
        put_and_read_back(self.store, &files.sealed, job.cid.parse()?, job.content_hash).await?;
        put_and_read_back(self.store, &files.capsules, job.capsules_cid.parse()?, job.capsules_hash).await?;
        timings.store = started.elapsed();
        Ok(StoredFile::Unregistered(Box::new(Unregistered { job, folder, whole, renewed, timings })))
    }

    /// What an earlier run left, after chain and store were asked: a file on disk says nothing
    /// about them.
    async fn left(&self, folder: &JobFolder, again: bool) -> Result<Left, PipelineError> {
        let Some(mut job) = folder.read()? else { return Ok(Left::Nothing(None)) };
        let Some(registered) = job.registered.clone() else {
            let files = match folder.files(&job)? {
                Some(files) => Some(files),
                None => self.stored(&job).await?,
            };
            return self.unfinished(job, files).await;
        };
        if again {
            return Ok(Left::Nothing(None));
        }
        let stored = self.stored(&job).await?;
        match (self.check_registered(&job, &registered).await, stored) {
            (Ok(()), Some(_)) => Ok(Left::Record(job, registered)),
            (Ok(()), None) => Ok(Left::Nothing(Some("the store had lost what was registered"))),
            (Err(PipelineError::Chain(ChainError::UnknownImage { .. })), stored) => {
                job.registered = None;
                self.unfinished(job, stored).await
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Checks that chain and store have the record, or the anchor that holds the image; else it is
    /// an unknown image.
    async fn check_registered(&self, job: &SealingJob, registered: &Registered) -> Result<(), PipelineError> {
        match (self.check_record(job).await, &registered.anchor) {
            (Err(PipelineError::Chain(ChainError::UnknownImage { .. })), Some(anchored))
                if self.is_anchored(job, anchored).await? =>
            {
                Ok(())
            }
            (checked, _) => checked,
        }
    }

    /// Files that are still to be registered, unless they are damaged or the KGC could not open
    /// them.
    async fn unfinished(&self, job: SealingJob, files: Option<SealedFiles>) -> Result<Left, PipelineError> {
        let Some(files) = files else { return Ok(Left::Nothing(Some("the unfinished files were damaged or gone"))) };
        if !self.is_current(&Capsules::decode(&files.capsules)?).await? {
            return Ok(Left::Nothing(Some("the KGC had another key when the unfinished files were made")));
        }
        Ok(Left::Files(job, files))
    }

    /// The two files of a job as the store has them; none if it has not, or has something else.
    async fn stored(&self, job: &SealingJob) -> Result<Option<SealedFiles>, PipelineError> {
        let mut files = Vec::new();
        for (cid, hash) in [(&job.cid, job.content_hash), (&job.capsules_cid, job.capsules_hash)] {
            let cid = cid.parse()?;
            match self.store.get(&cid, &hash).await {
                Ok(bytes) => {
                    // What is whole and not kept, or not at as many nodes as it should, is put
                    // again.
                    if self.store.pin_state(&cid).await? != PinState::Pinned {
                        self.store.put(&bytes).await?;
                    }
                    files.push(bytes);
                }
                Err(error) if error.says_nothing() => return Err(error.into()),
                Err(_) => return Ok(None),
            }
        }
        Ok(files.pop().zip(files.pop()).map(|(capsules, sealed)| SealedFiles { sealed, capsules }))
    }
}
