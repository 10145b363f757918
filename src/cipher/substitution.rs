//! Substitution, eq. (6): every byte goes through an S-box drawn from the key; eq. (9) is the way
//! back.
//!
//! `S(v) = B * AES(A * v xor a) xor b` with A, B invertible over GF(2): nonlinearity 112 and
//! differential uniformity 4 for every key, as AES has them (FIPS 197), where a random box has
//! about 93 and 11.
//! DIFFERENCE: the paper names an S-box without saying how it is made.

use super::stream::Stream;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The S-box of one image and its inverse.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SBox {
    forward: [u8; 256],
    inverse: [u8; 256],
}

impl SBox {
    /// Returns the S-box that `key`, `subkey("substitution")`, draws.
    pub fn draw(key: &[u8; 32]) -> Self {
        let mut stream = Stream::new(key, 0);
        let inner = Matrix::draw(&mut stream);
        let outer = Matrix::draw(&mut stream);
        let [inner_constant, outer_constant, ..] = stream.word().to_le_bytes();
        let aes = aes_sbox();
        let mut sbox = Self { forward: [0; 256], inverse: [0; 256] };
        for value in 0..=u8::MAX {
            let substituted = outer.apply(aes[usize::from(inner.apply(value) ^ inner_constant)]) ^ outer_constant;
            sbox.forward[usize::from(value)] = substituted;
            sbox.inverse[usize::from(substituted)] = value;
        }
        sbox
    }

    /// Eq. (6), in place.
    pub fn substitute(&self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.forward[usize::from(*byte)]);
    }

    /// Eq. (9), in place.
    pub fn restore(&self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.inverse[usize::from(*byte)]);
    }

    /// `S(0), S(1), ..., S(255)`.
    pub fn table(&self) -> &[u8; 256] {
        &self.forward
    }
}

/// An invertible 8 x 8 matrix over GF(2): row r as a mask, bits counted from the least significant.
struct Matrix([u8; 8]);

impl Matrix {
    /// Draws words until one is invertible: 29 % are.
    fn draw(stream: &mut Stream) -> Self {
        loop {
            let matrix = Self(stream.word().to_le_bytes());
            if matrix.is_invertible() {
                return matrix;
            }
        }
    }

    /// Gaussian elimination: whether every column finds a pivot.
    fn is_invertible(&self) -> bool {
        let mut rows = self.0;
        for column in 0..8 {
            let Some(pivot) = (column..8).find(|&row| rows[row] >> column & 1 == 1) else { return false };
            rows.swap(column, pivot);
            for row in column + 1..8 {
                if rows[row] >> column & 1 == 1 {
                    rows[row] ^= rows[column];
                }
            }
        }
        true
    }

    /// The matrix times the column vector of the byte's bits.
    fn apply(&self, value: u8) -> u8 {
        let parity = |row: u8| u8::from((row & value).count_ones() % 2 == 1);
        self.0.iter().enumerate().fold(0, |product, (bit, &row)| product | parity(row) << bit)
    }
}

/// The S-box of FIPS 197, section 5.1.1: the inverse in GF(2^8), then the affine map with
/// constant 63.
fn aes_sbox() -> [u8; 256] {
    let mut table = [0; 256];
    table[0] = 0x63;
    // 3 generates the multiplicative group: p walks through its powers and q through their
    // inverses.
    let (mut p, mut q) = (1_u8, 1_u8);
    loop {
        p ^= times_two(p);
        q = divide_by_three(q);
        table[usize::from(p)] = q ^ q.rotate_left(1) ^ q.rotate_left(2) ^ q.rotate_left(3) ^ q.rotate_left(4) ^ 0x63;
        if p == 1 {
            return table;
        }
    }
}

fn times_two(value: u8) -> u8 {
    (value << 1) ^ if value & 0x80 == 0 { 0 } else { 0x1b }
}

fn divide_by_three(mut value: u8) -> u8 {
    value ^= value << 1;
    value ^= value << 2;
    value ^= value << 4;
    value ^ if value & 0x80 == 0 { 0 } else { 0x09 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aes_table_is_that_of_fips_197() {
        let table = aes_sbox();
        assert_eq!(table[..8], [0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5]);
        assert_eq!((table[0x53], table[0xff]), (0xed, 0x16));
    }

    #[test]
    fn singular_matrices_are_refused() {
        assert!(Matrix([1, 2, 4, 8, 16, 32, 64, 128]).is_invertible());
        assert!(!Matrix([1, 1, 4, 8, 16, 32, 64, 128]).is_invertible());
        assert!(!Matrix([0; 8]).is_invertible());
        assert!(!Matrix([1, 2, 3, 8, 16, 32, 64, 128]).is_invertible());
    }

    #[test]
    fn every_key_gives_a_bijection_with_differential_uniformity_4_and_nonlinearity_112() {
        for seed in 0..4 {
            let sbox = SBox::draw(&[seed; 32]);
            let mut bytes: Vec<u8> = (0..=255).collect();
            sbox.substitute(&mut bytes);
            assert_eq!(bytes, sbox.table());
            sbox.restore(&mut bytes);
            assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
            assert_eq!(differential_uniformity(sbox.table()), 4);
            assert_eq!(nonlinearity(sbox.table()), 112);
        }
        assert_ne!(SBox::draw(&[0; 32]).table(), SBox::draw(&[1; 32]).table());
    }

    fn differential_uniformity(table: &[u8; 256]) -> usize {
        let mut most = 0;
        for difference in 1..256 {
            let mut counts = [0; 256];
            (0..256).for_each(|v| counts[usize::from(table[v] ^ table[v ^ difference])] += 1);
            most = counts.into_iter().fold(most, usize::max);
        }
        most
    }

    fn nonlinearity(table: &[u8; 256]) -> u32 {
        let mut largest = 0_u32;
        for output_mask in 1..=255_u8 {
            for input_mask in 0..=255_u8 {
                let agree = (0..=255_u8)
                    .filter(|v| {
                        ((v & input_mask).count_ones() + (table[usize::from(*v)] & output_mask).count_ones())
                            .is_multiple_of(2)
                    })
                    .count();
                largest = largest.max((i32::try_from(agree).expect("at most 256") - 128).unsigned_abs());
            }
        }
        128 - largest
    }
}
