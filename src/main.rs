//! The `medseal` command: parse, dispatch, print, exit code.

use medseal::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
