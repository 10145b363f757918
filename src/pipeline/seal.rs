//! Sealing a file: from its bytes to its record on chain.

use super::job::JobKey;
use super::release::{home, request_partial};
use super::{Job, Jobs, Mode, PipelineError, Prepared, Registered, prepare};
use crate::chain::bindings::IImageRegistry::{Registration, registerCall};
use crate::chain::{Outbox, Registry, Wallet, typed_data};
use crate::cipher::{ImageKey, key_commitment};
use crate::clock::Clock;
use crate::envelope::capsules::{Capsules, Recipient, X25519Public, seal_capsule};
use crate::envelope::{ImageContext, SealedImage, Sealing, seal};
use crate::imaging::{Limits, WholeReason};
use crate::keygen::{DeriveInputs, MODEL_DIGEST, SenderSecret, Vit, derive};
use crate::kgc::{KeyCenter, os_random};
use crate::storage::{Cid, Store};
use alloy::primitives::{B256, Bytes};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a relayed registration may be submitted, in seconds.
const RELAY_SECS: u64 = 86_400;

/// A file to be sealed.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name, for the encrypted description.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// How it is sealed.
    pub mode: Mode,
    /// Whether it is sealed anew although it was registered before.
    pub again: bool,
}

/// What a sealing is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the file, folding it, running the transformer, deriving the key.
    Key,
    /// Permuting, substituting, diffusing.
    Cipher,
    /// Putting it into the store and reading it back.
    Store,
    /// Registering it on chain.
    Chain,
}

/// How long the stages took; zero for those that a resumed job had behind it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// [`Stage::Key`].
    pub key: Duration,
    /// [`Stage::Cipher`].
    pub cipher: Duration,
    /// [`Stage::Store`].
    pub store: Duration,
    /// [`Stage::Chain`].
    pub chain: Duration,
}

/// A registered image.
#[derive(Debug)]
pub struct Sealed {
    /// What was sealed, stored and registered.
    pub job: Job,
    /// How it was registered.
    pub registered: Registered,
    /// Whether an earlier run had registered it already.
    pub already: bool,
    /// Why it was sealed as plain bytes, where it was; unknown for a resumed job.
    pub whole: Option<WholeReason>,
    /// How long it took.
    pub timings: Timings,
}

/// A sender and everything that it seals with.
pub struct Sender<'a, K, S> {
    /// Where it registers.
    pub registry: &'a Registry,
    /// Its wallet: the image's sender.
    pub wallet: &'a Wallet,
    /// Who sends the transaction: the sender itself, or a relayer that only ever sees a signature.
    pub submitter: &'a Wallet,
    /// The submitter's outbox.
    pub outbox: &'a mut Outbox,
    /// The Key Generation Center.
    pub key_center: &'a K,
    /// Where the ciphertext goes.
    pub store: &'a S,
    /// The transformer.
    pub vit: &'a mut Vit,
    /// Its unfinished and finished jobs.
    pub jobs: &'a Jobs,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// How large a file may be.
    pub limits: &'a Limits,
}

