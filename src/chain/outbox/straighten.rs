//! What an earlier run signed, by the word of whichever node it had, is compared with the chain
//! before it is sent again: gas that can't do, a tip that nobody gives, a number that is not next.

use super::error::OutboxError;
use super::job::{Job, State};
use super::signing::last_signed;
use super::{Outbox, Waiting};
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use std::time::{Duration, Instant};

/// Pause between two looks whether somebody else's transaction has gone.
const PAUSE: Duration = Duration::from_millis(500);

impl Outbox {
    /// Goes through what waits for its block, lowest number first, and up to this job signs anew
    /// what the chain does not bear out: with fresh gas and fees, and with the number that is free.
    /// Bytes that the node has are left, but for those behind a number that nobody has used. All
    /// that was ever signed for a job is looked for; the chain takes one for each number.
    ///
    /// # Errors
    /// As [`Outbox::send`]; [`OutboxError::Behind`] where it is another job than `id` that can't be
    /// signed.
    pub(super) async fn straighten(&mut self, rpc: &Rpc, wallet: &Wallet, id: &str) -> Result<(), OutboxError> {
        let waiting = self.waiting()?;
        if waiting.is_empty() {
            return Ok(());
        }
        let last = waiting.iter().find(|(_, job)| job.id == id).map(|(nonce, _)| *nonce);
        let pending = rpc.pending_count(self.sender).await?;
        let mut next = rpc.transaction_count(self.sender).await?;
        for (nonce, job) in waiting {
            if nonce < next {
                match self.used_up(rpc, &job).await {
                    Ok(()) => continue,
                    // Its own reason tells, and the way is free.
                    Err(OutboxError::NonceTaken { .. }) if job.id != id => continue,
                    Err(error) => return Err(error),
                }
            }
            // What comes after it does not hold it up.
            if last.is_some_and(|end| nonce > end) {
                return Ok(());
            }
            let is_reached = nonce == next || pending >= nonce;
            let number = if is_reached { nonce } else { next.max(pending) };
            match self.straighten_one(rpc, wallet, &job, number).await {
                Ok(()) => {}
                Err(source) if job.id == id => return Err(source),
                // The contract would refuse it now: its own reason tells, and the way is free.
                Err(OutboxError::Chain(refused)) if refused.is_revert() => continue,
                Err(OutboxError::Chain(error)) => return Err(error.into()),
                Err(source) => {
                    let (job, before, source) = (id.to_owned(), job.id, Box::new(source));
                    return Err(OutboxError::Behind { job, before, nonce, source });
                }
            }
            next = number.saturating_add(1);
        }
        Ok(())
    }

    async fn straighten_one(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job, number: u64) -> Result<(), OutboxError> {
        let newest = job.newest()?.clone();
        let is_next = number == newest.nonce;
        if is_next && rpc.knows(newest.hash).await? {
            return Ok(());
        }
        if is_next && self.is_contested(rpc, job).await? {
            return self.wait_for_foreign(rpc, &job.id, newest.nonce).await.map(drop);
        }
        if self.is_cancelled(job)? {
            return if is_next { Ok(()) } else { self.cancel_with(rpc, wallet, job, number).await };
        }
        let price = match self.price(rpc, &job.id, &job.transaction).await {
            Ok(price) => price,
            // Its bytes may have been mined in the meantime, which made it so.
            Err(refused) if refused.is_revert() && self.look(rpc, job).await? => return Ok(()),
            Err(refused) if refused.is_revert() && !is_next => {
                self.table.set_state(&job.id, State::Failed, Some(&refused.to_string()))?;
                return Err(refused.into());
            }
            // It is sent as it is, and its block tells.
            Err(refused) if refused.is_revert() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if self.look(rpc, job).await? {
            return Ok(());
        }
        if is_next && price.bears_out(&last_signed(job)?, self.fee_ceiling) {
            // The node has not got it, whatever another one said: it is sent at once.
            return self.table.set_state(&job.id, State::Signed, None);
        }
        self.put(wallet, job, self.unsigned(job, number, &price))
    }

    /// Whether another program's transaction waits in the node's pool under the job's number.
    pub(super) async fn is_contested(&mut self, rpc: &Rpc, job: &Job) -> Result<bool, OutboxError> {
        let nonce = job.newest()?.nonce;
        if rpc.pending_count(self.sender).await? <= nonce || rpc.transaction_count(self.sender).await? > nonce {
            return Ok(false);
        }
        for signed in job.signed.iter().rev().filter(|signed| signed.nonce == nonce) {
            if rpc.knows(signed.hash).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The number of a job that has none yet: the next one that neither the chain nor a job of ours
    /// has. Another program's transaction that waits there is waited for, or passed over where the
    /// owner says so; it is never overbid.
    pub(super) async fn next_number(&mut self, rpc: &Rpc, job: &str) -> Result<u64, OutboxError> {
        let own = self.next_own()?;
        let pending = rpc.pending_count(self.sender).await?;
        let number = rpc.transaction_count(self.sender).await?.max(own);
        if pending <= number {
            return Ok(number);
        }
        match self.after_pending {
            true => Ok(pending),
            false => Ok(self.wait_for_foreign(rpc, job, number).await?.max(own)),
        }
    }

    /// Waits until nothing of another program waits in the pool from this number on; returns how
    /// many transactions are in the chain then.
    pub(super) async fn wait_for_foreign(&mut self, rpc: &Rpc, job: &str, nonce: u64) -> Result<u64, OutboxError> {
        let start = Instant::now();
        let mut transaction = None;
        loop {
            let pending = rpc.pending_count(self.sender).await?;
            let count = rpc.transaction_count(self.sender).await?;
            if pending <= count.max(nonce) {
                return Ok(count);
            }
            let nonce = nonce.max(count);
            transaction = rpc.pending_with(self.sender, nonce).await.or(transaction);
            let since = start.elapsed();
            if since >= self.mining_deadline {
                let (sender, job, after) = (self.sender, job.to_owned(), self.mining_deadline);
                return Err(OutboxError::ForeignPending { sender, job, nonce, transaction, after });
            }
            if let Some(observer) = &self.observer {
                observer(&Waiting::Foreign { job, nonce, transaction, since });
            }
            tokio::time::sleep(PAUSE.min(self.mining_deadline)).await;
        }
    }
}
