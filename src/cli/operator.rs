//! `medseal operator`: who may grant, revoke and update capsules for a sender.

use super::act::Act;
use super::error::CliError;
use super::output::{Outcome, address};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use crate::chain::Submitted;
use crate::contract::bindings::IImageRegistry::{OperatorChange, setOperatorCall, setOperatorForCall};
use crate::view::{Decimal, OperatorChangeView, OperatorView};
use alloy::primitives::Address;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Let a wallet grant, revoke and update capsules of all the sender's images; it can register
    /// none
    Allow(Change),
    /// End that; what the operator signed earlier, and a permission that was signed earlier, no
    /// longer counts
    Remove(Change),
    /// Show whether a wallet may do that
    Show {
        /// The operator
        #[arg(value_name = "WALLET")]
        wallet: Address,
        /// For this sender [default: the acting wallet]
        #[arg(long, value_name = "WALLET")]
        of: Option<Address>,
    },
}

#[derive(Debug, clap::Args)]
struct Change {
    /// The operator
    #[arg(value_name = "WALLET")]
    wallet: Address,
    #[command(flatten)]
    relay: Relay,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    match &args.act {
        Verb::Allow(change) => set(change, true, settings).await,
        Verb::Remove(change) => set(change, false, settings).await,
        Verb::Show { wallet, of } => show(*wallet, *of, settings).await,
    }
}

async fn set(change: &Change, allowed: bool, settings: &Settings) -> Result<Outcome, CliError> {
    let mut act = Act::begin(settings, "sender", &change.relay).await?;
    let (sender, operator) = (act.by(), change.wallet);
    let known = act.registry.operator(sender, operator).await?;
    // To remove is done also where nothing is there to remove: it replaces the number that a change
    // held back names.
    let already = allowed && known.allowed;
    let mut receipt = None;
    if !already {
        let direct = setOperatorCall { operator, allowed };
        let deadline = act.deadline().await?;
        let message = OperatorChange { sender, operator, allowed, operatorSeq: known.seq, deadline };
        let job = format!("operator:{}:{sender}:{operator}:{allowed}:{}", act.registry.address(), known.seq);
        let relayed = |change, signature| setOperatorForCall { change, signature };
        receipt = match act.submit_or_sign(&job, &direct, message, relayed).await? {
            Submitted::Mined(receipt) => Some(receipt),
            Submitted::Printed(unsent) => return act.print(unsent),
        };
    }
    let object = OperatorChangeView { sender: sender.into(), operator: operator.into(), allowed, already };
    let (sender, operator) = (address(sender), address(operator));
    let may = if allowed { "may" } else { "may no longer" };
    let text = format!("{operator} {may} grant, revoke and update capsules for {sender}");
    Ok(Outcome::new(act.json(object, receipt.as_ref()), text))
}

async fn show(operator: Address, of: Option<Address>, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let sender = match of {
        Some(sender) => sender,
        None => session.wallet()?.address(),
    };
    let known = registry.operator(sender, operator).await?;
    let (allowed, seq) = (known.allowed, Decimal(known.seq));
    let view = OperatorView { sender: sender.into(), operator: operator.into(), allowed, seq };
    let (sender, operator) = (address(sender), address(operator));
    let may = if allowed { "may" } else { "may not" };
    Ok(Outcome::new(view, format!("{operator} {may} grant, revoke and update capsules for {sender}")))
}
