//! The sealed image as a whole: round trips, and every single change of one that fits on a page.

use super::*;
use crate::cipher::ImageKey;
use crate::imaging::{ByteOrder, ChannelOrder, Format, Geometry, SampleType};
use alloy::primitives::{Address, B256};
use proptest::prelude::*;

const SALT: B256 = B256::repeat_byte(3);

fn context() -> ImageContext {
    ImageContext::new(31337, Address::repeat_byte(1), Address::repeat_byte(2), SALT)
}

fn key() -> ImageKey {
    ImageKey::from_bytes([7; 32])
}

fn shape(depth: u32, height: u32, width: u32, channels: u16, sample_type: SampleType) -> Shape {
    Shape {
        geometry: Geometry { depth, height, width, channels },
        sample_type,
        byte_order: ByteOrder::Little,
        channel_order: ChannelOrder::Interleaved,
        bits_stored: 8,
    }
}

fn spliced(shape: Shape, head: &[u8], tail: &[u8]) -> Description {
    let layout = Layout::Spliced { shape, head: head.to_vec().into(), tail: tail.to_vec().into() };
    Description { format: Format::Dicom, file_name: "slice.dcm".to_owned(), layout }
}

fn bytes(length: u64) -> Description {
    Description { format: Format::Unknown, file_name: "notes.txt".to_owned(), layout: Layout::Bytes { length } }
}

fn sealed(description: &Description, payload: &[u8]) -> Vec<u8> {
    let (context, key) = (context(), key());
    let sealing = Sealing { context: &context, salt: SALT, key: &key, model_digest: [5; 32], description, payload };
    seal(&sealing).expect("a sealing that readers accept")
}

