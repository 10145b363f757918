//! DICOM files: where the samples are in the file.
//!
//! The file is never written anew: `file == head || samples || tail`, so that it comes back byte
//! for byte. What is cut short is refused, because that must be noticed before a scan is sealed,
//! not years later. What other readers open is never refused: where it is not as the standard says,
//! it stays whole.

mod encoding;
mod error;
mod fields;
#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;
mod walk;

use std::ops::Range;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use encoding::Encoding;
pub use error::DicomError;
use fields::{Fields, PixelFormat};
use walk::{Element, ElementWalk};

use super::{ByteOrder, Image, ImagingError, Limits, WholeReason};

/// What a DICOM file holds.
pub(super) enum Found {
    /// Samples that lie open at this place of the file.
    Open(Image, Range<usize>),
    /// Samples that could be read, but are not in the file one after the other.
    Decoded(Image, WholeReason),
    /// No samples that this program decodes.
    Nothing(WholeReason),
}

/// Reads the file whose meta group begins at `meta`.
///
/// # Errors
/// [`DicomError`] where it [is cut short](DicomError::is_cut_short), [`ImagingError::TooLarge`].
pub(super) fn read(file: &[u8], meta: usize, limits: &Limits) -> Result<Found, ImagingError> {
    match find(file, meta, limits) {
        Err(ImagingError::Dicom(error)) if !error.is_cut_short() => {
            Ok(Found::Nothing(WholeReason::Nonconforming(error)))
        }
        found => found,
    }
}

fn find(file: &[u8], meta: usize, limits: &Limits) -> Result<Found, ImagingError> {
    let (syntax, data_set) = transfer_syntax(file, meta, limits)?;
    let transfer = match &syntax {
        Some(uid) => match TransferSyntaxRegistry.get(uid) {
            Some(transfer) => Some(transfer),
            None => return Ok(Found::Nothing(WholeReason::UnknownTransferSyntax)),
        },
        None => None,
    };
    if transfer.is_some_and(|transfer| matches!(transfer.codec(), Codec::Dataset(_))) {
        return Ok(Found::Nothing(WholeReason::Deflated));
    }
    let declared = transfer.map(Encoding::of);
    let Some(encoding) = Encoding::seen(&file[data_set..], declared) else {
        return Err(DicomError::NoTransferSyntax.into());
    };
    let mut fields = Fields::new(file, encoding.order);
    let mut walk = ElementWalk::new(file, data_set, encoding, limits.nesting);
    loop {
        if let Some(pixels) = fields.pixels()? {
            walk.check_after_pixels(pixels.tag)?;
        }
        let Some(element) = walk.next()? else { break };
        fields.add(element)?;
    }
    match fields.pixels()? {
        None if fields.describes_pixels() => Err(DicomError::PixelsMissing.into()),
        None => Ok(Found::Nothing(WholeReason::NoPixels)),
        Some(_) if transfer.is_some_and(|transfer| !transfer.is_codec_free()) => {
            Ok(Found::Nothing(WholeReason::Compressed))
        }
        Some(pixels) => native(file, &fields, pixels, encoding.order, limits),
    }
}

/// Samples in a transfer syntax that does not compress.
fn native(
    file: &[u8],
    fields: &Fields<'_>,
    pixels: &Element,
    order: ByteOrder,
    limits: &Limits,
) -> Result<Found, ImagingError> {
    if pixels.undefined {
        return Err(DicomError::PixelsUndefined.into());
    }
    let found = pixels.value.len() as u64;
    let enough = |expected: Option<u64>| match expected {
        Some(expected) if expected <= found => Ok(expected),
        _ => Err(DicomError::PixelLength { expected: expected.unwrap_or(u64::MAX), found }),
    };
    if pixels.tag == tags::PIXEL_DATA && fields.bits_allocated()? == 1 {
        enough(fields.geometry()?.samples().map(|bits| bits.div_ceil(8)))?;
        return Ok(Found::Nothing(WholeReason::BitPacked));
    }
    let PixelFormat { geometry, sample_type, channel_order, bits_stored } = fields.shape(pixels.tag)?;
    let bytes = geometry.samples().and_then(|samples| samples.checked_mul(sample_type.bytes() as u64));
    if let Some((kept, of)) = fields.subsampled() {
        enough(bytes.map(|bytes| bytes / of * kept))?;
        return Ok(Found::Nothing(WholeReason::Subsampled));
    }
    // What is behind the last sample is padding (PS3.5, 8.1.1), and goes to the tail.
    let expected = enough(bytes)?;
    limits.check(geometry, sample_type)?;
    let image = |samples| Image::new(geometry, sample_type, order, channel_order, bits_stored, samples);

    let start = pixels.value.start;
    let range = start..start + usize::try_from(expected).expect("not more than the file has");
    if order == ByteOrder::Big && pixels.vr == VR::OW && sample_type.bytes() == 1 {
        // Bytes in 16-bit words: every two of them stand in the wrong order, the pad byte before
        // the last sample.
        let words = start..pixels.value.end.min(start + range.len().next_multiple_of(2));
        let mut samples = file[words].to_vec();
        samples.chunks_exact_mut(2).for_each(|word| word.swap(0, 1));
        samples.truncate(range.len());
        return Ok(Found::Decoded(image(samples)?, WholeReason::SwappedBytes));
    }
    Ok(Found::Open(image(file[range.clone()].to_vec())?, range))
}

/// Returns the UID of the transfer syntax, if it is named, and where the data set begins. The meta
/// group is always explicit little-endian and ends where another group begins.
fn transfer_syntax(file: &[u8], meta: usize, limits: &Limits) -> Result<(Option<String>, usize), DicomError> {
    let encoding = Encoding { explicit: true, order: ByteOrder::Little };
    let mut walk = ElementWalk::new(file, meta, encoding, limits.nesting);
    let mut syntax = None;
    while file[walk.position()..].starts_with(&[2, 0]) {
        let Some(element) = walk.next()? else { break };
        let value = &file[element.value.clone()];
        if element.tag == tags::FILE_META_INFORMATION_GROUP_LENGTH
            && let Ok(length) = value.try_into().map(u32::from_le_bytes)
            && u64::from(length) > (file.len() - element.value.end) as u64
        {
            return Err(DicomError::CutShort { offset: file.len() });
        }
        if element.tag == tags::TRANSFER_SYNTAX_UID {
            let named = std::str::from_utf8(value).map(|text| text.trim_matches(['\0', ' '])).unwrap_or_default();
            if syntax.replace(named.to_owned()).is_some() {
                return Err(DicomError::Duplicate { tag: element.tag, offset: element.value.start });
            }
        }
    }
    Ok((syntax.filter(|uid| !uid.is_empty()), walk.position()))
}
