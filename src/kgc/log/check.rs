//! Whether a log is whole: each line against the next, and all of them against the heads that were
//! anchored on chain. Pure.

use alloy::primitives::B256;
use serde::Deserialize;

use super::entry::{Continuation, LogHead};

/// What every line says of its place.
#[derive(Debug, Deserialize)]
struct Place {
    seq: u64,
    prev: B256,
}

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogFault {
    /// A line is not what the next one followed.
    #[error("line {seq} was changed")]
    Changed {
        /// Its number.
        seq: u64,
    },
    /// Lines are missing.
    #[error("lines {from} to {to} are missing")]
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// A line stands there twice.
    #[error("line {seq} stands twice")]
    Twice {
        /// Its number.
        seq: u64,
    },
    /// A line stands elsewhere than its number says.
    #[error("line {seq} stands in place {place}")]
    Moved {
        /// Its number.
        seq: u64,
        /// Where it stands.
        place: u64,
    },
    /// A line is not one of a log.
    #[error("line {place} is not a log's")]
    NotALine {
        /// Where it stands.
        place: u64,
    },
    /// The log ends before an anchored head.
    #[error("the log ends with line {found}, line {expected} was anchored")]
    Short {
        /// As many were anchored.
        expected: u64,
        /// As many are there.
        found: u64,
    },
    /// The head after a line is not the one that was anchored, and the lines agree among
    /// themselves: all of them after the anchor before may have been written anew.
    #[error("the head after line {seq} is {found}, {expected} was anchored: lines {from} to {seq} are not those")]
    Head {
        /// The first line that may differ.
        from: u64,
        /// The line that was anchored.
        seq: u64,
        /// The head that was anchored.
        expected: B256,
        /// The head here.
        found: B256,
    },
}

/// What a log holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCheck {
    /// Its last head.
    pub head: LogHead,
    /// How many of the anchored heads are its own.
    pub anchors: usize,
    /// What is wrong, in the order of the lines; nothing for a log that is whole.
    pub faults: Vec<LogFault>,
}

/// Checks the text of a log against the heads that were anchored, in ascending order.
pub fn check_log(text: &[u8], anchors: &[LogHead]) -> LogCheck {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    // What follows the last line feed was never answered for.
    lines.pop();
    let mut faults = Vec::new();
    let mut head = LogHead::EMPTY;
    // The heads after each place, for the anchors.
    let mut heads = Vec::with_capacity(lines.len() + 1);
    if let Some(first) = lines.first() {
        head = Continuation::before(first);
    }
    heads.push(head);
    let mut last_changed = None;
    for (index, line) in lines.iter().enumerate() {
        let place = head.seq + 1;
        let is_first = index == 0 && Continuation::is_one(line);
        match serde_json::from_slice::<Place>(line) {
            _ if is_first => {}
            Err(_) => faults.push(LogFault::NotALine { place }),
            Ok(found) => {
                if let Some(fault) = out_of_place(&found, place, &lines[..index], line) {
                    faults.push(fault);
                    head.seq = found.seq.max(1) - 1;
                } else if found.prev != head.head {
                    // The line before was changed; or this one, if the next does not follow it
                    // either, which that one's turn shows.
                    if last_changed == Some(place.saturating_sub(2)) {
                        faults.pop();
                    }
                    faults.push(LogFault::Changed { seq: place - 1 });
                    last_changed = Some(place - 1);
                }
                // From here on the lines are taken by their own word, so that one fault is one.
                head.head = found.prev;
            }
        }
        head = head.after(line);
        heads.push(head);
    }
    let own = |anchor: &&LogHead| heads.contains(anchor);
    let good = anchors.iter().filter(own).count();
    if let Some(last) = anchors.last().filter(|last| last.seq > head.seq) {
        faults.push(LogFault::Short { expected: last.seq, found: head.seq });
    }
    if faults.is_empty() {
        let mut from = heads[0].seq + 1;
        for anchor in anchors {
            match heads.iter().find(|head| head.seq == anchor.seq) {
                Some(found) if found.head != anchor.head => {
                    let (expected, found) = (anchor.head, found.head);
                    faults.push(LogFault::Head { from, seq: anchor.seq, expected, found });
                    break;
                }
                _ => from = anchor.seq + 1,
            }
        }
    }
    LogCheck { head, anchors: good, faults }
}

fn out_of_place(found: &Place, place: u64, before: &[&[u8]], line: &[u8]) -> Option<LogFault> {
    let seq = found.seq;
    if seq == place {
        return None;
    }
    Some(match seq > place {
        true if before.last().is_none_or(|last| of(last) < seq) => LogFault::Missing { from: place, to: seq - 1 },
        _ if before.contains(&line) => LogFault::Twice { seq },
        _ => LogFault::Moved { seq, place },
    })
}

