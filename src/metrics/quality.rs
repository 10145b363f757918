//! How far two images are from one another: MSE, PSNR, SSIM, NC (Algorithm 1 verifies with SSIM and
//! PSNR).
//!
//! Samples are compared as numbers, over all slices and channels. A measure is `None` where it is
//! undefined: a sample is not a finite number, or (NC) an image is constant.

use super::MetricsError;
use super::chance::Expectation;
use super::correlation::{Correlation, Pearson};
use super::samples::{full_scale, is_float, planes, same_geometry};
use crate::imaging::Image;

pub use super::ssim::ssim;

/// Mean squared error, `(1/n) sum_i (x_i - y_i)^2`, in squared sample units; 0 of equal images.
///
/// # Errors
/// [`MetricsError::Geometry`] if the sizes differ.
pub fn mse(first: &Image, second: &Image) -> Result<Option<f64>, MetricsError> {
    same_geometry(first, second)?;
    let (mut sum, mut samples) = (0.0, 0u64);
    for (x, y) in planes(first).zip(planes(second)) {
        sum += x.iter().zip(&y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
        samples += x.len() as u64;
    }
    Ok(Some(sum / samples as f64).filter(|mse| mse.is_finite()))
}

/// Peak signal-to-noise ratio, `10 log10(range^2 / MSE)`, in dB; infinite where the MSE is 0.
pub fn psnr(mse: f64, range: f64) -> f64 {
    if mse == 0.0 { f64::INFINITY } else { 10.0 * (range * range / mse).log10() }
}

/// The dynamic range R of PSNR and SSIM, in sample units.
///
/// Integers: `2^bits - 1` of the declared depth, the larger one of the two. Floating-point numbers
/// have no declared range: what the samples of both images span (1 where that is 0); `None` if one
/// is not finite.
pub fn dynamic_range(first: &Image, second: &Image) -> Option<f64> {
    if !is_float(first) && !is_float(second) {
        return Some(full_scale(first)?.max(full_scale(second)?));
    }
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in planes(first).chain(planes(second)).flatten() {
        if !value.is_finite() {
            return None;
        }
        low = low.min(value);
        high = high.max(value);
    }
    let span = high - low;
    span.is_finite().then_some(if span > 0.0 { span } else { 1.0 })
}

/// Normalised correlation of two images: Pearson's r over all pairs of samples at the same place,
/// -1 to 1, 1 of equal images.
///
/// DIFFERENCE: some authors leave out the means (`sum x y / sqrt(sum x^2 sum y^2)`). That value is
/// about 0.8 of two unrelated bright images, so it cannot tell a ciphertext from its image; with
/// the means taken off, unrelated images give 0.
///
/// # Errors
/// [`MetricsError::Geometry`] if the sizes differ.
pub fn nc(first: &Image, second: &Image) -> Result<Correlation, MetricsError> {
    same_geometry(first, second)?;
    let mut sums = Pearson::default();
    for (x, y) in planes(first).zip(planes(second)) {
        x.iter().zip(&y).for_each(|(x, y)| sums.add(*x, *y));
    }
    Ok(sums.correlation())
}

/// The MSE between `plain` and an ideal ciphertext of the full scale F: uniform on `0 ..= F`,
/// independent of it. `None` of floating-point samples.
///
/// With `t = x - F/2` and the centred uniform `u`: mean `(1/n) sum t^2 + V`, variance
/// `(1/n^2) sum (4 t^2 V + M4 - V^2)`, where `V = ((F+1)^2 - 1) / 12` and
/// `M4 = ((F+1)^2 - 1)(3 (F+1)^2 - 7) / 240` are the moments of u.
pub fn expected_sealed_mse(plain: &Image, full_scale: f64) -> Option<Expectation> {
    if is_float(plain) {
        return None;
    }
    let (mut squares, mut samples) = (0.0, 0u64);
    for plane in planes(plain) {
        squares += plane.iter().map(|x| (x - full_scale / 2.0).powi(2)).sum::<f64>();
        samples += plane.len() as u64;
    }
    let n = samples as f64;
    let levels_squared = (full_scale + 1.0).powi(2);
    let variance = (levels_squared - 1.0) / 12.0;
    let fourth = (levels_squared - 1.0) * (3.0 * levels_squared - 7.0) / 240.0;
    let spread = 4.0 * squares * variance + n * (fourth - variance * variance);
    Some(Expectation { mean: squares / n + variance, sd: spread.sqrt() / n })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Geometry, SampleType};
    use crate::metrics::samples::tests::{SplitMix, image};

    fn bytes(samples: &[u8]) -> Image {
        image(1, u32::try_from(samples.len()).expect("short"), SampleType::U8, samples.to_vec())
    }

    #[test]
    fn mse_and_psnr_by_hand() {
        let mse = mse(&bytes(&[10, 20, 30, 40]), &bytes(&[10, 21, 28, 40])).expect("alike");
        assert_eq!(mse, Some(1.25));
        assert!((psnr(1.25, 255.0) - 47.161_703).abs() < 1e-5, "{}", psnr(1.25, 255.0));
        assert_eq!(psnr(65025.0, 255.0), 0.0);
        assert_eq!(psnr(0.0, 255.0), f64::INFINITY);
    }

    #[test]
    fn signed_samples_are_numbers() {
        let below = image(1, 1, SampleType::I16, (-3i16).to_le_bytes().to_vec());
        let above = image(1, 1, SampleType::I16, 4i16.to_le_bytes().to_vec());
        assert_eq!(mse(&below, &above), Ok(Some(49.0)));
    }

    #[test]
    fn equal_images() {
        let plain = image(32, 32, SampleType::U16, SplitMix(5).bytes(2048));
        assert_eq!(mse(&plain, &plain), Ok(Some(0.0)));
        assert_eq!(nc(&plain, &plain).expect("alike").r, Some(1.0));
    }

    #[test]
    fn nc_by_hand() {
        assert_eq!(nc(&bytes(&[0, 1, 2, 3]), &bytes(&[6, 4, 2, 0])).expect("alike").r, Some(-1.0));
        assert_eq!(nc(&bytes(&[5, 5, 5]), &bytes(&[1, 2, 3])).expect("alike").r, None);
        let r = nc(&bytes(&[0, 0, 1]), &bytes(&[0, 1, 1])).expect("alike").r.expect("defined");
        assert!((r - 0.5).abs() < 1e-12, "{r}");
    }

    #[test]
    fn sizes_must_agree() {
        let (three, four) = (bytes(&[0; 3]), bytes(&[0; 4]));
        let size = |width| Geometry { depth: 1, height: 1, width, channels: 1 };
        let expected = MetricsError::Geometry { first: size(3), second: size(4) };
        assert_eq!(mse(&three, &four), Err(expected));
        assert!(matches!(nc(&three, &four), Err(MetricsError::Geometry { .. })));
        assert!(matches!(ssim(&three, &four), Err(MetricsError::Geometry { .. })));
    }

    #[test]
    fn ranges() {
        assert_eq!(dynamic_range(&bytes(&[7]), &bytes(&[7])), Some(255.0));
        let wide = image(1, 1, SampleType::I16, vec![0, 0]);
        assert_eq!(dynamic_range(&bytes(&[7]), &wide), Some(65535.0));
        let float = |value: f32| image(1, 1, SampleType::F32, value.to_le_bytes().to_vec());
        assert_eq!(dynamic_range(&float(-1.0), &float(2.5)), Some(3.5));
        assert_eq!(dynamic_range(&float(2.0), &float(2.0)), Some(1.0));
        assert_eq!(dynamic_range(&float(f32::INFINITY), &float(2.0)), None);
        assert_eq!(mse(&float(f32::NAN), &float(2.0)), Ok(None));
        assert_eq!(expected_sealed_mse(&float(1.0), 255.0), None);
    }

    #[test]
    fn mse_of_an_ideal_ciphertext() {
        // One black pixel: the mean of c^2 over 0..=255 is 255 * 511 / 6.
        let ideal = expected_sealed_mse(&bytes(&[0]), 255.0).expect("integers");
        assert!((ideal.mean - 255.0 * 511.0 / 6.0).abs() < 1e-6, "{ideal:?}");
        let squares = (0..256).map(|c| f64::from(c * c));
        let variance = squares.map(|square| (square - ideal.mean).powi(2)).sum::<f64>() / 256.0;
        assert!((ideal.sd - variance.sqrt()).abs() < 1e-6, "{ideal:?} {variance}");

        let plain =
            image(256, 256, SampleType::U8, (0..65536u32).map(|i| u8::try_from(i % 97).expect("< 97")).collect());
        let (low, high) = expected_sealed_mse(&plain, 255.0).expect("integers").band();
        for seed in 0..20 {
            let sealed = image(256, 256, SampleType::U8, SplitMix(3000 + seed).bytes(65536));
            let value = mse(&plain, &sealed).expect("alike").expect("finite");
            assert!(low <= value && value <= high, "seed {seed}: {value} {low} {high}");
        }
    }
}
