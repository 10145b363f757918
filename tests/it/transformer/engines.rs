//! The two engines give the same bits: tract, which is built in, and ONNX Runtime, which
//! `scripts/setup --python` fetches.
//!
//! A process has one engine, so that this program starts itself again for the other one.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use medseal::imaging::phantom;
use medseal::keygen::{Engine, Fold, Vit, fold_bytes, fold_image};

use super::slices;
use crate::common::root;

/// Names the library to the second process.
const LIBRARY: &str = "MEDSEAL_TEST_ONNX_RUNTIME";

/// Phantoms of several sizes and depths, plain bytes, and the MR slices that `scripts/setup`
/// fetches.
fn folds() -> Vec<Fold> {
    let sizes = [(1, 1), (8, 8), (17, 31), (64, 64), (128, 96), (256, 256)];
    let phantoms = (0..240).zip(0..).map(|(number, seed)| {
        let (height, width) = sizes[number % sizes.len()];
        fold_image(&phantom(height, width, [8, 12, 16][number % 3], seed))
    });
    let files = (0..40).zip(0..).map(|(number, seed)| fold_bytes(&crate::common::random(seed, 997 * number + 1)));
    phantoms.chain(files).chain(slices().iter().map(fold_image)).collect()
}

/// One line of hex for each fold.
fn bits(vit: &mut Vit) -> Vec<Vec<u8>> {
    vit.touts(&folds()).unwrap().iter().map(|tout| tout.as_bytes().to_vec()).collect()
}

#[test]
#[ignore = "the second process of the test below, which starts it"]
fn second_process() {
    let library = std::env::var_os(LIBRARY).expect("the library");
    let mut vit = Vit::with_runtime(Some(Path::new(&library))).unwrap();
    assert_eq!(*vit.engine(), Engine::OnnxRuntime(library.into()));
    assert!(!vit.engine_version().contains("tract"), "{}", vit.engine_version());
    let lines = bits(&mut vit).iter().fold(String::new(), |mut text, bits| {
        writeln!(text, "bits {}", alloy::hex::encode(bits)).unwrap();
        text
    });
    eprint!("\n{lines}");
}

#[test]
fn tract_and_onnx_runtime_give_the_same_bits() {
    let library = root("target/tools/lib/libonnxruntime.so");
    assert!(library.exists(), "no {}: scripts/setup --python", library.display());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transformer::engines::second_process", "--ignored", "--nocapture", "--test-threads", "1"])
        .env(LIBRARY, &library)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    let other: Vec<Vec<u8>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("bits "))
        .map(|hex| alloy::hex::decode(hex).unwrap())
        .collect();

    let mut vit = Vit::embedded().unwrap();
    assert_eq!(*vit.engine(), Engine::BuiltIn);
    let ours = bits(&mut vit);
    assert_eq!(ours.len(), other.len());
    let differing = |(a, b): (&Vec<u8>, &Vec<u8>)| a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
    let (all, unlike) = (8 * ours[0].len() * ours.len(), ours.iter().zip(&other).map(differing).sum::<u32>());
    let equal = 100.0 * (1.0 - f64::from(unlike) / all as f64);
    eprintln!("{} images, {all} bits: {unlike} differ, {equal:.4} % are equal", ours.len());
    assert!(ours.len() >= 299 && equal >= 99.99, "{unlike} of {all} bits differ: {equal:.4} % are equal");
    // The twin: bits of other images are no more equal than chance makes them.
    let unlike = ours.iter().zip(&other[1..]).map(differing).sum::<u32>() as f64 / all as f64;
    assert!((0.49..0.51).contains(&unlike), "{unlike}");
}
