use super::*;
use crate::watch::id;

const HOME: (u64, Address) = (31337, Address::repeat_byte(7));
const GENESIS: B256 = B256::repeat_byte(9);

fn mark(block: u8) -> Mark {
    Mark { block: block.into(), hash: B256::repeat_byte(block), trail: Trail::from(B256::repeat_byte(block)) }
}

fn empty(block: u8) -> Block {
    Block { mark: mark(block), events: Vec::new() }
}

fn told(block: u8, index: u64) -> (EventPlace, B256, Note) {
    let hash = B256::repeat_byte(block);
    let place = EventPlace { block_number: block.into(), block_hash: hash, transaction: hash, log_index: index };
    let note = Note { line: format!("{block}.{index}"), to: vec!["webhook"] };
    (place, B256::from(alloy::primitives::U256::from(u64::from(block) * 100 + index)), note)
}

fn blocks(memory: &Memory) -> Vec<u64> {
    memory.marks().expect("read").expect("begun").0.iter().map(|mark| mark.block).collect()
}

#[test]
fn what_is_noted_is_there_after_it_was_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("memory.sqlite");
    let mut memory = Memory::open(&path, HOME, GENESIS).expect("made");
    assert!(memory.marks().expect("read").is_none());
    memory.begin(&mark(1), 2).expect("begun");
    memory.advance(&[empty(2), empty(3)], &[told(2, 0), told(3, 1)], 0).expect("noted");
    assert!(matches!(Memory::open(&path, HOME, GENESIS), Err(WatchError::Busy { .. })));
    drop(memory);
    let other = Memory::open(&path, HOME, B256::ZERO).expect_err("another chain");
    assert!(matches!(other, WatchError::ChainReset { expected: GENESIS, found: B256::ZERO, .. }), "{other}");
    assert!(matches!(Memory::open(&path, (1, HOME.1), GENESIS), Err(WatchError::Damaged { .. })));
    let memory = Memory::open(&path, HOME, GENESIS).expect("there");
    assert_eq!(memory.marks().expect("read"), Some((vec![mark(1), mark(2), mark(3)], 2)));
    let waiting = memory.next_delivery("webhook").expect("read").expect("one");
    assert_eq!((waiting.body.as_str(), waiting.tries), ("2.0", 0));
    assert_eq!(memory.standing().expect("read"), Standing { waiting: 2, dead: 0 });
}

#[test]
fn one_mark_before_the_window_is_kept_and_what_was_told_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut memory = Memory::open(&folder.path().join("memory.sqlite"), HOME, GENESIS).expect("made");
    memory.begin(&mark(1), 2).expect("begun");
    memory.advance(&[empty(2), empty(5), empty(9)], &[told(2, 0), told(5, 0), told(9, 0)], 5).expect("noted");
    assert_eq!(blocks(&memory), [5, 9]);
    memory.advance(&[empty(10)], &[told(10, 0)], 8).expect("noted");
    assert_eq!(blocks(&memory), [5, 9, 10]);
    let lines: Vec<String> = memory.told_after(5).expect("read").into_iter().map(|told| told.line).collect();
    assert_eq!(lines, ["10.0", "9.0"]);
}

#[test]
fn going_back_counts_what_was_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut memory = Memory::open(&folder.path().join("memory.sqlite"), HOME, GENESIS).expect("made");
    memory.begin(&mark(1), 9).expect("begun");
    for round in 1..=2 {
        memory.advance(&[empty(2), empty(3)], &[told(2, 0), told(3, 1)], 0).expect("noted");
        let retraction = (id::of_retraction(told(3, 1).1), told(3, 1).2);
        memory.go_back(2, &[retraction]).expect("gone back");
        assert_eq!(blocks(&memory), [1, 2]);
        assert_eq!(memory.turn(&told(3, 1).0).expect("read"), round);
        assert_eq!(memory.turn(&told(2, 0).0).expect("read"), round - 1);
        memory.go_back(1, &[]).expect("gone back");
    }
    // What stands after the block to which it went back is told, though the watch had begun after it.
    assert_eq!(memory.marks().expect("read").expect("begun").1, 2);
    assert_eq!(memory.standing().expect("read").waiting, 6);
}

#[test]
fn deliveries_go_out_in_order_until_they_are_taken_or_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut memory = Memory::open(&folder.path().join("memory.sqlite"), HOME, GENESIS).expect("made");
    memory.begin(&mark(1), 2).expect("begun");
    memory.advance(&[empty(2)], &[told(2, 0), told(2, 1), told(2, 2)], 0).expect("noted");
    let next = |memory: &Memory| memory.next_delivery("webhook").expect("read").map(|next| (next.body, next.tries));
    assert_eq!(memory.next_delivery("command").expect("read"), None);
    let first = memory.next_delivery("webhook").expect("read").expect("one");
    memory.not_delivered(&first, "away", false).expect("noted");
    assert_eq!(next(&memory), Some(("2.0".to_owned(), 1)), "the order stays");
    memory.not_delivered(&first, "refused", true).expect("noted");
    assert_eq!(next(&memory), Some(("2.1".to_owned(), 0)));
    memory.delivered(&memory.next_delivery("webhook").expect("read").expect("one")).expect("noted");
    assert_eq!(memory.standing().expect("read"), Standing { waiting: 1, dead: 1 });
    memory.forget().expect("forgotten");
    assert_eq!(memory.standing().expect("read"), Standing { waiting: 1, dead: 1 }, "what waits is kept");
    assert_eq!(memory.revive().expect("noted"), 1);
    assert_eq!(next(&memory), Some(("2.0".to_owned(), 0)));
}
