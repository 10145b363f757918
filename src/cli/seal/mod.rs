//! `medseal seal`.

mod outcome;

use super::error::CliError;
use super::output::{Outcome, Talk, progress};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use super::transformer;
use crate::chain::Submitted;
use crate::clock::SystemClock;
use crate::imaging::{ImagingError, Limits};
use crate::pipeline::{Grouping, Mode, PipelineError, Run, Sealed, Sender, Source, Stage};
use std::path::{Path, PathBuf};

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
    #[command(flatten)]
    relay: Relay,
}

pub(super) async fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    let files = collect(&args.paths)?;
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let signers = session.signers(args.relay.relayer.as_deref())?;
    let key_center = session.key_center(&registry)?;
    let mut outbox = session.outbox(&signers.payer).await?;
    let store = session.store()?;
    let mut vit = transformer::load(settings)?;
    let sender = Sender {
        registry: &registry,
        signers: &signers,
        outbox: &mut outbox,
        key_center: &key_center,
        store: &store,
        vit: &mut vit,
        jobs: &session.jobs(),
        clock: &SystemClock,
        limits: &Limits::default(),
    };
    let mode = match (args.pixels, args.raw) {
        (true, _) => Mode::Pixels,
        (_, true) => Mode::Raw,
        _ => Mode::Auto,
    };
    let bar = progress(files.len(), talk.json);
    let grouping = if args.anchor { Grouping::Anchors } else { Grouping::Batches(args.batch.into()) };
    let mut run = Run::new(sender, grouping);
    let mut unread = Vec::new();
    for path in &files {
        let name = file_name(path);
        let say_stage = |stage| bar.set_message(format!("{} {}", verb(stage), name.escape_debug()));
        match read(path) {
            Ok(bytes) => {
                run.add(&Source { name: &name, bytes: &bytes, mode, again: args.again }, &say_stage).await;
                unread.push(None);
            }
            Err(error) => unread.push(Some(error)),
        }
        bar.inc(1);
    }
    let mut sealed = run.finish().await.files.into_iter();
    bar.finish_and_clear();
    let of_file = |unread: Option<CliError>| match unread {
        Some(error) => Err(error),
        None => Ok(sealed.next().expect("each file that was read has its result")?),
    };
    let attempts = files.into_iter().zip(unread.into_iter().map(of_file)).collect();
    outcome::outcome(attempts, &session, signers.signer.address(), mode, talk)
}

/// The files that the paths stand for: folders are not descended into.
fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |source| CliError::File { act: "read", path: path.clone(), source };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_file() {
            files.push(path.clone());
            continue;
        }
        if !metadata.is_dir() {
            return Err(CliError::NothingToSeal { path: path.clone() });
        }
        let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
            .map_err(failed)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        inside.retain(|path| path.is_file());
        inside.sort();
        if inside.is_empty() {
            return Err(CliError::NothingToSeal { path: path.clone() });
        }
        files.extend(inside);
    }
    Ok(files)
}

/// The bytes of a file, if it is not larger than anything that can be sealed.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::File { act: "read", path: path.to_owned(), source };
    let (found, limit) = (std::fs::metadata(path).map_err(failed)?.len(), Limits::default().file_bytes);
    if found > limit {
        return Err(PipelineError::Imaging(ImagingError::TooLarge { what: "bytes of file", found, limit }).into());
    }
    std::fs::read(path).map_err(failed)
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
