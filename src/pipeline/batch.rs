//! Registering what is stored: one by one, or many under one signature.

use super::sealed::{Sealed, Unregistered};
use super::submit::submit_once;
use super::{PipelineError, Registered, SealingJob, Sender};
use crate::chain::{ChainError, MinedTransaction, Submitted};
use crate::contract::bindings::IImageRegistry::{
    Batch, IImageRegistryEvents, Item, Registration, registerBatchCall, registerCall,
};
use crate::contract::typed_data::RELAY_SECS;
use crate::kgc::KeyCenter;
use crate::storage::Store;
use alloy::primitives::{B256, keccak256};
use std::sync::Arc;
use std::time::Instant;

/// Most images of one batch, as the contract takes it.
pub const MAX_BATCH: usize = 100;

impl<K: KeyCenter, S: Store> Sender<'_, K, S> {
    /// Registers one image.
    ///
    /// # Errors
    /// [`PipelineError`]; the job stays, and a later call with the same file goes on.
    pub async fn register(&mut self, image: Unregistered) -> Result<Submitted<Sealed>, PipelineError> {
        let started = Instant::now();
        let registered = match self.registered_before(&image.job).await? {
            Some(registered) => registered,
            None => match self.register_alone(&image.job).await? {
                Submitted::Mined(registered) => registered,
                Submitted::Printed(unsent) => return Ok(Submitted::Printed(unsent)),
            },
        };
        image.finish(registered, started.elapsed()).map(Submitted::Mined)
    }

    /// Registers up to 100 images of one block each, under one signature and in one transaction.
    /// All of them or none.
    ///
    /// # Errors
    /// [`PipelineError`]; the jobs stay, and a later call with the same files goes on.
    pub async fn register_batch(&mut self, images: Vec<Unregistered>) -> Result<Submitted<Vec<Sealed>>, PipelineError> {
        let started = Instant::now();
        let mut registered = Vec::new();
        for one in &images {
            registered.push(self.registered_before(&one.job).await?);
        }
        let new = images.iter().zip(&registered).filter(|(_, before)| before.is_none());
        let items: Vec<Item> = new.map(|(one, _)| item(&one.job)).collect();
        if !items.is_empty() {
            let receipt = match self.submit_batch(items).await? {
                Submitted::Mined(receipt) => receipt,
                Submitted::Printed(unsent) => return Ok(Submitted::Printed(unsent)),
            };
            self.note_batch(&receipt, &images, &mut registered).await?;
        }
        let each = started.elapsed() / u32::try_from(images.len().max(1)).expect("at most 100");
        let done = images.into_iter().zip(registered);
        let sealed = done.map(|(one, registered)| one.finish(registered.expect("noted above"), each));
        Ok(Submitted::Mined(sealed.collect::<Result<_, _>>()?))
    }

    /// How the chain has the image already: an earlier run may have been cut off before it wrote
    /// that down.
    async fn registered_before(&self, job: &SealingJob) -> Result<Option<Registered>, PipelineError> {
        match self.check_record(job).await {
            Ok(()) => self.by_the_log(job).await.map(Some),
            Err(PipelineError::Chain(ChainError::UnknownImage { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn by_the_log(&self, job: &SealingJob) -> Result<Registered, PipelineError> {
        let place = self.registry.registration(job.image_id).await?.place;
        let (gas, images) = self.registry.cost_of(place.transaction).await?;
        let (transaction, block) = (place.transaction, place.block_number);
        Ok(Registered { transaction, block, gas: gas / images, images, anchor: None })
    }

    async fn submit_batch(&mut self, items: Vec<Item>) -> Result<Submitted, PipelineError> {
        let (registry, sender) = (self.registry, self.signers.signer.address());
        let salts: Vec<u8> = items.iter().flat_map(|item| item.salt.0).collect();
        let id = format!("batch:{}:{}:{}", registry.address(), sender, keccak256(salts));
        let deadline = registry.checked_time(self.clock.unix_secs()).await? + RELAY_SECS;
        let batch = Batch { sender, items, deadline };
        let signature = self.signers.signature(&batch, &registry.domain());
        let make = || registry.transaction(&registerBatchCall { batch, signature });
        Ok(submit_once(registry, self.outbox, &self.signers.payer, &id, make).await?)
    }

    /// Fills in how each image was registered, after the chain was asked for it.
    async fn note_batch(
        &self,
        receipt: &MinedTransaction,
        images: &[Unregistered],
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
        let count = made.len() as u64;
        for (one, registered) in images.iter().zip(registered.iter_mut()) {
            if registered.is_some() {
                continue;
            }
            self.check_record(&one.job).await?;
            *registered = Some(match made.contains(&one.job.image_id) {
                true => Registered {
                    transaction: receipt.transaction,
                    block: receipt.block_number,
                    gas: receipt.gas_used / count,
                    images: count,
                    anchor: None,
                },
                false => self.by_the_log(&one.job).await?,
            });
        }
        Ok(())
    }

    async fn register_alone(&mut self, job: &SealingJob) -> Result<Submitted<Registered>, PipelineError> {
        let (cid, capsules_cid) = job.chain_cids()?;
        let registry = self.registry;
        let registration = Registration {
            sender: self.signers.signer.address(),
            salt: job.salt,
            contentHash: job.content_hash,
            headerHash: job.header_hash,
            size: job.size,
            cid,
            capsulesHash: job.capsules_hash,
            capsulesCid: capsules_cid,
            deadline: registry.checked_time(self.clock.unix_secs()).await? + RELAY_SECS,
        };
        let signature = self.signers.signature(&registration, &registry.domain());
        let id = format!("register:{}", job.image_id);
        let make = || registry.transaction(&registerCall { registration, signature });
        let receipt = match submit_once(registry, self.outbox, &self.signers.payer, &id, make).await? {
            Submitted::Mined(receipt) => receipt,
            Submitted::Printed(unsent) => return Ok(Submitted::Printed(unsent)),
        };
        self.check_record(job).await?;
        let (transaction, block) = (receipt.transaction, receipt.block_number);
        Ok(Submitted::Mined(Registered { transaction, block, gas: receipt.gas_used, images: 1, anchor: None }))
    }

    /// Checks that the chain's record is this job's.
    pub(super) async fn check_record(&self, job: &SealingJob) -> Result<(), PipelineError> {
        let record = self.registry.record(job.image_id).await?;
        for (what, expected, found) in [
            ("content hash", record.contentHash, job.content_hash),
            ("sender", record.sender.into_word(), self.signers.signer.address().into_word()),
        ] {
            if expected != found {
                return Err(PipelineError::RecordMismatch { what, expected, found });
            }
        }
        Ok(())
    }
}

fn item(job: &SealingJob) -> Item {
    Item {
        salt: job.salt,
        contentHash: job.content_hash,
        headerHash: job.header_hash,
        capsulesHash: job.capsules_hash,
        size: job.size,
    }
}

/// What becomes of each image when the whole batch failed.
pub(super) fn each_failed(images: usize, error: PipelineError) -> impl Iterator<Item = PipelineError> {
    let source = Arc::new(error);
    (0..images).map(move |_| PipelineError::Together { images, source: Arc::clone(&source) })
}
