//! `medseal seal`.

use super::act::Relay;
use super::error::exit;
use super::output::{Outcome, address, chain_of, hex, progress, say, table};
use super::session::Session;
use super::{CliError, Settings, Talk};
use crate::chain::Wallet;
use crate::clock::SystemClock;
use crate::imaging::{ImagingError, Limits};
use crate::keygen::Vit;
use crate::pipeline::{Mode, PipelineError, Sealed, Sender, Source, Stage};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, or folders whose files are sealed
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Seal the decoded samples, as the paper does: opening returns a lossless re-encoding, not the same bytes
    #[arg(long, conflicts_with = "raw")]
    pixels: bool,
    /// Seal as plain bytes, without looking inside
    #[arg(long)]
    raw: bool,
    /// Seal anew what was sealed and registered before
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    relay: Relay,
}

pub(super) async fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    let files = collect(&args.paths)?;
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let wallet = session.wallet()?;
    let submitter = args.relay.submitter(settings, &session, &wallet)?;
    let key_center = session.key_center(&registry)?;
    let mut outbox = session.outbox(&submitter).await?;
    let store = session.store()?;
    let mut vit = Vit::embedded()?;
    let mut sender = Sender {
        registry: &registry,
        wallet: &wallet,
        submitter: &submitter,
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
    let mut results = Vec::new();
    for path in &files {
        let name = file_name(path);
        let say_stage = |stage| bar.set_message(format!("{} {}", verb(stage), name.escape_debug()));
        let result = match read(path) {
            Ok(bytes) => {
                let source = Source { name: &name, bytes: &bytes, mode, again: args.again };
                sender.seal(&source, &say_stage).await.map_err(CliError::from)
            }
            Err(error) => Err(error),
        };
        bar.inc(1);
        results.push((path.clone(), result));
    }
    bar.finish_and_clear();
    outcome(results, &wallet, mode, talk)
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
fn read(path: &Path) -> Result<Vec<u8>, CliError> {
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
type Attempt = (PathBuf, Result<Sealed, CliError>);

fn outcome(mut results: Vec<Attempt>, wallet: &Wallet, mode: Mode, talk: Talk) -> Result<Outcome, CliError> {
    if results.len() == 1 && results[0].1.is_err() {
        let (_, result) = results.remove(0);
        return Err(result.expect_err("it is one"));
    }
    let mut rows =
        vec![["file", "image id", "bytes", "key", "cipher", "store", "chain", "gas"].map(str::to_owned).to_vec()];
    let (mut images, mut failed, mut exits) = (Vec::new(), Vec::new(), Vec::new());
    for (path, result) in &results {
        let name = path.display().to_string().escape_debug().to_string();
        match result {
            Ok(sealed) => {
                rows.push(row(&name, sealed));
                images.push(image_json(&name, sealed));
                if let Some(reason) = sealed.renewed {
                    say(&format!("{name}: sealed anew: {reason}"));
                }
                if let (Some(reason), Mode::Auto) = (sealed.whole, mode)
                    && talk.verbose
                {
                    say(&format!("{name}: sealed as plain bytes: {reason}"));
                }
            }
            Err(error) => {
                let (code, exit) = error.class();
                exits.push(exit);
                rows.push(vec![name.clone(), format!("failed: {}", chain_of(error))]);
                failed.push(json!({ "file": name, "code": code, "message": chain_of(error), "hint": error.hint() }));
            }
        }
    }
    if mode == Mode::Pixels {
        say("--pixels: opening returns a lossless re-encoding of the samples, not the same file");
    }
    // Where every file failed for the same kind of reason, that reason's code says more.
    exits.dedup();
    let exit = match exits.as_slice() {
        [] => 0,
        [only] if images.is_empty() => *only,
        _ => exit::FAILURE,
    };
    let json = json!({ "sender": address(wallet.address()), "images": images, "failed": failed });
    Ok(Outcome { json, text: table(&rows), exit })
}

fn row(name: &str, sealed: &Sealed) -> Vec<String> {
    let ms = |duration: std::time::Duration| format!("{} ms", duration.as_millis());
    let timings = sealed.timings;
    let mut row = vec![name.to_owned(), sealed.job.image_id.to_string(), sealed.job.size.to_string()];
    if sealed.already {
        row.push("sealed before; --again seals it anew".to_owned());
    } else {
        row.extend([ms(timings.key), ms(timings.cipher), ms(timings.store), ms(timings.chain)]);
        row.push(sealed.registered.gas.to_string());
    }
    row
}

fn image_json(name: &str, sealed: &Sealed) -> Value {
    let job = &sealed.job;
    json!({
        "file": name,
        "imageId": job.image_id,
        "contentHash": job.content_hash,
        "headerHash": job.header_hash,
        "size": job.size,
        "cid": job.cid,
        "capsulesHash": job.capsules_hash,
        "capsulesCid": job.capsules_cid,
        "salt": hex(job.salt),
        "transaction": sealed.registered.transaction,
        "block": sealed.registered.block,
        "gas": sealed.registered.gas.to_string(),
        "already": sealed.already,
        "renewedBecause": sealed.renewed,
        "plainBytesReason": sealed.whole.map(|reason| reason.to_string()),
    })
}
