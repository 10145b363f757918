//! `medseal man`.

use super::error::CliError;
use super::output::{Outcome, check_free, write_file};
use super::stdio::shown_path;
use super::{Cli, page::section};
use clap::CommandFactory;
use clap_mangen::Man;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write a page for each command into this folder, such as ~/.local/share/man/man1, instead of
    /// printing the main page
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Overwrite older pages
    #[arg(long, requires = "output")]
    force: bool,
}

pub(super) fn run(args: &Args) -> Result<Outcome, CliError> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.output else {
        let page = page(&command);
        return Ok(Outcome::new(json!({ "page": page }), page.trim_end()));
    };
    let written = |source| CliError::File { act: "make", path: folder.clone(), source };
    std::fs::create_dir_all(folder).map_err(written)?;
    let pages = pages(&command);
    for (name, _) in &pages {
        check_free(&folder.join(name), args.force)?;
    }
    for (name, page) in &pages {
        write_file(&folder.join(name), page.as_bytes(), args.force)?;
    }
    let text = format!("{} pages in {}", pages.len(), shown_path(folder));
    Ok(Outcome::new(json!({ "folder": folder, "pages": pages.len() }), text))
}

/// File name and page of a command and of all below it.
fn pages(command: &clap::Command) -> Vec<(String, String)> {
    let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
    let mut all = vec![(name, page(command))];
    all.extend(command.get_subcommands().flat_map(pages));
    all
}

/// A command's page in roff, with the exit codes at its end.
fn page(command: &clap::Command) -> String {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).expect("memory takes all");
    let page = String::from_utf8(page).expect("pages are text");
    format!("{page}.SH \"EXIT STATUS\"\n{}", exit_codes())
}

/// What the exit codes mean, as the page of the command line says it.
fn exit_codes() -> String {
    let rows = section("Exit codes").lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let codes = rows.filter(|(code, _)| code.parse::<u8>().is_ok());
    codes
        .map(|(code, means)| format!(".TP\n\\fB{code}\\fR\n{}\n", means.trim_end_matches(" |").replace('`', "")))
        .collect()
}
