//! Synthetic images, as many as are wanted.

use super::Subject;
use crate::imaging::phantom;

/// Height and width.
const SIZES: [(u32, u32); 8] = [(8, 8), (16, 16), (17, 31), (24, 24), (32, 32), (48, 32), (64, 64), (96, 80)];
/// Significant bits of a sample.
const BITS: [u8; 3] = [8, 12, 16];

/// Returns head phantom `number`: 8 to 96 pixels wide, 8, 12 or 16 bit, each with a noise of its
/// own.
pub fn small_phantom(number: u64) -> Subject {
    #[allow(clippy::cast_possible_truncation)] // below the lengths of the lists
    let (size, bits) = ((number % SIZES.len() as u64) as usize, (number % BITS.len() as u64) as usize);
    let (height, width) = SIZES[size];
    Subject::Image(phantom(height, width, BITS[bits], number))
}
