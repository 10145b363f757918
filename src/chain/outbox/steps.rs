//! The steps of a job, each from one state to the next.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, MinedTransaction, State};
use super::refusal::Refusal;
use super::used_up::is_used_up;
use crate::chain::error::ChainError;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use std::time::{Duration, Instant};

/// First and longest pause between two looks for a receipt.
const POLL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// Blocks that came without a transaction which nothing stands in front of: the nodes find it too
/// cheap.
const PASSED_OVER: u64 = 10;
/// A node may drop a transaction from its pool: it is sent again this often.
const REBROADCAST: Duration = Duration::from_secs(5);

impl Outbox {
    /// Prepared -> signed, or failed where the contract would refuse.
    pub(super) async fn sign(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<(), OutboxError> {
        // The number that was used up may be free again: then no later one could be mined before
        // it, and the old bytes are good.
        if !job.signed.is_empty() && !is_used_up(rpc, self.sender, job).await? {
            return self.table.set_state(&job.id, State::Signed, None);
        }
        let price = match self.price(rpc, &job.id, &job.transaction).await {
            Ok(price) => price,
            Err(refused) if refused.is_revert() => {
                // A reorg may have brought back bytes of this job that somebody else's had taken
                // the number of.
                if self.look(rpc, job).await? {
                    return Ok(());
                }
                self.table.set_state(&job.id, State::Failed, Some(&refused.to_string()))?;
                return Err(refused.into());
            }
            Err(ChainError::Refused { message, .. }) if Refusal::read(&message) == Refusal::NoFunds => {
                let (address, job) = (self.sender, job.id.clone());
                return Err(OutboxError::NoFunds { address, job, needed: None, message });
            }
            Err(error) => return Err(self.not_begun(job, error.into())?),
        };
        // What is refused for its price waits for nobody and takes no number.
        if let Err(error) = self.check_price(&job.id, &self.unsigned(job, 0, &price)) {
            return Err(self.not_begun(job, error)?);
        }
        let nonce = match self.next_number(rpc, &job.id).await {
            Ok(nonce) => nonce,
            Err(error) => return Err(self.not_begun(job, error)?),
        };
        self.put(wallet, job, self.unsigned(job, nonce, &price))
    }

    /// What is refused for its price, or stands behind somebody else's transaction, is not kept: a
    /// later command would sign it, for another price than its owner agreed to.
    fn not_begun(&mut self, job: &Job, error: OutboxError) -> Result<OutboxError, OutboxError> {
        let is_refused = matches!(
            error,
            OutboxError::TooDear { .. }
                | OutboxError::TooMuchGas { .. }
                | OutboxError::ForeignPending { .. }
                | OutboxError::Chain(ChainError::Fees { .. })
        );
        if is_refused && job.signed.is_empty() {
            self.table.forget(&job.id, &error.to_string())?;
        }
        Ok(error)
    }

    /// Looks for a receipt of any of the job's hashes; writes it down and returns whether there is
    /// one.
    pub(super) async fn look(&mut self, rpc: &Rpc, job: &Job) -> Result<bool, OutboxError> {
        for signed in &job.signed {
            let Some(found) = rpc.receipt(signed.hash).await? else { continue };
            let (Some(block_hash), Some(block_number)) = (found.block_hash, found.block_number) else { continue };
            let receipt = MinedTransaction {
                transaction: signed.hash,
                block_hash,
                block_number,
                gas_used: found.gas_used,
                contract: found.contract_address,
            };
            self.table.mined(&job.id, &receipt)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Broadcast -> mined, by asking again and again.
    pub(super) async fn wait(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<(), OutboxError> {
        let start = Instant::now();
        let (mut pause, mut sent) = (POLL.0, start);
        let mut job = job.clone();
        let mut since_block = None;
        while !self.look(rpc, &job).await? {
            if start.elapsed() >= self.mining_deadline {
                let (transaction, before) = (job.newest()?.hash, self.first_before(&job)?);
                return Err(OutboxError::NotMined { job: job.id, transaction, before, after: self.mining_deadline });
            }
            if sent.elapsed() >= REBROADCAST {
                sent = Instant::now();
                self.clear_the_way(rpc, wallet, &job).await?;
                let head = rpc.latest().await?.number;
                let passed_over = since_block.get_or_insert(head).saturating_add(PASSED_OVER) <= head;
                if self.first_before(&job)?.is_none() && self.make_dearer(rpc, wallet, &job, passed_over).await? {
                    (job, since_block) = (self.known(&job.id)?, None);
                }
                self.broadcast(rpc, wallet, &job).await?;
                // It may have been signed anew, and both hashes count.
                job = self.known(&job.id)?;
                if job.state != State::Broadcast {
                    return Ok(());
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(POLL.1);
        }
        Ok(())
    }
}
