//! One round of the watch: find the newest block, retract events of blocks that the chain dropped,
//! report new events.

use super::read::{Block, LogReader};
use super::{Memory, Message, Notification, Position, Reporter, WatchError, id};
use crate::audit::{AuditError, WINDOW_BLOCKS, headers_to, log_ranges, logs_of, prove};
use crate::chain::ChainError;
use crate::chain::Registry;
use crate::chain::{Profile, Wait};
use crate::contract::EventPlace;
use crate::contract::Trail;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{B256, keccak256};
use alloy::rpc::types::Header;
use std::cell::RefCell;

/// While it reads a long log, the watcher reports and stores blocks whenever they hold this many
/// events together.
const MIN_EVENTS: usize = 500;

/// Where a watch with an empty memory begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the next event.
    Now,
    /// With the registry's first event.
    Beginning,
    /// With the first event in this block or after it.
    Since(u64),
}

/// The result of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Every event up to this position is reported.
    UpTo(Position),
    /// The chain was reorganised during the round: run another one.
    Moved,
    /// The node is behind what it had shown before.
    Behind {
        /// Number of its newest block.
        found: u64,
        /// Number of the newest block that was seen before.
        expected: u64,
    },
    /// The registry is not in a `safe` or `finalized` block yet, whichever is asked for.
    TooYoung,
}

/// Reports the events of a registry, round by round.
pub struct Watcher<'a> {
    registry: Registry,
    wait: Wait,
    start: Start,
    memory: &'a RefCell<Memory>,
    /// Oldest first; empty before the first round.
    positions: Vec<Position>,
    report_from: u64,
}

impl<'a> Watcher<'a> {
    /// Continues after the last position in `memory`, or begins at `start`. Events are reported
    /// once their block is as `wait` asks (mined, `safe` or `finalized`); on a development chain,
    /// as soon as they are mined.
    ///
    /// # Errors
    /// [`WatchError::Memory`], [`WatchError::Damaged`].
    pub fn new(registry: Registry, wait: Wait, start: Start, memory: &'a RefCell<Memory>) -> Result<Self, WatchError> {
        let (positions, report_from) = memory.borrow().positions()?.unwrap_or_default();
        Ok(Self { registry, wait, start, memory, positions, report_from })
    }

    /// Whether it is a development chain or a network.
    pub fn profile(&self) -> Profile {
        self.registry.profile()
    }

    /// The position up to which every event is reported; `None` before the first round.
    pub fn position(&self) -> Option<Position> {
        self.positions.last().copied()
    }

    /// Checks that the node still serves the same chain with the same contract.
    ///
    /// # Errors
    /// [`WatchError::ChainReset`], [`ChainError::NoContract`], [`ChainError::WrongContract`], or
    /// the node does not answer.
    pub async fn check(&self) -> Result<(), WatchError> {
        let (rpc, address, chain_id) = (self.registry.rpc(), self.registry.address(), self.registry.chain_id());
        rpc.check_chain_id(chain_id).await?;
        let genesis = rpc.genesis().await?;
        self.memory.borrow().check_genesis(genesis)?;
        let code = rpc.code(address).await?;
        if code.is_empty() {
            return Err(ChainError::NoContract { address, chain_id }.into());
        }
        let (expected, found) = (self.registry.code_hash(), keccak256(&code));
        if expected != found {
            return Err(ChainError::WrongContract { address, expected, found }.into());
        }
        Ok(())
    }

    /// Retracts what the chain dropped, then reports what is new, and stores both.
    ///
    /// # Errors
    /// [`WatchError`]; what was reported before the error is stored, and the next round continues
    /// after it.
    pub async fn round(&mut self, report: &mut Reporter<'_>) -> Result<Round, WatchError> {
        let Some(target) = self.target().await? else { return Ok(Round::TooYoung) };
        if self.positions.is_empty() {
            self.begin(&target).await?;
        }
        let last = *self.positions.last().expect("at least the first");
        if target.hash == last.hash {
            return Ok(Round::UpTo(last));
        }
        // The same chain, only shorter: the node may still catch up.
        let shorter = self.positions.iter().any(|position| position.hash == target.hash)
            || target.number < self.positions[0].block;
        if shorter {
            return Ok(Round::Behind { found: target.number, expected: last.block });
        }
        let common = self.common_position(&target).await?;
        if common != last {
            self.go_back(&common, report)?;
        }
        match self.read(&target, report).await {
            Err(WatchError::Log(AuditError::Moved { .. })) => Ok(Round::Moved),
            Err(WatchError::Log(error)) if !matches!(error, AuditError::Chain(_)) => {
                // A log that was read while the chain changed says nothing about the node.
                match self.hash_of(target.number).await {
                    Ok(hash) if hash != target.hash => Ok(Round::Moved),
                    _ => Err(error.into()),
                }
            }
            done => done.map(|()| Round::UpTo(*self.positions.last().expect("the target"))),
        }
    }

    /// The newest block whose events may be reported; `None` where the registry is not in one yet.
    async fn target(&self) -> Result<Option<Header>, WatchError> {
        let rpc = self.registry.rpc();
        let target = match (self.registry.profile(), self.wait) {
            (Profile::Development, _) | (_, Wait::Mined) => Some(rpc.latest().await?),
            (_, Wait::Safe) => rpc.settled(BlockNumberOrTag::Safe).await?,
            (_, Wait::Finalized) => rpc.settled(BlockNumberOrTag::Finalized).await?,
        };
        target.iter().try_for_each(|target| self.registry.check_reach(target))?;
        Ok(target.filter(|target| target.number >= self.registry.first_block()))
    }

