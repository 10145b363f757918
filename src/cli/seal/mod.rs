//! `medseal seal`.

mod collect;
mod outcome;

use super::error::CliError;
use super::output::{Outcome, Talk, progress};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use super::stdio::say_line;
use super::transformer;
use crate::chain::Submitted;
use crate::clock::SystemClock;
use crate::imaging::Limits;
use crate::pipeline::{Finished, Grouping, Mode, PipelineError, Run, Sealed, Sender, Source, Stage};
use crate::words::escaped;
use std::path::{Path, PathBuf};

pub(super) use collect::{not_a_file, read};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, or folders whose files are sealed
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Seal the decoded samples, as the paper does: opening returns a lossless re-encoding, not the
    /// same bytes
    #[arg(long, conflicts_with = "raw")]
    pixels: bool,
    /// Seal as plain bytes, without looking inside
    #[arg(long)]
    raw: bool,
    /// Refuse a file that is or may be damaged, where it would be sealed as plain bytes; a file
    /// that is cut short is always refused
    #[arg(long, conflicts_with_all = ["pixels", "raw"])]
    strict: bool,
    /// Seal again what was sealed and registered before
    #[arg(long)]
    again: bool,
    /// Anchor the images under one Merkle root (for each 512 of them) instead of registering each:
    /// far cheaper, but to be opened, granted or verified an image first needs its record (medseal
    /// materialize)
    #[arg(long, conflicts_with = "batch")]
    anchor: bool,
    /// Register at most this many images in one transaction; a file of more than 1 MiB always has
    /// its own
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    batch: u8,
    /// Of the Key Generation Centers that --kgc-url names, how many it takes to open: each is given
    /// a share of the key
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u8).range(1..=16))]
    threshold: Option<u8>,
    #[command(flatten)]
    relay: Relay,
}

pub(super) async fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    let (files, left_out) = collect::collect(&args.paths)?;
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let signers = session.signers(args.relay.relayer.as_deref())?;
    let key_centers = session.key_centers(&registry, args.threshold).await?;
    key_centers.threshold().map_err(PipelineError::from)?;
    let mut outbox = session.outbox(&signers.payer).await?;
    let store = session.store()?;
    let mut vit = transformer::load(settings)?;
    let sender = Sender {
        registry: &registry,
        signers: &signers,
        outbox: &mut outbox,
        key_centers: &key_centers,
        store: &store,
        vit: &mut vit,
        jobs: &session.jobs(),
        clock: &SystemClock,
        limits: &Limits::default(),
    };
    let mode = match (args.pixels, args.raw, args.strict) {
        (true, ..) => Mode::Pixels,
        (_, true, _) => Mode::Raw,
        (.., true) => Mode::Strict,
        _ => Mode::Auto,
    };
    let bar = progress(files.len(), talk.json);
    let grouping = if args.anchor { Grouping::Anchors } else { Grouping::Batches(args.batch.into()) };
    let mut run = Run::new(sender, grouping);
    let mut unread = Vec::new();
    for path in &files {
        let name = file_name(path);
        let say_stage = |stage| bar.set_message(format!("{} {}", verb(stage), escaped(&name)));
        match read(path) {
            Ok(bytes) => {
                run.add(&Source { name: &name, bytes: &bytes, mode, again: args.again }, &say_stage).await;
                unread.push(None);
            }
            Err(error) => unread.push(Some(error)),
        }
        bar.inc(1);
    }
    let Finished { files: sealed, damaged, .. } = run.finish().await;
    bar.finish_and_clear();
    let read: Vec<&PathBuf> = files.iter().zip(&unread).filter(|(_, no)| no.is_none()).map(|(path, _)| path).collect();
    for (place, reason) in damaged {
        say_line(&format!("{}: sealed as plain bytes: {reason}", read[place].display()));
    }
    let mut sealed = sealed.into_iter();
    let of_file = |unread: Option<CliError>| match unread {
        Some(error) => Err(error),
        None => Ok(sealed.next().expect("each file that was read has its result")?),
    };
    let attempts = files.into_iter().zip(unread.into_iter().map(of_file)).collect();
    outcome::outcome(attempts, left_out, &session, signers.signer.address(), mode)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn verb(stage: Stage) -> &'static str {
    match stage {
        Stage::Key => "deriving the key of",
        Stage::Cipher => "sealing",
        Stage::Store => "storing",
        Stage::Chain => "registering",
    }
}

/// One file and what came of it.
type Attempt = (PathBuf, Result<Submitted<Sealed>, CliError>);
