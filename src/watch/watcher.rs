//! One round after the other: where the chain stands, whether it took something back, and what is new.

use super::read::{Block, Reading};
use super::{Mark, Memory, News, Note, Tell, WatchError, id};
use crate::audit::{AuditError, Ranges, WINDOW_BLOCKS, headers_to, logs_of, prove};
use crate::chain::ChainError;
use crate::chain::Registry;
use crate::chain::{Profile, Wait};
use crate::contract::EventPlace;
use crate::contract::Trail;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{B256, keccak256};
use alloy::rpc::types::Header;
use std::cell::RefCell;

/// Blocks of a long log are told, and noted, as soon as they have so many events together.
const TOGETHER: usize = 500;

/// With which event a watch begins that remembers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the next one.
    Now,
    /// With the registry's first.
    Beginning,
    /// With the first in this block or after it.
    Since(u64),
}

/// What came of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// All is told up to this block.
    UpTo(Mark),
    /// The chain went on another way meanwhile: there is more to do.
    Moved,
    /// The node has only come as far as block `found`.
    Behind {
        /// Its newest block.
        found: u64,
        /// The newest that was seen.
        expected: u64,
    },
    /// No block is settled as deep as is asked for, or none with the registry.
    TooYoung,
}

/// Follows a registry.
pub struct Watcher<'a> {
    registry: Registry,
    wait: Wait,
    start: Start,
    memory: &'a RefCell<Memory>,
    /// Oldest first; empty before the first round.
    marks: Vec<Mark>,
    tell_from: u64,
}

impl<'a> Watcher<'a> {
    /// Goes on where `memory` stands, or begins with `start`. Events count once they are as deep in the chain as `wait`; on a development
    /// chain, as soon as they are there.
    ///
    /// # Errors
    /// [`WatchError::Memory`], [`WatchError::Damaged`].
    pub fn new(registry: Registry, wait: Wait, start: Start, memory: &'a RefCell<Memory>) -> Result<Self, WatchError> {
        let (marks, tell_from) = memory.borrow().marks()?.unwrap_or_default();
        Ok(Self { registry, wait, start, memory, marks, tell_from })
    }

    /// What the chain is.
    pub fn profile(&self) -> Profile {
        self.registry.profile()
    }

    /// The block up to which everything is told; none before the first round.
    pub fn mark(&self) -> Option<Mark> {
        self.marks.last().copied()
    }

    /// Checks that it is still the chain and the contract that it was.
    ///
    /// # Errors
    /// [`WatchError::ChainReset`], [`ChainError::NoContract`], [`ChainError::WrongContract`], or the node does not answer.
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

    /// Tells what is new, after what the chain took back, and takes note of it.
    ///
    /// # Errors
    /// [`WatchError`]; what was told before it is noted, and the next round goes on from there.
    pub async fn round(&mut self, tell: &mut Tell<'_>) -> Result<Round, WatchError> {
        let Some(target) = self.target().await? else { return Ok(Round::TooYoung) };
        if self.marks.is_empty() {
            self.begin(&target).await?;
        }
        let last = *self.marks.last().expect("at least the first");
        if target.hash == last.hash {
            return Ok(Round::UpTo(last));
        }
        // A chain that is shorter, and otherwise the same, may grow to what it was.
        let shorter = self.marks.iter().any(|mark| mark.hash == target.hash) || target.number < self.marks[0].block;
        if shorter {
            return Ok(Round::Behind { found: target.number, expected: last.block });
        }
        let stands = self.standing(&target).await?;
        if stands != last {
            self.go_back(&stands, tell)?;
        }
        match self.read(&target, tell).await {
            Err(WatchError::Log(AuditError::Moved { .. })) => Ok(Round::Moved),
            Err(WatchError::Log(error)) if !matches!(error, AuditError::Chain(_)) => {
                // A log that was read while the chain changed says nothing about the node.
                match self.hash_of(target.number).await {
                    Ok(hash) if hash != target.hash => Ok(Round::Moved),
                    _ => Err(error.into()),
                }
            }
            done => done.map(|()| Round::UpTo(*self.marks.last().expect("the target"))),
        }
    }

    /// The block up to which events count.
    async fn target(&self) -> Result<Option<Header>, WatchError> {
        let rpc = self.registry.rpc();
        let target = match (self.registry.profile(), self.wait) {
            (Profile::Development, _) | (_, Wait::Mined) => Some(rpc.latest().await?),
            (_, Wait::Safe) => rpc.settled(BlockNumberOrTag::Safe).await?,
            (_, Wait::Finalized) => rpc.settled(BlockNumberOrTag::Finalized).await?,
        };
        Ok(target.filter(|target| target.number >= self.registry.first_block()))
    }

