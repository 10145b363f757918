//! Sealed images: the good ones are opened and sealed again, the bad ones refused by name.

use alloy::primitives::b256;
use medseal::cipher::{FrameCipher, ImageKey, TAG_BYTES};
use medseal::envelope::{Description, Layout, PublicHeader, SealedImage, Sealing, Shape, frames, seal};
use medseal::imaging::{Format, Limits, Split, decode};
use medseal::keygen::{DeriveInputs, MODEL_DIGEST, SenderSecret, Tout, derive, fold_bytes, fold_image};

use super::schema::{BadCase, Cases, GoodCase, LargeCase, SealedCase, load};
use super::{counter, image, numbered};
use crate::common::{read, root, sha256, variant};

/// A case after sealing.
struct Resealed {
    description: Description,
    key: ImageKey,
    sealed: Vec<u8>,
    cipher: FrameCipher,
    /// The frames as they stand in the file, the description first.
    frames: Vec<Vec<u8>>,
}

/// Derives the case's key and seals `payload` with it; every value on the way is compared.
#[track_caller]
fn reseal(case: &SealedCase, payload: &[u8]) -> Resealed {
    let name = &case.name;
    let context = case.identity.check();
    let description = case.description.description();
    assert_eq!(description.payload_bytes(), case.description.payload_bytes, "{name}");
    let fold = description.shape().map_or_else(|| fold_bytes(payload), |shape| fold_image(&image(shape, payload)));
    assert_eq!(sha256(&*fold.to_bytes()), case.fold_sha256, "{name}");
    let key = derive(&DeriveInputs {
        salt: &case.identity.salt,
        partials: &numbered(&case.partials),
        sender_secret: &SenderSecret::from_bytes(case.r.0),
        fold: &fold,
        tout: &Tout::from_bytes(&case.tout[..]),
        model_digest: &case.identity.model_digest,
        context: &context,
    })
    .expect("one partial from each KGC");
    assert_eq!(*key.as_bytes(), case.image_key, "{name}");
    let subkeys = case.subkeys.check(&context.image_id, &key);

    let (salt, model_digest) = (case.identity.salt, case.identity.model_digest.0);
    let sealing = Sealing { context: &context, salt, key: &key, model_digest, description: &description, payload };
    let sealed = seal(&sealing).expect("the vectors are valid");
    assert_eq!(sealed.len(), case.sealed_bytes, "{name}");
    assert_eq!(sha256(&sealed), case.sealed_sha256, "{name}");

    let (header, mut start) = PublicHeader::decode(&sealed).expect("just sealed");
    assert_eq!(header.hash(), case.header_hash, "{name}");
    assert_eq!(header.hash(), sha256(&sealed[..start]), "{name}");
    let mut frames = Vec::new();
    for length in &header.frame_lengths {
        let end = start + usize::try_from(*length).expect("in memory");
        frames.push(sealed[start..end].to_vec());
        start = end;
    }
    let cipher = FrameCipher::new(&subkeys, header.hash(), frames.len() as u64);
    let plain = cipher.open_description(&frames[0]).expect("just sealed");
    assert_eq!(plain[..], case.description_plaintext[..], "{name}");
    Resealed { description, key, sealed, cipher, frames }
}

/// `file = head || payload || tail`; pixels are their own payload.
fn parts(description: &Description) -> (&[u8], &[u8]) {
    match &description.layout {
        Layout::Spliced { head, tail, .. } => (head, tail),
        _ => (&[], &[]),
    }
}

#[test]
fn good_images_open_and_are_sealed_again_byte_for_byte() {
    let cases = load::<Cases<GoodCase>>("sealed/good.json").cases;
    assert!(cases.len() >= 25, "{} good images", cases.len());
    for vector in &cases {
        let name = &vector.case.name;
        let description = vector.case.description.description();
        let (head, tail) = parts(&description);
        let payload = &vector.opened[head.len()..vector.opened.len() - tail.len()];
        let resealed = reseal(&vector.case, payload);
        let file = read(root("tests/vectors/sealed").join(&vector.file));
        assert!(resealed.sealed == file, "{name}");

        let parsed = SealedImage::decode(&file).expect("a good image");
        assert!(parsed.describe(&resealed.key).expect("the right key") == description, "{name}");
        let opened = parsed.open(&resealed.key).expect("the right key");
        assert!(opened.description == description, "{name}");
        let (head, tail) = parts(&opened.description);
        assert!([head, &opened.payload, tail].concat() == vector.opened, "{name}");

        let plain: Vec<_> = frames(&description, payload).collect();
        assert_eq!(plain.len(), vector.frames.len(), "{name}");
        for ((index, plain), expected) in plain.iter().zip(&vector.frames) {
            assert!(**plain == *expected.plaintext, "{name}, frame {index}");
            let layers = resealed.cipher.layers(*index, plain, description.sample_bytes());
            assert!(*layers.permuted == *expected.permuted, "{name}, frame {index}");
            assert!(*layers.substituted == *expected.substituted, "{name}, frame {index}");
        }
    }
}

