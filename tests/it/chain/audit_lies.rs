//! A log of 10,000 random events of every kind, and what is found when a node keeps one back,
//! alters one or changes their order.

use super::World;
use super::history::{Chain, Random, history};
use super::proxy::{Fault, proxy};
use alloy::sol_types::SolEventInterface;
use alloy::sol_types::abi::AbiDecoderConfig;
use alloy::sol_types::private::IntoLogData;
use medseal::audit::{AuditError, AuditOptions, AuditProgress, AuditReport, Follower, audit};
use medseal::chain::{Profile, Registry, Rpc};
use medseal::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use medseal::contract::{RegistryEvent, Trail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Instant;

const SEED: u64 = 0x6d65_6473_6561_6c06;
const EVENTS: u64 = 10_000;
const CASES: usize = 1_000;

/// A log as it was read, each event with the time of its block.
type Log = Vec<(RegistryEvent, u64)>;

async fn read(registry: &Registry) -> (Result<AuditReport, AuditError>, Log) {
    let mut log = Vec::new();
    let options = AuditOptions::default();
    let audited = audit(registry, &options, |step| {
        if let AuditProgress::Event(listed) = step {
            log.push((listed.event.clone(), listed.time));
        }
        Ok(())
    })
    .await;
    (audited, log)
}

/// For each event the number that is named when it is wrong: its own, or that of the batch which
/// covers it.
fn numbers(log: &Log) -> Vec<u64> {
    let mut next = 0;
    let mut numbers: Vec<u64> = log
        .iter()
        .rev()
        .map(|(event, _)| {
            next = Trail::of(&event.event).map_or(next, |trail| trail.seq());
            next
        })
        .collect();
    numbers.reverse();
    numbers
}

/// What follows the events before `at`, then `changed`, then those from `rest` on, and the
/// contract's own word.
fn follow(
    before: &Follower,
    changed: &[(RegistryEvent, u64)],
    rest: &[(RegistryEvent, u64)],
    end: &AuditReport,
) -> Result<(), AuditError> {
    let mut follower = before.clone();
    for (event, time) in changed.iter().chain(rest) {
        follower.take(event, *time)?;
    }
    follower.check_end(end.proven.block, end.proven.trail.into()).map(drop)
}

/// One bit of the event, of its block's number or of its time is another. None where the log then
/// is no event of ours any more.
fn altered((event, time): &(RegistryEvent, u64), random: &mut Random) -> Option<(RegistryEvent, u64)> {
    let (mut event, mut time) = (event.clone(), *time);
    let log = event.event.to_log_data();
    let (mut topics, mut data) = (log.topics().to_vec(), log.data.to_vec());
    let bytes = 32 * (topics.len() - 1) + data.len();
    match random.below(bytes + 16) {
        at if at < 32 * (topics.len() - 1) => topics[1 + at / 32][at % 32] ^= 1 << random.below(8),
        at if at < bytes => data[at - 32 * (topics.len() - 1)] ^= 1 << random.below(8),
        at if at < bytes + 8 => event.place.block_number ^= 1,
        _ => time ^= 1,
    }
    event.event = Event::decode_raw_log_with_config(&topics, &data, AbiDecoderConfig::new().validate(true)).ok()?;
    let again = event.event.to_log_data();
    if again.topics() != topics || *again.data != *data {
        // A bit that means nothing: the reader takes the one encoding alone.
        return None;
    }
    Some((event, time))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_event_withheld_altered_or_moved_is_named() {
    let world = World::start().await;
    let start = Instant::now();
    let made = history(&world.registry, &world.node.rpc_url(), Chain::Anvil, SEED, EVENTS).await;
    let (audited, log) = read(&world.registry).await;
    let audited = audited.expect("a whole log");
    let kinds = audited.summary.events.len();
    assert!(
        log.len() as u64 >= EVENTS && kinds == Event::COUNT,
        "{} events of {:?}",
        log.len(),
        audited.summary.events
    );
    assert_eq!((log.len() as u64, audited.read, audited.summary.total()), (made, made, made));
    eprintln!(
        "complete: {} logs of {kinds} kinds, {} numbered, {} slots of storage; made and audited in {:.1} s",
        log.len(),
        audited.seq,
        audited.slots,
        start.elapsed().as_secs_f32()
    );
    in_memory(&log, &audited, &world.registry);
    through_a_proxy(&world, &log, &audited).await;
}

fn in_memory(log: &Log, audited: &AuditReport, registry: &Registry) {
    let (numbers, mut random) = (numbers(log), Random(SEED));
    // Cases by the event that they touch: what comes before it is followed once, and no event after
    // it is spared.
    let mut cases: Vec<(usize, usize, usize)> = (0..CASES)
        .map(|case| {
            let at = random.below(log.len());
            (at, case % 3, at + 1 + random.below((log.len() - at).max(2) - 1))
        })
        .collect();
    cases.sort_unstable();
    let mut before = Follower::new(registry.chain_id(), registry.address());
    let (mut taken, mut found, mut no_event) = (0, [0; 3], 0);
    for (at, kind, other) in cases {
        for (event, time) in &log[taken..at] {
            before.take(event, *time).expect("unaltered so far");
        }
        taken = at;
        let result = match kind {
            1 => match altered(&log[at], &mut random) {
                Some(altered) => follow(&before, &[altered], &log[at + 1..], audited),
                None => {
                    // The reader says so, and names it, before anything follows.
                    (no_event, found[1]) = (no_event + 1, found[1] + 1);
                    continue;
                }
            },
            2 if other < log.len() => {
                let mut moved = log[at..=other].to_vec();
                moved.swap(0, other - at);
                follow(&before, &moved, &log[other + 1..], audited)
            }
            _ => follow(&before, &[], &log[at + 1..], audited),
        };
        let Err(error) = result else {
            panic!("not found: seed {SEED:#x}, event {at} {:?}, kind {kind}, {other}", log[at])
        };
        assert_eq!(error.seq(), Some(numbers[at]), "seed {SEED:#x}, event {at}, kind {kind}, {other}: {error}");
        found[if kind == 2 && other >= log.len() { 0 } else { kind }] += 1;
    }
    assert_eq!(found.iter().sum::<usize>(), CASES);
    eprintln!(
        "in memory: {} of {CASES} found and named: {} withheld, {} altered ({no_event} of them no event any more), {} moved",
        found.iter().sum::<usize>(),
        found[0],
        found[1],
        found[2]
    );

    let mut cuts: Vec<usize> = (0..100).map(|_| random.below(log.len())).collect();
    cuts.sort_unstable();
    let mut follower = Follower::new(registry.chain_id(), registry.address());
    let mut taken = 0;
    for cut in &cuts {
        for (event, time) in &log[taken..*cut] {
            follower.take(event, *time).expect("unaltered");
        }
        taken = *cut;
        let error = follower.check_end(audited.proven.block, audited.proven.trail.into()).expect_err("a prefix");
        assert_eq!(error.seq(), Some(numbers[*cut]), "{error}");
    }
    eprintln!("an old prefix served as the whole: {} of {} found and named", cuts.len(), cuts.len());
}

/// What a node does to one log of its answers: which one, by block and index.
fn lie(kind: usize, logs: &mut Vec<Value>, at: (u64, u64)) {
    let number = |value: &Value| u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let place = |log: &Value| (number(&log["blockNumber"]), number(&log["logIndex"]));
    if kind == 4 {
        // The past is served as the whole.
        return logs.retain(|log| place(log) < at);
    }
    let Some(index) = logs.iter().position(|log| place(log) == at) else { return };
    match kind {
        0 => drop(logs.remove(index)),
        1 => {
            let topic = logs[index]["topics"][1].as_str().unwrap();
            let last = if topic.ends_with('0') { "1" } else { "0" };
            logs[index]["topics"][1] = format!("{}{last}", &topic[..topic.len() - 1]).into();
        }
        2 if index + 1 < logs.len() => logs.swap(index, index + 1),
        2 => logs.swap(index - 1, index),
        // A log of no known kind.
        _ => logs[index]["topics"][0] = format!("0x{}", "77".repeat(32)).into(),
    }
}

async fn through_a_proxy(world: &World, log: &Log, audited: &AuditReport) {
    let (numbers, mut random) = (numbers(log), Random(SEED ^ 1));
    let mut named = BTreeSet::new();
    for case in 0..10 {
        let kind = case % 5;
        let at = 1 + random.below(log.len() - 2);
        let place = log[at].0.place;
        let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
            Some("eth_getLogs") => Fault::Alter(Box::new(move |result| {
                lie(kind, result.as_array_mut().unwrap(), (place.block_number, place.log_index));
            })),
            _ => Fault::None,
        });
        let registry =
            Registry::connect(Rpc::new(&url).unwrap(), &world.deployment, Profile::Development).await.unwrap();
        let error = read(&registry).await.0.expect_err("a lie");
        let moved_back = kind == 2 && error.seq() == Some(numbers[at - 1]);
        assert!(error.seq() == Some(numbers[at]) || moved_back, "seed {SEED:#x}, case {case}, event {at}: {error}");
        named.insert(error.to_string().split(' ').skip(2).take(2).collect::<Vec<_>>().join(" "));
    }
    let complete = audited.seq;
    eprintln!(
        "through a proxy: 10 of 10 lies found and named ({named:?}); the same chain without it is complete up to event {complete}"
    );
}
