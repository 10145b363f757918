//! `medseal relay`: other people's signed requests.

use super::elsewhere::{REQUEST_SCHEMA, request_json};
use super::output::{Outcome, address};
use super::session::Session;
use super::{CliError, Settings};
use crate::chain::{RelayError, Request, check_domain};
use crate::clock::{Clock, SystemClock};
use crate::pipeline::submit_once;
use alloy::primitives::Bytes;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Looks at chain, contract, deadline, number and signature (a plain wallet's or a wallet contract's), has the node try it, and then sends it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A signed request, or with --signature the typed data
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let (typed, signature) = read(&args.file, settings.elsewhere.signature.as_ref())?;
    let (request, domain) = Request::of_typed_data(&typed).map_err(RelayError::from)?;
    // The signature is the file's now: the outbox has nothing of its own to put it into.
    let mut settings = settings.clone();
    settings.elsewhere.signature = None;
    let session = Session::connect(&settings, "relayer").await?;
    let registry = session.registry().await?;
    check_domain(&domain, registry.chain_id(), registry.address()).map_err(RelayError::from)?;
    if settings.elsewhere.print == Some(super::elsewhere::Print::Request) {
        let bare = request_json(&typed, &signature);
        return Ok(Outcome::new(json!({ "printed": bare }), bare.to_string()));
    }
    let digest = request.digest(&domain);
    let job = format!("relay:{digest}");
    let wallet = session.acting_wallet()?;
    let mut outbox = session.outbox(&wallet).await?;
    // What was relayed by an earlier run is finished, though its number is used up by now.
    if !outbox.job(&job)?.is_some_and(|job| job.receipt.is_some()) {
        registry.check_request(&request, &signature, SystemClock.unix_secs()).await?;
    }
    let make = || crate::chain::Transaction { to: Some(registry.address()), data: request.call(&signature).encode() };
    let receipt = submit_once(&registry, &mut outbox, &wallet, &job, make).await?;
    let (signer, relayer) = (address(request.signer()), address(wallet.address()));
    let json = json!({
        "act": request.function_name(),
        "type": request.primary_type(),
        "by": signer,
        "relayer": relayer,
        "digest": digest,
        "message": request.message(),
        "transaction": receipt.transaction,
        "gas": receipt.gas_used.to_string(),
    });
    let text =
        format!("{} of {signer} is on chain, sent by {relayer} ({})", request.primary_type(), receipt.transaction);
    Ok(Outcome::new(json, text))
}

/// The typed data and the signature of a request file, or of a file with typed data and a signature given beside it.
fn read(path: &PathBuf, given: Option<&Bytes>) -> Result<(Value, Bytes), CliError> {
    let failed = |source| CliError::File { act: "read", path: path.clone(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let malformed = |reason: String| RelayError::from(crate::chain::RequestError::Malformed { reason });
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
