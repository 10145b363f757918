//! The avalanche that the demo's table shows: measured in memory with a key of its own, by the very
//! cipher.

use crate::cipher::{FrameCipher, ImageKey, Subkeys};
use crate::envelope::ImageContext;
use crate::imaging::{ByteOrder, Image};
use crate::metrics::differential;
use alloy::primitives::{Address, B256};

/// NPCR and UACI of an image, eq. (12) and (13).
#[derive(Debug, Clone, Copy)]
pub(super) struct Avalanche {
    pub(super) npcr: f64,
    pub(super) uaci: f64,
}

/// NPCR and UACI between an image's ciphertext and that of the same image with one grey level
/// changed in one pixel, under the same key.
pub(super) fn avalanche(image: &Image) -> Option<Avalanche> {
    let (cipher, width) = (cipher(), image.sample_type().bytes());
    let mut slice = image.samples()[..image.slice_bytes()].to_vec();
    let before = cipher.seal(1, &slice, width);
    // The lowest bit of the middle sample: one grey level up or down.
    let middle = slice.len() / width / 2 * width;
    let lowest = if image.byte_order() == ByteOrder::Big { middle + width - 1 } else { middle };
    slice[lowest] ^= 1;
    let after = cipher.seal(1, &slice, width);
    let (before, after) = (&before[..slice.len()], &after[..slice.len()]);
    let npcr = differential::npcr(before, after, width).ok()?;
    let uaci = differential::uaci(before, after, width, image.byte_order()).ok()?;
    Some(Avalanche { npcr, uaci })
}

/// Suite 1 under a random key: the keys of the sealed images are not kept by anybody who could draw
/// them.
pub(super) fn cipher() -> FrameCipher {
    let mut random = [0; 32];
    getrandom::fill(&mut random).expect("the operating system gives randomness");
    let context = ImageContext::new(0, Address::ZERO, Address::ZERO, B256::ZERO);
    FrameCipher::new(&Subkeys::derive(&context.image_id, &ImageKey::from_bytes(random)), [0; 32], 2)
}
