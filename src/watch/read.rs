//! The log after a mark, block by block. A block is let out only once nothing can be missing from it: the event after it follows from its
//! last one, or the contract's own word does.

use super::{Happened, Mark};
use crate::audit::{AuditError, Follower};
use crate::chain::{BlockTimes, Registry};
use crate::contract::Trail;
use crate::contract::decode;
use alloy::primitives::B256;
use alloy::rpc::types::{Header, Log};

/// A block, and what happened in it.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) mark: Mark,
    pub(super) events: Vec<Happened>,
}

/// Follows the log from a mark on.
pub(super) struct Reading<'a> {
    registry: &'a Registry,
    follower: Follower,
    /// The word after the last block that was let out.
    before: Trail,
    /// The block that is being read.
    open: Option<Block>,
    /// Those that are whole.
    whole: Vec<Block>,
    events: usize,
    times: BlockTimes,
}

impl<'a> Reading<'a> {
    pub(super) fn after(registry: &'a Registry, mark: &Mark) -> Self {
        Self {
            registry,
            follower: Follower::after(registry.chain_id(), registry.address(), mark.trail),
            before: mark.trail,
            open: None,
            whole: Vec::new(),
            events: 0,
            times: BlockTimes::default(),
        }
    }

    /// Takes the next log; `time_of` knows the times of blocks that the logs do not say.
    pub(super) async fn take(&mut self, log: &Log, time_of: impl Fn(B256) -> Option<u64>) -> Result<(), AuditError> {
        let seq = self.follower.trail().seq() + 1;
        let event = decode(self.registry.address(), log)
            .map_err(|error| AuditError::unreadable(seq, log.block_number.unwrap_or_default(), error))?;
        let (block, hash) = (event.place.block_number, event.place.block_hash);
        let next = self.open.as_ref().is_none_or(|open| open.mark.hash != hash);
        let closed = if next { self.follower.end(block)? } else { self.follower.trail() };
        let time = match time_of(hash) {
            Some(time) => time,
            None => self.times.of(self.registry, log, &event.place).await?,
        };
        self.follower.take(&event, time)?;
        if next {
            // What follows from all before it proves that nothing before it is missing.
            self.close(closed);
            let mark = Mark { block, hash, trail: self.follower.trail() };
            self.open = Some(Block { mark, events: Vec::new() });
        }
        let open = self.open.as_mut().expect("made above");
        open.events.push(Happened { event, time, seq });
        self.events += 1;
        Ok(())
    }

    fn close(&mut self, trail: Trail) {
        if let Some(mut open) = self.open.take() {
            open.mark.trail = trail;
            self.whole.push(open);
        }
    }

    /// The blocks that are whole, if they have so many events.
    pub(super) fn let_out(&mut self, at_least: usize) -> Option<Vec<Block>> {
        if self.events < at_least || self.whole.is_empty() {
            return None;
        }
        self.events = self.open.as_ref().map_or(0, |open| open.events.len());
        self.before = self.whole.last().map_or(self.before, |block| block.mark.trail);
        Some(std::mem::take(&mut self.whole))
    }

    /// All that is left, once the contract's word in the block `target` is found to be the last event's; the blocks of `headers` have marks
    /// though nothing happened in them.
    pub(super) async fn end(mut self, target: &Header, headers: &[Header]) -> Result<Vec<Block>, AuditError> {
        // Items without their batch show before the contract is asked.
        self.follower.end(target.number)?;
        let trail = self.follower.check_end(target.number, self.registry.audit_in(target.hash).await?)?;
        self.close(trail);
        Ok(self.whole_with(headers))
    }

    /// The whole blocks, and those of `headers` between and after them.
    fn whole_with(self, headers: &[Header]) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut whole = self.whole.into_iter().peekable();
        let mut trail = None;
        for header in headers {
            while let Some(block) = whole.next_if(|block| block.mark.block <= header.number) {
                trail = Some(block.mark.trail);
                blocks.push(block);
            }
            if blocks.last().is_some_and(|last| last.mark.block == header.number) {
                continue;
            }
            // Before the first event it is still the word with which the reading began.
            let trail = trail.unwrap_or(self.before);
            blocks.push(Block { mark: Mark { block: header.number, hash: header.hash, trail }, events: Vec::new() });
        }
        blocks.extend(whole);
        blocks
    }
}
