//! What the owner of a wallet does about transactions that are signed and not mined: look at them,
//! change their price, take their number back.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, MinedTransaction, State};
use super::price::cost;
use super::signing::{decode, last_signed, raised};
use super::used_up::is_used_up;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use alloy::consensus::TxEip1559;
use alloy::eips::eip1559::Eip1559Estimation;
use alloy::primitives::{B256, Bytes, TxKind, U256};

/// Gas of a payment to an account without code, and enough for most accounts with some.
const PAYMENT_GAS: u64 = 21_000;
const CANCELLED: &str = "cancelled by its owner";

/// What a job signed last, for its owner to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Hash of the transaction.
    pub transaction: B256,
    /// Its number.
    pub nonce: u64,
    /// Gas that it may use.
    pub gas_limit: u64,
    /// Most wei that it pays for a unit of gas.
    pub max_fee: u128,
    /// Of that to whoever makes the block.
    pub tip: u128,
    /// Most wei that it may cost.
    pub cost: U256,
    /// Whether it only takes the number back.
    pub cancels: bool,
}

impl Job {
    /// What was signed last, if anything was since the job was last accepted.
    ///
    /// # Errors
    /// [`OutboxError::Damaged`].
    pub fn offer(&self) -> Result<Option<Offer>, OutboxError> {
        if self.signed.is_empty() {
            return Ok(None);
        }
        let (newest, signed) = (self.newest()?, last_signed(self)?);
        Ok(Some(Offer {
            transaction: newest.hash,
            nonce: newest.nonce,
            gas_limit: signed.gas_limit,
            max_fee: signed.max_fee_per_gas,
            tip: signed.max_priority_fee_per_gas,
            cost: cost(&signed),
            cancels: self.is_cancel(newest.hash)?,
        }))
    }

    /// Whether the transaction with this hash is not the job's own, but the one that takes its
    /// number back.
    pub(super) fn is_cancel(&self, hash: B256) -> Result<bool, OutboxError> {
        let Some(signed) = self.signed.iter().find(|signed| signed.hash == hash) else { return Ok(false) };
        let transaction = decode(self, signed)?;
        Ok(transaction.input != self.transaction.data || transaction.to.to().copied() != self.transaction.to)
    }
}

impl Outbox {
    /// The jobs that are not done, or every one, oldest first.
    ///
    /// # Errors
    /// [`OutboxError::Database`], [`OutboxError::Damaged`].
    pub fn jobs(&self, all: bool) -> Result<Vec<Job>, OutboxError> {
        let ids = if all { self.table.all()? } else { self.table.pending()? };
        ids.iter().map(|id| self.known(id)).collect()
    }

    /// The job of that name, or the open one whose transaction has that number.
    ///
    /// # Errors
    /// [`OutboxError::NoSuchJob`].
    pub fn named(&self, name: &str) -> Result<Job, OutboxError> {
        if let Some(job) = self.table.job(name)? {
            return Ok(job);
        }
        let number = name.parse::<u64>().ok();
        let waiting = self.waiting()?.into_iter().find(|(nonce, _)| Some(*nonce) == number);
        waiting.map(|(_, job)| job).ok_or_else(|| OutboxError::NoSuchJob { job: name.to_owned() })
    }

    /// Signs a job that waits for its block anew, with the same number and the fees of now, or an
    /// eighth more than before where the node has the older one, and sends it.
    ///
    /// # Errors
    /// [`OutboxError::NotWaiting`], or as [`Outbox::send`].
    pub async fn reprice(&mut self, rpc: &Rpc, wallet: &Wallet, id: &str) -> Result<MinedTransaction, OutboxError> {
        let job = self.begin(rpc, wallet, id).await?;
        if !job.signed.is_empty() && !is_used_up(rpc, self.sender, &job).await? {
            let older = last_signed(&job)?;
            let transaction = match self.is_cancelled(&job)? {
                true => older,
                false => {
                    let price = self.price(rpc, &job.id, &job.transaction).await?;
                    self.unsigned(&job, older.nonce, &price)
                }
            };
            self.outbid(rpc, wallet, &job, transaction).await?;
        }
        self.finish(rpc, wallet, id, self.wait).await
    }

