//! The fold: all samples of an image in 4096 16-bit integers, the transformer's input and part of
//! the key's.

use ndarray::Array3;
use zeroize::Zeroizing;

use self::row::Row;
use crate::imaging::{ByteOrder, ChannelOrder, Geometry, Image};

mod row;

/// Regions of a slice, 8 by 8: the transformer's tokens.
const TOKENS: usize = 64;
/// Cells of a token, 8 by 8 residues of row and column.
const CELLS: usize = 64;
/// Bytes in a row of a file that is folded as bytes.
const ROW_BYTES: usize = 4096;

/// `F[64][64]`, tokens by cells, of `FORMAT.md`, section 4.1. Derived from the image: wiped on
/// drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Fold(Zeroizing<Box<[u16]>>);

impl std::fmt::Debug for Fold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fold(..)")
    }
}

impl Fold {
    /// Returns the 8192 bytes that enter the image key: the cells in order of token, then cell,
    /// each big-endian.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * TOKENS * CELLS));
        self.0.iter().for_each(|cell| bytes.extend_from_slice(&cell.to_be_bytes()));
        bytes
    }

    /// Returns the transformer's input, `(1, 64, 128)` f32 as (N, token, value): the low bytes of a
    /// token's cells, then their high bytes, each 0.0 ..= 255.0. The caller wipes it.
    pub fn to_tokens(&self) -> Array3<f32> {
        tokens(std::slice::from_ref(self))
    }

    /// The fold before any sample: sizes and types, so that all-zero images of unlike sizes differ.
    fn begin(parameters: [u64; 7]) -> Self {
        let seed = parameters.into_iter().fold(0, |seed, parameter| mix(seed ^ parameter));
        let cells = (0..(TOKENS * CELLS) as u64).map(|cell| high_bits(mix(seed.wrapping_add(cell))));
        Self(Zeroizing::new(cells.collect()))
    }
}

/// Returns the transformer's input for several folds, `(N, 64, 128)`. The caller wipes it.
pub(super) fn tokens(folds: &[Fold]) -> Array3<f32> {
    Array3::from_shape_fn((folds.len(), TOKENS, 2 * CELLS), |(image, token, value)| {
        let [low, high] = folds[image].0[token * CELLS + value % CELLS].to_le_bytes();
        f32::from(if value < CELLS { low } else { high })
    })
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
    let mut row = Row::new(ROW_BYTES);
    for (y, bytes) in bytes.chunks(ROW_BYTES).enumerate() {
        let (samples, _) = bytes.as_chunks::<1>();
        row.add((y * ROW_BYTES) as u64, 1, 0, samples.iter().map(|[byte]| u16::from(*byte)));
        row.finish(&mut fold, y, height);
    }
    fold
}

/// Adds every sample of `BYTES` bytes. Their index runs over (d, y, x, c) whatever the file's
/// channel order.
fn add_samples<const BYTES: usize>(fold: &mut Fold, image: &Image) {
    let geometry = image.geometry();
    let (height, width, channels) = (geometry.height as usize, geometry.width as usize, usize::from(geometry.channels));
    let (row_step, column_step, channel_step) = match image.channel_order() {
        ChannelOrder::Interleaved => (width * channels, channels, 1),
        ChannelOrder::Planar => (width, 1, height * width),
    };
    let (samples, _) = image.samples().as_chunks::<BYTES>();
    let order = image.byte_order();
    let mut row = Row::new(width);
    for (d, slice) in samples.chunks_exact(height * width * channels).enumerate() {
        for y in 0..height {
            let index = ((d * height + y) * width * channels) as u64;
            for (c, limb) in (0..channels).flat_map(|c| (0..BYTES.div_ceil(2)).map(move |limb| (c, limb))) {
                let samples = &slice[y * row_step + c * channel_step..];
                let (first, step) = (index + c as u64, channels as u64);
                match column_step {
                    1 => row.add(first, step, limb, samples.iter().map(|sample| limb_of(sample, order, limb))),
                    many => row.add(
                        first,
                        step,
                        limb,
                        samples.iter().step_by(many).map(|sample| limb_of(sample, order, limb)),
                    ),
                }
            }
            row.finish(fold, y, height);
        }
    }
}

/// The 16-bit limb of a sample, limb 0 the lowest; samples of one and two bytes have no other.
#[inline]
fn limb_of<const BYTES: usize>(sample: &[u8; BYTES], order: ByteOrder, limb: usize) -> u16 {
    if BYTES == 1 {
        return u16::from(sample[0]);
    }
    let low = if BYTES == 2 { 0 } else { 2 * limb };
    match order {
        ByteOrder::Little => u16::from_le_bytes([sample[low], sample[low + 1]]),
        ByteOrder::Big => u16::from_be_bytes([sample[BYTES - 2 - low], sample[BYTES - 1 - low]]),
    }
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
