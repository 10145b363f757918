//! The id of an event, by which a receiver recognises one that it gets twice.

use crate::contract::RegistryEvent;
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::sol_types::SolValue;
use alloy::sol_types::private::IntoLogData;

/// keccak256 of chain id, registry, block hash, log index, the log's topics and data, and
/// `times_retracted`.
///
/// The block's hash is part of the id, so an event that a reorganisation moves to another block is
/// reported anew. `times_retracted` is how often this event in this block was retracted before: a
/// chain that returns to a dropped block reports its events again, under new ids.
pub(super) fn of_event((chain_id, registry): (u64, Address), event: &RegistryEvent, times_retracted: u64) -> B256 {
    let log = event.event.to_log_data();
    let mut said: Vec<u8> = log.topics().iter().flat_map(|topic| topic.0).collect();
    said.extend_from_slice(&log.data);
    let (place, number) = (&event.place, |number: u64| U256::from(number));
    let fields = (
        "MedSeal watch v1",
        number(chain_id),
        registry,
        place.block_hash,
        number(place.log_index),
        keccak256(said),
        number(times_retracted),
    );
    keccak256(fields.abi_encode_params())
}

/// The id of the retraction of the event with id `event`.
pub(super) fn of_retraction(event: B256) -> B256 {
    keccak256(("MedSeal watch v1 retracted", event).abi_encode_params())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::EventPlace;
    use crate::contract::bindings::IImageRegistry::{FlagRaised, IImageRegistryEvents};

    #[test]
    fn everything_that_makes_an_event_another_makes_its_id_another() {
        let home = (31337, Address::repeat_byte(7));
        let place = EventPlace {
            block_number: 5,
            block_hash: B256::repeat_byte(5),
            transaction: B256::repeat_byte(6),
            log_index: 2,
        };
        let raised = |trail: u8| FlagRaised { trail: B256::repeat_byte(trail), ..Default::default() };
        let event = |trail, place| RegistryEvent { event: IImageRegistryEvents::FlagRaised(raised(trail)), place };
        let id = of_event(home, &event(1, place), 0);
        assert_eq!(id, of_event(home, &event(1, place), 0));
        let others = [
            of_event((1, home.1), &event(1, place), 0),
            of_event((home.0, Address::ZERO), &event(1, place), 0),
            of_event(home, &event(2, place), 0),
            of_event(home, &event(1, EventPlace { block_hash: B256::ZERO, ..place }), 0),
            of_event(home, &event(1, EventPlace { log_index: 3, ..place }), 0),
            of_event(home, &event(1, place), 1),
            of_retraction(id),
        ];
        assert!(!others.contains(&id));
        let kinds: std::collections::BTreeSet<B256> = others.into_iter().collect();
        assert_eq!(kinds.len(), others.len());
    }
}
