//! A Key Generation Center in this process, with its keys from a key file.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use alloy::primitives::B256;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::case::Case;
use super::challenges::Challenges;
use super::limits::Limiter;
use super::log::{Answered, LogEntry, LogHead, LogWriter, ReleaseLog, release_log_id};
use super::policy::Policy;
use super::receipt::SignedReceipt;
use super::requests::{CheckedRequest, Home, IssueRequest, KeyRequest, KgcRequest, RequestKind, SignedRequest, Terms};
use super::{
    Answer, BootId, ChainView, ChainViewError, Decision, KeyCenter, KgcError, KgcIdentity, KgcKeys, Refusal,
    RegisteredImage, Rewrapped, SealedAnswer, os_random,
};
use crate::clock::Clock;
use crate::envelope::capsules::Capsules;
use crate::envelope::{EnvelopeError, PublicHeader};

/// A key center with its keys in memory and its log on disk; `V` is its view of the chain, `C` its
/// clock.
#[derive(Debug)]
pub struct LocalKeyCenter<V, C> {
    keys: KgcKeys,
    home: Home,
    chain: V,
    clock: C,
    log: LogWriter,
    log_id: B256,
    policy: Policy,
    /// Whether the log was compared with the chain since the start.
    compared: AtomicBool,
    challenges: Challenges,
    /// The capsules that it wrapped anew.
    rewrapped: Option<Rewrapped>,
    /// Refusals that were not logged, because there were too many.
    unlogged: AtomicU64,
}

impl<V: ChainView, C: Clock> LocalKeyCenter<V, C> {
    /// Returns a key center for the images of one registry, the only instance of it.
    pub fn new(keys: KgcKeys, home: Home, chain: V, clock: C, log: ReleaseLog) -> Self {
        let id = keys.identity().id;
        Self {
            keys,
            home,
            chain,
            clock,
            log: LogWriter::new(log),
            log_id: release_log_id(id, ""),
            policy: Policy::default(),
            compared: AtomicBool::new(false),
            challenges: Challenges::new(id, &mut os_random()),
            rewrapped: None,
            unlogged: AtomicU64::new(0),
        }
    }

    /// The same as one of several instances, whose log has a name of its own.
    #[must_use]
    pub fn of_instance(self, name: &str) -> Self {
        Self { log_id: release_log_id(self.keys.identity().id, name), ..self }
    }

    /// The same with rules on whom it serves.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The same with the capsules that it wrapped anew when it had a new key.
    #[must_use]
    pub fn with_rewrapped(self, sets: Rewrapped) -> Self {
        Self { rewrapped: Some(sets), ..self }
    }

