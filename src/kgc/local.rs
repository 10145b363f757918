//! A Key Generation Center in this process, with its keys from a key file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy::primitives::B256;
use sha2::{Digest, Sha256};

use super::challenges::Challenges;
use super::log::{LogEntry, LogHead, ReleaseLog};
use super::requests::{CheckedRequest, Home, IssueRequest, KeyRequest, KgcRequest, SignedRequest};
use super::{ChainView, KeyCenter, KgcError, KgcIdentity, KgcKeys, RegisteredImage, SealedAnswer, os_random};
use crate::cipher::ImageKey;
use crate::clock::Clock;
use crate::envelope::capsules::{CapsuleError, Capsules, Holder, open_capsule};
use crate::envelope::{EnvelopeError, PublicHeader};

/// A key center with its keys in memory and its log on disk; `V` is its view of the chain, `C` its
/// clock.
#[derive(Debug)]
pub struct LocalKeyCenter<V, C> {
    keys: KgcKeys,
    home: Home,
    chain: V,
    clock: C,
    log: Arc<ReleaseLog>,
    /// Whether the log was compared with the chain since the start.
    compared: AtomicBool,
    challenges: Challenges,
}

impl<V: ChainView, C: Clock> LocalKeyCenter<V, C> {
    /// Returns a key center for the images of one registry.
    pub fn new(keys: KgcKeys, home: Home, chain: V, clock: C, log: ReleaseLog) -> Self {
        Self {
            keys,
            home,
            chain,
            clock,
            log: Arc::new(log),
            compared: AtomicBool::new(false),
            challenges: Challenges::default(),
        }
    }

    /// Checks the request and uses its challenge up: the request cannot be used again, whatever the
    /// outcome.
    fn admit<R: KgcRequest>(&self, signed: &SignedRequest<R>) -> Result<CheckedRequest, KgcError> {
        let checked = signed.check(&self.home, self.keys.identity().id)?;
        self.challenges.use_up(checked.challenge, self.clock.unix_secs())?;
        Ok(checked)
    }

    /// The later of the chain's time and this machine's: a slow clock extends nobody's access.
    fn now(&self, block_time: u64) -> u64 {
        self.clock.unix_secs().max(block_time)
    }

    /// Returns the image key, if header and capsules are those of the record.
    fn open(
        &self,
        image_id: B256,
        registration: &RegisteredImage,
        header: &[u8],
        capsules: &[u8],
    ) -> Result<ImageKey, KgcError> {
        same("header hash", registration.header_hash, B256::from_slice(&Sha256::digest(header)))?;
        // Whoever may replace capsules may replace them by what nobody has; the key in those of the
        // registration is the same.
        let found = B256::from_slice(&Sha256::digest(capsules));
        if registration.registered_capsules != Some(found) {
            same("capsules hash", registration.capsules_hash, found)?;
        }
        let (parsed, end) = PublicHeader::decode(header)?;
        if end != header.len() {
            let (expected, found) = (end as u64, header.len() as u64);
            return Err(EnvelopeError::TrailingBytes { expected, found }.into());
        }
        same("home chain", self.home.chain_id, parsed.chain_id)?;
        same("home registry", self.home.registry, parsed.registry)?;
        same("sender", registration.sender, parsed.sender)?;
        same("image id", image_id, parsed.image_id)?;

        let capsules = Capsules::decode(capsules)?;
        let (recipient, secret) = (self.keys.recipient(), self.keys.x25519());
        open_capsule(&capsules, &recipient, secret, &parsed.context(), &parsed.key_commitment)
            .map_err(|error| self.explain(error, &capsules))
    }

    /// The error with the capsule's epoch, where there is a capsule for another key of this KGC.
    fn explain(&self, error: CapsuleError, capsules: &Capsules) -> KgcError {
        let KgcIdentity { id: own, epoch: expected, .. } = self.keys.identity();
        let other = capsules.stanzas().iter().find_map(|stanza| match stanza.holder {
            Holder::Kgc { id, epoch } if id == own && epoch != expected => Some(epoch),
            _ => None,
        });
        match (error, other) {
            (CapsuleError::NoMatchingStanza { .. }, Some(found)) => KgcError::EpochUnknown { expected, found },
            (error, _) => error.into(),
        }
    }

