//! `medseal audit`: the event log, proved complete up to a block, and what it says.

mod listing;
mod page;
mod times;

use super::error::CliError;
use super::output::{Outcome, Talk, address, check_free, progress, say, table, write_file};
use super::session::Session;
use super::settings::Settings;
use crate::audit::{
    AnchoredLogs, AuditError, AuditOptions, AuditProgress, AuditReport, KgcLogReport, RestsOn, WINDOW_BLOCKS, audit,
};
use crate::chain::Registry;
use crate::cli::stdio::shown_path;
use crate::files::make_private_folder;
use crate::view::{self, AuditView, KgcLogView};
use alloy::primitives::B256;
use listing::{Filters, Form, Listing};
use std::path::{Path, PathBuf};
pub(super) use times::spelled;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Up to which block [default: the newest of a development chain, the newest final one of a
    /// network]
    #[arg(long, value_name = "N")]
    block: Option<u64>,
    /// Up to the block with this hash, from somebody whom you trust
    #[arg(long, value_name = "HASH", conflicts_with = "block")]
    block_hash: Option<B256>,
    /// Read the whole log, not only what is new since the last audit
    #[arg(long)]
    from_start: bool,
    /// List the events; the whole log is read for it
    #[arg(long, value_name = "FORM")]
    events: Option<Form>,
    /// List only those after the last audit
    #[arg(long, requires = "events")]
    new: bool,
    /// Write the list to this file; it appears only once the log is proved complete
    #[arg(long, short, value_name = "FILE", requires = "events")]
    output: Option<PathBuf>,
    #[command(flatten)]
    filters: Filters,
    /// Check this log of a key center, too: each line, and every head of it that was anchored
    #[arg(long, value_name = "FILE")]
    kgc_log: Option<PathBuf>,
    /// Write a page for people: the summary with a time line
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Overwrite files
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    if args.events.is_some() && args.output.is_none() && talk.json {
        let message = "with --json the list of events goes to a file: --output names it".to_owned();
        return Err(CliError::Settings { message });
    }
    for path in [&args.output, &args.html].into_iter().flatten() {
        check_free(path, args.force)?;
    }
    let session = Session::connect(settings, "auditor").await?;
    let registry = session.registry().await?;
    let folder = settings.home().join("audit");
    // Without it there is no checkpoint, which is said then.
    let _ = make_private_folder(&folder);
    let options = AuditOptions {
        block: args.block,
        trusted: args.block_hash,
        checkpoint: Some(folder.join(format!("{}-{}", registry.chain_id(), address(registry.address())))),
        from_start: args.from_start || args.kgc_log.is_some() || (args.events.is_some() && !args.new),
    };
    let kgc_log = args.kgc_log.as_ref().map(read_log).transpose()?;
    let mut anchored = AnchoredLogs::default();
    let mut listing = Listing::new(args.events, args.output.as_deref(), args.force, args.new, &args.filters)?;
    let bar = progress(0, talk.json || (args.events.is_some() && args.output.is_none()));
    let audited = audit(&registry, &options, |step| match step {
        AuditProgress::Blocks(done, all) => {
            bar.set_length(all);
            bar.set_position(done);
            bar.set_message("blocks");
            Ok(())
        }
        AuditProgress::Event(event) => {
            anchored.take(&event.event.event);
            listing.take(&event)
        }
        AuditProgress::NoCheckpoint(why) => {
            say(&format!("the checkpoint cannot be used, everything is read: {why}"));
            Ok(())
        }
        AuditProgress::NotKept(why) => {
            say(&format!("note: no checkpoint is kept, so the next audit reads everything anew: {why}"));
            Ok(())
        }
    })
    .await;
    bar.finish_and_clear();
    let audited = audited?;
    let listed = listing.finish()?;
    say_what_is_odd(&audited);
    if let Some(path) = &args.html {
        write_file(path, page::page((registry.chain_id(), registry.address()), &audited).as_bytes(), args.force)?;
    }
    let mut text = text(&registry, &audited, args, listed);
    let mut json = view::json(AuditView::new((registry.chain_id(), registry.address()), &audited, listed));
    if let Some((path, log)) = &kgc_log {
        let report = checked(path, log, &anchored)?;
        text += &format!(
            "\nkey center's log: {} lines are whole, and {} anchored heads are theirs",
            report.check.head.seq, report.anchored
        );
        json["kgcLog"] = view::json(KgcLogView::new(&report));
    }
    Ok(Outcome::new(json, text))
}

