//! Each kind of DICOM file.

mod damage;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::fixture::{
    File, ICON, ITEM, ITEM_END, SEQUENCE_END, SYNTAXES, Syntax, error, read, reason, small, with_icon,
};
use crate::imaging::{ByteOrder, ChannelOrder, DicomError, Geometry, SampleType, Scan, Split, WholeReason};

/// Checks that the samples are the file's bytes at the given place, and returns the scan.
fn spliced(file: &[u8], expected: std::ops::Range<usize>) -> Scan {
    let scan = read(file);
    assert_eq!(scan.split(), &Split::Samples(expected.clone()));
    assert_eq!(scan.image().expect("an image").samples(), &file[expected]);
    scan
}

fn geometry(depth: u32, height: u32, width: u32, channels: u16) -> Geometry {
    Geometry { depth, height, width, channels }
}

#[test]
fn samples_stand_where_they_were_written() {
    for syntax in SYNTAXES {
        let file = small(syntax);
        let scan = spliced(&file, file.len() - 6..file.len());
        let image = scan.image().expect("an image");
        assert_eq!((image.geometry(), image.sample_type()), (geometry(1, 2, 3, 1), SampleType::U8));
        assert_eq!(image.bits_stored(), 8);
    }
}

#[test]
fn what_follows_the_pixels_is_the_tail() {
    for syntax in SYNTAXES {
        let mut file = File::new(syntax);
        let pixels = file.shape(1, 1, 1, 8).pixels(b"OB", &[9, 0]).len();
        file.element(Tag(0xfffc, 0xfffc), b"OB", &[0; 10]);
        let scan = spliced(&file.bytes, pixels - 2..pixels - 1);
        assert_eq!(scan.image().expect("an image").samples(), [9]);
    }
}

#[test]
fn sixteen_bits_keep_sign_and_byte_order() {
    for syntax in SYNTAXES {
        let mut file = File::new(syntax);
        file.number(Tag(0x28, 2), 1).element(Tag(0x28, 8), b"IS", b"2 ").number(Tag(0x28, 0x10), 1);
        file.number(Tag(0x28, 0x11), 2).number(Tag(0x28, 0x100), 16).number(Tag(0x28, 0x101), 12);
        let bytes = file.number(Tag(0x28, 0x103), 1).pixels(b"OW", &[0xff, 0xfe, 0, 1, 0, 2, 0, 3]);
        let scan = spliced(&bytes, bytes.len() - 8..bytes.len());
        let image = scan.image().expect("an image");
        assert_eq!((image.geometry(), image.sample_type()), (geometry(2, 1, 2, 1), SampleType::I16));
        assert_eq!(image.bits_stored(), 12);
        let big = syntax == Syntax::ExplicitBig;
        let expected: [f64; 4] = if big { [-2.0, 1.0, 2.0, 3.0] } else { [-257.0, 256.0, 512.0, 768.0] };
        assert_eq!(image.values().collect::<Vec<_>>(), expected);
        assert_eq!(image.byte_order(), if big { ByteOrder::Big } else { ByteOrder::Little });
    }
}

#[test]
fn an_odd_number_of_bytes_leaves_its_pad_to_the_tail() {
    for syntax in SYNTAXES {
        let samples: Vec<u8> = (0..528u32).map(|i| (i % 251) as u8).collect();
        let file = File::new(syntax).shape(1, 17, 31, 8).pixels(b"OB", &samples);
        spliced(&file, file.len() - 528..file.len() - 1);
        let unpadded = File::new(syntax).shape(1, 17, 31, 8).pixels(b"OB", &samples[..527]);
        spliced(&unpadded, unpadded.len() - 527..unpadded.len());
    }
}

#[test]
fn planes_stay_planes() {
    let mut file = File::new(Syntax::ExplicitLittle);
    file.number(Tag(0x28, 2), 3).number(Tag(0x28, 6), 1).number(Tag(0x28, 0x10), 1).number(Tag(0x28, 0x11), 2);
    let bytes = file.number(Tag(0x28, 0x100), 8).pixels(b"OB", &[1, 2, 3, 4, 5, 6]);
    let scan = spliced(&bytes, bytes.len() - 6..bytes.len());
    let image = scan.image().expect("an image");
    assert_eq!((image.geometry(), image.channel_order()), (geometry(1, 1, 2, 3), ChannelOrder::Planar));
    assert_eq!(image.canonical_bits().collect::<Vec<_>>(), [1, 3, 5, 2, 4, 6]);
}

