//! The outbox: every transaction is on disk, signed, before it is sent, and ends in one block or in one visible failure.
//!
//! A job goes through `prepared -> signed -> broadcast -> mined -> final`, or to `failed`; each arrow is one
//! [`Outbox::step`], and a process that dies between two goes on with [`Outbox::resume`]. What is sent again is always the
//! same signed bytes. Only when the sender's number (nonce) was used up by somebody else, so that the bytes can never
//! be mined, is a job signed anew, and that once.
//!
//! SQLite is called on the thread of the task: its files are small and local, and a commit must be over before the next step.

mod error;
mod table;

pub use error::OutboxError;
pub use table::{Job, Receipt, Signed, State, Transaction};

use super::error::{ChainError, Revert};
use super::head::Profile;
use super::rpc::Rpc;
use super::wallet::Wallet;
use alloy::consensus::TxEip1559;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use table::Table;

/// How long a transaction may wait for its block unless told otherwise.
const MINING_DEADLINE: Duration = Duration::from_secs(60);
/// First and longest pause between two looks for a receipt.
const POLL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// A node may drop a transaction from its pool: it is sent again this often.
const REBROADCAST: Duration = Duration::from_secs(5);
/// Signings of one job: the first, and one more if somebody else took its number.
const SIGNINGS: usize = 2;

/// The transactions of one wallet on one chain. One process at a time.
pub struct Outbox {
    path: PathBuf,
    table: Table,
    sender: Address,
    chain_id: u64,
    genesis: B256,
    profile: Profile,
    mining_deadline: Duration,
    // Held as long as the outbox lives; the system lets go of it when the process dies.
    _lock: File,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outbox({})", self.path.display())
    }
}

impl Outbox {
    /// Returns the outbox of `sender` on the node's chain: `outbox-CHAINID-SENDER.sqlite` in `folder`, made where it is absent.
    ///
    /// # Errors
    /// [`OutboxError::Busy`], [`OutboxError::ChainReset`], [`OutboxError::Io`], [`OutboxError::Database`], or the node does not answer.
    pub async fn open(folder: &Path, sender: Address, rpc: &Rpc, profile: Profile) -> Result<Self, OutboxError> {
        let chain_id = rpc.chain_id().await?;
        let found = rpc.genesis().await?;
        let path = folder.join(format!("outbox-{chain_id}-{sender}.sqlite"));
        let io = |source| OutboxError::Io { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        let lock = File::create(path.with_extension("lock")).map_err(io)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OutboxError::Busy { path: path.clone() },
            TryLockError::Error(source) => io(source),
        })?;
        let (table, genesis) = Table::open(&path, found)?;
        if genesis != found {
            return Err(OutboxError::ChainReset { path, expected: genesis, found });
        }
        let mining_deadline = MINING_DEADLINE;
        Ok(Self { path, table, sender, chain_id, genesis, profile, mining_deadline, _lock: lock })
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

    /// Sends `transaction` and returns its receipt, once it is final. `job` is the caller's name for the act: the same
    /// name again returns the same receipt and sends nothing; a job that failed starts anew.
    ///
    /// # Errors
    /// A revert found before sending is [`OutboxError::Chain`] and uses no number; for the others see [`OutboxError`].
    /// After an error that is no revert, [`Outbox::resume`] or the same call again goes on.
    pub async fn submit(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &str,
        transaction: &Transaction,
    ) -> Result<Receipt, OutboxError> {
        self.check(rpc, wallet).await?;
        if self.prepare(job, transaction)? == State::Prepared {
            self.push_others(rpc, job).await?;
        }
        self.finish(rpc, wallet, job).await
    }

