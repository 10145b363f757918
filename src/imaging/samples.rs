//! The samples of an image as numbers, in the one order that everybody uses: slice, row, column,
//! channel.

use std::ops::Range;

use super::{ChannelOrder, Image, SampleType};

impl Image {
    /// Returns the bits of every sample as an unsigned integer, in the order `(d, y, x, c)` of
    /// `FORMAT.md`, section 4.1.
    pub fn canonical_bits(&self) -> impl Iterator<Item = u64> + '_ {
        self.bits_in(0..self.samples().len() / self.sample_type().bytes())
    }

    /// Returns every sample's value, in the order `(d, y, x, c)`. Integers above 2^53 in size are
    /// rounded.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let sample_type = self.sample_type();
        self.canonical_bits().map(move |bits| value(bits, sample_type))
    }

    /// Returns the values of slice `d`, in the order `(y, x, c)`.
    ///
    /// # Panics
    /// Outside the geometry.
    pub fn slice_values(&self, d: u32) -> impl Iterator<Item = f64> + '_ {
        assert!(d < self.geometry().depth, "slice {d} of {}", self.geometry().depth);
        let samples = self.slice_bytes() / self.sample_type().bytes();
        let (first, sample_type) = (d as usize * samples, self.sample_type());
        self.bits_in(first..first + samples).map(move |bits| value(bits, sample_type))
    }

    /// The bits of the samples with these canonical indices `((d H + y) W + x) C + c`.
    fn bits_in(&self, indices: Range<usize>) -> impl Iterator<Item = u64> + '_ {
        let (bytes, order) = (self.sample_type().bytes(), self.byte_order());
        let channels = usize::from(self.geometry().channels);
        let plane = self.geometry().height as usize * self.geometry().width as usize;
        let planar = self.channel_order() == ChannelOrder::Planar;
        let samples = self.samples();
        indices.map(move |i| {
            let place = if planar {
                let (pixel, c) = (i / channels, i % channels);
                (pixel / plane * channels + c) * plane + pixel % plane
            } else {
                i
            };
            order.bits(&samples[place * bytes..(place + 1) * bytes])
        })
    }
}

/// What the bits of a sample stand for.
#[allow(clippy::cast_possible_truncation)] // to the sample's own width
fn value(bits: u64, sample_type: SampleType) -> f64 {
    match sample_type {
        SampleType::U8 | SampleType::U16 | SampleType::U32 | SampleType::U64 => bits as f64,
        SampleType::I8 => f64::from(bits as i8),
        SampleType::I16 => f64::from(bits as i16),
        SampleType::I32 => f64::from(bits as i32),
        SampleType::I64 => bits.cast_signed() as f64,
        SampleType::F32 => f64::from(f32::from_bits(bits as u32)),
        SampleType::F64 => f64::from_bits(bits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{ByteOrder, Geometry};

    fn image(sample_type: SampleType, order: ByteOrder, samples: &[u8]) -> Image {
        let width = u32::try_from(samples.len() / sample_type.bytes()).expect("a small image");
        let geometry = Geometry { depth: 1, height: 1, width, channels: 1 };
        let bits = u8::try_from(8 * sample_type.bytes()).expect("at most 64");
        Image::new(geometry, sample_type, order, ChannelOrder::Interleaved, bits, samples.to_vec()).expect("an image")
    }

    fn values(sample_type: SampleType, order: ByteOrder, samples: &[u8]) -> Vec<f64> {
        image(sample_type, order, samples).values().collect()
    }

    #[test]
    fn values_follow_sign_width_and_byte_order() {
        use ByteOrder::{Big, Little};
        assert_eq!(values(SampleType::U8, Little, &[0, 128, 255]), [0.0, 128.0, 255.0]);
        assert_eq!(values(SampleType::I8, Little, &[0, 128, 255]), [0.0, -128.0, -1.0]);
        assert_eq!(values(SampleType::U16, Little, &[1, 2]), [513.0]);
        assert_eq!(values(SampleType::U16, Big, &[1, 2]), [258.0]);
        assert_eq!(values(SampleType::I16, Big, &[0xff, 0xfe]), [-2.0]);
        assert_eq!(values(SampleType::U32, Big, &[0x80, 0, 0, 0]), [2_147_483_648.0]);
        assert_eq!(values(SampleType::I32, Little, &[0, 0, 0, 0x80]), [-2_147_483_648.0]);
        assert_eq!(values(SampleType::I64, Big, &[0xff; 8]), [-1.0]);
        assert_eq!(values(SampleType::U64, Little, &[0, 0, 0, 0, 1, 0, 0, 0]), [4_294_967_296.0]);
        assert_eq!(values(SampleType::F32, Little, &1.5f32.to_le_bytes()), [1.5]);
        assert_eq!(values(SampleType::F64, Big, &(-0.1f64).to_be_bytes()), [-0.1]);
    }

    #[test]
    fn planes_and_pixels_give_the_same_order() {
        let geometry = Geometry { depth: 2, height: 3, width: 5, channels: 3 };
        for (channel_order, order) in [
            (ChannelOrder::Planar, ByteOrder::Big),
            (ChannelOrder::Interleaved, ByteOrder::Little),
            (ChannelOrder::Planar, ByteOrder::Little),
        ] {
            let samples: Vec<u8> = (0..180).collect();
            let image =
                Image::new(geometry, SampleType::U16, order, channel_order, 16, samples).expect("2 * 3 * 5 * 3 * 2");
            let mut expected = Vec::new();
            for d in 0..2 {
                for y in 0..3 {
                    for x in 0..5 {
                        expected.extend((0..3).map(|c| image.sample_bits(d, y, x, c)));
                    }
                }
            }
            assert_eq!(image.canonical_bits().collect::<Vec<_>>(), expected);
            let second: Vec<f64> = expected[45..].iter().map(|bits| *bits as f64).collect();
            assert_eq!(image.slice_values(1).collect::<Vec<_>>(), second);
        }
    }
}
