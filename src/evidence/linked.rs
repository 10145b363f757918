//! The blocks of the image's events: their receipts, and the headers that link them to the trusted
//! block.

use super::EvidenceError;
use super::file::{Evidence, OwnEvent};
use super::header::Header;
use super::receipts;
use alloy::primitives::{B256, LogData};
use std::collections::{BTreeMap, BTreeSet};

/// The headers of a file, by number, checked to be in order and, where they claim so, linked.
pub(super) struct LinkedHeaders<'a> {
    evidence: &'a Evidence,
    headers: BTreeMap<u64, Header>,
    /// Numbers of the blocks of which a receipt is proven.
    used: BTreeSet<u64>,
    receipts: usize,
    newest: u64,
}

impl<'a> LinkedHeaders<'a> {
    /// Reads the headers. Where they claim to be linked, each must be the parent of the next, and
    /// the last that of `block`.
    pub(super) fn new(evidence: &'a Evidence, block: &Header) -> Result<Self, EvidenceError> {
        let wrong = |reason: String| EvidenceError::Headers { reason };
        let mut headers: BTreeMap<u64, Header> = BTreeMap::new();
        let mut before: Option<Header> = None;
        for bytes in &evidence.blocks.headers {
            let header = Header::read(bytes)?;
            if header.number >= block.number || before.is_some_and(|before| before.number >= header.number) {
                return Err(wrong(format!("block {} is out of order", header.number)));
            }
            if let Some(before) = before.filter(|before| evidence.blocks.linked && before.hash != header.parent) {
                let (number, parent, found) = (header.number, header.parent, before.hash);
                return Err(wrong(format!("the parent of block {number} is {parent}, found {found}")));
            }
            headers.insert(header.number, header);
            before = Some(header);
        }
        if let Some(before) = before.filter(|before| evidence.blocks.linked && before.hash != block.parent) {
            let (number, parent, found) = (block.number, block.parent, before.hash);
            return Err(wrong(format!("the parent of block {number} is {parent}, found {found}")));
        }
        headers.insert(block.number, *block);
        Ok(Self { evidence, headers, used: BTreeSet::new(), receipts: 0, newest: block.number })
    }

    /// Checks the receipt of an event, if it has one.
    pub(super) fn take(
        &mut self,
        own: &OwnEvent,
        seq: u64,
        log: &LogData,
        item: Option<&LogData>,
    ) -> Result<(), EvidenceError> {
        let Some(receipt) = &own.receipt else { return Ok(()) };
        let wrong = |reason: String| EvidenceError::Receipt { seq, reason };
        let header = self.headers.get(&own.block).ok_or_else(|| wrong(format!("block {} has no header", own.block)))?;
        if header.time != own.time {
            return Err(wrong(format!("the header's time is {}, the event's {}", header.time, own.time)));
        }
        receipts::check(receipt, header.receipts_root, self.evidence.registry, log, item).map_err(wrong)?;
        self.used.insert(own.block);
        self.receipts += 1;
        Ok(())
    }

    /// Number of proven receipts, which must be 0 or `own`, and their blocks.
    pub(super) fn end(self, own: usize) -> Result<(usize, Vec<(u64, B256)>), EvidenceError> {
        let wrong = |reason: &str| EvidenceError::Headers { reason: reason.to_owned() };
        if self.receipts != 0 && self.receipts != own {
            return Err(EvidenceError::Headers {
                reason: format!("expected {own} receipts or none, found {}", self.receipts),
            });
        }
        let mut before = self.headers.keys().filter(|number| **number != self.newest);
        if self.evidence.blocks.linked {
            // No header is older than the first that a receipt needs.
            if before.next().is_some_and(|first| self.used.first() != Some(first)) {
                return Err(wrong("the first belongs to no receipt"));
            }
        } else if before.any(|number| !self.used.contains(number)) {
            return Err(wrong("one belongs to no receipt"));
        }
        let block = |number: &u64| (*number, self.headers[number].hash);
        Ok((self.receipts, self.used.iter().map(block).collect()))
    }
}