    /// Notes in the log that this process begins to answer.
    ///
    /// # Errors
    /// [`KgcError::Log`], [`KgcError::Chain`].
    pub async fn begin(&self) -> Result<(), KgcError> {
        let anchored = self.chain.anchored_log(self.keys.identity().id, self.log_id).await?;
        let entry = LogEntry::Opened {
            at: self.clock.unix_secs(),
            boot: self.boot(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kgc_id: self.keys.identity().id,
            log_id: self.log_id,
            chain_id: self.home.chain_id,
            registry: self.home.registry,
        };
        self.log.append(entry, anchored).await?;
        Ok(())
    }

    /// Notes in the log that this process stops.
    ///
    /// # Errors
    /// [`KgcError::Log`].
    pub async fn end(&self) -> Result<(), KgcError> {
        let entry = LogEntry::Stopped { at: self.clock.unix_secs(), boot: self.boot() };
        self.log.append(entry, LogHead::EMPTY).await?;
        Ok(())
    }

    /// Its view of the chain.
    pub fn chain(&self) -> &V {
        &self.chain
    }

    /// Its log.
    pub fn log(&self) -> &ReleaseLog {
        self.log.log()
    }

    /// The log's name on chain.
    pub fn log_id(&self) -> B256 {
        self.log_id
    }

    /// The chain and registry that it serves.
    pub fn home(&self) -> Home {
        self.home
    }

    /// The name of this run.
    pub fn boot(&self) -> BootId {
        self.challenges.boot()
    }

    /// How many used challenges it remembers.
    pub fn used_challenges(&self) -> usize {
        self.challenges.used()
    }

    /// How many refusals were not logged, because there were too many.
    pub fn unlogged_refusals(&self) -> u64 {
        self.unlogged.load(Ordering::Relaxed)
    }

    /// Checks what needs no chain, cheapest first. A plain wallet's signature uses its challenge
    /// up here: the request cannot be used again, whatever the outcome.
    fn admit<R: KgcRequest>(&self, signed: &SignedRequest<R>) -> Result<Case, KgcError> {
        let checked = signed.check(&self.home, self.keys.identity().id)?;
        let terms = signed.request.terms();
        self.challenges.check(checked.challenge, self.clock.elapsed())?;
        // Only a contract may take another form of signature; that costs a question to the chain.
        let fault = signed.check_signature(&checked).err();
        if fault.is_none() {
            self.count(R::KIND, &terms, &checked)?;
        }
        Ok(Case { checked, terms, kind: R::KIND, signed: fault.is_none(), fault, block: None, anchored: None })
    }

    /// Takes a validly signed request from what its wallet may ask, and uses up its challenge. Who
    /// only names another's wallet takes nothing from that.
    fn count(&self, kind: RequestKind, terms: &Terms, checked: &CheckedRequest) -> Result<(), KgcError> {
        let now = self.clock.elapsed();
        if let Some(limiter) = self.policy.limiter(kind) {
            limiter.take(terms.wallet, now).map_err(|retry_after| KgcError::RateLimited { retry_after })?;
        }
        self.challenges.use_up(terms.wallet, checked.challenge, now)
    }

    /// Goes on with a request after the chain was asked, which finds nothing where no contract
    /// takes its signature either.
    fn signed<T>(&self, case: &mut Case, found: Option<T>) -> Result<T, KgcError> {
        let Some(found) = found else {
            let none = || ChainViewError::Unreachable { source: "it gave no block".into() };
            return Err(case.fault.take().map_or_else(|| none().into(), KgcError::Request));
        };
        if !case.signed {
            self.count(case.kind, &case.terms, &case.checked)?;
            case.signed = true;
        }
        Ok(found)
    }

    /// The later of the chain's time and this machine's: a slow clock extends nobody's access.
    fn now(&self, block_time: u64) -> u64 {
        self.clock.unix_secs().max(block_time)
    }

    /// Returns the image key, or this KGC's share of it, if header and capsules are those of the
    /// record.
    fn open(
        &self,
        image_id: B256,
        registration: &RegisteredImage,
        header: &[u8],
        capsules: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, KgcError> {
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
        let (context, commitment) = (parsed.context(), parsed.key_commitment);
        let own = self.keys.epochs_in(&capsules);
        let found = match own.first() {
            Some((newest, _)) if own.iter().all(|(_, held)| !held) => *newest,
            _ => return Ok(self.keys.open_own(&capsules, &context, &commitment)?.0),
        };
        let rewrapped = self.rewrapped.as_ref().and_then(|sets| sets.get(image_id).ok().flatten());
        match rewrapped.map(|set| self.keys.open_own(&set, &context, &commitment)) {
            Some(Ok((key, _))) => Ok(key),
            _ => Err(KgcError::EpochUnknown { newest: self.keys.identity().epoch, found }),
        }
    }

    /// This KGC with the epoch of the capsule that it would open: it is retired or not on its own.
    fn sealed_to(&self, capsules: &[u8]) -> KgcIdentity {
        let identity = self.keys.identity();
        let own = Capsules::decode(capsules).map(|capsules| self.keys.epochs_in(&capsules)).unwrap_or_default();
        let opened = own.iter().find(|(_, held)| *held).or(own.first());
        KgcIdentity { epoch: opened.map_or(identity.epoch, |(epoch, _)| *epoch), ..identity }
    }

    /// The head on chain with which the log is compared: the first time that something is given
    /// out, and before each release.
    async fn anchored(&self, kind: RequestKind) -> Result<Option<LogHead>, KgcError> {
        match kind == RequestKind::Release || !self.compared.load(Ordering::SeqCst) {
            true => Ok(Some(self.chain.anchored_log(self.keys.identity().id, self.log_id).await?)),
            false => Ok(None),
        }
    }

    async fn decide_issue(&self, case: &mut Case, signature: &[u8]) -> Result<Zeroizing<[u8; 32]>, KgcError> {
        case.anchored = self.anchored(case.kind).await?;
        let found = self.chain.block(case.terms.wallet, case.contract_signature(signature)).await?;
        let block = self.signed(case, found)?;
        case.block = Some(block);
        case.terms.check_times(self.now(block.time))?;
        let wallet = case.terms.wallet;
        if self.policy.senders.as_ref().is_some_and(|senders| !senders.contains(&wallet)) {
            return Err(KgcError::SenderNotAdmitted { wallet });
        }
        Ok(self.keys.partial(wallet, case.terms.image_id))
    }

    async fn decide_release(
        &self,
        case: &mut Case,
        signature: &[u8],
        header: &[u8],
        capsules: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, KgcError> {
        // First of all: between the look at who may and the answer lies nothing that takes long.
        case.anchored = self.anchored(case.kind).await?;
        let Terms { image_id, wallet, .. } = case.terms;
        let kgc = self.sealed_to(capsules);
        let found = self.chain.access_state(image_id, wallet, &kgc, case.contract_signature(signature)).await?;
        let state = self.signed(case, found)?;
        case.block = Some(state.block);
        let now = self.now(state.block.time);
        case.terms.check_times(now)?;
        let registration = state.registration.ok_or(KgcError::UnknownImage { image_id })?;
        let expiry = state.access_expiry;
        if wallet != registration.sender && (expiry == 0 || now > expiry) {
            return Err(KgcError::NotAuthorized { image_id, wallet, expiry, now });
        }
        self.open(image_id, &registration, header, capsules)
    }

    /// Logs a decision and answers with its receipt; the line is on disk before this returns.
    async fn answer(&self, case: Case, given: Result<Zeroizing<[u8; 32]>, KgcError>) -> Result<Answer, Refusal> {
        let (sealed, error) = match given {
            Ok(secret) => (Some(SealedAnswer::seal(&secret, &case.checked)), None),
            Err(error) if !self.is_logged(&case, &error) => return Err(error.into()),
            Err(error) => (None, Some(error)),
        };
        let identity = self.keys.identity();
        let Terms { wallet, image_id, kgc_set_hash, .. } = case.terms;
        let (block_number, block_hash, block_time) =
            case.block.map_or((0, B256::ZERO, 0), |block| (block.number, block.hash, block.time));
        let line = Answered {
            at: self.now(block_time),
            wallet,
            image_id,
            request_digest: case.checked.digest,
            decision: match (&error, case.kind) {
                (Some(_), _) => Decision::Refused,
                (None, RequestKind::Issue) => Decision::Issued,
                (None, RequestKind::Release) => Decision::Released,
            },
            reason: error.as_ref().map_or("", |error| error.reason().name()).to_owned(),
            block_number,
            block_hash,
            answer_hash: sealed.as_ref().map_or(B256::ZERO, SealedAnswer::hash),
            kgc_set_hash,
            kgc_id: identity.id,
            epoch: identity.epoch,
            // No plain wallet made the signature, and yet it counts.
            contract_wallet: case.fault.is_some(),
            boot: self.boot(),
        };
        let entry = match case.kind {
            RequestKind::Issue => LogEntry::Issue(line.clone()),
            RequestKind::Release => LogEntry::Release(line.clone()),
        };
        let at = self.log.append(entry, case.anchored.unwrap_or(LogHead::EMPTY)).await.map_err(KgcError::from)?;
        if case.anchored.is_some() {
            self.compared.store(true, Ordering::SeqCst);
        }
        let receipt = SignedReceipt::of(&line, &self.home, self.log_id, at, self.keys.wallet());
        match (sealed, error) {
            (Some(sealed), None) => Ok(Answer { sealed, receipt }),
            (_, error) => {
                let error = error.unwrap_or(KgcError::AnswerNotAuthentic);
                Err(Refusal { error, receipt: Some(Box::new(receipt)) })
            }
        }
    }

    /// Whether a refusal is logged: every one of a validly signed request, but for those that
    /// strangers could have without end.
    fn is_logged(&self, case: &Case, error: &KgcError) -> bool {
        if !case.signed || matches!(error, KgcError::RequestUsed { .. } | KgcError::Busy) {
            return false;
        }
        let full = |limiter: &Limiter<()>| limiter.take((), self.clock.elapsed()).is_err();
        let unlogged = self.policy.refusals.as_ref().is_some_and(full);
        self.unlogged.fetch_add(u64::from(unlogged), Ordering::Relaxed);
        !unlogged
    }
}

impl<V: ChainView, C: Clock> KeyCenter for LocalKeyCenter<V, C> {
    fn identity(&self) -> KgcIdentity {
        self.keys.identity()
    }

    async fn challenge(&self) -> Result<B256, KgcError> {
        Ok(self.challenges.give(self.clock.elapsed()))
    }

    async fn issue(&self, request: &SignedRequest<IssueRequest>) -> Result<Answer, Refusal> {
        let mut case = self.admit(request)?;
        let given = self.decide_issue(&mut case, &request.signature).await;
        self.answer(case, given).await
    }

    async fn release(
        &self,
        request: &SignedRequest<KeyRequest>,
        header: &[u8],
        capsules: &[u8],
    ) -> Result<Answer, Refusal> {
        let mut case = self.admit(request)?;
        let given = self.decide_release(&mut case, &request.signature, header, capsules).await;
        self.answer(case, given).await
    }
}

fn same<T: PartialEq + std::fmt::Display>(what: &'static str, expected: T, found: T) -> Result<(), KgcError> {
    if expected == found {
        Ok(())
    } else {
        Err(KgcError::RecordMismatch { what, expected: expected.to_string(), found: found.to_string() })
    }
}
