//! Times of blocks, and this machine's beside them.

use super::Registry;
use crate::chain::error::ChainError;
use crate::chain::head::Profile;
use crate::contract::EventPlace;
use alloy::primitives::B256;
use alloy::rpc::types::Log;

/// Seconds that this machine's clock and the chain's may differ where a time is signed.
const MOST_APART_SECS: u64 = 300;

impl Registry {
    /// Returns this machine's time `now`, unix seconds, for something that is signed or goes on
    /// chain, after it was compared with the newest block's. Where blocks are only made for
    /// transactions, it is compared with the one that the node would make now.
    ///
    /// # Errors
    /// [`ChainError::Clock`], or the node does not answer.
    pub async fn checked_time(&self, now: u64) -> Result<u64, ChainError> {
        let newest = self.rpc.latest().await?.timestamp;
        let (block, age) = match self.profile {
            Profile::Development => match self.rpc.pending_time().await {
                Some(next) => (next.max(newest), 0),
                // How old the newest may be, nothing tells.
                None => (newest, u64::MAX),
            },
            Profile::Network { .. } => (newest, self.profile.head_age_secs().unwrap_or(0)),
        };
        compared(now, block, age)
    }
}

/// `local`, unless it is too far from the time of a block that may be `age` seconds old.
fn compared(local: u64, block: u64, age: u64) -> Result<u64, ChainError> {
    let allowed_secs = if local > block { age.saturating_add(MOST_APART_SECS) } else { MOST_APART_SECS };
    match local.abs_diff(block) > allowed_secs {
        true => Err(ChainError::Clock { local, block, allowed_secs }),
        false => Ok(local),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_be_minutes_apart() {
        for (local, age) in [(1000, 0), (1300, 0), (700, 0), (1420, 120), (700, 120), (u64::MAX, u64::MAX)] {
            assert_eq!(compared(local, 1000, age).expect("near enough"), local);
        }
        for (local, age, allowed) in
            [(1301, 0, 300), (699, 0, 300), (1421, 120, 420), (699, 120, 300), (u64::MAX, 0, 300)]
        {
            let apart = compared(local, 1000, age).expect_err("too far");
            assert!(
                matches!(apart, ChainError::Clock { local: at, block: 1000, allowed_secs } if (at, allowed_secs) == (local, allowed)),
                "{apart}"
            );
        }
        let ahead = compared(5000, 1000, 0).expect_err("too far").to_string();
        assert!(ahead.starts_with("this machine's clock is 4000 s ahead of the chain"), "{ahead}");
    }
}
