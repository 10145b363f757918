//! PNG and TIFF: what is decoded equals what was encoded, and what is wrong is told.

mod layouts;

use super::*;
use crate::imaging::{Split, decode};

fn image(sample_type: SampleType, channels: u16, height: u32, width: u32) -> Image {
    let geometry = Geometry { depth: 1, height, width, channels };
    let bytes = geometry.samples().expect("small") * sample_type.bytes() as u64;
    let samples = (0..bytes).map(|i| u8::try_from(i * 37 % 256).expect("a byte")).collect();
    let bits = u8::try_from(8 * sample_type.bytes()).expect("at most 64");
    Image::new(geometry, sample_type, ByteOrder::Little, ChannelOrder::Interleaved, bits, samples).expect("an image")
}

fn read_back(file: &[u8]) -> (Option<Image>, WholeReason) {
    let scan = decode(file, &Limits::default()).expect("a good file");
    let Split::Whole(reason) = scan.split().clone() else { panic!("PNG and TIFF are not split") };
    (scan.into_image(), reason)
}

#[test]
fn every_kind_comes_back_equal() {
    for format in [Format::Png, Format::Tiff] {
        for sample_type in [SampleType::U8, SampleType::U16] {
            for channels in [1, 2, 3, 4] {
                for (height, width) in [(1, 1), (1, 9), (17, 31)] {
                    let image = image(sample_type, channels, height, width);
                    let encoded = encode(&image, format);
                    if format == Format::Tiff && channels == 2 {
                        assert!(matches!(encoded, Err(ImagingError::NotExpressible { format: Format::Tiff, .. })));
                        continue;
                    }
                    let (decoded, reason) = read_back(&encoded.expect("expressible"));
                    assert_eq!(decoded, Some(image));
                    let expected = if format == Format::Png { WholeReason::Compressed } else { WholeReason::Strips };
                    assert_eq!(reason, expected);
                }
            }
        }
    }
}