    /// Finishes every job that an earlier run left, oldest first, and returns each with how it ended.
    ///
    /// # Errors
    /// As [`Outbox::submit`], where they concern the whole outbox.
    #[allow(clippy::type_complexity)] // a job's name and how it ended
    pub async fn resume(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
    ) -> Result<Vec<(String, Result<Receipt, OutboxError>)>, OutboxError> {
        self.check(rpc, wallet).await?;
        self.push_others(rpc, "").await?;
        let mut ended = Vec::new();
        for job in self.table.pending()? {
            let end = self.finish(rpc, wallet, &job).await;
            ended.push((job, end));
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

    /// Takes a job one state further and returns the new one. [`Outbox::submit`] is this until the job is done.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub async fn step(&mut self, rpc: &Rpc, wallet: &Wallet, job: &str) -> Result<State, OutboxError> {
        let job = self.known(job)?;
        match job.state {
            State::Prepared => self.sign(rpc, wallet, &job).await?,
            State::Signed => self.broadcast(rpc, &job).await?,
            State::Broadcast => self.wait(rpc, &job).await?,
            State::Mined => self.settle(rpc, &job).await?,
            State::Final | State::Failed => {}
        }
        Ok(self.known(&job.id)?.state)
    }

    async fn finish(&mut self, rpc: &Rpc, wallet: &Wallet, id: &str) -> Result<Receipt, OutboxError> {
        while !self.step(rpc, wallet, id).await?.is_done() {}
        let job = self.known(id)?;
        match (job.state, job.receipt) {
            (State::Final, Some(receipt)) => Ok(receipt),
            _ => Err(OutboxError::Damaged { what: format!("job {id} ended as {}", job.state.name()) }),
        }
    }

    fn known(&self, job: &str) -> Result<Job, OutboxError> {
        self.table.job(job)?.ok_or_else(|| OutboxError::NoSuchJob { job: job.into() })
    }

    /// Is it still our chain, and our wallet?
    async fn check(&self, rpc: &Rpc, wallet: &Wallet) -> Result<(), OutboxError> {
        if wallet.address() != self.sender {
            return Err(OutboxError::WrongSender { expected: self.sender, found: wallet.address() });
        }
        rpc.check_chain_id(self.chain_id).await?;
        let found = rpc.genesis().await?;
        if found != self.genesis {
            return Err(OutboxError::ChainReset { path: self.path.clone(), expected: self.genesis, found });
        }
        let expected = self.table.mined_count()?;
        let found = rpc.transaction_count(self.sender).await?;
        if found < expected {
            let (path, sender) = (self.path.clone(), self.sender);
            return Err(OutboxError::ChainWentBack { path, sender, expected, found });
        }
        Ok(())
    }

    /// Sends the other unfinished jobs again: one that the node never got would hold up all that come after it.
    async fn push_others(&mut self, rpc: &Rpc, job: &str) -> Result<(), OutboxError> {
        for other in self.table.pending()? {
            let other = self.known(&other)?;
            if other.id == job || !matches!(other.state, State::Signed | State::Broadcast) {
                continue;
            }
            if let Some(newest) = other.signed.last() {
                match rpc.send_raw(&newest.raw).await {
                    // What the node thinks of it is found out when it is that job's turn.
                    Ok(()) | Err(ChainError::Refused { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn request(&self, transaction: &Transaction) -> TransactionRequest {
        let to = transaction.to.map_or(TxKind::Create, TxKind::Call);
        TransactionRequest { to: Some(to), ..Default::default() }
            .from(self.sender)
            .input(transaction.data.clone().into())
    }

    /// Prepared -> signed, or failed where the contract would refuse.
    async fn sign(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<(), OutboxError> {
        let gas = match rpc.estimate_gas(self.request(&job.transaction)).await {
            Ok(gas) => gas,
            Err(refused @ (ChainError::Revert(_) | ChainError::UnknownImage { .. })) => {
                self.table.set_state(&job.id, State::Failed, Some(&refused.to_string()))?;
                return Err(refused.into());
            }
            Err(error) => return Err(error.into()),
        };
        let fees = rpc.fees().await?;
        let nonce = rpc.transaction_count(self.sender).await?.max(self.table.next_nonce()?);
        let envelope = wallet.sign_transaction(TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            // Transactions that get in before ours may make it dearer than it was when it was tried.
            gas_limit: gas.saturating_add(gas / 4),
            max_fee_per_gas: fees.max_fee_per_gas,
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
            to: job.transaction.to.map_or(TxKind::Create, TxKind::Call),
            value: U256::ZERO,
            access_list: Default::default(),
            input: job.transaction.data.clone(),
        });
        let raw = Bytes::from(envelope.encoded_2718());
        self.table.signed(&job.id, &Signed { hash: *envelope.tx_hash(), nonce, raw })
    }

    /// Signed -> broadcast; mined, if it was already; prepared, if its number is used up.
    async fn broadcast(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let newest = newest(job)?;
        match rpc.send_raw(&newest.raw).await {
            Ok(()) => self.table.set_state(&job.id, State::Broadcast, None),
            Err(ChainError::Refused { message, .. }) if is_known(&message) => {
                self.table.set_state(&job.id, State::Broadcast, None)
            }
            Err(ChainError::Refused { message, .. }) if is_nonce_too_low(&message) => {
                if self.look(rpc, job).await? {
                    Ok(())
                } else {
                    self.give_up_number(rpc, job).await
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The node says that our number is used up and none of our hashes was mined: whoever used it up, it was not this job.
    async fn give_up_number(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let nonce = newest(job)?.nonce;
        if rpc.transaction_count(self.sender).await? <= nonce {
            let what = format!("transaction number {nonce} is too low and not used up");
            return Err(ChainError::BadAnswer { method: "eth_sendRawTransaction", reason: what }.into());
        }
        // Ours may have been mined between the two questions.
        if self.look(rpc, job).await? {
            return Ok(());
        }
        if job.signed.len() < SIGNINGS {
            return self.table.set_state(&job.id, State::Prepared, None);
        }
        let taken = OutboxError::NonceTaken { sender: self.sender, nonce };
        self.table.set_state(&job.id, State::Failed, Some(&taken.to_string()))?;
        Err(taken)
    }

    /// Looks for a receipt of any of the job's hashes; writes it down and returns whether there is one.
    async fn look(&mut self, rpc: &Rpc, job: &Job) -> Result<bool, OutboxError> {
        for signed in &job.signed {
            let Some(found) = rpc.receipt(signed.hash).await? else { continue };
            let (Some(block_hash), Some(block_number)) = (found.block_hash, found.block_number) else { continue };
            let receipt = Receipt {
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
    async fn wait(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let start = Instant::now();
        let (mut pause, mut sent) = (POLL.0, start);
        while !self.look(rpc, job).await? {
            if start.elapsed() >= self.mining_deadline {
                return Err(OutboxError::NotMined { transaction: newest(job)?.hash, after: self.mining_deadline });
            }
            if sent.elapsed() >= REBROADCAST {
                sent = Instant::now();
                self.broadcast(rpc, job).await?;
                if self.known(&job.id)?.state != State::Broadcast {
                    return Ok(());
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(POLL.1);
        }
        Ok(())
    }

    /// Mined -> final or failed; back to broadcast, if the block is gone.
    async fn settle(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let Some(receipt) = job.receipt else {
            return Err(OutboxError::Damaged { what: format!("job {} is mined without a receipt", job.id) });
        };
        let found = match rpc.receipt(receipt.transaction).await? {
            Some(found) if found.block_hash == Some(receipt.block_hash) => found,
            _ => return self.table.set_state(&job.id, State::Broadcast, None),
        };
        if found.status() {
            return match self.profile {
                Profile::Development => self.table.set_state(&job.id, State::Final, None),
            };
        }
        // The receipt does not say why; the same call does, if nothing has changed since.
        let reason = match rpc.call(self.request(&job.transaction)).await {
            Err(ChainError::Revert(reason)) => reason,
            _ => Box::new(Revert::Unknown(Bytes::new())),
        };
        let reverted = OutboxError::Reverted { transaction: receipt.transaction, reason };
        self.table.set_state(&job.id, State::Failed, Some(&reverted.to_string()))?;
        Err(reverted)
    }
}

fn newest(job: &Job) -> Result<&Signed, OutboxError> {
    job.signed.last().ok_or_else(|| OutboxError::Damaged { what: format!("job {} has no signed bytes", job.id) })
}

/// Nodes say it in words only: anvil, Geth, Reth, Nethermind.
fn is_known(message: &str) -> bool {
    let message = message.to_lowercase();
    ["already known", "alreadyknown", "already imported", "known transaction"]
        .iter()
        .any(|words| message.contains(words))
}

fn is_nonce_too_low(message: &str) -> bool {
    message.to_lowercase().contains("nonce too low")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_nodes_are_understood() {
        for message in ["already known", "transaction already imported", "AlreadyKnown", "known transaction: 12ab"] {
            assert!(is_known(message), "{message}");
            assert!(!is_nonce_too_low(message), "{message}");
        }
        for message in ["nonce too low", "nonce too low: next nonce 5, tx nonce 4"] {
            assert!(is_nonce_too_low(message), "{message}");
            assert!(!is_known(message), "{message}");
        }
        for message in ["replacement transaction underpriced", "insufficient funds for gas * price + value", ""] {
            assert!(!is_known(message) && !is_nonce_too_low(message), "{message}");
        }
    }
}
