//! The contract's events, typed and in the order of the chain.

use super::bindings::IImageRegistry::{self as registry, IImageRegistryEvents};
use super::error::ChainError;
use super::rpc::Rpc;
use alloy::primitives::{Address, B256, LogData};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::abi::AbiDecoderConfig;
use alloy::sol_types::private::IntoLogData;
use alloy::sol_types::{SolEvent, SolEventInterface};

const METHOD: &str = "eth_getLogs";

/// Topic 0 of every event whose topic 1 is an image id.
pub(super) const OF_IMAGES: [B256; 10] = [
    registry::Registered::SIGNATURE_HASH,
    registry::RegisteredInBatch::SIGNATURE_HASH,
    registry::Materialized::SIGNATURE_HASH,
    registry::CapsulesUpdated::SIGNATURE_HASH,
    registry::Verified::SIGNATURE_HASH,
    registry::FlagRaised::SIGNATURE_HASH,
    registry::FlagConfirmed::SIGNATURE_HASH,
    registry::FlagDismissed::SIGNATURE_HASH,
    registry::AccessGranted::SIGNATURE_HASH,
    registry::AccessRevoked::SIGNATURE_HASH,
];

/// Topic 0 of the events that make a record.
pub(super) const OF_RECORDS: [B256; 3] = [
    registry::Registered::SIGNATURE_HASH,
    registry::RegisteredInBatch::SIGNATURE_HASH,
    registry::Materialized::SIGNATURE_HASH,
];

/// Whether a log is one of the interface's: the contract's OpenZeppelin parts have events of their own, which say nothing more.
pub(super) fn is_known(log: &Log) -> bool {
    log.topic0().is_some_and(|kind| IImageRegistryEvents::SELECTORS.contains(&kind.0))
}

/// Where in the chain an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPlace {
    /// Number of its block.
    pub block_number: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Hash of its transaction.
    pub transaction: B256,
    /// Index among the logs of the block.
    pub log_index: u64,
}

/// An event of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryEvent {
    /// What happened.
    pub event: IImageRegistryEvents,
    /// Where it stands.
    pub place: EventPlace,
}

fn bad(reason: impl ToString) -> ChainError {
    ChainError::BadAnswer { method: METHOD, reason: reason.to_string() }
}

/// Decodes `log`, which must be a mined one of `address`.
pub(super) fn decode(address: Address, log: &Log) -> Result<RegistryEvent, ChainError> {
    if log.address() != address {
        return Err(bad(format_args!("a log of {}", log.address())));
    }
    let place = match (log.block_number, log.block_hash, log.transaction_hash, log.log_index) {
        (Some(block_number), Some(block_hash), Some(transaction), Some(log_index)) if !log.removed => {
            EventPlace { block_number, block_hash, transaction, log_index }
        }
        _ => return Err(bad("a log outside the chain")),
    };
    let (event, _) = decode_data(log.topics(), &log.data().data).map_err(bad)?;
    Ok(RegistryEvent { event, place })
}

/// Reads a log's topics and data; only the one encoding of an event is taken.
pub(super) fn decode_data(topics: &[B256], data: &[u8]) -> Result<(IImageRegistryEvents, LogData), String> {
    if topics.len() > 4 {
        return Err(format!("{} topics", topics.len()));
    }
    let config = AbiDecoderConfig::new().validate(true);
    let event =
        IImageRegistryEvents::decode_raw_log_with_config(topics, data, config).map_err(|error| error.to_string())?;
    let log = event.to_log_data();
    if log.topics() != topics || *log.data != *data {
        return Err("it is not encoded as the contract does".to_owned());
    }
    Ok((event, log))
}

