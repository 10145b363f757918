//! How often something may happen: token buckets, one for each key, of bounded number.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many at once, and so many a second after that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How many may come at once.
    pub burst: f64,
    /// How many come back a second.
    pub per_second: f64,
}

impl Rate {
    /// As many a minute, all at once or spread.
    pub fn a_minute(number: u32) -> Self {
        let burst = f64::from(number);
        Self { burst, per_second: burst / 60.0 }
    }
}

/// Most keys that are kept apart; the fullest are forgotten first, which refuses nobody.
const KEYS: usize = 100_000;

/// A token bucket for each key.
#[derive(Debug)]
pub struct Limiter<K> {
    rates: Vec<Rate>,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone)]
struct Bucket {
    tokens: Vec<f64>,
    at: Duration,
}

impl<K: Eq + Hash + Clone> Limiter<K> {
    /// Lets through what all of these rates let through.
    pub fn new(rates: impl IntoIterator<Item = Rate>) -> Self {
        Self { rates: rates.into_iter().collect(), buckets: Mutex::default() }
    }

    /// Takes one; `now` is the time of the monotonic clock.
    ///
    /// # Errors
    /// After how many whole seconds there is one again.
    pub fn take(&self, key: K, now: Duration) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| !is_full(bucket, &self.rates, now));
            if buckets.len() >= KEYS {
                return Err(1);
            }
        }
        let full = || Bucket { tokens: self.rates.iter().map(|rate| rate.burst).collect(), at: now };
        let bucket = buckets.entry(key).or_insert_with(full);
        refill(bucket, &self.rates, now);
        let wait = self.rates.iter().zip(&bucket.tokens).map(|(rate, tokens)| missing(*rate, *tokens)).max();
        if let Some(seconds @ 1..) = wait {
            return Err(seconds);
        }
        for tokens in &mut bucket.tokens {
            *tokens -= 1.0;
        }
        Ok(())
    }
}

fn refill(bucket: &mut Bucket, rates: &[Rate], now: Duration) {
    let passed = now.saturating_sub(bucket.at).as_secs_f64();
    bucket.at = now;
    for (tokens, rate) in bucket.tokens.iter_mut().zip(rates) {
        *tokens = (*tokens + passed * rate.per_second).min(rate.burst);
    }
}

fn is_full(bucket: &Bucket, rates: &[Rate], now: Duration) -> bool {
    let mut bucket = bucket.clone();
    refill(&mut bucket, rates, now);
    bucket.tokens.iter().zip(rates).all(|(tokens, rate)| *tokens >= rate.burst)
}

/// Seconds until there is a token; 0 where there is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and cut off at an hour")]
fn missing(rate: Rate, tokens: f64) -> u64 {
    if tokens >= 1.0 { 0 } else { ((1.0 - tokens) / rate.per_second).ceil().clamp(1.0, 3600.0) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_and_each_key_on_its_own() {
        let limiter = Limiter::new([Rate { burst: 2.0, per_second: 0.5 }]);
        let at = Duration::from_secs;
        assert_eq!(limiter.take("a", at(10)), Ok(()));
        assert_eq!(limiter.take("a", at(10)), Ok(()));
        assert_eq!(limiter.take("a", at(10)), Err(2));
        assert_eq!(limiter.take("b", at(10)), Ok(()));
        assert_eq!(limiter.take("a", at(11)), Err(1));
        assert_eq!(limiter.take("a", at(12)), Ok(()));
        assert_eq!(limiter.take("a", at(12)), Err(2));
        // No more than the burst comes back, however long nobody asks.
        assert_eq!(limiter.take("a", at(9000)), Ok(()));
        assert_eq!(limiter.take("a", at(9000)), Ok(()));
        assert_eq!(limiter.take("a", at(9000)), Err(2));
    }

    #[test]
    fn all_of_several_rates_count() {
        let limiter = Limiter::new([Rate { burst: 9.0, per_second: 9.0 }, Rate { burst: 1.0, per_second: 0.001 }]);
        assert_eq!(limiter.take((), Duration::ZERO), Ok(()));
        assert_eq!(limiter.take((), Duration::from_secs(10)), Err(990));
    }

    #[test]
    fn strangers_fill_no_memory() {
        let limiter = Limiter::new([Rate { burst: 1.0, per_second: 1.0 }]);
        for stranger in 0..KEYS {
            assert_eq!(limiter.take(stranger, Duration::ZERO), Ok(()));
        }
        assert_eq!(limiter.take(KEYS, Duration::ZERO), Err(1));
        assert_eq!(limiter.take(KEYS, Duration::from_secs(2)), Ok(()));
        assert_eq!(limiter.buckets.lock().expect("no panic").len(), 1);
    }
}
