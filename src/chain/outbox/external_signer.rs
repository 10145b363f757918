//! Transactions that are handed out instead of sent, and signatures that come back for them.

use super::{Outbox, OutboxError};
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use crate::contract::Transaction;
use crate::files::{Existing, write_whole};
use alloy::primitives::{Bytes, keccak256};
use alloy::rpc::types::TransactionRequest;
use std::path::PathBuf;

impl Outbox {
    /// The same outbox, which puts `signature` into what was handed out for a job before, and sends that.
    pub fn with_signature(self, signature: Bytes) -> Self {
        Self { signature: Some(signature), ..self }
    }

    /// Hands out a transaction: writes it down, so that a signature can come back for it.
    pub(super) fn hold(&self, wallet: &Wallet, job: &str, transaction: &Transaction) -> OutboxError {
        let path = self.held_file(job);
        match write_whole(&path, &transaction.data, Existing::Replace) {
            Ok(()) => OutboxError::Held { from: wallet.address(), transaction: transaction.clone() },
            Err(source) => OutboxError::Io { path, source },
        }
    }

    /// The signature that came back, if one did.
    pub(in crate::chain) fn signature(&self) -> Option<&Bytes> {
        self.signature.as_ref()
    }

    /// The call data that was handed out for a job, if any was.
    pub(in crate::chain) fn handed_out(&self, job: &str) -> Option<Vec<u8>> {
        std::fs::read(self.held_file(job)).ok()
    }

    fn held_file(&self, job: &str) -> PathBuf {
        self.path.with_file_name(format!("outbox-held-{}-{}", self.chain_id, keccak256(job)))
    }

    /// What the contract would refuse is not handed out; of an account that is not known yet nothing can be said.
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
