//! Transactions that a second start repeats rather than makes anew.

use super::Signers;
use crate::chain::outbox::State;
use crate::chain::{Outbox, OutboxError, Registry, Submitted, Wallet};
use crate::contract::Transaction;
use crate::contract::typed_data::Signable;
use alloy::primitives::Bytes;
use alloy::sol_types::SolCall;

/// Submits what an earlier run accepted under this job id, else what `make` gives.
///
/// A transaction may hold a time or a signature of its day: what was accepted once is sent as it
/// was.
///
/// # Errors
/// As [`Outbox::send`].
pub async fn submit_once(
    registry: &Registry,
    outbox: &mut Outbox,
    payer: &Wallet,
    job: &str,
    make: impl FnOnce() -> Transaction,
) -> Result<Submitted, OutboxError> {
    let known = outbox.job(job)?.filter(|known| known.state != State::Failed);
    let transaction = match known {
        Some(known) => known.transaction,
        None => registry.counter_signed(outbox, job, make()).await?,
    };
    outbox.submit(registry.rpc(), payer, job, &transaction).await
}

/// Submits `direct` as the transaction of the one who acts; where another pays, has `message`
/// signed and submits `relayed` with the signature. The outbox is the payer's.
///
/// # Errors
/// As [`Outbox::send`].
pub async fn submit_or_sign<M: Signable, R: SolCall>(
    registry: &Registry,
    outbox: &mut Outbox,
    signers: &Signers,
    job: &str,
    direct: &impl SolCall,
    message: M,
    relayed: impl FnOnce(M, Bytes) -> R,
) -> Result<Submitted, OutboxError> {
    let make = || {
        if !signers.is_relayed() {
            return registry.transaction(direct);
        }
        let signature = signers.signature(&message, &registry.domain());
        registry.transaction(&relayed(message, signature))
    };
    submit_once(registry, outbox, &signers.payer, job, make).await
}
