//! Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004).

use std::sync::LazyLock;

use super::MetricsError;
use super::quality::dynamic_range;
use super::samples::{planes, same_geometry};
use crate::imaging::Image;

/// Side of the window, in pixels.
const WINDOW: usize = 11;
/// Standard deviation of the Gaussian window, in pixels.
const SIGMA: f64 = 1.5;

/// The Gaussian window along one axis; it sums to 1.
static KERNEL: LazyLock<[f64; WINDOW]> = LazyLock::new(|| {
    let middle = (WINDOW / 2) as f64;
    let weights: [f64; WINDOW] =
        std::array::from_fn(|at| (-(at as f64 - middle).powi(2) / (2.0 * SIGMA * SIGMA)).exp());
    let total: f64 = weights.iter().sum();
    weights.map(|weight| weight / total)
});

/// Mean structural similarity of two images: -1 to 1, and exactly 1 if they are equal. `None` if a
/// sample is not finite.
///
/// `SSIM = (2 mx my + C1)(2 cov + C2) / ((mx^2 + my^2 + C1)(vx + vy + C2))` with `C1 = (0.01 R)^2`,
/// `C2 = (0.03 R)^2` and R of [`dynamic_range`]. Means, variances and covariance are weighted by a
/// Gaussian window of 11x11 pixels with a standard deviation of 1.5; the mean goes over every place
/// where the window lies inside the plane, and over all planes (slices and channels). A plane with
/// fewer than 11 rows or columns is one window of equal weights. Nothing is scaled down before.
///
/// # Errors
/// [`MetricsError::Geometry`] if the sizes differ.
pub fn ssim(first: &Image, second: &Image) -> Result<Option<f64>, MetricsError> {
    same_geometry(first, second)?;
    let Some(range) = dynamic_range(first, second) else { return Ok(None) };
    let constants = Constants { luminance: (0.01 * range).powi(2), structure: (0.03 * range).powi(2) };
    let width = first.geometry().width as usize;
    let small = width < WINDOW || (first.geometry().height as usize) < WINDOW;
    let (mut sum, mut count) = (0.0, 0u64);
    for (x, y) in planes(first).zip(planes(second)) {
        let (plane_sum, windows) = if small {
            (constants.similarity(whole_plane(&x, &y)), 1)
        } else {
            gaussian_windows(&x, &y, width, &constants)
        };
        sum += plane_sum;
        count += windows;
    }
    Ok(Some(sum / count as f64).filter(|ssim| ssim.is_finite()))
}

/// Weighted means of x, y, x^2 + y^2 and x y in a window. (The two variances appear only as their
/// sum.)
type Means = [f64; 4];

fn products(x: f64, y: f64) -> Means {
    [x, y, x * x + y * y, x * y]
}

struct Constants {
    luminance: f64,
    structure: f64,
}

impl Constants {
    /// SSIM of one window. Where x = y every term above equals the one below bit by bit, since
    /// doubling is exact.
    fn similarity(&self, [x, y, squares, product]: Means) -> f64 {
        let mean_squares = x * x + y * y;
        let above = (2.0 * (x * y) + self.luminance) * (2.0 * (product - x * y) + self.structure);
        let below = (mean_squares + self.luminance) * ((squares - mean_squares) + self.structure);
        above / below
    }
}

fn whole_plane(x: &[f64], y: &[f64]) -> Means {
    let mut sums = [0.0; 4];
    for (x, y) in x.iter().zip(y) {
        sums.iter_mut().zip(products(*x, *y)).for_each(|(sum, product)| *sum += product);
    }
    sums.map(|sum| sum / x.len() as f64)
}

