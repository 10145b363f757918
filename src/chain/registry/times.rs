//! Times of blocks.

use super::Registry;
use crate::chain::error::ChainError;
use crate::contract::EventPlace;
use alloy::primitives::B256;
use alloy::rpc::types::Log;

/// Times of the blocks of a log that is read in order: the node is asked once a block, and only
/// where its logs do not say the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlockTimes {
    last: Option<(B256, u64)>,
}

impl BlockTimes {
    /// The time of the block in which `log` stands, unix seconds.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or has another block there.
    pub async fn of(&mut self, registry: &Registry, log: &Log, place: &EventPlace) -> Result<u64, ChainError> {
        match (log.block_timestamp, self.last) {
            (Some(time), _) if time >> 48 != 0 => {
                let reason = format!("a log of time {time}: the contract keeps times in 48 bits");
                Err(ChainError::BadAnswer { method: "eth_getLogs", reason })
            }
            (Some(time), _) => Ok(time),
            (None, Some((hash, time))) if hash == place.block_hash => Ok(time),
            (None, _) => {
                let time = registry.block_time(place).await?;
                self.last = Some((place.block_hash, time));
                Ok(time)
            }
        }
    }
}
