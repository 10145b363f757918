//! Verifying a stored image against its record: Algorithm 2.

use super::put::sha256;
use super::submit::submit_once;
use super::{PipelineError, Signers, Stored};
use crate::chain::{ChainError, MinedTransaction, Outbox, Registry, Submitted};
use crate::contract::bindings::IImageRegistry::{IImageRegistryEvents, Verification, recordVerificationCall};
use crate::contract::typed_data::RELAY_SECS;
use crate::storage::{Cid, Observed, Store, StoreError};
use alloy::primitives::{B256, U256};

/// What a look at the stored bytes came to.
#[derive(Debug)]
pub enum Verdict {
    /// They are the registered ones, by the contract's own judgement.
    Valid,
    /// They are others.
    Invalid,
    /// Nothing is said about them, and nothing is logged: they could not be read, or
    /// ([`StoreError::BlockAltered`]) they are the registered ones, but not under the addresses
    /// that opening demands.
    Unavailable(StoreError),
}

/// One look at the stored bytes.
#[derive(Debug)]
pub struct Observation {
    /// What it came to.
    pub verdict: Verdict,
    /// SHA-256 of what the store holds: what may be logged. `None` if the verdict is
    /// [`Verdict::Unavailable`].
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
    pub receipt: MinedTransaction,
}

/// Reads the bytes as the store holds them and asks the contract about their hash.
///
/// Bytes whose hash is right, from a store where a block does not match its address, are not called
/// valid: they would not open.
///
/// # Errors
/// [`PipelineError::Chain`] if the chain does not answer. A store that does not answer is a
/// [`Verdict`].
pub async fn observe(registry: &Registry, store: &impl Store, stored: &Stored) -> Result<Observation, PipelineError> {
    let Observed { bytes, altered } = match store.fetch_observed(&stored.cid).await {
        Ok(observed) => observed,
        Err(error) => return Ok(Observation { verdict: Verdict::Unavailable(error), observed: None }),
    };
    let observed = sha256(&bytes);
    let valid = registry.verify(stored.logged.image_id, observed).await?;
    Ok(judge(stored.cid, observed, valid, altered))
}

/// What follows from the contract's judgement on the hash, and from the first `altered` block, for
/// the object `cid`.
fn judge(cid: Cid, observed: B256, valid: bool, altered: Option<Cid>) -> Observation {
    match (valid, altered) {
        (true, None) => Observation { verdict: Verdict::Valid, observed: Some(observed) },
        (true, Some(block)) => {
            let error = StoreError::BlockAltered { cid, block };
            Observation { verdict: Verdict::Unavailable(error), observed: None }
        }
        (false, _) => Observation { verdict: Verdict::Invalid, observed: Some(observed) },
    }
}

/// Logs an observed hash on chain as the signer. The outbox is the payer's.
///
/// # Errors
/// [`PipelineError::Outbox`] if the transaction fails; [`PipelineError::Chain`] if its events are
/// not as they should be.
pub async fn record_verification(
    registry: &Registry,
    outbox: &mut Outbox,
    signers: &Signers,
    image_id: B256,
    observed: B256,
    observed_at: u64,
) -> Result<Submitted<Recorded>, PipelineError> {
    let verifier = signers.signer.address();
    let mut verification = Verification {
        imageId: image_id,
        verifier,
        observedHash: observed,
        observedAt: observed_at,
        nonce: U256::ZERO,
        deadline: 0,
    };
    if signers.is_relayed() {
        verification.nonce = registry.nonce(verifier).await?;
        verification.deadline = observed_at + RELAY_SECS;
    }
    let next = registry.record(image_id).await?.verifications.to::<u64>() + 1;
    let job = format!("verify:{image_id}:{observed}:{next}:{verifier}");
    let make = || {
        let signature = signers.signature(&verification, &registry.domain());
        registry.transaction(&recordVerificationCall { verification, signature })
    };
    let receipt = match submit_once(registry, outbox, &signers.payer, &job, make).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return Ok(Submitted::Printed(unsent)),
    };
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
    Ok(Submitted::Mined(Recorded { valid, number, flag, receipt }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::LocalStore;

    #[tokio::test]
    async fn the_right_hash_over_an_altered_block_is_not_valid_and_is_not_logged() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(dir.path()).expect("opens");
        let bytes = vec![7; (1 << 20) + 1];
        let cid = store.put(&bytes).await.expect("put");
        let (registered, root) = (sha256(&bytes), store.block_path(&cid));
        let index = std::fs::read(&root).expect("the index");

        let look = async || {
            let Observed { bytes, altered } = store.fetch_observed(&cid).await.expect("read");
            let observed = sha256(&bytes);
            judge(cid, observed, observed == registered, altered)
        };
        let valid = look().await;
        assert!(matches!(valid.verdict, Verdict::Valid), "{valid:?}");
        assert_eq!(valid.observed, Some(registered));

        std::fs::write(&root, &bytes).expect("the whole content in the place of the index");
        let refused = look().await;
        assert!(
            matches!(refused.verdict, Verdict::Unavailable(StoreError::BlockAltered { cid: object, block }) if object == cid && block == cid),
            "{refused:?}"
        );
        assert_eq!(refused.observed, None, "there is nothing to log");

        std::fs::write(&root, &index[1..]).expect("altered");
        let invalid = look().await;
        assert!(matches!(invalid.verdict, Verdict::Invalid), "{invalid:?}");
        assert_eq!(invalid.observed, Some(sha256(&index[1..])));
    }
}