/// The number of a line; 0 for what is none.
fn of(line: &[u8]) -> u64 {
    serde_json::from_slice::<Place>(line).map_or(0, |place| place.seq)
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Line, LogEntry};
    use super::*;
    use crate::kgc::BootId;

    /// A log of so many lines, and the head after each.
    fn log(count: u64) -> (Vec<Vec<u8>>, Vec<LogHead>) {
        let (mut lines, mut heads, mut head) = (Vec::new(), vec![LogHead::EMPTY], LogHead::EMPTY);
        for at in 0..count {
            let entry = LogEntry::Stopped { at: 1000 + at, boot: BootId::repeat_byte(7) };
            let line = Line { seq: head.seq + 1, prev: head.head, salt: format!("{at:032x}"), entry: &entry };
            let line = serde_json::to_vec(&line).expect("JSON");
            head = head.after(&line);
            lines.push(line);
            heads.push(head);
        }
        (lines, heads)
    }

    fn check(lines: &[Vec<u8>], anchors: &[LogHead]) -> Vec<LogFault> {
        let text: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        check_log(&text, anchors).faults
    }

    #[test]
    fn a_whole_log_is_whole() {
        let (lines, heads) = log(40);
        let text: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        let anchors = [heads[10], heads[30]];
        let whole = check_log(&text, &anchors);
        assert_eq!(whole, LogCheck { head: heads[40], anchors: 2, faults: vec![] });
        let torn = check_log(&[&text[..], b"{\"seq\":41"].concat(), &anchors);
        assert_eq!(torn, whole);
        assert_eq!(check_log(b"", &[]), LogCheck { head: LogHead::EMPTY, anchors: 0, faults: vec![] });
    }

    #[test]
    fn any_line_that_is_changed_cut_doubled_or_moved_is_named() {
        let (lines, heads) = log(40);
        let anchors = [heads[20], heads[40]];
        let mut cases = 0;
        for at in 0..39_usize {
            let seq = at as u64 + 1;
            let mut changed = lines.clone();
            let text = String::from_utf8(changed[at].clone()).expect("text");
            changed[at] = text.replace(&format!("\"at\":{}", 1000 + at), "\"at\":5").into_bytes();
            assert_ne!(changed[at], lines[at]);
            assert_eq!(check(&changed, &anchors), [LogFault::Changed { seq }]);

            let mut cut = lines.clone();
            cut.remove(at);
            assert_eq!(check(&cut, &anchors)[0], LogFault::Missing { from: seq, to: seq });

            let mut doubled = lines.clone();
            doubled.insert(at, lines[at].clone());
            assert_eq!(check(&doubled, &anchors)[0], LogFault::Twice { seq });

            for to in (0..39).filter(|to| *to != at) {
                let mut moved = lines.clone();
                let line = moved.remove(at);
                moved.insert(to, line);
                let faults = check(&moved, &anchors);
                let names = |fault: &LogFault| match *fault {
                    LogFault::Moved { seq: found, .. } => found == seq,
                    LogFault::Missing { from, to } => (from..=to).contains(&seq),
                    _ => false,
                };
                // Two neighbours that change places are either's move.
                assert!(faults.iter().any(names) || at.abs_diff(to) == 1 && !faults.is_empty(), "{at} {to} {faults:?}");
                cases += 1;
            }
            cases += 3;
        }
        assert_eq!(cases, 39 * 41);
    }

    #[test]
    fn the_chain_knows_what_the_lines_do_not() {
        let (lines, heads) = log(40);
        // The end is gone, or written anew.
        assert_eq!(check(&lines[..35], &[heads[20], heads[40]]), [LogFault::Short { expected: 40, found: 35 }]);
        let (mut other, _) = log(20);
        let mut head = heads[20];
        for at in 20..40 {
            let entry = LogEntry::Stopped { at, boot: BootId::ZERO };
            let line = Line { seq: head.seq + 1, prev: head.head, salt: String::new(), entry: &entry };
            let line = serde_json::to_vec(&line).expect("JSON");
            head = head.after(&line);
            other.push(line);
        }
        let faults = check(&other, &[heads[20], heads[40]]);
        let expected = LogFault::Head { from: 21, seq: 40, expected: heads[40].head, found: head.head };
        assert_eq!(faults, [expected]);
        assert_eq!(check(&other, &[heads[20]]), [], "what no anchor covers, only receipts show");
    }

    #[test]
    fn what_is_no_line_is_said_to_be_none() {
        let (mut lines, _) = log(3);
        lines[1] = b"not JSON".to_vec();
        assert_eq!(check(&lines, &[])[0], LogFault::NotALine { place: 2 });
    }
}
