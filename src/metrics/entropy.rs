//! Entropy, eq. (11), and what N uniform symbols give.
//!
//! `H = - sum_i p_i log2 p_i`, with `p_i = n_i / N` the share of symbol i among N symbols
//! ("plug-in"), in bits per symbol: `0 <= H <= min(log2 L, log2 N)` for L possible values.

use super::chance::{Binomial, Expectation};

/// Fewest symbols for which a band is given: below, the entropy of an ideal source is too coarse
/// for 4 standard deviations to mean what they say.
pub const MIN_BAND_SYMBOLS: u64 = 4096;

/// Entropy of the histogram `counts`, eq. (11), in bits per symbol; `None` of no symbols.
pub fn of_counts(counts: &[u64]) -> Option<f64> {
    let symbols: u64 = counts.iter().sum();
    if symbols == 0 {
        return None;
    }
    let shares = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / symbols as f64);
    Some(shares.map(|share| share * (1.0 / share).log2()).sum())
}

/// Entropy of the bytes, eq. (11) with L = 256, in bits per byte (0 to 8); `None` of no bytes.
pub fn of_bytes(bytes: &[u8]) -> Option<f64> {
    let mut counts = [0u64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    of_counts(&counts)
}

/// Entropy of 2-byte samples, eq. (11) with L = 65536, in bits per sample (0 to 16); `None` of less
/// than one sample.
///
/// The byte order does not matter: it renames the symbols. A last odd byte is left out.
pub fn of_words(bytes: &[u8]) -> Option<f64> {
    let mut counts = vec![0u64; 65536];
    for word in bytes.as_chunks::<2>().0 {
        counts[usize::from(u16::from_le_bytes(*word))] += 1;
    }
    of_counts(&counts)
}

/// What the plug-in entropy of `symbols` uniform symbols over `levels` values is, in bits per
/// symbol.
///
/// The mean is exact: with `X ~ Bin(N, 1/L)`, `E[H] = log2 N - (L/N) E[X log2 X]`, which for N >> L
/// is `log2 L - (L-1) / (2 N ln 2)`. The variance is that of L independent cells less the part
/// which their fixed sum takes away, `L (Var f - Cov(f, X)^2 / Var X) / N^2` with `f = X log2 X`;
/// for N >> L its root is `sqrt(2 (L-1)) / (2 N ln 2)`.
///
/// # Panics
/// If `levels < 2`.
pub fn expected(symbols: u64, levels: u64) -> Expectation {
    assert!(levels >= 2, "a source of {levels} values has no entropy");
    if symbols < 2 {
        return Expectation { mean: 0.0, sd: 0.0 };
    }
    let per_level = symbols as f64 / levels as f64;
    let cells = Binomial::new(symbols, 1.0 / levels as f64);
    // g is f less a linear function of X: that shifts the mean by log2 (N/L), leaves the residual
    // variance, and loses no digits.
    let g = |k: u64| {
        let k = k as f64;
        let main = if k > 0.0 { k * (k / per_level).log2() } else { 0.0 };
        main - (k - per_level) / std::f64::consts::LN_2
    };
    let mean_g: f64 = cells.terms().map(|(k, p)| p * g(k)).sum();
    let (mut var_g, mut covariance, mut variance) = (0.0, 0.0, 0.0);
    for (k, p) in cells.terms() {
        let (dg, dk) = (g(k) - mean_g, k as f64 - per_level);
        var_g += p * dg * dg;
        covariance += p * dg * dk;
        variance += p * dk * dk;
    }
    let residual = (var_g - covariance * covariance / variance).max(0.0);
    Expectation {
        mean: (levels as f64).log2() - mean_g / per_level,
        sd: (residual * levels as f64).sqrt() / symbols as f64,
    }
}

/// Expectation plus and minus 4 standard deviations, at most `min(log2 L, log2 N)`; `None` below
/// [`MIN_BAND_SYMBOLS`].
///
/// # Panics
/// If `levels < 2`.
pub fn band(symbols: u64, levels: u64) -> Option<(f64, f64)> {
    (symbols >= MIN_BAND_SYMBOLS).then(|| {
        let (low, high) = expected(symbols, levels).band();
        (low, high.min((symbols.min(levels) as f64).log2()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::tests::SplitMix;

    const N: u64 = 512 * 512;

    #[test]
    fn hand_values() {
        assert_eq!(of_bytes(&[]), None);
        assert_eq!(of_words(&[7]), None);
        assert_eq!(of_bytes(&[7]), Some(0.0));
        assert_eq!(of_bytes(&[7; 1000]), Some(0.0));
        assert_eq!(of_bytes(&[0, 1]), Some(1.0));
        assert_eq!(of_bytes(&[0, 0, 1, 2]), Some(1.5));
        let each: Vec<u8> = (0..=255).collect();
        assert_eq!(of_bytes(&each), Some(8.0));
        assert_eq!(of_words(&each), Some(7.0));
        assert_eq!(of_words(&[1, 2, 2, 1]), Some(1.0));
        let words: Vec<u8> = (0..=65535u16).flat_map(u16::to_be_bytes).collect();
        assert_eq!(of_words(&words), Some(16.0));
    }

    /// The table of the study, to its printed digits.
    #[test]
    fn expectations_of_uniform_sources() {
        let table = [
            (8, 256, 7.99719, 1e-5),
            (8, 512, 7.99930, 1e-5),
            (8, 1024, 7.99982, 1e-5),
            (8, 4096, 7.99999, 1e-5),
            (12, 256, 11.9544, 1e-4),
            (12, 512, 11.9887, 1e-4),
            (16, 256, 15.1728, 1e-4),
            (16, 512, 15.8080, 1e-4),
            (16, 1024, 15.9544, 1e-4),
            (16, 4096, 15.9972, 1e-4),
            (24, 256, 15.9961, 1e-4),
            (24, 512, 17.9844, 1e-4),
            (24, 1024, 19.9383, 1e-4),
            (24, 4096, 23.1728, 1e-4),
        ];
        for (bits, side, value, digit) in table {
            let mean = expected(side * side, 1 << bits).mean;
            assert!((mean - value).abs() <= 0.5 * digit, "{bits} bits, {side}: {mean}");
        }
    }

    #[test]
    fn standard_deviations() {
        let many = |n: f64, l: f64| (2.0 * (l - 1.0)).sqrt() / (2.0 * n * std::f64::consts::LN_2);
        for n in [1 << 16, 1 << 18, 1 << 24] {
            let sd = expected(n, 256).sd;
            assert!((sd / many(n as f64, 256.0) - 1.0).abs() < 0.01, "{n}: {sd}");
        }
        let sd = expected(N, 65536).sd;
        assert!((sd - 0.00108).abs() < 0.00001, "{sd}"); // `spread_of_samples` checks it
    }

    #[test]
    fn small_counts() {
        assert_eq!(expected(0, 256), Expectation { mean: 0.0, sd: 0.0 });
        assert_eq!(expected(1, 256), Expectation { mean: 0.0, sd: 0.0 });
        // Two symbols of 256: equal with probability 1/256 (0 bits), else 1 bit.
        assert!((expected(2, 256).mean - 255.0 / 256.0).abs() < 1e-12);
        assert_eq!(band(4095, 256), None);
        let (low, high) = band(4096, 65536).expect("enough symbols");
        assert!(11.9 < low && low < high && high < 12.0, "{low} {high}");
        assert_eq!(band(4096, 2).expect("enough symbols").1, 1.0); // never above the ceiling
    }

    #[test]
    fn uniform_inside_biased_outside() {
        for seed in 0..20 {
            let mut bytes = SplitMix(seed).bytes(512 * 1024);
            let judge = |bytes: &[u8]| {
                let inside = |h: f64, (low, high): (f64, f64)| low <= h && h <= high;
                (
                    inside(of_bytes(bytes).expect("bytes"), band(bytes.len() as u64, 256).expect("band")),
                    inside(of_words(bytes).expect("words"), band(bytes.len() as u64 / 2, 65536).expect("band")),
                )
            };
            assert_eq!(judge(&bytes), (true, true), "seed {seed}");
            // The twin: one byte in 16 loses its lowest bit.
            bytes.iter_mut().step_by(16).for_each(|byte| *byte &= 0xfe);
            assert!(!judge(&bytes).0, "seed {seed}");
            // Too even is outside too.
            let even: Vec<u8> = (0..4).flat_map(|_| 0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
            assert_eq!(judge(&even), (false, false));
        }
    }

    /// The spread of 300 entropies agrees with the formula, for dense and for sparse histograms.
    #[test]
    fn spread_of_samples() {
        let mut random = SplitMix(11);
        let runs = 300;
        for (bytes, words) in [(16384, false), (16384, true), (524_288, true)] {
            let values: Vec<f64> = (0..runs)
                .map(|_| random.bytes(bytes))
                .map(|data| if words { of_words(&data) } else { of_bytes(&data) }.expect("data"))
                .collect();
            let mean = values.iter().sum::<f64>() / f64::from(runs);
            let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::from(runs - 1)).sqrt();
            let ideal = if words { expected(bytes as u64 / 2, 65536) } else { expected(bytes as u64, 256) };
            assert!((mean - ideal.mean).abs() < 4.0 * ideal.sd / f64::from(runs).sqrt(), "{mean} {ideal:?}");
            assert!((sd / ideal.sd - 1.0).abs() < 0.17, "{sd} {ideal:?}"); // 4 sd of an sd from 300
        }
    }
}
