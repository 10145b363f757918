//! The stream of words from which every keyed choice of confusion and substitution is drawn
//! (`FORMAT.md`, section 6.1).

use aes::Aes256;
use ctr::Ctr64BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

const BUFFER_BYTES: usize = 4096;

/// `Stream(K, f)`: AES-256 in counter mode, read as little-endian u64.
pub(super) struct Stream {
    cipher: Ctr64BE<Aes256>,
    buffer: Zeroizing<[u8; BUFFER_BYTES]>,
    next: usize,
}

impl Stream {
    /// The stream of `key` (32 bytes, of one layer alone) for `frame`.
    pub(super) fn new(key: &[u8; 32], frame: u64) -> Self {
        let mut counter = [0; 16];
        counter[..8].copy_from_slice(&frame.to_be_bytes());
        Self {
            cipher: Ctr64BE::new(key.into(), &counter.into()),
            buffer: Zeroizing::new([0; BUFFER_BYTES]),
            next: BUFFER_BYTES,
        }
    }

    /// The next word.
    pub(super) fn word(&mut self) -> u64 {
        if self.next == BUFFER_BYTES {
            self.buffer.fill(0);
            self.cipher.apply_keystream(self.buffer.as_mut_slice());
            self.next = 0;
        }
        let mut word = [0; 8];
        word.copy_from_slice(&self.buffer[self.next..self.next + 8]);
        self.next += 8;
        u64::from_le_bytes(word)
    }

    /// A number uniform in `[0, bound)`, by Lemire's multiplication with rejection.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        loop {
            let product = u128::from(self.word()) * u128::from(bound);
            // The low half is compared with 2^64 mod bound: no residue is drawn more often than
            // another.
            #[allow(clippy::cast_possible_truncation)] // the two halves of the product
            let (low, high) = (product as u64, (product >> 64) as usize);
            if low >= bound.wrapping_neg() % bound {
                return high;
            }
        }
    }
}
