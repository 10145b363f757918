//! Signed -> broadcast: what a node says to signed bytes, and what follows from it.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, State};
use super::price::{Price, cost};
use super::refusal::{Refusal, is_about_the_transaction};
use super::signing::{last_signed, raised};
use super::used_up::is_used_up;
use crate::chain::error::ChainError;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use alloy::consensus::TxEip1559;
use alloy::eips::eip1559::Eip1559Estimation;

/// How often one number is signed anew with higher fees.
const REPLACEMENTS: usize = 5;

impl Outbox {
    /// Signed -> broadcast; mined, if it was already; prepared, if its number is used up. Bytes
    /// that the node does not want are replaced by the same transaction with higher fees, which
    /// can't be mined beside the older one.
    pub(super) async fn broadcast(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<(), OutboxError> {
        let mut job = job.clone();
        let mut anew = 0;
        loop {
            let (code, message) = match rpc.send_raw(&job.newest()?.raw).await {
                Ok(()) => return self.table.set_state(&job.id, State::Broadcast, None),
                Err(ChainError::Refused { code, message, .. }) if is_about_the_transaction(code) => (code, message),
                Err(error) => return Err(error.into()),
            };
            match Refusal::read(&message) {
                Refusal::Known => return self.table.set_state(&job.id, State::Broadcast, None),
                Refusal::NonceTooLow => return self.used_up(rpc, &job).await,
                Refusal::NoFunds => {
                    if anew > 0 || !self.make_cheaper(rpc, wallet, &job).await? {
                        return Err(self.no_funds(&job, message)?);
                    }
                }
                Refusal::Other if is_used_up(rpc, self.sender, &job).await? => return self.used_up(rpc, &job).await,
                Refusal::Other => self.replace(rpc, wallet, &job, (code, message), anew).await?,
            }
            (job, anew) = (self.known(&job.id)?, anew + 1);
        }
    }

    /// Signs the same number and the same call anew and writes that down: with fresh gas and fees
    /// where the chain does not bear out the older ones, else with higher fees; the node's words as
    /// an error, if that was done often enough. Another program's transaction is never overbid.
    async fn replace(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &Job,
        (code, message): (i64, String),
        anew: usize,
    ) -> Result<(), OutboxError> {
        let older = last_signed(job)?;
        if self.is_contested(rpc, job).await? {
            return self.wait_for_foreign(rpc, &job.id, older.nonce).await.map(drop);
        }
        let price = if self.is_cancelled(job)? { None } else { self.price_if_taken(rpc, job).await? };
        if let Some(price) = price.filter(|price| !price.bears_out(&older, self.fee_ceiling) && anew < REPLACEMENTS) {
            return self.put(wallet, job, self.unsigned(job, older.nonce, &price));
        }
        let fresh = match price {
            Some(price) => price.fees.offer,
            None => rpc.fees().await?.offer,
        };
        let signings = signings(job, &older);
        if is_enough(signings, &older, &fresh) {
            let (job, transaction, nonce) = (job.id.clone(), job.newest()?.hash, older.nonce);
            return Err(OutboxError::Refused { job, transaction, nonce, signings, code, message });
        }
        self.put(wallet, job, raised(older, fresh))
    }

    /// The price of a job's transaction; none where the contract would refuse it now.
    async fn price_if_taken(&mut self, rpc: &Rpc, job: &Job) -> Result<Option<Price>, OutboxError> {
        match self.price(rpc, &job.id, &job.transaction).await {
            Ok(price) => Ok(Some(price)),
            Err(error) if error.is_revert() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What its wallet can't pay is signed anew, if it is much cheaper today and the node has not
    /// got it. Returns whether it was.
    async fn make_cheaper(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<bool, OutboxError> {
        let older = last_signed(job)?;
        if self.is_cancelled(job)? || rpc.knows(job.newest()?.hash).await? {
            return Ok(false);
        }
        match self.price_if_taken(rpc, job).await? {
            Some(price) if price.is_much_less_than(&older) => {
                self.put(wallet, job, self.unsigned(job, older.nonce, &price))?;
                Ok(true)
            }
            _ => Ok(false),
        }
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
        if self.is_contested(rpc, job).await? {
            return Ok(false);
        }
        self.put(wallet, job, raised(older, fresh.offer))?;
        Ok(true)
    }

    fn no_funds(&self, job: &Job, message: String) -> Result<OutboxError, OutboxError> {
        let transaction = last_signed(job)?;
        let needed = Some(cost(&transaction));
        Ok(OutboxError::NoFunds { address: self.sender, job: job.id.clone(), needed, message })
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