/// Reads what `filter` asks for in blocks `from ..= to`, in the order of the chain. A range that the node refuses is halved.
pub(super) async fn read(
    rpc: &Rpc,
    address: Address,
    filter: &Filter,
    from: u64,
    to: u64,
) -> Result<Vec<RegistryEvent>, ChainError> {
    let mut events: Vec<RegistryEvent> = Vec::new();
    let mut start = from;
    let mut blocks = to.saturating_sub(from).saturating_add(1);
    while start <= to {
        let end = start.saturating_add(blocks - 1).min(to);
        match rpc.logs(&filter.clone().address(address).from_block(start).to_block(end)).await {
            Ok(logs) => {
                for log in &logs {
                    push(&mut events, decode(address, log)?, start..=end)?;
                }
                start = end + 1;
            }
            Err(ChainError::Refused { .. }) if blocks > 1 => blocks = blocks.min(end - start + 1).div_ceil(2),
            Err(error) => return Err(error),
        }
    }
    Ok(events)
}

/// Appends an event that must lie in the range asked for and after all before it.
fn push(
    events: &mut Vec<RegistryEvent>,
    event: RegistryEvent,
    range: std::ops::RangeInclusive<u64>,
) -> Result<(), ChainError> {
    let key = |event: &RegistryEvent| (event.place.block_number, event.place.log_index);
    if !range.contains(&event.place.block_number) {
        return Err(bad(format_args!("a log of block {} in blocks {range:?}", event.place.block_number)));
    }
    if events.last().is_some_and(|last| key(last) >= key(&event)) {
        return Err(bad("logs out of order"));
    }
    events.push(event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Log as RawLog;
    use registry::FlagRaised;

    const ADDRESS: Address = Address::repeat_byte(7);

    fn log(block: u64, index: u64) -> Log {
        let raised = FlagRaised { imageId: B256::repeat_byte(1), trail: B256::repeat_byte(5), ..Default::default() };
        Log {
            inner: RawLog { address: ADDRESS, data: raised.encode_log_data() },
            block_number: Some(block),
            block_hash: Some(B256::repeat_byte(2)),
            transaction_hash: Some(B256::repeat_byte(3)),
            log_index: Some(index),
            ..Default::default()
        }
    }

    fn is_bad(result: Result<impl Sized, ChainError>) -> bool {
        matches!(result, Err(ChainError::BadAnswer { .. }))
    }

    #[test]
    fn a_log_is_decoded_whole_or_not_at_all() {
        let event = decode(ADDRESS, &log(5, 1)).expect("a good log");
        assert!(matches!(event.event, IImageRegistryEvents::FlagRaised(ref raised) if raised.trail[0] == 5));
        assert_eq!((event.place.block_number, event.place.log_index), (5, 1));

        assert!(is_bad(decode(Address::ZERO, &log(5, 1))));
        assert!(is_bad(decode(ADDRESS, &Log { removed: true, ..log(5, 1) })));
        assert!(is_bad(decode(ADDRESS, &Log { block_hash: None, ..log(5, 1) })));
        let mut short = log(5, 1);
        short.inner.data.data = short.inner.data.data.slice(..31);
        assert!(is_bad(decode(ADDRESS, &short)));
        let mut stranger = log(5, 1);
        stranger.inner.data.topics_mut_unchecked()[0] = B256::repeat_byte(9);
        assert!(is_bad(decode(ADDRESS, &stranger)));
    }

    #[test]
    fn logs_come_once_in_order_and_from_the_range() {
        let event = |block, index| decode(ADDRESS, &log(block, index)).expect("a good log");
        let mut events = vec![event(5, 1)];
        assert!(is_bad(push(&mut events, event(5, 1), 0..=9)));
        assert!(is_bad(push(&mut events, event(5, 0), 0..=9)));
        assert!(is_bad(push(&mut events, event(4, 7), 0..=9)));
        assert!(is_bad(push(&mut events, event(10, 0), 0..=9)));
        push(&mut events, event(5, 2), 0..=9).expect("the next log");
        push(&mut events, event(9, 0), 0..=9).expect("the next block");
        assert_eq!(events.len(), 3);
    }
}
