//! The outbox: every transaction is on disk, signed, before it is sent, and ends in one block or in
//! one visible failure.
//!
//! A job goes through `prepared -> signed -> broadcast -> mined -> final`, or to `failed`; each
//! arrow is one [`Outbox::step`], and a process that dies between two goes on with
//! [`Outbox::resume`]. What is sent again is always the same signed bytes, with two exceptions.
//! Bytes that the node refuses, or takes and leaves lying, say because blocks have become dearer,
//! are signed anew with the same number (nonce) and higher fees, five times: the chain takes at
//! most one of them, and all are asked for. And when the chain shows that somebody else used the
//! number up, so that they can never be mined, the job gets another, once.
//!
//! No node is believed for good. A transaction that may cost more than the owner's ceiling, or
//! whose fees the node's own blocks do not bear out, is not signed. What was signed by another
//! node's word is compared with the chain before it is sent again, and signed anew if it can't be
//! mined there; what was called done and is in no block is sent again.
//!
//! On a network mined is not final: [`Outbox::send`] waits as long as [`Outbox::waiting_for`] says,
//! what is mined by then stays open, and each later run looks whether its block is still there. If
//! it is gone, the job is sent again.
//!
//! SQLite is called on the thread of the task: its files are small and local, and a commit must be
//! over before the next step.

mod checks;
mod error;
mod external_signer;
mod job;
mod owner;
mod price;
mod queue;
mod refusal;
mod send;
mod settle;
mod signing;
mod steps;
mod straighten;
mod submitted;
mod table;
mod used_up;

pub use error::OutboxError;
pub use job::{Job, MinedTransaction, SignedTransaction, State};
pub use owner::Offer;
pub use price::FEE_CEILING;
pub use submitted::{Submitted, Unsent};

use super::head::{Profile, Wait};
use super::rpc::Rpc;
use super::wallet::Wallet;
use crate::contract::Transaction;
use alloy::primitives::{Address, B256, Bytes, U256};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use table::Table;

/// Is told what is waited for.
pub type Observer = std::sync::Arc<dyn Fn(&Waiting<'_>) + Send + Sync>;

/// What a job waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting<'a> {
    /// It is mined, and waits for its depth in the chain.
    Depth(Confirmation<'a>),
    /// Another program's transaction of the same wallet waits in the node's pool.
    Foreign {
        /// The job.
        job: &'a str,
        /// The number of the other transaction.
        nonce: u64,
        /// Its hash, where the node shows it.
        transaction: Option<B256>,
        /// How long it has been waited for.
        since: Duration,
    },
}

/// A mined transaction that is not yet as deep in the chain as is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation<'a> {
    /// The job.
    pub job: &'a str,
    /// Number of its block.
    pub block: u64,
    /// What is waited for.
    pub wanted: Wait,
    /// Number of the newest block that is so deep; 0 if none is.
    pub reached: u64,
    /// How long it has been waited for.
    pub since: Duration,
}

/// The transactions of one wallet on one chain. One process at a time.
pub struct Outbox {
    path: PathBuf,
    table: Table,
    sender: Address,
    chain_id: u64,
    genesis: B256,
    profile: Profile,
    mining_deadline: Duration,
    final_deadline: Duration,
    wait: Wait,
    observer: Option<Observer>,
    signature: Option<Bytes>,
    fee_ceiling: U256,
    /// The job that runs other people's code, and most gas for it.
    gas_cap: Option<(String, u64)>,
    after_pending: bool,
    earlier_chain: Option<PathBuf>,
    // Held as long as the outbox lives; the system lets go of it when the process dies.
    _lock: File,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outbox({})", self.path.display())
    }
}

