//! A slice as a picture for people: 8-bit grey.

use super::Image;

/// A grey picture of one slice, `(H, W)`, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct GrayPreview {
    /// W: columns.
    pub width: u32,
    /// H: rows.
    pub height: u32,
    /// `H * W` grey levels.
    pub pixels: Vec<u8>,
}

/// Says the size, never the pixels.
impl std::fmt::Debug for GrayPreview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GrayPreview({}x{})", self.height, self.width)
    }
}

/// Returns slice `slice` in grey, its smallest value black and its largest white.
///
/// Signed and floating values count as such; a value that is not finite is black, and so is a slice
/// of one value. Of three and more channels the mean of the first three is taken, of two the first
/// (the second is alpha). No DICOM window is applied.
///
/// # Panics
/// If `slice` is outside the geometry.
pub fn preview(image: &Image, slice: u32) -> GrayPreview {
    let geometry = image.geometry();
    let channels = usize::from(geometry.channels);
    let shown = if channels < 3 { 1 } else { 3 };
    let values: Vec<f64> = image.slice_values(slice).collect();
    let grey: Vec<f64> =
        values.chunks_exact(channels).map(|pixel| pixel[..shown].iter().sum::<f64>() / shown as f64).collect();
    let finite = || grey.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    // Halved, so that the span of two finite values is finite.
    let span = high / 2.0 - low / 2.0;
    let level = |value: f64| {
        if !value.is_finite() || span <= 0.0 {
            return 0;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0.0 ..= 255.0
        let level = ((value / 2.0 - low / 2.0) / span * 255.0).round() as u8;
        level
    };
    GrayPreview { width: geometry.width, height: geometry.height, pixels: grey.into_iter().map(level).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{ByteOrder, ChannelOrder, Geometry, SampleType};

    fn pixels(channels: u16, sample_type: SampleType, samples: &[u8]) -> Vec<u8> {
        let width = u32::try_from(samples.len() / sample_type.bytes() / usize::from(channels)).expect("small");
        let geometry = Geometry { depth: 1, height: 1, width, channels };
        let image =
            Image::new(geometry, sample_type, ByteOrder::Little, ChannelOrder::Interleaved, 8, samples.to_vec());
        preview(&image.expect("an image"), 0).pixels
    }

    #[test]
    fn smallest_is_black_and_largest_is_white() {
        assert_eq!(pixels(1, SampleType::U8, &[10, 20, 30]), [0, 128, 255]);
        assert_eq!(pixels(1, SampleType::I8, &[0x80, 0, 0x7f]), [0, 128, 255]);
        assert_eq!(pixels(1, SampleType::I16, &[0xff, 0xff, 1, 0]), [0, 255]);
    }

    #[test]
    fn one_value_is_black() {
        assert_eq!(pixels(1, SampleType::U8, &[7]), [0]);
        assert_eq!(pixels(1, SampleType::U8, &[255, 255]), [0, 0]);
    }

    #[test]
    fn what_is_not_finite_is_black_and_does_not_stretch_the_range() {
        let floats = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let picture = |values: &[f64]| pixels(1, SampleType::F64, &floats(values));
        assert_eq!(picture(&[1.0, f64::NAN, 3.0, f64::INFINITY]), [0, 0, 255, 0]);
        assert_eq!(picture(&[f64::MIN, 0.0, f64::MAX]), [0, 128, 255]);
        assert_eq!(picture(&[f64::NAN]), [0]);
    }

    #[test]
    fn colour_becomes_its_mean_and_alpha_is_left_out() {
        assert_eq!(pixels(3, SampleType::U8, &[0, 0, 0, 30, 60, 90]), [0, 255]);
        assert_eq!(pixels(4, SampleType::U8, &[9, 9, 9, 0, 3, 3, 3, 255]), [255, 0]);
        assert_eq!(pixels(2, SampleType::U8, &[0, 200, 100, 0]), [0, 255]);
    }
}
