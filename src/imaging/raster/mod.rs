//! PNG and TIFF, decoded and encoded by the `image` crate.

mod directories;

use std::io::Cursor;

use ::image::{
    ColorType, ExtendedColorType, ImageDecoder, ImageEncoder,
    codecs::{
        png::{PngDecoder, PngEncoder},
        tiff::{TiffDecoder, TiffEncoder},
    },
};

use super::{
    ByteOrder, ChannelOrder, Format, Geometry, Image, ImagingError, Limits, SampleType, WholeReason, door,
    limits::check,
};
use directories::Directories;

/// The image, if it is of a kind that is decoded, and why the file is sealed as its bytes all the
/// same.
type Decoded = (Option<Image>, WholeReason);

/// The last chunk of every PNG file.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";

/// Decodes a PNG file.
pub(super) fn decode_png(bytes: &[u8], limits: &Limits) -> Result<Decoded, ImagingError> {
    let format = Format::Png;
    let mut inner = ::image::Limits::no_limits();
    inner.max_alloc = Some(limits.decoded_bytes);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), inner).map_err(|e| damaged(format, limits, e))?;
    if decoder.is_apng().map_err(|e| damaged(format, limits, e))? {
        return Ok((None, WholeReason::Animation));
    }
    let image = read(decoder, format, limits)?;
    // The decoder stops after the last row and does not miss the end.
    if !bytes.windows(PNG_END.len()).rev().any(|chunk| chunk == PNG_END) {
        return Err(ImagingError::CutShort { format });
    }
    Ok((Some(image), WholeReason::Compressed))
}

/// Decodes a TIFF file of one page.
pub(super) fn decode_tiff(bytes: &[u8], limits: &Limits) -> Result<Decoded, ImagingError> {
    let format = Format::Tiff;
    let Directories { several, cut } = Directories::look(bytes);
    let decoded = match several {
        true => Ok((None, WholeReason::Pages)),
        false => door::enter(format, || decode_page(bytes, limits)),
    };
    match decoded {
        Ok((None, _)) | Err(ImagingError::DecoderFailed { .. }) if cut => Err(ImagingError::CutShort { format }),
        Err(ImagingError::Damaged { source, .. }) if !cut => Ok((None, WholeReason::Undecodable(source.to_string()))),
        Err(error @ ImagingError::DecoderFailed { .. }) => Ok((None, WholeReason::Undecodable(error.to_string()))),
        other => other,
    }
}

/// The first page; whether there are more is not looked at.
fn decode_page(bytes: &[u8], limits: &Limits) -> Result<Decoded, ImagingError> {
    let format = Format::Tiff;
    let mut decoder = match TiffDecoder::new(Cursor::new(bytes)) {
        Ok(decoder) => decoder,
        Err(::image::ImageError::Unsupported(_)) => return Ok((None, WholeReason::UnsupportedKind)),
        Err(error) => return Err(damaged(format, limits, error)),
    };
    if decoder.original_color_type() != decoder.color_type().into() || shape(decoder.color_type()).is_none() {
        return Ok((None, WholeReason::UnsupportedKind));
    }
    let mut inner = ::image::Limits::no_limits();
    inner.max_alloc = Some(limits.decoded_bytes);
    decoder.set_limits(inner).map_err(|e| damaged(format, limits, e))?;
    match read(decoder, format, limits) {
        Ok(image) => Ok((Some(image), WholeReason::Strips)),
        Err(ImagingError::Damaged { source: ::image::ImageError::Unsupported(_), .. }) => {
            Ok((None, WholeReason::UnsupportedKind))
        }
        Err(error) => Err(error),
    }
}

