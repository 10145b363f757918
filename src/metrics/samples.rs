//! Samples as numbers.

use super::MetricsError;
use crate::imaging::{ByteOrder, ChannelOrder, Image, ImageError, SampleType};

/// Returns the ciphertext of `plain` as an image: the same geometry and byte order, each sample an
/// unsigned integer of full width.
///
/// `ciphertext` is what the frames of the slices hold, one after the other, without their tags.
///
/// # Errors
/// [`ImageError::SampleBytes`] if there are not as many bytes as `plain` has.
pub fn cipher_image(plain: &Image, ciphertext: Vec<u8>) -> Result<Image, ImageError> {
    let (sample_type, bits) = match plain.sample_type().bytes() {
        1 => (SampleType::U8, 8),
        2 => (SampleType::U16, 16),
        4 => (SampleType::U32, 32),
        _ => (SampleType::U64, 64),
    };
    Image::new(plain.geometry(), sample_type, plain.byte_order(), plain.channel_order(), bits, ciphertext)
}

/// Whether the samples are floating-point numbers.
pub(super) fn is_float(image: &Image) -> bool {
    matches!(image.sample_type(), SampleType::F32 | SampleType::F64)
}

/// Largest difference between two samples of the declared depth, `2^bits - 1`; `None` of
/// floating-point samples.
pub(super) fn full_scale(image: &Image) -> Option<f64> {
    (!is_float(image)).then(|| largest(u32::from(image.bits_stored())))
}

/// `F = 2^bits - 1`, rounded to a double above 53 bits.
pub(super) fn largest(bits: u32) -> f64 {
    2f64.powi(bits.cast_signed()) - 1.0
}

/// The planes `(H, W)` of the image, slice by slice and in a slice channel by channel.
pub(super) fn planes(image: &Image) -> impl Iterator<Item = Vec<f64>> + '_ {
    (0..image.geometry().depth as usize).flat_map(|slice| slice_planes(image, slice))
}

/// The planes `(H, W)` of slice `slice`, channel by channel, as numbers in rows.
///
/// Signed samples keep their sign; 64-bit integers are rounded to the 53 bits of a double.
///
/// # Panics
/// If `slice` is not below the image's depth.
pub(crate) fn slice_planes(image: &Image, slice: usize) -> impl Iterator<Item = Vec<f64>> + '_ {
    let bytes = &image.samples()[slice * image.slice_bytes()..][..image.slice_bytes()];
    let channels = usize::from(image.geometry().channels);
    let pixels = image.geometry().height as usize * image.geometry().width as usize;
    (0..channels).map(move |channel| {
        let (first, step) = match image.channel_order() {
            ChannelOrder::Interleaved => (channel, channels),
            ChannelOrder::Planar => (channel * pixels, 1),
        };
        plane(image, bytes, first, step, pixels)
    })
}

/// `pixels` numbers: the samples `first`, `first + step`, ... of `bytes`.
fn plane(image: &Image, bytes: &[u8], first: usize, step: usize, pixels: usize) -> Vec<f64> {
    let big = image.byte_order() == ByteOrder::Big;
    macro_rules! numbers {
        ($sample:ty) => {{
            let (samples, _) = bytes.as_chunks();
            let places = (0..pixels).map(|pixel| samples[first + pixel * step]);
            if big {
                places.map(|sample| <$sample>::from_be_bytes(sample) as f64).collect()
            } else {
                places.map(|sample| <$sample>::from_le_bytes(sample) as f64).collect()
            }
        }};
    }
    match image.sample_type() {
        SampleType::U8 => numbers!(u8),
        SampleType::I8 => numbers!(i8),
        SampleType::U16 => numbers!(u16),
        SampleType::I16 => numbers!(i16),
        SampleType::U32 => numbers!(u32),
        SampleType::I32 => numbers!(i32),
        SampleType::F32 => numbers!(f32),
        SampleType::U64 => numbers!(u64),
        SampleType::I64 => numbers!(i64),
        SampleType::F64 => numbers!(f64),
    }
}

