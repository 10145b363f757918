//! Relaying: a request that somebody else signed is submitted by whoever pays for it.

use super::PipelineError;
use super::submit::{Change, submit_once};
use crate::chain::{Outbox, Registry, RelayError, Standing, Wallet};
use crate::clock::Clock;
use crate::contract::{Request, RequestError, Transaction};
use alloy::primitives::Bytes;

/// Submits a signed request of this registry, after chain, deadline, number and signature were looked at; what is on
/// chain already is not sent again. The outbox is the payer's.
///
/// # Errors
/// [`PipelineError::Relay`] for a request that is overtaken or not taken, [`PipelineError::Outbox`] if the transaction
/// fails, [`PipelineError::Chain`] if the node does not answer.
pub async fn relay(
    registry: &Registry,
    outbox: &mut Outbox,
    payer: &Wallet,
    request: &Request,
    signature: &Bytes,
    clock: &dyn Clock,
) -> Result<Change, PipelineError> {
    let job = format!("relay:{}", request.digest(&registry.domain()));
    // What was relayed by an earlier run is finished, though its number is used up by now.
    let known = outbox.job(&job)?.is_some_and(|job| job.receipt.is_some());
    let signature = if known {
        signature.clone()
    } else {
        match registry.standing(request).await? {
            Standing::Done => return Ok(Change::Already),
            Standing::Overtaken { what, named, current } => {
                return Err(RelayError::from(RequestError::Overtaken { what, named, current }).into());
            }
            Standing::Open => registry.check_request(request, signature, clock.unix_secs()).await?,
        }
    };
    let make = || Transaction { to: Some(registry.address()), data: request.call(&signature).encode() };
    Ok(Change::Submitted(submit_once(registry, outbox, payer, &job, make).await?))
}
