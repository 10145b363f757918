//! What chance alone gives: expectations, bands, and the binomial distribution behind them.

/// Half width of every band, in standard deviations.
pub const BAND_SDS: f64 = 4.0;

/// Probability that a normal variable lies more than [`BAND_SDS`] standard deviations above its
/// mean.
pub const BAND_TAIL: f64 = 3.167e-5;

/// Mean and standard deviation of a measure under an ideal cipher, in the unit of the measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
}

impl Expectation {
    /// `mean - 4 sd ..= mean + 4 sd`.
    pub fn band(&self) -> (f64, f64) {
        (self.mean - BAND_SDS * self.sd, self.mean + BAND_SDS * self.sd)
    }
}

/// The binomial distribution Bin(n, p), without the values that are 10^30 times rarer than the
/// commonest.
pub(super) struct Binomial {
    /// The first value kept.
    first: u64,
    /// Probabilities of `first`, `first + 1`, ...; they sum to 1.
    probabilities: Vec<f64>,
}

impl Binomial {
    /// Bin(n, p) for `0 < p < 1`, by the ratio of neighbouring terms from the mode outwards: no
    /// term over- or underflows.
    pub(super) fn new(n: u64, p: f64) -> Self {
        const RAREST: f64 = 1e-30;
        let odds = p / (1.0 - p);
        let up = |k: u64| (n - k) as f64 / (k + 1) as f64 * odds; // P(k + 1) / P(k)
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // 0 <= (n + 1) p <= n + 1, and the cast saturates
        let mode = (((n as f64 + 1.0) * p) as u64).min(n);

        let mut below = Vec::new();
        let (mut first, mut weight) = (mode, 1.0);
        while first > 0 && weight > RAREST {
            weight /= up(first - 1);
            first -= 1;
            below.push(weight);
        }
        let mut probabilities: Vec<f64> = below.into_iter().rev().collect();
        probabilities.push(1.0);
        let (mut last, mut weight) = (mode, 1.0);
        while last < n && weight > RAREST {
            weight *= up(last);
            last += 1;
            probabilities.push(weight);
        }
        let total: f64 = probabilities.iter().sum();
        probabilities.iter_mut().for_each(|weight| *weight /= total);
        Self { first, probabilities }
    }

    /// Each value with its probability.
    pub(super) fn terms(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        (self.first..).zip(self.probabilities.iter().copied())
    }

    /// The narrowest interval outside of which lies at most `tail` on each side.
    pub(super) fn interval(&self, tail: f64) -> (u64, u64) {
        let outside = |probabilities: &mut dyn Iterator<Item = f64>| {
            let mut sum = 0.0;
            probabilities
                .take_while(|probability| {
                    sum += probability;
                    sum <= tail
                })
                .count() as u64
        };
        let last = self.first + self.probabilities.len() as u64 - 1;
        let low = outside(&mut self.probabilities.iter().copied());
        let high = outside(&mut self.probabilities.iter().rev().copied());
        (self.first + low, last - high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_coins() {
        let binomial = Binomial::new(4, 0.5);
        let expected = [(0, 0.0625), (1, 0.25), (2, 0.375), (3, 0.25), (4, 0.0625)];
        for ((k, p), (expected_k, expected_p)) in binomial.terms().zip(expected) {
            assert_eq!(k, expected_k);
            assert!((p - expected_p).abs() < 1e-15);
        }
        assert_eq!(binomial.terms().count(), 5);
        assert_eq!(binomial.interval(0.07), (1, 3));
        assert_eq!(binomial.interval(0.06), (0, 4));
        assert_eq!(binomial.interval(0.32), (2, 2));
    }

    #[test]
    fn moments_of_a_large_one() {
        let (n, p) = (1 << 24, 1.0 / 256.0);
        let binomial = Binomial::new(n, p);
        let mean: f64 = binomial.terms().map(|(k, weight)| k as f64 * weight).sum();
        let variance: f64 = binomial.terms().map(|(k, weight)| (k as f64 - 65536.0).powi(2) * weight).sum();
        assert!((mean - 65536.0).abs() < 1e-6, "{mean}");
        assert!((variance / (65536.0 * 255.0 / 256.0) - 1.0).abs() < 1e-9, "{variance}");
    }

    #[test]
    fn a_poisson_tail() {
        // Bin(65536, 1/65536) is all but Poisson(1): P(>= 8) = 1.02e-5, P(>= 7) = 8.3e-5.
        assert_eq!(Binomial::new(65536, 1.0 / 65536.0).interval(BAND_TAIL), (0, 7));
    }
}
