//! Frames at every small size, out of their place, and against `frames` of
//! `tests/vectors/cipher.json`. These are here and not in `tests/it`, because the vectors give the
//! subkeys as they are, and nobody outside may make up subkeys.

use super::*;
use crate::envelope::ImageContext;
use alloy::primitives::{B256, Bytes};
use serde::Deserialize;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct CipherFile {
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    name: String,
    sample_width: usize,
    index: u64,
    frame_count: u64,
    confusion_key: B256,
    substitution_key: B256,
    diffusion_key: B256,
    header_hash: B256,
    plaintext: Bytes,
    permuted: Bytes,
    substituted: Bytes,
    sealed: Bytes,
}

#[test]
fn frames_are_those_of_the_vectors() {
    let file: CipherFile =
        serde_json::from_str(include_str!("../../tests/vectors/cipher.json")).expect("as its README says");
    assert!(file.frames.len() >= 10, "{} frames", file.frames.len());
    for frame in &file.frames {
        let Frame { name, index, sample_width, .. } = frame;
        let cipher = FrameCipher {
            confusion: Zeroizing::new(frame.confusion_key.0),
            substitution: SBox::draw(&frame.substitution_key.0),
            diffusion: Diffusion::new(&frame.diffusion_key.0, frame.header_hash.0, frame.frame_count),
        };
        let layers = cipher.layers(*index, &frame.plaintext, *sample_width);
        assert_eq!(layers.permuted[..], frame.permuted[..], "{name}");
        assert_eq!(layers.substituted[..], frame.substituted[..], "{name}");
        assert_eq!(cipher.seal(*index, &frame.plaintext, *sample_width), frame.sealed[..], "{name}");
        assert_eq!(frame.sealed.len(), frame.plaintext.len() + TAG_BYTES, "{name}");
        let opened = cipher.open(*index, &frame.sealed, *sample_width).expect("authentic");
        assert_eq!(opened[..], frame.plaintext[..], "{name}");
    }
}

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
