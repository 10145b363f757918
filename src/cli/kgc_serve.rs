//! `medseal kgc serve`: the key center on the network.

use super::error::CliError;
use super::key_center::{kgc_folder, open_keys, release_log_of};
use super::output::{Outcome, say};
use super::session::Session;
use super::settings::Settings;
use crate::chain::Submitted;
use crate::clock::SystemClock;
use crate::kgc::{Home, KgcError, KgcIdentity, LocalKeyCenter, Policy};
use crate::pipeline::{NamedCall, PipelineError, RegistryView, log_to_anchor};
use crate::server::kgc::{KgcService, operator_routes, public_routes, watch_readiness};
use crate::server::{Limits, Listener, Stop, server_config};
use alloy::primitives::Address;
use serde_json::json;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

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
    /// Name of this instance, where several run with one key file: each has a log of its own
    #[arg(long, default_value = "", value_name = "NAME", hide_default_value = true)]
    instance: String,
    /// Anchor the log's head on chain every so many minutes, by the wallet of the settings; 0 never
    #[arg(long, default_value_t = 10, value_name = "MINUTES")]
    anchor_every: u64,
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
    let keys = open_keys(settings)?;
    let identity = keys.identity();
    let published = registry.current_kgc_key(identity.id).await?;
    check_published(&identity, &published)?;
    let _only_one = the_only_one(settings, &args.instance)?;

    let log = release_log_of(settings, &args.instance)?;
    let home = Home { chain_id: registry.chain_id(), registry: registry.address() };
    let senders = (!args.senders.is_empty()).then(|| args.senders.iter().copied().collect());
    let view = RegistryView::new(registry.clone(), SystemClock);
    let center = LocalKeyCenter::new(keys, home, view, SystemClock, log)
        .of_instance(&args.instance)
        .with_policy(Policy::of_a_service(senders));
    center.begin().await?;
    let believes = format!("the word of the node at {} alone", registry.rpc().endpoint());
    say(&format!("note: who may have a key rests on {believes}"));
    let service = Arc::new(KgcService::new(center, SystemClock, believes));

    let stop = Stop::new();
    let listen = |source| CliError::Listen { address: args.listen, source };
    let listener = Listener::bind(args.listen, tls, Limits::default()).await.map_err(listen)?;
    let address = listener.address().map_err(listen)?;
    let operators = match args.operators {
        Some(address) => {
            let listen = |source| CliError::Listen { address, source };
            let listener = Listener::bind(address, None, Limits::default()).await.map_err(listen)?;
            say(&format!("metrics at http://{}/metrics", listener.address().map_err(listen)?));
            Some(listener)
        }
        None => None,
    };
    say(&format!("key center {} listens at {scheme}://{address}", identity.id));

    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(watch_readiness(Arc::clone(&service), stop.clone()));
    let (routes, stopped) = (public_routes(Arc::clone(&service)), stop.clone());
    tasks.spawn(async move { listener.serve(routes, &stopped).await });
    if let Some(listener) = operators {
        let (routes, stopped) = (operator_routes(Arc::clone(&service)), stop.clone());
        tasks.spawn(async move { listener.serve(routes, &stopped).await });
    }
    crate::files::ends_by_itself();
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be waited for");
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be waited for");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = anchor_now_and_then(&session, &service, args) => {}
    }
    say("stopping: what is under way is finished");
    stop.now();
    while tasks.join_next().await.is_some() {}
    service.center().end().await?;
    if args.anchor_every > 0 {
        anchor(&session, &service, args).await?;
    }
    let lines = service.center().log().check().map_err(KgcError::from)?.seq;
    let object = json!({"kgcId": identity.id, "logId": service.center().log_id(), "lines": lines});
    Ok(Outcome::new(object, format!("stopped; the log has {lines} lines")))
}

type Service = KgcService<RegistryView<SystemClock>, SystemClock>;

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
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if args.instance.len() > 32 || !args.instance.chars().all(plain) {
        return refused("the name of an instance has at most 32 of a-z, 0-9 and -");
    }
    Ok(())
}

/// Senders seal to the key on chain: another one here would open nothing.
fn check_published(
    identity: &KgcIdentity,
    published: &crate::contract::bindings::IImageRegistry::KgcKey,
) -> Result<(), CliError> {
    let same = published.x25519.0 == *identity.public.as_bytes()
        && published.epoch == identity.epoch
        && published.receiptSigner == identity.receipt_signer;
    let state = match (same, published.retired) {
        (true, false) => return Ok(()),
        (true, true) => "retired",
        (false, _) => "another than that of the key file",
    };
    Err(PipelineError::KgcKey { id: identity.id, state }.into())
}

/// One process writes one instance's log; the lock ends with the process.
fn the_only_one(settings: &Settings, instance: &str) -> Result<File, CliError> {
    let path = kgc_folder(settings).join(format!("serving-{instance}.lock"));
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

/// Anchors the log's head again and again; ends only where it never does.
async fn anchor_now_and_then(session: &Session, service: &Service, args: &Args) {
    if args.anchor_every == 0 {
        return std::future::pending().await;
    }
    loop {
        if let Err(error) = anchor(session, service, args).await {
            tracing::warn!("the log's head was not anchored: {}", super::output::chain_of(&error));
        }
        tokio::time::sleep(Duration::from_secs(args.anchor_every * 60)).await;
    }
}

async fn anchor(session: &Session, service: &Service, _args: &Args) -> Result<(), CliError> {
    let (registry, center) = (session.registry().await?, service.center());
    let payer = session.signers(None)?.payer;
    let made = log_to_anchor(&registry, center.log(), center.log_id(), payer.address()).await?;
    let Some(NamedCall { job, call }) = made.call else { return Ok(()) };
    let mut outbox = session.outbox(&payer).await?;
    match outbox.submit(registry.rpc(), &payer, &job, &registry.transaction(&call)).await? {
        Submitted::Mined(_) => tracing::info!("anchored the log's head: {} lines", made.newest.seq),
        Submitted::Printed(_) => {}
    }
    Ok(())
}