/// What a reader of the result should know besides.
fn say_what_is_odd(audited: &AuditReport) {
    for silent in &audited.proven.silent {
        say(&format!("not asked for the block's header: {silent}"));
    }
    if let Some((block, hash, true)) = audited.before {
        say(&format!(
            "block {block} of the last audit ({hash}) is gone: a reorganisation within {WINDOW_BLOCKS} blocks"
        ));
    }
    if !audited.storage_proven {
        say("the head is proven, the storage as a whole is not: anvil computes its storage root in its own way");
    }
}

fn read_log(path: &PathBuf) -> Result<(PathBuf, Vec<u8>), CliError> {
    let failed = |source| CliError::File { act: "read", path: path.clone(), source };
    Ok((path.clone(), std::fs::read(path).map_err(failed)?))
}

/// What a key center's log came to; an error where it is not whole.
fn checked(path: &Path, log: &[u8], anchored: &AnchoredLogs) -> Result<KgcLogReport, CliError> {
    let none = || CliError::Settings { message: format!("{} is no log of a key center", shown_path(path)) };
    let report = anchored.check(log).ok_or_else(none)?;
    match report.check.faults[..] {
        [] => Ok(report),
        [fault, ref more @ ..] => {
            Err(CliError::KgcLog { path: path.to_owned(), fault: Box::new(fault), more: more.len() })
        }
    }
}

/// One screen; for lists that programs read, nothing.
fn text(registry: &Registry, audited: &AuditReport, args: &Args, listed: Option<u64>) -> String {
    let (proven, summary) = (&audited.proven, &audited.summary);
    let verdict = verdict(audited);
    let as_data = args.output.is_none() && matches!(args.events, Some(Form::Csv | Form::Jsonl));
    if as_data {
        say(&verdict);
        return String::new();
    }
    let (valid, invalid) = summary.verifications();
    let mut text = format!(
        "{verdict}\n\nregistry       {} on chain {}\nproven by      the block's header ({} of {} nodes have it): the head after event {}{}\nread now       {} events, after block {}\nfrom, to       {}, {}\nimages         {}\nverifications  {valid} valid, {invalid} invalid\nflags          {} open, {} confirmed, {} dismissed",
        address(registry.address()),
        registry.chain_id(),
        proven.witnesses.len(),
        proven.witnesses.len() + proven.silent.len(),
        audited.seq,
        match audited.storage_proven {
            true => format!(", and the storage root over all {} slots", audited.slots),
            false => String::new(),
        },
        audited.read,
        audited.after_block,
        spelled(summary.first_at),
        spelled(summary.last_at),
        summary.images(),
        summary.open_flags.len(),
        summary.confirmed_flags,
        summary.dismissed_flags,
    );
    if !summary.wallets.is_empty() {
        let head = ["wallet", "registered", "anchored", "valid", "invalid", "flags raised", "decided", "access"];
        let rows = summary.wallets.iter().map(|(wallet, tally)| {
            let mut row = vec![address(*wallet)];
            row.extend(counts(tally).map(|count| count.to_string()));
            row
        });
        let rows: Vec<Vec<String>> = std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect();
        text += &format!("\n\n{}", table(&rows));
    }
    for (image, flag) in &summary.open_flags {
        let (verifier, at) = (address(flag.verifier), spelled(flag.raised_at));
        text += &format!("\nopen flag {} of {image}, raised by {verifier} at {at}", flag.flag);
    }
    if let (Some(path), Some(listed)) = (&args.output, listed) {
        text += &format!("\n{listed} events written to {}", shown_path(path));
    }
    if let Some(path) = &args.html {
        text += &format!("\npage written to {}", shown_path(path));
    }
    text
}

/// What the audit came to, in one line.
fn verdict(audited: &AuditReport) -> String {
    let (proven, total) = (&audited.proven, audited.summary.total());
    let word = match audited.rests_on {
        RestsOn::TrustedHash => "; the block is the one that you named".to_owned(),
        RestsOn::Nodes => format!("; {} nodes have this block", proven.witnesses.len()),
        RestsOn::OneNode => {
            let node = proven.witnesses.first().map_or("the node", String::as_str);
            format!("; that this block is the chain's is the word of {node} alone")
        }
    };
    format!(
        "complete up to block {}, hash {}: {} numbered events, {total} logs{word}",
        proven.block, proven.hash, audited.seq
    )
}

fn counts(tally: &crate::audit::Tally) -> [u64; 7] {
    let crate::audit::Tally { registered, anchored, valid, invalid, flags_raised, flags_decided, access } = *tally;
    [registered, anchored, valid, invalid, flags_raised, flags_decided, access]
}

/// A file of the list that cannot be written.
fn io(path: &std::path::Path, source: std::io::Error) -> AuditError {
    AuditError::Io { path: path.to_owned(), source }
}
