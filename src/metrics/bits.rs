//! How random the bits of many keys are: balanced, independent of each other, and far apart.

use super::chance::{BAND_SDS, BAND_TAIL, Binomial};
use super::differences::JUDGED_PAIRS;
use super::{Differences, Measurement};

/// Keys of one length, `(N, L)` as (key, bit).
#[derive(Clone)]
pub struct KeyBits {
    bits: usize,
    /// Of each key: its bits from the most significant of byte 0 on, the last word filled up with
    /// zeros.
    rows: Vec<u64>,
}

/// Says how many keys there are, never their bits.
impl std::fmt::Debug for KeyBits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyBits({} of {} bits)", self.len(), self.bits)
    }
}

impl KeyBits {
    /// No key yet, each to have so many bits.
    ///
    /// # Panics
    /// If the bits are no whole number of bytes, 1 or more.
    pub fn new(bits: usize) -> Self {
        assert!(bits > 0 && bits.is_multiple_of(8), "{bits} bits");
        Self { bits, rows: Vec::new() }
    }

    /// Adds a key.
    ///
    /// # Panics
    /// If it has another length.
    pub fn push(&mut self, key: &[u8]) {
        assert_eq!(8 * key.len(), self.bits, "bits of a key");
        self.rows.extend(key.chunks(8).map(|bytes| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(word)
        }));
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.rows.len() / self.words()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// L, the bits of a key.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The first `count` keys, or all of them if they are fewer.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        Self { bits: self.bits, rows: self.rows[..count.min(self.len()) * self.words()].to_vec() }
    }

    /// In how many bits the keys differ, each from each.
    pub fn distances(&self) -> Differences {
        let mut distances = Differences::new(self.bits);
        let keys: Vec<&[u64]> = self.rows.chunks_exact(self.words()).collect();
        for (index, one) in keys.iter().enumerate() {
            for other in &keys[index + 1..] {
                let differing: u32 = one.iter().zip(*other).map(|(a, b)| (a ^ b).count_ones()).sum();
                distances.count(differing as usize);
            }
        }
        distances
    }

    /// Share of ones, bias of the worst bit; correlation of the bits, over all pairs of them and of
    /// the worst pair.
    ///
    /// Correlation is the mean product of two bits as +1 and -1, about one half and not about the
    /// means that were found.
    pub fn rows(&self) -> [Measurement; 4] {
        let keys = self.len() as u64;
        let columns = self.columns();
        let ones: Vec<u64> = columns.iter().map(|column| set(column)).collect();
        let defined = |value: f64| (keys > 0).then_some(value);

        let all = (keys * self.bits as u64) as f64;
        let share = 100.0 * ones.iter().sum::<u64>() as f64 / all;
        let half_width = BAND_SDS * 50.0 / all.sqrt();
        let share_band = defined(half_width).map(|half_width| (50.0 - half_width, 50.0 + half_width));

        let (pairs, squares, worst) = correlations(&columns, keys);
        let rms = (squares / pairs as f64).sqrt();
        let ideal = 1.0 / (keys as f64).sqrt();
        let spread = BAND_SDS * (2.0 / pairs as f64).sqrt();
        let judged = keys * keys.saturating_sub(1) / 2 >= JUDGED_PAIRS;
        let rms_band = judged.then(|| (ideal * (1.0 - spread).max(0.0).sqrt(), ideal * (1.0 + spread).sqrt()));

        let bias = ones.iter().map(|ones| (*ones as f64 / keys as f64 - 0.5).abs()).fold(0.0, f64::max);
        let (bias_ideal, bias_band) = worst_deviation(keys, self.bits as u64);
        let (worst_ideal, worst_band) = worst_deviation(keys, pairs);
        let twice = |value: Option<f64>| value.map(|value| 2.0 * value);
        [
            Measurement::new(("shareOfOnes", "share of ones", "%"), defined(share), Some(50.0), share_band),
            Measurement::new(("worstBias", "bias of the worst bit", ""), defined(bias), bias_ideal, bias_band),
            Measurement::new(
                ("correlationRms", "correlation of bits, rms", ""),
                defined(rms),
                defined(ideal),
                rms_band,
            ),
            Measurement::new(
                ("worstCorrelation", "correlation of the worst pair", ""),
                defined(worst),
                twice(worst_ideal),
                worst_band.map(|(low, high)| (2.0 * low, 2.0 * high)),
            ),
        ]
    }

    /// Words of a key.
    fn words(&self) -> usize {
        self.bits.div_ceil(64)
    }

    /// Bit j of every key, packed: column j.
    fn columns(&self) -> Vec<Vec<u64>> {
        let mut columns = vec![vec![0; self.len().div_ceil(64)]; self.bits];
        for (key, row) in self.rows.chunks_exact(self.words()).enumerate() {
            for (bit, column) in columns.iter_mut().enumerate() {
                column[key / 64] |= (row[bit / 64] >> (63 - bit % 64) & 1) << (key % 64);
            }
        }
        columns
    }
}

