//! Transactions that are printed instead of sent, and signatures that come back for them.

use super::{Outbox, OutboxError, Unsent};
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use crate::contract::Transaction;
use crate::files::{Existing, write_whole};
use alloy::primitives::{Bytes, keccak256};
use alloy::rpc::types::TransactionRequest;
use std::path::PathBuf;

impl Outbox {
    /// The same outbox, which puts `signature` into what was printed for a job before, and sends
    /// that.
    pub fn with_signature(self, signature: Bytes) -> Self {
        Self { signature: Some(signature), ..self }
    }

    /// Returns what somebody else is to sign or send, and writes it down, so that a signature can
    /// come back for it.
    pub(super) fn print(&self, wallet: &Wallet, job: &str, transaction: &Transaction) -> Result<Unsent, OutboxError> {
        let path = self.printed_file(job);
        write_whole(&path, &transaction.data, Existing::Replace).map_err(|source| OutboxError::Io { path, source })?;
        Ok(Unsent { from: wallet.address(), transaction: transaction.clone() })
    }

    /// The signature that came back, if one did.
    pub(in crate::chain) fn signature(&self) -> Option<&Bytes> {
        self.signature.as_ref()
    }

    /// The call data that was printed for a job, if any was.
    pub(in crate::chain) fn printed(&self, job: &str) -> Option<Vec<u8>> {
        std::fs::read(self.printed_file(job)).ok()
    }

    fn printed_file(&self, job: &str) -> PathBuf {
        self.path.with_file_name(format!("outbox-held-{}-{}", self.chain_id, keccak256(job)))
    }

    /// What the contract would refuse is not printed; of an account that is not known yet nothing
    /// can be said.
    pub(super) async fn try_out(rpc: &Rpc, wallet: &Wallet, transaction: &Transaction) -> Result<(), OutboxError> {
        let from = wallet.address();
        if from.is_zero() {
            return Ok(());
        }
        let request = TransactionRequest { to: transaction.to.map(Into::into), ..Default::default() };
        rpc.estimate_gas(request.from(from).input(transaction.data.clone().into())).await?;
        Ok(())
    }
}
