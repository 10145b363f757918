//! Each thing that can be wrong with a DICOM file.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::imaging::dicom::fixture::{
    File, ICON, ITEM, ITEM_END, SEQUENCE_END, SYNTAXES, Syntax, UNDEFINED, error, read, reason, small, with_icon,
};
use crate::imaging::{DicomError, ImagingError, Limits, Split, WholeReason, decode};

#[test]
fn pixel_data_that_are_too_short_are_refused() {
    let file = |value: &[u8]| File::new(Syntax::ExplicitLittle).shape(1, 1, 3, 8).pixels(b"OB", value);
    for (value, found) in [(&[1, 2][..], 2), (&[], 0)] {
        assert_eq!(error(&file(value)), DicomError::PixelLength { expected: 3, found });
    }
    let mask = File::new(Syntax::ExplicitLittle).shape(1, 3, 3, 1).pixels(b"OB", &[0xff]);
    assert_eq!(error(&mask), DicomError::PixelLength { expected: 2, found: 1 });
    let colour = |name, value: &[u8]| {
        let mut file = File::new(Syntax::ExplicitLittle);
        file.element(Tag(0x28, 4), b"CS", name).shape(3, 2, 2, 8).pixels(b"OB", value)
    };
    assert_eq!(error(&colour(b"YBR_FULL_422", &[0; 6])), DicomError::PixelLength { expected: 8, found: 6 });
    assert_eq!(error(&colour(b"YBR_PARTIAL_420 ", &[0; 4])), DicomError::PixelLength { expected: 6, found: 4 });
    assert_eq!(reason(&colour(b"YBR_PARTIAL_420 ", &[0; 6])), WholeReason::Subsampled);
    let vast = File::new(Syntax::ExplicitLittle).shape(65535, 65535, 65535, 64).pixels(b"OB", &[0; 8]);
    let expected = 65535u64.pow(3) * 8;
    assert_eq!(error(&vast), DicomError::PixelLength { expected, found: 8 });
}

#[test]
fn impossible_numbers_are_refused() {
    let shaped = |channels, rows, columns, bits| {
        error(&File::new(Syntax::ExplicitLittle).shape(channels, rows, columns, bits).pixels(b"OB", &[0; 6]))
    };
    let value = |error, tag, found| {
        assert!(matches!(error, DicomError::Value { tag: t, found: f, .. } if t == tag && f == found), "{error:?}");
    };
    value(shaped(0, 2, 3, 8), tags::SAMPLES_PER_PIXEL, 0);
    value(shaped(1, 0, 3, 8), tags::ROWS, 0);
    value(shaped(1, 2, 0, 8), tags::COLUMNS, 0);
    for bits in [0, 7, 12, 24, 2048] {
        value(shaped(1, 2, 3, bits), tags::BITS_ALLOCATED, u32::from(bits));
    }
    let with = |tag, number| {
        let mut file = File::new(Syntax::ExplicitLittle);
        file.number(Tag(0x28, 0x10), 2).number(Tag(0x28, 0x11), 3).number(Tag(0x28, 0x100), 8);
        error(&file.number(tag, number).pixels(b"OB", &[0; 6]))
    };
    value(with(tags::BITS_STORED, 9), tags::BITS_STORED, 9);
    value(with(tags::BITS_STORED, 0), tags::BITS_STORED, 0);
    value(with(tags::PIXEL_REPRESENTATION, 7), tags::PIXEL_REPRESENTATION, 7);
    value(with(tags::PLANAR_CONFIGURATION, 2), tags::PLANAR_CONFIGURATION, 2);
}

