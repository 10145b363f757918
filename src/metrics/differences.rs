//! In how many bits pairs of keys differ, compared with pairs of random keys: distances between
//! images, and bits flipped by an image's smallest changes.

use super::Measurement;
use super::chance::{BAND_SDS, BAND_TAIL, Binomial};

/// Pairs from which on a standard deviation gets a band: with fewer it is far from normal.
pub(super) const JUDGED_PAIRS: u64 = 100;

/// How many pairs of keys of L bits differ in 0, 1, ... L bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    counts: Vec<u64>,
}

impl Differences {
    /// No pair yet, of keys of so many bits.
    ///
    /// # Panics
    /// For keys of no bits.
    pub fn new(bits: usize) -> Self {
        assert!(bits > 0, "keys of no bits");
        Self { counts: vec![0; bits + 1] }
    }

    /// Counts a pair.
    ///
    /// # Panics
    /// If one is longer than the other, or they differ in more than L bits.
    pub fn add(&mut self, one: &[u8], other: &[u8]) {
        assert_eq!(one.len(), other.len(), "keys of one length");
        let bits: u32 = one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum();
        self.counts[bits as usize] += 1;
    }

    /// Counts a pair that differs in `bits` bits.
    pub(super) fn count(&mut self, bits: usize) {
        self.counts[bits] += 1;
    }

    /// Counts the pairs of another set.
    ///
    /// # Panics
    /// If its keys have other lengths.
    pub fn extend(&mut self, other: &Self) {
        assert_eq!(self.counts.len(), other.counts.len(), "keys of one length");
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
    }

    /// L, the bits of a key.
    pub fn bits(&self) -> usize {
        self.counts.len() - 1
    }

    /// How many pairs were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many pairs differ in 0, 1, ... L bits.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many pairs of fair coins, of as many, differ in 0, 1, ... L bits.
    pub fn ideal_counts(&self) -> Vec<f64> {
        let mut ideal = vec![0.0; self.counts.len()];
        for (bits, probability) in self.coins().terms() {
            if let Some(count) = usize::try_from(bits).ok().and_then(|bits| ideal.get_mut(bits)) {
                *count = probability * self.total() as f64;
            }
        }
        ideal
    }

    /// Mean, standard deviation, least, and pairs under 40 %: of the keys of unlike images.
    pub fn distance_rows(&self) -> [Measurement; 4] {
        let total = self.total();
        // Fewer than 40 % of the bits.
        let under = (2 * self.bits()).div_ceil(5);
        let count = self.counts[..under].iter().sum::<u64>() as f64;
        let chance = self.chance_of(|bits| bits < under);
        let band = share_band(total, chance).map(|(low, high)| (low as f64, high as f64));
        [
            self.mean(("meanDistance", "distance, mean", "%")),
            self.sd(("sdDistance", "distance, sd", "bit")),
            self.least(("leastDistance", "distance of the nearest pair", "bit")),
            Measurement::new(
                ("closePairs", "pairs under 40 %", ""),
                (total > 0).then_some(count),
                Some(chance * total as f64),
                band,
            ),
        ]
    }

    /// Mean, standard deviation, least, and the share of changes that flip 45 % of the bits or
    /// more.
    pub fn flip_rows(&self) -> [Measurement; 4] {
        let total = self.total();
        let enough = (9 * self.bits()).div_ceil(20);
        let count = self.counts[enough..].iter().sum::<u64>() as f64;
        let chance = self.chance_of(|bits| bits >= enough);
        let percent = |count: f64| 100.0 * count / total as f64;
        let band = share_band(total, chance).map(|(low, high)| (percent(low as f64), percent(high as f64)));
        [
            self.mean(("meanFlips", "flipped bits, mean", "%")),
            self.sd(("sdFlips", "flipped bits, sd", "bit")),
            self.least(("leastFlips", "flipped bits, least", "bit")),
            Measurement::new(
                ("enoughFlips", "changes that flip >= 45 %", "%"),
                (total > 0).then(|| percent(count)),
                Some(100.0 * chance),
                band,
            ),
        ]
    }

    fn coins(&self) -> Binomial {
        Binomial::new(self.bits() as u64, 0.5)
    }

    /// Standard deviation of one pair of fair coins, in bits.
    fn ideal_sd(&self) -> f64 {
        (self.bits() as f64).sqrt() / 2.0
    }

    fn chance_of(&self, such: impl Fn(usize) -> bool) -> f64 {
        let terms = self.coins();
        let terms = terms.terms().filter(|(bits, _)| usize::try_from(*bits).is_ok_and(&such));
        terms.map(|(_, probability)| probability).sum()
    }

    /// The sum of a function over the pairs, divided by their number.
    fn average(&self, of: impl Fn(f64) -> f64) -> Option<f64> {
        let total = self.total();
        let sum: f64 = self.counts.iter().enumerate().map(|(bits, count)| of(bits as f64) * *count as f64).sum();
        (total > 0).then(|| sum / total as f64)
    }

