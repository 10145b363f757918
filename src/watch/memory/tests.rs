use super::*;
use crate::notify::Mailbox;
use crate::watch::id;

const HOME: (u64, Address) = (31337, Address::repeat_byte(7));
const GENESIS: B256 = B256::repeat_byte(9);

fn position(block: u8) -> Position {
    Position { block: block.into(), hash: B256::repeat_byte(block), trail: Trail::from(B256::repeat_byte(block)) }
}

fn empty(block: u8) -> Block {
    Block { position: position(block), events: Vec::new() }
}

fn reported(block: u8, index: u64) -> (EventPlace, B256, Message) {
    let hash = B256::repeat_byte(block);
    let place = EventPlace { block_number: block.into(), block_hash: hash, transaction: hash, log_index: index };
    let message = Message { line: format!("{block}.{index}"), recipients: vec!["webhook"] };
    (place, B256::from(alloy::primitives::U256::from(u64::from(block) * 100 + index)), message)
}

fn blocks(memory: &Memory) -> Vec<u64> {
    memory.positions().expect("read").expect("begun").0.iter().map(|position| position.block).collect()
}

#[test]
fn what_is_noted_is_there_after_it_was_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("memory.sqlite");
    let mut memory = Memory::open(&path, HOME, GENESIS).expect("made");
    assert!(memory.positions().expect("read").is_none());
    memory.begin(&position(1), 2).expect("begun");
    memory.advance(&[empty(2), empty(3)], &[reported(2, 0), reported(3, 1)], 0).expect("noted");
    assert!(matches!(Memory::open(&path, HOME, GENESIS), Err(WatchError::Busy { .. })));
    drop(memory);
    let other = Memory::open(&path, HOME, B256::ZERO).expect_err("another chain");
    assert!(matches!(other, WatchError::ChainReset { expected: GENESIS, found: B256::ZERO, .. }), "{other}");
    assert!(matches!(Memory::open(&path, (1, HOME.1), GENESIS), Err(WatchError::Damaged { .. })));
    let memory = Memory::open(&path, HOME, GENESIS).expect("there");
    assert_eq!(memory.positions().expect("read"), Some((vec![position(1), position(2), position(3)], 2)));
    let waiting = memory.next_delivery("webhook").expect("read").expect("one");
    assert_eq!((waiting.body.as_str(), waiting.tries), ("2.0", 0));
    assert_eq!(memory.delivery_counts().expect("read"), DeliveryCounts { waiting: 2, dead: 0 });
}

#[test]
fn one_mark_before_the_window_is_kept_and_what_was_told_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut memory = Memory::open(&folder.path().join("memory.sqlite"), HOME, GENESIS).expect("made");
    memory.begin(&position(1), 2).expect("begun");
    memory
        .advance(&[empty(2), empty(5), empty(9)], &[reported(2, 0), reported(5, 0), reported(9, 0)], 5)
        .expect("noted");
    assert_eq!(blocks(&memory), [5, 9]);
    memory.advance(&[empty(10)], &[reported(10, 0)], 8).expect("noted");
    assert_eq!(blocks(&memory), [5, 9, 10]);
    let lines: Vec<String> =
        memory.reported_after(5).expect("read").into_iter().map(|reported| reported.line).collect();
    assert_eq!(lines, ["10.0", "9.0"]);
}

#[test]
fn going_back_counts_what_was_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut memory = Memory::open(&folder.path().join("memory.sqlite"), HOME, GENESIS).expect("made");
    memory.begin(&position(1), 9).expect("begun");
    for round in 1..=2 {
        memory.advance(&[empty(2), empty(3)], &[reported(2, 0), reported(3, 1)], 0).expect("noted");
        let retraction = (id::of_retraction(reported(3, 1).1), reported(3, 1).2);
        memory.go_back(2, &[retraction]).expect("gone back");
        assert_eq!(blocks(&memory), [1, 2]);
        assert_eq!(memory.times_retracted(&reported(3, 1).0).expect("read"), round);
        assert_eq!(memory.times_retracted(&reported(2, 0).0).expect("read"), round - 1);
        memory.go_back(1, &[]).expect("gone back");
    }
    // What stands after the block to which it went back is reported, though the watch had begun
    // after it.
    assert_eq!(memory.positions().expect("read").expect("begun").1, 2);
    assert_eq!(memory.delivery_counts().expect("read").waiting, 6);
}

#[test]
fn deliveries_go_out_in_order_until_they_are_taken_or_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut memory = Memory::open(&folder.path().join("memory.sqlite"), HOME, GENESIS).expect("made");
    memory.begin(&position(1), 2).expect("begun");
    memory.advance(&[empty(2)], &[reported(2, 0), reported(2, 1), reported(2, 2)], 0).expect("noted");
    let next = |memory: &Memory| memory.next_delivery("webhook").expect("read").map(|next| (next.body, next.tries));
    assert_eq!(memory.next_delivery("command").expect("read"), None);
    let first = memory.next_delivery("webhook").expect("read").expect("one");
    memory.not_delivered(&first, "away", false).expect("noted");
    assert_eq!(next(&memory), Some(("2.0".to_owned(), 1)), "the order stays");
    memory.not_delivered(&first, "refused", true).expect("noted");
    assert_eq!(next(&memory), Some(("2.1".to_owned(), 0)));
    memory.delivered(&memory.next_delivery("webhook").expect("read").expect("one")).expect("noted");
    assert_eq!(memory.delivery_counts().expect("read"), DeliveryCounts { waiting: 1, dead: 1 });
    memory.forget().expect("forgotten");
    assert_eq!(memory.delivery_counts().expect("read"), DeliveryCounts { waiting: 1, dead: 1 }, "what waits is kept");
    assert_eq!(memory.revive().expect("noted"), 1);
    assert_eq!(next(&memory), Some(("2.0".to_owned(), 0)));
}
