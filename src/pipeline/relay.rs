//! Relaying: a request that somebody else signed is submitted by whoever pays for it.

use super::PipelineError;
use super::submit::submit_once;
use crate::chain::{Outbox, Registry, RelayError, RequestState, Submitted, Wallet};
use crate::clock::Clock;
use crate::contract::{Request, RequestError, Transaction};
use alloy::primitives::Bytes;
use alloy::rpc::types::TransactionRequest;

/// What became of a signed request.
#[derive(Debug)]
pub enum Relayed {
    /// What it asks for is on chain, whoever brought it there: nothing was sent.
    Already,
    /// It was submitted, by this run or an earlier one.
    Submitted(Submitted),
}

/// Submits a signed request of this registry, after chain, deadline, number and signature were
/// looked at; what is on chain already is not sent again. The outbox is the payer's. `quoted` is
/// told how much gas the node says that it costs, before anything is spent.
///
/// # Errors
/// [`PipelineError::Relay`] for a request that is overtaken or not taken, [`PipelineError::Outbox`]
/// if the transaction fails, [`PipelineError::Chain`] if the node does not answer.
pub async fn relay(
    registry: &Registry,
    outbox: &mut Outbox,
    payer: &Wallet,
    request: &Request,
    signature: &Bytes,
    clock: &dyn Clock,
    quoted: impl FnOnce(u64),
) -> Result<Relayed, PipelineError> {
    let job = format!("relay:{}", request.digest(&registry.domain()));
    // What was relayed by an earlier run is finished, though its number is used up by now.
    let known = outbox.job(&job)?.is_some_and(|job| job.receipt.is_some());
    let signature = if known {
        signature.clone()
    } else {
        match registry.request_state(request).await? {
            RequestState::Done => return Ok(Relayed::Already),
            RequestState::Overtaken { what, named, current } => {
                return Err(RelayError::from(RequestError::Overtaken { what, named, current }).into());
            }
            RequestState::Open => registry.check_request(request, signature, clock.unix_secs()).await?,
        }
    };
    let data = request.call(&signature).encode();
    if !known {
        let call = TransactionRequest::default().from(payer.address()).to(registry.address());
        // A call that the node refuses is refused, with its reason, where it is to be sent.
        if let Ok(gas) = registry.rpc().estimate_gas(call.input(data.clone().into())).await {
            quoted(gas);
        }
    }
    let make = || Transaction { to: Some(registry.address()), data };
    Ok(Relayed::Submitted(submit_once(registry, outbox, payer, &job, make).await?))
}
