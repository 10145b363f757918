//! Verifying a stored image against its record: Algorithm 2.

use super::seal::sha256;
use super::submit::submit_once;
use super::{PipelineError, Stored};
use crate::chain::bindings::IImageRegistry::{IImageRegistryEvents, Verification, recordVerificationCall};
use crate::chain::{ChainError, Outbox, Receipt, Registry, Wallet};
use crate::storage::{Store, StoreError};
use alloy::primitives::{B256, Bytes, U256};

/// What a look at the stored bytes came to.
#[derive(Debug)]
pub enum Verdict {
    /// They are the registered ones, by the contract's own judgement.
    Valid,
    /// They are others.
    Invalid,
    /// They could not be read; nothing is said about them, and nothing is logged.
    Unavailable(StoreError),
}

/// One look at the stored bytes.
#[derive(Debug)]
pub struct Observation {
    /// What it came to.
    pub verdict: Verdict,
    /// SHA-256 of what the store holds, if it could be read.
    pub observed: Option<B256>,
}

/// A verification in the log on chain.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What the contract decided.
    pub valid: bool,
    /// Number of the entry for this image, from 1.
    pub number: u64,
    /// The flag that it raised, if it did.
    pub flag: Option<u64>,
    /// The transaction.
    pub receipt: Receipt,
}

/// Reads the bytes as the store holds them and asks the contract about their hash.
///
/// # Errors
/// [`PipelineError::Chain`] if the chain does not answer. A store that does not answer is a [`Verdict`].
pub async fn observe(registry: &Registry, store: &impl Store, stored: &Stored) -> Result<Observation, PipelineError> {
    let bytes = match store.fetch_observed(&stored.cid).await {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Observation { verdict: Verdict::Unavailable(error), observed: None }),
    };
    let observed = sha256(&bytes);
    let valid = registry.verify(stored.event.imageId, observed).await?;
    let verdict = if valid { Verdict::Valid } else { Verdict::Invalid };
    Ok(Observation { verdict, observed: Some(observed) })
}

/// Logs an observed hash on chain as `verifier`, who sends the transaction itself.
///
/// # Errors
/// [`PipelineError::Outbox`] if the transaction fails; [`PipelineError::Chain`] if its events are not as they should be.
pub async fn record_verification(
    registry: &Registry,
    outbox: &mut Outbox,
    verifier: &Wallet,
    image_id: B256,
    observed: B256,
    observed_at: u64,
) -> Result<Recorded, PipelineError> {
    let verification = Verification {
        imageId: image_id,
        verifier: verifier.address(),
        observedHash: observed,
        observedAt: observed_at,
        nonce: U256::ZERO,
        deadline: 0,
    };
    let next = registry.record(image_id).await?.verifications.to::<u64>() + 1;
    let job = format!("verify:{image_id}:{observed}:{next}");
    let make = || registry.transaction(&recordVerificationCall { verification, signature: Bytes::new() });
    let receipt = submit_once(registry, outbox, verifier, &job, make).await?;
    let (mut entry, mut flag) = (None, None);
    for event in registry.events_of(&receipt).await? {
        match event.event {
            IImageRegistryEvents::Verified(verified) => entry = Some((verified.valid, verified.number.to())),
            IImageRegistryEvents::FlagRaised(raised) => flag = Some(raised.flagId.to()),
            _ => {}
        }
    }
    let (valid, number) = entry.ok_or_else(|| ChainError::BadAnswer {
        method: "eth_getTransactionReceipt",
        reason: format!("transaction {} logged no verification", receipt.transaction),
    })?;
    Ok(Recorded { valid, number, flag, receipt })
}
