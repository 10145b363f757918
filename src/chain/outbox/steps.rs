//! The steps of a job, each from one state to the next.

use super::Outbox;
use super::error::OutboxError;
use super::job::{Job, Receipt, Signed, State, Transaction};
use crate::chain::error::{ChainError, Revert};
use crate::chain::head::Profile;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use alloy::consensus::TxEip1559;
use alloy::eips::BlockId;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Bytes, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use std::time::{Duration, Instant};

/// First and longest pause between two looks for a receipt.
const POLL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// A node may drop a transaction from its pool: it is sent again this often.
const REBROADCAST: Duration = Duration::from_secs(5);
/// Signings of one job: the first, and one more if somebody else took its number.
const SIGNINGS: usize = 2;

impl Outbox {
    /// Sends the other unfinished jobs again: one that the node never got would hold up all that come after it.
    pub(super) async fn push_others(&mut self, rpc: &Rpc, job: &str) -> Result<(), OutboxError> {
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
    pub(super) async fn sign(&mut self, rpc: &Rpc, wallet: &Wallet, job: &Job) -> Result<(), OutboxError> {
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
    pub(super) async fn broadcast(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let newest = newest(job)?;
        match rpc.send_raw(&newest.raw).await {
            Ok(()) => self.table.set_state(&job.id, State::Broadcast, None),
            Err(ChainError::Refused { message, .. }) if is_known(&message) => {
                self.table.set_state(&job.id, State::Broadcast, None)
            }
            Err(ChainError::Refused { message, .. }) if is_nonce_too_low(&message) => self.used_up(rpc, job).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The node says that our number is used up: by one of our own hashes, or by somebody else, and then the job needs another.
    async fn used_up(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let nonce = newest(job)?.nonce;
        if rpc.transaction_count(self.sender).await? <= nonce {
            let what = format!("transaction number {nonce} is too low and not used up");
            return Err(ChainError::BadAnswer { method: "eth_sendRawTransaction", reason: what }.into());
        }
        // Only now: what used the number up is in the chain, so that a receipt of ours can't appear later.
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
    pub(super) async fn wait(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
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
    pub(super) async fn settle(&mut self, rpc: &Rpc, job: &Job) -> Result<(), OutboxError> {
        let Some(receipt) = job.receipt else {
            return Err(OutboxError::Damaged { what: format!("job {} is mined without a receipt", job.id) });
        };
        let found = match rpc.receipt(receipt.transaction).await? {
            Some(found) if found.block_hash == Some(receipt.block_hash) => found,
            _ => return self.table.set_state(&job.id, State::Broadcast, None),
        };
        if found.status() {
            return match self.profile {
                // A network's finality is not waited for yet: what was mined counts as done.
                Profile::Development | Profile::Network => self.table.set_state(&job.id, State::Final, None),
            };
        }
        // The receipt does not say why; the same call does, if nothing has changed since.
        let reason = match rpc.call(self.request(&job.transaction), BlockId::latest()).await {
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
