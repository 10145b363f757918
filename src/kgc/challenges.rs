//! Challenges: random values, each given out once and used once, so that a request cannot be
//! replayed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use alloy::primitives::B256;

use super::KgcError;
use crate::envelope::capsules::CryptoRng;

/// How long a challenge may be used, in seconds.
pub const CHALLENGE_SECS: u64 = 300;
/// Most challenges that are remembered, used ones included.
pub const MAX_CHALLENGES: usize = 10_000;

/// The challenges of one key center, in memory: after a restart every request is refused, and a new
/// one is made.
#[derive(Debug, Default)]
pub(super) struct Challenges(Mutex<HashMap<B256, Challenge>>);

#[derive(Debug, Clone, Copy)]
struct Challenge {
    /// Last second in which it may be used, unix seconds.
    until: u64,
    used: bool,
}

impl Challenges {
    /// Returns a new challenge, and forgets those that have expired.
    pub(super) fn give(&self, now: u64, rng: &mut impl CryptoRng) -> Result<B256, KgcError> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, challenge| now <= challenge.until);
        if open.len() >= MAX_CHALLENGES {
            return Err(KgcError::TooManyChallenges { limit: MAX_CHALLENGES });
        }
        let mut value = B256::ZERO;
        rng.fill_bytes(value.as_mut());
        open.insert(value, Challenge { until: now.saturating_add(CHALLENGE_SECS), used: false });
        Ok(value)
    }

    /// Uses a challenge up. A used one is remembered until it expires, so that a replay is reported
    /// as a replay.
    pub(super) fn use_up(&self, value: B256, now: u64) -> Result<(), KgcError> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&value).filter(|challenge| now <= challenge.until) {
            None => Err(KgcError::ChallengeUnknown { challenge: value }),
            Some(Challenge { used: true, .. }) => Err(KgcError::RequestUsed { challenge: value }),
            Some(challenge) => {
                challenge.used = true;
                Ok(())
            }
        }
    }
}