fn counting(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

#[track_caller]
fn assert_comes_back(description: &Description, payload: &[u8]) {
    let sealed = sealed(description, payload);
    let image = SealedImage::decode(&sealed).expect("as written");
    let opened = image.open(&key()).expect("with its own key");
    assert!(opened.description == *description, "{description:?}");
    assert_eq!(*opened.payload, payload, "{description:?}");
    assert!(image.describe(&key()).expect("with its own key") == *description);
}

#[test]
fn samples_of_every_type_and_many_shapes_come_back() {
    for sample_type in SampleType::ALL {
        for (d, h, w, c) in [(1, 1, 1, 1), (1, 1, 9, 1), (1, 17, 31, 1), (3, 5, 7, 1), (2, 16, 16, 3), (1, 64, 65, 1)] {
            let shape = shape(d, h, w, c, sample_type);
            let payload = counting((d * h * w) as usize * usize::from(c) * sample_type.bytes());
            assert_comes_back(&spliced(shape, b"head", b""), &payload);
            let layout = Layout::Pixels { shape };
            assert_comes_back(&Description { format: Format::Png, file_name: String::new(), layout }, &payload);
        }
    }
}

#[test]
fn bytes_come_back_on_both_sides_of_a_frame() {
    for length in [1, 2, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (2 << 20) + 5000] {
        assert_comes_back(&bytes(length as u64), &counting(length));
    }
    let image = sealed(&bytes((1 << 20) + 5000), &counting((1 << 20) + 5000));
    let lengths = SealedImage::decode(&image).expect("as written").header().frame_lengths.clone();
    assert_eq!(lengths[1..], [(1 << 20) + 16, 5120 + 16]);
}

#[test]
fn what_no_reader_would_accept_is_not_written() {
    let (context, key) = (context(), key());
    let attempt = |description: &Description, payload: &[u8], salt| {
        seal(&Sealing { context: &context, salt, key: &key, model_digest: [5; 32], description, payload })
    };
    let payload_length = |found| Err(EnvelopeError::DescriptionField { field: "payload length", found });
    assert_eq!(attempt(&bytes(0), b"", SALT), payload_length(0));
    assert_eq!(attempt(&bytes(5), b"four", SALT), payload_length(4));
    assert_eq!(attempt(&spliced(shape(1, 2, 2, 1, SampleType::U16), b"", b""), b"four", SALT), payload_length(4));
    let mut named = bytes(4);
    named.file_name = "n".repeat(1025);
    assert_eq!(
        attempt(&named, b"four", SALT),
        Err(EnvelopeError::DescriptionField { field: "file name", found: 1025 })
    );
    named.file_name.pop();
    assert!(attempt(&named, b"four", SALT).is_ok());
    let other_salt = attempt(&bytes(4), b"four", B256::ZERO);
    assert!(matches!(other_salt, Err(EnvelopeError::ImageIdMismatch { .. })));
}

#[test]
fn another_key_is_named_as_such() {
    let sealed = sealed(&bytes(4), b"four");
    let image = SealedImage::decode(&sealed).expect("as written");
    assert_eq!(image.open(&ImageKey::from_bytes([8; 32])).err(), Some(EnvelopeError::WrongKey));
    assert_eq!(image.describe(&ImageKey::from_bytes([8; 32])).err(), Some(EnvelopeError::WrongKey));
}

/// Which error a flipped bit at this offset must give; frame 0 begins at `end`.
fn expected_kind(offset: usize, end: usize, second_frame: usize, error: &EnvelopeError) -> bool {
    use EnvelopeError as E;
    match offset {
        0..8 => matches!(error, E::BadMagic),
        8..10 => matches!(error, E::UnsupportedVersion { .. }),
        10..14 => matches!(error, E::HeaderLength { .. } | E::Truncated { .. }),
        14..16 => matches!(error, E::UnsupportedSuite { .. }),
        16..128 => matches!(error, E::ImageIdMismatch { .. }),
        128..160 => matches!(error, E::WrongKey),
        160..192 => matches!(error, E::FrameNotAuthentic { frame: 0 }),
        192..196 => matches!(error, E::FrameCount { .. } | E::HeaderLength { .. }),
        _ if offset < end => {
            matches!(error, E::FrameLength { .. } | E::Truncated { .. } | E::TrailingBytes { .. })
        }
        _ if offset < second_frame => matches!(error, E::FrameNotAuthentic { frame: 0 }),
        _ => matches!(error, E::FrameNotAuthentic { frame: 1 }),
    }
}

#[test]
fn every_bit_flip_and_every_truncation_of_4_kib_is_refused_with_the_right_key_in_hand() {
    // No outer hash and no CID is looked at: parser and cipher stand alone here.
    let sealed = sealed(&spliced(shape(1, 63, 59, 1, SampleType::U8), b"head", b"tail"), &counting(63 * 59));
    assert!((4000..=4200).contains(&sealed.len()), "{} bytes", sealed.len());
    let (header, end) = PublicHeader::decode(&sealed).expect("as written");
    let second_frame = end + usize::try_from(header.frame_lengths[0]).expect("short");
    let mut changed = sealed.clone();
    for bit in 0..sealed.len() * 8 {
        changed[bit / 8] ^= 1 << (bit % 8);
        let result = SealedImage::decode(&changed).and_then(|image| image.open(&key()));
        let error = result.err().unwrap_or_else(|| panic!("bit {bit} was not noticed"));
        assert!(expected_kind(bit / 8, end, second_frame, &error), "bit {bit}: {error}");
        changed[bit / 8] ^= 1 << (bit % 8);
    }
    for length in 0..sealed.len() {
        let error = SealedImage::decode(&sealed[..length]).map(drop).expect_err("cut short");
        assert!(matches!(error, EnvelopeError::Truncated { found, .. } if found == length as u64), "{length}: {error}");
    }
    let longer = [&sealed[..], b"\0"].concat();
    assert!(matches!(SealedImage::decode(&longer).map(drop), Err(EnvelopeError::TrailingBytes { .. })));
}

#[test]
fn frames_do_not_change_places() {
    let description = spliced(shape(2, 8, 8, 1, SampleType::U8), b"", b"");
    let sealed = sealed(&description, &counting(128));
    let frame = 64 + 16;
    let (kept, frames) = sealed.split_at(sealed.len() - 2 * frame);
    let swapped = [kept, &frames[frame..], &frames[..frame]].concat();
    let result = SealedImage::decode(&swapped).expect("the lengths still hold").open(&key());
    assert_eq!(result.err(), Some(EnvelopeError::FrameNotAuthentic { frame: 1 }));
}

#[test]
fn nothing_secret_is_printed() {
    let description = spliced(shape(1, 1, 4, 1, SampleType::U8), b"PATIENT", b"");
    assert_eq!(format!("{description:?}"), "Description(Dicom, 4 bytes)");
}

proptest! {
    #[test]
    fn any_samples_come_back(
        depth in 1_u32..4, height in 1_u32..40, width in 1_u32..40, channels in 1_u16..5, code in 1_u8..=10,
        head in prop::collection::vec(any::<u8>(), 0..300), tail in prop::collection::vec(any::<u8>(), 0..300),
        seed in any::<u8>(),
    ) {
        let sample_type = SampleType::from_code(code).expect("1 to 10");
        let shape = shape(depth, height, width, channels, sample_type);
        let length = (depth * height * width) as usize * usize::from(channels) * sample_type.bytes();
        let payload: Vec<u8> = (seed..=255).chain(0..seed).cycle().take(length).collect();
        assert_comes_back(&spliced(shape, &head, &tail), &payload);
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = SealedImage::decode(&bytes);
        let _ = Description::decode(&bytes);
        let prefixed = [b"MEDSEAL\n\0\x01", &bytes[..]].concat();
        let _ = SealedImage::decode(&prefixed);
    }
}