impl Outbox {
    /// Returns the outbox of `sender` on the node's chain: `outbox-CHAINID-SENDER.sqlite` in
    /// `folder`, made where it is absent. Where that is of a chain with another block 0, because
    /// the chain began anew or a node lied about it, this chain has a file of its own beside it.
    ///
    /// # Errors
    /// [`OutboxError::Busy`], [`OutboxError::Io`], [`OutboxError::Database`], or the node does not
    /// answer.
    pub async fn open(folder: &Path, sender: Address, rpc: &Rpc, profile: Profile) -> Result<Self, OutboxError> {
        let chain_id = rpc.chain_id().await?;
        let genesis = rpc.genesis().await?;
        let mut path = folder.join(format!("outbox-{chain_id}-{sender}.sqlite"));
        let io = |source| OutboxError::Io { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        let lock = File::create(path.with_extension("lock")).map_err(io)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OutboxError::Busy { path: path.clone() },
            TryLockError::Error(source) => io(source),
        })?;
        let (mut table, first) = Table::open(&path, genesis)?;
        let mut earlier_chain = None;
        if first != genesis {
            let own = folder.join(format!("outbox-{chain_id}-{sender}-{genesis}.sqlite"));
            earlier_chain = Some(path).filter(|_| !own.exists());
            table = Table::open(&own, genesis)?.0;
            path = own;
        }
        Ok(Self {
            path,
            table,
            sender,
            chain_id,
            genesis,
            profile,
            mining_deadline: profile.mining_deadline(),
            final_deadline: profile.final_deadline(),
            wait: Wait::Finalized,
            observer: None,
            signature: None,
            fee_ceiling: FEE_CEILING,
            gas_cap: None,
            after_pending: false,
            earlier_chain,
            _lock: lock,
        })
    }

    /// The file of a chain with the same id and another block 0, if this outbox is new beside it.
    pub fn earlier_chain(&self) -> Option<&Path> {
        self.earlier_chain.as_deref()
    }

    /// The same outbox with another ceiling for what a transaction may cost, in wei.
    pub fn with_fee_ceiling(self, fee_ceiling: U256) -> Self {
        Self { fee_ceiling, ..self }
    }

    /// From now on the job's transaction takes this much gas at most, and is tried out at the price
    /// that will be paid for it: for one that runs other people's code.
    pub fn cap_gas(&mut self, job: &str, gas_cap: u64) {
        self.gas_cap = Some((job.to_owned(), gas_cap));
    }

    /// The same outbox, which takes the number behind another program's transactions that wait in
    /// the node's pool, instead of waiting for them.
    pub fn after_pending(self) -> Self {
        Self { after_pending: true, ..self }
    }

    /// The same outbox with another depth for [`Outbox::send`] to wait for. Development chains have
    /// one depth alone: mined is final.
    pub fn waiting_for(self, wait: Wait) -> Self {
        Self { wait, ..self }
    }

    /// The same outbox, which tells `observer` every second or so what it waits for.
    pub fn observed_by(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// The same outbox with another time for a mined transaction to become final.
    pub fn with_final_deadline(self, final_deadline: Duration) -> Self {
        Self { final_deadline, ..self }
    }

    /// The same outbox with another time for a transaction to be mined.
    pub fn with_mining_deadline(self, mining_deadline: Duration) -> Self {
        Self { mining_deadline, ..self }
    }

    /// The chain it is for.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Whose transactions they are.
    pub fn sender(&self) -> Address {
        self.sender
    }

    /// The job of that name.
    ///
    /// # Errors
    /// [`OutboxError::Database`], [`OutboxError::Damaged`].
    pub fn job(&self, job: &str) -> Result<Option<Job>, OutboxError> {
        self.table.job(job)
    }

    /// Sends `transaction`, or where `wallet` only prints, returns what is to be signed or sent
    /// instead. `job` is the caller's name for the act, as for [`Outbox::send`].
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub async fn submit(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &str,
        transaction: &Transaction,
    ) -> Result<Submitted, OutboxError> {
        if wallet.prints_only() {
            Self::try_out(rpc, wallet, transaction).await?;
            return self.print(wallet, job, transaction).map(Submitted::Printed);
        }
        self.send(rpc, wallet, job, transaction).await.map(Submitted::Mined)
    }

    /// Sends `transaction` and returns it mined, once it is as deep in the chain as is waited for.
    /// `job` is the caller's name for the act: the same name again returns the same and sends
    /// nothing; a job that failed starts anew.
    ///
    /// # Errors
    /// [`OutboxError::PrintsOnly`] for a wallet that sends nothing. A revert found before sending
    /// is [`OutboxError::Chain`] and uses no number; for the others see [`OutboxError`]. After an
    /// error that is no revert, [`Outbox::resume`] or the same call again goes on.
    pub async fn send(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &str,
        transaction: &Transaction,
    ) -> Result<MinedTransaction, OutboxError> {
        self.check(rpc, wallet).await?;
        self.prepare(job, transaction)?;
        self.finish(rpc, wallet, job, self.wait).await
    }

    /// Goes on with every job that an earlier run left, lowest transaction number first, and
    /// returns each that was mined, or failed, with how. What is mined and not final is looked at
    /// once and not waited for: it is returned only if it has moved. Asks the node nothing if there
    /// is none.
    ///
    /// # Errors
    /// As [`Outbox::send`], where they concern the whole outbox; those of one job are with that
    /// job.
    #[allow(clippy::type_complexity)] // a job's name and how it ended
    pub async fn resume(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
    ) -> Result<Vec<(String, Result<MinedTransaction, OutboxError>)>, OutboxError> {
        self.check_sender(wallet)?;
        let mut ended = Vec::new();
        if self.open_jobs()?.is_empty() {
            return Ok(ended);
        }
        self.check(rpc, wallet).await?;
        // Some that were done may be open again.
        for job in self.open_jobs()? {
            let before = self.known(&job)?;
            let end = self.finish(rpc, wallet, &job, Wait::Mined).await;
            let after = self.table.job(&job)?.and_then(|job| job.receipt);
            let is_told = before.state != State::Mined || before.receipt != after;
            if is_told || end.as_ref().is_err_and(|error| !matches!(error, OutboxError::Cancelled { .. })) {
                ended.push((job, end));
            }
        }
        Ok(ended)
    }

    /// Accepts a job, or finds it, and returns how far it has come; a failed one starts anew.
    ///
    /// # Errors
    /// [`OutboxError::JobConflict`], [`OutboxError::Database`].
    pub fn prepare(&mut self, job: &str, transaction: &Transaction) -> Result<State, OutboxError> {
        match self.table.job(job)? {
            Some(known) if known.state != State::Failed => {
                let same = known.transaction == *transaction;
                if same { Ok(known.state) } else { Err(OutboxError::JobConflict { job: job.into() }) }
            }
            _ => {
                self.table.prepare(job, transaction)?;
                Ok(State::Prepared)
            }
        }
    }

    /// Takes a job one state further and returns the new one. [`Outbox::send`] is this until the
    /// job is done.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub async fn step(&mut self, rpc: &Rpc, wallet: &Wallet, job: &str) -> Result<State, OutboxError> {
        let job = self.known(job)?;
        match job.state {
            State::Prepared => self.sign(rpc, wallet, &job).await?,
            State::Signed => self.broadcast(rpc, wallet, &job).await?,
            State::Broadcast => self.wait(rpc, wallet, &job).await?,
            State::Mined => drop(self.settle(rpc, &job, self.wait).await?),
            State::Final | State::Failed => {}
        }
        Ok(self.known(&job.id)?.state)
    }

    /// Takes a job as deep as `wait` says.
    async fn finish(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        id: &str,
        wait: Wait,
    ) -> Result<MinedTransaction, OutboxError> {
        let job = self.known(id)?;
        if matches!(job.state, State::Prepared | State::Signed | State::Broadcast) {
            self.straighten(rpc, wallet, id).await?;
            self.clear_the_way(rpc, wallet, &self.known(id)?).await?;
        }
        loop {
            let job = self.known(id)?;
            match (job.state, job.receipt) {
                (State::Final, Some(receipt)) => return Ok(receipt),
                (State::Mined, Some(receipt)) if self.deepen(rpc, &job, &receipt, wait).await? => return Ok(receipt),
                (State::Mined, _) => {}
                (State::Failed, receipt) => return Err(self.failed(rpc, &job, receipt).await?),
                (State::Final, None) => {
                    return Err(OutboxError::Damaged { what: format!("job {id} is final without a receipt") });
                }
                _ => drop(self.step(rpc, wallet, id).await?),
            }
        }
    }

    fn known(&self, job: &str) -> Result<Job, OutboxError> {
        self.table.job(job)?.ok_or_else(|| OutboxError::NoSuchJob { job: job.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only if a server's tasks can hold these futures.
    #[allow(dead_code)]
    fn futures_move_between_threads(outbox: &mut Outbox, rpc: &Rpc, wallet: &Wallet, transaction: &Transaction) {
        fn check(_: impl Send) {}
        check(outbox.submit(rpc, wallet, "job", transaction));
        check(outbox.resume(rpc, wallet));
    }
}