/// Sum and number of the similarities of all windows: the window is separable, rows first, then
/// columns.
fn gaussian_windows(x: &[f64], y: &[f64], width: usize, constants: &Constants) -> (f64, u64) {
    let kernel = *KERNEL;
    let (height, across) = (x.len() / width, width + 1 - WINDOW);
    // Column by column, so that both passes read what stands side by side.
    let mut columns = vec![[0.0; 4]; across * height];
    for (row, (x, y)) in x.chunks_exact(width).zip(y.chunks_exact(width)).enumerate() {
        let pixels: Vec<Means> = x.iter().zip(y).map(|(x, y)| products(*x, *y)).collect();
        for (column, window) in pixels.array_windows().enumerate() {
            columns[column * height + row] = weigh(&kernel, window);
        }
    }
    let windows = columns.chunks_exact(height).flat_map(|column| column.array_windows());
    let sum = windows.map(|window| constants.similarity(weigh(&kernel, window))).sum();
    (sum, (across * (height + 1 - WINDOW)) as u64)
}

/// Weighted sum of the means in a window along one axis.
fn weigh(kernel: &[f64; WINDOW], window: &[Means; WINDOW]) -> Means {
    let [mut x, mut y, mut squares, mut product] = [0.0; 4];
    for (weight, means) in kernel.iter().zip(window) {
        x += weight * means[0];
        y += weight * means[1];
        squares += weight * means[2];
        product += weight * means[3];
    }
    [x, y, squares, product]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::SampleType;
    use crate::metrics::samples::tests::{SplitMix, image};

    fn of(first: &Image, second: &Image) -> f64 {
        ssim(first, second).expect("alike").expect("finite")
    }

    #[test]
    fn equal_images_give_exactly_one() {
        for (height, width) in [(64, 64), (11, 11), (10, 40), (1, 1), (12, 500)] {
            for (sample_type, bytes) in [(SampleType::U8, 1), (SampleType::I16, 2)] {
                let plain = image(height, width, sample_type, SplitMix(7).bytes((height * width) as usize * bytes));
                assert_eq!(of(&plain, &plain), 1.0, "{height}x{width} {}", sample_type.name());
            }
        }
    }

    #[test]
    fn a_shifted_constant_by_hand() {
        // No structure: SSIM = (2 * 100 * 120 + C1) / (100^2 + 120^2 + C1), C1 = (0.01 * 255)^2 =
        // 6.5025.
        let expected = (24000.0 + 6.5025) / (24400.0 + 6.5025);
        for (height, width) in [(32, 32), (5, 7)] {
            let samples = (height * width) as usize;
            let dark = image(height, width, SampleType::U8, vec![100; samples]);
            let bright = image(height, width, SampleType::U8, vec![120; samples]);
            assert!((of(&dark, &bright) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn a_small_plane_by_hand() {
        // (0, 2) against (2, 0): means 1, variances 1, covariance -1.
        let [first, second] = [[0, 2], [2, 0]].map(|samples| image(1, 2, SampleType::U8, samples.to_vec()));
        let c2 = (0.03f64 * 255.0).powi(2);
        assert!((of(&first, &second) - (c2 - 2.0) / (c2 + 2.0)).abs() < 1e-12);
    }

    #[test]
    fn one_window_by_hand() {
        // 11x11, a single bright pixel in the middle against black: all moments follow from the
        // middle weight.
        let mut samples = vec![0; 121];
        samples[60] = 200;
        let bright = image(11, 11, SampleType::U8, samples);
        let black = image(11, 11, SampleType::U8, vec![0; 121]);
        let gauss: Vec<f64> = (-5..=5).map(|i: i32| (-f64::from(i * i) / 4.5).exp()).collect();
        let w = (1.0 / gauss.iter().sum::<f64>()).powi(2);
        let (mean, variance) = (200.0 * w, 40000.0 * (w - w * w));
        let (c1, c2) = (6.5025, 58.5225);
        let expected = c1 / (mean * mean + c1) * c2 / (variance + c2);
        assert!((of(&bright, &black) - expected).abs() < 1e-12);
    }

    #[test]
    fn noise_against_a_scan_is_near_zero() {
        let plain = image(128, 128, SampleType::U8, (60..188).flat_map(|row| [row; 128]).collect());
        let noise = image(128, 128, SampleType::U8, SplitMix(9).bytes(128 * 128));
        let value = of(&plain, &noise);
        assert!(value.abs() < 0.05, "{value}");
    }
}
