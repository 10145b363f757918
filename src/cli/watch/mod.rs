//! `medseal watch`: the registry's events as they come, and who is notified of them.

mod follow;
mod hooks;
mod kinds;
mod line;

use super::error::CliError;
use super::output::{Outcome, Talk, address, say};
use super::session::Session;
use super::settings::Settings;
use crate::chain::{Registry, Wait};
use crate::files::make_private_folder;
use crate::view::{Meaning, WatchEndView};
use crate::watch::{Memory, Start, Watcher};
use alloy::primitives::B256;
use hooks::{HookArgs, Hooks};
use kinds::{Kind, of_kinds};
use line::Lines;
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Begin a new watch with the registry's first event [default: with the next one]
    #[arg(long, conflicts_with = "since")]
    from_start: bool,
    /// Begin a new watch with the first event in this block or after it
    #[arg(long, value_name = "BLOCK")]
    since: Option<u64>,
    /// Forget how far the last run came; deliveries that wait are kept
    #[arg(long)]
    anew: bool,
    /// End once all events up to now are printed and delivered
    #[arg(long, visible_alias = "until-caught-up")]
    once: bool,
    /// Print only events of these kinds, separated by commas
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    only: Vec<Kind>,
    /// Seconds between two looks at the chain [default: 1 on a development chain, a third of a
    /// block time on a network]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: Option<u64>,
    /// Name under which this watch remembers how far it came; each name gets every event
    #[arg(long, value_name = "NAME", default_value = "default")]
    name: String,
    #[command(flatten)]
    hooks: HookArgs,
}

pub(super) async fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    let receivers = args.hooks.receivers()?;
    let wait = settings.wait(Wait::Finalized)?;
    crate::files::ends_by_itself();
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be waited for");
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be waited for");
    let watching = async {
        let (registry, genesis) = connect(args, settings).await?;
        let path = memory_path(args, settings, &registry)?;
        let memory = RefCell::new(Memory::open(&path, (registry.chain_id(), registry.address()), genesis)?);
        if args.anew {
            memory.borrow_mut().forget()?;
        }
        let start = match args.since {
            Some(block) => Start::Since(block),
            None if args.from_start => Start::Beginning,
            None => Start::Now,
        };
        let mut watcher = Watcher::new(registry.clone(), wait, start, &memory)?;
        let hooks = Hooks::new(receivers, &args.hooks, &memory)?;
        let lines = Lines::new(&registry, talk.json, &args.only, of_kinds(&args.hooks.on), hooks.names());
        let ended = {
            let follow = follow::follow(&mut watcher, args, &lines);
            let both = async {
                if args.once {
                    follow.await?;
                    hooks.bring_all().await
                } else {
                    // Neither of the two ends well.
                    tokio::select! { end = follow => end, end = hooks.keep_bringing() => end }
                }
            };
            tokio::select! {
                end = both => end,
                _ = interrupt.recv() => Ok(()),
                _ = terminate.recv() => Ok(()),
            }
        };
        ended?;
        let (position, deliveries) = (watcher.position(), memory.borrow().delivery_counts()?);
        let (events, retracted) = lines.counts();
        let view = WatchEndView::new(
            (registry.chain_id(), registry.address()),
            position.map(|at| (at.block, at.hash, at.trail.seq())),
            (events, retracted),
            (deliveries.waiting, deliveries.dead),
        );
        let whole = position.map(|at| format!("whole up to block {}, {} numbered events", at.block, at.trail.seq()));
        say(&format!(
            "{}; printed now: {events}, taken back: {retracted}; deliveries waiting: {}, given up: {}",
            whole.unwrap_or_else(|| "nothing is settled yet".to_owned()),
            deliveries.waiting,
            deliveries.dead
        ));
        Ok(Outcome::new(view, ""))
    };
    watching.await
}

/// The registry and the hash of block 0. Waits for a node that is away, unless `--once` is given.
async fn connect(args: &Args, settings: &Settings) -> Result<(Registry, B256), CliError> {
    let mut said = false;
    loop {
        let connected = async {
            let registry = Session::connect(settings, "auditor").await?.registry().await?;
            let genesis = registry.rpc().genesis().await?;
            Ok::<_, CliError>((registry, genesis))
        };
        match connected.await {
            Err(error) if !args.once && error.problem().meaning == Meaning::Unreachable => {
                if !said {
                    say(&format!("{}; trying again until it is there", super::output::chain_of(&error)));
                    said = true;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            done => return done,
        }
    }
}

fn memory_path(args: &Args, settings: &Settings, registry: &Registry) -> Result<PathBuf, CliError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if args.name.is_empty() || args.name.len() > 64 || !args.name.chars().all(plain) {
        let message = format!("a watch's name has only letters, digits, - and _, at most 64: found \"{}\"", args.name);
        return Err(CliError::Settings { message });
    }
    let folder = settings.home().join("watch");
    make_private_folder(&folder).map_err(|source| CliError::File { act: "make", path: folder.clone(), source })?;
    Ok(folder.join(format!("{}-{}-{}.sqlite", registry.chain_id(), address(registry.address()), args.name)))
}