#[test]
fn float_and_double_samples_have_elements_of_their_own() {
    for (tag, vr, bits, sample_type) in [
        (tags::FLOAT_PIXEL_DATA, b"OF", 32, SampleType::F32),
        (tags::DOUBLE_FLOAT_PIXEL_DATA, b"OD", 64, SampleType::F64),
    ] {
        let samples = vec![0x40; 3 * sample_type.bytes()];
        let bytes = File::new(Syntax::ExplicitLittle).shape(1, 1, 3, bits).element(tag, vr, &samples).bytes.clone();
        let scan = spliced(&bytes, bytes.len() - samples.len()..bytes.len());
        assert_eq!(scan.image().map(|image| image.sample_type()), Some(sample_type));
        let wrong = File::new(Syntax::ExplicitLittle).shape(1, 1, 3, 16).element(tag, vr, &samples).bytes.clone();
        assert!(matches!(error(&wrong), DicomError::Value { tag: tags::BITS_ALLOCATED, found: 16, .. }));
    }
}

#[test]
fn the_pixels_of_an_icon_are_not_the_image() {
    for syntax in SYNTAXES {
        for undefined in [false, true] {
            let mut file = with_icon(syntax, undefined);
            // Group 0088 comes after 0028 in real files; the order before the pixel data is not
            // looked at.
            let bytes = file.shape(1, 1, 2, 16).pixels(b"OW", &[1, 0, 2, 0]);
            let scan = spliced(&bytes, bytes.len() - 4..bytes.len());
            assert_eq!(scan.image().expect("an image").geometry(), geometry(1, 1, 2, 1));
            assert_eq!(reason(&with_icon(syntax, undefined).bytes), WholeReason::NoPixels);
        }
    }
}

#[test]
fn unknown_sequences_are_implicit_inside() {
    let mut inside = File::new(Syntax::ImplicitLittle);
    let meta = inside.bytes.len();
    inside.open(ITEM, b"UN").element(Tag(9, 0x1001), b"LO", b"ab").close(ITEM_END).close(SEQUENCE_END);
    let inside = inside.bytes.split_off(meta);
    for syntax in [Syntax::ExplicitLittle, Syntax::ExplicitBig] {
        let mut file = File::new(syntax);
        file.open(Tag(9, 0x1000), b"UN").bytes.extend_from_slice(&inside);
        // Once more, inside a known sequence.
        file.open(ICON, b"SQ").open(ITEM, b"UN").open(Tag(9, 0x1000), b"UN").bytes.extend_from_slice(&inside);
        file.close(ITEM_END).close(SEQUENCE_END);
        let bytes = file.shape(1, 1, 2, 8).pixels(b"OB", &[1, 2]);
        spliced(&bytes, bytes.len() - 2..bytes.len());
    }
}

#[test]
fn bytes_swapped_in_words_are_decoded_but_not_split() {
    let file = File::new(Syntax::ExplicitBig).shape(1, 1, 3, 8).pixels(b"OW", &[2, 1, 0, 3]);
    let scan = read(&file);
    assert_eq!(scan.split(), &Split::Whole(WholeReason::SwappedBytes));
    assert_eq!(scan.image().expect("an image").samples(), [1, 2, 3]);
}

#[test]
fn files_without_a_preamble_are_read_if_they_say_what_they_are() {
    let file = small(Syntax::ExplicitLittle);
    for cut in [128, 132] {
        let bytes = &file[cut..];
        spliced(bytes, bytes.len() - 6..bytes.len());
    }
    let data_set = &file[132 + 12 + 8 + 20..];
    assert_eq!(reason(data_set), WholeReason::UnknownFormat);
}

/// A small file with another syntax in its meta group than the one it is written in, or none.
fn declaring(syntax: Syntax, uid: Option<&str>) -> Vec<u8> {
    let whole = small(syntax);
    let data_set = &whole[File::new(syntax).bytes.len()..];
    let mut meta = File::with_uid(Syntax::ExplicitLittle, uid.unwrap_or_default()).bytes;
    if uid.is_none() {
        meta.truncate(132);
    }
    [&meta[..], data_set].concat()
}

#[test]
fn a_syntax_that_is_not_named_or_another_is_seen() {
    for written in SYNTAXES {
        for named in [None, Some("")].into_iter().chain(SYNTAXES.map(|syntax| Some(syntax.uid()))) {
            let file = declaring(written, named);
            let scan = spliced(&file, file.len() - 6..file.len());
            assert_eq!(scan.image().expect("an image").samples(), [1, 2, 3, 4, 5, 6], "{written:?} as {named:?}");
        }
    }
    // Fragments of pixel data in no syntax that is named.
    let mut file = File::with_uid(Syntax::ExplicitLittle, "");
    file.shape(1, 2, 3, 8).open(tags::PIXEL_DATA, b"OB").close(SEQUENCE_END);
    assert_eq!(error(&file.bytes), DicomError::PixelsUndefined);
}