/// Refuses images that differ in geometry.
pub(super) fn same_geometry(first: &Image, second: &Image) -> Result<(), MetricsError> {
    if first.geometry() == second.geometry() {
        Ok(())
    } else {
        Err(MetricsError::Geometry { first: first.geometry(), second: second.geometry() })
    }
}

#[cfg(test)]
pub(in crate::metrics) mod tests {
    use super::*;
    use crate::imaging::Geometry;

    /// SplitMix64: the fixed random source of the tests here.
    pub(in crate::metrics) struct SplitMix(pub(in crate::metrics) u64);

    impl SplitMix {
        pub(in crate::metrics) fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        pub(in crate::metrics) fn bytes(&mut self, count: usize) -> Vec<u8> {
            (0..count.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).take(count).collect()
        }
    }

    /// An image of one channel and one slice, little-endian, every bit significant.
    pub(in crate::metrics) fn image(height: u32, width: u32, sample_type: SampleType, samples: Vec<u8>) -> Image {
        let geometry = Geometry { depth: 1, height, width, channels: 1 };
        let bits = u8::try_from(8 * sample_type.bytes()).expect("at most 64");
        Image::new(geometry, sample_type, ByteOrder::Little, ChannelOrder::Interleaved, bits, samples)
            .expect("an image")
    }

    #[test]
    fn planes_agree_with_sample_bits() {
        let mut random = SplitMix(3);
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for channel_order in [ChannelOrder::Interleaved, ChannelOrder::Planar] {
                let geometry = Geometry { depth: 2, height: 3, width: 5, channels: 3 };
                let samples = random.bytes(2 * 3 * 5 * 3 * 2);
                let image = Image::new(geometry, SampleType::U16, order, channel_order, 16, samples).expect("an image");
                let planes: Vec<_> = planes(&image).collect();
                assert_eq!(planes.len(), 6);
                for (index, plane) in planes.iter().enumerate() {
                    for (at, value) in plane.iter().enumerate() {
                        let bits = image.sample_bits(index / 3, at / 5, at % 5, index % 3);
                        assert_eq!(*value, bits as f64);
                    }
                }
            }
        }
    }

    #[test]
    fn every_sample_type() {
        let cases: [(SampleType, Vec<u8>, f64); 10] = [
            (SampleType::U8, vec![0xff], 255.0),
            (SampleType::I8, vec![0xff], -1.0),
            (SampleType::U16, vec![0xfe, 0xff], 65534.0),
            (SampleType::I16, vec![0xfe, 0xff], -2.0),
            (SampleType::U32, vec![0, 0, 0, 0x80], 2_147_483_648.0),
            (SampleType::I32, vec![0, 0, 0, 0x80], -2_147_483_648.0),
            (SampleType::F32, 1.5f32.to_le_bytes().to_vec(), 1.5),
            (SampleType::U64, vec![1, 0, 0, 0, 1, 0, 0, 0], 4_294_967_297.0),
            (SampleType::I64, vec![0xff; 8], -1.0),
            (SampleType::F64, (-0.25f64).to_le_bytes().to_vec(), -0.25),
        ];
        for (sample_type, bytes, value) in cases {
            let plain = image(1, 1, sample_type, bytes.clone());
            assert_eq!(planes(&plain).flatten().collect::<Vec<_>>(), [value], "{}", sample_type.name());
            let sealed = cipher_image(&plain, bytes).expect("as many bytes");
            assert!(planes(&sealed).flatten().all(|v| v >= 0.0));
            assert_eq!(usize::from(sealed.bits_stored()), 8 * sample_type.bytes());
        }
    }

    #[test]
    fn ciphertext_of_another_length_is_refused() {
        let plain = image(2, 2, SampleType::I16, vec![0; 8]);
        assert_eq!(cipher_image(&plain, vec![0; 24]), Err(ImageError::SampleBytes { expected: 8, found: 24 }));
    }
}
