//! The demo's pictures, and the avalanche that its table shows: made in memory with a key of their own, by the very cipher.

use super::acts::Story;
use crate::cipher::{FrameCipher, ImageKey, Subkeys};
use crate::cli::CliError;
use crate::cli::output::{shown, write_file};
use crate::envelope::ImageContext;
use crate::evaluation::figures::{Panel, seal_figure};
use crate::imaging::{ByteOrder, Image, phantom};
use crate::metrics::{cipher_image, correlation, differential, entropy};
use alloy::primitives::{Address, B256};
use std::path::{Path, PathBuf};

/// Side of the generated phantom.
const PHANTOM_SIDE: u32 = 512;

/// NPCR and UACI of an image, eq. (12) and (13).
#[derive(Debug, Clone, Copy)]
pub(super) struct Avalanche {
    pub(super) npcr: f64,
    pub(super) uaci: f64,
}

/// Writes the picture of the first scan that was opened, and that of a phantom, which may be shown to anybody.
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

/// A slice with these samples: as numbers of the image, or, once they are no numbers any more, unsigned over the full width.
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

/// NPCR and UACI between an image's ciphertext and that of the same image with one grey level changed in one pixel, under the same key.
pub(super) fn avalanche(image: &Image) -> Option<Avalanche> {
    let (cipher, width) = (cipher(), image.sample_type().bytes());
    let mut slice = image.samples()[..image.slice_bytes()].to_vec();
    let before = cipher.seal(1, &slice, width);
    // The lowest bit of the middle sample: one grey level up or down.
    let middle = slice.len() / width / 2 * width;
    let lowest = if image.byte_order() == ByteOrder::Big { middle + width - 1 } else { middle };
    slice[lowest] ^= 1;
    let after = cipher.seal(1, &slice, width);
    let (before, after) = (&before[..slice.len()], &after[..slice.len()]);
    let npcr = differential::npcr(before, after, width).ok()?;
    let uaci = differential::uaci(before, after, width, image.byte_order()).ok()?;
    Some(Avalanche { npcr, uaci })
}

/// Suite 1 under a random key: the keys of the sealed images are not kept by anybody who could draw them.
fn cipher() -> FrameCipher {
    let mut random = [0; 32];
    getrandom::fill(&mut random).expect("the operating system gives randomness");
    let context = ImageContext::new(0, Address::ZERO, Address::ZERO, B256::ZERO);
    FrameCipher::new(&Subkeys::derive(&context.image_id, &ImageKey::from_bytes(random)), [0; 32], 2)
}