/// The key is never derived again: no model is asked for when an image is opened.
#[test]
fn an_image_that_the_first_model_sealed_still_opens() {
    let cases = load::<Cases<GoodCase>>("sealed/good.json").cases;
    let vector = cases.iter().find(|vector| vector.case.name == "first-model").expect("its vector");
    let first_model = b256!("467090fed8af97ca3d60abd31eda0501ba0c659cc2c5322cafacf5da55985513");
    assert_ne!(MODEL_DIGEST, first_model);
    let file = read(root("tests/vectors/sealed").join(&vector.file));
    let image = SealedImage::decode(&file).expect("a good image");
    assert_eq!(image.header().model_digest, first_model);
    assert_eq!(vector.case.tout.len(), 32, "256 logits");
    let opened = image.open(&ImageKey::from_bytes(vector.case.image_key.0)).expect("the right key");
    let (head, tail) = parts(&opened.description);
    assert!([head, &opened.payload, tail].concat() == vector.opened);
}

#[test]
fn dicom_files_are_split_where_python_splits_them() {
    let cases = load::<Cases<GoodCase>>("sealed/good.json").cases;
    let mut split = 0;
    for vector in &cases {
        let description = vector.case.description.description();
        if description.format != Format::Dicom {
            continue;
        }
        let scan = decode(&vector.opened, &Limits::default()).expect("a whole DICOM file");
        let (head, tail) = parts(&description);
        let samples = head.len()..vector.opened.len() - tail.len();
        assert_eq!(*scan.split(), Split::Samples(samples), "{}", vector.case.name);
        let found = scan.image().map(Shape::from);
        assert_eq!(found.as_ref(), description.shape(), "{}", vector.case.name);
        split += 1;
    }
    assert!(split >= 10, "{split} DICOM files");
}

#[test]
fn large_images_have_the_hashes_of_the_vectors() {
    let cases = load::<Cases<LargeCase>>("sealed/large.json").cases;
    assert!(cases.len() >= 2, "{} large images", cases.len());
    for vector in &cases {
        let name = &vector.case.name;
        let payload = counter(usize::try_from(vector.case.description.payload_bytes).expect("in memory"));
        let resealed = reseal(&vector.case, &payload);
        assert_eq!(resealed.frames.len(), vector.frames.len() + 1, "{name}");
        for (((index, plain), sealed), expected) in
            frames(&resealed.description, &payload).zip(&resealed.frames[1..]).zip(&vector.frames)
        {
            assert_eq!(sha256(&plain), expected.plaintext_sha256, "{name}, frame {index}");
            let layers = resealed.cipher.layers(index, &plain, 1);
            assert_eq!(sha256(&*layers.permuted), expected.permuted_sha256, "{name}, frame {index}");
            assert_eq!(sha256(&*layers.substituted), expected.substituted_sha256, "{name}, frame {index}");
            assert_eq!(sealed.len(), plain.len() + TAG_BYTES, "{name}, frame {index}");
            assert_eq!(sha256(sealed), expected.sealed_sha256, "{name}, frame {index}");
        }
        let opened = SealedImage::decode(&resealed.sealed).expect("just sealed").open(&resealed.key).expect("its key");
        assert_eq!(sha256(&*opened.payload), vector.opened_sha256, "{name}");
    }
}

#[test]
fn bad_images_are_refused_by_the_name_of_their_fault() {
    let cases = load::<Cases<BadCase>>("sealed/bad.json").cases;
    assert!(cases.len() >= 88, "{} bad images", cases.len());
    let mut kinds = std::collections::BTreeSet::new();
    for vector in &cases {
        let bytes = read(root("tests/vectors/sealed").join(&vector.file));
        let key = ImageKey::from_bytes(vector.image_key.0);
        let opened = SealedImage::decode(&bytes).and_then(|image| image.open(&key));
        let found = opened.map_or_else(|error| variant(&error), |_| "opened".to_owned());
        assert_eq!(found, vector.error, "{}", vector.name);
        kinds.insert(found);
    }
    assert_eq!(kinds.len(), 16, "every kind of error has a vector: {kinds:?}");
}
