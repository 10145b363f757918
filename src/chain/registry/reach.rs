//! The newest block, if the chain can have come so far.

use super::Registry;
use crate::chain::error::ChainError;
use crate::chain::head::{AHEAD_SECS, Head, Profile, most_blocks, most_blocks_at_ease};
use crate::clock::{Clock, SystemClock};
use alloy::rpc::types::Header;

impl Registry {
    /// The newest block, and when (by `clock`) the node said so.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn head(&self, clock: &dyn Clock) -> Result<Head, ChainError> {
        // The time before the question: a slow answer counts as older, never as newer.
        let answered_at = clock.unix_secs();
        let header = self.newest().await?;
        Ok(Head { number: header.number, hash: header.hash, timestamp: header.timestamp, answered_at })
    }

    /// The header of the newest block, if the chain can have come so far.
    ///
    /// # Errors
    /// As [`Registry::check_reach`], or the node does not answer.
    pub async fn newest(&self) -> Result<Header, ChainError> {
        let header = self.rpc.latest().await?;
        self.check_reach(&header)?;
        Ok(header)
    }

    /// Checks that the chain can have come as far as this block since the contract was made: a
    /// chain has a bounded number of blocks a second, and on a network no block is of the future.
    ///
    /// # Errors
    /// [`ChainError::BadAnswer`].
    pub fn check_reach(&self, header: &Header) -> Result<(), ChainError> {
        let bad = |reason| Err(ChainError::BadAnswer { method: "eth_getBlockByNumber", reason });
        let (number, says) = (header.number, header.timestamp);
        let time = match self.profile {
            Profile::Development => says,
            Profile::Network { .. } => says.min(SystemClock.unix_secs().saturating_add(AHEAD_SECS)),
        };
        let first = (self.first.number, self.first.time);
        let most = most_blocks(first, time);
        if number > most {
            let reason = format!(
                "block {number} of time {says}: since block {} of time {} there can be no block after {most}",
                first.0, first.1
            );
            return bad(reason);
        }
        if number > most_blocks_at_ease(first, time) && header.inner.hash_slow() != header.hash {
            return bad(format!("block {number} is far ahead, and its header does not hash to {}", header.hash));
        }
        Ok(())
    }
}
