//! The contract's events, typed and in the order of the chain.

use super::bindings::IImageRegistry::{self as registry, IImageRegistryEvents};
use alloy::primitives::{Address, B256, LogData};
use alloy::rpc::types::Log;
use alloy::sol_types::abi::AbiDecoderConfig;
use alloy::sol_types::private::IntoLogData;
use alloy::sol_types::{SolEvent, SolEventInterface};

/// Topic 0 of every event whose topic 1 is an image id.
pub const OF_IMAGES: [B256; 11] = [
    registry::Registered::SIGNATURE_HASH,
    registry::RegisteredInBatch::SIGNATURE_HASH,
    registry::Materialized::SIGNATURE_HASH,
    registry::CapsulesUpdated::SIGNATURE_HASH,
    registry::Verified::SIGNATURE_HASH,
    registry::FlagRaised::SIGNATURE_HASH,
    registry::FlagJoined::SIGNATURE_HASH,
    registry::FlagConfirmed::SIGNATURE_HASH,
    registry::FlagDismissed::SIGNATURE_HASH,
    registry::AccessGranted::SIGNATURE_HASH,
    registry::AccessRevoked::SIGNATURE_HASH,
];

/// Topic 0 of the events that make a record.
pub const OF_RECORDS: [B256; 3] = [
    registry::Registered::SIGNATURE_HASH,
    registry::RegisteredInBatch::SIGNATURE_HASH,
    registry::Materialized::SIGNATURE_HASH,
];

/// Which of an image's flags, counted from 1, has this id: its upper half. The lower one is drawn
/// when the flag is raised, so that nobody decides it before.
pub fn flag_number(flag_id: u64) -> u64 {
    flag_id >> 32
}

/// The three parts of an access or operator entry's number: revocations, what the last of them
/// drew, changes since (contracts/README.md, "Revocations, and numbers that nobody foretells").
pub fn seq_parts(seq: u128) -> [u64; 3] {
    let low = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).expect("64 bits");
    [low(seq >> 96), low(seq >> 32), low(seq & u128::from(u32::MAX))]
}

/// Whether a log is one of the interface's events. The contract's OpenZeppelin parts emit others,
/// which repeat what these say.
pub fn is_known(log: &Log) -> bool {
    log.topic0().is_some_and(|kind| IImageRegistryEvents::SELECTORS.contains(&kind.0))
}

/// Where an event is in the chain.
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
    /// The event, decoded.
    pub event: IImageRegistryEvents,
    /// Where it is in the chain.
    pub place: EventPlace,
}

/// Why a log is no event of the registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct EventError {
    reason: String,
}

impl EventError {
    /// Returns the error that says `reason`.
    pub fn new(reason: impl ToString) -> Self {
        Self { reason: reason.to_string() }
    }
}

/// Decodes `log`, which must be mined and from `address`.
pub fn decode(address: Address, log: &Log) -> Result<RegistryEvent, EventError> {
    if log.address() != address {
        return Err(EventError::new(format_args!("expected a log of {address}, found one of {}", log.address())));
    }
    let place = match (log.block_number, log.block_hash, log.transaction_hash, log.log_index) {
        (Some(block_number), Some(block_hash), Some(transaction), Some(log_index)) if !log.removed => {
            EventPlace { block_number, block_hash, transaction, log_index }
        }
        _ => return Err(EventError::new("the log is not in a mined block")),
    };
    let (event, _) = decode_data(log.topics(), &log.data().data)?;
    Ok(RegistryEvent { event, place })
}

/// Decodes a log's topics and data; any encoding but the canonical one is an error.
pub fn decode_data(topics: &[B256], data: &[u8]) -> Result<(IImageRegistryEvents, LogData), EventError> {
    if topics.len() > 4 {
        return Err(EventError::new(format_args!("expected at most 4 topics, found {}", topics.len())));
    }
    let config = AbiDecoderConfig::new().validate(true);
    let event = IImageRegistryEvents::decode_raw_log_with_config(topics, data, config).map_err(EventError::new)?;
    let log = event.to_log_data();
    if log.topics() != topics || *log.data != *data {
        return Err(EventError::new("the log is not encoded as the contract encodes it"));
    }
    Ok((event, log))
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

    #[test]
    fn a_log_is_decoded_whole_or_not_at_all() {
        let event = decode(ADDRESS, &log(5, 1)).expect("a good log");
        assert!(matches!(event.event, IImageRegistryEvents::FlagRaised(ref raised) if raised.trail[0] == 5));
        assert_eq!((event.place.block_number, event.place.log_index), (5, 1));

        assert!(decode(Address::ZERO, &log(5, 1)).is_err());
        assert!(decode(ADDRESS, &Log { removed: true, ..log(5, 1) }).is_err());
        assert!(decode(ADDRESS, &Log { block_hash: None, ..log(5, 1) }).is_err());
        let mut short = log(5, 1);
        short.inner.data.data = short.inner.data.data.slice(..31);
        assert!(decode(ADDRESS, &short).is_err());
        let mut stranger = log(5, 1);
        stranger.inner.data.topics_mut_unchecked()[0] = B256::repeat_byte(9);
        assert!(decode(ADDRESS, &stranger).is_err());
    }
}
