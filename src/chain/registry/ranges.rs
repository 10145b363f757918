//! Reads logs in ranges of blocks, as long ones as the node answers, within a budget: whatever a
//! node says of its newest block, reading comes to an end.

use crate::chain::error::ChainError;
use crate::chain::rpc::Rpc;
use alloy::rpc::types::{Filter, Log};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Blocks of the first range that is asked for.
const FIRST_RANGE: u64 = 2_000;
/// After fewer logs than this the next range is twice as long, after more than that half as long:
/// this bounds the memory.
const FEW_LOGS: usize = 1_000;
const MANY_LOGS: usize = 4_000;
/// A range that was refused is not asked for again before so many were answered.
const UNTIL_RETRIED: u32 = 64;
/// Default time that reading a log may take.
pub const READ_TIME: Duration = Duration::from_secs(600);
/// Requests for each second of that time.
const REQUESTS_A_SECOND: u64 = 100;
/// Bytes of events that are held at the same time.
const MOST_HELD: usize = 256 << 20;
/// Bytes that an event takes besides its data.
const EVENT_BYTES: usize = 512;

/// How far the reading of a log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The first block that is still to be read.
    pub block: u64,
    /// The last one.
    pub last: u64,
    /// Requests so far.
    pub requests: u64,
    /// Time so far.
    pub since: Duration,
}

/// Is told how far the reading of a log has come, before each request.
pub type ReadObserver = Arc<dyn Fn(&Reading) + Send + Sync>;

/// What the reading of a log may cost, and who is told how far it has come.
#[derive(Clone)]
pub(super) struct ReadRules {
    pub(super) time: Duration,
    pub(super) observer: Option<ReadObserver>,
}

impl Default for ReadRules {
    fn default() -> Self {
        Self { time: READ_TIME, observer: None }
    }
}

impl std::fmt::Debug for ReadRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadRules").field("time", &self.time).finish_non_exhaustive()
    }
}

/// What is left of the requests and the time of one reading, which may be of several ranges.
#[derive(Debug, Clone)]
pub struct ReadBudget {
    rules: ReadRules,
    began: Instant,
    spent: Arc<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    requests: AtomicU64,
    held: AtomicU64,
}

impl ReadBudget {
    pub(super) fn new(rules: ReadRules) -> Self {
        Self { rules, began: Instant::now(), spent: Arc::default() }
    }

    /// Takes one request out of the budget.
    fn ask(&self, block: u64, last: u64) -> Result<(), ChainError> {
        let (requests, since) = (self.spent.requests.fetch_add(1, Ordering::Relaxed), self.began.elapsed());
        if requests >= self.rules.time.as_secs().saturating_mul(REQUESTS_A_SECOND) || since >= self.rules.time {
            return Err(ChainError::OutOfBudget { block, last, requests, secs: since.as_secs() });
        }
        if let Some(observer) = &self.rules.observer {
            observer(&Reading { block, last, requests, since });
        }
        Ok(())
    }

    /// Counts an event that is kept in memory.
    ///
    /// # Errors
    /// [`ChainError::TooLong`] once they are more than any log of ours has.
    pub fn hold(&self, log: &Log) -> Result<(), ChainError> {
        let bytes = (log.data().data.len() + EVENT_BYTES) as u64;
        match self.spent.held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) {
            held if held > MOST_HELD as u64 => Err(ChainError::TooLong { method: "eth_getLogs", limit: MOST_HELD }),
            _ => Ok(()),
        }
    }
}

/// The logs of a range of blocks.
#[derive(Debug)]
pub struct LogRange {
    /// In the node's order, unchecked.
    pub logs: Vec<Log>,
    /// Number of the first block of the range.
    pub from: u64,
    /// Number of its last block.
    pub to: u64,
}

/// The ranges of blocks that are still to be read.
#[derive(Debug, Clone)]
pub struct LogRanges {
    rpc: Rpc,
    filter: Filter,
    budget: ReadBudget,
    /// `None` at the end.
    next: Option<u64>,
    last: u64,
    /// Blocks of the next range.
    blocks: u64,
    /// Most blocks of a range; the node refused more.
    most: u64,
    /// Ranges that were answered since then.
    answered: u32,
}

