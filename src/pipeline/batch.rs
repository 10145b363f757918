//! Registering what is stored: one by one, or many under one signature.

use super::job::JobFolder;
use super::submit::submit_once;
use super::{Job, PipelineError, Registered, Sealed, Sender, Timings};
use crate::chain::sign;
use crate::chain::{ChainError, Receipt};
use crate::contract::bindings::IImageRegistry::{
    Batch, IImageRegistryEvents, Item, Registration, registerBatchCall, registerCall,
};
use crate::contract::shortened;
use crate::contract::typed_data::{RELAY_SECS, Signable};
use crate::imaging::WholeReason;
use crate::kgc::KeyCenter;
use crate::storage::{Cid, Store};
use alloy::primitives::{B256, Bytes, keccak256};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most images of one batch, as the contract takes it.
pub const MAX_BATCH: usize = 100;
/// Most bytes of one block.
const BLOCK_BYTES: u64 = 1 << 20;

/// How far a file has come.
pub enum Step {
    /// It was sealed and registered by an earlier run.
    Done(Box<Sealed>),
    /// It is stored, and is to be registered.
    Waiting(Box<Waiting>),
}

/// A sealed image that is stored and was read back, and is not registered yet. Nobody else has its job open.
pub struct Waiting {
    pub(super) job: Job,
    pub(super) folder: JobFolder,
    pub(super) whole: Option<WholeReason>,
    pub(super) renewed: Option<&'static str>,
    pub(super) timings: Timings,
}

