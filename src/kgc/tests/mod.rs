//! A key center before a chain and a clock that the test moves.

mod answers;
mod backup;
mod epochs;
mod key_file;
mod log;
mod release;
mod requests;
mod set;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::{Address, B256};
use alloy::signers::local::PrivateKeySigner;
use sha2::{Digest, Sha256};

use super::*;
use crate::cipher::key_commitment;
use crate::clock::Clock;
use crate::envelope::PublicHeader;
use crate::envelope::capsules::{CapsuleError, Capsules, Recipient, seal_capsule};

/// Both clocks at the start, unix seconds.
const NOW: u64 = 1_800_000_000;
const HOME: Home = Home { chain_id: 31337, registry: Address::repeat_byte(0x11) };
/// Key of every image here: a pattern to look for.
const CANARY: [u8; 32] = *b"CANARY-KEY-THAT-NOBODY-MAY-PRINT";

#[derive(Debug, Default)]
struct ChainState {
    block_time: u64,
    registrations: HashMap<B256, RegisteredImage>,
    access: HashMap<(B256, Address), u64>,
    failure: Option<fn() -> ChainViewError>,
    /// What each contract wallet takes for its signature.
    contracts: HashMap<Address, Vec<u8>>,
    /// The epoch of the key about which it was asked last.
    asked_epoch: u32,
    /// The head of the log that was anchored last.
    anchored: Option<LogHead>,
}

#[derive(Debug, Clone, Default)]
struct FakeChain(Arc<Mutex<ChainState>>);

impl FakeChain {
    fn change(&self, change: impl FnOnce(&mut ChainState)) {
        change(&mut self.0.lock().expect("no test panics in here"));
    }
}

impl FakeChain {
    fn seen(&self) -> Result<BlockSeen, ChainViewError> {
        let state = self.0.lock().expect("no test panics in here");
        let block = BlockSeen { number: 7, hash: B256::repeat_byte(7), time: state.block_time };
        state.failure.map_or(Ok(block), |failure| Err(failure()))
    }

    /// Whether the contract wallet takes the signature, where it is one.
    fn takes(&self, wallet: Address, signature: Option<ContractSignature<'_>>) -> bool {
        let state = self.0.lock().expect("no test panics in here");
        signature.is_none_or(|asked| state.contracts.get(&wallet).is_some_and(|takes| takes == asked.signature))
    }
}

impl ChainView for FakeChain {
    async fn block(
        &self,
        wallet: Address,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<BlockSeen>, ChainViewError> {
        Ok(Some(self.seen()?).filter(|_| self.takes(wallet, signature)))
    }

    async fn anchored_log(&self, _kgc_id: B256, _log_id: B256) -> Result<LogHead, ChainViewError> {
        let state = self.0.lock().expect("no test panics in here");
        Ok(state.anchored.unwrap_or(LogHead::EMPTY))
    }

    async fn access_state(
        &self,
        image_id: B256,
        wallet: Address,
        kgc: &KgcIdentity,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<AccessState>, ChainViewError> {
        let block = self.seen()?;
        if !self.takes(wallet, signature) {
            return Ok(None);
        }
        let mut state = self.0.lock().expect("no test panics in here");
        state.asked_epoch = kgc.epoch;
        Ok(Some(AccessState {
            block,
            registration: state.registrations.get(&image_id).copied(),
            access_expiry: state.access.get(&(image_id, wallet)).copied().unwrap_or(0),
        }))
    }
}

#[derive(Debug, Clone)]
struct FakeClock(Arc<AtomicU64>);

impl Clock for FakeClock {
    fn unix_secs(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.unix_secs())
    }
}

/// A request to the only KGC that it names.
trait SignOne {
    async fn sign_one<R: KgcRequest + Clone>(
        &self,
        home: &Home,
        signer: &PrivateKeySigner,
    ) -> Result<SignedRequest<R>, KeyRequestError>;
}

impl SignOne for UnsignedRequest {
    async fn sign_one<R: KgcRequest + Clone>(
        &self,
        home: &Home,
        signer: &PrivateKeySigner,
    ) -> Result<SignedRequest<R>, KeyRequestError> {
        Ok(self.sign(home, signer).await?.pop().expect("one for each challenge"))
    }
}

/// What belongs to a registered image.
struct Sealed {
    context: ImageContext,
    commitment: [u8; 32],
    header: Vec<u8>,
    capsules: Vec<u8>,
}

type Center = LocalKeyCenter<FakeChain, FakeClock>;

struct Scene {
    folder: tempfile::TempDir,
    chain: FakeChain,
    clock: FakeClock,
    center: Arc<Center>,
    sender: PrivateKeySigner,
    reader: PrivateKeySigner,
    stranger: PrivateKeySigner,
    image: Sealed,
}

fn wallet(byte: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_slice(&[byte; 32]).expect("a key of the curve")
}

fn sha256(bytes: &[u8]) -> B256 {
    B256::from_slice(&Sha256::digest(bytes))
}

/// An image of `sender` with the canary as its key, sealed for `kgc`.
fn sealed(home: Home, sender: Address, salt: u8, kgc: &KgcIdentity) -> Sealed {
    let salt = B256::repeat_byte(salt);
    let (key, context) = (ImageKey::from_bytes(CANARY), ImageContext::new(home.chain_id, home.registry, sender, salt));
    let commitment = key_commitment(&context.image_id, &key);
    let recipient = Recipient::Kgc { id: kgc.id, epoch: kgc.epoch, public: kgc.public };
    let stanza = seal_capsule(&key, &recipient, &context, &commitment, &mut os_random()).expect("the right key");
    let header = PublicHeader::new(&context, salt, commitment, [0; 32], vec![100, 200]).expect("a valid header");
    let capsules = Capsules::new(vec![stanza]).expect("one stanza").encode();
    Sealed { context, commitment, header: header.encode(), capsules }
}

impl Scene {
    /// A registered image, and a reader that may open it until `NOW + 1000`.
    fn new() -> Self {
        Self::logging_to(None)
    }

