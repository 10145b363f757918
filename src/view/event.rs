//! An event of the registry.

use super::described::describe;
use super::values::{Checksummed, Decimal};
use crate::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use crate::contract::{RegistryEvent, Trail, flag_number};
use alloy::primitives::{B256, Bytes, U256};
use serde::Serialize;

/// An event: its name, number and place, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    pub(crate) event: &'static str,
    /// An item of a batch has none of its own.
    pub(crate) seq: Option<u64>,
    pub(crate) block: u64,
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
    /// A flag was raised, or another verifier joined it.
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
        Event::FlagRaised(e) => EventDetails::FlagRaised { flag: flag_number(e.flagId), verifier: e.verifier.into() },
        Event::FlagJoined(e) => EventDetails::FlagRaised { flag: flag_number(e.flagId), verifier: e.verifier.into() },
        Event::FlagConfirmed(e) => EventDetails::FlagDecided { flag: flag_number(e.flagId), by: e.by.into() },
        Event::FlagDismissed(e) => EventDetails::FlagDecided { flag: flag_number(e.flagId), by: e.by.into() },
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::json;
    use super::*;
    use crate::contract::EventPlace;
    use crate::contract::bindings::IImageRegistry as registry;
    use alloy::primitives::Address;
    use alloy::primitives::aliases::U40;

    /// The word of the trail after event 7.
    pub(in crate::view) const TRAIL: B256 = {
        let mut word = [0xaa; 32];
        (word[0], word[1], word[2], word[3], word[4], word[5]) = (0, 0, 0, 0, 0, 7);
        B256::new(word)
    };

    pub(in crate::view) fn at(event: Event) -> RegistryEvent {
        let (block_hash, transaction) = (B256::repeat_byte(0xb1), B256::repeat_byte(0x7a));
        RegistryEvent { event, place: EventPlace { block_number: 12, block_hash, transaction, log_index: 3 } }
    }

    /// An event of each form, and of those that say no more than their name.
    pub(in crate::view) fn samples() -> [RegistryEvent; 10] {
        let (id, trail) = (B256::repeat_byte(1), TRAIL);
        let (sender, wallet, by) = (Address::repeat_byte(0xa1), Address::repeat_byte(0xb2), Address::repeat_byte(0xc3));
        let (number, flag) = (U40::from(4), 2 << 32 | 77);
        let verified = registry::Verified {
            imageId: id,
            verifier: by,
            valid: false,
            observedHash: B256::repeat_byte(9),
            observedAt: 1_700_000_000,
            nonce: U256::MAX,
            deadline: 1_700_000_600,
            number,
            signature: Bytes::from_static(&[1, 2, 0xff]),
            trail,
        };
        let updated = registry::CapsulesUpdated {
            imageId: id,
            version: 5,
            by,
            capsulesHash: B256::repeat_byte(6),
            capsulesCid: Bytes::new(),
            trail,
        };
        [
            Event::Registered(registry::Registered { imageId: id, sender, trail, ..Default::default() }),
            Event::RegisteredInBatch(registry::RegisteredInBatch { imageId: id, sender, ..Default::default() }),
            Event::Verified(verified),
            Event::FlagRaised(registry::FlagRaised { imageId: id, flagId: flag, verifier: by, trail }),
            Event::FlagConfirmed(registry::FlagConfirmed { imageId: id, flagId: flag, by, trail }),
            Event::FlagDismissed(registry::FlagDismissed { imageId: id, flagId: flag, by, trail }),
            Event::AccessGranted(registry::AccessGranted {
                imageId: id,
                wallet,
                by,
                expiry: 1_800_000_000,
                accessSeq: 1,
                trail,
            }),
            Event::AccessRevoked(registry::AccessRevoked { imageId: id, wallet, by, accessSeq: 2, trail }),
            Event::CapsulesUpdated(updated),
            Event::Materialized(registry::Materialized {
                imageId: id,
                sender,
                root: B256::repeat_byte(8),
                trail,
                ..Default::default()
            }),
        ]
        .map(at)
    }

    #[test]
    fn each_form_of_event_looks_as_it_always_did() {
        let expected = [
            concat!(
                r#"{"block":12,"event":"Registered","logIndex":3,"seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"}"#,
            ),
            concat!(
                r#"{"block":12,"event":"RegisteredInBatch","logIndex":3,"seq":null,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"}"#,
            ),
            concat!(
                r#"{"block":12,"deadline":1700000600,"event":"Verified","logIndex":3,"#,
                r#""nonce":"115792089237316195423570985008687907853269984665640564039457584007913129639935","#,
                r#""number":4,"observedAt":1700000000,"#,
                r#""observedHash":"0x0909090909090909090909090909090909090909090909090909090909090909","seq":7,"#,
                r#""signature":"0x0102ff","#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""valid":false,"verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}"#,
            ),
            concat!(
                r#"{"block":12,"event":"FlagRaised","flag":2,"logIndex":3,"seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}"#,
            ),
            concat!(
                r#"{"block":12,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","event":"FlagConfirmed","flag":2,"#,
                r#""logIndex":3,"seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"}"#,
            ),
            concat!(
                r#"{"block":12,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","event":"FlagDismissed","flag":2,"#,
                r#""logIndex":3,"seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"}"#,
            ),
            concat!(
                r#"{"block":12,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","event":"AccessGranted","#,
                r#""expiry":1800000000,"logIndex":3,"seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"}"#,
            ),
            concat!(
                r#"{"block":12,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","event":"AccessRevoked","#,
                r#""logIndex":3,"seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"}"#,
            ),
            concat!(
                r#"{"block":12,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","#,
                r#""capsulesHash":"0x0606060606060606060606060606060606060606060606060606060606060606","#,
                r#""event":"CapsulesUpdated","logIndex":3,"seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","version":5}"#,
            ),
            concat!(
                r#"{"block":12,"event":"Materialized","logIndex":3,"#,
                r#""root":"0x0808080808080808080808080808080808080808080808080808080808080808","seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"}"#,
            ),
        ];
        for (event, expected) in samples().iter().zip(expected) {
            assert_eq!(json(EventView::from(event)).to_string(), expected);
        }
    }
}
