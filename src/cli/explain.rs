//! `medseal explain`: what bytes or typed data ask of the registry, for a person.

use super::error::CliError;
use super::input::read_text;
use super::output::{Outcome, address};
use super::settings::Settings;
use crate::chain::{Deployment, RelayError};
use crate::contract::{Call, Request, RequestError, check_domain};
use crate::envelope::signing_domain;
use crate::view::ExplainedView;
use crate::words::escaped;
use alloy::primitives::{Address, Bytes};
use serde_json::Value;

/// Needs no node; the deployment files say which contracts are ours.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Call data in 0x-hex, or a file: call data, a transaction, typed data or a signed request as
    /// JSON; - is stdin
    #[arg(value_name = "WHAT")]
    what: String,
}

pub(super) fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let text = match args.what.starts_with("0x") {
        true => args.what.clone(),
        false => read_text(args.what.as_ref())?,
    };
    if let Ok(data) = text.trim().parse::<Bytes>() {
        return Ok(call(&Call::decode(&data)?, None));
    }
    let malformed = |reason: &str| RelayError::from(RequestError::Malformed { reason: reason.to_owned() });
    let value: Value = serde_json::from_str(&text).map_err(|error| malformed(&error.to_string()))?;
    if value["data"].is_string() || value["input"].is_string() {
        let data = value["data"].as_str().or(value["input"].as_str()).and_then(|data| data.parse::<Bytes>().ok());
        let to = value["to"].as_str().and_then(|to| to.parse::<Address>().ok());
        let chain_id = chain_id(&value["chainId"]);
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
    let view = ExplainedView::typed_data(&request, request.digest(&domain), (chain_id, deployment.address));
    let head = format!(
        "{}\nsigned by {}, to be submitted until {} (unix seconds) to {} on chain {chain_id}",
        meaning(request.function_name(), false),
        address(request.signer()),
        request.deadline(),
        address(deployment.address),
    );
    Ok(Outcome::new(view, head + &lines(&request.message(), 1)))
}

/// A chain id as wallets write it: a number, its decimal text, or 0x-hex.
fn chain_id(value: &Value) -> Option<u64> {
    match value.as_str() {
        None => value.as_u64(),
        Some(text) => match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        },
    }
}

fn deployment(settings: &Settings, chain_id: u64) -> Result<Deployment, CliError> {
    let folder = settings.deployments();
    if !Deployment::path(&folder, chain_id).exists() {
        return Err(CliError::NotDeployed { chain_id, folder });
    }
    Ok(Deployment::load(&folder, chain_id)?)
}

fn call(call: &Call, at: Option<&Deployment>) -> Outcome {
    let view = ExplainedView::call(call, at.map(|at| (at.chain_id, at.address)));
    let text = format!("{}\n{}", meaning(call.name(), call.is_view()), call.signature()) + &lines(&call.arguments(), 1);
    Outcome::new(view, text)
}

/// Named values, a line for each.
fn lines(value: &Value, depth: usize) -> String {
    let mut text = String::new();
    let named = value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value));
    let listed = value.as_array().into_iter().flatten().enumerate().map(|(at, value)| (at.to_string(), value));
    for (name, value) in named.chain(listed) {
        text += &format!("\n{}{}", "  ".repeat(depth), escaped(&name));
        text += &match value {
            Value::Object(_) | Value::Array(_) => lines(value, depth + 1),
            Value::String(text) => format!(" {}", escaped(text)),
            other => format!(" {other}"),
        };
    }
    text
}

/// What a function does, in one sentence; of one that is not listed, whether it changes anything.
fn meaning(function: &str, is_view: bool) -> &'static str {
    match (listed(function), is_view) {
        (Some(meaning), _) => meaning,
        (None, true) => "reads from the registry, and changes nothing",
        (None, false) => "changes the registry, but this program does not know how",
    }
}

/// What a function that changes something does.
fn listed(function: &str) -> Option<&'static str> {
    Some(match function {
        "register" => "registers an image for its sender",
        "registerBatch" => "registers several images for their sender",
        "anchor" => "anchors many images under one Merkle root",
        "materialize" => "makes an anchored image a record",
        "recordVerification" => "logs what a verifier found; the contract decides whether it is valid",
        "confirmFlag" => "confirms a flag, for ever: the image counts as tampered",
        "dismissFlag" => "dismisses a flag, visibly",
        "decideFlagFor" => "confirms or dismisses a flag",
        "grant" | "grantFor" => "allows a wallet to get an image's key",
        "revoke" | "revokeFor" => "ends a wallet's access; a key that it already got cannot be taken back",
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
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ABI_JSON;
    use alloy::json_abi::{JsonAbi, StateMutability};
    use serde_json::json;

    #[test]
    fn every_function_that_changes_something_has_its_meaning() {
        let abi: JsonAbi = serde_json::from_str(ABI_JSON).expect("the ABI");
        let (mut changing, mut views) = (0, 0);
        for function in abi.functions() {
            let is_view = matches!(function.state_mutability, StateMutability::View | StateMutability::Pure);
            assert_eq!(listed(&function.name).is_some(), !is_view, "{}", function.signature());
            if is_view { views += 1 } else { changing += 1 }
        }
        assert!(changing > 25 && views > 20, "{changing} and {views}");
        assert!(meaning("burn", false).starts_with("changes the registry"));
        assert!(meaning("burned", true).ends_with("changes nothing"));
    }

    #[test]
    fn a_chain_id_is_a_number_decimal_text_or_hex() {
        for (value, expected) in [
            (json!(31337), Some(31337)),
            (json!("31337"), Some(31337)),
            (json!("0x7a69"), Some(31337)),
            (json!("0X7A69"), Some(31337)),
            // Digits without 0x are decimal, whichever they are.
            (json!("10"), Some(10)),
            (json!("0x10"), Some(16)),
            (json!("7a69"), None),
            (json!("-1"), None),
            (json!("0x"), None),
            (json!("0x10000000000000000"), None),
            (json!(1.5), None),
            (json!(null), None),
        ] {
            assert_eq!(chain_id(&value), expected, "{value}");
        }
    }
}