    /// The head on chain with which the log is compared: the first time that something is given
    /// out, and before each release.
    async fn anchored(&self, releases: bool) -> Result<LogHead, KgcError> {
        match releases || !self.compared.load(Ordering::SeqCst) {
            true => Ok(self.chain.anchored_log(self.keys.identity().id).await?),
            false => Ok(LogHead::EMPTY),
        }
    }

    /// Logs what is about to be given out, after what was `anchored`; it is on disk when this
    /// returns.
    async fn log<R: KgcRequest>(
        &self,
        request: &R,
        checked: &CheckedRequest,
        at: u64,
        anchored: LogHead,
    ) -> Result<(), KgcError> {
        let (terms, identity) = (request.terms(), self.keys.identity());
        let entry = LogEntry {
            at,
            kind: R::ACT,
            requester: terms.wallet,
            image_id: terms.image_id,
            kgc_set_hash: terms.kgc_set_hash,
            kgc_id: identity.id,
            epoch: identity.epoch,
            request_digest: checked.digest,
        };
        let log = Arc::clone(&self.log);
        // Waiting for the disk blocks a thread of its own, not the others' requests.
        tokio::task::spawn_blocking(move || log.append(&entry, anchored)).await.expect("appending does not panic")?;
        self.compared.store(true, Ordering::SeqCst);
        Ok(())
    }
}

impl<V: ChainView, C: Clock> KeyCenter for LocalKeyCenter<V, C> {
    fn identity(&self) -> KgcIdentity {
        self.keys.identity()
    }

    async fn challenge(&self) -> Result<B256, KgcError> {
        self.challenges.give(self.clock.unix_secs(), &mut os_random())
    }

    async fn issue(&self, request: &SignedRequest<IssueRequest>) -> Result<SealedAnswer, KgcError> {
        let checked = self.admit(request)?;
        let terms = request.request.terms();
        let anchored = self.anchored(false).await?;
        let now = self.now(self.chain.block_time().await?);
        terms.check_times(now)?;
        let partial = self.keys.partial(terms.wallet, terms.image_id);
        self.log(&request.request, &checked, now, anchored).await?;
        Ok(SealedAnswer::seal(&partial, &checked))
    }

    async fn release(
        &self,
        request: &SignedRequest<KeyRequest>,
        header: &[u8],
        capsules: &[u8],
    ) -> Result<SealedAnswer, KgcError> {
        let checked = self.admit(request)?;
        let terms = request.request.terms();
        let (image_id, wallet) = (terms.image_id, terms.wallet);
        // First of all: between the look at who may and the answer lies nothing that takes long.
        let anchored = self.anchored(true).await?;
        let access_state = self.chain.access_state(image_id, wallet, &self.keys.identity()).await?;
        let now = self.now(access_state.block_time);
        terms.check_times(now)?;
        let registration = access_state.registration.ok_or(KgcError::UnknownImage { image_id })?;
        let expiry = access_state.access_expiry;
        if wallet != registration.sender && (expiry == 0 || now > expiry) {
            return Err(KgcError::NotAuthorized { image_id, wallet, expiry, now });
        }
        let key = self.open(image_id, &registration, header, capsules)?;
        self.log(&request.request, &checked, now, anchored).await?;
        Ok(SealedAnswer::seal(key.as_bytes(), &checked))
    }
}

fn same<T: PartialEq + std::fmt::Display>(what: &'static str, expected: T, found: T) -> Result<(), KgcError> {
    if expected == found {
        Ok(())
    } else {
        Err(KgcError::RecordMismatch { what, expected: expected.to_string(), found: found.to_string() })
    }
}
