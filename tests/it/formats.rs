//! What is sealed comes back, byte for byte: every file of `tests/data` and DICOM files of every
//! native kind and odd size, through preparing, sealing, parsing, opening and rebuilding.

mod dicom;

use alloy::primitives::B256;
use medseal::envelope::Layout;
use medseal::imaging::{
    ByteOrder, ChannelOrder, Format, Geometry, Image, ImagingError, Limits, SampleType, WholeReason, decode, encode,
    phantom,
};
use medseal::pipeline::{Mode, PipelineError, Prepared, prepare, rebuild};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::common::{Fixture, random, read, root, sha256};
use dicom::{Dicom, SYNTAXES};

fn prepared<'a>(name: &str, file: &'a [u8], mode: Mode) -> Prepared<'a> {
    prepare(file, name, mode, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Seals the file, opens the sealed image and rebuilds the file from that alone.
#[track_caller]
fn there_and_back(name: &str, file: &[u8], mode: Mode) -> (Layout, Vec<u8>) {
    let fixture = Fixture::new(7);
    let Prepared { description, payload, .. } = prepared(name, file, mode);
    let sealed = fixture.seal(&description, &payload);
    let (opened, payload) = fixture.open(&sealed).expect("just sealed");
    assert!(opened == description, "{name}: {opened:?} instead of {description:?}");
    assert_eq!(opened.file_name, name);
    (opened.layout.clone(), rebuild(&opened, &payload).expect("what was sealed can be rebuilt"))
}

/// Checks that the file comes back, sealed as its content asks for and as plain bytes; gives the
/// layout of the former.
#[track_caller]
fn comes_back(name: &str, file: &[u8]) -> Layout {
    let (raw, opened) = there_and_back(name, file, Mode::Raw);
    assert!(raw == Layout::Bytes { length: file.len() as u64 }, "{name}");
    assert!(opened == file, "{name}: raw");
    let (layout, opened) = there_and_back(name, file, Mode::Auto);
    assert!(opened == file, "{name}: other bytes");
    layout
}

/// What `tests/data/phantoms.json` says of a file.
#[derive(Deserialize)]
struct Phantom {
    format: String,
    shape: Option<[u32; 4]>,
    #[serde(rename = "type")]
    sample_type: Option<String>,
    /// Offset and length of samples that lie open.
    samples: Option<(usize, usize)>,
    refused: Option<String>,
    sha256: B256,
}

#[track_caller]
fn check_phantom(name: &str, file: &[u8], phantom: &Phantom) {
    let Prepared { description, image, whole, .. } = prepared(name, file, Mode::Auto);
    assert_eq!(format!("{:?}", description.format).to_lowercase(), phantom.format, "{name}");
    let found = image.as_ref().map(|image| {
        let Geometry { depth, height, width, channels } = image.geometry();
        [depth, height, width, u32::from(channels)]
    });
    assert_eq!(found, phantom.shape, "{name}");
    assert_eq!(image.map(|image| image.sample_type().name().to_owned()), phantom.sample_type, "{name}");
    match (comes_back(name, file), phantom.samples) {
        (Layout::Spliced { head, tail, .. }, Some((offset, length))) => {
            assert_eq!((head.len(), tail.len()), (offset, file.len() - offset - length), "{name}");
            assert_eq!(whole, None, "{name}");
        }
        (Layout::Bytes { .. }, None) => assert!(whole.is_some(), "{name}: no reason is given"),
        (_, expected) => panic!("{name}: samples at {expected:?} were not cut that way"),
    }
}

#[test]
fn every_file_of_tests_data_comes_back() {
    let phantoms: BTreeMap<String, Phantom> =
        serde_json::from_slice(&read(root("tests/data/phantoms.json"))).expect("as scripts/phantoms writes it");
    let mut spliced = 0;
    for entry in std::fs::read_dir(root("tests/data")).expect("the folder is committed") {
        let name = entry.expect("readable").file_name().into_string().expect("plain names");
        if !matches!(name.rsplit('.').next(), Some("json" | "md")) {
            assert!(phantoms.contains_key(&name), "{name} is not in phantoms.json");
        }
    }
    for (name, phantom) in &phantoms {
        let file = read(root("tests/data").join(name));
        assert_eq!(sha256(&file), phantom.sha256, "{name}");
        match &phantom.refused {
            None => check_phantom(name, &file, phantom),
            Some(kind) => {
                let error = prepare(&file, name, Mode::Auto, &Limits::default()).expect_err("it must be refused");
                assert!(matches!(error, PipelineError::Imaging(ImagingError::TooLarge { .. })), "{name}: {error:?}");
                assert_eq!(kind, "TooLarge");
                assert!(there_and_back(name, &file, Mode::Raw).1 == file, "{name}: as plain bytes it may be sealed");
            }
        }
        spliced += usize::from(phantom.samples.is_some());
    }
    assert!(phantoms.len() >= 17 && spliced >= 11, "{} files, {spliced} spliced", phantoms.len());
}

/// Every native kind of DICOM at one size: syntax, samples, channels, frames, an icon with pixels
/// of its own.
fn dicom_files(rows: u16, columns: u16) -> Vec<(String, Vec<u8>, Dicom)> {
    let mut files = Vec::new();
    for syntax in SYNTAXES {
        for (bits, signed) in [(8, false), (16, false), (16, true)] {
            for (channels, planar) in [(1, false), (3, false), (3, true)] {
                for (frames, icon) in [(1, false), (3, true)] {
                    let dicom = Dicom { syntax, rows, columns, bits, signed, channels, planar, frames, icon };
                    let samples = random(files.len() as u64, dicom.sample_bytes());
                    files.push((format!("{dicom:?}"), dicom.file(&samples), dicom));
                }
            }
        }
    }
    files
}

#[test]
fn dicom_files_of_every_native_kind_and_odd_size_come_back() {
    let mut count = 0;
    for (rows, columns) in [(1, 1), (1, 7), (5, 1), (17, 31), (64, 65)] {
        for (name, file, dicom) in dicom_files(rows, columns) {
            let Layout::Spliced { shape, .. } = comes_back(&name, &file) else { panic!("{name}: not spliced") };
            let expected = Geometry {
                depth: dicom.frames,
                height: u32::from(rows),
                width: u32::from(columns),
                channels: dicom.channels,
            };
            assert_eq!(shape.geometry, expected, "{name}");
            let sample_type = match (dicom.bits, dicom.signed) {
                (8, _) => SampleType::U8,
                (_, false) => SampleType::U16,
                (_, true) => SampleType::I16,
            };
            assert_eq!(shape.sample_type, sample_type, "{name}");
            assert_eq!(shape.channel_order == ChannelOrder::Planar, dicom.planar, "{name}");
            assert_eq!(shape.byte_order == ByteOrder::Big, dicom.is_big_endian() && dicom.bits == 16, "{name}");
            count += 1;
        }
    }
    assert!(count >= 240, "{count} files");
}

/// Images that PNG and TIFF can hold, of 1 x 1, 1 x N, 17 x 31 and more.
fn rasters() -> Vec<Image> {
    let mut images = Vec::new();
    for (height, width) in [(1, 1), (1, 37), (40, 1), (17, 31)] {
        images.extend([8, 16].map(|bits| phantom(height, width, bits, 3)));
        for (sample_type, bits) in [(SampleType::U8, 8), (SampleType::U16, 16)] {
            let geometry = Geometry { depth: 1, height, width, channels: 3 };
            let samples = random(u64::from(width), (height * width) as usize * 3 * sample_type.bytes());
            let (byte_order, channel_order) = (ByteOrder::Little, ChannelOrder::Interleaved);
            images.push(Image::new(geometry, sample_type, byte_order, channel_order, bits, samples).expect("an image"));
        }
    }
    images
}

#[test]
fn png_and_tiff_of_odd_sizes_come_back() {
    for image in rasters() {
        for format in [Format::Png, Format::Tiff] {
            let name = format!("{format}, {image:?}");
            let file = encode(&image, format).expect("PNG and TIFF hold it");
            assert!(comes_back(&name, &file) == Layout::Bytes { length: file.len() as u64 }, "{name}");
            assert!(prepared(&name, &file, Mode::Auto).image == Some(image.clone()), "{name}: decoded for the key");
        }
    }
}

#[test]
fn decoded_samples_come_back_equal_in_another_file() {
    let mut cases: Vec<(String, Vec<u8>)> = ["head_8bit.png", "head_16bit.png", "rgb_8bit.png", "head_16bit.tif"]
        .map(|name| (name.to_owned(), read(root("tests/data").join(name))))
        .to_vec();
    for image in rasters() {
        for format in [Format::Png, Format::Tiff] {
            cases.push((format!("{format}, {image:?}"), encode(&image, format).expect("PNG and TIFF hold it")));
        }
    }
    for (name, file) in &cases {
        let (layout, opened) = there_and_back(name, file, Mode::Pixels);
        assert!(matches!(layout, Layout::Pixels { .. }), "{name}");
        let [before, after] = [file, &opened].map(|file| decode(file, &Limits::default()).expect("a good file"));
        assert_eq!(before.format(), after.format(), "{name}");
        assert!(before.image().is_some() && before.image() == after.image(), "{name}: other samples");
    }
    assert_eq!(cases.len(), 36);
}

#[test]
fn pixels_are_refused_where_there_are_none_or_no_file_holds_them() {
    let limits = Limits::default();
    let error = prepare(b"no image", "notes.txt", Mode::Pixels, &limits).expect_err("no pixels");
    assert!(matches!(error, PipelineError::NoPixels { format: Format::Unknown }), "{error:?}");
    let dicom = read(root("tests/data/odd_17x31.dcm"));
    let error = prepare(&dicom, "odd_17x31.dcm", Mode::Pixels, &limits).expect_err("no DICOM is written");
    assert!(matches!(error, PipelineError::Imaging(ImagingError::NotExpressible { .. })), "{error:?}");
}

#[test]
fn an_empty_file_is_refused_in_every_mode() {
    for mode in [Mode::Auto, Mode::Pixels, Mode::Raw] {
        let error = prepare(b"", "empty.dcm", mode, &Limits::default()).expect_err("nothing to seal");
        assert!(matches!(error, PipelineError::Imaging(ImagingError::Empty)), "{mode:?}: {error:?}");
    }
}

#[test]
fn a_truncated_dicom_file_is_refused_and_sealed_as_plain_bytes_only_when_asked() {
    let whole = read(root("tests/data/explicit_little.dcm"));
    let cut = &whole[..whole.len() - 1000];
    let error = prepare(cut, "cut.dcm", Mode::Auto, &Limits::default()).expect_err("cut short");
    assert!(matches!(error, PipelineError::Imaging(ImagingError::Dicom(_))), "{error:?}");
    assert!(there_and_back("cut.dcm", cut, Mode::Raw).1 == cut);
    assert_eq!(prepared("cut.dcm", cut, Mode::Raw).whole, Some(WholeReason::AskedFor));
}

/// Files of other projects, which are not ours to commit: `scripts/setup --python` fetches
/// pydicom's and nibabel's packages, which hold theirs; `MEDSEAL_TEST_FILES` names another folder.
/// What is refused is printed by name; it must be cut short, or empty.
#[test]
fn every_file_of_other_projects_comes_back_or_is_cut_short() {
    let folder = std::env::var_os("MEDSEAL_TEST_FILES").map_or_else(|| root("target/tools/files"), PathBuf::from);
    assert!(folder.is_dir(), "no {}: scripts/setup --python fetches it", folder.display());
    let mut folders = vec![folder];
    let (mut sealed, mut damaged, mut refused) = (0, 0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let (name, file) = (path.display().to_string(), read(&path));
            match prepare(&file, &name, Mode::Auto, &Limits::default()) {
                Ok(prepared) => {
                    if let Some(reason) = prepared.whole.filter(WholeReason::is_damage) {
                        eprintln!("as bytes: {name}: {reason}");
                        damaged += 1;
                    }
                    comes_back("a file", &file);
                    sealed += 1;
                }
                Err(error) => {
                    let cut = match &error {
                        PipelineError::Imaging(ImagingError::Dicom(error)) => error.is_cut_short(),
                        PipelineError::Imaging(ImagingError::Empty | ImagingError::CutShort { .. }) => true,
                        _ => false,
                    };
                    eprintln!("refused: {name}: {error:?}");
                    assert!(cut, "{name} is refused, and not cut short");
                    refused += 1;
                }
            }
        }
    }
    eprintln!("{sealed} sealed, {damaged} of them as bytes for what is odd in them; {refused} refused");
    assert!(sealed > 500, "{sealed}");
}