    /// The pairs may share keys: any two differences of fair coins are independent all the same.
    fn mean(&self, what: (&'static str, &'static str, &'static str)) -> Measurement {
        let scale = 100.0 / self.bits() as f64;
        let half_width = BAND_SDS * scale * self.ideal_sd() / (self.total() as f64).sqrt();
        let value = self.average(|bits| bits * scale);
        Measurement::new(what, value, Some(50.0), value.map(|_| (50.0 - half_width, 50.0 + half_width)))
    }

    /// About one half of the bits, not about the mean that was found.
    fn sd(&self, what: (&'static str, &'static str, &'static str)) -> Measurement {
        let (half, ideal, total) = (self.bits() as f64 / 2.0, self.ideal_sd(), self.total());
        let spread = BAND_SDS * (2.0 / total as f64).sqrt();
        let band = (total >= JUDGED_PAIRS).then(|| (ideal * (1.0 - spread).sqrt(), ideal * (1.0 + spread).sqrt()));
        Measurement::new(what, self.average(|bits| (bits - half).powi(2)).map(f64::sqrt), Some(ideal), band)
    }

    fn least(&self, what: (&'static str, &'static str, &'static str)) -> Measurement {
        let Some(least) = self.counts.iter().position(|count| *count > 0) else {
            return Measurement::new(what, None, None, None);
        };
        let coins = self.coins();
        // The least of n is below d with probability q where one is with 1 - (1 - q)^(1/n).
        let quantile = |log_rest: f64| coins.interval(-(log_rest / self.total() as f64).exp_m1()).0 as f64;
        let band = (quantile((-BAND_TAIL).ln_1p()), quantile(BAND_TAIL.ln()));
        Measurement::new(what, Some(least as f64), Some(quantile(0.5_f64.ln())), Some(band))
    }
}

/// How many of `total` have what each has with probability `chance`: from the least to the most
/// that chance explains.
fn share_band(total: u64, chance: f64) -> Option<(u64, u64)> {
    match total {
        0 => None,
        _ if chance <= 0.0 => Some((0, 0)),
        _ if chance >= 1.0 => Some((total, total)),
        _ => Some(Binomial::new(total, chance).interval(BAND_TAIL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::BandVerdict;

    fn of(bits: usize, differing: impl IntoIterator<Item = usize>) -> Differences {
        let mut differences = Differences::new(bits);
        differing.into_iter().for_each(|bits| differences.count(bits));
        differences
    }

    #[test]
    fn pairs_are_counted_by_their_bits() {
        let mut differences = Differences::new(16);
        differences.add(&[0xff, 0x00], &[0xfe, 0x00]);
        differences.add(&[0xff, 0x00], &[0x00, 0xff]);
        differences.add(&[7, 7], &[7, 7]);
        let mut expected = [0; 17];
        (expected[0], expected[1], expected[16]) = (1, 1, 1);
        assert_eq!((differences.counts(), differences.total(), differences.bits()), (&expected[..], 3, 16));
        let mut twice = differences.clone();
        twice.extend(&differences);
        assert_eq!(twice.total(), 6);
    }

    #[test]
    fn rows_by_hand() {
        let [mean, sd, least, under] = of(10, [3, 4, 5, 8]).distance_rows();
        assert_eq!(mean.value, Some(50.0));
        assert_eq!(sd.value, Some((14.0_f64 / 4.0).sqrt()));
        assert_eq!((least.value, under.value), (Some(3.0), Some(1.0)));
        // Of ten coins 0 to 3 heads: (1 + 10 + 45 + 120) / 1024.
        assert!((under.ideal.expect("an ideal") - 4.0 * 176.0 / 1024.0).abs() < 1e-12);
        let [_, _, _, enough] = of(20, [8, 9, 10, 20]).flip_rows();
        assert_eq!(enough.value, Some(75.0));
    }

    #[test]
    fn the_goal_for_768_bits_is_what_the_model_card_counts() {
        let enough = |bits| of(768, [bits]).flip_rows()[3].value;
        assert_eq!((enough(345), enough(346)), (Some(0.0), Some(100.0)));
        let under = |bits| of(768, [bits]).distance_rows()[3].value;
        assert_eq!((under(307), under(308)), (Some(1.0), Some(0.0)));
        // 99.7 % of fair coins, as the card's column for them says.
        let ideal = of(768, [384]).flip_rows()[3].ideal.expect("an ideal");
        assert!((99.65..99.75).contains(&ideal), "{ideal}");
    }

    #[test]
    fn without_pairs_nothing_is_defined() {
        for row in Differences::new(8).distance_rows().iter().chain(&Differences::new(8).flip_rows()) {
            assert_eq!(row.verdict, BandVerdict::Undefined, "{row}");
        }
    }

    #[test]
    fn the_least_of_many_coins() {
        // 1000 pairs of 4 bits: 0 is to be expected. One pair: any value but the ends is.
        let [.., least, _] = of(4, [0; 1000]).distance_rows();
        assert_eq!((least.ideal, least.verdict), (Some(0.0), BandVerdict::Within));
        let [.., least, _] = of(4, [2]).distance_rows();
        assert_eq!((least.ideal, least.band), (Some(2.0), Some((0.0, 4.0))));
    }
}
