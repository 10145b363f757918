//! Cipher suite 1: confusion, substitution, diffusion (`FORMAT.md`, sections 5 and 6).
//!
//! | paper | here |
//! | --- | --- |
//! | eq. (5), (10): permutation and its inverse | [`Permutation`] |
//! | eq. (6), (9): S-box and its inverse | [`SBox`] |
//! | eq. (7), (8): XOR with the keystream and its inverse | AES-256-GCM-SIV, inside [`FrameCipher`] |
//!
//! The security claim rests on HKDF-SHA256 and AES-256-GCM-SIV alone. The paper's other layers are kept at full
//! strength, and are never the claim. This is the portable form of the suite.

mod diffusion;
mod key;
mod permutation;
mod stream;
mod subkeys;
mod substitution;
#[cfg(test)]
mod vector_tests;

pub use diffusion::TAG_BYTES;
pub use key::ImageKey;
pub use permutation::Permutation;
pub use subkeys::{Subkeys, key_commitment};
pub(crate) use subkeys::{hkdf_sha256, length_prefixed};
pub use substitution::SBox;

use diffusion::Diffusion;
use zeroize::Zeroizing;

/// The number of this suite in headers, and in everything that is derived for it.
pub const SUITE: u16 = 1;

/// Why a frame does not open.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CipherError {
    /// The frame, its place or its header was changed; or the key is another's.
    #[error("frame {frame} is not authentic: it was changed, or stands in another place")]
    FrameNotAuthentic {
        /// Which frame, from 0.
        frame: u64,
    },
}

/// Seals and opens the frames of one image.
pub struct FrameCipher {
    confusion: Zeroizing<[u8; 32]>,
    substitution: SBox,
    diffusion: Diffusion,
}

/// What a frame looks like after each of the first two layers; secret, like the frame itself.
pub struct Layers {
    /// After confusion, eq. (5).
    pub permuted: Zeroizing<Vec<u8>>,
    /// After confusion and substitution, eq. (6).
    pub substituted: Zeroizing<Vec<u8>>,
}

impl FrameCipher {
    /// Returns the cipher of an image with `frames` frames, frame 0 included.
    pub fn new(subkeys: &Subkeys, header_hash: [u8; 32], frames: u64) -> Self {
        Self {
            confusion: Zeroizing::new(*subkeys.confusion()),
            substitution: SBox::draw(subkeys.substitution()),
            diffusion: Diffusion::new(subkeys.diffusion(), header_hash, frames),
        }
    }

    /// Seals frame 0, the description: diffusion only. Ciphertext, then the tag.
    pub fn seal_description(&self, plain: &[u8]) -> Vec<u8> {
        self.diffusion.seal(0, plain)
    }

    /// Opens frame 0.
    ///
    /// # Errors
    /// [`CipherError::FrameNotAuthentic`] if the tag does not hold.
    pub fn open_description(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        self.diffusion.open(0, sealed)
    }

    /// Seals frame `frame`, 1 or more, of whole samples of `sample_bytes` bytes: eq. (5), (6), (7). Ciphertext, then the tag.
    ///
    /// # Panics
    /// If `sample_bytes` is not 1, 2, 4 or 8, or does not divide the frame.
    pub fn seal(&self, frame: u64, plain: &[u8], sample_bytes: usize) -> Vec<u8> {
        self.diffusion.seal(frame, &self.layers(frame, plain, sample_bytes).substituted)
    }

    /// The frame after each of the first two layers: for test vectors, statistics and pictures.
    ///
    /// # Panics
    /// As [`FrameCipher::seal`].
    pub fn layers(&self, frame: u64, plain: &[u8], sample_bytes: usize) -> Layers {
        let permuted = Zeroizing::new(self.permutation(frame, plain.len(), sample_bytes).forward(plain));
        let mut substituted = permuted.clone();
        self.substitution.substitute(&mut substituted);
        Layers { permuted, substituted }
    }

    /// Opens frame `frame`, 1 or more: eq. (8), (9), (10).
    ///
    /// # Errors
    /// [`CipherError::FrameNotAuthentic`] if the tag does not hold; nothing of the plaintext is then given out.
    ///
    /// # Panics
    /// As [`FrameCipher::seal`].
    pub fn open(&self, frame: u64, sealed: &[u8], sample_bytes: usize) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let mut bytes = self.diffusion.open(frame, sealed)?;
        self.substitution.restore(&mut bytes);
        Ok(Zeroizing::new(self.permutation(frame, bytes.len(), sample_bytes).inverse(&bytes)))
    }

    fn permutation(&self, frame: u64, bytes: usize, sample_bytes: usize) -> Permutation {
        assert!(bytes.is_multiple_of(sample_bytes), "{bytes} bytes are not whole samples of {sample_bytes} bytes");
        Permutation::draw(&self.confusion, frame, bytes / sample_bytes, sample_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::ImageContext;

    fn cipher(header: u8, frames: u64) -> FrameCipher {
        let context = ImageContext::new(1337, [1; 20].into(), [2; 20].into(), [3; 32].into());
        let subkeys = Subkeys::derive(&context.image_id, &ImageKey::from_bytes([7; 32]));
        FrameCipher::new(&subkeys, [header; 32], frames)
    }

    #[test]
    fn opens_what_it_sealed_at_every_small_size_and_width() {
        let cipher = cipher(5, 9);
        for sample_bytes in [1, 2, 4, 8] {
            for samples in (1..70).chain([511, 512, 513, 2048, 5000]) {
                let plain: Vec<u8> = (0..=250).cycle().take(samples * sample_bytes).collect();
                let sealed = cipher.seal(3, &plain, sample_bytes);
                assert_eq!(sealed.len(), plain.len() + TAG_BYTES);
                assert_eq!(*cipher.open(3, &sealed, sample_bytes).expect("authentic"), plain);
            }
        }
    }

    #[test]
    fn a_frame_opens_only_whole_and_in_its_place() {
        let sealed = cipher(5, 9).seal(3, b"sixteen samples.", 1);
        for (header, frames, frame) in [(6, 9, 3), (5, 8, 3), (5, 9, 4)] {
            let error = cipher(header, frames).open(frame, &sealed, 1).expect_err("another place");
            assert_eq!(error, CipherError::FrameNotAuthentic { frame });
        }
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(cipher(5, 9).open(3, &changed, 1).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(cipher(5, 9).open(3, &sealed[..length], 1).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn one_grey_level_changes_half_of_the_bits() {
        let cipher = cipher(5, 2);
        let mut plain = vec![100; 64 * 64];
        let before = cipher.seal(1, &plain, 1);
        plain[17] += 1;
        let after = cipher.seal(1, &plain, 1);
        let changed: u32 = before.iter().zip(&after).map(|(a, b)| (a ^ b).count_ones()).sum();
        // 4096 bytes and a tag: 32,896 bits, sd 91.
        assert!((16_448 - 364..=16_448 + 364).contains(&changed), "{changed} bits");
    }
}
