//! The list of events: which, and in which form. Lines go out as they come, so that a long log
//! needs no memory.

use super::times::{parse, spelled};
use super::{CliError, io};
use crate::audit::{AuditError, AuditedEvent};
use crate::cli::stdio::{json_line, print_text, quietly, text_line};
use crate::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use crate::files::{Draft, Existing};
use crate::view::{Checksummed, ListedView, json};
use alloy::primitives::{Address, B256};
use serde_json::Value;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// Columns for people
    Table,
    /// A JSON object on each line
    Jsonl,
    /// Comma-separated values with a head (RFC 4180)
    Csv,
}

/// What came of a verification, or of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Ending {
    /// The stored bytes were those registered
    Valid,
    /// They were not
    Invalid,
    /// A flag was raised
    Raised,
    /// Another verifier joined an open flag
    Joined,
    /// A flag was confirmed
    Confirmed,
    /// A flag was dismissed
    Dismissed,
}

/// Which events are listed: those that all of these fit.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Which events are listed")]
pub(super) struct Filters {
    /// Of images and anchors of this sender
    #[arg(long, value_name = "WALLET", requires = "events")]
    sender: Option<Address>,
    /// Of this image
    #[arg(long, value_name = "ID", requires = "events")]
    image: Option<B256>,
    /// Entries and flags of this verifier
    #[arg(long, value_name = "WALLET", requires = "events")]
    verifier: Option<Address>,
    /// From this time on: unix seconds, 2026-11-28 or 2026-11-28T21:05:00Z
    #[arg(long, value_name = "TIME", value_parser = parse, requires = "events")]
    since: Option<u64>,
    /// Up to this time, inclusive
    #[arg(long, value_name = "TIME", value_parser = parse, requires = "events")]
    until: Option<u64>,
    /// With this outcome
    #[arg(long, value_name = "OUTCOME", requires = "events")]
    outcome: Option<Ending>,
}

/// Where the list goes.
enum Sink {
    None,
    Stdout,
    File { path: PathBuf, draft: Draft, to: BufWriter<File>, force: bool },
}

/// A list that is being written.
pub(super) struct Listing<'a> {
    form: Form,
    sink: Sink,
    only_new: bool,
    filters: &'a Filters,
    count: u64,
}

const COLUMNS: [&str; 11] =
    ["seq", "block", "time", "event", "imageId", "sender", "actor", "outcome", "what", "transaction", "logIndex"];
/// The last two are the node's word, and proven by nothing.
const HEADS: [&str; 11] = [
    "seq",
    "block",
    "time",
    "event",
    "imageId",
    "sender",
    "actor",
    "outcome",
    "what",
    "transaction (unproven)",
    "logIndex (unproven)",
];

impl<'a> Listing<'a> {
    pub(super) fn new(
        form: Option<Form>,
        output: Option<&Path>,
        force: bool,
        only_new: bool,
        filters: &'a Filters,
    ) -> Result<Self, CliError> {
        let sink = match (form, output) {
            (None, _) => Sink::None,
            (Some(_), None) => Sink::Stdout,
            (Some(_), Some(path)) => {
                let failed = |source| CliError::from(io(path, source));
                let draft = Draft::beside(path).map_err(failed)?;
                let to = BufWriter::new(draft.file().map_err(failed)?);
                Sink::File { path: path.to_owned(), draft, to, force }
            }
        };
        let mut listing = Self { form: form.unwrap_or(Form::Table), sink, only_new, filters, count: 0 };
        match listing.form {
            Form::Csv => listing.write(&HEADS.join(","))?,
            Form::Table => listing.write(&row("seq", "block", "time", "event", "image, what"))?,
            Form::Jsonl => {}
        }
        Ok(listing)
    }

    /// Writes an event, if it is one of those asked for.
    pub(super) fn take(&mut self, listed: &AuditedEvent<'_>) -> Result<(), AuditError> {
        if matches!(self.sink, Sink::None) || (self.only_new && !listed.is_new) {
            return Ok(());
        }
        let view = ListedView::from(listed);
        if !self.filters.fit(&listed.event.event, &view) {
            return Ok(());
        }
        self.count += 1;
        match (self.form, &self.sink) {
            (Form::Jsonl, Sink::Stdout) => quietly(json_line(&json(view))).map_err(AuditError::Unlisted),
            (Form::Jsonl, _) => self.write(&json(view).to_string()),
            (Form::Csv, _) => self.write(&csv(&view)),
            (Form::Table, _) => self.write(&in_columns(&view)),
        }
    }

    fn write(&mut self, line: &str) -> Result<(), AuditError> {
        match &mut self.sink {
            Sink::None => Ok(()),
            Sink::Stdout => quietly(text_line(line)).map_err(AuditError::Unlisted),
            Sink::File { path, to, .. } => writeln!(to, "{line}").map_err(|source| io(path, source)),
        }
    }

    /// Gives the file its name; returns how many events were listed, if a list was asked for.
    pub(super) fn finish(self) -> Result<Option<u64>, CliError> {
        match self.sink {
            Sink::None => return Ok(None),
            Sink::Stdout => {
                if self.form == Form::Table {
                    print_text("")?;
                }
            }
            Sink::File { path, draft, to, force } => {
                let existing = if force { Existing::Replace } else { Existing::Keep };
                let kept =
                    to.into_inner().map_err(|error| error.into_error()).and_then(|_| draft.keep(&path, existing));
                kept.map_err(|source| match source.kind() {
                    std::io::ErrorKind::AlreadyExists => CliError::OutputExists { path },
                    _ => CliError::File { act: "write", path, source },
                })?;
            }
        }
        Ok(Some(self.count))
    }
}

impl Filters {
    fn fit(&self, event: &Event, view: &ListedView) -> bool {
        let verifier = match event {
            Event::Verified(e) => Some(e.verifier),
            Event::FlagRaised(e) => Some(e.verifier),
            Event::FlagJoined(e) => Some(e.verifier),
            _ => None,
        };
        self.sender.is_none_or(|sender| view.sender == Some(Checksummed(sender)))
            && self.image.is_none_or(|image| view.image_id == Some(image))
            && self.verifier.is_none_or(|wanted| verifier == Some(wanted))
            && self.since.is_none_or(|since| view.time >= since)
            && self.until.is_none_or(|until| view.time <= until)
            && self.outcome.is_none_or(|outcome| view.outcome == Some(name_of(outcome)))
    }
}

fn name_of(outcome: Ending) -> &'static str {
    match outcome {
        Ending::Valid => "valid",
        Ending::Invalid => "invalid",
        Ending::Raised => "raised",
        Ending::Joined => "joined",
        Ending::Confirmed => "confirmed",
        Ending::Dismissed => "dismissed",
    }
}

fn csv(view: &ListedView) -> String {
    let object = json(view);
    let cell = |name: &&str| match &object[*name] {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\n', '\r']) => format!("\"{}\"", text.replace('"', "\"\"")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    COLUMNS.iter().map(cell).collect::<Vec<_>>().join(",")
}

fn in_columns(view: &ListedView) -> String {
    let ListedView { event, time, image_id, what, .. } = view;
    let seq = event.seq.map(|seq| seq.to_string()).unwrap_or_default();
    let image = image_id.map(|image| format!("{image}  ")).unwrap_or_default();
    row(&seq, &event.block.to_string(), &spelled(*time), event.event, &format!("{image}{what}"))
}

fn row(seq: &str, block: &str, time: &str, event: &str, rest: &str) -> String {
    format!("{seq:>7}  {block:>8}  {time:<20}  {event:<17}  {rest}")
}
