//! `medseal grant` and `medseal revoke`.

use super::output::{Outcome, address};
use super::session::Session;
use super::{CliError, Settings};
use crate::chain::bindings::IImageRegistry::{grantCall, revokeCall};
use crate::chain::{Receipt, Registry};
use crate::clock::{Clock, SystemClock};
use crate::pipeline::submit_once;
use alloy::primitives::{Address, B256};
use alloy::sol_types::SolCall;
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(super) struct GrantArgs {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// Who may have its key
    #[arg(value_name = "WALLET")]
    wallet: Address,
    /// For how many days
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=36_500))]
    days: u64,
    /// Until when, inclusive, in unix seconds
    #[arg(long, conflicts_with = "days", value_name = "SECONDS")]
    until: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(super) struct RevokeArgs {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// Who may no longer have its key
    #[arg(value_name = "WALLET")]
    wallet: Address,
}

pub(super) async fn grant(args: &GrantArgs, settings: &Settings) -> Result<Outcome, CliError> {
    let expiry = args.until.unwrap_or(SystemClock.unix_secs() + args.days * 86_400);
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let call = grantCall { imageId: args.id, wallet: args.wallet, expiry };
    let receipt = submit(&session, &registry, args.id, args.wallet, "grant", &call).await?;
    let (wallet, gas) = (address(args.wallet), receipt.gas_used);
    let json = json!({
        "imageId": args.id, "wallet": wallet, "expiry": expiry,
        "transaction": receipt.transaction, "gas": gas.to_string(),
    });
    Ok(Outcome::new(json, format!("{wallet} may have the key of {} until {expiry} (unix seconds, inclusive)", args.id)))
}

pub(super) async fn revoke(args: &RevokeArgs, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let call = revokeCall { imageId: args.id, wallet: args.wallet };
    let receipt = submit(&session, &registry, args.id, args.wallet, "revoke", &call).await?;
    let (wallet, gas) = (address(args.wallet), receipt.gas_used);
    let json = json!({
        "imageId": args.id, "wallet": wallet, "transaction": receipt.transaction, "gas": gas.to_string(),
    });
    let text =
        format!("{wallet} is no longer given the key of {}; a key that it was given before it still has", args.id);
    Ok(Outcome::new(json, text))
}

async fn submit(
    session: &Session,
    registry: &Registry,
    id: B256,
    wallet: Address,
    act: &str,
    call: &impl SolCall,
) -> Result<Receipt, CliError> {
    let sender = session.wallet()?;
    let mut outbox = session.outbox(&sender).await?;
    // Asked first, so that an unknown image is named as such.
    registry.record(id).await?;
    // Each grant and revoke raises `seq`, so the same act may follow itself, and a run that was cut off is not repeated.
    let seq = registry.access(id, wallet).await?.seq;
    let job = format!("{act}:{id}:{wallet}:{seq}");
    Ok(submit_once(registry, &mut outbox, &sender, &job, || registry.transaction(call)).await?)
}
