//! From a file to a sealed image and its capsules.

use super::job::SealedFiles;
use super::prepare::Mode;
use super::prepare::{Prepared, prepare, rebuild};
use super::release::{home, request_partial};
use super::seal::{Sender, Source};
use super::sealed::{Stage, Timings};
use super::{PipelineError, SealingJob};
use crate::cipher::{ImageKey, key_commitment};
use crate::envelope::capsules::{Capsules, Holder, Recipient, ShareSet, X25519Public, seal_capsule, seal_shares};
use crate::envelope::{ImageContext, SealedImage, Sealing, seal};
use crate::imaging::WholeReason;
use crate::keygen::{DeriveInputs, Partial, SenderSecret, derive};
use crate::kgc::{Asking, Given, KeyCenter, KgcIdentity, os_random};
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
        let salt = B256::from(*random());
        let context =
            ImageContext::new(self.registry.chain_id(), self.registry.address(), self.signers.signer.address(), salt);
        let asked = self.ask(&context).await?;
        let (kgcs, partials): (Vec<KgcKey>, Vec<_>) =
            asked.into_iter().map(|(kgc, partial)| (kgc, (kgc.0, partial))).unzip();
        let tout = self.vit.tout(&prepared.fold)?;
        let key = derive(&DeriveInputs {
            salt: &salt,
            partials: &partials,
            sender_secret: &SenderSecret::from_bytes(*random()),
            fold: &prepared.fold,
            tout: &tout,
            model_digest: &self.vit.model_digest(),
            context: &context,
        })?;
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
        let capsules = self.capsules(&key, &kgcs, &context)?;
        let files = SealedFiles { capsules: capsules.encode(), sealed };
        timings.cipher = started.elapsed();
        let job = SealingJob::of(&files.sealed, &files.capsules)?;
        Ok(Made { job, files, whole: prepared.whole })
    }

    /// Asks for a partial of each KGC, and takes the keys of those that gave one from the chain.
    async fn ask(&self, context: &ImageContext) -> Result<Vec<(KgcKey, Partial)>, PipelineError> {
        let (home, image_id) = (home(self.registry), context.image_id);
        let now = self.registry.checked_time(self.clock.unix_secs()).await?;
        if let Some(center) = self.key_centers.only() {
            let kgc = self.published(&center.identity()).await?;
            let partial = request_partial(center, &self.signers.signer, &home, image_id, now).await?;
            return Ok(vec![(kgc, partial)]);
        }
        let asking = Asking { home: &home, image_id, now };
        let mut asked = Vec::new();
        for Given { identity, partial } in self.key_centers.issue(asking, self.signers.signer.signer()).await? {
            asked.push((self.published(&identity).await?, Partial::from_bytes(*partial)));
        }
        Ok(asked)
    }

    /// The capsules for these KGCs: the key for each, or a share where it takes several to open.
    fn capsules(&self, key: &ImageKey, kgcs: &[KgcKey], context: &ImageContext) -> Result<Capsules, PipelineError> {
        let commitment = key_commitment(&context.image_id, key);
        let threshold = self.key_centers.threshold()?;
        if threshold > 1 {
            return Ok(seal_shares(key, threshold, kgcs, context, &commitment, &mut os_random())?);
        }
        let seal = |&(id, epoch, public): &KgcKey| {
            seal_capsule(key, &Recipient::Kgc { id, epoch, public }, context, &commitment, &mut os_random())
        };
        Ok(Capsules::new(kgcs.iter().map(seal).collect::<Result<_, _>>()?)?)
    }

    /// A KGC's key as the chain has it: a sender uses no other source for it.
    async fn published(&self, identity: &KgcIdentity) -> Result<KgcKey, PipelineError> {
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
        Ok((id, published.epoch, public))
    }

    /// Whether capsules that an earlier run made are those that this one would make: for the keys
    /// that the KGCs have now.
    pub(super) async fn is_current(&self, capsules: &Capsules) -> Result<bool, PipelineError> {
        if let Some(center) = self.key_centers.only() {
            let (id, epoch, _) = self.published(&center.identity()).await?;
            return Ok(capsules.find(&Holder::Kgc { id, epoch }).is_some());
        }
        let threshold = self.key_centers.threshold()?;
        if capsules.shares().map_or(1, ShareSet::threshold) != threshold {
            return Ok(false);
        }
        for (id, epoch) in capsules.kgcs() {
            let published = self.registry.current_kgc_key(id).await?;
            if published.retired || published.epoch != epoch {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Id, epoch and key of a KGC.
type KgcKey = (B256, u32, X25519Public);

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