#[test]
fn what_is_odd_is_sealed_as_bytes_with_the_reason_and_refused_when_strict() {
    let limits = Limits::default();
    let whole = read(root("tests/data/one_pixel.dcm"));
    let padded = [&whole[..], &[0; 512]].concat();
    assert!(matches!(comes_back("padded.dcm", &padded), Layout::Spliced { tail, .. } if tail.len() >= 512));
    let odd = [&whole[..], b"remains"].concat();
    assert!(matches!(comes_back("odd.dcm", &odd), Layout::Bytes { .. }));
    let reason = prepared("odd.dcm", &odd, Mode::Auto).whole.expect("a reason");
    assert!(reason.is_damage(), "{reason:?}");
    let refused = prepare(&odd, "odd.dcm", Mode::Strict, &limits).expect_err("not wanted");
    assert!(matches!(refused, PipelineError::Imaging(ImagingError::NotAsItShould { .. })), "{refused:?}");
    for good in ["one_pixel.dcm", "head_8bit.png", "two_pages.tif"] {
        let file = read(root("tests/data").join(good));
        prepared(good, &file, Mode::Strict);
    }
    // A TIFF file that says it is compressed, and is not.
    let mut tiff = read(root("tests/data/head_16bit.tif"));
    let entry = tiff.windows(8).position(|bytes| bytes == [3, 1, 3, 0, 1, 0, 0, 0]).expect("its compression");
    tiff[entry + 8] = 5;
    assert!(matches!(comes_back("odd.tif", &tiff), Layout::Bytes { .. }));
    assert!(prepared("odd.tif", &tiff, Mode::Auto).whole.is_some_and(|reason| reason.is_damage()));
    for (file, mode) in [(&tiff, Mode::Pixels), (&tiff, Mode::Strict), (&odd, Mode::Pixels)] {
        assert!(prepare(file, "odd", mode, &limits).is_err(), "{mode:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_under_any_name_come_back(
        file in prop::collection::vec(any::<u8>(), 1..3000), name in "\\PC{0,80}",
    ) {
        let (_, opened) = there_and_back(&name, &file, Mode::Raw);
        prop_assert_eq!(&opened, &file);
        let (_, opened) = there_and_back(&name, &file, Mode::Auto);
        prop_assert_eq!(&opened, &file);
    }
}
