//! `medseal open`.

use super::capsules::read_key;
use super::error::CliError;
use super::output::{Outcome, chain_of, check_free, say, write_file};
use super::session::Session;
use super::settings::Settings;
use super::stdio::shown_path;
use crate::clock::SystemClock;
use crate::contract::bindings::IImageRegistry::RecordState;
use crate::pipeline::{Reader, open_with_key};
use crate::view::OpenedView;
use crate::words::escaped;
use alloy::primitives::B256;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Overwrite it
    #[arg(long)]
    force: bool,
    /// Open with the capsule of this reader's key: no KGC is asked
    #[arg(long, value_name = "FILE")]
    reader_key: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    check_free(&args.output, args.force)?;
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let store = session.store()?;
    let opened = match &args.reader_key {
        Some(file) => open_with_key(&registry, &store, args.id, &read_key(file)?).await?,
        None => {
            let (wallet, key_centers) = (session.wallet()?, session.key_centers(&registry, None).await?);
            let (registry, wallet, key_centers) = (&registry, &wallet, &key_centers);
            Reader { registry, wallet, key_centers, store: &store, clock: &SystemClock }.open(args.id).await?
        }
    };
    write_file(&args.output, &opened.file, args.force)?;
    if let Some(why) = &opened.unusable_capsules {
        say(&format!(
            "note: capsules version {} are of no use ({}); opened with those of the registration; medseal capsules restore ID puts earlier ones back",
            opened.stored.capsules.version,
            chain_of(why)
        ));
    }
    match opened.stored.record.state {
        RecordState::Flagged => {
            say("note: tampering with this image was flagged; what was opened now is what was registered")
        }
        RecordState::Tampered => say("note: tampering was confirmed; what was opened now is what was registered"),
        _ => {}
    }
    let view = OpenedView::new(args.id, args.output.display().to_string(), &opened);
    let how = if view.byte_for_byte { "byte for byte" } else { "as a lossless re-encoding" };
    // The name comes from whoever sealed the image: shown escaped, never used.
    let (path, bytes, name) = (shown_path(&args.output), opened.file.len(), escaped(&view.file_name));
    let text = format!("opened {path} ({bytes} bytes, sealed as \"{name}\") {how}");
    Ok(Outcome::new(view, text))
}