#[test]
fn planes_and_big_endian_become_the_formats_own() {
    let geometry = Geometry { depth: 1, height: 2, width: 3, channels: 3 };
    let samples = (0..36).collect();
    let planar = Image::new(geometry, SampleType::U16, ByteOrder::Big, ChannelOrder::Planar, 16, samples);
    let planar = planar.expect("36 bytes");
    for format in [Format::Png, Format::Tiff] {
        let (decoded, _) = read_back(&encode(&planar, format).expect("expressible"));
        assert!(decoded.expect("an image").canonical_bits().eq(planar.canonical_bits()));
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let refused = |image: &Image, format| {
        let error = encode(image, format).expect_err("not expressible");
        assert!(matches!(error, ImagingError::NotExpressible { format: found, .. } if found == format), "{error:?}");
    };
    for sample_type in SampleType::ALL.into_iter().filter(|t| !matches!(t, SampleType::U8 | SampleType::U16)) {
        refused(&image(sample_type, 1, 2, 2), Format::Png);
        refused(&image(sample_type, 1, 2, 2), Format::Tiff);
    }
    refused(&image(SampleType::U8, 5, 2, 2), Format::Png);
    for format in Format::ALL.into_iter().filter(|f| !matches!(f, Format::Png | Format::Tiff)) {
        refused(&image(SampleType::U8, 1, 2, 2), format);
    }
    let geometry = Geometry { depth: 2, height: 1, width: 1, channels: 1 };
    let volume = Image::new(geometry, SampleType::U8, ByteOrder::Little, ChannelOrder::Interleaved, 8, vec![1, 2]);
    refused(&volume.expect("2 bytes"), Format::Png);
}

#[test]
fn no_cut_of_a_png_gives_an_image() {
    let file = encode(&image(SampleType::U8, 1, 5, 7), Format::Png).expect("expressible");
    for length in 8..file.len() {
        let error = decode(&file[..length], &Limits::default()).expect_err("cut short");
        assert!(matches!(error, ImagingError::Damaged { .. } | ImagingError::CutShort { .. }), "{length}: {error:?}");
    }
    assert!(matches!(decode(&file[..file.len() - 1], &Limits::default()), Err(ImagingError::CutShort { .. })));
}

#[test]
fn a_wrong_checksum_is_damage() {
    let mut file = encode(&image(SampleType::U8, 1, 5, 7), Format::Png).expect("expressible");
    let checksum = file.len() - 12 - 1; // the last byte before IEND
    file[checksum] ^= 1;
    assert!(matches!(decode(&file, &Limits::default()), Err(ImagingError::Damaged { format: Format::Png, .. })));
}

#[test]
fn a_tiff_strip_beyond_the_end_is_damage() {
    let file = encode(&image(SampleType::U16, 1, 16, 16), Format::Tiff).expect("expressible");
    let mut damaged = 0;
    for length in 4..file.len() {
        match decode(&file[..length], &Limits::default()) {
            Ok(scan) => assert!(scan.image().is_none(), "cut to {length}"),
            Err(ImagingError::Damaged { format: Format::Tiff, .. }) => damaged += 1,
            Err(ImagingError::CutShort { format: Format::Tiff }) => damaged += 1,
            Err(other) => panic!("cut to {length}: {other:?}"),
        }
    }
    assert!(damaged > 500, "{damaged}");
}

#[test]
fn an_animation_and_a_second_page_are_not_half_decoded() {
    let file = encode(&image(SampleType::U8, 1, 1, 1), Format::Png).expect("expressible");
    // acTL: one frame, played for ever; before IDAT.
    let chunk = b"\0\0\0\x08acTL\0\0\0\x01\0\0\0\0\xb4\x2d\xe9\xa0";
    let animated = [&file[..33], chunk, &file[33..]].concat();
    assert_eq!(read_back(&animated), (None, WholeReason::Animation));

    let one = encode(&image(SampleType::U8, 1, 4, 4), Format::Tiff).expect("expressible");
    assert_eq!(Directories::look(&one), Directories { several: false, cut: false });
    let directory = u32::from_le_bytes([one[4], one[5], one[6], one[7]]) as usize;
    let entries = usize::from(u16::from_le_bytes([one[directory], one[directory + 1]]));
    let mut two = one.clone();
    two.extend_from_slice(&one[directory..directory + 2 + 12 * entries + 4]);
    let second = u32::try_from(one.len()).expect("small").to_le_bytes();
    two[directory + 2 + 12 * entries..directory + 6 + 12 * entries].copy_from_slice(&second);
    assert_eq!(read_back(&two), (None, WholeReason::Pages));
    for length in one.len()..two.len() {
        let cut = decode(&two[..length], &Limits::default()).expect_err("cut short");
        assert!(matches!(cut, ImagingError::CutShort { format: Format::Tiff }), "{length}: {cut:?}");
    }
}

#[test]
fn floats_in_tiff_are_left_as_bytes() {
    let mut file = Cursor::new(Vec::new());
    TiffEncoder::new(&mut file).write_image(&[0; 24], 2, 1, ExtendedColorType::Rgb32F).expect("written");
    assert_eq!(read_back(&file.into_inner()), (None, WholeReason::UnsupportedKind));
}

#[test]
fn sizes_are_checked_before_memory_is_taken() {
    let file = encode(&image(SampleType::U16, 3, 10, 10), Format::Png).expect("expressible");
    let too_large = |limits: Limits| match decode(&file, &limits) {
        Err(ImagingError::TooLarge { found, limit, .. }) => (found, limit),
        other => panic!("expected TooLarge, got {other:?}"),
    };
    let defaults = Limits::default();
    assert_eq!(too_large(Limits { slice_bytes: 599, ..defaults }), (600, 599));
    assert_eq!(too_large(Limits { samples_bytes: 599, ..defaults }), (600, 599));
    assert!(decode(&file, &Limits { slice_bytes: 600, samples_bytes: 600, ..defaults }).is_ok());

    let large = encode(&image(SampleType::U16, 3, 200, 200), Format::Png).expect("expressible");
    let error = decode(&large, &Limits { decoded_bytes: 239_999, ..defaults }).expect_err("240,000 bytes");
    assert!(matches!(error, ImagingError::TooLarge { found: 240_000, limit: 239_999, .. }), "{error:?}");
    let error = decode(&large, &Limits { decoded_bytes: 100, ..defaults }).expect_err("no room for a row");
    assert!(matches!(error, ImagingError::DecoderMemory { format: Format::Png, limit: 100 }), "{error:?}");
}

#[test]
fn palettes_and_few_bits_are_expanded() {
    // 2 x 1 pixels of 1 bit, 0 and 1, written by the png crate's rules by hand: grey, then palette
    // (red, blue).
    let file = |colour: u8, palette: &[u8]| {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut bytes, b"IHDR", &[0, 0, 0, 2, 0, 0, 0, 1, 1, colour, 0, 0, 0]);
        if !palette.is_empty() {
            chunk(&mut bytes, b"PLTE", palette);
        }
        // zlib: one stored block of 2 bytes, filter 0 and 0b0100_0000; Adler-32 of these.
        chunk(&mut bytes, b"IDAT", &[0x78, 1, 1, 2, 0, 0xfd, 0xff, 0, 0x40, 0, 0x42, 0, 0x41]);
        chunk(&mut bytes, b"IEND", &[]);
        bytes
    };
    let samples = |file: Vec<u8>| read_back(&file).0.expect("an image").samples().to_vec();
    assert_eq!(samples(file(0, &[])), [0, 255]);
    assert_eq!(samples(file(3, &[255, 0, 0, 0, 0, 255])), [255, 0, 0, 0, 0, 255]);
    // An index outside the palette must not read beyond it.
    if let Ok(scan) = decode(&file(3, &[255, 0, 0]), &Limits::default()) {
        assert_eq!(scan.image().expect("an image").samples(), [255, 0, 0, 0, 0, 0]);
    }
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    let body = [&kind[..], body].concat();
    out.extend_from_slice(&u32::try_from(body.len() - 4).expect("small").to_be_bytes());
    out.extend_from_slice(&body);
    let mut crc = 0xffff_ffff_u32;
    for byte in &body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    out.extend_from_slice(&(!crc).to_be_bytes());
}
