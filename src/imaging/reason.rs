//! Why a file is not split.

use std::fmt;

use super::DicomError;

/// Why a file is sealed as its bytes, not slice by slice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WholeReason {
    /// The caller asked for it.
    AskedFor,
    /// No format that we know.
    UnknownFormat,
    /// A format that is recognised, but not decoded.
    NotDecoded,
    /// The samples are compressed.
    Compressed,
    /// A TIFF file: its samples may stand in strips, tiles and any order.
    Strips,
    /// The whole DICOM data set is compressed; damage inside goes unnoticed.
    Deflated,
    /// A DICOM transfer syntax that is not in the registry; damage inside goes unnoticed.
    UnknownTransferSyntax,
    /// A DICOM file without pixel data: a report, a plan.
    NoPixels,
    /// Samples of one bit: a DICOM mask.
    BitPacked,
    /// Colour with fewer samples than pixels.
    Subsampled,
    /// Big-endian 8-bit samples in words of 16 bits: they do not stand one after the other.
    SwappedBytes,
    /// An animated PNG.
    Animation,
    /// A TIFF file of several pages, in directories of their own or as a stack in one.
    Pages,
    /// PNG or TIFF of a kind that is not decoded: palettes, floats and signed samples in TIFF,
    /// CMYK, compressions.
    UnsupportedKind,
    /// A DICOM file that is not cut short, and yet not as the standard says.
    Nonconforming(DicomError),
    /// A TIFF file that holds all bytes it names, and the decoder gives no samples of it.
    Undecodable(String),
}

impl WholeReason {
    /// Whether the file is damaged, or may be: everything that was looked for is there, but not as
    /// it should be.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Nonconforming(_) | Self::Undecodable(_))
    }
}

/// Says it in a few words, as the end of "sealed as plain bytes: ...".
impl fmt::Display for WholeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AskedFor => "as asked for",
            Self::UnknownFormat => "the format is not known",
            Self::NotDecoded => "this format is not decoded",
            Self::Compressed => "its samples are compressed",
            Self::Strips => "its samples stand in strips or tiles",
            Self::Deflated => "the data set is compressed as a whole, and was not checked",
            Self::UnknownTransferSyntax => "the transfer syntax is not known, and the data set was not checked",
            Self::NoPixels => "there are no pixel data in it",
            Self::BitPacked => "its samples are single bits",
            Self::Subsampled => "its colour is subsampled",
            Self::SwappedBytes => "its samples are swapped in 16-bit words",
            Self::Animation => "it is an animation",
            Self::Pages => "it has several pages",
            Self::UnsupportedKind => "this kind of samples is not decoded",
            Self::Nonconforming(error) => return write!(f, "it is not as DICOM asks for: {error}"),
            Self::Undecodable(why) => return write!(f, "its samples were not decoded: {why}"),
        })
    }
}
