//! `medseal show`.

use super::output::{Outcome, address, hex};
use super::session::Session;
use super::{CliError, Settings};
use crate::chain::RegistryEvent;
use crate::chain::bindings::IImageRegistry::{FlagState, IImageRegistryEvents as Event, RecordState, Verified};
use crate::pipeline::{Stored, lookup};
use crate::storage::{PinState, Store};
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
    let stored = lookup(&registry, args.id).await?;
    let (record, event, place) = (&stored.record, &stored.event, &stored.place);
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
    let pinned = session.store()?.pin_state(&stored.cid).await? == PinState::Pinned;
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
        "registration": registration_json(&stored),
        "flag": (!flag.id.is_zero()).then(|| json!({
            "id": flag.id.to::<u64>(),
            "state": flag_name(flag.state),
            "verifier": address(flag.verifier),
            "raisedAt": flag.raisedAt.to::<u64>(),
        })),
        "access": access,
        "pinned": pinned,
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
        event.size,
        if pinned { ", pinned here" } else { ", not pinned here" },
        stored.capsules_cid,
        place.block_number,
        place.transaction,
    );
    for event in &events {
        let (name, _, what) = describe(&event.event);
        text += &format!("  block {:>6}  {name:<16} {what}\n", event.place.block_number);
    }
    Ok(Outcome::new(json, text.trim_end()))
}

/// What was registered, and where it is logged.
fn registration_json(stored: &Stored) -> Value {
    let (event, place) = (&stored.event, &stored.place);
    json!({
        "salt": event.salt,
        "headerHash": event.headerHash,
        "size": event.size,
        "cid": stored.cid.to_string(),
        "capsulesHash": event.capsulesHash,
        "capsulesCid": stored.capsules_cid.to_string(),
        "deadline": event.deadline,
        "signature": hex(&event.signature),
        "seq": event.seq.to::<u64>(),
        "head": event.head,
        "block": place.block_number,
        "blockHash": place.block_hash,
        "transaction": place.transaction,
    })
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

fn flag_name(state: FlagState) -> &'static str {
    match state {
        FlagState::Open => "open",
        FlagState::Confirmed => "confirmed",
        FlagState::Dismissed => "dismissed",
        _ => "none",
    }
}

fn event_json(event: &RegistryEvent) -> Value {
    let (name, seq, _) = describe(&event.event);
    let mut object = json!({
        "event": name, "seq": seq, "block": event.place.block_number,
        "transaction": event.place.transaction, "logIndex": event.place.log_index,
    });
    let more = match &event.event {
        Event::Verified(e) => verified_json(e),
        Event::FlagRaised(e) => json!({ "flag": e.flagId.to::<u64>(), "verifier": address(e.verifier) }),
        Event::FlagConfirmed(e) => json!({ "flag": e.flagId.to::<u64>(), "by": address(e.by) }),
        Event::FlagDismissed(e) => json!({ "flag": e.flagId.to::<u64>(), "by": address(e.by) }),
        Event::AccessGranted(e) => json!({ "wallet": address(e.wallet), "by": address(e.by), "expiry": e.expiry }),
        Event::AccessRevoked(e) => json!({ "wallet": address(e.wallet), "by": address(e.by) }),
        _ => json!({}),
    };
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

/// What was observed; the nonce is a decimal string, for it has 256 bits.
fn verified_json(event: &Verified) -> Value {
    json!({
        "verifier": address(event.verifier),
        "valid": event.valid,
        "observedHash": event.observedHash,
        "observedAt": event.observedAt,
        "nonce": event.nonce.to_string(),
        "deadline": event.deadline,
        "number": event.number.to::<u64>(),
        "signature": hex(&event.signature),
    })
}

/// Name, number in the audit chain, and what happened, in words.
fn describe(event: &Event) -> (&'static str, u64, String) {
    match event {
        Event::Registered(e) => ("Registered", e.seq.to(), format!("by {}", address(e.sender))),
        Event::Verified(e) => {
            let verdict = if e.valid { "valid" } else { "INVALID" };
            ("Verified", e.seq.to(), format!("{verdict}, number {} by {}", e.number, address(e.verifier)))
        }
        Event::FlagRaised(e) => ("FlagRaised", e.seq.to(), format!("flag {} by {}", e.flagId, address(e.verifier))),
        Event::FlagConfirmed(e) => ("FlagConfirmed", e.seq.to(), format!("flag {} by {}", e.flagId, address(e.by))),
        Event::FlagDismissed(e) => ("FlagDismissed", e.seq.to(), format!("flag {} by {}", e.flagId, address(e.by))),
        Event::AccessGranted(e) => ("AccessGranted", e.seq.to(), format!("{} until {}", address(e.wallet), e.expiry)),
        Event::AccessRevoked(e) => ("AccessRevoked", e.seq.to(), address(e.wallet)),
        Event::KgcKeyPublished(e) => ("KgcKeyPublished", e.seq.to(), format!("epoch {}", e.epoch)),
        Event::KgcKeyRetired(e) => ("KgcKeyRetired", e.seq.to(), format!("epoch {}", e.epoch)),
        Event::RoleChanged(e) => ("RoleChanged", e.seq.to(), address(e.account)),
        Event::NonceInvalidated(e) => ("NonceInvalidated", e.seq.to(), address(e.wallet)),
    }
}
