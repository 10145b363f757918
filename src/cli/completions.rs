//! `medseal completions`.

use super::Cli;
use super::output::Outcome;
use clap::CommandFactory;
use serde_json::json;

/// A shell whose completion is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell that will read the script
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Outcome {
    let (name, shell) = match args.shell {
        Shell::Bash => ("bash", clap_complete::Shell::Bash),
        Shell::Zsh => ("zsh", clap_complete::Shell::Zsh),
        Shell::Fish => ("fish", clap_complete::Shell::Fish),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "medseal", &mut script);
    let script = String::from_utf8(script).expect("scripts are text");
    Outcome::new(json!({ "shell": name, "script": script }), script.trim_end())
}
