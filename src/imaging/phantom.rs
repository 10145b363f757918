//! A synthetic head phantom: nobody's scan, so it may be shown and committed.

use super::{ByteOrder, ChannelOrder, Geometry, Image, SampleType};

/// Centre, half axes, direction of the first axis, and what the ellipse adds to the brightness
/// inside it.
struct Ellipse {
    x: f64,
    y: f64,
    a: f64,
    b: f64,
    cos: f64,
    sin: f64,
    adds: f64,
}

const fn ellipse([x, y, a, b, cos, sin, adds]: [f64; 7]) -> Ellipse {
    Ellipse { x, y, a, b, cos, sin, adds }
}

/// Skull, brain, ventricles, a lesion and small nuclei, in the square -1 ..= 1; after Shepp and
/// Logan (1974), with MR-like brightness.
const HEAD: [Ellipse; 9] = [
    ellipse([0.0, 0.0, 0.69, 0.92, 1.0, 0.0, 0.85]),
    ellipse([0.0, 0.0184, 0.662, 0.874, 1.0, 0.0, -0.45]),
    ellipse([0.22, 0.0, 0.11, 0.31, 0.951, -0.309, -0.25]),
    ellipse([-0.22, 0.0, 0.16, 0.41, 0.951, 0.309, -0.25]),
    ellipse([0.0, -0.35, 0.21, 0.25, 1.0, 0.0, 0.2]),
    ellipse([0.0, -0.1, 0.046, 0.046, 1.0, 0.0, 0.25]),
    ellipse([0.3, 0.45, 0.09, 0.07, 0.8, 0.6, 0.4]),
    ellipse([-0.08, 0.605, 0.046, 0.023, 1.0, 0.0, 0.2]),
    ellipse([0.06, 0.605, 0.023, 0.046, 1.0, 0.0, 0.2]),
];

/// Width of an ellipse's soft edge, as a share of its size.
const EDGE: f64 = 0.08;
/// Largest noise, as a share of the full scale.
const NOISE: f64 = 0.02;

/// Returns a head phantom of one slice and one channel: smooth ellipses and a little noise, the
/// same for the same arguments on every machine.
///
/// `bits` up to 8 give `u8` samples, up to 16 `u16`; values lie within `0 .. 2^bits`. The seed
/// moves the noise only.
///
/// # Panics
/// If a side is 0 or `bits` is not in `1 ..= 16`.
pub fn phantom(height: u32, width: u32, bits: u8, seed: u64) -> Image {
    assert!((1..=16).contains(&bits), "{bits} bits");
    let sample_type = if bits <= 8 { SampleType::U8 } else { SampleType::U16 };
    let full_scale = f64::from((1u32 << bits) - 1);
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let at = |i: u32, n: u32| (2.0 * f64::from(i) + 1.0) / f64::from(n) - 1.0;
            let index = u64::from(y) * u64::from(width) + u64::from(x);
            let brightness = head(at(x, width), at(y, height)) + NOISE * (2.0 * noise(seed, index) - 1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0.0 ..= 65535.0
            let level = (brightness.clamp(0.0, 1.0) * full_scale) as u16;
            samples.extend_from_slice(&level.to_le_bytes()[..sample_type.bytes()]);
        }
    }
    let geometry = Geometry { depth: 1, height, width, channels: 1 };
    Image::new(geometry, sample_type, ByteOrder::Little, ChannelOrder::Interleaved, bits, samples)
        .expect("sides of at least 1")
}

/// Brightness at a point. Only `+ - * /`, which every machine rounds alike.
fn head(x: f64, y: f64) -> f64 {
    HEAD.iter()
        .map(|e| {
            let (dx, dy) = (x - e.x, y - e.y);
            let (u, v) = ((dx * e.cos + dy * e.sin) / e.a, (dy * e.cos - dx * e.sin) / e.b);
            let inside = ((1.0 - (u * u + v * v)) / EDGE).clamp(0.0, 1.0);
            e.adds * inside * inside * (3.0 - 2.0 * inside)
        })
        .sum()
}

/// Uniform in `0.0 .. 1.0`: SplitMix64 at `index`.
fn noise(seed: u64, index: u64) -> f64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_size_and_depth_asked_for() {
        for (bits, sample_type) in [(8, SampleType::U8), (12, SampleType::U16), (16, SampleType::U16)] {
            let image = phantom(17, 31, bits, 1);
            assert_eq!(image.geometry(), Geometry { depth: 1, height: 17, width: 31, channels: 1 });
            assert_eq!((image.sample_type(), image.bits_stored()), (sample_type, bits));
            assert!(image.canonical_bits().all(|value| value < 1 << bits));
        }
        assert_eq!(phantom(1, 1, 8, 1).samples().len(), 1);
    }

    #[test]
    fn the_seed_decides_the_noise() {
        assert_eq!(phantom(64, 64, 16, 7), phantom(64, 64, 16, 7));
        assert_ne!(phantom(64, 64, 16, 7), phantom(64, 64, 16, 8));
    }

    #[test]
    fn it_looks_like_a_head() {
        let image = phantom(128, 128, 8, 1);
        let at = |y, x| image.sample_bits(0, y, x, 0);
        assert!(at(0, 0) < 10, "air is dark");
        assert!(at(7, 64) > 150, "the skull is bright");
        assert!(at(64, 64) < at(7, 64) && at(64, 64) > 60, "the brain is between");
        let levels: std::collections::BTreeSet<u64> = image.canonical_bits().collect();
        assert!(levels.len() > 100, "{} levels", levels.len());
    }
}