#[test]
fn missing_and_mistyped_elements_are_refused() {
    let all = [tags::ROWS, tags::COLUMNS, tags::BITS_ALLOCATED];
    for missing in all {
        let mut file = File::new(Syntax::ImplicitLittle);
        for tag in all.into_iter().filter(|tag| *tag != missing) {
            file.number(tag, 8);
        }
        let found = error(&file.pixels(b"OW", &[0; 64]));
        assert!(matches!(found, DicomError::Missing { tag, .. } if tag == missing), "{found:?}");
    }
    let mut rows = File::new(Syntax::ExplicitLittle);
    rows.element(tags::ROWS, b"UL", &[2, 0, 0, 0]).number(tags::COLUMNS, 3).number(tags::BITS_ALLOCATED, 8);
    assert!(matches!(error(&rows.pixels(b"OB", &[0; 6])), DicomError::Type { tag: tags::ROWS, .. }));
    for frames in [&b"0 "[..], b"-1", b"2x", b"99999999999 ", b"1\\2 ", b"\xff\xff"] {
        let mut file = File::new(Syntax::ExplicitLittle);
        file.element(tags::NUMBER_OF_FRAMES, b"IS", frames);
        let found = error(&file.shape(1, 2, 3, 8).pixels(b"OB", &[0; 6]));
        assert!(matches!(found, DicomError::Type { tag: tags::NUMBER_OF_FRAMES, .. }), "{found:?}");
    }
}

#[test]
fn the_same_element_twice_is_refused() {
    let mut file = File::new(Syntax::ExplicitLittle);
    let bytes = file.shape(1, 2, 3, 8).number(tags::ROWS, 2).pixels(b"OB", &[0; 6]);
    assert!(matches!(error(&bytes), DicomError::Duplicate { tag: tags::ROWS, .. }));
    let mut file = File::new(Syntax::ExplicitLittle);
    let first = file.shape(1, 2, 3, 8).pixels(b"OB", &[0; 6]).len();
    let twice = file.pixels(b"OB", &[0; 6]);
    assert_eq!(error(&twice), DicomError::Duplicate { tag: tags::PIXEL_DATA, offset: first + 12 });
    let mut file = File::new(Syntax::ExplicitLittle);
    file.shape(1, 1, 1, 32).element(tags::FLOAT_PIXEL_DATA, b"OF", &[0; 4]);
    let kinds = file.pixels(b"OW", &[0; 4]);
    assert!(matches!(error(&kinds), DicomError::Duplicate { tag: tags::PIXEL_DATA, .. }));
}

#[test]
fn what_comes_after_the_pixels_must_belong_there() {
    for syntax in SYNTAXES {
        let whole = small(syntax);
        for (bytes, count) in [(0xff, 1), (b' ', 7), (0xff, 8), (0xff, 4096)] {
            let mut file = whole.clone();
            file.resize(file.len() + count, bytes);
            let expected = match count {
                0..8 => DicomError::Remains { offset: whole.len(), bytes: count },
                _ => DicomError::AfterPixels { tag: Tag(0xffff, 0xffff), offset: whole.len() },
            };
            assert_eq!(error(&file), expected);
        }
        // Remains of another file, which no length in them makes a file that is cut short.
        let remains = [&whole[..], &whole[132 + 60..132 + 90], &[0xee; 40]].concat();
        assert!(matches!(error(&remains), DicomError::AfterPixels { .. }), "{:?}", error(&remains));
    }
    let mut file = File::new(Syntax::ImplicitLittle);
    file.shape(1, 2, 3, 8).pixels(b"OW", &[0; 6]);
    file.number(tags::ROWS, 2);
    assert!(matches!(error(&file.bytes), DicomError::AfterPixels { tag: tags::ROWS, .. }));
    // An element that may stand there, and is cut short.
    let mut file = File::new(Syntax::ExplicitLittle);
    file.shape(1, 2, 3, 8).pixels(b"OB", &[0; 6]);
    file.header(Tag(0xfffc, 0xfffc), b"OB", 100);
    assert!(matches!(error(&file.bytes), DicomError::ElementLength { length: 100, left: 0, .. }));
}

