//! `medseal relay`: other people's signed requests.

use super::error::CliError;
use super::input::read_text;
use super::output::{Outcome, address, say};
use super::session::Session;
use super::settings::Settings;
use super::signers::Print;
use crate::chain::{RelayError, Submitted};
use crate::clock::SystemClock;
use crate::contract::{Request, RequestError, check_domain};
use crate::pipeline::{Relayed, Relaying, relay};
use crate::view::{self, PrintedView, REQUEST_SCHEMA, RelayedView, RequestView};
use alloy::primitives::utils::format_ether;
use alloy::primitives::{Bytes, U256};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Checks chain, contract, deadline, number and signature (a plain wallet's or a wallet
/// contract's), lets the node try the request, and then sends it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A signed request, or with --signature the typed data; - is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the signer's wallet is a contract: the most gas that the transaction may take, its
    /// answer included [env: MEDSEAL_RELAY_GAS] [default: 1000000]
    #[arg(long, value_name = "N")]
    gas_cap: Option<u64>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let (typed, signature) = read(&args.file, settings.external_signer.signature.as_ref())?;
    let (request, domain) = Request::of_typed_data(&typed).map_err(RelayError::from)?;
    // The signature is the file's now: the outbox has nothing of its own to put it into.
    let mut settings = settings.clone();
    settings.external_signer.signature = None;
    let session = Session::connect(&settings, "relayer").await?;
    let registry = session.registry().await?;
    check_domain(&domain, registry.chain_id(), registry.address()).map_err(RelayError::from)?;
    if settings.external_signer.print == Some(Print::Request) {
        let bare = view::json(RequestView::new(&typed, &signature));
        let text = bare.to_string();
        return Ok(Outcome::new(PrintedView { printed: bare }, text));
    }
    let wallet = session.signers(None)?.payer;
    let mut outbox = session.outbox(&wallet).await?;
    let store = session.store()?;
    let gas_cap = match args.gas_cap {
        Some(cap) => cap,
        None => settings.relay_gas()?,
    };
    let relaying = Relaying { gas_cap, told: &cost_is_said, clock: &SystemClock };
    let receipt = match relay(&registry, &mut outbox, &wallet, &request, &signature, &store, &relaying).await? {
        Relayed::Already => None,
        Relayed::Submitted(Submitted::Mined(receipt)) => Some(receipt),
        Relayed::Submitted(Submitted::Printed(unsent)) => return session.print([unsent]),
    };
    let (signer, relayer) = (address(request.signer()), receipt.is_some().then(|| address(wallet.address())));
    let view = RelayedView::new(&request, request.digest(&domain), wallet.address(), receipt.as_ref());
    let primary_type = request.primary_type();
    let text = match (&receipt, &relayer) {
        (Some(receipt), Some(relayer)) => {
            format!("{primary_type} of {signer} is on chain, sent by {relayer} ({})", receipt.transaction)
        }
        _ => format!("what the {primary_type} of {signer} asks for is on chain already: nothing was sent"),
    };
    Ok(Outcome::new(view, text))
}

fn cost_is_said(gas: u64, wei: U256) {
    let eth = format_ether(wei);
    say(&format!(
        "note: the signer's wallet is a contract, which is asked in your transaction: it may cost {gas} gas, {eth} ETH, also if the wallet refuses then"
    ));
}

/// The typed data and the signature of a request file, or of a file with typed data and a signature
/// given beside it.
fn read(path: &Path, given: Option<&Bytes>) -> Result<(Value, Bytes), CliError> {
    let text = read_text(path)?;
    let malformed = |reason: String| RelayError::from(RequestError::Malformed { reason });
    let value: Value = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    if let Some(signature) = given {
        let typed = if value["schema"] == REQUEST_SCHEMA { value["typedData"].clone() } else { value };
        return Ok((typed, signature.clone()));
    }
    if value["schema"] != REQUEST_SCHEMA {
        let reason = format!("expected a request of schema {REQUEST_SCHEMA}, or typed data with --signature");
        return Err(malformed(reason).into());
    }
    let signature = value["signature"].as_str().and_then(|text| text.parse().ok());
    let signature = signature.ok_or_else(|| malformed("its signature is no 0x-hex".to_owned()))?;
    Ok((value["typedData"].clone(), signature))
}
