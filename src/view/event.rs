//! An event of the registry.

use super::described::describe;
use super::values::{Checksummed, Decimal};
use crate::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use crate::contract::{RegistryEvent, Trail};
use alloy::primitives::{B256, Bytes, U256};
use serde::Serialize;

/// An event: its name, number and place, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    event: &'static str,
    /// An item of a batch has none of its own.
    seq: Option<u64>,
    block: u64,
    transaction: B256,
    log_index: u64,
    #[serde(flatten)]
    details: Option<EventDetails>,
}

/// What events of an image say besides; of the others the name is enough here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[allow(missing_docs)] // fields of the contract's events: IImageRegistry.sol says what they are
pub enum EventDetails {
    /// An observation; its nonce has 256 bits.
    Verified {
        verifier: Checksummed,
        valid: bool,
        observed_hash: B256,
        observed_at: u64,
        nonce: Decimal<U256>,
        deadline: u64,
        number: u64,
        signature: Bytes,
    },
    /// A flag was raised.
    FlagRaised { flag: u64, verifier: Checksummed },
    /// A flag was confirmed or dismissed.
    FlagDecided { flag: u64, by: Checksummed },
    /// A wallet may have the key.
    AccessGranted { wallet: Checksummed, by: Checksummed, expiry: u64 },
    /// A wallet may no longer have the key.
    AccessRevoked { wallet: Checksummed, by: Checksummed },
    /// The key is sealed for others than before.
    CapsulesUpdated { version: u64, by: Checksummed, capsules_hash: B256 },
    /// A leaf of an anchor became a record.
    Materialized { root: B256 },
}

impl EventView {
    /// The same with this number.
    pub(super) fn numbered(self, seq: u64) -> Self {
        Self { seq: Some(seq), ..self }
    }
}

impl From<&RegistryEvent> for EventView {
    fn from(RegistryEvent { event, place }: &RegistryEvent) -> Self {
        Self {
            event: describe(event).0,
            seq: Trail::of(event).map(|trail| trail.seq()),
            block: place.block_number,
            transaction: place.transaction,
            log_index: place.log_index,
            details: details(event),
        }
    }
}

fn details(event: &Event) -> Option<EventDetails> {
    Some(match event {
        Event::Verified(e) => EventDetails::Verified {
            verifier: e.verifier.into(),
            valid: e.valid,
            observed_hash: e.observedHash,
            observed_at: e.observedAt,
            nonce: Decimal(e.nonce),
            deadline: e.deadline,
            number: e.number.to(),
            signature: e.signature.clone(),
        },
        Event::FlagRaised(e) => EventDetails::FlagRaised { flag: e.flagId.to(), verifier: e.verifier.into() },
        Event::FlagConfirmed(e) => EventDetails::FlagDecided { flag: e.flagId.to(), by: e.by.into() },
        Event::FlagDismissed(e) => EventDetails::FlagDecided { flag: e.flagId.to(), by: e.by.into() },
        Event::AccessGranted(e) => {
            EventDetails::AccessGranted { wallet: e.wallet.into(), by: e.by.into(), expiry: e.expiry }
        }
        Event::AccessRevoked(e) => EventDetails::AccessRevoked { wallet: e.wallet.into(), by: e.by.into() },
        Event::CapsulesUpdated(e) => {
            EventDetails::CapsulesUpdated { version: e.version, by: e.by.into(), capsules_hash: e.capsulesHash }
        }
        Event::Materialized(e) => EventDetails::Materialized { root: e.root },
        _ => return None,
    })
}
