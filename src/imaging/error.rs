//! What can be wrong with a file.

use super::{DicomError, Format, ImageError, WholeReason};

/// Why a file is refused, or an image cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImagingError {
    /// There is nothing to seal.
    #[error("the file is empty")]
    Empty,
    /// A size is above its limit; nothing was allocated for it.
    #[error("too large: {found} {what}, at most {limit}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// What the file says; `u64::MAX` where 64 bits do not count it.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// The file is larger than any that is sealed, in whatever form.
    #[error("the file has {found} bytes, at most {limit} are sealed")]
    FileTooLarge {
        /// Its bytes.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// A DICOM file is damaged or contradicts itself.
    #[error("the DICOM file is damaged")]
    Dicom(#[from] DicomError),
    /// A PNG or TIFF file is damaged.
    #[error("the {format} file is damaged")]
    Damaged {
        /// The format by its magic number.
        format: Format,
        /// What the decoder says.
        source: ::image::ImageError,
    },
    /// A PNG file ends before its last chunk, a TIFF file before a strip or directory that it
    /// names.
    #[error("the {format} file is cut short")]
    CutShort {
        /// The format by its magic number.
        format: Format,
    },
    /// The decoder panicked: a defect of its own, whatever the file holds.
    #[error("the {format} decoder failed: {panic}")]
    DecoderFailed {
        /// The format by its magic number.
        format: Format,
        /// What it said.
        panic: String,
    },
    /// The file would be sealed as plain bytes because of damage, and that was not wanted.
    #[error("the {format} file is not as it should be: {reason}")]
    NotAsItShould {
        /// The format by its magic number.
        format: Format,
        /// What is wrong with it.
        reason: WholeReason,
    },
    /// The decoder would need more memory than [`Limits::decoded_bytes`](super::Limits).
    #[error("decoding the {format} file takes more than {limit} bytes")]
    DecoderMemory {
        /// The format by its magic number.
        format: Format,
        /// The limit in bytes.
        limit: u64,
    },
    /// The samples do not make an image.
    #[error("the samples do not make an image")]
    Image(#[from] ImageError),
    /// The image cannot be written in this format without loss.
    #[error("{format} cannot hold {what}")]
    NotExpressible {
        /// The format asked for.
        format: Format,
        /// What it cannot hold.
        what: String,
    },
    /// The encoder failed.
    #[error("cannot write {format}")]
    Encode {
        /// The format asked for.
        format: Format,
        /// What the encoder says.
        source: ::image::ImageError,
    },
}
