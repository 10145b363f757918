//! `medseal explain`: what bytes or typed data ask of the registry, for a person.

use super::output::{Outcome, address};
use super::{CliError, Settings};
use crate::chain::{Call, Deployment, RelayError, Request, RequestError, check_domain};
use crate::envelope::signing_domain;
use alloy::primitives::{Address, Bytes};
use serde_json::{Value, json};

/// Needs no node; the deployment files say which contracts are ours.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Call data in 0x-hex, or a file: call data, a transaction, typed data or a signed request as JSON
    #[arg(value_name = "WHAT")]
    what: String,
}

pub(super) fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let text = match args.what.starts_with("0x") {
        true => args.what.clone(),
        false => std::fs::read_to_string(&args.what).map_err(|source| CliError::File {
            act: "read",
            path: args.what.clone().into(),
            source,
        })?,
    };
    if let Ok(data) = text.trim().parse::<Bytes>() {
        return Ok(call(&Call::decode(&data)?, None));
    }
    let malformed = |reason: &str| RelayError::from(RequestError::Malformed { reason: reason.to_owned() });
    let value: Value = serde_json::from_str(&text).map_err(|error| malformed(&error.to_string()))?;
    if value["data"].is_string() || value["input"].is_string() {
        let data = value["data"].as_str().or(value["input"].as_str()).and_then(|data| data.parse::<Bytes>().ok());
        let to = value["to"].as_str().and_then(|to| to.parse::<Address>().ok());
        let chain_id = match &value["chainId"] {
            Value::String(text) => u64::from_str_radix(text.trim_start_matches("0x"), 16).ok(),
            other => other.as_u64(),
        };
        let (Some(data), Some(to), Some(chain_id)) = (data, to, chain_id) else {
            return Err(malformed("a transaction needs data, to and chainId").into());
        };
        let deployment = deployment(settings, chain_id)?;
        check_domain(&signing_domain(chain_id, to), chain_id, deployment.address).map_err(RelayError::from)?;
        return Ok(call(&Call::decode(&data)?, Some(&deployment)));
    }
    let typed = if value["typedData"].is_object() { &value["typedData"] } else { &value };
    let (request, domain) = Request::of_typed_data(typed).map_err(RelayError::from)?;
    let chain_id = domain.chain_id.ok_or_else(|| malformed("its domain has no chain id"))?.saturating_to();
    let deployment = deployment(settings, chain_id)?;
    check_domain(&domain, chain_id, deployment.address).map_err(RelayError::from)?;
    let json = json!({
        "kind": "typed data", "act": request.function_name(), "type": request.primary_type(), "view": false,
        "signer": address(request.signer()), "deadline": request.deadline(), "digest": request.digest(&domain),
        "chainId": chain_id, "registry": address(deployment.address), "arguments": request.message(),
    });
    let head = format!(
        "{}\nsigned by {}, to be submitted until {} (unix seconds) to {} on chain {chain_id}",
        meaning(request.function_name()),
        address(request.signer()),
        request.deadline(),
        address(deployment.address),
    );
    Ok(Outcome::new(json, head + &lines(&request.message(), 1)))
}

fn deployment(settings: &Settings, chain_id: u64) -> Result<Deployment, CliError> {
    let folder = settings.path("deployments").expect("it has a default");
    if !Deployment::path(&folder, chain_id).exists() {
        return Err(CliError::NotDeployed { chain_id, folder });
    }
    Ok(Deployment::load(&folder, chain_id)?)
}

fn call(call: &Call, at: Option<&Deployment>) -> Outcome {
    let json = json!({
        "kind": "call", "act": call.name(), "type": call.signature(), "view": call.is_view(),
        "signer": null, "deadline": null, "digest": null,
        "chainId": at.map(|at| at.chain_id), "registry": at.map(|at| address(at.address)),
        "arguments": call.arguments(),
    });
    let text = format!("{}\n{}", meaning(call.name()), call.signature()) + &lines(&call.arguments(), 1);
    Outcome::new(json, text)
}

/// Named values, a line for each.
fn lines(value: &Value, depth: usize) -> String {
    let mut text = String::new();
    let named = value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value));
    let listed = value.as_array().into_iter().flatten().enumerate().map(|(at, value)| (at.to_string(), value));
    for (name, value) in named.chain(listed) {
        text += &format!("\n{}{name}", "  ".repeat(depth));
        text += &match value {
            Value::Object(_) | Value::Array(_) => lines(value, depth + 1),
            Value::String(text) => format!(" {text}"),
            other => format!(" {other}"),
        };
    }
    text
}

/// What a function does, in one sentence.
fn meaning(function: &str) -> &'static str {
    match function {
        "register" => "registers an image for its sender",
        "registerBatch" => "registers several images for their sender",
        "anchor" => "anchors many images under one Merkle root",
        "materialize" => "makes an anchored image a record",
        "recordVerification" => "logs what a verifier found; the contract decides whether it is valid",
        "confirmFlag" => "confirms a flag, for ever: the image counts as tampered",
        "dismissFlag" => "dismisses a flag, visibly",
        "decideFlagFor" => "confirms or dismisses a flag",
        "grant" | "grantFor" => "allows a wallet to be given an image's key",
        "revoke" | "revokeFor" => "ends a wallet's access; a key that was given stays given",
        "setOperator" | "setOperatorFor" => "says whether a wallet may grant, revoke and update capsules for a sender",
        "updateCapsules" | "updateCapsulesFor" => "replaces the key capsules of an image",
        "publishKgcKey" => "publishes the key of a Key Generation Center",
        "retireKgcKey" => "retires the key of a Key Generation Center",
        "anchorLog" => "anchors the head of a Key Generation Center's log",
        "anchorCapsules" => "anchors capsules that were wrapped anew",
        "pause" => "stops registrations, grants and new capsules for at most 7 days",
        "unpause" => "ends a pause",
        "supersede" => "points to the registry that follows, once",
        "invalidateNonce" => "cancels every verification that the wallet signed and nobody submitted",
        "grantRole" => "gives a wallet a role",
        "revokeRole" | "renounceRole" => "takes a role away from a wallet",
        "beginDefaultAdminTransfer" => "begins to hand the administration over",
        "acceptDefaultAdminTransfer" => "takes the administration over",
        "cancelDefaultAdminTransfer" => "cancels a hand-over of the administration",
        "changeDefaultAdminDelay" | "rollbackDefaultAdminDelay" => {
            "changes how long a hand-over of the administration takes"
        }
        _ => "reads from the registry, and changes nothing",
    }
}
