//! NPCR and UACI, eq. (12) and (13): what one changed pixel does to the ciphertext.
//!
//! Two ciphertexts of the same size, of images that differ in one pixel, under the same key and
//! salt. Samples are unsigned integers of 8 w bits, so `F = 2^(8w) - 1` belongs to the width w, not
//! to the significant bits of the plain image. Means and variances: Wu, Noonan, Agaian (2011).
//! Everything here is in per cent.

use super::MetricsError;
use super::chance::{BAND_TAIL, Binomial, Expectation};
use super::samples::largest;
use crate::imaging::ByteOrder;

/// NPCR, eq. (12): the share of samples that differ, `100 * #{i : c1_i != c2_i} / n`, in per cent
/// (0 to 100).
///
/// # Errors
/// [`MetricsError::Lengths`], [`MetricsError::Samples`].
pub fn npcr(first: &[u8], second: &[u8], sample_bytes: usize) -> Result<f64, MetricsError> {
    check(first, second, sample_bytes)?;
    let changed = match sample_bytes {
        1 => changed::<1>(first, second),
        2 => changed::<2>(first, second),
        4 => changed::<4>(first, second),
        _ => changed::<8>(first, second),
    };
    Ok(per_cent(changed, (first.len() / sample_bytes) as u64))
}

/// UACI, eq. (13): the mean change against the full scale, `100 * sum_i |c1_i - c2_i| / (F n)`, in
/// per cent (0 to 100).
///
/// # Errors
/// [`MetricsError::Lengths`], [`MetricsError::Samples`].
pub fn uaci(first: &[u8], second: &[u8], sample_bytes: usize, byte_order: ByteOrder) -> Result<f64, MetricsError> {
    check(first, second, sample_bytes)?;
    let sum = match (sample_bytes, byte_order) {
        (1, _) => total_change(first, second, |c| u64::from(u8::from_le_bytes(c))),
        (2, ByteOrder::Little) => total_change(first, second, |c| u64::from(u16::from_le_bytes(c))),
        (2, ByteOrder::Big) => total_change(first, second, |c| u64::from(u16::from_be_bytes(c))),
        (4, ByteOrder::Little) => total_change(first, second, |c| u64::from(u32::from_le_bytes(c))),
        (4, ByteOrder::Big) => total_change(first, second, |c| u64::from(u32::from_be_bytes(c))),
        (_, ByteOrder::Little) => total_change(first, second, u64::from_le_bytes),
        (_, ByteOrder::Big) => total_change(first, second, u64::from_be_bytes),
    };
    let samples = (first.len() / sample_bytes) as f64;
    Ok(100.0 * (sum as f64) / (full_scale(sample_bytes) * samples))
}

/// `#{i : c1_i != c2_i}`.
fn changed<const N: usize>(first: &[u8], second: &[u8]) -> u64 {
    let pairs = first.as_chunks::<N>().0.iter().zip(second.as_chunks::<N>().0);
    pairs.map(|(a, b)| u64::from(a != b)).sum()
}

/// `sum_i |c1_i - c2_i|`, exactly.
fn total_change<const N: usize>(first: &[u8], second: &[u8], number: impl Fn([u8; N]) -> u64) -> u128 {
    let mut sum = 0;
    for (a, b) in first.as_chunks::<N>().0.iter().zip(second.as_chunks::<N>().0) {
        sum += u128::from(number(*a).abs_diff(number(*b)));
    }
    sum
}

/// NPCR of two independent uniform ciphertexts: mean `F / (F+1)`, variance `F / ((F+1)^2 n)`; in
/// per cent.
///
/// `sample_bytes` is 1, 2, 4 or 8 and `samples` at least 1.
pub fn expected_npcr(samples: u64, sample_bytes: usize) -> Expectation {
    let f = full_scale(sample_bytes);
    Expectation { mean: 100.0 * f / (f + 1.0), sd: 100.0 * (f / samples as f64).sqrt() / (f + 1.0) }
}

