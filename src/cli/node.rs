//! `medseal node`.

use super::actors::{DEVELOPMENT_ACTORS, DEVELOPMENT_CHAIN_ID};
use super::error::CliError;
use super::output::{Outcome, address, say};
use super::settings::Settings;
use super::stdio::shown_path;
use crate::chain::{DevNode, NodeError, NodeOptions, Wallet};
use crate::files::make_private_folder;
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 8545, value_name = "N")]
    port: u16,
    /// Seconds between blocks [default: a block for each transaction]
    #[arg(long, value_name = "SECONDS")]
    block_time: Option<u64>,
    /// Forget the chain when it stops
    #[arg(long)]
    no_state: bool,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let state = (!args.no_state).then(|| settings.home().join("node").join("state.json"));
    if let Some(folder) = state.as_deref().and_then(Path::parent) {
        make_private_folder(folder).map_err(|source| CliError::File {
            act: "make",
            path: folder.to_owned(),
            source,
        })?;
    }
    // Before there is an anvil that a signal could leave alone.
    crate::files::ends_by_itself();
    let mut signals = Signals::new();
    let mut node = DevNode::start(&NodeOptions {
        binary: settings.anvil(),
        port: args.port,
        state: state.clone(),
        chain_id: DEVELOPMENT_CHAIN_ID,
        block_time_secs: args.block_time,
        ..NodeOptions::default()
    })
    .await?;
    if node.was_restored() {
        say("note: the state file was cut short; the last whole one was taken, up to 10 s older");
    }
    say(&format!("development chain {DEVELOPMENT_CHAIN_ID} at {}; Ctrl-C stops it", node.rpc_url()));
    say("public keys for development: never send anything of value to these wallets");
    for (actor, account) in DEVELOPMENT_ACTORS {
        tracing::info!("  {actor:<9} {}", address(Wallet::development(account, DEVELOPMENT_CHAIN_ID)?.address()));
    }
    let ended = signals.wait(&mut node).await?;
    let url = node.rpc_url();
    node.stop();
    let kept = state.map(|file| format!("; its state is kept in {}", shown_path(&file))).unwrap_or_default();
    let how = if ended { "the development chain ended by itself" } else { "the development chain was stopped" };
    Ok(Outcome::new(
        json!({ "chainId": DEVELOPMENT_CHAIN_ID, "rpcUrl": url, "endedByItself": ended }),
        format!("{how}{kept}"),
    ))
}

/// Ctrl-C and SIGTERM, heard from the moment this is made.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Self {
        let hear = |kind| signal(kind).expect("signals can be waited for");
        Self { interrupt: hear(SignalKind::interrupt()), terminate: hear(SignalKind::terminate()) }
    }

    /// Waits for one of them or for anvil's own end; returns whether it was the last.
    async fn wait(&mut self, node: &mut DevNode) -> Result<bool, NodeError> {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Ok(false),
                _ = self.terminate.recv() => return Ok(false),
                () = tokio::time::sleep(Duration::from_millis(200)) => if node.ended().is_some() { return Ok(true) },
            }
            node.keep_state()?;
        }
    }
}
