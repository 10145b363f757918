//! Signed -> broadcast: what a node says to signed bytes, and what follows from it.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, Signed, State};
use super::steps::newest;
use crate::chain::error::ChainError;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use alloy::consensus::{Transaction as _, TxEip1559, TxEnvelope};
use alloy::eips::eip1559::Eip1559Estimation;
use alloy::eips::eip2718::{Decodable2718, Encodable2718};
use alloy::primitives::{Address, Bytes, U256};

/// Numbers that one job may use: the first, and one more if somebody else took that.
const NUMBERS: usize = 2;
/// How often one number is signed anew with higher fees.
const REPLACEMENTS: usize = 5;

impl Outbox {
    /// Signed -> broadcast; mined, if it was already; prepared, if its number is used up. Bytes that the node does not
    /// want are replaced by the same transaction with higher fees, which can't be mined beside the older one.
    pub(super) async fn broadcast(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<(), OutboxError> {
        let mut job = job.clone();
        loop {
            let (code, message) = match rpc.send_raw(&newest(&job)?.raw).await {
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

    /// The node says that our number is used up: by one of our own hashes, or by somebody else, and then the job needs another.
    async fn used_up(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let nonce = newest(job)?.nonce;
        if !is_used_up(rpc, self.sender, job).await? {
            let what = format!("transaction number {nonce} is too low and not used up");
            return Err(ChainError::BadAnswer { method: "eth_sendRawTransaction", reason: what }.into());
        }
        // Only now: what used the number up is in the chain, so that a receipt of ours can't appear later.
        if self.look(rpc, job).await? {
            return Ok(());
        }
        // Where a reorganisation came between the two questions, the answers are of two chains, and nobody used it up.
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

    /// Signs the same number and the same call with higher fees and writes that down; the node's words as an error, if
    /// that was done often enough.
    async fn replace(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &Job,
        code: i64,
        message: String,
    ) -> Result<(), OutboxError> {
        let (older, fresh) = (decode(job)?, rpc.fees().await?.offer);
        let signings = signings(job, &older);
        if is_enough(signings, &older, &fresh) {
            let (job, transaction, nonce) = (job.id.clone(), newest(job)?.hash, older.nonce);
            return Err(OutboxError::Refused { job, transaction, nonce, signings, code, message });
        }
        let signed = seal(wallet, raised(older, fresh));
        self.table.signed(&job.id, &signed)
    }

    /// A transaction that nodes took and do not put into a block is signed anew with higher fees, if it offers less than the next block
    /// costs, or blocks have passed it over. Returns whether it was.
    pub(super) async fn make_dearer(
        &mut self,
        rpc: &Rpc,
        wallet: &Wallet,
        job: &Job,
        passed_over: bool,
    ) -> Result<bool, OutboxError> {
        let (older, fresh) = (decode(job)?, rpc.fees().await?);
        let too_cheap = older.max_fee_per_gas < fresh.base || passed_over;
        if !too_cheap || is_enough(signings(job, &older), &older, &fresh.offer) {
            return Ok(false);
        }
        let signed = seal(wallet, raised(older, fresh.offer));
        self.table.signed(&job.id, &signed)?;
        Ok(true)
    }

    fn no_funds(&self, job: &Job, message: String) -> Result<OutboxError, OutboxError> {
        let transaction = decode(job)?;
        let needed = U256::from(transaction.gas_limit) * U256::from(transaction.max_fee_per_gas) + transaction.value;
        Ok(OutboxError::NoFunds { address: self.sender, job: job.id.clone(), needed: Some(needed), message })
    }
}

/// How often the job's number was signed.
fn signings(job: &Job, older: &TxEip1559) -> usize {
    job.signed.iter().filter(|signed| signed.nonce == older.nonce).count()
}

/// Past the limit only the chain's own prices raise ours: a node that refuses for other reasons can't.
fn is_enough(signings: usize, older: &TxEip1559, fresh: &Eip1559Estimation) -> bool {
    signings > REPLACEMENTS && fresh.max_fee_per_gas <= older.max_fee_per_gas
}

/// Whether a transaction with the job's number is in the chain, ours or not.
pub(super) async fn is_used_up(rpc: &Rpc, sender: Address, job: &Job) -> Result<bool, OutboxError> {
    Ok(rpc.transaction_count(sender).await? > newest(job)?.nonce)
}

/// The bytes of a transaction.
pub(super) fn seal(wallet: &Wallet, transaction: TxEip1559) -> Signed {
    let nonce = transaction.nonce;
    let envelope = wallet.sign_transaction(transaction);
    Signed { hash: *envelope.tx_hash(), nonce, raw: Bytes::from(envelope.encoded_2718()) }
}

/// The transaction that was signed last.
fn decode(job: &Job) -> Result<TxEip1559, OutboxError> {
    let newest = newest(job)?;
    let damaged = || OutboxError::Damaged { what: format!("job {} has bytes that are no transaction of it", job.id) };
    let envelope = TxEnvelope::decode_2718_exact(&newest.raw).map_err(|_| damaged())?;
    let transaction = envelope.as_eip1559().ok_or_else(damaged)?.tx();
    if transaction.nonce() == newest.nonce { Ok(transaction.clone()) } else { Err(damaged()) }
}

/// The same transaction at the price of today, and dearer than before by what nodes ask of a replacement: 12.5 % of both fees.
fn raised(older: TxEip1559, fresh: Eip1559Estimation) -> TxEip1559 {
    let raise = |fee: u128| fee.saturating_add(fee / 8).saturating_add(1);
    TxEip1559 {
        max_fee_per_gas: fresh.max_fee_per_gas.max(raise(older.max_fee_per_gas)),
        max_priority_fee_per_gas: fresh.max_priority_fee_per_gas.max(raise(older.max_priority_fee_per_gas)),
        ..older
    }
}

/// Errors of JSON-RPC itself and "limit exceeded" say nothing about the transaction.
fn is_about_the_transaction(code: i64) -> bool {
    !matches!(code, -32700 | -32600 | -32601 | -32602 | -32005)
}

/// Why a node does not take signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Known,
    NonceTooLow,
    NoFunds,
    Other,
}

impl Refusal {
    /// Nodes say it in words only: anvil, Geth, Reth, Nethermind, Besu.
    pub(super) fn read(message: &str) -> Self {
        let message = message.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|words| message.contains(words));
        if has(&["already known", "alreadyknown", "already imported", "known transaction"]) {
            Self::Known
        } else if has(&["nonce too low"]) {
            Self::NonceTooLow
        } else if has(&["insufficient funds", "insufficientfunds", "upfront cost exceeds account balance"]) {
            Self::NoFunds
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_nodes_are_understood() {
        for (message, refusal) in [
            ("already known", Refusal::Known),
            ("transaction already imported", Refusal::Known),
            ("AlreadyKnown", Refusal::Known),
            ("known transaction: 12ab", Refusal::Known),
            ("nonce too low", Refusal::NonceTooLow),
            ("nonce too low: next nonce 5, tx nonce 4", Refusal::NonceTooLow),
            ("Insufficient funds for gas * price + value", Refusal::NoFunds),
            ("insufficient funds for gas * price + value: address 0x01 have 0 want 21000", Refusal::NoFunds),
            ("InsufficientFunds, Balance is 0", Refusal::NoFunds),
            ("Upfront cost exceeds account balance", Refusal::NoFunds),
            ("replacement transaction underpriced", Refusal::Other),
            ("max fee per gas less than block base fee", Refusal::Other),
            ("", Refusal::Other),
        ] {
            assert_eq!(Refusal::read(message), refusal, "{message}");
        }
    }

    #[test]
    fn both_fees_rise_by_an_eighth_at_least_and_to_the_price_of_today() {
        let older = |max_fee_per_gas, max_priority_fee_per_gas| TxEip1559 {
            nonce: 3,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            ..Default::default()
        };
        let fees = |transaction: TxEip1559| (transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas);
        let fresh =
            |max_fee_per_gas, max_priority_fee_per_gas| Eip1559Estimation { max_fee_per_gas, max_priority_fee_per_gas };
        assert_eq!(fees(raised(older(800, 80), fresh(5, 1))), (901, 91));
        assert_eq!(fees(raised(older(800, 80), fresh(5000, 1))), (5000, 91));
        assert_eq!(fees(raised(older(800, 80), fresh(5000, 92))), (5000, 92));
        assert_eq!(fees(raised(older(1, 0), fresh(0, 0))), (2, 1));
        assert_eq!(fees(raised(older(u128::MAX, u128::MAX), fresh(0, 0))), (u128::MAX, u128::MAX));
        assert_eq!(raised(older(1, 0), fresh(9, 9)).nonce, 3);
    }
}
