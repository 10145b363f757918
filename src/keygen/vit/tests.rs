use proptest::prelude::{Rng, RngExt};
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::*;
use crate::imaging::{ByteOrder, ChannelOrder, Geometry, Image, SampleType};
use crate::keygen::LOGITS;
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
    a.as_bytes().iter().zip(b.as_bytes()).map(|(a, b)| (a ^ b).count_ones()).sum()
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
fn a_second_engine_is_refused() {
    vit();
    let library = Path::new("/nonexistent/libonnxruntime.so");
    match Vit::with_runtime(Some(library)) {
        Err(KeygenError::EngineChosen { chosen: Engine::BuiltIn, asked }) => {
            assert_eq!(asked, Engine::OnnxRuntime(library.to_owned()));
        }
        other => panic!("expected EngineChosen, found {other:?}"),
    }
    vit();
}

#[test]
fn tout_packs_the_most_significant_bit_first() {
    let mut logits = [-1.0; LOGITS];
    (logits[0], logits[9], logits[767]) = (0.5, f32::MIN_POSITIVE, 3.0);
    let mut expected = [0; 96];
    (expected[0], expected[1], expected[95]) = (0x80, 0x40, 0x01);
    assert_eq!(Tout::from_logits(&logits).as_bytes(), expected);
    assert_eq!(Tout::from_logits(&[0.0; LOGITS]).as_bytes(), [0; 96]);
    assert_eq!(Tout::from_logits(&[-0.0; LOGITS]).as_bytes(), [0; 96]);
    assert_eq!(Tout::from_logits(&[1.0; LOGITS]).as_bytes(), [0xff; 96]);
    assert_eq!(Tout::from_logits(&[1.0; 256]).as_bytes(), [0xff; 32], "another model's");
}

#[test]
fn a_logit_that_is_not_finite_is_refused() {
    assert!(finite(vec![f32::MAX; LOGITS].into()).is_ok());
    for (index, value) in [(0, f32::NAN), (7, f32::INFINITY), (767, f32::NEG_INFINITY)] {
        let mut logits = vec![0.0; LOGITS];
        logits[index] = value;
        assert!(
            matches!(finite(logits.into()), Err(KeygenError::NotFinite { index: found }) if found == index),
            "{value}"
        );
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

/// More than one run's worth: the last run is a short one.
#[test]
fn many_folds_at_once_give_what_each_gives_alone() {
    let mut vit = vit();
    let folds: Vec<Fold> = (0..BATCH + 3).map(|i| fold_bytes(&i.to_be_bytes())).collect();
    let together = vit.touts(&folds).expect("the model runs");
    let alone: Vec<Tout> = folds.iter().map(|fold| vit.tout(fold).expect("the model runs")).collect();
    assert_eq!(together, alone);
    assert!(together[0] != together[BATCH] && together[0].as_bytes().len() == 96);
    assert_eq!(vit.touts(&[]).expect("nothing to run"), []);
}

#[test]
fn one_level_flips_half_of_the_bits() {
    let mut vit = vit();
    for (side, sample_type) in [(64, SampleType::U8), (512, SampleType::U8), (512, SampleType::U16)] {
        let flips = flips(&mut vit, side, sample_type, 64);
        // 64 changes of an ideal function: 384 with a standard deviation of 1.7.
        let mean = mean(&flips);
        assert!((0.48..=0.52).contains(&(mean / 768.0)), "{side}x{side} {}: {mean} of 768 bits", sample_type.name());
        assert!(flips.iter().all(|flips| *flips > 307), "{side}x{side} {}: {flips:?}", sample_type.name());
    }
}

#[test]
fn black_images_of_unlike_sizes_differ() {
    let mut vit = vit();
    let black = [1_u32, 2, 8, 64, 65, 256].map(|side| slice(side, SampleType::U8, vec![0; (side * side) as usize]));
    let touts = black.map(|image| vit.tout(&fold_image(&image)).expect("the model runs"));
    for (i, a) in touts.iter().enumerate() {
        for b in &touts[i + 1..] {
            assert!(distance(a, b) > 307, "black image {i} and a later one are alike");
        }
    }
}
