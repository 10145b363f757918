use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::imaging::SampleType;

/// Cells of `FORMAT.md`, section 4.1, word for word: by index and division, one sample at a time.
fn by_the_book(image: &Image) -> Vec<u16> {
    let Geometry { depth, height, width, channels } = image.geometry();
    let (d_count, h, w, c_count) = (depth as usize, height as usize, width as usize, usize::from(channels));
    let mut cells = Fold::begin([
        (d_count * h * w * c_count * image.sample_type().bytes()) as u64,
        u64::from(depth),
        u64::from(height),
        u64::from(width),
        u64::from(channels),
        u64::from(image.sample_type().code()),
        u64::from(image.bits_stored()),
    ])
    .0
    .to_vec();
    for (d, y, x, c) in positions(d_count, h, w, c_count) {
        let i = (((d * h + y) * w + x) * c_count + c) as u64;
        let t = (8 * y / h) * 8 + (8 * x / w);
        let k = (y % 8) * 8 + (x % 8);
        let v = image.sample_bits(d, y, x, c);
        for l in 0..image.sample_type().bytes().div_ceil(2) as u64 {
            let m = (mix(4 * i + l) >> 48) | 1;
            let limb = (v >> (16 * l)) & 0xffff;
            let cell = (u64::from(cells[64 * t + k]) + m * limb) % 65536;
            cells[64 * t + k] = u16::try_from(cell).expect("below 2^16");
        }
    }
    cells
}

fn positions(d: usize, h: usize, w: usize, c: usize) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..d * h * w * c).map(move |i| (i / c / w / h, i / c / w % h, i / c % w, i % c))
}

fn image(size: [u32; 3], channels: u16, sample_type: SampleType, bits_stored: u8, samples: Vec<u8>) -> Image {
    let geometry = Geometry { depth: size[0], height: size[1], width: size[2], channels };
    Image::new(geometry, sample_type, ByteOrder::Little, ChannelOrder::Interleaved, bits_stored, samples)
        .expect("a possible image")
}

fn grey(height: u32, width: u32, samples: Vec<u8>) -> Image {
    image([1, height, width], 1, SampleType::U8, 8, samples)
}

/// Sample i is the top bits of i * 2^64 / golden ratio.
fn golden_samples(count: u64, bytes: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|i| {
            i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[..bytes].iter().rev().copied().collect::<Vec<_>>()
        })
        .collect()
}

fn sha256(fold: &Fold) -> String {
    alloy::hex::encode(Sha256::digest(&fold.to_bytes()[..]))
}

/// Places `64 t + k` of the cells that differ.
fn changed_cells(a: &Fold, b: &Fold) -> Vec<usize> {
    (0..4096).filter(|cell| a.0[*cell] != b.0[*cell]).collect()
}

#[test]
fn mix_is_splitmix64() {
    assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf); // its first output for seed 0
}

#[test]
fn one_sample_adds_its_odd_multiple() {
    let fold = |value| fold_image(&grey(1, 1, vec![value]));
    // m of sample 0 is e220 | 1 = e221; both lines were worked out by hand from FORMAT.md.
    assert_eq!(fold(0).to_bytes()[..8], [0xe5, 0x3f, 0x49, 0x9a, 0x24, 0xf2, 0x24, 0x4e]);
    assert_eq!(fold(1).to_bytes()[..8], [0xc7, 0x60, 0x49, 0x9a, 0x24, 0xf2, 0x24, 0x4e]);
    assert_eq!(changed_cells(&fold(0), &fold(255)), [0]);
}

#[test]
fn folds_equal_an_independent_program() {
    // SHA-256 of the 8192 bytes, from a Python program that was written from FORMAT.md.
    let cases = [
        (SampleType::U8, 8, "cdad6b170542319f1e84db8e69366c918e92bccc1a02f776208e6d7d3d41ffb0"),
        (SampleType::U16, 12, "da8b19a49a45ad63aadaebdccf091979719f0cca4b41866999b0bf8e607748f4"),
        (SampleType::U32, 32, "dc0a191a574b176700bcc32239aaca70efb3135495ec559b9fed489a2663c709"),
        (SampleType::U64, 64, "081834f4eef70d4e082594038c0252884e44d9e5eb15e0794ce07804230a7803"),
    ];
    for (sample_type, bits_stored, expected) in cases {
        let samples = golden_samples(2 * 17 * 31 * 3, sample_type.bytes());
        let fold = fold_image(&image([2, 17, 31], 3, sample_type, bits_stored, samples));
        assert_eq!(sha256(&fold), expected, "{}", sample_type.name());
    }
    assert_eq!(
        sha256(&fold_bytes(&golden_samples(5000, 1))),
        "f722b4fc377079cc7e534386ab840b779a26222daf37a806c3eeb08f0bd4ca06"
    );
}

#[test]
fn a_sample_lands_in_its_region_and_residue() {
    // 17 rows, 31 columns: (row, column) -> 64 t + k.
    let zero = fold_image(&grey(17, 31, vec![0; 17 * 31]));
    for (y, x, cell) in [(0, 0, 0), (16, 30, 64 * 63 + 6), (8, 3, 64 * 24 + 3), (2, 4, 64 + 20), (3, 15, 64 * 11 + 31)]
    {
        let mut samples = vec![0; 17 * 31];
        samples[y * 31 + x] = 1;
        assert_eq!(changed_cells(&zero, &fold_image(&grey(17, 31, samples))), [cell], "row {y}, column {x}");
    }
}

