//! The order of the jobs: a transaction is mined only after all of the same sender with lower
//! numbers.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, State};
use crate::chain::head::Wait;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use alloy::primitives::Address;

/// The number of a job that may be waiting for its block.
fn number(job: &Job) -> Option<u64> {
    let waits = matches!(job.state, State::Signed | State::Broadcast);
    job.signed.last().filter(|_| waits).map(|signed| signed.nonce)
}

impl Outbox {
    /// The jobs that wait for their blocks, lowest number first.
    fn waiting(&self) -> Result<Vec<(u64, Job)>, OutboxError> {
        let mut waiting = Vec::new();
        for id in self.table.pending()? {
            let job = self.known(&id)?;
            waiting.extend(number(&job).map(|nonce| (nonce, job)));
        }
        waiting.sort_by_key(|(nonce, _)| *nonce);
        Ok(waiting)
    }

    /// Those that wait before `job`: all of them, if it has no number yet.
    fn waiting_before(&self, job: &Job) -> Result<Vec<(u64, Job)>, OutboxError> {
        let last = number(job);
        let mut waiting = self.waiting()?;
        waiting.retain(|(nonce, other)| other.id != job.id && last.is_none_or(|last| *nonce < last));
        Ok(waiting)
    }

    /// The job that must be mined before this one can be, if there is one.
    pub(super) fn first_before(&self, job: &Job) -> Result<Option<String>, OutboxError> {
        Ok(self.waiting_before(job)?.into_iter().next().map(|(_, first)| first.id))
    }

    /// The jobs that are mined and not final.
    fn mined(&self) -> Result<Vec<Job>, OutboxError> {
        let mut mined = Vec::new();
        for id in self.table.pending()? {
            mined.extend(Some(self.known(&id)?).filter(|job| job.state == State::Mined));
        }
        Ok(mined)
    }

    /// Ids of the open jobs in the order in which they can be finished: first those that are mined,
    /// for if their blocks are gone the others stand behind them.
    pub(super) fn open_jobs(&self) -> Result<Vec<String>, OutboxError> {
        let mut open: Vec<String> = self.mined()?.into_iter().map(|job| job.id).collect();
        open.extend(self.waiting()?.into_iter().map(|(_, job)| job.id));
        for id in self.table.pending()? {
            if !open.contains(&id) {
                open.push(id);
            }
        }
        Ok(open)
    }

    /// Looks whether what is mined and not final is still where it was; what is not waits for its
    /// block again.
    async fn recheck(&mut self, rpc: &Rpc, except: &str) -> Result<(), OutboxError> {
        for job in self.mined()?.into_iter().filter(|job| job.id != except) {
            match self.settle(rpc, &job, Wait::Mined).await {
                // Its own reason tells.
                Ok(_) | Err(OutboxError::Reverted { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends again what waits before `job`: a node that never got it, dropped it, or finds it too
    /// cheap would never mine `job`.
    ///
    /// # Errors
    /// [`OutboxError::Behind`] if one of them can't be sent and keeps its number.
    pub(super) async fn clear_the_way(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<(), OutboxError> {
        self.recheck(rpc, &job.id).await?;
        for (nonce, other) in self.waiting_before(job)? {
            if other.state == State::Broadcast {
                self.make_dearer(rpc, wallet, &other, false).await?;
            }
            let other = self.known(&other.id)?;
            match self.broadcast(rpc, wallet, &other).await {
                Ok(()) => {}
                // It failed, which its own reason tells, and left the way free.
                Err(OutboxError::NonceTaken { .. }) => {}
                Err(source @ (OutboxError::Refused { .. } | OutboxError::NoFunds { .. })) => {
                    let (job, before, source) = (job.id.clone(), other.id, Box::new(source));
                    return Err(OutboxError::Behind { job, before, nonce, source });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether a transaction with the job's number is in the chain, ours or not.
pub(super) async fn is_used_up(rpc: &Rpc, sender: Address, job: &Job) -> Result<bool, OutboxError> {
    Ok(rpc.transaction_count(sender).await? > job.newest()?.nonce)
}