fn set(words: &[u64]) -> u64 {
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// Pairs of columns, the sum of their squared correlations, and the greatest of these in size.
fn correlations(columns: &[Vec<u64>], keys: u64) -> (u64, f64, f64) {
    let (mut pairs, mut squares, mut worst) = (0, 0.0, 0.0_f64);
    for (index, one) in columns.iter().enumerate() {
        for other in &columns[index + 1..] {
            let differing: u64 = one.iter().zip(other).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
            let correlation = 1.0 - 2.0 * differing as f64 / keys as f64;
            pairs += 1;
            squares += correlation * correlation;
            worst = worst.max(correlation.abs());
        }
    }
    (pairs, squares, worst)
}

/// How far the worst of `count` shares of `coins` fair coins each lies from one half: the median,
/// and from the least to the most that chance explains.
fn worst_deviation(coins: u64, count: u64) -> (Option<f64>, Option<(f64, f64)>) {
    if coins == 0 || count == 0 {
        return (None, None);
    }
    let binomial = Binomial::new(coins, 0.5);
    // All of them lie within t with probability q where one does with q^(1/count).
    let quantile = |log_probability: f64| {
        let outside = -(log_probability / count as f64).exp_m1() / 2.0;
        binomial.interval(outside).1 as f64 / coins as f64 - 0.5
    };
    (Some(quantile(0.5_f64.ln())), Some((quantile(BAND_TAIL.ln()), quantile((-BAND_TAIL).ln_1p()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::BandVerdict;
    use proptest::prelude::{Rng, RngExt};
    use proptest::test_runner::{RngAlgorithm, TestRng};

    /// Keys of fair coins, each changed by `change`.
    fn coins(count: usize, bytes: usize, change: impl Fn(&mut [u8], &mut dyn Rng)) -> KeyBits {
        let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut keys = KeyBits::new(8 * bytes);
        for _ in 0..count {
            let mut key: Vec<u8> = (0..bytes).map(|_| random.random()).collect();
            change(&mut key, &mut random);
            keys.push(&key);
        }
        keys
    }

    /// Names of the rows outside of their bands.
    fn outside(keys: &KeyBits) -> Vec<&'static str> {
        let rows = keys.rows().into_iter().chain(keys.distances().distance_rows());
        rows.filter(|row| row.verdict == BandVerdict::Outside).map(|row| row.name).collect()
    }

    #[test]
    fn rows_by_hand() {
        let mut keys = KeyBits::new(8);
        for key in [0b1111_0000_u8, 0b1110_0001, 0b1100_0011, 0b1000_0111] {
            keys.push(&[key]);
        }
        let [share, bias, _, worst] = keys.rows();
        assert_eq!((share.value, bias.value), (Some(50.0), Some(0.5))); // bit 0 is 1 in all of them
        assert_eq!(worst.value, Some(1.0)); // bits 1 and 5 are each other's opposite
        let distances = keys.distances();
        assert_eq!(distances.counts(), [0, 0, 3, 0, 2, 0, 1, 0, 0]);
        assert_eq!((keys.first(2).distances().total(), keys.first(9).len()), (1, 4));
        assert_eq!(format!("{keys:?}"), "KeyBits(4 of 8 bits)");
    }

    #[test]
    fn correlation_of_two_bits_by_hand() {
        let mut keys = KeyBits::new(8);
        (0..=255_u8).for_each(|key| keys.push(&[key & 0xfe | (key >> 1 & 1)]));
        // Of 28 pairs, one is fully correlated: the last bit repeats the one before it.
        let [_, _, rms, worst] = keys.rows();
        assert!((rms.value.expect("defined") - (1.0_f64 / 28.0).sqrt()).abs() < 1e-12);
        assert_eq!(worst.value, Some(1.0));
    }

    #[test]
    fn fair_coins_are_within_every_band() {
        for (count, bytes) in [(2, 96), (20, 96), (20, 32), (1000, 96), (1000, 32), (100, 5)] {
            assert_eq!(outside(&coins(count, bytes, |_, _| ())), [] as [&str; 0], "{count} keys of {bytes} bytes");
        }
    }

    #[test]
    fn what_is_unfair_is_outside() {
        let one_bit_of_ten =
            |key: &mut [u8], random: &mut dyn Rng| key[3] |= u8::from(random.next_u32().is_multiple_of(5));
        assert_eq!(outside(&coins(1000, 96, one_bit_of_ten)), ["worstBias"]);
        let repeated = |key: &mut [u8], _: &mut dyn Rng| key[9] = key[8];
        let found = outside(&coins(1000, 96, repeated));
        assert!(found.contains(&"worstCorrelation") && found.contains(&"correlationRms"), "{found:?}");
        let ones =
            |key: &mut [u8], random: &mut dyn Rng| key.iter_mut().for_each(|byte| *byte |= random.random::<u8>());
        let found = outside(&coins(1000, 96, ones));
        assert!(["shareOfOnes", "worstBias", "meanDistance", "closePairs"].iter().all(|name| found.contains(name)));
        let few = |key: &mut [u8], random: &mut dyn Rng| {
            if random.next_u32().is_multiple_of(100) {
                key.fill(7);
            }
        };
        assert!(outside(&coins(1000, 96, few)).contains(&"leastDistance"));
    }

    #[test]
    fn without_keys_nothing_is_defined() {
        assert!(KeyBits::new(8).is_empty());
        assert!(KeyBits::new(8).rows().iter().all(|row| row.verdict == BandVerdict::Undefined));
    }
}
