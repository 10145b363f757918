//! How fresh the view of the chain is.

use super::error::ChainError;
use alloy::primitives::B256;

/// What 'stale' and 'confirmed' mean on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// One node that makes a block for each transaction: mined is final, and the head may be of any age as long as the
    /// node answered within 60 s.
    #[default]
    Development,
}

impl Profile {
    /// Seconds within which the node must have answered.
    pub const fn answer_age_secs(self) -> u64 {
        match self {
            Self::Development => 60,
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
        let (age_secs, allowed_secs) = (self.answered_at.abs_diff(now), profile.answer_age_secs());
        if age_secs <= allowed_secs { Ok(()) } else { Err(ChainError::Stale { age_secs, allowed_secs }) }
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
}
