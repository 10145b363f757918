//! `medseal grant` and `medseal revoke`.

use super::act::Act;
use super::error::CliError;
use super::output::{Outcome, address};
use super::settings::Settings;
use super::signers::Relay;
use crate::chain::{Submitted, Wait};
use crate::contract::bindings::IImageRegistry::{
    Grant, IImageRegistryEvents, Revocation, grantCall, grantForCall, revokeCall, revokeForCall,
};
use crate::view::{GrantView, RevocationView};
use alloy::primitives::{Address, B256};

#[derive(Debug, clap::Args)]
pub(super) struct GrantArgs {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// The wallet that may get its key
    #[arg(value_name = "WALLET")]
    wallet: Address,
    /// For how many days
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=36_500))]
    days: u64,
    /// Until when, inclusive, in unix seconds
    #[arg(long, conflicts_with = "days", value_name = "SECONDS")]
    until: Option<u64>,
    #[command(flatten)]
    relay: Relay,
}

#[derive(Debug, clap::Args)]
pub(super) struct RevokeArgs {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// The wallet that may no longer get its key
    #[arg(value_name = "WALLET")]
    wallet: Address,
    #[command(flatten)]
    relay: Relay,
}

pub(super) async fn grant(args: &GrantArgs, settings: &Settings) -> Result<Outcome, CliError> {
    let (mut act, seq, operator_seq) = begin(settings, &args.relay, args.id, args.wallet, Wait::Safe).await?;
    let expiry = match args.until {
        Some(until) => until,
        None => act.time().await? + args.days * 86_400,
    };
    let (id, wallet, by) = (args.id, args.wallet, act.by());
    let direct = grantCall { imageId: id, wallet, expiry };
    let deadline = act.deadline().await?;
    let message = Grant { imageId: id, wallet, expiry, accessSeq: seq, by, operatorSeq: operator_seq, deadline };
    let job = format!("grant:{id}:{wallet}:{seq}:{by}");
    let relayed = |grant, signature| grantForCall { grant, signature };
    let receipt = match act.submit_or_sign(&job, &direct, message, relayed).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return act.print(unsent),
    };
    // What was signed or accepted before may say another second than this run's.
    let logged = act.registry.events_of(&receipt).await?.into_iter().find_map(|event| match event.event {
        IImageRegistryEvents::AccessGranted(granted) => Some(granted.expiry),
        _ => None,
    });
    let expiry = logged.unwrap_or(expiry);
    let json = act.json(GrantView { image_id: id, wallet: wallet.into(), expiry }, Some(&receipt));
    let wallet = address(wallet);
    Ok(Outcome::new(json, format!("{wallet} may have the key of {id} until {expiry} (unix seconds, inclusive)")))
}

pub(super) async fn revoke(args: &RevokeArgs, settings: &Settings) -> Result<Outcome, CliError> {
    let (mut act, seq, operator_seq) = begin(settings, &args.relay, args.id, args.wallet, Wait::Mined).await?;
    let (id, wallet, by) = (args.id, args.wallet, act.by());
    let direct = revokeCall { imageId: id, wallet };
    let deadline = act.deadline().await?;
    let message = Revocation { imageId: id, wallet, accessSeq: seq, by, operatorSeq: operator_seq, deadline };
    let job = format!("revoke:{id}:{wallet}:{seq}:{by}");
    let relayed = |revocation, signature| revokeForCall { revocation, signature };
    let receipt = match act.submit_or_sign(&job, &direct, message, relayed).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return act.print(unsent),
    };
    let json = act.json(RevocationView { image_id: id, wallet: wallet.into() }, Some(&receipt));
    let wallet = address(wallet);
    let text = format!("{wallet} no longer gets the key of {id}; a key that it already got cannot be taken back");
    Ok(Outcome::new(json, text))
}

/// Connects, and returns the numbers that a signed grant or revocation names: that of the access
/// entry, which each replaces, so the same act may follow itself, and a run that was cut off is not
/// repeated; and that of the acting wallet's operator entry. They are those of the newest block:
/// nothing is signed for a number to come.
///
/// Waits until the KGC honours the change.
async fn begin(
    settings: &Settings,
    relay: &Relay,
    id: B256,
    wallet: Address,
    wait: Wait,
) -> Result<(Act, u128, u128), CliError> {
    let act = Act::waiting_for(settings, "sender", relay, wait).await?;
    // Asked first, so that an unknown image is named as such.
    let sender = act.registry.record(id).await?.sender;
    let seq = act.registry.access(id, wallet).await?.seq;
    let operator_seq = act.registry.operator_seq(sender, act.by()).await?;
    Ok((act, seq, operator_seq))
}
