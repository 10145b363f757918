//! Relaying: a request that somebody else signed is submitted by whoever pays for it.

use super::PipelineError;
use super::open::{CapsulesAt, capsules_address};
use super::recapsule::read_registrable;
use super::submit::submit_once;
use crate::chain::{Outbox, Payer, Registry, RelayError, RequestState, Submitted, Wallet};
use crate::clock::Clock;
use crate::contract::bindings::IImageRegistry::updateCapsulesForCall;
use crate::contract::{Request, RequestError, Transaction, spelled_out};
use crate::storage::Store;
use alloy::primitives::{Bytes, U256};
use alloy::sol_types::SolCall;

/// What became of a signed request.
#[derive(Debug)]
pub enum Relayed {
    /// What it asks for is on chain, whoever brought it there: nothing was sent.
    Already,
    /// It was submitted, by this run or an earlier one.
    Submitted(Submitted),
}

/// What a relayer allows, and is told.
pub struct Relaying<'a> {
    /// Most gas of a transaction in which a wallet contract is asked for its signature.
    pub gas_cap: u64,
    /// Is told what such a transaction may take, in gas and wei, before it is signed.
    pub told: &'a dyn Fn(u64, U256),
    /// What time it is.
    pub clock: &'a dyn Clock,
}

/// Submits a signed request of this registry, after chain, deadline, number and signature were
/// looked at; what is on chain already is not sent again. The outbox is the payer's.
///
/// # Errors
/// [`PipelineError::Relay`] for a request that is overtaken or not taken, [`PipelineError::Outbox`]
/// if the transaction fails, [`PipelineError::Chain`] if the node does not answer; for new capsules
/// those of reading them, for they must be in the store.
pub async fn relay(
    registry: &Registry,
    outbox: &mut Outbox,
    payer: &Wallet,
    request: &Request,
    signature: &Bytes,
    store: &impl Store,
    relaying: &Relaying<'_>,
) -> Result<Relayed, PipelineError> {
    let job = format!("relay:{}", request.digest(&registry.domain()));
    let transaction =
        |signature: &Bytes| Transaction { to: Some(registry.address()), data: request.call(signature).encode() };
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
            RequestState::Open => {
                let by = Payer { address: payer.address(), gas_cap: relaying.gas_cap };
                let checked = registry.check_request(request, signature, relaying.clock.unix_secs(), &by).await?;
                if checked.by_contract && !payer.prints_only() {
                    outbox.cap_gas(&job, relaying.gas_cap);
                    let (gas, wei) = outbox.quote(registry.rpc(), &job, &transaction(&checked.signature)).await?;
                    (relaying.told)(gas, wei);
                }
                check_capsules(registry, store, request).await?;
                checked.signature
            }
        }
    };
    let make = || transaction(&signature);
    Ok(Relayed::Submitted(submit_once(registry, outbox, payer, &job, make).await?))
}

/// New capsules are read before they are registered, whoever signed for them.
async fn check_capsules(registry: &Registry, store: &impl Store, request: &Request) -> Result<(), PipelineError> {
    let call = request.call(&Bytes::new()).encode();
    let Ok(updateCapsulesForCall { update, .. }) = updateCapsulesForCall::abi_decode(&call) else { return Ok(()) };
    let (version, hash) = (update.version, update.capsulesHash);
    let cid = capsules_address(&spelled_out(update.capsulesCid, hash), hash);
    read_registrable(registry, store, &CapsulesAt { version, hash, cid }).await
}
