//! The fold: all samples of an image in 4096 16-bit integers, the transformer's input and part of the key's.

use ndarray::Array3;
use zeroize::Zeroizing;

use crate::imaging::{ByteOrder, ChannelOrder, Geometry, Image};

/// Regions of a slice, 8 by 8: the transformer's tokens.
const TOKENS: usize = 64;
/// Cells of a token, 8 by 8 residues of row and column.
const CELLS: usize = 64;
/// Bytes in a row of a file that is folded as bytes.
const ROW_BYTES: usize = 4096;

/// `F[64][64]`, tokens by cells, of `FORMAT.md`, section 4.1. Derived from the image: wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Fold(Zeroizing<Box<[u16]>>);

impl std::fmt::Debug for Fold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fold(..)")
    }
}

impl Fold {
    /// Returns the 8192 bytes that enter the image key: the cells in order of token, then cell, each big-endian.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * TOKENS * CELLS));
        self.0.iter().for_each(|cell| bytes.extend_from_slice(&cell.to_be_bytes()));
        bytes
    }

    /// Returns the transformer's input, `(1, 64, 128)` f32 as (N, token, value): the low bytes of a token's cells, then
    /// their high bytes, each 0.0 ..= 255.0. The caller wipes it.
    pub fn to_tokens(&self) -> Array3<f32> {
        Array3::from_shape_fn((1, TOKENS, 2 * CELLS), |(_, token, value)| {
            let [low, high] = self.0[token * CELLS + value % CELLS].to_le_bytes();
            f32::from(if value < CELLS { low } else { high })
        })
    }

    /// The fold before any sample: sizes and types, so that all-zero images of unlike sizes differ.
    fn begin(parameters: [u64; 7]) -> Self {
        let seed = parameters.into_iter().fold(0, |seed, parameter| mix(seed ^ parameter));
        let cells = (0..(TOKENS * CELLS) as u64).map(|cell| high_bits(mix(seed.wrapping_add(cell))));
        Self(Zeroizing::new(cells.collect()))
    }

    /// Adds limb `limb` of the sample with this index.
    #[inline]
    fn add(&mut self, cell: usize, index: u64, limb: u64, value: u16) {
        // Odd: a changed limb always changes the cell.
        let multiplier = high_bits(mix(index.wrapping_mul(4).wrapping_add(limb))) | 1;
        self.0[cell] = self.0[cell].wrapping_add(multiplier.wrapping_mul(value));
    }
}

/// Returns the fold of the decoded samples, every slice and channel.
pub fn fold_image(image: &Image) -> Fold {
    let Geometry { depth, height, width, channels } = image.geometry();
    let mut fold = Fold::begin([
        image.samples().len() as u64,
        u64::from(depth),
        u64::from(height),
        u64::from(width),
        u64::from(channels),
        u64::from(image.sample_type().code()),
        u64::from(image.bits_stored()),
    ]);
    match image.sample_type().bytes() {
        1 => add_samples::<1>(&mut fold, image),
        2 => add_samples::<2>(&mut fold, image),
        4 => add_samples::<4>(&mut fold, image),
        _ => add_samples::<8>(&mut fold, image),
    }
    fold
}

/// Returns the fold of a file that is not decoded: its bytes in rows of 4096.
pub fn fold_bytes(bytes: &[u8]) -> Fold {
    let length = bytes.len() as u64;
    let height = bytes.len().div_ceil(ROW_BYTES);
    let mut fold = Fold::begin([length, 1, height as u64, ROW_BYTES as u64, 1, 0, 0]);
    let mut index = 0;
    for (y, row) in bytes.chunks(ROW_BYTES).enumerate() {
        let row_cell = row_cell(y, height);
        for (x, byte) in row.iter().enumerate() {
            fold.add(row_cell + column_cell(x / (ROW_BYTES / 8), x), index, 0, u16::from(*byte));
            index += 1;
        }
    }
    fold
}

/// Adds every sample of `BYTES` bytes. Their index runs over (d, y, x, c) whatever the file's channel order.
fn add_samples<const BYTES: usize>(fold: &mut Fold, image: &Image) {
    let geometry = image.geometry();
    let (height, width, channels) = (geometry.height as usize, geometry.width as usize, usize::from(geometry.channels));
    let (row_step, column_step, channel_step) = match image.channel_order() {
        ChannelOrder::Interleaved => (width * channels, channels, 1),
        ChannelOrder::Planar => (width, 1, height * width),
    };
    let (samples, _) = image.samples().as_chunks::<BYTES>();
    let big_endian = image.byte_order() == ByteOrder::Big;
    let mut index = 0;
    for slice in samples.chunks_exact(height * width * channels) {
        for y in 0..height {
            let row_cell = row_cell(y, height);
            for region in 0..8 {
                for x in region_start(region, width)..region_start(region + 1, width) {
                    let cell = row_cell + column_cell(region, x);
                    for c in 0..channels {
                        let mut sample = slice[y * row_step + x * column_step + c * channel_step];
                        if big_endian {
                            sample.reverse();
                        }
                        add_sample(fold, cell, index, &sample);
                        index += 1;
                    }
                }
            }
        }
    }
}

/// Adds one sample, little-endian: one 16-bit limb for 1 and 2 bytes, two for 4, four for 8.
#[inline]
fn add_sample<const BYTES: usize>(fold: &mut Fold, cell: usize, index: u64, sample: &[u8; BYTES]) {
    let mut wide = [0; 8];
    wide[..BYTES].copy_from_slice(sample);
    let value = u64::from_le_bytes(wide);
    for limb in 0..BYTES.div_ceil(2) as u64 {
        fold.add(cell, index, limb, (value >> (16 * limb) & 0xffff) as u16);
    }
}

/// First column `x` with `8 x / width = region`.
fn region_start(region: usize, width: usize) -> usize {
    (region * width).div_ceil(8)
}

/// What row `y` adds to the place `64 t + k` of a cell.
fn row_cell(y: usize, height: usize) -> usize {
    8 * y / height * 8 * CELLS + y % 8 * 8
}

/// What column `x`, in this region of columns, adds to the place `64 t + k` of a cell.
fn column_cell(region: usize, x: usize) -> usize {
    region * CELLS + x % 8
}

/// SplitMix64: a bijection that spreads consecutive numbers.
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn high_bits(z: u64) -> u16 {
    (z >> 48) as u16
}

#[cfg(test)]
mod tests;
