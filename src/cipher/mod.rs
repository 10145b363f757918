//! Cipher suite 1: confusion, substitution, diffusion (`FORMAT.md`, sections 5 and 6).
//!
//! | paper | here |
//! | --- | --- |
//! | eq. (5), (10): permutation and its inverse | [`Permutation`] |
//! | eq. (6), (9): S-box and its inverse | [`SBox`] |
//! | eq. (7), (8): XOR with the keystream, its inverse | AES-256-GCM-SIV in [`FrameCipher`] |
//!
//! The security claim rests on HKDF-SHA256 and AES-256-GCM-SIV alone. The paper's other layers keep
//! their full strength, and are never the claim. This is the portable form of the suite.

mod diffusion;
mod key;
mod permutation;
mod stream;
mod subkeys;
mod substitution;
#[cfg(test)]
mod tests;

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

    /// Seals frame `frame`, 1 or more, of whole samples of `sample_bytes` bytes: eq. (5), (6), (7).
    /// Ciphertext, then the tag.
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
    /// [`CipherError::FrameNotAuthentic`] if the tag does not hold; nothing of the plaintext is
    /// then given out.
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