/// Checks the size in the header, then allocates and decodes.
fn read(decoder: impl ImageDecoder, format: Format, limits: &Limits) -> Result<Image, ImagingError> {
    let (width, height) = decoder.dimensions();
    let (sample_type, channels) = shape(decoder.color_type()).expect("PNG has no other, TIFF was asked");
    let geometry = Geometry { depth: 1, height, width, channels };
    let bytes = limits.check(geometry, sample_type)?;
    check("bytes of decoded samples", bytes, limits.decoded_bytes)?;
    let mut samples = vec![0; usize::try_from(bytes).expect("within the limits")];
    decoder.read_image(&mut samples).map_err(|e| damaged(format, limits, e))?;
    if sample_type == SampleType::U16 {
        for sample in samples.chunks_exact_mut(2) {
            let value = u16::from_ne_bytes([sample[0], sample[1]]);
            sample.copy_from_slice(&value.to_le_bytes());
        }
    }
    let bits = if sample_type == SampleType::U16 { 16 } else { 8 };
    Ok(Image::new(geometry, sample_type, ByteOrder::Little, ChannelOrder::Interleaved, bits, samples)?)
}

/// Sample type and channels; none for what is not decoded.
fn shape(color: ColorType) -> Option<(SampleType, u16)> {
    Some(match color {
        ColorType::L8 => (SampleType::U8, 1),
        ColorType::La8 => (SampleType::U8, 2),
        ColorType::Rgb8 => (SampleType::U8, 3),
        ColorType::Rgba8 => (SampleType::U8, 4),
        ColorType::L16 => (SampleType::U16, 1),
        ColorType::La16 => (SampleType::U16, 2),
        ColorType::Rgb16 => (SampleType::U16, 3),
        ColorType::Rgba16 => (SampleType::U16, 4),
        _ => return None,
    })
}

fn damaged(format: Format, limits: &Limits, source: ::image::ImageError) -> ImagingError {
    match source {
        ::image::ImageError::Limits(_) => ImagingError::DecoderMemory { format, limit: limits.decoded_bytes },
        source => ImagingError::Damaged { format, source },
    }
}

/// Returns the image as a file from which [`decode`](super::decode) gives equal samples: layout
/// `pixels` of `FORMAT.md`, section 3.
///
/// PNG holds one slice of 1 to 4 channels, TIFF of 1, 3 or 4, both 8 or 16 bits unsigned. Planes
/// become pixels and the byte order the format's own; bits stored are not kept.
///
/// # Errors
/// [`ImagingError::NotExpressible`] for everything else.
pub fn encode(image: &Image, format: Format) -> Result<Vec<u8>, ImagingError> {
    let not = |what: String| ImagingError::NotExpressible { format, what };
    let Geometry { depth, height, width, channels } = image.geometry();
    if !matches!(format, Format::Png | Format::Tiff) {
        return Err(not("decoded samples, only PNG and TIFF are written".to_owned()));
    }
    if depth != 1 {
        return Err(not(format!("{depth} slices")));
    }
    let color = match (image.sample_type(), channels) {
        (SampleType::U8, 1) => ExtendedColorType::L8,
        (SampleType::U8, 2) if format == Format::Png => ExtendedColorType::La8,
        (SampleType::U8, 3) => ExtendedColorType::Rgb8,
        (SampleType::U8, 4) => ExtendedColorType::Rgba8,
        (SampleType::U16, 1) => ExtendedColorType::L16,
        (SampleType::U16, 2) if format == Format::Png => ExtendedColorType::La16,
        (SampleType::U16, 3) => ExtendedColorType::Rgb16,
        (SampleType::U16, 4) => ExtendedColorType::Rgba16,
        (other, channels) => return Err(not(format!("{channels} channels of {}", other.name()))),
    };
    let mut samples = zeroize::Zeroizing::new(Vec::with_capacity(image.samples().len()));
    for bits in image.canonical_bits() {
        #[allow(clippy::cast_possible_truncation)] // to the sample's own width
        match image.sample_type() {
            SampleType::U8 => samples.push(bits as u8),
            _ => samples.extend_from_slice(&(bits as u16).to_ne_bytes()),
        }
    }
    door::enter(format, || {
        let mut file = Cursor::new(Vec::new());
        match format {
            Format::Png => PngEncoder::new(&mut file).write_image(&samples, width, height, color),
            _ => TiffEncoder::new(&mut file).write_image(&samples, width, height, color),
        }
        .map_err(|source| ImagingError::Encode { format, source })?;
        Ok(file.into_inner())
    })
}

#[cfg(test)]
mod tests;
