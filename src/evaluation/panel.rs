//! A column of a figure: a picture, the histogram of its samples, and captions.

use crate::imaging::Image;
use crate::metrics::slice_planes;

/// 256 bins of equal width over `low ..= high`.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub(super) counts: [u64; 256],
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Histogram {
    /// Histogram of the finite values, from the lowest to the highest one.
    pub fn of(values: &[f64]) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        let mut counts = [0; 256];
        for value in finite() {
            counts[level(value, low, high, 255.999)] += 1;
        }
        Self { counts, low, high }
    }
}

/// Where `value` stands between `low` and `high`, from 0 to `top` rounded down; outside values go
/// to the ends.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0 ..= 255.999
fn level(value: f64, low: f64, high: f64, top: f64) -> usize {
    let share = if high > low { (value - low) / (high - low) } else { 0.0 };
    (share * top).clamp(0.0, 255.999) as usize
}

/// One column of the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// Columns of the picture.
    pub width: u32,
    /// Rows of the picture.
    pub height: u32,
    /// The picture, `(H, W)`: 0 black, 255 white.
    pub grey: Vec<u8>,
    /// The histogram below it.
    pub histogram: Histogram,
    /// Lines below that: what, and its value.
    pub captions: Vec<(String, String)>,
}

impl Panel {
    /// The panel of one slice: the mean of the channels, grey from the darkest to the brightest
    /// pixel but for 0.1 % at each end, which keeps one hot pixel from darkening a scan; the
    /// histogram counts every sample over its full range.
    ///
    /// # Panics
    /// If `slice` is not below the image's depth.
    pub fn of_slice(title: &str, image: &Image, slice: usize, captions: &[(&str, String)]) -> Self {
        let geometry = image.geometry();
        let mut planes: Vec<Vec<f64>> = slice_planes(image, slice).collect();
        let histogram = Histogram::of(&planes.concat());
        let channels = planes.len() as f64;
        let mut pixels = planes.remove(0);
        for plane in &planes {
            pixels.iter_mut().zip(plane).for_each(|(sum, sample)| *sum += sample);
        }
        pixels.iter_mut().for_each(|sum| *sum /= channels);
        let (low, high) = window(&pixels);
        #[allow(clippy::cast_possible_truncation)] // `level` is at most 255
        let grey = pixels.iter().map(|pixel| level(*pixel, low, high, 255.999) as u8).collect();
        let captions = captions.iter().map(|(what, value)| ((*what).to_owned(), value.clone())).collect();
        Self { title: title.to_owned(), width: geometry.width, height: geometry.height, grey, histogram, captions }
    }
}

/// The finite values at 0.1 % and 99.9 %.
fn window(pixels: &[f64]) -> (f64, f64) {
    let mut sorted: Vec<f64> = pixels.iter().copied().filter(|pixel| pixel.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => (0.0, 0.0),
        count => (sorted[count / 1000], sorted[count - 1 - count / 1000]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{ByteOrder, ChannelOrder, Geometry, SampleType};

    fn image_of(height: u32, width: u32, channels: u16, sample_type: SampleType, samples: Vec<u8>) -> Image {
        let geometry = Geometry { depth: 1, height, width, channels };
        let bits = u8::try_from(8 * sample_type.bytes()).expect("at most 64");
        Image::new(geometry, sample_type, ByteOrder::Little, ChannelOrder::Interleaved, bits, samples)
            .expect("an image")
    }

    #[test]
    fn histogram_by_hand() {
        let histogram = Histogram::of(&[-100.0, -100.0, 0.0, 100.0, f64::NAN]);
        assert_eq!((histogram.low, histogram.high), (-100.0, 100.0));
        assert_eq!((histogram.counts[0], histogram.counts[127], histogram.counts[255]), (2, 1, 1));
        assert_eq!(histogram.counts.iter().sum::<u64>(), 4);
        let each: Vec<f64> = (0..=65535).map(f64::from).collect();
        assert!(Histogram::of(&each).counts.iter().all(|count| (255..=257).contains(count)));
        assert_eq!(Histogram::of(&[7.0; 3]).counts[0], 3);
        assert_eq!(Histogram::of(&[]).counts, [0; 256]);
    }

    #[test]
    fn a_slice_becomes_grey() {
        let samples = [-5i16, 0, 5, 10].into_iter().flat_map(i16::to_le_bytes).collect();
        let panel = Panel::of_slice("plain", &image_of(2, 2, 1, SampleType::I16, samples), 0, &[("n", "4".into())]);
        assert_eq!((panel.width, panel.height, panel.grey), (2, 2, vec![0, 85, 170, 255]));
        assert_eq!(panel.captions, [("n".to_owned(), "4".to_owned())]);
        // Three channels: their mean, while the histogram counts each sample.
        let colour = image_of(1, 2, 3, SampleType::U8, vec![0, 0, 0, 30, 60, 90]);
        let panel = Panel::of_slice("plain", &colour, 0, &[]);
        assert_eq!(panel.grey, [0, 255]);
        assert_eq!(panel.histogram, Histogram::of(&[0.0, 0.0, 0.0, 30.0, 60.0, 90.0]));
        // A constant image is black.
        let constant = image_of(1, 2, 1, SampleType::U8, vec![9, 9]);
        assert_eq!(Panel::of_slice("plain", &constant, 0, &[]).grey, [0, 0]);
    }

    #[test]
    fn one_hot_pixel_does_not_darken_a_scan() {
        let mut samples: Vec<u8> = (0..10_000u32).map(|i| u8::try_from(i % 51).expect("< 51")).collect();
        samples[5050] = 255;
        let panel = Panel::of_slice("plain", &image_of(100, 100, 1, SampleType::U8, samples), 0, &[]);
        assert_eq!((panel.grey[50], panel.grey[51], panel.grey[5050]), (255, 0, 255));
        assert_eq!(panel.histogram.high, 255.0);
    }
}
