//! Verifying a stored image against its record: Algorithm 2.

use super::submit::submit_once;
use super::{PipelineError, Signers, Stored};
use crate::chain::{ChainError, MinedTransaction, Outbox, Registry, Submitted};
use crate::contract::bindings::IImageRegistry::{IImageRegistryEvents, Verification, recordVerificationCall};
use crate::contract::flag_number;
use crate::contract::typed_data::RELAY_SECS;
use crate::storage::{Cid, Digested, Store, StoreError};
use alloy::primitives::{B256, U256};

/// What a look at the stored bytes came to.
#[derive(Debug)]
pub enum Verdict {
    /// They are the registered ones, by the contract's own judgement, and as many as were signed.
    Valid,
    /// They are others. Where they are more than were signed, reading ended at the first one too
    /// many, and the hash is of those that were read: an object of the signed size does not go on
    /// there.
    Invalid,
    /// Nothing is said about them, and nothing is logged: they could not be read; or
    /// ([`StoreError::BlockAltered`]) they are the registered ones, but not under the addresses
    /// that opening demands; or ([`StoreError::Size`]) the record contradicts itself: what lies,
    /// unaltered, under its CID has not its size. Of that the store is innocent, and no hash that
    /// could be logged would say it: the registered one would read as valid, and that of a part as
    /// tampering.
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

/// Reads the bytes as the store holds them, up to the first one too many, and asks the contract
/// about their hash.
///
/// Bytes whose hash is right are not called valid if they would not open: where a block does not
/// match its address, or their number is not the one that was signed.
///
/// # Errors
/// [`PipelineError::Chain`] if the chain does not answer. A store that does not answer is a
/// [`Verdict`].
pub async fn observe(registry: &Registry, store: &impl Store, stored: &Stored) -> Result<Observation, PipelineError> {
    let size = stored.logged.size;
    let digested = match store.digest_observed(&stored.cid, size).await {
        Ok(digested) => digested,
        Err(error) => return Ok(Observation { verdict: Verdict::Unavailable(error), observed: None }),
    };
    let valid = registry.verify(stored.logged.image_id, B256::from(digested.sha256)).await?;
    let same = digested.sha256 == stored.logged.content_hash.0;
    ChainError::check_same("whether these are the registered bytes", valid.into(), same.into())?;
    Ok(judge(stored.cid, size, &digested, valid))
}

/// What follows from the contract's judgement on the hash of what lies under a CID, and from what
/// else was seen of it, for an object of `size` bytes.
fn judge(cid: Cid, size: u64, digested: &Digested, valid: bool) -> Observation {
    let unavailable = |error| Observation { verdict: Verdict::Unavailable(error), observed: None };
    let Digested { sha256, bytes: found, altered } = *digested;
    match (valid, altered) {
        (true, _) | (false, None) if found > size || (valid && found != size) => {
            unavailable(StoreError::Size { cid, expected: size, found })
        }
        (true, Some(block)) => unavailable(StoreError::BlockAltered { cid, block }),
        (true, None) => Observation { verdict: Verdict::Valid, observed: Some(sha256.into()) },
        (false, _) => Observation { verdict: Verdict::Invalid, observed: Some(sha256.into()) },
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
    let observed_at = registry.checked_time(observed_at).await?;
    let record = registry.record(image_id).await?;
    // What was read was read after its record: where this machine's clock says otherwise, it is
    // slow.
    let observed_at = observed_at.max(record.registeredAt.to());
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
    let next = record.verifications.to::<u64>() + 1;
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
            IImageRegistryEvents::FlagRaised(raised) => flag = Some(flag_number(raised.flagId)),
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
    use crate::pipeline::put::sha256;
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
            let size = bytes.len() as u64;
            let digested = store.digest_observed(&cid, size).await.expect("read");
            judge(cid, size, &digested, registered == digested.sha256)
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
    #[tokio::test]
    async fn bytes_of_another_number_than_was_signed_are_never_valid() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(dir.path()).expect("opens");
        for length in [3372_u64, (3 << 20) + 7] {
            let bytes = vec![7; usize::try_from(length).expect("small")];
            let cid = store.put(&bytes).await.expect("put");
            for size in [0, 1, 3371, length - 1, length + 1, 5 << 40] {
                let digested = store.digest_observed(&cid, size).await.expect("read");
                assert_eq!(digested.bytes, length.min(size + 1), "{size}");
                // Whatever was registered: the hash of the whole, of what was read, or another.
                for valid in [true, false] {
                    let seen = judge(cid, size, &digested, valid);
                    let refused = matches!(
                        seen.verdict,
                        Verdict::Unavailable(StoreError::Size { expected, found, .. }) if (expected, found) == (size, digested.bytes)
                    );
                    // Fewer bytes with another hash are what they always were: not the registered
                    // ones.
                    let invalid = matches!(seen.verdict, Verdict::Invalid) && !valid && length < size;
                    assert!(refused || invalid, "{size}: {seen:?}");
                }
            }
        }
    }

    #[tokio::test]
    async fn what_a_store_adds_is_cut_off_and_invalid() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(dir.path()).expect("opens");
        let bytes = vec![7; 3372];
        let (cid, size) = (store.put(&bytes).await.expect("put"), 3372);
        // 3 GiB that take no room on the disk: nothing of them is held, nor read after the first.
        let file = std::fs::OpenOptions::new().write(true).open(store.block_path(&cid)).expect("the block");
        file.set_len(3 << 30).expect("grown");
        let digested = store.digest_observed(&cid, size).await.expect("read");
        let expected = sha256(&[&bytes[..], &[0]].concat());
        assert_eq!(digested, Digested { sha256: expected.0, bytes: 3373, altered: Some(cid) });
        let seen = judge(cid, size, &digested, false);
        assert!(matches!(seen.verdict, Verdict::Invalid), "{seen:?}");
        assert_eq!(seen.observed, Some(expected), "the hash of what was read is logged");
    }
}