#[test]
fn every_part_of_the_geometry_enters() {
    let folds = [
        fold_image(&grey(4, 6, vec![0; 24])),
        fold_image(&grey(6, 4, vec![0; 24])),
        fold_image(&grey(4, 7, vec![0; 28])),
        fold_image(&image([1, 4, 3], 2, SampleType::U8, 8, vec![0; 24])),
        fold_image(&image([2, 4, 3], 1, SampleType::U8, 8, vec![0; 24])),
        fold_image(&image([1, 4, 3], 1, SampleType::U16, 16, vec![0; 24])),
        fold_image(&image([1, 4, 3], 1, SampleType::I16, 16, vec![0; 24])),
        fold_image(&image([1, 4, 3], 1, SampleType::I16, 12, vec![0; 24])),
        fold_bytes(&[0; 24]),
        fold_bytes(&[0; 25]),
    ];
    for (i, a) in folds.iter().enumerate() {
        for b in &folds[i + 1..] {
            assert!(changed_cells(a, b).len() > 4000, "folds {i} and a later one are alike");
        }
    }
}

#[test]
fn swapping_two_samples_of_one_cell_changes_it() {
    let mut samples: Vec<u8> = (0..=255).cycle().take(128 * 128).collect();
    let before = fold_image(&grey(128, 128, samples.clone()));
    // (0, 1) and (8, 9) lie in one region of 16 by 16 and share residues.
    samples.swap(1, 8 * 128 + 9);
    assert_ne!(samples[1], samples[8 * 128 + 9]);
    assert_eq!(changed_cells(&before, &fold_image(&grey(128, 128, samples))), [1]);
}

#[test]
fn byte_rows_are_4096_wide() {
    let zero = fold_bytes(&[0; 5000]);
    // Two rows: row 1 is region row 4, residue row 1; its columns 4096 - 5000 are regions 0 and 1
    // of 512 bytes each.
    for (place, cell) in [(0, 0), (513, 64 + 1), (4095, 64 * 7 + 7), (4096, 64 * 32 + 8), (4999, 64 * 33 + 8 + 7)] {
        let mut bytes = [0; 5000];
        bytes[place] = 1;
        assert_eq!(changed_cells(&zero, &fold_bytes(&bytes)), [cell], "byte {place}");
    }
}

#[test]
fn tokens_are_low_bytes_then_high_bytes() {
    let fold = fold_image(&grey(1, 1, vec![0])); // cells e53f 499a ...
    let tokens = fold.to_tokens();
    assert_eq!(tokens.shape(), [1, 64, 128]);
    assert_eq!([tokens[[0, 0, 0]], tokens[[0, 0, 1]]], [63.0, 154.0]);
    assert_eq!([tokens[[0, 0, 64]], tokens[[0, 0, 65]]], [229.0, 73.0]);
    let last = fold.0[4095].to_be_bytes();
    assert_eq!([tokens[[0, 63, 127]], tokens[[0, 63, 63]]], last.map(f32::from));
}

#[test]
fn a_fold_is_not_printed() {
    assert_eq!(format!("{:?}", fold_bytes(b"secret")), "Fold(..)");
}

/// Moves interleaved samples into planes, slice by slice.
fn to_planar(samples: &[u8], pixels: usize, channels: usize, bytes: usize) -> Vec<u8> {
    samples
        .chunks(pixels * channels * bytes)
        .flat_map(|slice| {
            (0..channels)
                .flat_map(move |c| (0..pixels).flat_map(move |p| slice[(p * channels + c) * bytes..][..bytes].to_vec()))
        })
        .collect()
}

fn any_image() -> impl Strategy<Value = Image> {
    (1..4_u32, 1..40_u32, 1..40_u32, 1..5_u16, prop::sample::select(&SampleType::ALL[..]), any::<u64>()).prop_map(
        |(depth, height, width, channels, sample_type, seed)| {
            let count = u64::from(depth * height * width * u32::from(channels)) * sample_type.bytes() as u64;
            let samples = (0..count).map(|i| mix(seed ^ i).to_le_bytes()[0]).collect();
            image([depth, height, width], channels, sample_type, 1, samples)
        },
    )
}

proptest! {
    #[test]
    fn fast_loops_equal_the_book(image in any_image()) {
        prop_assert_eq!(&fold_image(&image).0[..], by_the_book(&image));
    }

    #[test]
    fn byte_and_channel_order_do_not_matter(little in any_image()) {
        let geometry = little.geometry();
        let bytes = little.sample_type().bytes();
        let pixels = (geometry.height * geometry.width) as usize;
        let mut samples = to_planar(little.samples(), pixels, usize::from(geometry.channels), bytes);
        samples.chunks_mut(bytes).for_each(<[u8]>::reverse);
        let big = Image::new(geometry, little.sample_type(), ByteOrder::Big, ChannelOrder::Planar, 1, samples).expect("as large");
        prop_assert!(fold_image(&little) == fold_image(&big));
    }

    #[test]
    fn one_level_changes_one_cell(image in any_image(), place in any::<prop::sample::Index>()) {
        let bytes = image.sample_type().bytes();
        let mut samples = image.samples().to_vec();
        let at = place.index(samples.len() / bytes) * bytes;
        samples[at] ^= 1;
        let g = image.geometry();
        let changed = self::image([g.depth, g.height, g.width], g.channels, image.sample_type(), 1, samples);
        prop_assert_eq!(changed_cells(&fold_image(&image), &fold_image(&changed)).len(), 1);
    }

    #[test]
    fn one_byte_changes_one_cell(mut bytes in prop::collection::vec(any::<u8>(), 1..9000), place in any::<prop::sample::Index>()) {
        let before = fold_bytes(&bytes);
        let at = place.index(bytes.len());
        bytes[at] = bytes[at].wrapping_add(1);
        prop_assert_eq!(changed_cells(&before, &fold_bytes(&bytes)).len(), 1);
    }
}
