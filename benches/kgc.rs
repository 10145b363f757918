//! What `scripts/bench kgc` measures: releases over HTTP by 16 clients at once, and each part of a
//! release alone, by as many, in the same run.
//!
//! One JSON object on standard input names what is there ([`Given`]); one on standard output says
//! how many a second there were of each.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, B256, keccak256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use medseal::chain::{Deployment, Profile, Registry, Rpc};
use medseal::clock::SystemClock;
use medseal::envelope::capsules::{X25519Secret, open_secret, seal_secret};
use medseal::kgc::wire::ReleaseBody;
use medseal::kgc::{
    Answered, BootId, ChainView, Decision, KeyCenter, KeyRequest, KgcKeys, LocalKeyCenter, LogEntry, LogHead,
    LogWriter, ReleaseLog, SignedRequest, UnsignedRequest, open_key_file, os_random,
};
use medseal::pipeline::{AnyChainView, QuorumView, RegistryView, home};
use medseal::server::kgc::{KgcService, public_routes};
use medseal::server::{Limits, Listener, Stop};
use serde::Deserialize;
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

const CLIENTS: usize = 16;

/// What is there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    rpc_url: String,
    deployments: PathBuf,
    key_file: PathBuf,
    passphrase: String,
    /// The reader's key, which has a grant.
    wallet: B256,
    image_id: B256,
    /// The sealed image, and its capsules.
    sealed: PathBuf,
    capsules: PathBuf,
    /// How many nodes must agree; one is believed where there is no number.
    quorum: Option<usize>,
    /// How many releases.
    number: usize,
    /// Where logs may be written.
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // `cargo bench` alone gives no input.
    let given: Given =
        serde_json::from_reader(std::io::stdin()).map_err(|error| format!("scripts/bench runs this: {error}"))?;
    let rpc = Rpc::new(&given.rpc_url)?;
    let deployment = Deployment::load(&given.deployments, rpc.chain_id().await?)?;
    let registry = Registry::connect(rpc, &deployment, Profile::Development).await?;
    let keys = open_key_file(&given.key_file, Some(&given.passphrase))?;
    let bench = Arc::new(Bench::new(given, registry, keys)?);
    let mut rates = BTreeMap::new();
    let (over_http, slowest) = bench.over_http().await?;
    rates.insert("signature recovery", bench.recoveries().await?);
    rates.insert("chain", bench.chain().await?);
    rates.insert("HPKE open and seal", bench.hpke().await?);
    rates.insert("receipt signature", bench.signatures().await?);
    rates.insert("log", bench.log().await?);
    let found = serde_json::json!({"http": over_http, "p99Ms": slowest, "parts": rates});
    Ok(writeln!(std::io::stdout(), "{found}")?)
}

struct Bench {
    given: Given,
    registry: Registry,
    keys: KgcKeys,
    header: Vec<u8>,
    capsules: Vec<u8>,
    wallet: PrivateKeySigner,
}

impl Bench {
    fn new(given: Given, registry: Registry, keys: KgcKeys) -> Result<Self, Failure> {
        let sealed = std::fs::read(&given.sealed)?;
        let length = sealed.get(10..14).and_then(|length| length.try_into().ok()).ok_or("a sealed image")?;
        let header = sealed.get(..14 + u32::from_be_bytes(length) as usize).ok_or("a whole header")?.to_vec();
        let capsules = std::fs::read(&given.capsules)?;
        let wallet = PrivateKeySigner::from_bytes(&given.wallet)?;
        Ok(Self { given, registry, keys, header, capsules, wallet })
    }

    async fn view(&self) -> Result<AnyChainView<SystemClock>, Failure> {
        let registry = self.registry.clone();
        Ok(match self.given.quorum {
            Some(quorum) => AnyChainView::Quorum(QuorumView::new(&registry, quorum, SystemClock)?),
            None => AnyChainView::Node(RegistryView::new(registry, SystemClock)),
        })
    }

    async fn center(&self, log: &str) -> Result<LocalKeyCenter<AnyChainView<SystemClock>, SystemClock>, Failure> {
        let log = ReleaseLog::open(&self.given.folder.join(log))?;
        Ok(LocalKeyCenter::new(self.keys.clone(), home(&self.registry), self.view().await?, SystemClock, log))
    }

    /// Requests for the image's key, each signed over a challenge of its own.
    async fn requests(&self, center: &impl KeyCenter) -> Result<Vec<SignedRequest<KeyRequest>>, Failure> {
        let (now, home) = (SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(), home(&self.registry));
        let mut requests = Vec::new();
        for _ in 0..self.given.number {
            let ask = UnsignedRequest {
                image_id: self.given.image_id,
                challenges: vec![(center.identity().id, center.challenge().await?)],
                recipient: X25519Secret::generate(&mut os_random()).public(),
                issued_at: now,
                deadline: now + 300,
            };
            requests.extend(ask.sign(&home, &self.wallet).await?);
        }
        Ok(requests)
    }

