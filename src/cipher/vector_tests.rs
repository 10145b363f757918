//! Whole frames against `frames` of `tests/vectors/cipher.json`. Here and not in `tests/it`, because the vectors give the subkeys as they
//! are, and nobody outside may make up subkeys.

use super::{Diffusion, FrameCipher, SBox, TAG_BYTES};
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
