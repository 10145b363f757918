//! Challenges: each given out once, used once by a wallet, and within minutes, so that a request
//! cannot be replayed.
//!
//! Nothing is kept for a challenge that is not used: it carries its own expiry, and a MAC under a
//! key of this boot. So a stranger who fetches millions of them costs no memory.
//!
//! ```text
//! version u8 = 1 | boot id (7) | expiry u32, monotonic seconds | counter u32 | MAC (16)
//! ```
//! The MAC is HMAC-SHA256 over the first 16 bytes and the KGC's id, cut to 16 bytes. Setting the
//! wall clock back makes no challenge live longer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::{Address, B256};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::KgcError;
use super::names::BootId;
use crate::envelope::capsules::CryptoRng;

/// How long a challenge may be used, in seconds.
pub const CHALLENGE_SECS: u64 = 300;
/// Most used challenges that are remembered until they expire: no more requests are taken then.
pub(super) const MAX_USED: usize = 100_000;

const VERSION: u8 = 1;
/// Everything before the MAC.
const SIGNED_BYTES: usize = 16;

/// The challenges of one KGC in this process.
#[derive(Debug)]
pub(super) struct Challenges {
    kgc: B256,
    boot: BootId,
    key: Key,
    next: AtomicU32,
    /// Until when, by the monotonic clock, a wallet's used challenge is remembered.
    used: Mutex<HashMap<(Address, B256), u32>>,
}

struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Challenges {
    /// The challenges of a KGC that starts now.
    pub(super) fn new(kgc: B256, rng: &mut impl CryptoRng) -> Self {
        let (mut boot, mut key) = (BootId::ZERO, Key(Zeroizing::new([0; 32])));
        rng.fill_bytes(boot.as_mut());
        rng.fill_bytes(key.0.as_mut());
        Self { kgc, boot, key, next: AtomicU32::new(0), used: Mutex::default() }
    }

    /// The name of this run.
    pub(super) fn boot(&self) -> BootId {
        self.boot
    }

    /// Returns a new challenge; `now` is the time of the monotonic clock.
    pub(super) fn give(&self, now: Duration) -> B256 {
        let until = seconds(now.saturating_add(Duration::from_secs(CHALLENGE_SECS)));
        let counter = self.next.fetch_add(1, Ordering::Relaxed);
        let mut challenge = B256::ZERO;
        challenge[0] = VERSION;
        challenge[1..8].copy_from_slice(self.boot.as_slice());
        challenge[8..12].copy_from_slice(&until.to_be_bytes());
        challenge[12..SIGNED_BYTES].copy_from_slice(&counter.to_be_bytes());
        let mac = self.mac(&challenge).finalize().into_bytes();
        challenge[SIGNED_BYTES..].copy_from_slice(&mac[..16]);
        challenge
    }

    /// Checks that this KGC gave the challenge in this run, and that it has not expired.
    pub(super) fn check(&self, challenge: B256, now: Duration) -> Result<(), KgcError> {
        let found = BootId::from_slice(&challenge[1..8]);
        if challenge[0] == VERSION && found != self.boot {
            return Err(KgcError::OtherInstance { own: self.boot, found });
        }
        let whole = self.mac(&challenge).verify_truncated_left(&challenge[SIGNED_BYTES..]).is_ok();
        if whole && seconds(now) <= until(&challenge) { Ok(()) } else { Err(KgcError::ChallengeUnknown { challenge }) }
    }

    /// Notes that a wallet has used a challenge, which was checked before. Only this wallet: nobody
    /// can use up what another wallet was given.
    pub(super) fn use_up(&self, wallet: Address, challenge: B256, now: Duration) -> Result<(), KgcError> {
        let now = seconds(now);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.contains_key(&(wallet, challenge)) {
            return Err(KgcError::RequestUsed { challenge });
        }
        if used.len() >= MAX_USED {
            used.retain(|_, until| now <= *until);
        }
        if used.len() >= MAX_USED {
            return Err(KgcError::Busy);
        }
        used.insert((wallet, challenge), until(&challenge));
        Ok(())
    }

    /// How many used challenges are remembered.
    pub(super) fn used(&self) -> usize {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn mac(&self, challenge: &B256) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.0.as_ref()).expect("HMAC takes a key of any length");
        mac.update(&challenge[..SIGNED_BYTES]);
        mac.update(self.kgc.as_slice());
        mac
    }
}

/// The second until which a challenge may be used.
fn until(challenge: &B256) -> u32 {
    u32::from_be_bytes([challenge[8], challenge[9], challenge[10], challenge[11]])
}

/// Whole seconds of the monotonic clock: 2^32 are 136 years.
fn seconds(now: Duration) -> u32 {
    u32::try_from(now.as_secs()).unwrap_or(u32::MAX)
}
