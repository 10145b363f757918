//! From a file to a sealed image and its capsules.

use super::job::SealedFiles;
use super::prepare::Mode;
use super::prepare::{Prepared, prepare, rebuild};
use super::release::{home, request_partial};
use super::seal::{Sender, Source};
use super::sealed::{Stage, Timings};
use super::{PipelineError, SealingJob};
use crate::cipher::{ImageKey, key_commitment};
use crate::envelope::capsules::{Capsules, Recipient, X25519Public, seal_capsule};
use crate::envelope::{ImageContext, SealedImage, Sealing, seal};
use crate::imaging::WholeReason;
use crate::keygen::{DeriveInputs, SenderSecret, derive};
use crate::kgc::{KeyCenter, os_random};
use crate::storage::{MAX_OBJECT_BYTES, Store, StoreError};
use alloy::primitives::B256;
use std::time::Instant;
use zeroize::Zeroizing;

/// A sealed image with its capsules, not yet stored.
pub(super) struct Made {
    pub(super) job: SealingJob,
    pub(super) files: SealedFiles,
    pub(super) whole: Option<WholeReason>,
}

impl<K: KeyCenter, S: Store> Sender<'_, K, S> {
    /// Makes the sealed image and its capsules, and opens them once as a test before anything is
    /// stored.
    pub(super) async fn make(
        &mut self,
        source: &Source<'_>,
        progress: &(dyn Fn(Stage) + Sync),
        timings: &mut Timings,
    ) -> Result<Made, PipelineError> {
        progress(Stage::Key);
        let started = Instant::now();
        let prepared = prepare(source.bytes, source.name, source.mode, self.limits)?;
        let recipient = self.recipient().await?;
        let salt = B256::from(*random());
        let context =
            ImageContext::new(self.registry.chain_id(), self.registry.address(), self.signers.signer.address(), salt);
        let key = self.derive_key(&prepared, &context, &salt).await?;
        timings.key = started.elapsed();

        progress(Stage::Cipher);
        let started = Instant::now();
        let sealed = seal(&Sealing {
            context: &context,
            salt,
            key: &key,
            model_digest: self.vit.model_digest().0,
            description: &prepared.description,
            payload: &prepared.payload,
        })
        .map_err(PipelineError::NotSealable)?;
        if sealed.len() as u64 > MAX_OBJECT_BYTES {
            return Err(StoreError::TooLarge { limit: MAX_OBJECT_BYTES, found: sealed.len() as u64 }.into());
        }
        check_opens(source, &prepared, &sealed, &key)?;
        let commitment = key_commitment(&context.image_id, &key);
        let stanza = seal_capsule(&key, &recipient, &context, &commitment, &mut os_random())?;
        let files = SealedFiles { capsules: Capsules::new(vec![stanza])?.encode(), sealed };
        timings.cipher = started.elapsed();
        let job = SealingJob::of(&files.sealed, &files.capsules)?;
        Ok(Made { job, files, whole: prepared.whole })
    }

    async fn derive_key(
        &mut self,
        prepared: &Prepared<'_>,
        context: &ImageContext,
        salt: &B256,
    ) -> Result<ImageKey, PipelineError> {
        let now = self.registry.checked_time(self.clock.unix_secs()).await?;
        let partial =
            request_partial(self.key_center, &self.signers.signer, &home(self.registry), context.image_id, now).await?;
        let tout = self.vit.tout(&prepared.fold)?;
        Ok(derive(&DeriveInputs {
            salt,
            partials: &[(self.key_center.identity().id, partial)],
            sender_secret: &SenderSecret::from_bytes(*random()),
            fold: &prepared.fold,
            tout: &tout,
            model_digest: &self.vit.model_digest(),
            context,
        })?)
    }

    /// The KGC with its key from the chain: a sender uses no other source for it.
    pub(super) async fn recipient(&self) -> Result<Recipient, PipelineError> {
        let identity = self.key_center.identity();
        let id = identity.id;
        let published = self.registry.current_kgc_key(id).await?;
        let refused = |state| Err(PipelineError::KgcKey { id, state });
        if published.retired {
            return refused("retired");
        }
        let public = X25519Public::from_bytes(published.x25519.0)?;
        if (public, published.epoch) != (identity.public, identity.epoch) {
            return refused("another than the KGC's own");
        }
        Ok(Recipient::Kgc { id, epoch: published.epoch, public })
    }
}

/// Opens what was just sealed while the key is at hand: later, a fault would show only when the
/// original is gone.
fn check_opens(
    source: &Source<'_>,
    prepared: &Prepared<'_>,
    sealed: &[u8],
    key: &ImageKey,
) -> Result<(), PipelineError> {
    let opened = SealedImage::decode(sealed)?.open(key)?;
    let same = match source.mode {
        Mode::Pixels => *opened.payload == *prepared.payload,
        Mode::Auto | Mode::Strict | Mode::Raw => {
            *Zeroizing::new(rebuild(&opened.description, &opened.payload)?) == source.bytes
        }
    };
    if same { Ok(()) } else { Err(PipelineError::DoesNotComeBack) }
}

/// 32 random bytes from the operating system. It panics where there are none: no key may be made
/// then.
fn random() -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).expect("the operating system gives randomness");
    bytes
}
