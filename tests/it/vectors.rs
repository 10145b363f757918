//! Rust against the vectors of an independent Python program (`tests/vectors/README.md`): every
//! value.
//!
//! Whole frames with subkeys given as they are (`frames` of `cipher.json`) are tested beside the
//! cipher, which alone can take them.

mod capsules;
mod requests;
mod rewrapped;
mod schema;
mod sealed;

use alloy::primitives::B256;
use medseal::cipher::{Permutation, SBox};
use medseal::envelope::Shape;
use medseal::imaging::Image;
use medseal::keygen::{DeriveInputs, Fold, Partial, SenderSecret, Tout, derive, fold_bytes, fold_image};

use crate::common::sha256;
use schema::{CipherFile, DerivationFile, FoldVector, FromSamplesFile, FromSamplesKey, ImageKeyVector, load};

/// *Counter(length)* of the vectors' README.
fn counter(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn image(shape: &Shape, samples: &[u8]) -> Image {
    let Shape { geometry, sample_type, byte_order, channel_order, bits_stored } = *shape;
    Image::new(geometry, sample_type, byte_order, channel_order, bits_stored, samples.to_vec()).expect("an image")
}

/// Where every sample comes from: the numbers 0, 1, 2, ... are permuted, `width` of their eight
/// bytes at a time.
fn sources(permutation: &Permutation, samples: usize, width: usize) -> Vec<u64> {
    let mut found = vec![[0; 8]; samples];
    for first in (0..8).step_by(width) {
        let plain: Vec<u8> = (0..samples as u64).flat_map(|i| i.to_le_bytes()[first..first + width].to_vec()).collect();
        let permuted = permutation.forward(&plain);
        assert!(permutation.inverse(&permuted) == plain);
        for (number, part) in found.iter_mut().zip(permuted.chunks_exact(width)) {
            number[first..first + width].copy_from_slice(part);
        }
    }
    found.into_iter().map(u64::from_le_bytes).collect()
}

fn fnv1a64(numbers: &[u64]) -> [u8; 8] {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash.to_be_bytes()
}

#[test]
fn permutations_are_those_of_the_vectors() {
    let vectors = load::<CipherFile>("cipher.json").permutations;
    assert!(vectors.len() >= 32, "{} permutations", vectors.len());
    for vector in &vectors {
        let (samples, width) = (vector.samples, vector.sample_width);
        let found = sources(&Permutation::draw(&vector.key.0, vector.frame, samples, width), samples, width);
        assert_eq!(found[..vector.first.len()], vector.first, "{samples} samples of {width} bytes");
        assert_eq!(fnv1a64(&found), vector.fnv1a64.0, "{samples} samples of {width} bytes");
    }
    for width in [1, 2, 4, 8] {
        let samples = |paged| vectors.iter().any(|v| v.sample_width == width && (v.samples * width >= 4096) == paged);
        assert!(samples(false) && samples(true), "with and without pages, {width} bytes");
    }
}

#[test]
fn s_boxes_are_those_of_the_vectors() {
    let vectors = load::<CipherFile>("cipher.json").s_boxes;
    assert!(vectors.len() >= 3, "{} S-boxes", vectors.len());
    assert!(vectors.iter().any(|v| v.redrawn_a > 0) && vectors.iter().any(|v| v.redrawn_b > 0));
    let all: Vec<u8> = (0..=255).collect();
    for vector in &vectors {
        let s_box = SBox::draw(&vector.key.0);
        assert_eq!(s_box.table()[..], vector.table[..]);
        let mut bytes = all.clone();
        s_box.substitute(&mut bytes);
        assert_eq!(bytes, vector.table[..]);
        s_box.restore(&mut bytes);
        assert_eq!(bytes, all);
    }
}

#[track_caller]
fn check_fold(name: &str, fold: &Fold, vector: &FoldVector) {
    let bytes = fold.to_bytes();
    let first: Vec<u16> = bytes.as_chunks().0.iter().take(8).map(|word| u16::from_be_bytes(*word)).collect();
    assert_eq!(first, vector.first, "{name}");
    assert_eq!(sha256(&*bytes), vector.sha256, "{name}");
}

#[test]
fn folds_are_those_of_the_vectors() {
    let vectors = load::<DerivationFile>("derivation.json");
    assert!(vectors.image_folds.len() >= 14, "{} image folds", vectors.image_folds.len());
    assert!(vectors.byte_folds.len() >= 5, "{} byte folds", vectors.byte_folds.len());
    for vector in &vectors.image_folds {
        let image = image(&vector.shape.shape(), &vector.samples);
        check_fold(&vector.name, &fold_image(&image), &vector.fold);
    }
    for vector in &vectors.byte_folds {
        check_fold(&vector.name, &fold_bytes(&counter(vector.length)), &vector.fold);
    }
}

/// The vectors name no KGC: these ids have their order. They are handed over the wrong way round.
fn numbered(partials: &[B256]) -> Vec<(B256, Partial)> {
    let ids = (1..).map(B256::repeat_byte);
    let mut numbered: Vec<_> = ids.zip(partials.iter().map(|partial| Partial::from_bytes(partial.0))).collect();
    numbered.reverse();
    numbered
}

/// Section 4 of FORMAT.md as a whole, with all that lies between samples and key.
#[test]
fn image_keys_follow_from_samples_and_r() {
    let vectors = load::<FromSamplesFile>("from_samples.json");
    assert!(vectors.images.len() >= 2 && !vectors.files.is_empty());
    let images = vectors.images.iter().map(|vector| {
        let image = image(&vector.shape.shape(), &vector.samples);
        (&vector.name, fold_image(&image), &vector.key)
    });
    let files = vectors.files.iter().map(|vector| (&vector.name, fold_bytes(&counter(vector.length)), &vector.key));
    for (name, fold, vector) in images.chain(files) {
        let FromSamplesKey { fold: expected, identity, partials, r, tout, ikm_bytes, ikm_sha256, info, .. } = vector;
        assert!(fold.to_bytes()[..] == expected[..], "{name}: another fold");
        let context = identity.check();
        let parts = partials.iter().map(|partial| &partial[..]).chain([&r[..], expected, tout]);
        let ikm: Vec<u8> = parts.flat_map(length_prefixed).collect();
        assert_eq!((ikm.len(), sha256(&ikm)), (*ikm_bytes, *ikm_sha256), "{name}");
        let bound: [&[u8]; 4] = [b"medseal/v1/image-key", &[0, 1], &identity.model_digest[..], &identity.context];
        assert_eq!(bound.iter().flat_map(|part| length_prefixed(part)).collect::<Vec<u8>>(), info[..], "{name}");
        let key = derive(&DeriveInputs {
            salt: &identity.salt,
            partials: &numbered(partials),
            sender_secret: &SenderSecret::from_bytes(r.0),
            fold: &fold,
            tout: &Tout::from_bytes(&tout[..]),
            model_digest: &identity.model_digest,
            context: &context,
        })
        .expect("one partial from each KGC");
        assert_eq!(*key.as_bytes(), *vector.image_key, "{name}");
        vector.subkeys.check(&context.image_id, &key);
    }
}

fn length_prefixed(part: &[u8]) -> Vec<u8> {
    [&u32::try_from(part.len()).expect("short").to_be_bytes(), part].concat()
}

#[test]
fn image_keys_are_those_of_the_vectors() {
    let vectors = load::<DerivationFile>("derivation.json");
    assert!(vectors.image_keys.len() >= 2, "{} image keys", vectors.image_keys.len());
    assert!(vectors.image_keys.iter().any(|vector| vector.partials.len() > 1));
    assert!([32, 96].iter().all(|length| vectors.image_keys.iter().any(|vector| vector.tout.len() == *length)));
    for vector in &vectors.image_keys {
        let ImageKeyVector { name, identity, partials, r, fold_of, tout, image_key, subkeys } = vector;
        let context = identity.check();
        let folded = vectors.byte_folds.iter().find(|fold| fold.name == *fold_of).expect("a byte fold of this name");
        let key = derive(&DeriveInputs {
            salt: &identity.salt,
            partials: &numbered(partials),
            sender_secret: &SenderSecret::from_bytes(r.0),
            fold: &fold_bytes(&counter(folded.length)),
            tout: &Tout::from_bytes(&tout[..]),
            model_digest: &identity.model_digest,
            context: &context,
        })
        .expect("one partial from each KGC");
        assert_eq!(*key.as_bytes(), *image_key, "{name}");
        subkeys.check(&context.image_id, &key);
    }
}