/// UACI of two independent uniform ciphertexts: mean `(F+2) / (3F+3)`, variance
/// `(F+2)(F^2+2F+3) / (18 (F+1)^2 F n)`; in per cent.
///
/// `sample_bytes` is 1, 2, 4 or 8 and `samples` at least 1.
pub fn expected_uaci(samples: u64, sample_bytes: usize) -> Expectation {
    let f = full_scale(sample_bytes);
    let variance = (f + 2.0) * (f * f + 2.0 * f + 3.0) / (18.0 * (f + 1.0).powi(2) * f * samples as f64);
    Expectation { mean: 100.0 * (f + 2.0) / (3.0 * f + 3.0), sd: 100.0 * variance.sqrt() }
}

/// The band of NPCR, in per cent: mean plus and minus 4 standard deviations, at most 100, made
/// wider where the unchanged samples are so few that they follow Poisson's law and not the normal
/// one: then the exact binomial interval with the same tails.
///
/// (16 bit, 256x256: one sample is expected to stay as it was, and six of 10,000 ideal pairs have
/// more than the five that 4 sd allow.)
pub fn npcr_band(samples: u64, sample_bytes: usize) -> (f64, f64) {
    let (low, high) = expected_npcr(samples, sample_bytes).band();
    let unchanged = Binomial::new(samples, 1.0 / (full_scale(sample_bytes) + 1.0));
    let (fewest, most) = unchanged.interval(BAND_TAIL);
    (low.min(per_cent(samples - most, samples)), high.max(per_cent(samples - fewest, samples)).min(100.0))
}

/// The band of UACI, in per cent: mean plus and minus 4 standard deviations.
pub fn uaci_band(samples: u64, sample_bytes: usize) -> (f64, f64) {
    expected_uaci(samples, sample_bytes).band()
}

/// `F` of unsigned samples of this width.
fn full_scale(sample_bytes: usize) -> f64 {
    largest(u32::try_from(8 * sample_bytes).expect("samples have at most 8 bytes"))
}

fn per_cent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