#[test]
fn zeros_behind_the_last_element_are_the_tail() {
    for syntax in SYNTAXES {
        for zeros in [1, 7, 8, 12, 24, 4096] {
            let whole = small(syntax);
            let mut file = whole.clone();
            file.resize(file.len() + zeros, 0);
            assert_eq!(read(&file).split(), &Split::Samples(whole.len() - 6..whole.len()), "{zeros}");
            let mut report = File::new(syntax);
            report.element(Tag(8, 0x60), b"CS", b"SR").bytes.resize(200 + zeros, 0);
            assert_eq!(reason(&report.bytes), WholeReason::NoPixels, "{zeros}");
        }
    }
}

#[test]
fn padding_behind_the_samples_is_the_tail() {
    for syntax in SYNTAXES {
        for padding in [1, 2, 3, 6, 128] {
            let samples: Vec<u8> = (1..=6 + padding).collect();
            let file = File::new(syntax).shape(1, 2, 3, 8).pixels(b"OB", &samples);
            let (start, end) = (file.len() - samples.len(), file.len() - usize::from(padding));
            let scan = read(&file);
            assert_eq!(scan.split(), &Split::Samples(start..end), "{padding}");
            assert_eq!(scan.image().expect("an image").samples(), [1, 2, 3, 4, 5, 6]);
        }
    }
}

#[test]
fn lengths_are_checked_against_the_file() {
    for (vr, syntax) in [(b"OW", Syntax::ImplicitLittle), (b"OB", Syntax::ExplicitLittle), (b"OW", Syntax::ExplicitBig)]
    {
        let mut file = File::new(syntax);
        file.shape(1, 2, 3, 8).header(tags::PIXEL_DATA, vr, 0xffff_fffe);
        file.bytes.extend_from_slice(&[0; 6]);
        let offset = file.bytes.len() - 6;
        let expected = DicomError::ElementLength { tag: tags::PIXEL_DATA, offset, length: 0xffff_fffe, left: 6 };
        assert_eq!(error(&file.bytes), expected);
    }
    // In the meta group too, where the crates' own reader would allocate it.
    let mut meta = File::new(Syntax::ExplicitLittle);
    meta.bytes.truncate(132);
    meta.header(Tag(2, 1), b"OB", 0xffff_fffe);
    assert!(matches!(error(&meta.bytes), DicomError::ElementLength { length: 0xffff_fffe, left: 0, .. }));
}

#[test]
fn undefined_pixel_data_need_a_compressing_syntax() {
    let mut file = File::new(Syntax::ExplicitLittle);
    file.shape(1, 2, 3, 8).open(tags::PIXEL_DATA, b"OB").close(SEQUENCE_END);
    assert_eq!(error(&file.bytes), DicomError::PixelsUndefined);
}

#[test]
fn described_pixels_must_be_there() {
    let file = File::new(Syntax::ExplicitLittle).shape(1, 2, 3, 8).bytes.clone();
    assert_eq!(error(&file), DicomError::PixelsMissing);
    let mut elsewhere = File::new(Syntax::ExplicitLittle);
    elsewhere.shape(1, 2, 3, 8).element(tags::PIXEL_DATA_PROVIDER_URL, b"UT", b"http:x");
    assert_eq!(reason(&elsewhere.bytes), WholeReason::NoPixels);
}

#[test]
fn a_transfer_syntax_is_needed_once() {
    let mut file = vec![0; 128];
    file.extend_from_slice(b"DICM");
    assert_eq!(error(&file), DicomError::NoTransferSyntax);
    assert_eq!(error(&File::with_uid(Syntax::ExplicitLittle, "").bytes), DicomError::NoTransferSyntax);
    // The meta group says how long it is.
    let meta = File::new(Syntax::ExplicitLittle).bytes;
    for length in 132 + 12..meta.len() {
        assert!(matches!(error(&meta[..length]), DicomError::CutShort { .. }), "{length}");
    }
    let mut twice = File::new(Syntax::ExplicitLittle);
    twice.element(tags::TRANSFER_SYNTAX_UID, b"UI", b"1.2.840.10008.1.2\0");
    assert!(matches!(error(&twice.bytes), DicomError::Duplicate { tag: tags::TRANSFER_SYNTAX_UID, .. }));
}

