//! `medseal flag`: the life of a flag.

use super::act::Act;
use super::error::CliError;
use super::output::{Outcome, address};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use crate::chain::Submitted;
use crate::contract::bindings::IImageRegistry::{FlagDecision, confirmFlagCall, decideFlagForCall, dismissFlagCall};
use crate::contract::flag_number;
use crate::view::{FlagDecisionView, FlaggedView, flag_name, state_name};
use alloy::primitives::B256;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show the newest flag of an image
    Show {
        /// The image
        #[arg(value_name = "ID")]
        id: B256,
    },
    /// Confirm a flag, for ever: the image counts as tampered [needs ARBITER_ROLE]
    Confirm(Decision),
    /// Dismiss a flag, visibly: the next invalid entry of a verifier raises a new one [the image's
    /// sender, or ARBITER_ROLE]
    Dismiss(Decision),
}

/// On the development chain the administrator is the arbiter, and acts unless --as names another.
#[derive(Debug, clap::Args)]
struct Decision {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// Which flag, from 1 [default: the newest]
    #[arg(value_name = "FLAG", value_parser = clap::value_parser!(u64).range(1..1 << 32))]
    flag: Option<u64>,
    #[command(flatten)]
    relay: Relay,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    match &args.act {
        Verb::Show { id } => show(*id, settings).await,
        Verb::Confirm(decision) => decide(decision, true, settings).await,
        Verb::Dismiss(decision) => decide(decision, false, settings).await,
    }
}

async fn show(id: B256, settings: &Settings) -> Result<Outcome, CliError> {
    let registry = Session::connect(settings, "admin").await?.registry().await?;
    let record = registry.record(id).await?;
    let flag = registry.flag(id).await?;
    let (number, verifiers) = (flag_number(flag.id), flag.verifiers);
    let more = if verifiers > 1 { format!(", observed by {verifiers} verifiers") } else { String::new() };
    let text = match number {
        0 => format!("no flag was ever raised on {id}"),
        _ => {
            format!("flag {number} of {id} is {}, raised by {}{more}", flag_name(flag.state), address(flag.verifier))
        }
    };
    Ok(Outcome::new(FlaggedView::new(id, record.state, &flag), text))
}

async fn decide(decision: &Decision, confirmed: bool, settings: &Settings) -> Result<Outcome, CliError> {
    let mut act = Act::begin(settings, "admin", &decision.relay).await?;
    let id = decision.id;
    act.registry.record(id).await?;
    // Where there is none it is 0, and the contract says so. It also says what is wrong with
    // another than the newest: the whole id of a flag is known once it is raised.
    let newest = act.registry.flag(id).await?.id;
    let flag = match decision.flag {
        Some(number) if number != flag_number(newest) => number << 32,
        _ => newest,
    };
    let receipt = match submit(&mut act, id, flag, confirmed).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return act.print(unsent),
    };
    let state = state_name(act.registry.record(id).await?.state);
    let number = flag_number(flag);
    let object = FlagDecisionView { image_id: id, flag: number, confirmed, state };
    let verb = if confirmed { "confirmed" } else { "dismissed" };
    let text = format!("flag {number} of {id} is {verb}; the image counts as {state}");
    Ok(Outcome::new(act.json(object, Some(&receipt)), text))
}

async fn submit(act: &mut Act, id: B256, flag: u64, confirmed: bool) -> Result<Submitted, CliError> {
    let message = FlagDecision { imageId: id, flagId: flag, confirmed, by: act.by(), deadline: act.deadline().await? };
    let relayed = |decision, signature| decideFlagForCall { decision, signature };
    let job = format!("flag:{id}:{flag}:{confirmed}:{}", act.by());
    match confirmed {
        true => act.submit_or_sign(&job, &confirmFlagCall { imageId: id, flagId: flag }, message, relayed).await,
        false => act.submit_or_sign(&job, &dismissFlagCall { imageId: id, flagId: flag }, message, relayed).await,
    }
}
