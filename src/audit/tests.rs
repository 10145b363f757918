use super::*;
use crate::contract::EventPlace;
use crate::contract::bindings::IImageRegistry::{AccessGranted, FlagRaised, Paused, Registered, Unpaused, Verified};
use crate::contract::bindings::IImageRegistry::{BatchRegistered, IImageRegistryEvents as Event, RegisteredInBatch};
use crate::contract::{RegistryEvent, Trail, item_hash};
use crate::envelope::image_id;
use alloy::primitives::Bytes;
use alloy::primitives::{Address, B256, U256, keccak256};

const TIME: u64 = 1_800_000_000;
const REGISTRY: Address = Address::repeat_byte(7);

/// Follows the events and returns the word after the last; `times` are those of their blocks.
fn follow(mut follower: Follower, events: &[RegistryEvent], times: &[u64]) -> Result<Trail, AuditError> {
    for (event, time) in events.iter().zip(times) {
        follower.take(event, *time)?;
    }
    follower.end(events.last().map_or(0, |event| event.place.block_number))
}

fn start() -> Trail {
    Trail::start(31337, REGISTRY)
}

fn at(block_number: u64, event: Event) -> RegistryEvent {
    let place = EventPlace { block_number, block_hash: B256::ZERO, transaction: B256::ZERO, log_index: block_number };
    RegistryEvent { event, place }
}

/// The events with the words that follow, one in a block, and items in that of their batch.
fn chained(events: Vec<Event>) -> Vec<RegistryEvent> {
    let mut trail = start();
    let (mut chained, mut next) = (Vec::new(), 1);
    for mut event in events {
        let block = next;
        if !matches!(event, Event::RegisteredInBatch(_)) {
            next += 1;
            trail = trail.after(&event, block, TIME + block);
            let word = B256::from(trail.word());
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
    follow(Follower::new(31337, REGISTRY), events, &times)
}

fn item(salt: u8) -> RegisteredInBatch {
    let salt = B256::repeat_byte(salt);
    let image_id = image_id(31337, REGISTRY, Address::ZERO, salt);
    RegisteredInBatch { imageId: image_id, salt, size: 9, ..Default::default() }
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

    // An item that is said to be another image, or another sender's.
    let mut events = story();
    let Event::RegisteredInBatch(item) = &mut events[2].event else { panic!("{events:?}") };
    item.imageId.0[31] ^= 1;
    assert!(matches!(run(&events), Err(AuditError::Item { seq: 2, what: "image id", .. })));
    let mut events = story();
    let Event::RegisteredInBatch(item) = &mut events[2].event else { panic!("{events:?}") };
    item.sender = REGISTRY;
    assert!(matches!(run(&events), Err(AuditError::Item { seq: 2, what: "sender", .. })));

    // An item in another block than its batch's, or of another time.
    let mut events = story();
    events[1].place.block_number = 1;
    assert!(matches!(run(&events), Err(AuditError::Item { seq: 2, what: "block", .. })));
    let events = story();
    let mut times: Vec<u64> = events.iter().map(|event| TIME + event.place.block_number).collect();
    times[2] += 1;
    let late = follow(Follower::new(31337, REGISTRY), &events, &times);
    assert!(matches!(late, Err(AuditError::Item { seq: 2, what: "time", .. })));

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
    assert!(matches!(follow(Follower::new(31337, REGISTRY), &events, &times), Err(AuditError::Broken { seq: 1, .. })));
    assert!(follow(Follower::new(31337, Address::ZERO), &events, &times).is_err(), "another registry");
}

/// A word that no other number has.
fn word(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}

/// The most memory that this process had so far, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("kB") / 1024
}

/// The `number`th event of a log in which `records` of a hundred events make a record; the others
/// verify, grant and grant again.
fn generated(number: u64, records: u64) -> Event {
    let (kind, round) = (number % 100, number / 100);
    if kind < records {
        let cid = Bytes::from_static(&[7; 36]);
        let (image, content) = (word(round * records + kind), word(number ^ u64::MAX));
        let registered =
            Registered { imageId: image, sender: Address::repeat_byte(1), contentHash: content, ..Default::default() };
        return Event::Registered(Registered { cid: cid.clone(), capsulesCid: cid, size: 1000, ..registered });
    }
    let image = word(round * records + kind % records);
    if kind % 2 == 0 {
        let verified =
            Verified { imageId: image, verifier: Address::repeat_byte(2), valid: true, ..Default::default() };
        return Event::Verified(Verified {
            signature: Bytes::from_static(&[7; 65]),
            nonce: U256::from(number),
            ..verified
        });
    }
    Event::AccessGranted(AccessGranted {
        imageId: image,
        wallet: Address::repeat_byte(u8::try_from(kind % 7).expect("small")),
        expiry: TIME + number,
        accessSeq: number.into(),
        ..Default::default()
    })
}

/// What a million events need, by how many of them make a record:
/// `cargo test --lib a_million_events -- --ignored --nocapture --test-threads 1`.
#[test]
#[ignore = "a measurement: a minute, and some hundred MiB"]
fn a_million_events_need_memory_for_what_they_make_alone() {
    for records in [10, 50, 100] {
        let (before, clock) = (peak_mib(), std::time::Instant::now());
        let mut audit = AuditState::new(31337, REGISTRY);
        for number in 0..1_000_000 {
            let (block, mut event) = (number / 50, generated(number, records));
            let trail = B256::from(audit.trail().after(&event, block, TIME + block).word());
            match &mut event {
                Event::Registered(e) => e.trail = trail,
                Event::Verified(e) => e.trail = trail,
                Event::AccessGranted(e) => e.trail = trail,
                other => panic!("{other:?}"),
            }
            audit.take(&at(block, event), TIME + block).expect("it follows");
        }
        let (slots, taken) = (audit.storage().len(), clock.elapsed());
        let root = audit.storage().root(audit.trail());
        let peak = peak_mib();
        eprintln!(
            "1000000 events, {records} of 100 make a record: {slots} slots, peak {peak} MiB (before: {before}), taken in {:.1} s, root {root} in {:.1} s",
            taken.as_secs_f32(),
            (clock.elapsed() - taken).as_secs_f32()
        );
        assert_eq!((audit.trail().seq(), audit.summary().total()), (1_000_000, 1_000_000));
        // 64 bytes a slot and what a hash map keeps free, twice while it grows, once more sorted
        // for the root.
        let most = 64 + slots as u64 * 320 / (1 << 20);
        assert!(peak < most, "{peak} MiB, at most {most} for {slots} slots");
    }
}
