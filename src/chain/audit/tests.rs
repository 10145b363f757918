use super::*;
use crate::chain::bindings::IImageRegistry::{FlagRaised, Paused, Registered, Unpaused};
use crate::chain::events::EventPlace;
use alloy::primitives::Bytes;

const TIME: u64 = 1_800_000_000;

fn start() -> Trail {
    Trail::start(31337, Address::repeat_byte(7))
}

fn at(block_number: u64, event: Event) -> RegistryEvent {
    let place = EventPlace { block_number, block_hash: B256::ZERO, transaction: B256::ZERO, log_index: block_number };
    RegistryEvent { event, place }
}

/// The events with the words that follow, one in a block.
fn chained(events: Vec<Event>) -> Vec<RegistryEvent> {
    let mut trail = start();
    let mut chained = Vec::new();
    for (block, mut event) in (1_u64..).zip(events) {
        if !matches!(event, Event::RegisteredInBatch(_)) {
            trail = trail.after(&event, block, TIME + block);
            let word = B256::from(trail.0);
            match &mut event {
                Event::Registered(e) => e.trail = word,
                Event::FlagRaised(e) => e.trail = word,
                Event::BatchRegistered(e) => e.trail = word,
                Event::Paused(e) => e.trail = word,
                Event::Unpaused(e) => e.trail = word,
                other => panic!("{other:?}"),
            }
        }
        chained.push(at(block, event));
    }
    chained
}

fn run(events: &[RegistryEvent]) -> Result<Trail, AuditError> {
    let times: Vec<u64> = events.iter().map(|event| TIME + event.place.block_number).collect();
    follow(start(), events, &times)
}

fn item(salt: u8) -> RegisteredInBatch {
    RegisteredInBatch { salt: B256::repeat_byte(salt), size: 9, ..Default::default() }
}

fn story() -> Vec<RegistryEvent> {
    let registered = Registered { cid: Bytes::from_static(b"cid"), size: 5, ..Default::default() };
    let mut batch = BatchRegistered { count: U256::from(3), skipped: U256::from(2), ..Default::default() };
    batch.recordedHash = keccak256([item_hash(&item(1)), B256::ZERO, item_hash(&item(2))].concat());
    chained(vec![
        Event::Registered(registered),
        Event::RegisteredInBatch(item(1)),
        Event::RegisteredInBatch(item(2)),
        Event::BatchRegistered(batch),
        Event::Paused(Paused::default()),
        Event::FlagRaised(FlagRaised::default()),
        Event::Unpaused(Unpaused::default()),
        Event::FlagRaised(FlagRaised::default()),
    ])
}

#[test]
fn a_whole_log_is_followed_to_its_last_word() {
    let events = story();
    let trail = run(&events).expect("whole");
    assert_eq!((trail.seq(), trail.pause_begun()), (6, false));
    assert_eq!(Some(trail), Trail::of(&events[7].event));
    assert!(run(&events[..6]).expect("whole so far").pause_begun());
    assert_eq!(Trail::of(&events[1].event), None);
    assert_eq!((start().seq(), run(&[]).expect("empty")), (0, start()));
}

#[test]
fn what_is_missing_added_or_changed_shows() {
    // Without the first, without one in the middle, two exchanged, one twice.
    let without = |index: usize| {
        let mut events = story();
        events.remove(index);
        run(&events).expect_err("one is missing")
    };
    for (index, seq) in [(0, 1), (4, 3), (5, 4)] {
        assert!(
            matches!(without(index), AuditError::Missing { seq: found, next, .. } if (found, next) == (seq, seq + 1))
        );
    }
    for index in [1, 2, 3] {
        assert!(matches!(without(index), AuditError::Batch { .. }), "{index}");
    }
    let mut events = story();
    events.swap(1, 2);
    assert!(matches!(run(&events), Err(AuditError::Batch { .. })));
    let mut events = story();
    events.insert(3, events[2].clone());
    assert!(matches!(run(&events), Err(AuditError::Batch { .. })));
    let mut events = story();
    events.push(at(9, Event::RegisteredInBatch(item(3))));
    assert!(matches!(run(&events), Err(AuditError::Batch { .. })), "an item that no batch covers");

    // One byte of what stands in it, its block, its time.
    let mut events = story();
    let Event::Registered(registered) = &mut events[0].event else { panic!("{events:?}") };
    registered.cid = Bytes::from_static(b"cie");
    assert!(matches!(run(&events), Err(AuditError::Broken { seq: 1, .. })));
    let mut events = story();
    events[7].place.block_number += 1;
    assert!(matches!(run(&events), Err(AuditError::Broken { seq: 6, .. })));
    let events = story();
    let times = vec![TIME; events.len()];
    assert!(matches!(follow(start(), &events, &times), Err(AuditError::Broken { seq: 1, .. })));
    assert!(follow(Trail::start(31337, Address::ZERO), &events, &times).is_err(), "another registry");
}
