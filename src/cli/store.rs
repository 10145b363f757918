//! `medseal store`: what is stored, out of the store and into another one.

use super::error::CliError;
use super::nodes;
use super::output::{Outcome, check_free};
use super::settings::Settings;
use super::stdio::shown_path;
use crate::files::Existing;
use crate::storage::{Cid, Moved, StoreError};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Write objects to a CAR file, which any IPFS node reads; each block is checked
    Export {
        /// The new file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only these objects, instead of all that the store keeps for us
        #[arg(value_name = "CID")]
        cids: Vec<Cid>,
        /// Replace the file if it is there
        #[arg(long)]
        force: bool,
    },
    /// Put the objects of a CAR file into the store and read them back
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let store = nodes::store(settings)?;
    match &args.act {
        Act::Export { file, cids, force } => {
            check_free(file, *force)?;
            let roots = if cids.is_empty() { store.pins().await? } else { BTreeSet::from_iter(cids.iter().copied()) };
            if roots.is_empty() {
                return Err(CliError::NothingStored);
            }
            let existing = if *force { Existing::Replace } else { Existing::Keep };
            let moved = store.export(&roots, file, existing).await.map_err(|error| of_file(file, "write", error))?;
            Ok(outcome("written to", file, moved))
        }
        Act::Import { file } => {
            let moved = store.import(file).await.map_err(|error| of_file(file, "read", error))?;
            Ok(outcome("stored from", file, moved))
        }
    }
}

/// A fault of the file, with its path.
fn of_file(path: &Path, act: &'static str, error: StoreError) -> CliError {
    match error {
        StoreError::Unwritable { what: "the CAR file", source } if source.kind() == ErrorKind::AlreadyExists => {
            CliError::OutputExists { path: path.to_owned() }
        }
        StoreError::Unwritable { what: "the CAR file", source }
        | StoreError::Unavailable { what: "the CAR file", source } => {
            CliError::File { act, path: path.to_owned(), source }
        }
        error => error.into(),
    }
}

fn outcome(done: &str, file: &Path, moved: Moved) -> Outcome {
    let Moved { objects, blocks, bytes } = moved;
    let json = json!({ "file": file.display().to_string(), "objects": objects, "blocks": blocks, "bytes": bytes });
    Outcome::new(json, format!("{objects} objects ({blocks} blocks, {bytes} bytes) {done} {}", shown_path(file)))
}
