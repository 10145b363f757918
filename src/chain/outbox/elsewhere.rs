//! Transactions that are handed out instead of sent, and signatures that come back for them.

use super::{Outbox, OutboxError, Transaction};
use crate::chain::calls::Call;
use crate::chain::registry::Registry;
use crate::chain::relay::RelayError;
use crate::chain::request::Request;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;
use crate::clock::{Clock, SystemClock};
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

    /// `made`, or where a signature came back: what was handed out for this job, with it, once it was checked.
    ///
    /// # Errors
    /// [`OutboxError::NotSignable`], [`OutboxError::NotPrinted`], [`OutboxError::Request`], or the node does not answer.
    pub async fn counter_signed(
        &self,
        registry: &Registry,
        job: &str,
        made: Transaction,
    ) -> Result<Transaction, OutboxError> {
        let Some(signature) = &self.signature else { return Ok(made) };
        let job = || job.to_owned();
        let request = |data: &[u8]| Some(Request::of_call(&Call::decode(data).ok()?)?.0);
        let now = request(&made.data).ok_or_else(|| OutboxError::NotSignable { job: job() })?;
        let printed = std::fs::read(self.held_file(&job())).ok().and_then(|data| request(&data));
        let printed = printed.filter(|printed| printed.is_same_but_for_times(&now));
        let printed = printed.ok_or_else(|| OutboxError::NotPrinted { job: job() })?;
        let signature = registry.check_request(&printed, signature, SystemClock.unix_secs()).await;
        let signature = signature.map_err(|error| match error {
            RelayError::Chain(error) => OutboxError::Chain(error),
            RelayError::Request(error) => OutboxError::Request(Box::new(error)),
        })?;
        Ok(Transaction { data: printed.call(&signature).encode(), ..made })
    }

    fn held_file(&self, job: &str) -> PathBuf {
        self.path.with_file_name(format!("outbox-held-{}-{}", self.chain_id, keccak256(job)))
    }
}

/// What the contract would refuse is not handed out; of an account that is not known yet nothing can be said.
///
/// # Errors
/// As a submission's.
pub(super) async fn try_out(rpc: &Rpc, wallet: &Wallet, transaction: &Transaction) -> Result<(), OutboxError> {
    let from = wallet.address();
    if from.is_zero() {
        return Ok(());
    }
    let request = TransactionRequest { to: transaction.to.map(Into::into), ..Default::default() };
    rpc.estimate_gas(request.from(from).input(transaction.data.clone().into())).await?;
    Ok(())
}