    /// Lays the first mark: a window before the block with which telling begins, so that a reorganisation finds it standing.
    async fn begin(&mut self, target: &Header) -> Result<(), WatchError> {
        let first = self.registry.first_block();
        let before_all = first.saturating_sub(1);
        self.tell_from = match self.start {
            Start::Now => target.number + 1,
            Start::Beginning => first,
            Start::Since(block) => block.max(first),
        };
        let window = target.number.saturating_sub(WINDOW_BLOCKS);
        let block = (self.tell_from - 1).min(window).max(before_all);
        let header = self.registry.rpc().block(BlockNumberOrTag::Number(block)).await?.header;
        let start = Trail::start(self.registry.chain_id(), self.registry.address());
        let mark = match prove(&self.registry, &header).await {
            _ if block == before_all => Mark { block, hash: header.hash, trail: start },
            Ok(proven) => Mark { block, hash: proven.hash, trail: proven.trail },
            // Nodes keep no proofs of old blocks: the whole log leads there as well.
            Err(_) => Mark { block: before_all, hash: self.hash_of(before_all).await?, trail: start },
        };
        self.memory.borrow_mut().begin(&mark, self.tell_from)?;
        self.marks = vec![mark];
        Ok(())
    }

    async fn hash_of(&self, block: u64) -> Result<B256, ChainError> {
        Ok(self.registry.rpc().block(BlockNumberOrTag::Number(block)).await?.header.hash)
    }

    /// The newest mark whose block is in the chain of `target`.
    async fn standing(&self, target: &Header) -> Result<Mark, WatchError> {
        let mut oldest = None;
        for mark in self.marks.iter().rev().filter(|mark| mark.block <= target.number) {
            let found = self.hash_of(mark.block).await?;
            if found == mark.hash {
                return Ok(*mark);
            }
            oldest = Some((mark, found));
        }
        self.check().await?;
        let (mark, found) = oldest.unwrap_or((&self.marks[0], target.hash));
        Err(WatchError::TooDeep { block: mark.block, expected: mark.hash, found })
    }

    fn go_back(&mut self, to: &Mark, tell: &mut Tell<'_>) -> Result<(), WatchError> {
        let mut retractions: Vec<(B256, Note)> = Vec::new();
        let told = self.memory.borrow().told_after(to.block)?;
        for told in told {
            let id = id::of_retraction(told.id);
            let news = News::Retracted { id, retracts: told.id, line: &told.line };
            retractions.push((id, tell(news).map_err(WatchError::Untold)?));
        }
        self.memory.borrow_mut().go_back(to.block, &retractions)?;
        self.marks.retain(|mark| mark.block <= to.block);
        self.tell_from = self.tell_from.min(to.block + 1);
        Ok(())
    }

    async fn read(&mut self, target: &Header, tell: &mut Tell<'_>) -> Result<(), WatchError> {
        let registry = self.registry.clone();
        let after = *self.marks.last().expect("at least the first");
        let settled = target.number.saturating_sub(WINDOW_BLOCKS).max(after.block);
        let mut reading = Reading::after(&registry, &after);
        let mut ranges = Ranges::new(after.block + 1, settled);
        while let Some((range, rest)) = ranges.read(&registry).await? {
            ranges = rest;
            for log in &range.logs {
                reading.take(log, |_| None).await?;
                if let Some(blocks) = reading.let_out(TOGETHER) {
                    self.tell(&blocks, target, tell)?;
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
            reading.take(log, time_of).await?;
        }
        let blocks = reading.end(target, &headers).await?;
        self.tell(&blocks, target, tell)
    }

    /// Tells of blocks, and takes note of it.
    fn tell(&mut self, blocks: &[Block], target: &Header, tell: &mut Tell<'_>) -> Result<(), WatchError> {
        let home = (self.registry.chain_id(), self.registry.address());
        let mut told: Vec<(EventPlace, B256, Note)> = Vec::new();
        for happened in blocks.iter().flat_map(|block| &block.events) {
            let place = happened.event.place;
            if place.block_number < self.tell_from {
                continue;
            }
            let turn = self.memory.borrow().turn(&place)?;
            let id = id::of_event(home, &happened.event, turn);
            told.push((place, id, tell(News::Event { id, happened }).map_err(WatchError::Untold)?));
        }
        let keep_from = target.number.saturating_sub(WINDOW_BLOCKS);
        self.memory.borrow_mut().advance(blocks, &told, keep_from)?;
        self.marks.extend(blocks.iter().map(|block| block.mark));
        let oldest = self.marks.iter().rposition(|mark| mark.block <= keep_from).unwrap_or(0);
        self.marks.drain(..oldest);
        Ok(())
    }
}
