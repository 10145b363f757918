//! What goes to stdout, and how: one object with `--json`, text for people without.

use super::error::CliError;
pub(super) use super::stdio::say;
use super::stdio::{print_json, print_marked, print_text, say_line};
use super::{exit, hints};
use crate::files::{Existing, folder_of, write_whole};
pub(super) use crate::view::address;
use crate::view::{self, AnswerView, Code, ErrorView, RefusalView};
use crate::words::escaped;
use serde::Serialize;
use serde_json::Value;
use std::error::Error;
use std::io::{ErrorKind, IsTerminal};
use std::path::Path;

/// What a command says besides its result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    /// One JSON object on stdout.
    pub(super) json: bool,
    /// Say more on stderr.
    pub(super) verbose: bool,
}

/// What a command came to.
#[derive(Debug)]
pub(super) struct Outcome {
    /// For programs.
    pub(super) json: Value,
    /// For people.
    pub(super) text: String,
    /// 0, or [`exit::INVALID`] where the answer is that something is invalid.
    pub(super) exit: u8,
    /// Whether lines of the text that begin with `ok` or `!!` are green or red.
    pub(super) marked: bool,
}

impl Outcome {
    /// An outcome without complaint.
    pub(super) fn new(json: impl Serialize, text: impl Into<String>) -> Self {
        Self { json: view::json(json), text: text.into(), exit: 0, marked: false }
    }
}

/// Prints what a command came to, and returns its exit code.
pub(super) fn print(command: &str, json_wanted: bool, result: Result<Outcome, CliError>) -> u8 {
    match result {
        Ok(outcome) => {
            let printed = match (json_wanted, outcome.text.as_str()) {
                (true, _) => print_json(&view::json(AnswerView::new(command, outcome.json))),
                // What came bit by bit has been said.
                (false, "") => Ok(()),
                (false, text) if outcome.marked => print_marked(text),
                (false, text) => print_text(text),
            };
            printed.map_or_else(|error| print_error(&error), |()| outcome.exit)
        }
        Err(error) if json_wanted && error.code() != Code::Output => {
            let refusal = RefusalView::new(Some(command), error_view(&error));
            print_json(&view::json(refusal)).map_or_else(|error| print_error(&error), |()| error.exit())
        }
        Err(error) => print_error(&error),
    }
}

/// Says what went wrong, for people, and returns its exit code.
fn print_error(error: &CliError) -> u8 {
    say_line(&format!("error: {}", chain_of(error)));
    if let Some(hint) = error.hint() {
        say_line(&format!("hint: {hint}"));
    }
    error.exit()
}

/// Prints why the command line makes no sense, or the help that it asks for, and returns its exit
/// code.
pub(super) fn print_usage(error: &clap::Error) -> u8 {
    let code = u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
    let text = error.to_string();
    if !error.use_stderr() {
        // Help and version are texts of ours, with clap's own colours.
        return match error.print() {
            Err(source) if source.kind() != ErrorKind::BrokenPipe => print_error(&CliError::Output { source }),
            _ => code,
        };
    }
    // Where nothing else could be read, `--json` is looked for as it stands.
    if std::env::args_os().any(|argument| argument == "--json") {
        let message = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        let (code, message, hint) = (Code::Usage, message.to_owned(), hints::of(Code::Usage).map(str::to_owned));
        let refusal = RefusalView::new(None, ErrorView { code, message, hint });
        if let Err(error) = print_json(&view::json(refusal)) {
            return print_error(&error);
        }
    } else {
        say(text.trim_end());
    }
    code
}

/// An error as programs are told of it.
pub(super) fn error_view(error: &CliError) -> ErrorView {
    ErrorView { code: error.code(), message: chain_of(error), hint: error.hint() }
}

/// The error and its causes, each said once.
pub(super) fn chain_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Writes an output file whole or not at all; keeps an older one unless `force`.
///
/// # Errors
/// [`CliError::OutputExists`], [`CliError::File`].
pub(super) fn write_file(path: &Path, bytes: &[u8], force: bool) -> Result<(), CliError> {
    check_free(path, force)?;
    let existing = if force { Existing::Replace } else { Existing::Keep };
    write_whole(path, bytes, existing).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => CliError::OutputExists { path: path.to_owned() },
        _ => CliError::File { act: "write", path: path.to_owned(), source },
    })
}

/// Checks, before any work is done, that an output may be written.
///
/// # Errors
/// [`CliError::OutputExists`]; [`CliError::File`] if there is no such folder, or, `force` or not,
/// where a device, a FIFO, a socket or a link stands: only regular files are replaced.
pub(super) fn check_free(path: &Path, force: bool) -> Result<(), CliError> {
    let special = |metadata: &std::fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    match path.symlink_metadata() {
        Ok(_) if path.is_dir() => return Err(CliError::OutputExists { path: path.to_owned() }),
        // A link is no file either: what it leads to may change (/dev/stdout), and its folder is
        // another.
        Ok(there) if special(&there) && (force || path.metadata().is_ok_and(|there| special(&there))) => {
            let source = std::io::Error::new(ErrorKind::InvalidInput, "only regular files are replaced");
            return Err(CliError::File { act: "write", path: path.to_owned(), source });
        }
        Ok(_) if !force => return Err(CliError::OutputExists { path: path.to_owned() }),
        _ => {}
    }
    let metadata = std::fs::metadata(folder_of(path));
    metadata.map(drop).map_err(|source| CliError::File { act: "write", path: path.to_owned(), source })
}

/// A bar on stderr for long work; silent where stderr is no terminal.
pub(super) fn progress(steps: usize, json_wanted: bool) -> indicatif::ProgressBar {
    if json_wanted || !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("a valid template");
    indicatif::ProgressBar::new(steps as u64).with_style(style)
}

/// A number with so many decimals, "-" for none, and never a negative zero.
pub(super) fn shown(value: Option<f64>, digits: usize) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let text = format!("{value:.digits$}");
    if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
        return text.trim_start_matches('-').to_owned();
    }
    text
}

/// A table: the first row is its head; columns are as wide as their widest cell, which is one line.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
