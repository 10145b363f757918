//! Reads a file for sealing: what is in it, and where its samples are.

use std::ops::Range;

use super::{
    Format, Image, ImagingError, Limits, WholeReason,
    detect::{detect, dicom_meta_offset},
    dicom::{self, Found},
    door, raster,
};

/// How a file is cut before it is sealed (`FORMAT.md`, section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// Layout `spliced`: `file == head || samples || tail`, and here are the samples: exactly
    /// `D * H * W * C * bytes of a sample`.
    Samples(Range<usize>),
    /// Layout `bytes`: the file as it is.
    Whole(WholeReason),
}

/// What was found in a file. It holds a copy of the samples, not the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    format: Format,
    image: Option<Image>,
    split: Split,
}

impl Scan {
    /// Returns the scan of a file that is not decoded: no image, plain bytes. No limit is checked.
    ///
    /// # Errors
    /// [`ImagingError::Empty`].
    pub fn raw(bytes: &[u8]) -> Result<Self, ImagingError> {
        if bytes.is_empty() {
            return Err(ImagingError::Empty);
        }
        Ok(Self::whole(detect(bytes), None, WholeReason::AskedFor))
    }

    /// The format by its magic number; for [`Scan::raw`] nothing more was checked.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The decoded image, of all samples in the file; none for plain bytes.
    pub fn image(&self) -> Option<&Image> {
        self.image.as_ref()
    }

    /// Returns the decoded image by value.
    pub fn into_image(self) -> Option<Image> {
        self.image
    }

    /// How the file is cut.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// Returns head, samples and tail of the `file` that this is the scan of; for a file sealed
    /// whole, all of it stands in the middle.
    ///
    /// # Panics
    /// If `file` is shorter than the file that was decoded.
    pub fn parts<'a>(&self, file: &'a [u8]) -> (&'a [u8], &'a [u8], &'a [u8]) {
        let samples = match &self.split {
            Split::Samples(range) => range.clone(),
            Split::Whole(_) => 0..file.len(),
        };
        (&file[..samples.start], &file[samples.clone()], &file[samples.end..])
    }

    fn whole(format: Format, image: Option<Image>, reason: WholeReason) -> Self {
        Self { format, image, split: Split::Whole(reason) }
    }
}

/// Returns what is in the file `bytes`, told by its content alone.
///
/// - DICOM without compression: the image, and [`Split::Samples`]. Other DICOM: plain bytes, with
///   the reason.
/// - PNG and TIFF, 8 and 16 bits, grey, grey and alpha, RGB, RGBA: the image, interleaved and
///   little-endian, and plain bytes. In PNG palettes are expanded to RGB, transparent colours to
///   alpha, and 1, 2 and 4 bits to 8. TIFF of other kinds (palettes, floats, signed, CMYK) and of
///   several pages, and animated PNG, are plain bytes without an image.
/// - Everything else: plain bytes, without an image.
///
/// # Errors
/// [`ImagingError`] for an empty file, one above the limits, a DICOM or TIFF file that is cut
/// short, and a damaged PNG file: [`Scan::raw`] is the way to seal those. A DICOM or TIFF file that
/// holds all it names and is wrong in another way is plain bytes, with a
/// [reason](WholeReason::is_damage).
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Scan, ImagingError> {
    if bytes.is_empty() {
        return Err(ImagingError::Empty);
    }
    let (found, limit) = (bytes.len() as u64, limits.file_bytes);
    if found > limit {
        return Err(ImagingError::FileTooLarge { found, limit });
    }
    let format = detect(bytes);
    door::enter(format, || decode_as(format, bytes, limits))
}

fn decode_as(format: Format, bytes: &[u8], limits: &Limits) -> Result<Scan, ImagingError> {
    match (format, dicom_meta_offset(bytes)) {
        (_, Some(meta)) => Ok(match dicom::read(bytes, meta, limits)? {
            Found::Open(image, samples) => Scan { format, image: Some(image), split: Split::Samples(samples) },
            Found::Decoded(image, reason) => Scan::whole(format, Some(image), reason),
            Found::Nothing(reason) => Scan::whole(format, None, reason),
        }),
        (Format::Png, _) => raster::decode_png(bytes, limits).map(|(image, reason)| Scan::whole(format, image, reason)),
        (Format::Tiff, _) => {
            raster::decode_tiff(bytes, limits).map(|(image, reason)| Scan::whole(format, image, reason))
        }
        (Format::Unknown, _) => Ok(Scan::whole(format, None, WholeReason::UnknownFormat)),
        _ => Ok(Scan::whole(format, None, WholeReason::NotDecoded)),
    }
}

#[cfg(test)]
mod tests;
