//! Reads the registry's log from the node, in the node's order and unchecked:
//! [`Follower`](super::Follower) checks it.

use super::AuditError;
use super::proof::check_hash;
use crate::chain::{ChainError, LogRanges, ReadBudget, Registry};
use crate::contract::bindings::IImageRegistry::IImageRegistryEvents;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{B256, BloomInput};
use alloy::rpc::types::{Filter, Header, Log};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Requests that run at the same time near the newest block.
const AT_ONCE: usize = 8;

/// The registry's log in blocks `first ..= last`, range by range.
pub fn log_ranges(registry: &Registry, budget: &ReadBudget, first: u64, last: u64) -> LogRanges {
    registry.ranges(filter(registry), budget, (first, last))
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
