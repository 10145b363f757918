//! Reads the registry's log from the node, in the node's order and unchecked:
//! [`Follower`](super::Follower) checks it.

use super::AuditError;
use super::proof::check_hash;
use crate::chain::ChainError;
use crate::chain::Registry;
use crate::contract::bindings::IImageRegistry::IImageRegistryEvents;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{B256, BloomInput};
use alloy::rpc::types::{Filter, Header, Log};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Blocks of the first range that is asked for.
const FIRST_RANGE: u64 = 2_000;
/// Most blocks of a range.
const MOST_BLOCKS: u64 = 100_000;
/// After fewer logs than this the next range is twice as long, after more than that half as long:
/// this bounds the memory.
const FEW_LOGS: usize = 1_000;
const MANY_LOGS: usize = 4_000;
/// Requests that run at the same time near the newest block.
const AT_ONCE: usize = 8;

/// The logs of a range of blocks.
#[derive(Debug)]
pub struct LogRange {
    pub logs: Vec<Log>,
    /// Number of the last block of the range.
    pub to: u64,
}

/// The ranges of blocks that are still to be read.
#[derive(Debug, Clone, Copy)]
pub struct LogRanges {
    next: u64,
    blocks: u64,
    last: u64,
}

impl LogRanges {
    /// Blocks `first ..= last`; empty where `last` is smaller.
    pub fn new(first: u64, last: u64) -> Self {
        Self { next: first, blocks: FIRST_RANGE, last }
    }

    /// The logs of the next range, and the ranges after it; `None` at the end. A range that the
    /// node refuses is halved.
    pub async fn read(mut self, registry: &Registry) -> Result<Option<(LogRange, Self)>, ChainError> {
        if self.next > self.last {
            return Ok(None);
        }
        loop {
            let to = self.next.saturating_add(self.blocks - 1).min(self.last);
            let filter = filter(registry).from_block(self.next).to_block(to);
            match registry.rpc().logs(&filter).await {
                Ok(logs) => {
                    self.blocks = match logs.len() {
                        few if few < FEW_LOGS => (self.blocks * 2).min(MOST_BLOCKS),
                        many if many > MANY_LOGS => self.blocks.div_ceil(2),
                        _ => self.blocks,
                    };
                    self.next = to + 1;
                    return Ok(Some((LogRange { logs, to }, self)));
                }
                Err(error) if self.blocks > 1 && error.asks_for_too_much() => {
                    self.blocks = self.blocks.min(to - self.next + 1).div_ceil(2);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn filter(registry: &Registry) -> Filter {
    let kinds: Vec<B256> = IImageRegistryEvents::SELECTORS.iter().map(B256::from).collect();
    Filter::new().address(registry.address()).event_signature(kinds)
}

/// The headers of blocks `first ..= head.number`, oldest first, each the parent of the next.
pub async fn headers_to(registry: &Registry, first: u64, head: &Header) -> Result<Vec<Header>, AuditError> {
    let numbers = first..head.number;
    let ask = |number| async move { registry.rpc().block(BlockNumberOrTag::Number(number)).await };
    let mut headers: Vec<Header> =
        stream::iter(numbers).map(ask).buffered(AT_ONCE).map_ok(|block| block.header).try_collect().await?;
    headers.push(head.clone());
    for header in &headers {
        check_hash(header)?;
    }
    if headers.windows(2).any(|pair| pair[1].parent_hash != pair[0].hash) {
        return Err(AuditError::Moved { block: head.number, expected: head.hash });
    }
    Ok(headers)
}

/// The logs of each of these blocks, requested by block hash; a block whose bloom filter excludes
/// the registry is skipped.
pub async fn logs_of(registry: &Registry, headers: &[Header]) -> Result<Vec<Log>, ChainError> {
    let has_any = |header: &&Header| header.logs_bloom.contains_input(BloomInput::Raw(registry.address().as_slice()));
    let hashes: Vec<B256> = headers.iter().filter(has_any).map(|header| header.hash).collect();
    let ask = |hash: B256| async move { registry.rpc().logs(&filter(registry).at_block_hash(hash)).await };
    let logs: Vec<Vec<Log>> = stream::iter(hashes).map(ask).buffered(AT_ONCE).try_collect().await?;
    Ok(logs.into_iter().flatten().collect())
}
