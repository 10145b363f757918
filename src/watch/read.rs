//! Reads the registry's events after a position, block by block. A block counts as complete once no
//! event of it can be missing: the next event's trail follows from its last one, or the contract's
//! own audit head does.

use super::{Position, TimedEvent};
use crate::audit::{AuditError, Follower};
use crate::chain::{BlockTimes, Registry};
use crate::contract::Trail;
use crate::contract::decode;
use alloy::primitives::B256;
use alloy::rpc::types::{Header, Log};

/// A block and the registry's events in it.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) position: Position,
    pub(super) events: Vec<TimedEvent>,
}

/// Reads the events after a position.
pub(super) struct LogReader<'a> {
    registry: &'a Registry,
    follower: Follower,
    /// The audit trail after the last block that [`LogReader::take_complete`] returned.
    before: Trail,
    /// The block whose events are being read.
    open: Option<Block>,
    /// Blocks of which no event can be missing, oldest first.
    complete: Vec<Block>,
    events: usize,
    times: BlockTimes,
}

impl<'a> LogReader<'a> {
    pub(super) fn after(registry: &'a Registry, position: &Position) -> Self {
        Self {
            registry,
            follower: Follower::after(registry.chain_id(), registry.address(), position.trail),
            before: position.trail,
            open: None,
            complete: Vec::new(),
            events: 0,
            times: BlockTimes::default(),
        }
    }

    /// Takes the next log; `time_of` returns the time of a block by its hash, where it is known.
    pub(super) async fn take(&mut self, log: &Log, time_of: impl Fn(B256) -> Option<u64>) -> Result<(), AuditError> {
        let seq = self.follower.trail().seq() + 1;
        let event = decode(self.registry.address(), log)
            .map_err(|error| AuditError::unreadable(seq, log.block_number.unwrap_or_default(), error))?;
        let (block, hash) = (event.place.block_number, event.place.block_hash);
        let next = self.open.as_ref().is_none_or(|open| open.position.hash != hash);
        let closed = if next { self.follower.end(block)? } else { self.follower.trail() };
        let time = match time_of(hash) {
            Some(time) => time,
            None => self.times.of(self.registry, log, &event.place).await?,
        };
        self.follower.take(&event, time)?;
        if next {
            // This event follows from all before it, so none before it is missing.
            self.close(closed);
            let position = Position { block, hash, trail: self.follower.trail() };
            self.open = Some(Block { position, events: Vec::new() });
        }
        let open = self.open.as_mut().expect("made above");
        open.events.push(TimedEvent { event, time, seq });
        self.events += 1;
        Ok(())
    }

    fn close(&mut self, trail: Trail) {
        if let Some(mut open) = self.open.take() {
            open.position.trail = trail;
            self.complete.push(open);
        }
    }

    /// The complete blocks, once at least `at_least` events were read.
    pub(super) fn take_complete(&mut self, at_least: usize) -> Option<Vec<Block>> {
        if self.events < at_least || self.complete.is_empty() {
            return None;
        }
        self.events = self.open.as_ref().map_or(0, |open| open.events.len());
        self.before = self.complete.last().map_or(self.before, |block| block.position.trail);
        Some(std::mem::take(&mut self.complete))
    }

    /// The remaining blocks, after a check that the contract's audit head in block `target` is that
    /// of the last event. The blocks of `headers` are among them, though some have no events.
    pub(super) async fn end(mut self, target: &Header, headers: &[Header]) -> Result<Vec<Block>, AuditError> {
        // A batch whose event is missing is found here, before the contract is asked.
        self.follower.end(target.number)?;
        let trail = self.follower.check_end(target.number, self.registry.audit_in(target.hash).await?)?;
        self.close(trail);
        Ok(self.with_headers(headers))
    }

    /// The complete blocks, and the blocks of `headers` between and after them, oldest first.
    fn with_headers(self, headers: &[Header]) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut complete = self.complete.into_iter().peekable();
        let mut trail = None;
        for header in headers {
            while let Some(block) = complete.next_if(|block| block.position.block <= header.number) {
                trail = Some(block.position.trail);
                blocks.push(block);
            }
            if blocks.last().is_some_and(|last| last.position.block == header.number) {
                continue;
            }
            // Before the first event the trail is still the one that reading began with.
            let trail = trail.unwrap_or(self.before);
            blocks.push(Block {
                position: Position { block: header.number, hash: header.hash, trail },
                events: Vec::new(),
            });
        }
        blocks.extend(complete);
        blocks
    }
}
