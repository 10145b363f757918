//! Diffusion, eq. (7): AES-256-GCM-SIV (RFC 8452); eq. (8) is the way back.
//!
//! Its keystream depends on the whole frame, so one changed pixel changes half of the ciphertext's
//! bits.
//! DIFFERENCE: the paper XORs with a keystream that does not depend on the image, which has no such
//! avalanche and detects no change.

use super::CipherError;
use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use zeroize::Zeroizing;

/// Bytes of the tag behind each ciphertext.
pub const TAG_BYTES: usize = 16;

/// Diffusion of the frames of one sealed image.
pub(super) struct Diffusion {
    aead: Aes256GcmSiv,
    header_hash: [u8; 32],
    frames: u64,
}

impl Diffusion {
    /// - `key`: `subkey("diffusion")`; `frames`: how many the image has, frame 0 included.
    pub(super) fn new(key: &[u8; 32], header_hash: [u8; 32], frames: u64) -> Self {
        Self { aead: Aes256GcmSiv::new(key.into()), header_hash, frames }
    }

    /// Eq. (7): ciphertext, then the tag.
    pub(super) fn seal(&self, frame: u64, plain: &[u8]) -> Vec<u8> {
        self.aead
            .encrypt(&nonce(frame), Payload { msg: plain, aad: &self.associated_data(frame) })
            .expect("a frame is shorter than RFC 8452's 2^36 bytes")
    }

    /// Eq. (8): the plaintext, if the tag holds.
    pub(super) fn open(&self, frame: u64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        self.aead
            .decrypt(&nonce(frame), Payload { msg: sealed, aad: &self.associated_data(frame) })
            .map(Zeroizing::new)
            .map_err(|_| CipherError::FrameNotAuthentic { frame })
    }

    fn associated_data(&self, frame: u64) -> [u8; 48] {
        let mut data = [0; 48];
        data[..32].copy_from_slice(&self.header_hash);
        data[32..40].copy_from_slice(&frame.to_be_bytes());
        data[40..].copy_from_slice(&self.frames.to_be_bytes());
        data
    }
}

fn nonce(frame: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&frame.to_be_bytes());
    nonce.into()
}
