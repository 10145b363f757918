//! Folds one row of an image, in a form that the compiler vectorises.

use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::{CELLS, Fold, high_bits, mix};

/// Samples whose multipliers are kept: a slice of 512 by 512, 512 KiB.
const KEPT: usize = 1 << 18;

/// Multipliers of limb 0 of samples `0 .. KEPT`: the same for every image, and slower to compute
/// than the rest of the fold.
static MULTIPLIERS: OnceLock<Box<[u16]>> = OnceLock::new();

/// One row of pixels: for each, the sum of its limbs' multiples over all channels.
pub(super) struct Row {
    multipliers: Box<[u16]>,
    /// Derived from the image: wiped on drop.
    sums: Zeroizing<Box<[u16]>>,
}

impl Row {
    /// An empty row, this many pixels wide.
    pub(super) fn new(width: usize) -> Self {
        let zeros = || vec![0; width].into_boxed_slice();
        Self { multipliers: zeros(), sums: Zeroizing::new(zeros()) }
    }

    /// Adds limb `limb` of a sample of each pixel; the samples' indices are `first`,
    /// `first + step`, ...
    ///
    /// Samples beyond the row's end are left out, and so are pixels beyond the samples' end.
    #[inline]
    pub(super) fn add(&mut self, first: u64, step: u64, limb: usize, samples: impl Iterator<Item = u16>) {
        let Self { multipliers, sums } = self;
        let multipliers = match kept(first, step, limb, multipliers.len()) {
            Some(kept) => kept,
            None => {
                fill(multipliers, first * 4 + limb as u64, step * 4);
                &*multipliers
            }
        };
        for ((sum, multiplier), sample) in sums.iter_mut().zip(multipliers).zip(samples) {
            *sum = sum.wrapping_add(multiplier.wrapping_mul(sample));
        }
    }

    /// Adds the row to the cells of row `y` of `height`, and empties it.
    pub(super) fn finish(&mut self, fold: &mut Fold, y: usize, height: usize) {
        let row_cell = 8 * y / height * 8 * CELLS + y % 8 * 8;
        let width = self.sums.len();
        for region in 0..8 {
            let (start, end) = (region_start(region, width), region_start(region + 1, width));
            let mut residues = [0_u16; 8]; // of x - start
            let (eights, rest) = self.sums[start..end].as_chunks::<8>();
            for sums in eights.iter().map(|eight| &eight[..]).chain([rest]) {
                residues.iter_mut().zip(sums).for_each(|(residue, sum)| *residue = residue.wrapping_add(*sum));
            }
            for (offset, residue) in residues.into_iter().enumerate() {
                let cell = &mut fold.0[row_cell + region * CELLS + (start + offset) % 8];
                *cell = cell.wrapping_add(residue);
            }
        }
        self.sums.fill(0);
    }
}

/// First column `x` with `8 x / width = region`.
fn region_start(region: usize, width: usize) -> usize {
    (region * width).div_ceil(8)
}

/// The multipliers of `width` samples from `first` on, where they are kept.
fn kept(first: u64, step: u64, limb: usize, width: usize) -> Option<&'static [u16]> {
    let first = usize::try_from(first).ok()?;
    if step != 1 || limb != 0 || first.checked_add(width)? > KEPT {
        return None;
    }
    let all = MULTIPLIERS.get_or_init(|| {
        let mut all = vec![0; KEPT].into_boxed_slice();
        fill(&mut all, 0, 4);
        all
    });
    Some(&all[first..first + width])
}

/// Writes the multipliers of consecutive pixels. Odd: a changed limb always changes the cell.
fn fill(multipliers: &mut [u16], first: u64, step: u64) {
    let mut z = first;
    for multiplier in multipliers {
        *multiplier = high_bits(mix(z)) | 1;
        z = z.wrapping_add(step);
    }
}
