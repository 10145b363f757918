//! A number that is used up: by one of our own transactions, whose receipt may come late, or by
//! somebody else's. That a receipt is absent proves neither.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, State};
use crate::chain::error::ChainError;
use crate::chain::rpc::Rpc;
use alloy::primitives::Address;

/// Numbers that one job may use: the first, and one more if somebody else took that.
const NUMBERS: usize = 2;

/// Whose transaction used a number up, as far as the node shows it.
#[derive(Debug, PartialEq, Eq)]
enum User {
    /// A block holds one of ours.
    Job,
    /// The block in which it was used up holds none of ours.
    Somebody,
    /// The node does not show the block.
    NotShown,
}

/// Whether a transaction with the job's number is in the chain, ours or not.
pub(super) async fn is_used_up(rpc: &Rpc, sender: Address, job: &Job) -> Result<bool, OutboxError> {
    Ok(rpc.transaction_count(sender).await? > job.newest()?.nonce)
}

impl Outbox {
    /// The node says that our number is used up. Where the chain shows somebody else's transaction
    /// under it the job gets another number; else the receipt of ours is waited for.
    pub(super) async fn used_up(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let nonce = job.newest()?.nonce;
        if !is_used_up(rpc, self.sender, job).await? {
            let what = format!("transaction number {nonce} is too low and not used up");
            return Err(ChainError::BadAnswer { method: "eth_sendRawTransaction", reason: what }.into());
        }
        // Only now: what used the number up is in the chain, so that a receipt of ours can't appear
        // for a later reason.
        if self.look(rpc, job).await? {
            return Ok(());
        }
        if self.user_of(rpc, job, nonce).await? != User::Somebody {
            return self.table.set_state(&job.id, State::Broadcast, None);
        }
        // Where a reorganisation came between the questions, the answers are of two chains, and
        // nobody used it up.
        if !is_used_up(rpc, self.sender, job).await? {
            return self.table.set_state(&job.id, State::Signed, None);
        }
        let mut numbers: Vec<u64> = job.signed.iter().map(|signed| signed.nonce).filter(|n| *n <= nonce).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() < NUMBERS {
            return self.table.set_state(&job.id, State::Prepared, None);
        }
        let taken = OutboxError::NonceTaken { sender: self.sender, nonce };
        self.table.set_state(&job.id, State::Failed, Some(&taken.to_string()))?;
        Err(taken)
    }

    /// Finds the block in which the sender's number was used up, back from the newest one, and
    /// looks whether a transaction of the job is in it.
    async fn user_of(&mut self, rpc: &Rpc, job: &Job, nonce: u64) -> Result<User, OutboxError> {
        let mut used = rpc.latest().await?.number;
        let mut step = 1;
        let mut free = loop {
            let Some(before) = used.checked_sub(step) else { return Ok(User::NotShown) };
            match self.had_used(rpc, before, nonce).await? {
                Some(false) => break before,
                Some(true) => (used, step) = (before, step.saturating_mul(2)),
                None => return Ok(User::NotShown),
            }
        };
        while used - free > 1 {
            let middle = free.midpoint(used);
            match self.had_used(rpc, middle, nonce).await? {
                Some(false) => free = middle,
                Some(true) => used = middle,
                None => return Ok(User::NotShown),
            }
        }
        let hashes = match rpc.hashes_in(used).await {
            Ok(hashes) => hashes,
            Err(ChainError::Refused { .. } | ChainError::BadAnswer { .. }) => return Ok(User::NotShown),
            Err(error) => return Err(error.into()),
        };
        let is_ours = job.signed.iter().any(|signed| signed.nonce == nonce && hashes.contains(&signed.hash));
        Ok(if is_ours { User::Job } else { User::Somebody })
    }

    /// Whether the number was used up in that block; none where the node no longer knows.
    async fn had_used(&mut self, rpc: &Rpc, block: u64, nonce: u64) -> Result<Option<bool>, OutboxError> {
        match rpc.transaction_count_at(self.sender, block).await {
            Ok(count) => Ok(Some(count > nonce)),
            Err(ChainError::Refused { .. } | ChainError::BadAnswer { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