    fn logging_to(log: Option<&Path>) -> Self {
        Self::of(log, |center| center)
    }

    fn of(log: Option<&Path>, change: impl FnOnce(Center) -> Center) -> Self {
        Self::with_keys(KgcKeys::generate(&mut os_random()), log, change)
    }

    fn with_keys(keys: KgcKeys, log: Option<&Path>, change: impl FnOnce(Center) -> Center) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log.map_or_else(|| folder.path().join("log.jsonl"), Path::to_owned);
        let (chain, clock) = (FakeChain::default(), FakeClock(Arc::new(AtomicU64::new(NOW))));
        let log = ReleaseLog::open(&log).expect("a log");
        let center = Arc::new(change(LocalKeyCenter::new(keys, HOME, chain.clone(), clock.clone(), log)));
        let (sender, reader, stranger) = (wallet(1), wallet(2), wallet(3));
        let image = sealed(HOME, sender.address(), 7, &center.identity());
        let scene = Self { folder, chain, clock, center, sender, reader, stranger, image };
        scene.register(&scene.image, scene.sender.address());
        scene.grant(scene.image.context.image_id, scene.reader.address(), NOW + 1000);
        scene.chain.change(|chain| chain.block_time = NOW);
        scene
    }

    fn register(&self, image: &Sealed, sender: Address) {
        let (header_hash, capsules_hash) = (sha256(&image.header), sha256(&image.capsules));
        let registration = RegisteredImage { sender, header_hash, capsules_hash, registered_capsules: None };
        self.chain.change(|chain| {
            chain.registrations.insert(image.context.image_id, registration);
        });
    }

    fn grant(&self, image_id: B256, wallet: Address, expiry: u64) {
        self.chain.change(|chain| {
            chain.access.insert((image_id, wallet), expiry);
        });
    }

    fn set_clock(&self, now: u64) {
        self.clock.0.store(now, Ordering::SeqCst);
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log.jsonl")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).expect("the log")
    }

    /// A good question about the image, to be changed by the test.
    async fn ask(&self) -> (UnsignedRequest, X25519Secret) {
        let secret = X25519Secret::generate(&mut os_random());
        let challenge = self.center.challenge().await.expect("a challenge");
        let ask = UnsignedRequest {
            image_id: self.image.context.image_id,
            challenges: vec![(self.center.identity().id, challenge)],
            recipient: secret.public(),
            issued_at: NOW,
            deadline: NOW + 300,
        };
        (ask, secret)
    }

    /// A good request of this wallet.
    async fn request<R: KgcRequest + Clone>(&self, signer: &PrivateKeySigner) -> SignedRequest<R> {
        self.ask().await.0.sign_one(&HOME, signer).await.expect("a local wallet signs")
    }

    async fn release(&self, request: &SignedRequest<KeyRequest>) -> Result<SealedAnswer, KgcError> {
        self.release_with(request, &self.image.header, &self.image.capsules).await
    }

    async fn release_with(
        &self,
        request: &SignedRequest<KeyRequest>,
        header: &[u8],
        capsules: &[u8],
    ) -> Result<SealedAnswer, KgcError> {
        let answer = self.center.release(request, header, capsules).await;
        answer.map(|answer| answer.sealed).map_err(|refusal| refusal.error)
    }

    async fn issue(&self, request: &SignedRequest<IssueRequest>) -> Result<SealedAnswer, KgcError> {
        let answer = self.center.issue(request).await;
        answer.map(|answer| answer.sealed).map_err(|refusal| refusal.error)
    }

    /// The decisions in the log, in their order.
    fn decisions(&self) -> Vec<String> {
        let decision = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            format!("{} {}", line["decision"].as_str().expect("text"), line["reason"].as_str().expect("text"))
        };
        self.log().lines().map(|line| decision(line).trim_end().to_owned()).collect()
    }

    /// The whole way for one wallet and the scene's image, with a fresh request.
    async fn open_as(&self, signer: &PrivateKeySigner) -> Result<[u8; 32], KgcError> {
        let (ask, secret) = self.ask().await;
        let request = ask.sign_one::<KeyRequest>(&HOME, signer).await?;
        let answer = self.release(&request).await?;
        let Sealed { context, commitment, .. } = &self.image;
        answer.open_image_key(&secret, &request.digest(&HOME), context, commitment).map(|key| *key.as_bytes())
    }
}