    /// Takes a job's number back with a payment of nothing to the own address; returns its hash, or
    /// none where nothing of the job can be mined any more, or yet. The job has failed then.
    ///
    /// # Errors
    /// [`OutboxError::NotWaiting`] for a job that is done, also if it was mined before the payment;
    /// or as [`Outbox::send`].
    pub async fn cancel(&mut self, rpc: &Rpc, wallet: &Wallet, id: &str) -> Result<Option<B256>, OutboxError> {
        let job = self.begin(rpc, wallet, id).await?;
        match self.number_to_cancel(rpc, &job).await? {
            Some(nonce) => self.cancel_with(rpc, wallet, &job, nonce).await?,
            None => {
                self.table.set_state(id, State::Failed, Some(CANCELLED))?;
                return Ok(None);
            }
        }
        match self.finish(rpc, wallet, id, self.wait).await {
            Err(OutboxError::Cancelled { transaction, .. }) => Ok(transaction),
            Ok(_) => Err(OutboxError::NotWaiting { job: id.to_owned(), state: self.known(id)?.state.name() }),
            Err(error) => Err(error),
        }
    }
    /// The number that has to be taken back; none where nothing is signed, the number is used up,
    /// or the wallet has not come so far.
    async fn number_to_cancel(&mut self, rpc: &Rpc, job: &Job) -> Result<Option<u64>, OutboxError> {
        let Some(nonce) = job.signed.last().map(|signed| signed.nonce) else { return Ok(None) };
        let pending = rpc.pending_count(self.sender).await?;
        let mut next = rpc.transaction_count(self.sender).await?.max(pending.min(nonce));
        for (own, _) in self.waiting()? {
            next += u64::from(own == next && own < nonce);
        }
        Ok(Some(nonce).filter(|nonce| *nonce == next))
    }

    /// Looks whether the job waits for its block, or has not been signed.
    async fn begin(&mut self, rpc: &Rpc, wallet: &Wallet, id: &str) -> Result<Job, OutboxError> {
        self.check(rpc, wallet).await?;
        let job = self.known(id)?;
        let waits = matches!(job.state, State::Prepared | State::Signed | State::Broadcast);
        if waits && !self.look(rpc, &job).await? {
            return Ok(job);
        }
        let state = self.known(id)?.state.name();
        Err(OutboxError::NotWaiting { job: id.to_owned(), state })
    }

    /// Signs a payment of nothing to the own address in place of the job's transaction.
    pub(super) async fn cancel_with(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &Job,
        nonce: u64,
    ) -> Result<(), OutboxError> {
        let fees = rpc.fees().await?.offer;
        let payment = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit: PAYMENT_GAS,
            max_fee_per_gas: fees.max_fee_per_gas,
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
            to: TxKind::Call(self.sender),
            value: U256::ZERO,
            access_list: Default::default(),
            input: Bytes::new(),
        };
        self.outbid(rpc, wallet, job, payment).await
    }

    /// Signs a transaction of the job, dearer than each of the same number that the node has.
    async fn outbid(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &Job,
        transaction: TxEip1559,
    ) -> Result<(), OutboxError> {
        let nonce = transaction.nonce;
        let mut transaction = transaction;
        for signed in job.signed.iter().filter(|signed| signed.nonce == nonce) {
            if rpc.knows(signed.hash).await? {
                let offer = Eip1559Estimation {
                    max_fee_per_gas: transaction.max_fee_per_gas,
                    max_priority_fee_per_gas: transaction.max_priority_fee_per_gas,
                };
                let TxEip1559 { max_fee_per_gas, max_priority_fee_per_gas, .. } = raised(decode(job, signed)?, offer);
                transaction = TxEip1559 { max_fee_per_gas, max_priority_fee_per_gas, ..transaction };
            }
        }
        self.put(wallet, job, transaction)
    }

    /// Whether what the job signed last takes its number back.
    pub(super) fn is_cancelled(&self, job: &Job) -> Result<bool, OutboxError> {
        match job.signed.last() {
            Some(newest) => job.is_cancel(newest.hash),
            None => Ok(false),
        }
    }

    /// The end of a job whose number was taken back.
    pub(super) fn end_cancelled(&mut self, job: &Job, by: B256, is_final: bool) -> Result<OutboxError, OutboxError> {
        if is_final {
            self.table.set_state(&job.id, State::Failed, Some(CANCELLED))?;
        }
        Ok(OutboxError::Cancelled { job: job.id.clone(), transaction: Some(by) })
    }
}
