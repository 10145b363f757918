//! All that leaves by stdout and stderr: one place that escapes what a terminal would obey, and
//! that notices when it cannot be written.

use super::error::CliError;
use crate::words::{escaped, escaped_json, escaped_lines};
use serde_json::Value;
use std::io::{ErrorKind, Result, Write};
use std::path::Path;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Writes lines for people to stdout.
///
/// # Errors
/// [`CliError::Output`].
pub(super) fn print_text(text: &str) -> std::result::Result<(), CliError> {
    written(text_line(text))
}

/// Writes lines for people to stdout: on a terminal those that begin with `ok` are green, those
/// with `!!` red.
///
/// # Errors
/// [`CliError::Output`].
pub(super) fn print_marked(text: &str) -> std::result::Result<(), CliError> {
    let text = escaped_lines(text);
    let wanted = std::io::IsTerminal::is_terminal(&std::io::stdout()) && std::env::var_os("NO_COLOR").is_none();
    let coloured = |line: &str| match line.get(..2) {
        Some("ok") if wanted => format!("\x1b[32m{line}\x1b[0m"),
        Some("!!") if wanted => format!("\x1b[31m{line}\x1b[0m"),
        _ => line.to_owned(),
    };
    written(write(std::io::stdout(), text.split('\n').map(coloured).collect::<Vec<_>>().join("\n")))
}

/// Writes a value to stdout, for programs.
///
/// # Errors
/// [`CliError::Output`].
pub(super) fn print_json(value: &Value) -> std::result::Result<(), CliError> {
    written(json_line(value))
}

/// A line for people on stdout; that nobody reads it is an error, too.
pub(super) fn text_line(text: &str) -> Result<()> {
    write(std::io::stdout(), escaped_lines(text))
}

/// A line for programs on stdout; that nobody reads it is an error, too.
pub(super) fn json_line(value: &Value) -> Result<()> {
    write(std::io::stdout(), escaped_json(&value.to_string()))
}

/// Talk for people, on stderr: a line, or several. A closed stderr is nobody's concern.
pub(super) fn say(text: &str) {
    let _ = write(std::io::stderr(), escaped_lines(text));
}

/// One line on stderr, whatever is in it.
pub(super) fn say_line(text: &str) {
    let _ = write(std::io::stderr(), escaped(text));
}

/// A path as part of a text of several lines: none of its own makes another one.
pub(super) fn shown_path(path: &Path) -> String {
    escaped(&path.display().to_string())
}

/// Has what is logged, and what a fault of ours says, leave by stderr as everything else does.
/// `verbose` logs what is done besides what is odd.
pub(super) fn listen(verbose: bool) {
    std::panic::set_hook(Box::new(|panic| say(&panic.to_string())));
    let level = if verbose { LevelFilter::DEBUG } else { LevelFilter::WARN };
    let lines = tracing_subscriber::fmt::layer().with_writer(Log).with_ansi(false).with_target(false);
    let lines = lines.without_time().with_level(false);
    let ours = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    // Whoever runs the command line twice in one process keeps the first.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(ours).with(lines));
}

/// Where lines of the log go: to stderr, escaped.
struct Log;

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Log {
    /// Takes a whole line, as the log writes them.
    fn write(&mut self, line: &[u8]) -> Result<usize> {
        say_line(String::from_utf8_lossy(line).trim_end_matches('\n'));
        Ok(line.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// In one write: whoever is killed leaves no half line for the next one to continue.
fn write(mut to: impl Write, mut text: String) -> Result<()> {
    text.push('\n');
    to.write_all(text.as_bytes())?;
    to.flush()
}

/// A reader that went away (`| head`) ends the output, not the program, and is no error.
pub(super) fn quietly(done: Result<()>) -> Result<()> {
    done.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

fn written(done: Result<()>) -> std::result::Result<(), CliError> {
    quietly(done).map_err(|source| CliError::Output { source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn what_cannot_be_written_is_an_error_and_a_reader_that_left_is_none() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
        let failed = written(write(full, "a line".to_owned())).expect_err("there is no space");
        assert!(
            matches!(&failed, CliError::Output { source } if source.kind() == ErrorKind::StorageFull),
            "{failed:?}"
        );
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        written(write(writer, "a line".to_owned())).expect("nobody's concern");
    }

    /// What is logged goes the same way out.
    #[test]
    fn a_logged_line_is_whole_when_it_is_written() {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<Vec<u8>>>>);
        impl Write for Kept {
            fn write(&mut self, line: &[u8]) -> Result<usize> {
                self.0.lock().expect("no panic").push(line.to_owned());
                Ok(line.len())
            }
            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let to = kept.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || to.clone()).without_time().with_ansi(false);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::warn!(from = "a node", "one\nline");
        });
        let kept = kept.0.lock().expect("no panic");
        assert!(kept.len() == 1 && kept[0].ends_with(b"\n"), "{kept:?}");
    }
}