#[test]
fn delimiters_must_match() {
    let delimiter = |build: fn(&mut File)| {
        let mut file = File::new(Syntax::ExplicitLittle);
        build(&mut file);
        let found = error(&file.bytes);
        assert!(matches!(found, DicomError::Delimiter { .. }), "{found:?}");
    };
    delimiter(|file| {
        file.close(ITEM_END);
    });
    delimiter(|file| {
        file.close(SEQUENCE_END);
    });
    delimiter(|file| {
        file.open(ICON, b"SQ").close(ITEM_END);
    });
    delimiter(|file| {
        file.open(ICON, b"SQ").number(tags::ROWS, 1);
    });
    delimiter(|file| {
        file.open(ICON, b"SQ").open(ITEM, b"UN").close(SEQUENCE_END);
    });
}

#[test]
fn sequences_nest_64_deep_and_no_deeper() {
    let nested = |depth: usize| {
        let mut file = File::new(Syntax::ExplicitLittle);
        for _ in 0..depth {
            file.open(ICON, b"SQ").open(ITEM, b"UN");
        }
        for _ in 0..depth {
            file.close(ITEM_END).close(SEQUENCE_END);
        }
        file.bytes
    };
    assert_eq!(reason(&nested(64)), WholeReason::NoPixels);
    assert!(matches!(error(&nested(65)), DicomError::Nesting { limit: 64, .. }));
    assert!(matches!(error(&nested(100_000)), DicomError::Nesting { limit: 64, .. }));
}

#[test]
fn limits_hold_before_anything_is_copied() {
    let file =
        File::new(Syntax::ExplicitLittle).element(Tag(0x28, 8), b"IS", b"3 ").shape(1, 1, 4, 8).pixels(b"OB", &[0; 12]);
    let too_large = |limits: Limits| match decode(&file, &limits) {
        Err(ImagingError::TooLarge { found, limit, .. } | ImagingError::FileTooLarge { found, limit }) => {
            (found, limit)
        }
        other => panic!("expected TooLarge, got {other:?}"),
    };
    let defaults = Limits::default();
    assert_eq!(too_large(Limits { depth: 2, ..defaults }), (3, 2));
    assert_eq!(too_large(Limits { slice_bytes: 3, ..defaults }), (4, 3));
    assert_eq!(too_large(Limits { samples_bytes: 11, ..defaults }), (12, 11));
    assert_eq!(too_large(Limits { file_bytes: 100, ..defaults }), (file.len() as u64, 100));
    let exact = Limits { depth: 3, slice_bytes: 4, samples_bytes: 12, file_bytes: file.len() as u64, ..defaults };
    assert!(decode(&file, &exact).is_ok());
}

#[test]
fn no_cut_gives_an_image() {
    for syntax in SYNTAXES {
        let mut file = with_icon(syntax, true);
        let bytes = file.shape(1, 2, 3, 8).pixels(b"OB", &[1, 2, 3, 4, 5, 6]);
        assert!(read(&bytes).image().is_some());
        for length in 0..bytes.len() {
            match decode(&bytes[..length], &Limits::default()) {
                Err(ImagingError::Empty) => assert_eq!(length, 0),
                Err(ImagingError::Dicom(_)) => assert!(length >= 132),
                Ok(scan) => assert!(scan.image().is_none(), "cut to {length}"),
                Err(other) => panic!("cut to {length}: {other:?}"),
            }
        }
    }
}

#[test]
fn errors_show_no_values() {
    let text =
        DicomError::Type { tag: tags::ROWS, name: "rows", expected: "one unsigned 16-bit number (US)" }.to_string();
    assert_eq!(text, "rows (0028,0010) is not one unsigned 16-bit number (US)");
    let text = DicomError::ElementLength { tag: tags::PIXEL_DATA, offset: 10, length: UNDEFINED, left: 3 }.to_string();
    assert_eq!(text, "element (7FE0,0010) at byte 10 claims 4294967295 bytes, 3 are left in the file");
}
