//! Correlation of adjacent pixels: near 1 in a scan, 0 in a ciphertext.
//!
//! Pearson's `r = cov(x, y) / sqrt(var x * var y)` over all pairs of neighbours of the same slice
//! and the same channel, the pairs of all slices and channels pooled: -1 to 1, without unit. No
//! pair reaches from one slice, row or channel into the next. Pooling channels or slices of
//! different mean brightness raises r of a plain image a little; of a ciphertext it changes
//! nothing.

use super::samples::planes;
use crate::imaging::Image;

/// Where the neighbour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// One column to the right.
    Horizontal,
    /// One row down.
    Vertical,
    /// One row down and one column to the right.
    Diagonal,
}

impl Direction {
    /// The three directions.
    pub const ALL: [Self; 3] = [Self::Horizontal, Self::Vertical, Self::Diagonal];

    /// Rows and columns to the neighbour.
    const fn step(self) -> (usize, usize) {
        match self {
            Self::Horizontal => (0, 1),
            Self::Vertical => (1, 0),
            Self::Diagonal => (1, 1),
        }
    }
}

/// A correlation and the number of pairs behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// r, from -1 to 1; `None` where it is undefined: no pairs, a constant side, or a sample that
    /// is not a finite number.
    pub r: Option<f64>,
    /// n, the number of pairs.
    pub pairs: u64,
}

impl Correlation {
    /// `-4 / sqrt(n) ..= 4 / sqrt(n)`: where r of n independent pairs lies; `None` of no pairs.
    pub fn band(&self) -> Option<(f64, f64)> {
        (self.pairs > 0).then(|| {
            let half = super::chance::BAND_SDS / (self.pairs as f64).sqrt();
            (-half, half)
        })
    }
}

/// Correlation of the image's adjacent pixels in one direction.
pub fn adjacent(image: &Image, direction: Direction) -> Correlation {
    let (height, width) = (image.geometry().height as usize, image.geometry().width as usize);
    let (down, right) = direction.step();
    let mut sums = Pearson::default();
    for plane in planes(image) {
        for row in 0..height.saturating_sub(down) {
            let here = &plane[row * width..][..width - right];
            let there = &plane[(row + down) * width + right..][..width - right];
            here.iter().zip(there).for_each(|(x, y)| sums.add(*x, *y));
        }
    }
    sums.correlation()
}

/// Pearson's correlation in one pass, by the recurrences of Welford: a constant side has a variance
/// of exactly 0, and equal sides give exactly 1.
#[derive(Default)]
pub(super) struct Pearson {
    pairs: u64,
    mean_x: f64,
    mean_y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Pearson {
    #[inline]
    pub(super) fn add(&mut self, x: f64, y: f64) {
        self.pairs += 1;
        let share = 1.0 / self.pairs as f64;
        let (dx, dy) = (x - self.mean_x, y - self.mean_y);
        self.mean_x += dx * share;
        self.mean_y += dy * share;
        let rest = y - self.mean_y;
        self.xx += dx * (x - self.mean_x);
        self.yy += dy * rest;
        self.xy += dx * rest;
    }

    pub(super) fn correlation(&self) -> Correlation {
        let r = self.xy / (self.xx * self.yy).sqrt();
        Correlation { r: r.is_finite().then(|| r.clamp(-1.0, 1.0)), pairs: self.pairs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{ByteOrder, ChannelOrder, Geometry, SampleType};
    use crate::metrics::samples::tests::{SplitMix, image};

    #[test]
    fn a_ramp_is_its_neighbour() {
        let ramp = image(16, 16, SampleType::U8, (0..=255).collect());
        for direction in Direction::ALL {
            let r = adjacent(&ramp, direction).r.expect("defined");
            assert!((r - 1.0).abs() < 1e-12, "{direction:?} {r}");
        }
        assert_eq!(adjacent(&ramp, Direction::Horizontal).pairs, 16 * 15);
        assert_eq!(adjacent(&ramp, Direction::Vertical).pairs, 15 * 16);
        assert_eq!(adjacent(&ramp, Direction::Diagonal).pairs, 15 * 15);
    }

    #[test]
    fn hand_values() {
        // A chequerboard: opposite to the side, equal across the corner.
        let board = image(4, 4, SampleType::I8, (0..16u8).map(|i| (i / 4 + i % 4) % 2).collect());
        assert_eq!(adjacent(&board, Direction::Horizontal).r, Some(-1.0));
        assert_eq!(adjacent(&board, Direction::Vertical).r, Some(-1.0));
        assert_eq!(adjacent(&board, Direction::Diagonal).r, Some(1.0));
        // Pairs (1,2) (2,4) (4,3): means 7/3 and 3, r = 1 / sqrt(14/3 * 2).
        let row = image(1, 4, SampleType::U8, vec![1, 2, 4, 3]);
        let r = adjacent(&row, Direction::Horizontal).r.expect("defined");
        assert!((r - 1.0 / (28.0f64 / 3.0).sqrt()).abs() < 1e-12, "{r}");
    }

    #[test]
    fn undefined() {
        let constant = image(64, 64, SampleType::F32, 0.1f32.to_le_bytes().repeat(64 * 64));
        let one = image(1, 1, SampleType::U8, vec![9]);
        let mut bytes = 1f32.to_le_bytes().repeat(16);
        bytes[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
        let not_a_number = image(4, 4, SampleType::F32, bytes);
        for direction in Direction::ALL {
            assert_eq!(adjacent(&constant, direction).r, None);
            assert_eq!(adjacent(&one, direction), Correlation { r: None, pairs: 0 });
            assert_eq!(adjacent(&one, direction).band(), None);
            assert_eq!(adjacent(&not_a_number, direction).r, None);
        }
    }

    #[test]
    fn no_pair_leaves_its_slice_or_channel() {
        // Two slices of two channels, each plane a row (0, 1): r is -1 or undefined unless planes
        // are mixed.
        let geometry = Geometry { depth: 2, height: 1, width: 2, channels: 2 };
        let planar = Image::new(
            geometry,
            SampleType::U8,
            ByteOrder::Little,
            ChannelOrder::Planar,
            8,
            vec![0, 1, 1, 0, 0, 1, 1, 0],
        );
        let c = adjacent(&planar.expect("an image"), Direction::Horizontal);
        assert_eq!(c, Correlation { r: Some(-1.0), pairs: 4 });
        let stacked = Image::new(geometry, SampleType::U8, ByteOrder::Little, ChannelOrder::Interleaved, 8, vec![0; 8]);
        assert_eq!(adjacent(&stacked.expect("an image"), Direction::Vertical).pairs, 0);
    }

    #[test]
    fn uniform_inside_smooth_outside() {
        for seed in 0..10 {
            let mut random = SplitMix(2000 + seed);
            for (sample_type, bytes) in [(SampleType::U8, 1), (SampleType::U16, 2)] {
                let mut samples = random.bytes(256 * 256 * bytes);
                let inside = |samples: Vec<u8>, direction| {
                    let c = adjacent(&image(256, 256, sample_type, samples), direction);
                    let (low, high) = c.band().expect("pairs");
                    c.r.is_some_and(|r| low <= r && r <= high)
                };
                for direction in Direction::ALL {
                    assert!(inside(samples.clone(), direction), "seed {seed} {direction:?} {bytes}");
                }
                // The twin: every twentieth pixel repeats the one before it.
                for at in (bytes..samples.len() - bytes).step_by(20 * bytes) {
                    samples.copy_within(at - bytes..at, at);
                }
                assert!(!inside(samples, Direction::Horizontal), "seed {seed} {bytes}");
            }
        }
    }
}
