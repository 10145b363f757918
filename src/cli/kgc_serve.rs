//! `medseal kgc serve`: the key center on the network.

use super::error::CliError;
use super::key_center::{Instance, kgc_folder, open_keys, release_log_of, rewrapped_sets};
use super::kgc_anchoring::Anchoring;
use super::output::{Outcome, say};
use super::session::Session;
use super::settings::Settings;
use crate::chain::{QuorumError, Registry};
use crate::clock::SystemClock;
use crate::kgc::{KeyCenter, KgcError, KgcIdentity, KgcKeys, LocalKeyCenter, Policy, WalletRates};
use crate::pipeline::{AnyChainView, PipelineError, QuorumView, RegistryView, check_kgc_key, home, published_keys};
use crate::server::kgc::{ADDRESS_RATE, KgcService, operator_routes, public_routes, watch_readiness};
use crate::server::{Limits, Listener, Stop, server_config};
use alloy::primitives::Address;
use axum::Router;
use rustls::ServerConfig;
use serde_json::json;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// A week: rarer anchors guard nothing.
const MOST_MINUTES: u64 = 7 * 24 * 60;
/// How often it is looked whether the chain has this very key.
const KEY_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen; beyond this machine only with TLS
    #[arg(long, default_value = "127.0.0.1:8645", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The certificate and those above it, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM, readable by its owner alone
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Speak without TLS beyond this machine, for instance behind a proxy that speaks it
    #[arg(long)]
    plain_http_beyond_this_machine: bool,
    /// Where metrics are given, for operators alone
    #[arg(long, value_name = "ADDRESS:PORT")]
    operators: Option<SocketAddr>,
    /// Issue to these senders only; any wallet may seal where none is named
    #[arg(long = "sender", value_name = "WALLET")]
    senders: Vec<Address>,
    /// How often one wallet may ask for the partials of new images, a minute
    #[arg(long, default_value_t = WalletRates::default().issues, value_name = "N", value_parser = rate())]
    issue_rate: u32,
    /// How often one wallet may ask for keys, a minute; in a day 70 times as often
    #[arg(long, default_value_t = WalletRates::default().releases, value_name = "N", value_parser = rate())]
    release_rate: u32,
    /// How often one address may ask at all, a minute: a clinic behind one router needs more
    #[arg(long, default_value_t = ADDRESS_RATE, value_name = "N", value_parser = rate())]
    address_rate: u32,
    #[command(flatten)]
    instance: Instance,
    /// Anchor the log's head on chain every so many minutes, by the wallet of the settings; 0 never
    #[arg(long, default_value_t = 10, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(..=MOST_MINUTES))]
    anchor_every: u64,
    /// Go by a block that so many of the nodes of --rpc-url have, and by proof, not by one node
    #[arg(long, value_name = "NODES")]
    quorum: Option<usize>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    check(args)?;
    let tls = match args.tls_cert.as_deref().zip(args.tls_key.as_deref()) {
        Some((certificates, key)) => Some(server_config(certificates, key)?),
        None => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let session = Session::connect(settings, "kgc").await?;
    let registry = session.registry().await?;
    let keys = published_keys(&registry, open_keys(settings)?).await?;
    check_kgc_key(&registry, &keys.identity()).await?;
    let anchoring = Anchoring::begin(session, registry.clone(), Duration::from_secs(args.anchor_every * 60))?;
    let _only_one = the_only_one(settings, &args.instance)?;
    let (identity, watched) = (keys.identity(), registry.clone());
    let service = Arc::new(service(args, settings, keys, registry).await?);

    let (public, address) = listening(args.listen, tls).await?;
    let mut tasks = JoinSet::new();
    let stop = Stop::new();
    if let Some(operators) = args.operators {
        let (operators, address) = listening(operators, None).await?;
        say(&format!("metrics at http://{address}/metrics"));
        serve(&mut tasks, operators, operator_routes(Arc::clone(&service)), &stop);
    }
    let kgc_id = service.center().identity().id;
    say(&format!("key center {kgc_id} listens at {scheme}://{address}"));
    serve(&mut tasks, public, public_routes(Arc::clone(&service)), &stop);
    tasks.spawn(watch_readiness(Arc::clone(&service), stop.clone()));
    tasks.spawn(watch_key(Arc::clone(&service), watched, identity, stop.clone()));

    crate::files::ends_by_itself();
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be waited for");
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be waited for");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = async {
            match &anchoring {
                Some(anchoring) => anchoring.now_and_then(service.center().log(), service.center().log_id()).await,
                None => std::future::pending().await,
            }
        } => {}
    }
    say("stopping: what is under way is finished");
    stop.now();
    while tasks.join_next().await.is_some() {}
    service.center().end().await?;
    if let Some(anchoring) = &anchoring {
        anchoring.anchor(service.center().log(), service.center().log_id()).await?;
    }
    let lines = service.center().log().check().map_err(KgcError::from)?.seq;
    let object = json!({"kgcId": kgc_id, "logId": service.center().log_id(), "lines": lines});
    Ok(Outcome::new(object, format!("stopped; the log has {lines} lines")))
}

