//! Whole files: the committed phantoms, and bytes that were never a file.

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::imaging::{DicomError, Geometry, dicom::fixture, encode, phantom};

fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `scripts/phantoms` says where the samples are; it shares no code with us.
#[test]
fn the_phantoms_are_what_their_maker_says() {
    let index: Value = serde_json::from_slice(&data("phantoms.json")).expect("JSON");
    let index = index.as_object().expect("an object");
    assert_eq!(index.len(), 17);
    for (name, facts) in index {
        let file = data(name);
        let found = decode(&file, &Limits::default());
        if facts["refused"] == "TooLarge" {
            assert!(matches!(found, Err(ImagingError::TooLarge { .. })), "{name}: {found:?}");
            continue;
        }
        let scan = found.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(scan.format().to_string().to_lowercase(), facts["format"], "{name}");
        let image = scan.image();
        assert_eq!(image.is_some(), facts.get("shape").is_some(), "{name}");
        if let Some(image) = image {
            let Geometry { depth, height, width, channels } = image.geometry();
            let shape = Value::from(vec![depth, height, width, u32::from(channels)]);
            assert_eq!(shape, facts["shape"], "{name}");
            assert_eq!(image.sample_type().name(), facts["type"], "{name}");
        }
        match (scan.split(), facts.get("samples")) {
            (Split::Samples(range), Some(expected)) => {
                assert_eq!(&Value::from(vec![range.start, range.len()]), expected, "{name}");
                let (head, samples, tail) = scan.parts(&file);
                assert_eq!([head, samples, tail].concat(), file, "{name}");
                assert_eq!(samples, image.expect("an image").samples(), "{name}");
            }
            (Split::Whole(_), None) => assert_eq!(scan.parts(&file), (&[][..], &file[..], &[][..]), "{name}"),
            (split, expected) => panic!("{name}: {split:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn the_same_phantom_in_three_syntaxes_has_the_same_samples() {
    let bits = |name| {
        let scan = decode(&data(name), &Limits::default()).expect("a phantom");
        scan.image().expect("an image").canonical_bits().collect::<Vec<_>>()
    };
    let little = bits("implicit_little.dcm");
    assert_eq!(little, bits("explicit_little.dcm"));
    assert_eq!(little, bits("explicit_big.dcm"));
    assert_eq!(bits("planar_rgb.dcm"), bits("interleaved_rgb.dcm"));
    assert_eq!(bits("planar_rgb.dcm"), bits("rgb_8bit.png"));
    assert_eq!(bits("head_16bit.tif"), bits("head_16bit.png"));
    let signed = decode(&data("signed_16bit.dcm"), &Limits::default()).expect("a phantom");
    let values: Vec<f64> = little.iter().map(|bits| *bits as f64 - 1024.0).collect();
    assert_eq!(signed.image().expect("an image").values().collect::<Vec<_>>(), values);
}

#[test]
fn the_65_bytes_that_claim_4_gib_are_refused_and_sealed_raw() {
    let bomb = data("claims_65535.png");
    assert_eq!(bomb.len(), 65);
    let error = decode(&bomb, &Limits::default()).expect_err("too large");
    assert_eq!(error.to_string(), "too large: 4294836225 bytes of a slice, at most 2147483648");
    let raw = Scan::raw(&bomb).expect("raw");
    assert_eq!((raw.format(), raw.split()), (Format::Png, &Split::Whole(WholeReason::AskedFor)));
}

#[test]
fn nothing_is_an_error_and_everything_else_is_bytes() {
    assert!(matches!(decode(b"", &Limits::default()), Err(ImagingError::Empty)));
    assert!(matches!(Scan::raw(b""), Err(ImagingError::Empty)));
    for (bytes, format, reason) in [
        (&b"x"[..], Format::Unknown, WholeReason::UnknownFormat),
        (b"\xff\xd8\xff\xe0", Format::Jpeg, WholeReason::NotDecoded),
        (b"\x89PNG", Format::Unknown, WholeReason::UnknownFormat),
    ] {
        let scan = decode(bytes, &Limits::default()).expect("bytes");
        assert_eq!((scan.format(), scan.image(), scan.split()), (format, None, &Split::Whole(reason)));
    }
}

#[test]
fn a_file_that_is_cut_short_is_never_bytes_by_itself() {
    let file = data("explicit_little.dcm");
    let cut = decode(&file[..file.len() / 2], &Limits::default());
    assert!(matches!(cut, Err(ImagingError::Dicom(DicomError::ElementLength { .. }))), "{cut:?}");
    assert!(Scan::raw(&file[..file.len() / 2]).is_ok());
}

/// Whatever comes out: nothing larger than the file's samples, or what the limits of decoding
/// allow.
fn look(bytes: &[u8]) {
    let limits = Limits { decoded_bytes: 1 << 20, ..Limits::default() };
    let Ok(scan) = decode(bytes, &limits) else { return };
    let (head, samples, tail) = scan.parts(bytes);
    assert_eq!([head, samples, tail].concat(), bytes);
    if let Some(image) = scan.image() {
        match scan.split() {
            Split::Samples(_) => assert_eq!(image.samples(), samples),
            Split::Whole(_) => assert!(image.samples().len() <= 1 << 20),
        }
    }
}

#[test]
fn changed_files_never_panic() {
    let mut files: Vec<Vec<u8>> = fixture::SYNTAXES.into_iter().map(fixture::small).collect();
    files.push(data("icon_undefined.dcm")[..900].to_vec());
    for name in ["one_pixel.dcm", "odd_17x31.dcm", "icon_defined.dcm", "rgb_8bit.png"] {
        files.push(data(name));
    }
    for bits in [8, 16] {
        files.push(encode(&phantom(9, 7, bits, 1), Format::Tiff).expect("expressible"));
        files.push(encode(&phantom(9, 7, bits, 1), Format::Png).expect("expressible"));
    }
    let mut state = 0x5eed_u64; // the seed
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for round in 0..20_000 {
        let mut file = files[round % files.len()].clone();
        for _ in 0..=next(4) {
            let at = next(file.len());
            file[at] = [0, 1, 0x7f, 0x80, 0xfe, 0xff, u8::try_from(next(256)).expect("a byte")][next(7)];
        }
        look(&file);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(start in 0..6usize, bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let dicom = fixture::File::new(fixture::SYNTAXES[start % 3]).bytes;
        let starts: [&[u8]; 6] = [&dicom, &dicom, &dicom, b"\x89PNG\r\n\x1a\n", b"II*\0", b""];
        look(&[starts[start], &bytes].concat());
    }

    #[test]
    fn any_small_dicom_is_spliced_exactly(
        syntax in 0..3usize, frames in 1..4u16, rows in 1..12u16, columns in 1..12u16, channels in 1..4u16, wide: bool, tail: bool,
    ) {
        let mut file = fixture::File::new(fixture::SYNTAXES[syntax]);
        let bits = if wide { 16 } else { 8 };
        let length = usize::from(frames) * usize::from(rows) * usize::from(columns) * usize::from(channels * bits / 8);
        let samples: Vec<u8> = (0..length.next_multiple_of(2)).map(|i| u8::try_from(i % 253).expect("a byte")).collect();
        let number = format!("{frames} ");
        file.element(dicom_core::Tag(0x28, 8), b"IS", number.as_bytes()).shape(channels, rows, columns, bits);
        let end = file.pixels(if wide { b"OW" } else { b"OB" }, &samples).len();
        if tail {
            file.element(dicom_core::Tag(0xfffc, 0xfffc), b"OB", &[0; 4]);
        }
        let start = end - samples.len();
        // 8 bits in implicit little-endian are OW, too, and stand as they are.
        let scan = decode(&file.bytes, &Limits::default()).expect("a good file");
        prop_assert_eq!(scan.split(), &Split::Samples(start..start + length));
        prop_assert_eq!(scan.image().map(Image::samples), Some(&samples[..length]));
    }
}