impl LogRanges {
    /// What `filter` asks for in blocks `first ..= last`; nothing where `last` is smaller.
    pub(super) fn new(rpc: Rpc, filter: Filter, budget: ReadBudget, (first, last): (u64, u64)) -> Self {
        let next = (first <= last).then_some(first);
        Self { rpc, filter, budget, next, last, blocks: FIRST_RANGE, most: u64::MAX, answered: 0 }
    }

    /// The logs of the next range, and the ranges after it; `None` at the end. A range that the
    /// node refuses is halved.
    ///
    /// # Errors
    /// [`ChainError::OutOfBudget`], or the node does not answer.
    pub async fn read(mut self) -> Result<Option<(LogRange, Self)>, ChainError> {
        let Some(from) = self.next else { return Ok(None) };
        loop {
            let to = from.saturating_add(self.blocks - 1).min(self.last);
            self.budget.ask(from, self.last)?;
            match self.rpc.logs(&self.filter.clone().from_block(from).to_block(to)).await {
                Ok(logs) => {
                    self.was_answered(logs.len());
                    self.next = to.checked_add(1).filter(|next| *next <= self.last);
                    return Ok(Some((LogRange { logs, from, to }, self)));
                }
                // What is left may be shorter than the range would be.
                Err(error) if to > from && error.asks_for_too_much() => self.was_refused(to - from + 1),
                Err(error) => return Err(error),
            }
        }
    }

    fn was_answered(&mut self, logs: usize) {
        self.answered += 1;
        if self.answered >= UNTIL_RETRIED {
            (self.answered, self.most) = (0, self.most.saturating_mul(2));
        }
        self.blocks = match logs {
            few if few < FEW_LOGS => self.blocks.saturating_mul(2).min(self.most),
            many if many > MANY_LOGS => self.blocks.div_ceil(2),
            _ => self.blocks,
        };
    }

    fn was_refused(&mut self, blocks: u64) {
        (self.blocks, self.answered) = (blocks.div_ceil(2), 0);
        self.most = self.blocks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(last: u64) -> LogRanges {
        let budget = ReadBudget::new(ReadRules { time: Duration::from_secs(1), observer: None });
        LogRanges::new(Rpc::new("http://127.0.0.1:1").expect("a URL"), Filter::new(), budget, (0, last))
    }

    #[test]
    fn ranges_grow_without_end_and_stop_at_what_was_refused() {
        let mut long = ranges(u64::MAX);
        for _ in 0..80 {
            long.was_answered(0);
        }
        assert_eq!(long.blocks, u64::MAX, "an empty log of any length is 54 requests");
        long.was_refused(4_000);
        for _ in 0..UNTIL_RETRIED - 1 {
            long.was_answered(0);
            assert_eq!(long.blocks, 2_000);
        }
        long.was_answered(0);
        assert_eq!(long.blocks, 4_000, "by then the node may have changed its mind, or the log is thinner");
        long.was_answered(MANY_LOGS + 1);
        assert_eq!(long.blocks, 2_000);
    }

    #[test]
    fn requests_and_bytes_have_an_end() {
        let budget = ranges(9).budget;
        for _ in 0..REQUESTS_A_SECOND {
            budget.ask(0, 9).expect("within the budget");
        }
        let spent = budget.clone().ask(7, 9).expect_err("a copy has the same budget");
        assert!(matches!(spent, ChainError::OutOfBudget { block: 7, last: 9, requests: 100, .. }), "{spent}");
        let log = Log::default();
        for _ in 0..MOST_HELD / EVENT_BYTES {
            budget.hold(&log).expect("within the budget");
        }
        assert!(matches!(budget.hold(&log), Err(ChainError::TooLong { .. })));
    }

    #[tokio::test]
    async fn time_has_an_end() {
        let mut ranges = ranges(9);
        ranges.budget.rules.time = Duration::ZERO;
        let late = ranges.read().await.expect_err("no time");
        assert!(matches!(late, ChainError::OutOfBudget { requests: 0, .. }), "{late}");
    }
}
