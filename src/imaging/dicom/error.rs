//! What can be wrong with a DICOM file. No value of an element is ever shown: it may name a
//! patient.

use dicom_core::Tag;

/// What is wrong with a DICOM file. One that is cut short is refused; the others are sealed as
/// plain bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DicomError {
    /// The file ends inside an element's header, or inside a sequence of undefined length.
    #[error("cut short: the file ends at byte {offset}, where an element was expected")]
    CutShort {
        /// The file's length.
        offset: usize,
    },
    /// An element claims more bytes than the file has.
    #[error("element {tag} at byte {offset} claims {length} bytes, {left} are left in the file")]
    ElementLength {
        /// The element, or the item delimiter.
        tag: Tag,
        /// Where its value begins.
        offset: usize,
        /// What its header says.
        length: u32,
        /// What there is.
        left: usize,
    },
    /// Sequences stand inside sequences, deeper than the limit.
    #[error("sequences nested deeper than {limit} at byte {offset}")]
    Nesting {
        /// Where the innermost one begins.
        offset: usize,
        /// [`Limits::nesting`](crate::imaging::Limits).
        limit: usize,
    },
    /// Something else stands where an item or a delimiter should, or the other way round.
    #[error("expected {expected} at byte {offset}")]
    Delimiter {
        /// What belongs there.
        expected: &'static str,
        /// Where it belongs.
        offset: usize,
    },
    /// No element (0002,0010): nobody can tell how the data set is encoded.
    #[error("the file does not name its transfer syntax")]
    NoTransferSyntax,
    /// An element that decides what the samples mean is there twice.
    #[error("element {tag} is there twice, the second time at byte {offset}")]
    Duplicate {
        /// The element.
        tag: Tag,
        /// Where the second value begins.
        offset: usize,
    },
    /// Something that does not belong there follows the pixel data: remains of another file, or
    /// padding.
    #[error("element {tag} at byte {offset} cannot follow the pixel data")]
    AfterPixels {
        /// What was read there.
        tag: Tag,
        /// Where it begins.
        offset: usize,
    },
    /// A few bytes follow the pixel data, too few for an element.
    #[error("{bytes} bytes at byte {offset}, behind the last element, are none")]
    Remains {
        /// Where they begin.
        offset: usize,
        /// How many they are.
        bytes: usize,
    },
    /// An element is absent that the pixel data need.
    #[error("{name} {tag} is missing")]
    Missing {
        /// The element.
        tag: Tag,
        /// Its name.
        name: &'static str,
    },
    /// An element's value has the wrong type or length.
    #[error("{name} {tag} is not {expected}")]
    Type {
        /// The element.
        tag: Tag,
        /// Its name.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// An element's number is impossible.
    #[error("{name} {tag} is {found}, expected {expected}")]
    Value {
        /// The element.
        tag: Tag,
        /// Its name.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: u32,
    },
    /// The pixel data are shorter than rows, columns, frames and bits ask for.
    #[error("expected {expected} bytes of pixel data, found {found}")]
    PixelLength {
        /// D * H * W * C * bytes of a sample; fewer where colour is subsampled.
        expected: u64,
        /// The element's length.
        found: u64,
    },
    /// Pixel data of undefined length, though the transfer syntax does not compress.
    #[error("the pixel data have no length, though the transfer syntax does not compress them")]
    PixelsUndefined,
    /// Rows, columns and bits are there, the pixel data they describe are not.
    #[error("the pixel data are missing, though rows, columns and bits describe them")]
    PixelsMissing,
}

impl DicomError {
    /// Whether bytes are missing that the file says it has: no reader can make up for them.
    pub fn is_cut_short(&self) -> bool {
        matches!(self, Self::CutShort { .. } | Self::ElementLength { .. } | Self::PixelLength { .. })
    }
}