fn check(first: &[u8], second: &[u8], sample_bytes: usize) -> Result<(), MetricsError> {
    if first.len() != second.len() {
        return Err(MetricsError::Lengths { first: first.len(), second: second.len() });
    }
    if !matches!(sample_bytes, 1 | 2 | 4 | 8) || first.is_empty() || !first.len().is_multiple_of(sample_bytes) {
        return Err(MetricsError::Samples { bytes: first.len(), sample_bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::samples::tests::SplitMix;

    const N: u64 = 512 * 512;
    const LITTLE: ByteOrder = ByteOrder::Little;

    #[test]
    fn hand_values() {
        assert_eq!(npcr(&[1, 2, 3, 4], &[1, 2, 3, 5], 1), Ok(25.0));
        assert_eq!(npcr(&[1, 2, 3, 4], &[1, 2, 3, 5], 2), Ok(50.0));
        assert_eq!(npcr(&[1, 2, 3, 4], &[1, 2, 3, 4], 4), Ok(0.0));
        assert_eq!(uaci(&[10, 20], &[15, 20], 1, LITTLE), Ok(100.0 * 5.0 / (255.0 * 2.0)));
        // 0x0100 - 0x0001 in one order, 0x0001 - 0x0100 in the other: the same; 0x0201 against
        // 0x0001 is not.
        assert_eq!(uaci(&[1, 2], &[1, 0], 2, LITTLE), Ok(100.0 * 512.0 / 65535.0));
        assert_eq!(uaci(&[1, 2], &[1, 0], 2, ByteOrder::Big), Ok(100.0 * 2.0 / 65535.0));
    }

    #[test]
    fn complementary_images() {
        for sample_bytes in [1, 2, 4, 8] {
            let zeros = vec![0u8; 64];
            let ones = vec![255u8; 64];
            assert_eq!(npcr(&zeros, &ones, sample_bytes), Ok(100.0));
            assert_eq!(uaci(&zeros, &ones, sample_bytes, LITTLE), Ok(100.0));
        }
        // c and 255 - c over every c: mean |255 - 2c| = 128.
        let each: Vec<u8> = (0..=255).collect();
        let complement: Vec<u8> = each.iter().map(|c| 255 - c).collect();
        assert_eq!(uaci(&each, &complement, 1, LITTLE), Ok(100.0 * 128.0 / 255.0));
    }

    #[test]
    fn what_cannot_be_compared() {
        assert_eq!(npcr(&[0; 4], &[0; 6], 2), Err(MetricsError::Lengths { first: 4, second: 6 }));
        assert_eq!(npcr(&[], &[], 1), Err(MetricsError::Samples { bytes: 0, sample_bytes: 1 }));
        assert_eq!(uaci(&[0; 5], &[0; 5], 2, LITTLE), Err(MetricsError::Samples { bytes: 5, sample_bytes: 2 }));
        assert_eq!(uaci(&[0; 6], &[0; 6], 3, LITTLE), Err(MetricsError::Samples { bytes: 6, sample_bytes: 3 }));
        assert_eq!(npcr(&[0; 6], &[0; 6], 0), Err(MetricsError::Samples { bytes: 6, sample_bytes: 0 }));
    }

    /// The table of the study, to its printed digits.
    #[test]
    fn expectations() {
        let near = |value: f64, printed: f64, digit: f64| {
            assert!((value - printed).abs() <= 0.51 * digit, "{value} {printed}")
        };
        let (npcr8, npcr16) = (expected_npcr(N, 1), expected_npcr(N, 2));
        near(npcr8.mean, 99.60938, 1e-5);
        near(npcr8.sd, 0.01218, 1e-5);
        near(npcr16.mean, 99.99847, 1e-5);
        near(npcr16.sd, 0.00076, 1e-5);
        let (uaci8, uaci16) = (expected_uaci(N, 1), expected_uaci(N, 2));
        near(uaci8.mean, 33.46354, 1e-5);
        near(uaci8.sd, 0.0462, 1e-4);
        near(uaci16.mean, 33.33384, 1e-5);
        near(uaci8.mean - 1.959_964 * uaci8.sd, 33.3730, 1e-4);
        near(uaci8.mean + 1.959_964 * uaci8.sd, 33.5541, 1e-4);
        near(uaci16.mean + 1.959_964 * uaci16.sd, 33.4241, 1e-4);
        near(expected_uaci(1 << 16, 1).mean + 1.959_964 * expected_uaci(1 << 16, 1).sd, 33.6447, 1e-4);
    }

    #[test]
    fn bands() {
        // 8 bit, 512x512: the normal band, all but for the size of a sample.
        let (low, high) = npcr_band(N, 1);
        let (normal_low, normal_high) = expected_npcr(N, 1).band();
        assert!(low <= normal_low && high >= normal_high);
        assert!(normal_low - low < 0.002 && high - normal_high < 0.002, "{low} {high}");
        // 16 bit, 256x256: Poisson(1), up to 7 unchanged samples.
        let samples = 1 << 16;
        let (low, high) = npcr_band(samples, 2);
        assert_eq!((low, high), (per_cent(samples - 7, samples), 100.0));
        // A single sample may stay as it was one time in 256: that is within; one time in 65536 it
        // may not.
        assert_eq!(npcr_band(1, 1), (0.0, 100.0));
        let (low, high) = npcr_band(1, 2);
        assert!(low > 0.0 && high == 100.0, "{low} {high}");
    }

    #[test]
    fn uniform_inside_biased_outside() {
        let inside = |value: f64, (low, high): (f64, f64)| low <= value && value <= high;
        for seed in 0..20 {
            let mut random = SplitMix(1000 + seed);
            for (width, samples) in [(1, N), (2, N), (2, 1 << 16), (4, 1 << 14), (8, 1 << 10)] {
                let bytes = usize::try_from(samples).expect("small") * width;
                let (first, mut second) = (random.bytes(bytes), random.bytes(bytes));
                let judge = |second: &[u8]| {
                    let n = npcr(&first, second, width).expect("alike");
                    let u = uaci(&first, second, width, ByteOrder::Big).expect("alike");
                    (inside(n, npcr_band(samples, width)), inside(u, uaci_band(samples, width)))
                };
                assert_eq!(judge(&second), (true, true), "seed {seed}, {width} bytes, {samples}");
                // The twin: the change does not reach the last sixteenth.
                second[bytes - bytes / 16..].copy_from_slice(&first[bytes - bytes / 16..]);
                assert!(!judge(&second).0, "seed {seed}, {width} bytes, {samples}");
                if samples >= 1 << 16 {
                    assert!(!judge(&second).1, "seed {seed}, {width} bytes, {samples}");
                }
            }
        }
    }
}
