//! DICOM files: where the samples are in the file.
//!
//! The file is never written anew: `file == head || samples || tail`, so that it comes back byte for byte. Reading is strict, because a damaged scan
//! must be noticed before it is sealed, not years later.

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
use dicom_encoding::{
    Endianness,
    decode::explicit_le::ExplicitVRLittleEndianDecoder,
    transfer_syntax::{Codec, DynDecoder, TransferSyntaxIndex},
};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

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
pub(super) fn read(file: &[u8], meta: usize, limits: &Limits) -> Result<Found, ImagingError> {
    let (syntax, data_set) = transfer_syntax(file, meta, limits)?;
    let Some(transfer) = TransferSyntaxRegistry.get(&syntax) else {
        return Ok(Found::Nothing(WholeReason::UnknownTransferSyntax));
    };
    if matches!(transfer.codec(), Codec::Dataset(_)) {
        return Ok(Found::Nothing(WholeReason::Deflated));
    }
    let Some(decoder) = transfer.decoder_for() else {
        return Ok(Found::Nothing(WholeReason::UnknownTransferSyntax));
    };
    let order = match transfer.endianness() {
        Endianness::Big => ByteOrder::Big,
        Endianness::Little => ByteOrder::Little,
    };
    let mut fields = Fields::new(file, order);
    let mut walk = ElementWalk::new(file, data_set, decoder, limits.nesting);
    while let Some(element) = walk.next()? {
        fields.add(element)?;
    }
    match fields.pixels()? {
        None if fields.describes_pixels() => Err(DicomError::PixelsMissing.into()),
        None => Ok(Found::Nothing(WholeReason::NoPixels)),
        Some(_) if !transfer.is_codec_free() => Ok(Found::Nothing(WholeReason::Compressed)),
        Some(pixels) => native(file, &fields, pixels, order, limits),
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
    if fields.is_subsampled() {
        return Ok(Found::Nothing(WholeReason::Subsampled));
    }
    if pixels.tag == tags::PIXEL_DATA && fields.bits_allocated()? == 1 {
        return Ok(Found::Nothing(WholeReason::BitPacked));
    }
    let PixelFormat { geometry, sample_type, channel_order, bits_stored } = fields.shape(pixels.tag)?;
    let found = pixels.value.len() as u64;
    let bytes = geometry.samples().and_then(|samples| samples.checked_mul(sample_type.bytes() as u64));
    // An odd length is padded with one byte, which goes to the tail.
    let expected = bytes
        .filter(|bytes| found == *bytes || found == bytes + bytes % 2)
        .ok_or(DicomError::PixelLength { expected: bytes.unwrap_or(u64::MAX), found })?;
    limits.check(geometry, sample_type)?;
    let image = |samples| Image::new(geometry, sample_type, order, channel_order, bits_stored, samples);

    let start = pixels.value.start;
    let range = start..start + usize::try_from(expected).expect("not more than the file has");
    if order == ByteOrder::Big && pixels.vr == VR::OW && sample_type.bytes() == 1 {
        // Bytes in 16-bit words: every two of them stand in the wrong order, the pad byte before the last sample.
        let mut samples = file[pixels.value.clone()].to_vec();
        samples.chunks_exact_mut(2).for_each(|word| word.swap(0, 1));
        samples.truncate(range.len());
        return Ok(Found::Decoded(image(samples)?, WholeReason::SwappedBytes));
    }
    Ok(Found::Open(image(file[range.clone()].to_vec())?, range))
}

/// Returns the UID of the transfer syntax and where the data set begins. The meta group is always explicit little-endian and ends where another group begins.
fn transfer_syntax(file: &[u8], meta: usize, limits: &Limits) -> Result<(String, usize), DicomError> {
    let decoder: DynDecoder<&[u8]> = Box::<ExplicitVRLittleEndianDecoder>::default();
    let mut walk = ElementWalk::new(file, meta, decoder, limits.nesting);
    let mut syntax = None;
    while file[walk.position()..].starts_with(&[2, 0]) {
        let Some(element) = walk.next()? else { break };
        if element.tag == tags::TRANSFER_SYNTAX_UID {
            let text = std::str::from_utf8(&file[element.value.clone()]).ok();
            let text = text.map(|text| text.trim_end_matches(['\0', ' ']).to_owned());
            let named = text.filter(|text| !text.is_empty()).ok_or(DicomError::NoTransferSyntax)?;
            if syntax.replace(named).is_some() {
                return Err(DicomError::Duplicate { tag: element.tag, offset: element.value.start });
            }
        }
    }
    Ok((syntax.ok_or(DicomError::NoTransferSyntax)?, walk.position()))
}
