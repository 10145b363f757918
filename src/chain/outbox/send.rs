//! Signed -> broadcast: what a node says to signed bytes, and what follows from it.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, State};
use super::queue::is_used_up;
use super::refusal::{Refusal, is_about_the_transaction};
use super::signing::{last_signed, raised, sign};
use crate::chain::error::ChainError;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use alloy::consensus::TxEip1559;
use alloy::eips::eip1559::Eip1559Estimation;
use alloy::primitives::U256;

/// Numbers that one job may use: the first, and one more if somebody else took that.
const NUMBERS: usize = 2;
/// How often one number is signed anew with higher fees.
const REPLACEMENTS: usize = 5;

impl Outbox {
    /// Signed -> broadcast; mined, if it was already; prepared, if its number is used up. Bytes
    /// that the node does not want are replaced by the same transaction with higher fees, which
    /// can't be mined beside the older one.
    pub(super) async fn broadcast(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<(), OutboxError> {
        let mut job = job.clone();
        loop {
            let (code, message) = match rpc.send_raw(&job.newest()?.raw).await {
                Ok(()) => return self.table.set_state(&job.id, State::Broadcast, None),
                Err(ChainError::Refused { code, message, .. }) if is_about_the_transaction(code) => (code, message),
                Err(error) => return Err(error.into()),
            };
            match Refusal::read(&message) {
                Refusal::Known => return self.table.set_state(&job.id, State::Broadcast, None),
                Refusal::NonceTooLow => return self.used_up(rpc, &job).await,
                Refusal::NoFunds => return Err(self.no_funds(&job, message)?),
                Refusal::Other if is_used_up(rpc, self.sender, &job).await? => return self.used_up(rpc, &job).await,
                Refusal::Other => self.replace(rpc, wallet, &job, code, message).await?,
            }
            job = self.known(&job.id)?;
        }
    }

    /// The node says that our number is used up: by one of our own hashes, or by somebody else, and
    /// then the job needs another.
    async fn used_up(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let nonce = job.newest()?.nonce;
        if !is_used_up(rpc, self.sender, job).await? {
            let what = format!("transaction number {nonce} is too low and not used up");
            return Err(ChainError::BadAnswer { method: "eth_sendRawTransaction", reason: what }.into());
        }
        // Only now: what used the number up is in the chain, so that a receipt of ours can't appear
        // later.
        if self.look(rpc, job).await? {
            return Ok(());
        }
        // Where a reorganisation came between the two questions, the answers are of two chains, and
        // nobody used it up.
        if !is_used_up(rpc, self.sender, job).await? {
            return self.table.set_state(&job.id, State::Signed, None);
        }
        let mut numbers: Vec<u64> = job.signed.iter().map(|signed| signed.nonce).collect();
        numbers.dedup();
        if numbers.len() < NUMBERS {
            return self.table.set_state(&job.id, State::Prepared, None);
        }
        let taken = OutboxError::NonceTaken { sender: self.sender, nonce };
        self.table.set_state(&job.id, State::Failed, Some(&taken.to_string()))?;
        Err(taken)
    }

    /// Signs the same number and the same call with higher fees and writes that down; the node's
    /// words as an error, if that was done often enough.
    async fn replace(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &Job,
        code: i64,
        message: String,
    ) -> Result<(), OutboxError> {
        let (older, fresh) = (last_signed(job)?, rpc.fees().await?.offer);
        let signings = signings(job, &older);
        if is_enough(signings, &older, &fresh) {
            let (job, transaction, nonce) = (job.id.clone(), job.newest()?.hash, older.nonce);
            return Err(OutboxError::Refused { job, transaction, nonce, signings, code, message });
        }
        let signed = sign(wallet, raised(older, fresh));
        self.table.signed(&job.id, &signed)
    }

    /// A transaction that nodes took and do not put into a block is signed anew with higher fees,
    /// if it offers less than the next block costs, or blocks have passed it over. Returns whether
    /// it was.
    pub(super) async fn make_dearer(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &Job,
        passed_over: bool,
    ) -> Result<bool, OutboxError> {
        let (older, fresh) = (last_signed(job)?, rpc.fees().await?);
        let too_cheap = older.max_fee_per_gas < fresh.base || passed_over;
        if !too_cheap || is_enough(signings(job, &older), &older, &fresh.offer) {
            return Ok(false);
        }
        let signed = sign(wallet, raised(older, fresh.offer));
        self.table.signed(&job.id, &signed)?;
        Ok(true)
    }

    fn no_funds(&self, job: &Job, message: String) -> Result<OutboxError, OutboxError> {
        let transaction = last_signed(job)?;
        let needed = U256::from(transaction.gas_limit) * U256::from(transaction.max_fee_per_gas) + transaction.value;
        Ok(OutboxError::NoFunds { address: self.sender, job: job.id.clone(), needed: Some(needed), message })
    }
}

/// How often the job's number was signed.
fn signings(job: &Job, older: &TxEip1559) -> usize {
    job.signed.iter().filter(|signed| signed.nonce == older.nonce).count()
}

/// Past the limit only the chain's own prices raise ours: a node that refuses for other reasons
/// can't.
fn is_enough(signings: usize, older: &TxEip1559, fresh: &Eip1559Estimation) -> bool {
    signings > REPLACEMENTS && fresh.max_fee_per_gas <= older.max_fee_per_gas
}
