//! `medseal show`.

use super::anchored;
use super::error::CliError;
use super::events::{describe, event_json};
use super::output::{Outcome, address, hex};
use super::session::Session;
use super::settings::Settings;
use crate::chain::ChainError;
use crate::contract::RegistrationKind;
use crate::contract::bindings::IImageRegistry::{Flag, FlagState, RecordState};
use crate::pipeline::{PipelineError, Stored, find_anchored, lookup};
use crate::storage::{Cid, PinState, Store};
use alloy::primitives::{Address, B256};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// Also the access of this wallet
    #[arg(long, value_name = "WALLET")]
    wallet: Option<Address>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let stored = match lookup(&registry, args.id).await {
        Err(PipelineError::Chain(ChainError::UnknownImage { image_id })) => {
            let store = session.store()?;
            return match find_anchored(&registry, &store, image_id).await? {
                Some(image) => anchored::show(&registry, &store, image_id, &image).await,
                None => Err(ChainError::UnknownImage { image_id }.into()),
            };
        }
        other => other?,
    };
    let (record, logged, place) = (&stored.record, &stored.logged, &stored.logged.place);
    let flag = registry.flag(args.id).await?;
    let events = registry.events(args.id).await?;
    let access = match args.wallet {
        Some(wallet) => {
            let access = registry.access(args.id, wallet).await?;
            json!({
                "wallet": address(wallet),
                "authorized": registry.is_authorized(args.id, wallet).await?,
                "expiry": access.expiry, "seq": access.seq, "block": access.blockNumber,
            })
        }
        None => Value::Null,
    };
    let kept = session.store()?.pin_state(&stored.cid).await?;
    let json = json!({
        "imageId": args.id,
        "chainId": registry.chain_id(),
        "registry": address(registry.address()),
        "record": {
            "contentHash": record.contentHash,
            "sender": address(record.sender),
            "registeredAt": record.registeredAt.to::<u64>(),
            "state": state_name(record.state),
            "verifications": record.verifications.to::<u64>(),
        },
        "registration": registration_json(&stored)?,
        "capsules": {
            "version": stored.capsules.version, "hash": stored.capsules.hash, "cid": stored.capsules.cid.to_string(),
        },
        "flag": flag_json(&flag),
        "access": access,
        "pinned": kept == PinState::Pinned,
        "events": events.iter().map(event_json).collect::<Vec<_>>(),
    });
    let mut text = format!(
        "image     {}\nstate     {}, {} verifications\nsender    {}\nsha-256   {}\ncid       {} ({} bytes{})\ncapsules  {}\nblock     {} ({})\n",
        args.id,
        state_name(record.state),
        record.verifications,
        address(record.sender),
        record.contentHash,
        stored.cid,
        logged.size,
        match kept {
            PinState::Pinned => ", pinned here".to_owned(),
            PinState::TooFew { found, wanted } => format!(", pinned at {found} of {wanted} nodes"),
            PinState::Unpinned => ", not pinned here".to_owned(),
        },
        stored.capsules.cid,
        place.block_number,
        place.transaction,
    );
    for event in &events {
        let (name, what) = describe(&event.event);
        text += &format!("  block {:>6}  {name:<16} {what}\n", event.place.block_number);
    }
    Ok(Outcome::new(json, text.trim_end()))
}

/// What was registered, and where it is logged.
fn registration_json(stored: &Stored) -> Result<Value, CliError> {
    let (logged, place) = (&stored.logged, &stored.logged.place);
    let (signature, deadline) = logged.kind.signature().unzip();
    let root = match logged.kind {
        RegistrationKind::Leaf { root } => Some(root),
        RegistrationKind::Alone { .. } | RegistrationKind::Batch { .. } => None,
    };
    Ok(json!({
        "way": logged.kind.name(),
        "root": root,
        "salt": logged.salt,
        "headerHash": logged.header_hash,
        "size": logged.size,
        "cid": stored.cid.to_string(),
        "capsulesHash": logged.capsules_hash,
        "capsulesCid": Cid::from_bytes(&logged.capsules_cid).map_err(PipelineError::from)?.to_string(),
        "deadline": deadline,
        "signature": signature.map(hex),
        "seq": logged.trail.seq(),
        "head": logged.trail.head(),
        "block": place.block_number,
        "blockHash": place.block_hash,
        "transaction": place.transaction,
    }))
}

/// The name of a record's state.
pub(super) fn state_name(state: RecordState) -> &'static str {
    match state {
        RecordState::Registered => "registered",
        RecordState::Flagged => "flagged",
        RecordState::Tampered => "tampered",
        _ => "absent",
    }
}

/// A flag; null where there was none.
pub(super) fn flag_json(flag: &Flag) -> Value {
    let object = json!({
        "id": flag.id.to::<u64>(),
        "state": flag_name(flag.state),
        "verifier": address(flag.verifier),
        "raisedAt": flag.raisedAt.to::<u64>(),
    });
    if flag.id.is_zero() { Value::Null } else { object }
}

/// The name of a flag's state.
pub(super) fn flag_name(state: FlagState) -> &'static str {
    match state {
        FlagState::Open => "open",
        FlagState::Confirmed => "confirmed",
        FlagState::Dismissed => "dismissed",
        _ => "none",
    }
}
