//! `medseal evidence`: one file that proves a record.

use super::error::CliError;
use super::output::{Outcome, Talk, check_free, progress, write_file};
use super::session::Session;
use super::settings::Settings;
use super::stdio::shown_path;
use crate::evidence::{CollectOptions, collect};
use crate::view::EvidenceView;
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
    /// Up to which block [default: the newest of a development chain, the newest final one of a
    /// network]
    #[arg(long, value_name = "N")]
    block: Option<u64>,
    /// Include at most this many headers, which link the events' blocks to the last block; if more
    /// are needed, none is included
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(..=8192))]
    headers: u64,
    /// Leave the receipts out: for nodes that no longer have them
    #[arg(long)]
    no_receipts: bool,
}

pub(super) async fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    check_free(&args.output, args.force)?;
    let session = Session::connect(settings, "auditor").await?;
    let registry = session.registry().await?;
    let options = CollectOptions { block: args.block, most_headers: args.headers, receipts: !args.no_receipts };
    let bar = progress(0, talk.json);
    let collected = collect(&registry, args.id, &options, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
        bar.set_message("blocks");
    })
    .await;
    bar.finish_and_clear();
    let (evidence, hash) = collected?;
    let checked = crate::evidence::check(&evidence, hash, |_, _| {})?;
    let bytes = evidence.to_bytes();
    write_file(&args.output, &bytes, args.force)?;
    let view = EvidenceView::new(&evidence, &checked, args.output.display().to_string(), bytes.len());
    let text = format!(
        "evidence written to {} ({} bytes, {} events, {} receipts{})\nit goes up to block {}, hash {hash}\nkeep that hash apart from the file: medseal check {} --block-hash {hash}",
        shown_path(&args.output),
        bytes.len(),
        checked.followed,
        checked.receipts,
        if checked.linked { ", linked by headers" } else { "" },
        checked.block,
        shown_path(&args.output),
    );
    Ok(Outcome::new(view, text))
}
