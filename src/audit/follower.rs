//! Recomputes the audit trail event by event: each event's word must follow from all events before
//! it.

use super::error::AuditError;
use crate::contract::bindings::IImageRegistry::{BatchRegistered, IImageRegistryEvents as Event, RegisteredInBatch};
use crate::contract::{AuditHead, RegistryEvent, Trail, foreign_part, item_hash};
use alloy::primitives::{Address, B256, U256, keccak256};

/// Most items that a batch may have.
const MOST_ITEMS: usize = 100;

/// Recomputes a registry's audit trail, one event after the other.
#[derive(Debug, Clone)]
pub struct Follower {
    chain_id: u64,
    registry: Address,
    trail: Trail,
    /// Items whose `BatchRegistered` event has not come yet, each with its block's number and time.
    items: Vec<(RegisteredInBatch, u64, u64)>,
}

impl Follower {
    /// Starts before the registry's first event.
    pub fn new(chain_id: u64, registry: Address) -> Self {
        Self::after(chain_id, registry, Trail::start(chain_id, registry))
    }

    /// Starts after the event whose word is `trail`.
    pub fn after(chain_id: u64, registry: Address, trail: Trail) -> Self {
        Self { chain_id, registry, trail, items: Vec::new() }
    }

    /// The trail's word after the last numbered event.
    pub fn trail(&self) -> Trail {
        self.trail
    }

    /// Takes the next event, whose block has the time `time`, unix seconds.
    ///
    /// # Errors
    /// [`AuditError::Missing`], [`AuditError::Broken`], [`AuditError::Batch`],
    /// [`AuditError::Item`].
    pub fn take(&mut self, event: &RegistryEvent, time: u64) -> Result<(), AuditError> {
        let block = event.place.block_number;
        if let Event::RegisteredInBatch(item) = &event.event {
            self.items.push((item.clone(), block, time));
            return if self.items.len() > MOST_ITEMS { self.check_items(None, block) } else { Ok(()) };
        }
        self.check_items(Some(&event.event), block)?;
        self.check_places(block, time)?;
        self.items.clear();
        let next = self.trail.after(&event.event, block, time);
        let found = Trail::of(&event.event).expect("only an item has none");
        if next != found {
            return Err(match (next.seq(), found.seq()) {
                (seq, next) if seq != next => AuditError::Missing { seq, next, block },
                (seq, _) => AuditError::Broken { seq, block, expected: next.word(), found: found.word() },
            });
        }
        self.trail = next;
        Ok(())
    }

    /// The trail's word after the last event; no batch may be incomplete.
    ///
    /// # Errors
    /// [`AuditError::Batch`] for items without their batch.
    pub fn end(&self, block: u64) -> Result<Trail, AuditError> {
        self.check_items(None, block)?;
        Ok(self.trail)
    }

    /// Checks that the log ends with the audit head that the contract has in `block`; returns the
    /// word after the last event.
    ///
    /// # Errors
    /// [`AuditError::Incomplete`], [`AuditError::OtherHead`], [`AuditError::Batch`].
    pub fn check_end(&self, block: u64, contract: AuditHead) -> Result<Trail, AuditError> {
        let (trail, AuditHead { head: expected, seq }) = (self.end(block)?, contract);
        if seq != trail.seq() {
            return Err(AuditError::Incomplete { expected: seq, found: trail.seq() });
        }
        if expected != trail.head() {
            return Err(AuditError::OtherHead { seq, expected, found: trail.head() });
        }
        Ok(trail)
    }

    /// Checks that the items of a batch are in its block: no hash covers where the node says that
    /// they are.
    fn check_places(&self, block: u64, time: u64) -> Result<(), AuditError> {
        let seq = self.trail.seq() + 1;
        for (what, expected, found) in
            self.items.iter().flat_map(|(_, at, when)| [("block", block, *at), ("time", time, *when)])
        {
            if expected != found {
                let word = |number| B256::from(U256::from(number));
                return Err(AuditError::Item { seq, block, what, expected: word(expected), found: word(found) });
            }
        }
        Ok(())
    }

    /// Checks that items come right before the event of their batch, and nowhere else.
    fn check_items(&self, event: Option<&Event>, block: u64) -> Result<(), AuditError> {
        let items: Vec<&RegisteredInBatch> = self.items.iter().map(|(item, ..)| item).collect();
        let (expected, found) = match event {
            Some(Event::BatchRegistered(batch)) => (batch.recordedHash, recorded_hash(batch, &items)),
            _ if items.is_empty() => return Ok(()),
            _ => (keccak256([]), items_hash(&items, items.len(), U256::ZERO)),
        };
        let seq = self.trail.seq() + 1;
        if found != expected {
            return Err(AuditError::Batch { seq, block, expected, found });
        }
        // The hashes cover neither the items' senders nor their image ids.
        let Some(Event::BatchRegistered(batch)) = event else { return Ok(()) };
        let foreign = |item| foreign_part(self.chain_id, self.registry, batch, item);
        match items.into_iter().find_map(foreign) {
            None => Ok(()),
            Some((what, expected, found)) => Err(AuditError::Item { seq, block, what, expected, found }),
        }
    }
}

fn recorded_hash(batch: &BatchRegistered, items: &[&RegisteredInBatch]) -> B256 {
    let count = usize::try_from(batch.count).unwrap_or(usize::MAX).min(items.len() + 256);
    items_hash(items, count, batch.skipped)
}

/// keccak256 of the items' EIP-712 struct hashes, with zero for each place that was skipped.
fn items_hash(items: &[&RegisteredInBatch], count: usize, skipped: U256) -> B256 {
    let mut items = items.iter().copied();
    let mut hashes = Vec::new();
    for place in 0..count {
        let item = if place < 256 && skipped.bit(place) { None } else { items.next() };
        hashes.extend(item.map_or(B256::ZERO, item_hash));
    }
    // Items beyond the count must change the hash too.
    hashes.extend(items.flat_map(|item| item_hash(item).0));
    keccak256(hashes)
}
