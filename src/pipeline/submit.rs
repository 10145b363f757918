//! Transactions that a second start repeats rather than makes anew.

use crate::chain::outbox::State;
use crate::chain::{Outbox, OutboxError, Receipt, Registry, Wallet};
use crate::contract::Transaction;

/// Submits what an earlier run accepted under this job id, else what `make` gives.
///
/// A transaction may hold a time or a signature of its day: what was accepted once is sent as it was.
///
/// # Errors
/// As [`Outbox::submit`].
pub async fn submit_once(
    registry: &Registry,
    outbox: &mut Outbox,
    wallet: &Wallet,
    job: &str,
    make: impl FnOnce() -> Transaction,
) -> Result<Receipt, OutboxError> {
    let known = outbox.job(job)?.filter(|known| known.state != State::Failed);
    let transaction = match known {
        Some(known) => known.transaction,
        None => registry.counter_signed(outbox, job, make()).await?,
    };
    outbox.submit(registry.rpc(), wallet, job, &transaction).await
}
