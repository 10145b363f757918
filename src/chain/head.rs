//! How fresh the newest block must be, how deep a transaction is waited for, and how long.

use super::error::ChainError;
use super::wallet::is_development_chain;
use alloy::primitives::B256;
use std::time::Duration;

/// Default seconds from block to block: Ethereum's own.
pub const BLOCK_TIME_SECS: u64 = 12;
/// A network's newest block may be this many block times old.
const HEAD_AGE_BLOCKS: u64 = 10;
/// A transaction is given this many block times to be mined.
const MINING_BLOCKS: u64 = 15;
/// A mined transaction is given this many block times to become final: four epochs, twice the usual
/// time.
const FINAL_BLOCKS: u64 = 128;

/// No chain makes more blocks in a second.
const MOST_A_SECOND: u64 = 100;
/// Blocks that a chain may have beyond that: a development chain makes many at once.
const AT_ONCE: u64 = 10_000;
/// How far a network's block may be ahead of our clock.
pub(super) const AHEAD_SECS: u64 = 900;

/// The highest number that a block of this time can have, after a block of that number and time.
pub(super) fn most_blocks((number, since): (u64, u64), time: u64) -> u64 {
    let made = time.saturating_sub(since).saturating_mul(MOST_A_SECOND);
    number.saturating_add(made).saturating_add(AT_ONCE)
}

/// The same for a chain that makes a block a second, which is faster than most.
pub(super) fn most_blocks_at_ease((number, since): (u64, u64), time: u64) -> u64 {
    number.saturating_add(time.saturating_sub(since)).saturating_add(AT_ONCE)
}

/// What 'stale', 'confirmed' and 'final' mean on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// A single node (anvil, `geth --dev`): mined is final, and the newest block may be of any age
    /// as long as the node answered within 60 s.
    #[default]
    Development,
    /// A network that makes blocks by itself and has finality: what is `safe` is confirmed, what is
    /// `finalized` is final, and its newest block is at most ten block times old (60 s at least),
    /// or the node is behind.
    Network {
        /// Seconds from block to block.
        block_time_secs: u64,
    },
}

/// How deep in the chain a transaction is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// In a block, which a reorganisation may still replace.
    Mined,
    /// In a block that is replaced only if many validators break the rules or the network is split.
    Safe,
    /// In a block that is never replaced.
    Finalized,
}

impl Wait {
    /// Every depth, by its name.
    pub const ALL: [(&'static str, Self); 3] =
        [("mined", Self::Mined), ("safe", Self::Safe), ("finalized", Self::Finalized)];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

impl Profile {
    /// The profile of a chain by its id, where the settings do not say: known development chains,
    /// else a network.
    pub fn of(chain_id: u64) -> Self {
        match is_development_chain(chain_id) {
            true => Self::Development,
            false => Self::Network { block_time_secs: BLOCK_TIME_SECS },
        }
    }

    /// Seconds within which the node must have answered.
    pub const fn answer_age_secs(self) -> u64 {
        60
    }

    /// Most seconds that the newest block may be old; `None` where blocks are only made for
    /// transactions.
    pub fn head_age_secs(self) -> Option<u64> {
        self.blocks(HEAD_AGE_BLOCKS).map(|age| age.as_secs())
    }

    /// How long a transaction may wait for its block.
    pub fn mining_deadline(self) -> Duration {
        self.blocks(MINING_BLOCKS).unwrap_or(Duration::from_secs(60))
    }

    /// How long a transaction may be mined and not final.
    pub fn final_deadline(self) -> Duration {
        self.blocks(FINAL_BLOCKS).unwrap_or(Duration::ZERO)
    }

    /// The time of `count` blocks, a minute at least; `None` where blocks are only made for
    /// transactions.
    fn blocks(self, count: u64) -> Option<Duration> {
        match self {
            Self::Development => None,
            Self::Network { block_time_secs } => {
                Some(Duration::from_secs(count.saturating_mul(block_time_secs).max(60)))
            }
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
    /// Checks that decisions may still be based on this head at `now`, unix seconds. A clock that
    /// was turned back makes it stale too.
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
    fn a_networks_newest_block_is_fresh_for_ten_blocks_and_no_second_longer() {
        let network = Profile::Network { block_time_secs: 12 };
        let head = |timestamp| Head { number: 1, hash: B256::ZERO, timestamp, answered_at: 1000 };
        for timestamp in [880, 1000, 1005] {
            head(timestamp).check_fresh(network, 1000).expect("fresh");
        }
        let stale = head(879).check_fresh(network, 1000).expect_err("stale");
        assert!(matches!(stale, ChainError::Stale { age_secs: 121, allowed_secs: 120 }), "{stale}");
        head(879).check_fresh(Profile::Development, 1000).expect("blocks only come with transactions");
        assert_eq!((Profile::of(31337), Profile::of(5)), (Profile::Development, network));
    }

    #[test]
    fn a_chain_comes_no_further_than_its_time_allows() {
        let first = (1000, 1_800_000_000);
        assert_eq!(most_blocks(first, 1_800_000_000), 11_000);
        assert_eq!(most_blocks(first, 1_700_000_000), 11_000, "a block of before that");
        assert_eq!(most_blocks(first, 1_800_003_600), 371_000, "an hour later");
        assert_eq!(most_blocks_at_ease(first, 1_800_003_600), 14_600);
        assert_eq!(most_blocks((u64::MAX, 0), u64::MAX), u64::MAX);
        assert_eq!(most_blocks((0, 0), u64::MAX), u64::MAX);
    }

    #[test]
    fn a_fast_chain_is_given_a_minute() {
        let seconds = |block_time_secs| {
            let profile = Profile::Network { block_time_secs };
            (profile.head_age_secs(), profile.mining_deadline().as_secs(), profile.final_deadline().as_secs())
        };
        assert_eq!(seconds(1), (Some(60), 60, 128));
        assert_eq!(seconds(2), (Some(60), 60, 256));
        assert_eq!(seconds(12), (Some(120), 180, 1536));
        assert_eq!(Profile::Development.mining_deadline().as_secs(), 60);
    }

    #[test]
    fn depths_have_names_and_an_order() {
        for (name, wait) in Wait::ALL {
            assert_eq!(wait.name(), name);
        }
        assert!(Wait::Mined < Wait::Safe && Wait::Safe < Wait::Finalized);
    }
}