    /// Stores the first position, [`WINDOW_BLOCKS`] before the newest block, so that a
    /// reorganisation does not drop it.
    async fn begin(&mut self, target: &Header) -> Result<(), WatchError> {
        let first = self.registry.first_block();
        let before_all = first.saturating_sub(1);
        self.report_from = match self.start {
            Start::Now => target.number + 1,
            Start::Beginning => first,
            Start::Since(block) => block.max(first),
        };
        let window = target.number.saturating_sub(WINDOW_BLOCKS);
        let block = self.report_from.saturating_sub(1).min(window).max(before_all);
        let header = self.registry.rpc().block(BlockNumberOrTag::Number(block)).await?.header;
        let start = Trail::start(self.registry.chain_id(), self.registry.address());
        let position = match prove(&self.registry, &header).await {
            _ if block == before_all => Position { block, hash: header.hash, trail: start },
            Ok(proven) => Position { block, hash: proven.hash, trail: proven.trail },
            // Nodes give no proofs for old blocks: read the log from the registry's first event
            // instead.
            Err(_) => Position { block: before_all, hash: self.hash_of(before_all).await?, trail: start },
        };
        self.memory.borrow_mut().begin(&position, self.report_from)?;
        self.positions = vec![position];
        Ok(())
    }

    async fn hash_of(&self, block: u64) -> Result<B256, ChainError> {
        Ok(self.registry.rpc().block(BlockNumberOrTag::Number(block)).await?.header.hash)
    }

    /// The newest position whose block is still in the chain of `target`.
    async fn common_position(&self, target: &Header) -> Result<Position, WatchError> {
        let mut oldest = None;
        for position in self.positions.iter().rev().filter(|position| position.block <= target.number) {
            let found = self.hash_of(position.block).await?;
            if found == position.hash {
                return Ok(*position);
            }
            oldest = Some((position, found));
        }
        self.check().await?;
        let (position, found) = oldest.unwrap_or((&self.positions[0], target.hash));
        Err(WatchError::TooDeep { block: position.block, expected: position.hash, found })
    }

    fn go_back(&mut self, to: &Position, report: &mut Reporter<'_>) -> Result<(), WatchError> {
        let mut retractions: Vec<(B256, Message)> = Vec::new();
        let reported = self.memory.borrow().reported_after(to.block)?;
        for reported in reported {
            let id = id::of_retraction(reported.id);
            let notification = Notification::Retracted { id, retracts: reported.id, line: &reported.line };
            retractions.push((id, report(notification).map_err(WatchError::Untold)?));
        }
        self.memory.borrow_mut().go_back(to.block, &retractions)?;
        self.positions.retain(|position| position.block <= to.block);
        self.report_from = self.report_from.min(to.block + 1);
        Ok(())
    }

    async fn read(&mut self, target: &Header, report: &mut Reporter<'_>) -> Result<(), WatchError> {
        let registry = self.registry.clone();
        let after = *self.positions.last().expect("at least the first");
        let settled = target.number.saturating_sub(WINDOW_BLOCKS).max(after.block);
        let mut reader = LogReader::after(&registry, &after);
        let mut ranges = log_ranges(&registry, &registry.read_budget(), after.block + 1, settled);
        while let Some((range, rest)) = ranges.read().await? {
            ranges = rest;
            for log in &range.logs {
                reader.take(log, |_| None).await?;
                if let Some(blocks) = reader.take_complete(MIN_EVENTS) {
                    self.report(&blocks, target, report)?;
                }
            }
        }
        let headers = headers_to(&registry, settled + 1, target).await?;
        let parent = headers.first().map(|first| first.parent_hash);
        if settled == after.block && parent != Some(after.hash) {
            return Err(AuditError::Moved { block: target.number, expected: target.hash }.into());
        }
        let time_of = |hash| headers.iter().find(|header| header.hash == hash).map(|header| header.timestamp);
        for log in &logs_of(&registry, &headers).await? {
            reader.take(log, time_of).await?;
        }
        let blocks = reader.end(target, &headers).await?;
        self.report(&blocks, target, report)
    }

    /// Reports the events of these blocks, and stores that they are reported.
    fn report(&mut self, blocks: &[Block], target: &Header, report: &mut Reporter<'_>) -> Result<(), WatchError> {
        let home = (self.registry.chain_id(), self.registry.address());
        let mut reported: Vec<(EventPlace, B256, Message)> = Vec::new();
        for timed in blocks.iter().flat_map(|block| &block.events) {
            let place = timed.event.place;
            if place.block_number < self.report_from {
                continue;
            }
            let times_retracted = self.memory.borrow().times_retracted(&place)?;
            let id = id::of_event(home, &timed.event, times_retracted);
            reported.push((place, id, report(Notification::Event { id, timed }).map_err(WatchError::Untold)?));
        }
        let keep_from = target.number.saturating_sub(WINDOW_BLOCKS);
        self.memory.borrow_mut().advance(blocks, &reported, keep_from)?;
        self.positions.extend(blocks.iter().map(|block| block.position));
        let oldest = self.positions.iter().rposition(|position| position.block <= keep_from).unwrap_or(0);
        self.positions.drain(..oldest);
        Ok(())
    }
}
