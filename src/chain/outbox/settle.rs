//! Mined -> final: how deep a transaction lies in the chain, and what follows if its block is gone.

use super::error::OutboxError;
use super::job::{Job, MinedTransaction, State};
use super::{Confirmation, Outbox, Waiting};
use crate::chain::error::ChainError;
use crate::chain::head::{Profile, Wait};
use crate::chain::rpc::Rpc;
use crate::contract::Revert;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::Bytes;
use std::time::{Duration, Instant};

/// First and longest pause between two looks at what is mined.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Where a mined transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Deep enough.
    Enough,
    /// Not as deep as is waited for: the newest block that is; 0 if none is.
    Shallow(u64),
    /// In another block than before, or in none.
    Moved,
}

impl Outbox {
    /// Waits until a mined job is as deep as `wait` says; returns `false` if its block is gone.
    pub(super) async fn deepen(
        &mut self,
        rpc: &Rpc,
        job: &Job,
        receipt: &MinedTransaction,
        wanted: Wait,
    ) -> Result<bool, OutboxError> {
        let (start, mut pause) = (Instant::now(), PAUSE.0);
        loop {
            let reached = match self.settle(rpc, job, wanted).await? {
                Depth::Enough => return Ok(true),
                Depth::Moved => return Ok(false),
                Depth::Shallow(reached) => reached,
            };
            let (block, since) = (receipt.block_number, start.elapsed());
            if since >= self.final_deadline {
                let (job, transaction, after) = (job.id.clone(), receipt.transaction, self.final_deadline);
                return Err(OutboxError::NotFinal { job, transaction, block, wanted, reached, after });
            }
            if let Some(observer) = &self.observer {
                observer(&Waiting::Depth(Confirmation { job: &job.id, block, wanted, reached, since }));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Looks once at a mined job. Mined -> final or failed, where its block stays; back to signed,
    /// where it is gone.
    pub(super) async fn settle(&mut self, rpc: &Rpc, job: &Job, wait: Wait) -> Result<Depth, OutboxError> {
        let Some(receipt) = job.receipt else {
            return Err(OutboxError::Damaged { what: format!("job {} is mined without a receipt", job.id) });
        };
        // Asked before the receipt: what was final then is not gone by the time that the receipt
        // comes.
        let (is_final, reached) = reached(rpc, self.profile, receipt.block_number, wait).await?;
        let found = match rpc.receipt(receipt.transaction).await? {
            Some(found) if found.block_hash == Some(receipt.block_hash) => found,
            _ => {
                // It may be in another block, under this hash or an older one; else it is sent
                // again.
                if !self.look(rpc, job).await? {
                    self.table.set_state(&job.id, State::Signed, None)?;
                }
                return Ok(Depth::Moved);
            }
        };
        if !is_final && reached.is_some_and(|reached| reached < receipt.block_number) {
            return Ok(Depth::Shallow(reached.unwrap_or(0)));
        }
        if job.is_cancel(receipt.transaction)? {
            return Err(self.end_cancelled(job, receipt.transaction, is_final)?);
        }
        if !found.status() {
            return Err(self.reverted(rpc, job, &receipt, is_final).await?);
        }
        if is_final {
            self.table.set_state(&job.id, State::Final, None)?;
        }
        Ok(Depth::Enough)
    }

    /// How a job failed.
    pub(super) async fn failed(
        &mut self,
        rpc: &Rpc,
        job: &Job,
        receipt: Option<MinedTransaction>,
    ) -> Result<OutboxError, OutboxError> {
        match receipt {
            Some(receipt) if job.is_cancel(receipt.transaction)? => self.end_cancelled(job, receipt.transaction, true),
            Some(receipt) => self.reverted(rpc, job, &receipt, true).await,
            None => {
                let reason = job.reason.clone().unwrap_or_default();
                Ok(OutboxError::Failed { job: job.id.clone(), reason })
            }
        }
    }

    /// The error of a transaction that changed nothing. As long as its block may go, and its number
    /// be free again, the job stays open.
    async fn reverted(
        &mut self,
        rpc: &Rpc,
        job: &Job,
        receipt: &MinedTransaction,
        is_final: bool,
    ) -> Result<OutboxError, OutboxError> {
        // The receipt does not say why; the same call does, if nothing has changed since.
        let reason = match rpc.call(self.request(&job.transaction), BlockId::latest()).await {
            Err(ChainError::Revert(reason)) => reason,
            _ => Box::new(Revert::Unknown(Bytes::new())),
        };
        let reverted = OutboxError::Reverted { transaction: receipt.transaction, reason };
        if is_final {
            self.table.set_state(&job.id, State::Failed, Some(&reverted.to_string()))?;
        }
        Ok(reverted)
    }
}

/// Whether a block is final, and the newest block that is as deep as `wait` says; none where every
/// mined one is.
async fn reached(rpc: &Rpc, profile: Profile, block: u64, wait: Wait) -> Result<(bool, Option<u64>), ChainError> {
    if profile == Profile::Development {
        return Ok((true, None));
    }
    let number = |header: Option<alloy::rpc::types::Header>| header.map_or(0, |header| header.number);
    let finalized = match rpc.settled(BlockNumberOrTag::Finalized).await {
        Ok(header) => number(header),
        // Who does not wait for it does without it.
        Err(ChainError::NoFinality { .. }) if wait != Wait::Finalized => 0,
        Err(error) => return Err(error),
    };
    let is_final = block <= finalized;
    let reached = match wait {
        Wait::Mined => None,
        Wait::Safe if !is_final => Some(number(rpc.settled(BlockNumberOrTag::Safe).await?)),
        _ => Some(finalized),
    };
    Ok((is_final, reached))
}