/// An element as `write` writes its header, before and after those that matter, and inside an item.
fn with_odd(syntax: Syntax, write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut file = File::new(syntax);
    write(&mut file.bytes);
    file.shape(1, 2, 3, 8).open(ICON, b"SQ").open(ITEM, b"UN");
    write(&mut file.bytes);
    file.close(ITEM_END).close(SEQUENCE_END).pixels(b"OB", &[1, 2, 3, 4, 5, 6])
}

#[test]
fn types_that_nobody_knows_are_stepped_over() {
    let (value, tag) = (b"abcd", [8, 0, 0x60, 0]);
    for vr in [b"cs", b"us", b"ow", b"Un", b"ZZ", b"QX", b"??", b"  ", b"\0\0", b"--"] {
        // Two bytes of length, or two that are reserved and four.
        let short = [&tag[..], vr, &[4, 0], value].concat();
        let long = [&tag[..], vr, &[0, 0, 4, 0, 0, 0], value].concat();
        for odd in [&short, &long] {
            let file = with_odd(Syntax::ExplicitLittle, |bytes| bytes.extend_from_slice(odd));
            spliced(&file, file.len() - 6..file.len());
        }
    }
    // Not the first, after which the whole data set would be read like this.
    let typeless = [&[8, 0, 5, 0][..], b"CS\x02\0ab", &tag, &[4, 0, 0, 0], value].concat();
    let file = with_odd(Syntax::ExplicitLittle, |bytes| bytes.extend_from_slice(&typeless));
    spliced(&file, file.len() - 6..file.len());
    for vr in [b"cs", b"ZZ", b"??"] {
        let big = [&[0, 8, 0, 0x60][..], vr, &[0, 4], value].concat();
        let file = with_odd(Syntax::ExplicitBig, |bytes| bytes.extend_from_slice(&big));
        spliced(&file, file.len() - 6..file.len());
    }
}

#[test]
fn lower_case_types_are_what_they_say() {
    for (bits, value) in [(8, &[1, 2, 3, 4, 5, 6][..]), (16, &[0; 12])] {
        let file = File::new(Syntax::ExplicitLittle).shape(1, 2, 3, bits).pixels(b"OW", value);
        let mut lower = file.clone();
        let meta = File::new(Syntax::ExplicitLittle).bytes.len();
        for at in meta..lower.len() - value.len() {
            if [&b"US"[..], b"OW"].contains(&&lower[at..at + 2]) {
                lower[at..at + 2].make_ascii_lowercase();
            }
        }
        assert_ne!(file, lower);
        spliced(&lower, lower.len() - value.len()..lower.len());
    }
}

#[test]
fn what_cannot_be_split_is_sealed_whole() {
    let jpeg = "1.2.840.10008.1.2.4.50";
    let mut file = File::with_uid(Syntax::ExplicitLittle, jpeg);
    file.shape(1, 2, 3, 8).open(tags::PIXEL_DATA, b"OB").close(ITEM);
    file.header(ITEM, b"UN", 4);
    file.bytes.extend_from_slice(&[1, 2, 3, 4]);
    assert_eq!(reason(&file.clone().close(SEQUENCE_END).bytes), WholeReason::Compressed);
    assert_eq!(error(&file.bytes), DicomError::CutShort { offset: file.bytes.len() });

    let deflated = File::with_uid(Syntax::ExplicitLittle, "1.2.840.10008.1.2.1.99").bytes;
    assert_eq!(reason(&deflated), WholeReason::Deflated);
    let unheard_of = File::with_uid(Syntax::ExplicitLittle, "1.2.3.4").bytes;
    assert_eq!(reason(&unheard_of), WholeReason::UnknownTransferSyntax);
    let report = File::new(Syntax::ExplicitLittle).element(Tag(8, 0x60), b"CS", b"SR").bytes.clone();
    assert_eq!(reason(&report), WholeReason::NoPixels);
    let mask = File::new(Syntax::ExplicitLittle).shape(1, 2, 4, 1).pixels(b"OB", &[0xff, 0]);
    assert_eq!(reason(&mask), WholeReason::BitPacked);
    let mut colour = File::new(Syntax::ExplicitLittle);
    let colour = colour.element(Tag(0x28, 4), b"CS", b"YBR_FULL_422").shape(3, 1, 2, 8).pixels(b"OB", &[1, 2, 3, 4]);
    assert_eq!(reason(&colour), WholeReason::Subsampled);
}