/// The key center, with its beginning noted in its log.
async fn service(args: &Args, settings: &Settings, keys: KgcKeys, registry: Registry) -> Result<Service, CliError> {
    let log = release_log_of(settings, &args.instance)?;
    let senders = (!args.senders.is_empty()).then(|| args.senders.iter().copied().collect());
    let rates = WalletRates { issues: args.issue_rate, releases: args.release_rate };
    let home = home(&registry);
    let (view, believes) = view_of(args, registry).await?;
    let center = LocalKeyCenter::new(keys, home, view, SystemClock, log)
        .of_instance(args.instance.name())
        .with_rewrapped(rewrapped_sets(settings))
        .with_policy(Policy::of_a_service(senders, rates));
    center.begin().await?;
    say(&format!("note: who may have a key rests on {believes}"));
    Ok(KgcService::new(center, SystemClock, believes).with_address_rate(args.address_rate))
}

/// The view of the chain, and what it goes by in words.
async fn view_of(args: &Args, registry: Registry) -> Result<(AnyChainView<SystemClock>, String), CliError> {
    let Some(quorum) = args.quorum else {
        let believes = format!("the word of the node at {} alone", registry.rpc().endpoint());
        return Ok((AnyChainView::Node(RegistryView::new(registry, SystemClock)), believes));
    };
    let refused = |error: QuorumError| CliError::Settings { message: format!("--quorum {quorum}: {error}") };
    let view = QuorumView::new(&registry, quorum, SystemClock).map_err(refused)?;
    let without = view.without_proofs().await.map_err(KgcError::Chain)?;
    for node in &without {
        say(&format!("warning: a node does not prove what the chain holds (eth_getProof), {node}"));
    }
    let believes = view.rule();
    Ok((AnyChainView::Quorum(view), believes))
}

/// Looks whether the chain still has the key with which this service answers: after a rotation it
/// has a newer one, and nobody takes receipts of this one.
async fn watch_key(service: Arc<Service>, registry: Registry, identity: KgcIdentity, stop: Stop) {
    loop {
        match check_kgc_key(&registry, &identity).await {
            Ok(()) => service.set_key_fault(None),
            Err(PipelineError::KgcKey { .. }) => {
                let fault = format!("the chain has another key than epoch {}: start the service again", identity.epoch);
                service.set_key_fault(Some(fault));
            }
            // That the chain does not answer is said elsewhere.
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(KEY_EVERY) => {}
            () = stop.wait() => return,
        }
    }
}

/// A socket at this address, and the address with its port.
async fn listening(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<(Listener, SocketAddr), CliError> {
    let failed = |source| CliError::Listen { address, source };
    let listener = Listener::bind(address, tls, Limits::default()).await.map_err(failed)?;
    let bound = listener.address().map_err(failed)?;
    Ok((listener, bound))
}

fn serve(tasks: &mut JoinSet<()>, listener: Listener, routes: Router, stop: &Stop) {
    let stop = stop.clone();
    tasks.spawn(async move { listener.serve(routes, &stop).await });
}

type Service = KgcService<AnyChainView<SystemClock>, SystemClock>;

/// Requests a minute.
fn rate() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=1_000_000)
}

/// What can be said before anything is opened.
fn check(args: &Args) -> Result<(), CliError> {
    let refused = |message: &str| Err(CliError::Settings { message: message.to_owned() });
    let beyond = !args.listen.ip().is_loopback();
    if beyond && args.tls_cert.is_none() && !args.plain_http_beyond_this_machine {
        return refused(
            "beyond this machine a key center speaks TLS: give --tls-cert and --tls-key, or say \
             --plain-http-beyond-this-machine where a proxy speaks it",
        );
    }
    if args.operators.is_some_and(|operators| !operators.ip().is_loopback()) {
        return refused("--operators is for this machine alone: an address such as 127.0.0.1:9645");
    }
    Ok(())
}

/// One process writes one instance's log; the lock ends with the process.
fn the_only_one(settings: &Settings, instance: &Instance) -> Result<File, CliError> {
    let path = kgc_folder(settings).join(format!("serving-{}.lock", instance.name()));
    let failed = |source| CliError::File { act: "lock", path: path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            let message = "another process serves this instance: --instance NAME runs one more".to_owned();
            Err(CliError::Settings { message })
        }
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}
