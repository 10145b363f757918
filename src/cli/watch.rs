//! `medseal watch`.
use super::output::Outcome;
use super::{CliError, Settings, Talk};

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_args: &Args, _settings: &Settings, _talk: Talk) -> Result<Outcome, CliError> {
    Ok(Outcome::new(serde_json::json!({}), ""))
}