impl Waiting {
    /// Its job.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Why it is sealed as plain bytes, where it is; unknown for what an earlier run had sealed.
    pub fn whole(&self) -> Option<&WholeReason> {
        self.whole.as_ref()
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

impl Job {
    /// The CIDs of sealed image and capsules as they go to the chain.
    pub(super) fn chain_cids(&self) -> Result<(Bytes, Bytes), PipelineError> {
        let (cid, capsules_cid) = (self.cid.parse::<Cid>()?, self.capsules_cid.parse::<Cid>()?);
        Ok((shortened(&cid.to_bytes(), self.content_hash), shortened(&capsules_cid.to_bytes(), self.capsules_hash)))
    }
}

impl<K: KeyCenter, S: Store> Sender<'_, K, S> {
    /// Registers one image.
    ///
    /// # Errors
    /// [`PipelineError`]; the job stays, and a later call with the same file goes on.
    pub async fn register(&mut self, waiting: Waiting) -> Result<Sealed, PipelineError> {
        let started = Instant::now();
        let registered = match self.registered_before(&waiting.job).await? {
            Some(registered) => registered,
            None => self.register_alone(&waiting.job).await?,
        };
        waiting.finish(registered, started.elapsed())
    }

    /// Registers up to 100 images of one block each, under one signature and in one transaction. All of them or none.
    ///
    /// # Errors
    /// [`PipelineError`]; the jobs stay, and a later call with the same files goes on.
    pub async fn register_batch(&mut self, waiting: Vec<Waiting>) -> Result<Vec<Sealed>, PipelineError> {
        let started = Instant::now();
        let mut registered = Vec::new();
        for one in &waiting {
            registered.push(self.registered_before(&one.job).await?);
        }
        let new = waiting.iter().zip(&registered).filter(|(_, before)| before.is_none());
        let items: Vec<Item> = new.map(|(one, _)| item(&one.job)).collect();
        if !items.is_empty() {
            let receipt = self.submit_batch(items).await?;
            self.note_batch(&receipt, &waiting, &mut registered).await?;
        }
        let each = started.elapsed() / u32::try_from(waiting.len().max(1)).expect("at most 100");
        let done = waiting.into_iter().zip(registered);
        done.map(|(one, registered)| one.finish(registered.expect("noted above"), each)).collect()
    }

    /// How the chain has the image already: an earlier run may have been cut off before it wrote that down.
    async fn registered_before(&self, job: &Job) -> Result<Option<Registered>, PipelineError> {
        match self.check_record(job).await {
            Ok(()) => self.by_the_log(job).await.map(Some),
            Err(PipelineError::Chain(ChainError::UnknownImage { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn by_the_log(&self, job: &Job) -> Result<Registered, PipelineError> {
        let place = self.registry.registration(job.image_id).await?.place;
        let (gas, images) = self.registry.cost_of(place.transaction).await?;
        let (transaction, block) = (place.transaction, place.block_number);
        Ok(Registered { transaction, block, gas: gas / images, images, anchor: None })
    }

    async fn submit_batch(&mut self, items: Vec<Item>) -> Result<Receipt, PipelineError> {
        let (registry, wallet, submitter) = (self.registry, self.wallet, self.submitter);
        let salts: Vec<u8> = items.iter().flat_map(|item| item.salt.0).collect();
        let id = format!("batch:{}:{}:{}", registry.address(), wallet.address(), keccak256(salts));
        let batch = Batch { sender: wallet.address(), items, deadline: self.clock.unix_secs() + RELAY_SECS };
        let signature = self.signature(&batch);
        let make = || registry.transaction(&registerBatchCall { batch, signature });
        Ok(submit_once(registry, self.outbox, submitter, &id, make).await?)
    }

    /// Fills in how each image was registered, after the chain was asked for it.
    async fn note_batch(
        &self,
        receipt: &Receipt,
        waiting: &[Waiting],
        registered: &mut [Option<Registered>],
    ) -> Result<(), PipelineError> {
        let events = self.registry.events_of(receipt).await?;
        let made: Vec<B256> = events
            .iter()
            .filter_map(|event| match &event.event {
                IImageRegistryEvents::RegisteredInBatch(item) => Some(item.imageId),
                _ => None,
            })
            .collect();
        let images = made.len() as u64;
        for (one, registered) in waiting.iter().zip(registered.iter_mut()) {
            if registered.is_some() {
                continue;
            }
            self.check_record(&one.job).await?;
            *registered = Some(match made.contains(&one.job.image_id) {
                true => Registered {
                    transaction: receipt.transaction,
                    block: receipt.block_number,
                    gas: receipt.gas_used / images,
                    images,
                    anchor: None,
                },
                false => self.by_the_log(&one.job).await?,
            });
        }
        Ok(())
    }

    async fn register_alone(&mut self, job: &Job) -> Result<Registered, PipelineError> {
        let (cid, capsules_cid) = job.chain_cids()?;
        let (registry, submitter) = (self.registry, self.submitter);
        let registration = Registration {
            sender: self.wallet.address(),
            salt: job.salt,
            contentHash: job.content_hash,
            headerHash: job.header_hash,
            size: job.size,
            cid,
            capsulesHash: job.capsules_hash,
            capsulesCid: capsules_cid,
            deadline: self.clock.unix_secs() + RELAY_SECS,
        };
        let signature = self.signature(&registration);
        let id = format!("register:{}", job.image_id);
        let make = || registry.transaction(&registerCall { registration, signature });
        let receipt = submit_once(registry, self.outbox, submitter, &id, make).await?;
        self.check_record(job).await?;
        let (transaction, block) = (receipt.transaction, receipt.block_number);
        Ok(Registered { transaction, block, gas: receipt.gas_used, images: 1, anchor: None })
    }

    /// The sender's signature where a relayer submits; none where the transaction is its own.
    pub(super) fn signature(&self, message: &impl Signable) -> Bytes {
        match self.submitter.address() == self.wallet.address() {
            true => Bytes::new(),
            false => sign(message, &self.registry.domain(), self.wallet),
        }
    }

    /// Checks that the chain's record is this job's.
    pub(super) async fn check_record(&self, job: &Job) -> Result<(), PipelineError> {
        let record = self.registry.record(job.image_id).await?;
        for (what, expected, found) in [
            ("content hash", record.contentHash, job.content_hash),
            ("sender", record.sender.into_word(), self.wallet.address().into_word()),
        ] {
            if expected != found {
                return Err(PipelineError::RecordMismatch { what, expected, found });
            }
        }
        Ok(())
    }
}

fn item(job: &Job) -> Item {
    Item {
        salt: job.salt,
        contentHash: job.content_hash,
        headerHash: job.header_hash,
        capsulesHash: job.capsules_hash,
        size: job.size,
    }
}

/// What becomes of each image when the whole batch failed.
pub fn each_failed(images: usize, error: PipelineError) -> impl Iterator<Item = PipelineError> {
    let source = Arc::new(error);
    (0..images).map(move |_| PipelineError::Together { images, source: Arc::clone(&source) })
}