impl<K: KeyCenter, S: Store> Sender<'_, K, S> {
    /// Seals, stores, reads back and registers one file; finishes what an earlier run began with the same file.
    ///
    /// # Errors
    /// [`PipelineError`]; a later call with the same file goes on from where this one stopped.
    pub async fn seal(
        &mut self,
        source: &Source<'_>,
        progress: &(dyn Fn(Stage) + Sync),
    ) -> Result<Sealed, PipelineError> {
        let mut timings = Timings::default();
        let mut whole = None;
        let (sender, registry) = (self.wallet.address(), self.registry);
        let key = JobKey::new(source.bytes, source.mode, sender, registry.chain_id(), registry.address());
        let mut job = match self.jobs.find(key)? {
            Some(Job { registered: Some(_), .. }) if source.again => None,
            found => found,
        };
        if let Some(Job { registered: Some(registered), .. }) = &job {
            let registered = registered.clone();
            return Ok(Sealed { job: job.expect("matched"), registered, already: true, whole, timings });
        }
        if job.is_none() {
            let made = self.make(source, progress, &mut timings).await?;
            self.jobs.begin(key, &made.job, &made.sealed, &made.capsules)?;
            whole = made.whole;
            job = Some(made.job);
        }
        let mut job = job.expect("found or made");

        progress(Stage::Store);
        let started = Instant::now();
        let (sealed, capsules) = self.jobs.files(key)?;
        self.put_and_read_back(&sealed, job.content_hash).await?;
        self.put_and_read_back(&capsules, job.capsules_hash).await?;
        timings.store = started.elapsed();

        progress(Stage::Chain);
        let started = Instant::now();
        let registered = self.register(&job).await?;
        timings.chain = started.elapsed();
        job.registered = Some(registered.clone());
        self.jobs.finish(key, &job)?;
        Ok(Sealed { job, registered, already: false, whole, timings })
    }

    /// Makes the sealed image and its capsules, in the order that has no circle (DESIGN, section 3).
    async fn make(
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
        let context = ImageContext::new(self.registry.chain_id(), self.registry.address(), self.wallet.address(), salt);
        let image_key = self.derive_key(&prepared, &context, &salt).await?;
        timings.key = started.elapsed();

        progress(Stage::Cipher);
        let started = Instant::now();
        let sealed = seal(&Sealing {
            context: &context,
            salt,
            key: &image_key,
            model_digest: MODEL_DIGEST.0,
            description: &prepared.description,
            payload: &prepared.payload,
        })?;
        let commitment = key_commitment(&context.image_id, &image_key);
        let stanza = seal_capsule(&image_key, &recipient, &context, &commitment, &mut os_random())?;
        let capsules = Capsules::new(vec![stanza])?.encode();
        timings.cipher = started.elapsed();

        let header_hash = SealedImage::parse(&sealed)?.header().hash();
        let job = Job {
            file_name: source.name.to_owned(),
            image_id: context.image_id,
            salt,
            content_hash: sha256(&sealed),
            header_hash: header_hash.into(),
            size: sealed.len() as u64,
            cid: Cid::of(&sealed).to_string(),
            capsules_hash: sha256(&capsules),
            capsules_cid: Cid::of(&capsules).to_string(),
            deadline: self.clock.unix_secs() + RELAY_SECS,
            registered: None,
        };
        Ok(Made { job, sealed, capsules, whole: prepared.whole })
    }

    async fn derive_key(
        &mut self,
        prepared: &Prepared<'_>,
        context: &ImageContext,
        salt: &B256,
    ) -> Result<ImageKey, PipelineError> {
        let now = self.clock.unix_secs();
        let partial =
            request_partial(self.key_center, self.wallet, &home(self.registry), context.image_id, now).await?;
        let tout = self.vit.tout(&prepared.fold)?;
        Ok(derive(&DeriveInputs {
            salt,
            partials: &[(self.key_center.identity().id, partial)],
            sender_secret: &SenderSecret::from_bytes(*random()),
            fold: &prepared.fold,
            tout: &tout,
            model_digest: &MODEL_DIGEST,
            context,
        })?)
    }

    /// The KGC with its key as the chain has it, which is the only place that a sender takes it from.
    async fn recipient(&self) -> Result<Recipient, PipelineError> {
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

    /// Nothing is registered before it was read back from the store and hashed.
    async fn put_and_read_back(&self, bytes: &[u8], hash: B256) -> Result<(), PipelineError> {
        let cid = self.store.put(bytes).await?;
        self.store.get(&cid, &hash).await?;
        Ok(())
    }

    async fn register(&mut self, job: &Job) -> Result<Registered, PipelineError> {
        let registration = Registration {
            sender: self.wallet.address(),
            salt: job.salt,
            contentHash: job.content_hash,
            headerHash: job.header_hash,
            size: job.size,
            cid: job.cid.parse::<Cid>()?.to_bytes().into(),
            capsulesHash: job.capsules_hash,
            capsulesCid: job.capsules_cid.parse::<Cid>()?.to_bytes().into(),
            deadline: job.deadline,
        };
        let signature = if self.submitter.address() == self.wallet.address() {
            Bytes::new()
        } else {
            typed_data::sign(&registration, &self.registry.domain(), self.wallet)
        };
        let transaction = self.registry.transaction(&registerCall { registration, signature });
        let id = format!("register:{}", job.image_id);
        let receipt = self.outbox.submit(self.registry.rpc(), self.submitter, &id, &transaction).await?;
        Ok(Registered { transaction: receipt.transaction, block: receipt.block_number, gas: receipt.gas_used })
    }
}

/// A sealed image with its capsules, not yet stored.
struct Made {
    job: Job,
    sealed: Vec<u8>,
    capsules: Vec<u8>,
    whole: Option<WholeReason>,
}

/// 32 bytes of the operating system's randomness; without any there is no going on.
fn random() -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).expect("the operating system gives randomness");
    bytes
}

/// SHA-256, as the chain records it.
pub(super) fn sha256(bytes: &[u8]) -> B256 {
    B256::from_slice(&Sha256::digest(bytes))
}
