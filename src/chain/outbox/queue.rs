//! The order of the jobs: a transaction is mined only after all of the same sender with lower
//! numbers.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, State};
use crate::chain::head::Wait;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;

/// The number of a job that may be waiting for its block.
fn number(job: &Job) -> Option<u64> {
    let waits = matches!(job.state, State::Signed | State::Broadcast);
    job.signed.last().filter(|_| waits).map(|signed| signed.nonce)
}

/// The number with which a job was mined.
fn mined_number(job: &Job) -> Option<u64> {
    let mined = job.receipt?.transaction;
    job.signed.iter().find(|signed| signed.hash == mined).map(|signed| signed.nonce)
}

impl Outbox {
    /// The jobs that wait for their blocks, lowest number first.
    pub(super) fn waiting(&self) -> Result<Vec<(u64, Job)>, OutboxError> {
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

    /// The number after the last that a job of ours has, waiting or mined; 0 where none has one.
    pub(super) fn next_own(&self) -> Result<u64, OutboxError> {
        let waiting = self.waiting()?.into_iter().map(|(nonce, _)| nonce).max();
        let mined = self.mined()?.iter().filter_map(mined_number).max();
        let next = waiting.max(mined).map_or(0, |last| last.saturating_add(1));
        Ok(next.max(self.table.mined_count()?))
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
                Ok(_) | Err(OutboxError::Reverted { .. } | OutboxError::Cancelled { .. }) => {}
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
            match self.send_again(rpc, wallet, &other).await {
                Ok(()) => {}
                // It failed, which its own reason tells, and left the way free.
                Err(OutboxError::NonceTaken { .. }) => {}
                Err(
                    source @ (OutboxError::Refused { .. }
                    | OutboxError::NoFunds { .. }
                    | OutboxError::TooDear { .. }
                    | OutboxError::ForeignPending { .. }),
                ) => {
                    let (job, before, source) = (job.id.clone(), other.id, Box::new(source));
                    return Err(OutboxError::Behind { job, before, nonce, source });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Outbox {
    async fn send_again(&mut self, rpc: &Rpc, wallet: &Wallet, other: &Job) -> Result<(), OutboxError> {
        if other.state == State::Broadcast {
            self.make_dearer(rpc, wallet, other, false).await?;
        }
        let other = self.known(&other.id)?;
        self.broadcast(rpc, wallet, &other).await
    }
}
