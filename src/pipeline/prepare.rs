//! From a file to what is sealed: description, payload and fold. Pure.

use super::PipelineError;
use crate::envelope::{Description, Layout, Shape};
use crate::imaging::{self, Image, ImagingError, Limits, Scan, Split, WholeReason};
use crate::keygen::{Fold, fold_bytes, fold_image};
use std::ops::Deref;
use zeroize::Zeroizing;

/// How a file is to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// By its content: slice by slice where the samples are uncompressed in the file, else as its
    /// bytes.
    #[default]
    Auto,
    /// As [`Mode::Auto`], but a file that would be sealed as its bytes because of damage is
    /// refused.
    Strict,
    /// The decoded samples, as the paper does: opening returns a lossless re-encoding, not the same
    /// file.
    Pixels,
    /// As plain bytes, without looking inside.
    Raw,
}

/// The bytes that go into the frames but the first; those that are not the file's own are wiped
/// when this is dropped.
#[derive(Debug)]
pub enum Payload<'a> {
    /// Of the file itself.
    Borrowed(&'a [u8]),
    /// Samples that were decoded.
    Owned(Zeroizing<Vec<u8>>),
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// What is sealed of one file.
#[derive(Debug)]
pub struct Prepared<'a> {
    /// Goes into frame 0.
    pub description: Description,
    /// Goes into the other frames.
    pub payload: Payload<'a>,
    /// Goes into the key.
    pub fold: Fold,
    /// The decoded image, where there is one: for metrics and pictures.
    pub image: Option<Image>,
    /// Why the file is sealed as its bytes, where it is.
    pub whole: Option<WholeReason>,
}

/// Returns what is sealed of the file `bytes`.
///
/// - `file_name`: goes into the encrypted description, for display.
///
/// # Errors
/// [`PipelineError::Imaging`] for an empty, damaged or too large file; [`PipelineError::NoPixels`]
/// if [`Mode::Pixels`] finds none. [`Mode::Strict`] refuses more.
pub fn prepare<'a>(
    bytes: &'a [u8],
    file_name: &str,
    mode: Mode,
    limits: &Limits,
) -> Result<Prepared<'a>, PipelineError> {
    let scan = match mode {
        Mode::Raw => Scan::raw(bytes)?,
        Mode::Auto | Mode::Strict | Mode::Pixels => imaging::decode(bytes, limits)?,
    };
    let format = scan.format();
    let whole = match scan.split() {
        Split::Whole(reason) => Some(reason.clone()),
        Split::Samples(_) => None,
    };
    if let (Mode::Strict, Some(reason)) = (mode, &whole)
        && reason.is_damage()
    {
        return Err(ImagingError::NotAsItShould { format, reason: reason.clone() }.into());
    }
    let fold = scan.image().map_or_else(|| fold_bytes(bytes), fold_image);
    let (layout, payload) = match (mode, scan.split(), scan.image()) {
        (Mode::Pixels, _, None) => return Err(PipelineError::NoPixels { format }),
        (Mode::Pixels, _, Some(image)) => {
            // Samples that could not be encoded again must not be sealed.
            imaging::encode(image, format)?;
            (Layout::Pixels { shape: Shape::from(image) }, Payload::Owned(image.samples().to_vec().into()))
        }
        (_, Split::Samples(range), Some(image)) => {
            let (head, tail) = (bytes[..range.start].to_vec().into(), bytes[range.end..].to_vec().into());
            let layout = Layout::Spliced { shape: Shape::from(image), head, tail };
            (layout, Payload::Borrowed(&bytes[range.clone()]))
        }
        _ => (Layout::Bytes { length: bytes.len() as u64 }, Payload::Borrowed(bytes)),
    };
    let description = Description { format, file_name: file_name.to_owned(), layout };
    Ok(Prepared { description, payload, fold, image: scan.into_image(), whole })
}

/// Returns the file that a description and its payload stand for.
///
/// # Errors
/// [`PipelineError::Imaging`] if decoded samples cannot be encoded again.
pub fn rebuild(description: &Description, payload: &[u8]) -> Result<Vec<u8>, PipelineError> {
    match &description.layout {
        Layout::Bytes { .. } => Ok(payload.to_vec()),
        Layout::Spliced { head, tail, .. } => Ok([&head[..], payload, &tail[..]].concat()),
        Layout::Pixels { shape } => Ok(imaging::encode(&image_of(shape, payload)?, description.format)?),
    }
}

/// Returns the image that these samples of this shape are.
///
/// # Errors
/// [`PipelineError::Imaging`] if they are not as many as the shape says.
pub fn image_of(shape: &Shape, samples: &[u8]) -> Result<Image, PipelineError> {
    let Shape { geometry, sample_type, byte_order, channel_order, bits_stored } = *shape;
    let image = Image::new(geometry, sample_type, byte_order, channel_order, bits_stored, samples.to_vec());
    Ok(image.map_err(ImagingError::Image)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::phantom;

    /// What memory of the image is wiped when it is dropped: that it is is the library's test.
    #[test]
    fn what_is_copied_of_a_file_is_wiped() {
        fn is_wiped(_: &impl zeroize::ZeroizeOnDrop) {}
        let dicom = include_bytes!("../../tests/data/explicit_little.dcm");
        let spliced = prepare(dicom, "a.dcm", Mode::Auto, &Limits::default()).expect("a sample");
        let Layout::Spliced { head, tail, .. } = &spliced.description.layout else { panic!("its samples lie open") };
        is_wiped(head);
        is_wiped(tail);
        assert!(matches!(spliced.payload, Payload::Borrowed(_)));
        let png = imaging::encode(&phantom(9, 9, 8, 1), imaging::Format::Png).expect("encoded");
        let pixels = prepare(&png, "a.png", Mode::Pixels, &Limits::default()).expect("a sample");
        let Payload::Owned(samples) = &pixels.payload else { panic!("samples were decoded") };
        is_wiped(samples);
    }
}
