//! The demo's pictures: made in memory with a key of their own, by the very cipher.

use super::acts::Story;
use super::avalanche::cipher;
use crate::cli::error::CliError;
use crate::cli::output::{shown, write_file};
use crate::evaluation::figures::{Panel, seal_figure};
use crate::imaging::{Image, phantom};
use crate::metrics::{cipher_image, correlation, entropy};
use std::path::{Path, PathBuf};

/// Side of the generated phantom.
const PHANTOM_SIDE: u32 = 512;

/// Writes the picture of the first scan that was opened, and that of a phantom, which may be shown
/// to anybody.
pub(super) fn draw(story: &Story<'_>, out: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut pictures = Vec::new();
    let phantom = phantom(PHANTOM_SIDE, PHANTOM_SIDE, 16, 1);
    let scan = story.scans.iter().find_map(|scan| scan.image.as_ref().map(|image| (scan.name.as_str(), image)));
    for (name, file, image) in
        scan.map(|(name, image)| (name, "scan.png", image)).into_iter().chain([("phantom", "phantom.png", &phantom)])
    {
        let path = out.join(file);
        write_file(&path, &picture(name, image)?, true)?;
        pictures.push(path);
    }
    Ok(pictures)
}

/// Plain, permuted, substituted, sealed, opened: the first slice after each layer.
fn picture(name: &str, image: &Image) -> Result<Vec<u8>, CliError> {
    let cipher = cipher();
    let (width, slice) = (image.sample_type().bytes(), &image.samples()[..image.slice_bytes()]);
    let layers = cipher.layers(1, slice, width);
    let sealed = cipher.seal(1, slice, width);
    let opened = cipher.open(1, &sealed, width).map_err(|error| CliError::NotComparable { what: error.to_string() })?;
    let as_sealed = |bytes: &[u8]| first_slice(image, bytes.to_vec(), true);
    let panels = [
        ("plain", first_slice(image, slice.to_vec(), false)?),
        ("permuted, eq. (5)", first_slice(image, layers.permuted.to_vec(), false)?),
        ("substituted, eq. (6)", as_sealed(&layers.substituted)?),
        ("sealed, eq. (7)", as_sealed(&sealed[..slice.len()])?),
        ("opened, eq. (8)-(10)", first_slice(image, opened.to_vec(), false)?),
    ]
    .map(|(title, image)| panel(title, &image));
    let geometry = image.geometry();
    let subtitle = format!(
        "{name}, {} x {} {}, sealed in memory under a key of its own; histograms have a square-root scale, each to its own highest bin",
        geometry.height,
        geometry.width,
        image.sample_type().name()
    );
    Ok(seal_figure("What each layer of the cipher does to an image", &subtitle, &panels)?)
}

fn panel(title: &str, image: &Image) -> Panel {
    let horizontal = correlation::adjacent(image, correlation::Direction::Horizontal).r;
    let captions = [
        ("byte entropy", format!("{} bit", shown(entropy::of_bytes(image.samples()), 4))),
        ("horizontal correlation", shown(horizontal, 4)),
    ];
    Panel::of_slice(title, image, 0, &captions)
}

/// A slice with these samples: as numbers of the image, or, once they are no numbers any more,
/// unsigned over the full width.
fn first_slice(like: &Image, samples: Vec<u8>, ciphertext: bool) -> Result<Image, CliError> {
    let mut geometry = like.geometry();
    geometry.depth = 1;
    let failed = |error: crate::imaging::ImageError| CliError::NotComparable { what: error.to_string() };
    let slice = Image::new(
        geometry,
        like.sample_type(),
        like.byte_order(),
        like.channel_order(),
        like.bits_stored(),
        samples.clone(),
    )
    .map_err(failed)?;
    if ciphertext { cipher_image(&slice, samples).map_err(failed) } else { Ok(slice) }
}
