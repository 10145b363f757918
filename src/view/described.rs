//! The registry's events in words.

use super::values::address;
use crate::contract::bindings::IImageRegistry::{AdminPlan, IImageRegistryEvents as Event};
use crate::contract::bindings::Role;
use crate::contract::flag_number;
use alloy::primitives::{Address, B256};

/// Name, and what happened, in words.
pub fn describe(event: &Event) -> (&'static str, String) {
    match event {
        Event::Registered(e) => ("Registered", format!("by {}", address(e.sender))),
        Event::RegisteredInBatch(e) => ("RegisteredInBatch", format!("by {}", address(e.sender))),
        Event::BatchRegistered(e) => ("BatchRegistered", format!("{} images by {}", e.count, address(e.sender))),
        Event::Anchored(e) => ("Anchored", format!("{} images by {}", e.count, address(e.sender))),
        Event::Materialized(e) => ("Materialized", format!("by {}, of anchor {}", address(e.sender), e.root)),
        Event::Verified(e) => {
            let verdict = if e.valid { "valid" } else { "INVALID" };
            ("Verified", format!("{verdict}, number {} by {}", e.number, address(e.verifier)))
        }
        Event::FlagRaised(e) => ("FlagRaised", format!("flag {} by {}", flag_number(e.flagId), address(e.verifier))),
        Event::FlagJoined(e) => ("FlagJoined", format!("flag {} by {}", flag_number(e.flagId), address(e.verifier))),
        Event::FlagConfirmed(e) => ("FlagConfirmed", format!("flag {} by {}", flag_number(e.flagId), address(e.by))),
        Event::FlagDismissed(e) => ("FlagDismissed", format!("flag {} by {}", flag_number(e.flagId), address(e.by))),
        Event::AccessGranted(e) => ("AccessGranted", format!("{} until {}", address(e.wallet), e.expiry)),
        Event::AccessRevoked(e) => ("AccessRevoked", address(e.wallet)),
        Event::OperatorSet(e) => {
            let may = if e.allowed { "may" } else { "may no longer" };
            ("OperatorSet", format!("{} {may} speak for {}", address(e.operator), address(e.sender)))
        }
        Event::CapsulesUpdated(e) => ("CapsulesUpdated", format!("version {} by {}", e.version, address(e.by))),
        Event::KgcKeyPublished(e) => ("KgcKeyPublished", format!("epoch {}", e.epoch)),
        Event::KgcKeyRetired(e) => ("KgcKeyRetired", format!("epoch {}", e.epoch)),
        Event::LogAnchored(e) => ("LogAnchored", format!("number {} by {}", e.logSeq, address(e.kgc))),
        Event::CapsulesAnchored(e) => ("CapsulesAnchored", format!("{} sets by {}", e.count, address(e.kgc))),
        Event::RoleChanged(e) => {
            let act = if e.granted { "given to" } else { "taken from" };
            ("RoleChanged", format!("{} {act} {}", role_name(e.role), address(e.account)))
        }
        Event::AdminPlanned(e) => ("AdminPlanned", plan_name(e.plan).to_owned()),
        Event::Paused(e) => ("Paused", format!("until {} by {}", e.until, address(e.by))),
        Event::Unpaused(e) => ("Unpaused", format!("by {}", address(e.by))),
        Event::Superseded(e) => ("Superseded", format!("by {}", address(e.successor))),
        Event::NonceInvalidated(e) => ("NonceInvalidated", address(e.wallet)),
    }
}

/// Of which image an event is, who acted, and what came of it.
pub fn about(event: &Event) -> (Option<B256>, Option<Address>, Option<&'static str>) {
    match event {
        Event::Registered(e) => (Some(e.imageId), Some(e.sender), None),
        Event::RegisteredInBatch(e) => (Some(e.imageId), Some(e.sender), None),
        Event::Materialized(e) => (Some(e.imageId), None, None),
        Event::CapsulesUpdated(e) => (Some(e.imageId), Some(e.by), None),
        Event::Verified(e) => (Some(e.imageId), Some(e.verifier), Some(if e.valid { "valid" } else { "invalid" })),
        Event::FlagRaised(e) => (Some(e.imageId), Some(e.verifier), Some("raised")),
        Event::FlagJoined(e) => (Some(e.imageId), Some(e.verifier), Some("joined")),
        Event::FlagConfirmed(e) => (Some(e.imageId), Some(e.by), Some("confirmed")),
        Event::FlagDismissed(e) => (Some(e.imageId), Some(e.by), Some("dismissed")),
        Event::AccessGranted(e) => (Some(e.imageId), Some(e.by), None),
        Event::AccessRevoked(e) => (Some(e.imageId), Some(e.by), None),
        Event::BatchRegistered(e) => (None, Some(e.sender), None),
        Event::Anchored(e) => (None, Some(e.sender), None),
        Event::OperatorSet(e) => (None, Some(e.sender), None),
        Event::KgcKeyPublished(e) => (None, Some(e.publisher), None),
        Event::LogAnchored(e) => (None, Some(e.kgc), None),
        Event::CapsulesAnchored(e) => (None, Some(e.kgc), None),
        Event::RoleChanged(e) => (None, Some(e.by), None),
        Event::AdminPlanned(e) => (None, Some(e.by), None),
        Event::Paused(e) => (None, Some(e.by), None),
        Event::Unpaused(e) => (None, Some(e.by), None),
        Event::Superseded(e) => (None, Some(e.by), None),
        Event::NonceInvalidated(e) => (None, Some(e.wallet), None),
        _ => (None, None, None),
    }
}

/// A role by its name; the administrator's has none of its own.
fn role_name(id: B256) -> String {
    match Role::ALL.into_iter().find(|role| role.id() == id) {
        Some(role) => role.name().to_owned(),
        None if id.is_zero() => "DEFAULT_ADMIN_ROLE".to_owned(),
        None => id.to_string(),
    }
}

fn plan_name(plan: AdminPlan) -> &'static str {
    match plan {
        AdminPlan::TransferBegun => "hand-over begun",
        AdminPlan::TransferCancelled => "hand-over cancelled",
        AdminPlan::DelayChangeBegun => "another delay planned",
        AdminPlan::DelayChangeCancelled => "another delay cancelled",
        _ => "unknown plan",
    }
}
