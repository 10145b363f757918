//! How fresh the view of the chain is.

use super::error::ChainError;
use super::wallet::is_development_chain;
use alloy::primitives::B256;

/// What 'stale' and 'confirmed' mean on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// One node that makes a block for each transaction: mined is final, and the head may be of any age as long as the
    /// node answered within 60 s.
    #[default]
    Development,
    /// A network that goes on by itself: its newest block is at most 120 s old, or the node is behind.
    Network,
}

impl Profile {
    /// The profile of a chain: the development chains are known by their ids.
    pub fn of(chain_id: u64) -> Self {
        if is_development_chain(chain_id) { Self::Development } else { Self::Network }
    }

    /// Seconds within which the node must have answered.
    pub const fn answer_age_secs(self) -> u64 {
        60
    }

    /// Seconds that the newest block may be old; none where blocks only come with transactions.
    pub const fn head_age_secs(self) -> Option<u64> {
        match self {
            Self::Development => None,
            Self::Network => Some(120),
        }
    }
}

/// The newest block that the node knows, and when it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time, unix seconds.
    pub timestamp: u64,
    /// Our clock when the node answered, unix seconds.
    pub answered_at: u64,
}

impl Head {
    /// Checks that decisions may still be based on this head at `now`, unix seconds. A clock that was turned back makes it stale too.
    ///
    /// # Errors
    /// [`ChainError::Stale`].
    pub fn check_fresh(&self, profile: Profile, now: u64) -> Result<(), ChainError> {
        let answer = (self.answered_at.abs_diff(now), profile.answer_age_secs());
        let head = profile.head_age_secs().map(|allowed| (now.saturating_sub(self.timestamp), allowed));
        for (age_secs, allowed_secs) in [Some(answer), head].into_iter().flatten() {
            if age_secs > allowed_secs {
                return Err(ChainError::Stale { age_secs, allowed_secs });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_fresh_for_60_seconds_and_no_second_longer() {
        let head = Head { number: 1, hash: B256::ZERO, timestamp: 5, answered_at: 1000 };
        for now in [940, 1000, 1060] {
            head.check_fresh(Profile::Development, now).expect("fresh");
        }
        for (now, age) in [(1061, 61), (939, 61), (0, 1000)] {
            let stale = head.check_fresh(Profile::Development, now).expect_err("stale");
            assert!(matches!(stale, ChainError::Stale { age_secs, allowed_secs: 60 } if age_secs == age), "{stale}");
        }
    }

    #[test]
    fn a_networks_newest_block_is_fresh_for_120_seconds_and_no_second_longer() {
        let head = |timestamp| Head { number: 1, hash: B256::ZERO, timestamp, answered_at: 1000 };
        for timestamp in [880, 1000, 1005] {
            head(timestamp).check_fresh(Profile::Network, 1000).expect("fresh");
        }
        let stale = head(879).check_fresh(Profile::Network, 1000).expect_err("stale");
        assert!(matches!(stale, ChainError::Stale { age_secs: 121, allowed_secs: 120 }), "{stale}");
        head(879).check_fresh(Profile::Development, 1000).expect("blocks only come with transactions");
        assert_eq!((Profile::of(31337), Profile::of(5)), (Profile::Development, Profile::Network));
    }
}
