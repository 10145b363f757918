//! `medseal registry`: the registry as a whole, its pause and its successor.

use super::act::Act;
use super::error::CliError;
use super::output::{Outcome, address};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use crate::chain::{Registry, Submitted};
use crate::contract::bindings::IImageRegistry::{pauseCall, supersedeCall, unpauseCall};
use crate::view::RegistryStandingView;
use alloy::primitives::Address;
use alloy::sol_types::SolCall;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
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