    /// Releases a second, and the 99th percentile of their times in milliseconds.
    async fn over_http(self: &Arc<Self>) -> Result<(f64, f64), Failure> {
        let center = self.center("http.log").await?;
        center.begin().await?;
        let requests = self.requests(&center).await?;
        let service = KgcService::new(center, SystemClock, String::new()).with_address_rate(u32::MAX);
        let limits = Limits { of_one_address: CLIENTS * 2, ..Limits::default() };
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), None, limits).await?;
        let url = format!("http://{}/v1/release", listener.address()?);
        let stop = Stop::new();
        let serving = tokio::spawn({
            let stop = stop.clone();
            async move { listener.serve(public_routes(Arc::new(service)), &stop).await }
        });
        let bodies: Vec<String> = requests
            .iter()
            .map(|request| serde_json::to_string(&ReleaseBody::of(request, &self.header, &self.capsules)))
            .collect::<Result<_, _>>()?;
        let (client, shared) = (reqwest::Client::new(), Arc::new(bodies));
        let post = move |place: usize| {
            let (client, url, bodies) = (client.clone(), url.clone(), Arc::clone(&shared));
            async move {
                let json = ("content-type", "application/json");
                let answer = client.post(&url).header(json.0, json.1).body(bodies[place].clone()).send().await?;
                let (status, text) = (answer.status(), answer.text().await?);
                if status.is_success() { Ok(()) } else { Err(text.into()) }
            }
        };
        let (rate, mut times) = by_clients(self.given.number, post).await?;
        stop.now();
        serving.await?;
        times.sort_unstable();
        let slowest = times[times.len() * 99 / 100];
        Ok((rate, slowest.as_secs_f64() * 1e3))
    }

    async fn recoveries(self: &Arc<Self>) -> Result<f64, Failure> {
        let center = self.center("recoveries.log").await?;
        let requests = Arc::new(self.requests(&center).await?);
        let (home, id) = (home(&self.registry), center.identity().id);
        let one = move |place: usize| {
            let (requests, home) = (Arc::clone(&requests), home);
            async move { Ok(requests[place].check_signature(&requests[place].check(&home, id)?)?) }
        };
        Ok(by_clients(self.given.number, one).await?.0)
    }

    async fn chain(self: &Arc<Self>) -> Result<f64, Failure> {
        let (view, bench) = (Arc::new(self.view().await?), Arc::clone(self));
        let one = move |_| {
            let (view, bench) = (Arc::clone(&view), Arc::clone(&bench));
            async move {
                let (kgc, wallet) = (bench.keys.identity(), bench.wallet.address());
                view.anchored_log(kgc.id, B256::ZERO).await?;
                view.access_state(bench.given.image_id, wallet, &kgc, None).await?;
                Ok(())
            }
        };
        Ok(by_clients(self.given.number, one).await?.0)
    }

    async fn hpke(self: &Arc<Self>) -> Result<f64, Failure> {
        let secret = X25519Secret::generate(&mut os_random());
        let sealed = seal_secret(&[7; 32], &secret.public(), b"info", &mut os_random());
        let one = move |_| {
            let secret = secret.clone();
            async move {
                let key = open_secret(&sealed, &secret, b"info").ok_or("it opens")?;
                seal_secret(&key, &secret.public(), b"info", &mut os_random());
                Ok(())
            }
        };
        Ok(by_clients(self.given.number, one).await?.0)
    }

    async fn signatures(self: &Arc<Self>) -> Result<f64, Failure> {
        let wallet = self.wallet.clone();
        let one = move |place: usize| {
            let wallet = wallet.clone();
            async move { Ok(wallet.sign_hash_sync(&keccak256(place.to_be_bytes())).map(drop)?) }
        };
        Ok(by_clients(self.given.number, one).await?.0)
    }

    async fn log(self: &Arc<Self>) -> Result<f64, Failure> {
        let writer = Arc::new(LogWriter::new(ReleaseLog::open(&self.given.folder.join("alone.log"))?));
        let one = move |_| {
            let writer = Arc::clone(&writer);
            async move { Ok(writer.append(LogEntry::Release(line()), LogHead::EMPTY).await.map(drop)?) }
        };
        Ok(by_clients(self.given.number, one).await?.0)
    }
}

/// A line of the usual length.
fn line() -> Answered {
    Answered {
        at: 1_800_000_000,
        wallet: Address::repeat_byte(1),
        image_id: B256::repeat_byte(2),
        request_digest: B256::repeat_byte(3),
        decision: Decision::Released,
        reason: String::new(),
        block_number: 1_000,
        block_hash: B256::repeat_byte(4),
        answer_hash: B256::repeat_byte(5),
        kgc_set_hash: B256::repeat_byte(6),
        kgc_id: B256::repeat_byte(7),
        epoch: 1,
        contract_wallet: false,
        boot: BootId::repeat_byte(8),
    }
}

/// Has clients do this so often together: how often a second, and the time that each took.
async fn by_clients<F>(
    number: usize,
    one: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Result<(f64, Vec<Duration>), Failure>
where
    F: Future<Output = Result<(), Failure>> + Send,
{
    let (began, mut clients) = (Instant::now(), JoinSet::new());
    for client in 0..CLIENTS {
        let one = one.clone();
        clients.spawn(async move {
            let mut times = Vec::new();
            for place in (client..number).step_by(CLIENTS) {
                let began = Instant::now();
                one(place).await?;
                times.push(began.elapsed());
            }
            Ok::<_, Failure>(times)
        });
    }
    let mut times = Vec::new();
    for done in clients.join_all().await {
        times.extend(done?);
    }
    Ok((number as f64 / began.elapsed().as_secs_f64(), times))
}
