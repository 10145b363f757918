//! `medseal registry`: the registry as a whole, its pause and its successor.

use super::act::Act;
use super::error::CliError;
use super::output::{Outcome, address};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use crate::audit::{SourceError, build};
use crate::chain::{Deployment, Registry, Submitted, deployed_codes};
use crate::contract::bindings::IImageRegistry::{pauseCall, supersedeCall, unpauseCall};
use crate::contract::{Build, Deployed};
use crate::view::{RegistryStandingView, SourceView};
use alloy::primitives::Address;
use alloy::sol_types::SolCall;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Compile the contract from its sources, and compare the result with what the chain runs and
    /// with the arguments of the deployment file
    CheckSource {
        /// Folder with foundry.toml and contracts/src
        #[arg(long, value_name = "DIR", default_value = ".")]
        sources: PathBuf,
        /// The compiler, of the version that the build names
        #[arg(long, value_name = "PROGRAM", default_value = "solc")]
        solc: PathBuf,
        /// Compare with the build that is part of this program instead of with a chain
        #[arg(long)]
        build: bool,
    },
    /// Show its address, how many events it counts, and whether it is paused or has a successor
    Show,
    /// Stop registrations, grants and new capsules for at most 7 days; reading, verifying and
    /// revoking go on [needs PAUSER_ROLE]
    Pause,
    /// End a pause [needs PAUSER_ROLE]
    Unpause,
    /// Point to the registry in which new images are registered, once [the administrator]
    Supersede {
        /// The other registry
        #[arg(value_name = "CONTRACT")]
        successor: Address,
    },
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    match &args.act {
        Verb::Show => {
            let registry = Session::connect(settings, "admin").await?.registry().await?;
            let (view, text) = standing(&registry).await?;
            Ok(Outcome::new(view, text))
        }
        Verb::CheckSource { sources, solc, build: true } => {
            let built = compiled(sources, solc).await?;
            let known = Build::embedded().map_err(SourceError::from)?;
            if let Some(difference) = built.difference(&known) {
                return Err(SourceError::from(difference).into());
            }
            let view = SourceView::new(&built.solc, built.sources.len(), None);
            let text = format!("this program's build is what these {} files give", built.sources.len());
            Ok(Outcome::new(view, text))
        }
        Verb::CheckSource { sources, solc, .. } => check_source(sources, solc, settings).await,
        Verb::Pause => act("pause", &pauseCall {}, settings).await,
        Verb::Unpause => act("unpause", &unpauseCall {}, settings).await,
        Verb::Supersede { successor } => act("supersede", &supersedeCall { successor: *successor }, settings).await,
    }
}

async fn act(name: &str, call: &impl SolCall, settings: &Settings) -> Result<Outcome, CliError> {
    let mut act = Act::begin(settings, "admin", &Relay::default()).await?;
    // The number of events so far makes a second pause another job.
    let seq = act.registry.audit().await?.seq;
    let job = format!("registry:{name}:{}:{seq}", act.registry.address());
    let receipt = match act.submit(&job, call).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return act.print(unsent),
    };
    let (object, text) = standing(&act.registry).await?;
    Ok(Outcome::new(act.json(object, Some(&receipt)), text))
}

/// Whether the chain runs these sources.
async fn check_source(sources: &Path, solc: &Path, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "admin").await?;
    let registry = session.registry().await?;
    let deployment = Deployment::load(&session.deployments(), session.chain_id())?;
    let built = compiled(sources, solc).await?;
    let known = Build::embedded().map_err(SourceError::from)?;
    let (code, init_code) = deployed_codes(session.rpc(), &deployment).await?;
    let deployed = Deployed { code: &code, init_code: &init_code, arguments: &deployment.arguments };
    built.check(&known, &deployed).map_err(SourceError::from)?;
    let place = (registry.chain_id(), registry.address());
    let view = SourceView::new(&built.solc, built.sources.len(), Some(place));
    let text = format!(
        "{} on chain {} runs these {} files, compiled by solc {}, with the arguments of its deployment file",
        address(place.1),
        place.0,
        built.sources.len(),
        built.solc
    );
    Ok(Outcome::new(view, text))
}

/// Takes half a minute or more, and this thread for none of it.
async fn compiled(sources: &Path, solc: &Path) -> Result<Build, CliError> {
    let (sources, solc) = (sources.to_owned(), solc.to_owned());
    let built = tokio::task::spawn_blocking(move || build(&sources, &solc)).await;
    Ok(built.map_err(|error| CliError::Settings { message: format!("the compiler was not waited for: {error}") })??)
}

/// How the registry stands.
async fn standing(registry: &Registry) -> Result<(RegistryStandingView, String), CliError> {
    let audit = registry.audit().await?;
    let (paused_until, successor) = (registry.paused_until().await?, registry.successor().await?);
    let view = RegistryStandingView::new((registry.chain_id(), registry.address()), audit, paused_until, successor);
    let (seq, successor) = (audit.seq, successor.map(address));
    let paused = paused_until.map(|until| format!("paused until {until} (unix seconds)"));
    let succeeded = successor.map(|successor| format!("; new images go to {successor}")).unwrap_or_default();
    let text = format!(
        "{} on chain {}, {seq} events, {}{succeeded}",
        address(registry.address()),
        registry.chain_id(),
        paused.unwrap_or_else(|| "not paused".to_owned())
    );
    Ok((view, text))
}
