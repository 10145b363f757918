use proptest::prelude::{Rng, RngExt};
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::*;
use crate::imaging::{ByteOrder, ChannelOrder, Geometry, Image, SampleType};
use crate::keygen::{fold_bytes, fold_image};

fn vit() -> Vit {
    Vit::embedded().expect("the embedded model loads")
}

fn slice(side: u32, sample_type: SampleType, samples: Vec<u8>) -> Image {
    let geometry = Geometry { depth: 1, height: side, width: side, channels: 1 };
    let bits = if sample_type == SampleType::U8 { 8 } else { 16 };
    Image::new(geometry, sample_type, ByteOrder::Little, ChannelOrder::Interleaved, bits, samples)
        .expect("a possible image")
}

/// A noisy disc on black, 8 bit.
fn phantom(side: u32, rng: &mut impl Rng) -> Vec<u8> {
    let middle = i64::from(side) / 2;
    let place = |i: u32| (i64::from(i / side) - middle, i64::from(i % side) - middle);
    let inside = |(y, x): (i64, i64)| 9 * (y * y + x * x) < 4 * middle * middle;
    (0..side * side).map(|i| if inside(place(i)) { rng.random_range(90..120) } else { 0 }).collect()
}

fn distance(a: &Tout, b: &Tout) -> u32 {
    a.0.iter().zip(&b.0).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// Bits of `Tout` that flip for each of `count` changes of one random sample by one level.
fn flips(vit: &mut Vit, side: u32, sample_type: SampleType, count: usize) -> Vec<u32> {
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let bytes = sample_type.bytes();
    let mut samples: Vec<u8> = phantom(side, &mut rng).into_iter().flat_map(|level| vec![level; bytes]).collect();
    let tout = |vit: &mut Vit, samples: &[u8]| {
        vit.tout(&fold_image(&slice(side, sample_type, samples.to_vec()))).expect("the model runs")
    };
    let before = tout(vit, &samples);
    (0..count)
        .map(|_| {
            let at = bytes * rng.random_range(0..samples.len() / bytes);
            samples[at] += 1;
            let flipped = distance(&before, &tout(vit, &samples));
            samples[at] -= 1;
            flipped
        })
        .collect()
}

fn mean(values: &[u32]) -> f64 {
    f64::from(values.iter().sum::<u32>()) / values.len() as f64
}

#[test]
fn another_model_is_refused() {
    let mut model = MODEL.to_vec();
    let middle = model.len() / 2;
    model[middle] ^= 1;
    let expected_digest = B256::from(<[u8; 32]>::from(Sha256::digest(&model)));
    match Vit::from_bytes(&model) {
        Err(KeygenError::ModelDigest { expected, found }) => {
            assert_eq!((expected, found), (MODEL_DIGEST, expected_digest))
        }
        other => panic!("expected ModelDigest, found {other:?}"),
    }
    assert!(matches!(Vit::from_bytes(&MODEL[1..]), Err(KeygenError::ModelDigest { .. })));
    assert!(matches!(Vit::from_bytes(b""), Err(KeygenError::ModelDigest { .. })));
    assert!(Vit::from_bytes(MODEL).is_ok());
}

#[test]
fn a_second_engine_is_refused() {
    vit();
    let library = Path::new("/nonexistent/libonnxruntime.so");
    match Vit::with_runtime(Some(library)) {
        Err(KeygenError::EngineChosen { chosen: None, asked: Some(asked) }) => assert_eq!(asked, library),
        other => panic!("expected EngineChosen, found {other:?}"),
    }
    vit();
}

#[test]
fn tout_packs_the_most_significant_bit_first() {
    let mut logits = [-1.0; LOGITS];
    (logits[0], logits[9], logits[255]) = (0.5, f32::MIN_POSITIVE, 3.0);
    let mut expected = [0; 32];
    (expected[0], expected[1], expected[31]) = (0x80, 0x40, 0x01);
    assert_eq!(Tout::from_logits(&logits).as_bytes(), &expected);
    assert_eq!(Tout::from_logits(&[0.0; LOGITS]).as_bytes(), &[0; 32]);
    assert_eq!(Tout::from_logits(&[-0.0; LOGITS]).as_bytes(), &[0; 32]);
    assert_eq!(Tout::from_logits(&[1.0; LOGITS]).as_bytes(), &[0xff; 32]);
}

#[test]
fn a_logit_that_is_not_finite_is_refused() {
    assert!(finite([f32::MAX; LOGITS]).is_ok());
    for (index, value) in [(0, f32::NAN), (7, f32::INFINITY), (255, f32::NEG_INFINITY)] {
        let mut logits = [0.0; LOGITS];
        logits[index] = value;
        assert!(matches!(finite(logits), Err(KeygenError::NotFinite { index: found }) if found == index), "{value}");
    }
}

#[test]
fn tout_is_not_printed() {
    assert_eq!(format!("{:?}", Tout::from_bytes([7; 32])), "Tout(..)");
}

#[test]
fn the_same_fold_gives_the_same_tout() {
    let fold = fold_bytes(b"MedSeal");
    let (mut a, mut b) = (vit(), vit());
    let first = a.tout(&fold).expect("the model runs");
    assert_eq!(first, a.tout(&fold).expect("it runs again"));
    assert_eq!(first, b.tout(&fold).expect("so does another session"));
}

#[test]
fn one_level_flips_half_of_the_bits() {
    let mut vit = vit();
    for (side, sample_type) in [(64, SampleType::U8), (512, SampleType::U8), (512, SampleType::U16)] {
        let flips = flips(&mut vit, side, sample_type, 64);
        // 64 changes of an ideal function: 128 with a standard deviation of 1.
        let mean = mean(&flips);
        assert!((0.45..=0.55).contains(&(mean / 256.0)), "{side}x{side} {}: {mean} of 256 bits", sample_type.name());
        assert!(flips.iter().all(|flips| *flips > 64), "{side}x{side} {}: {flips:?}", sample_type.name());
    }
}

#[test]
fn black_images_of_unlike_sizes_differ() {
    let mut vit = vit();
    let black = [1_u32, 2, 8, 64, 65, 256].map(|side| slice(side, SampleType::U8, vec![0; (side * side) as usize]));
    let touts = black.map(|image| vit.tout(&fold_image(&image)).expect("the model runs"));
    for (i, a) in touts.iter().enumerate() {
        for b in &touts[i + 1..] {
            assert!(distance(a, b) > 64, "black image {i} and a later one are alike");
        }
    }
}

/// Prints the figures of `onnx/README.md`.
#[test]
#[ignore = "takes a minute: cargo test --lib keygen::vit::tests::figures -- --ignored --nocapture"]
fn figures() {
    let started = std::time::Instant::now();
    let mut vit = vit();
    eprintln!("load: {:?}", started.elapsed());
    for (side, sample_type) in [(64, SampleType::U8), (512, SampleType::U8), (512, SampleType::U16)] {
        let flips = flips(&mut vit, side, sample_type, 1024);
        let share = |limit| 100.0 * flips.iter().filter(|flips| **flips >= limit).count() as f64 / 1024.0;
        let (mean, least) = (mean(&flips), flips.iter().min().expect("1024 of them"));
        let deviation = (flips.iter().map(|flips| (f64::from(*flips) - mean).powi(2)).sum::<f64>() / 1024.0).sqrt();
        eprintln!(
            "{side}x{side} {}: mean {:.2} %, sd {deviation:.2} bits, least {least}, >= 116: {:.2} %, >= 109: {:.2} %",
            sample_type.name(),
            mean / 2.56,
            share(116),
            share(109),
        );
        assert!((49.0..=51.0).contains(&(mean / 2.56)));
    }
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let started = std::time::Instant::now();
    let touts: Vec<Tout> =
        (0..2048).map(|_| vit.tout(&fold_bytes(&rng.next_u64().to_be_bytes())).expect("runs")).collect();
    eprintln!("run, fold of 8 bytes included: {:?}", started.elapsed() / 2048);
    let ones =
        (0..256).map(|j| touts.iter().filter(|tout| tout.0[j / 8] & (0x80 >> (j % 8)) != 0).count() as f64 / 2048.0);
    let bias = ones.map(|share| (share - 0.5).abs()).fold(0.0, f64::max);
    let pairs: Vec<u32> =
        (0..2048).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| distance(&touts[i], &touts[j])).collect();
    eprintln!("2048 files: greatest bias {bias:.4}, mean distance {:.3}, least {:?}", mean(&pairs), pairs.iter().min());
    assert!(bias < 0.06);
}
