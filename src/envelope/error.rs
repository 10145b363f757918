//! Why bytes are not a sealed image, or not one that this key opens.

use alloy::primitives::B256;

/// What is wrong with a sealed image: the names and the order of `FORMAT.md`, sections 2 and 3.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The first bytes are not the magic.
    #[error("not a sealed image: it does not begin with the magic bytes")]
    BadMagic,
    /// The bytes end too early.
    #[error("the sealed image is cut short: expected {expected} bytes, found {found}")]
    Truncated {
        /// Bytes needed, as far as known here.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Another version of the format.
    #[error("expected format version {expected}, found {found}")]
    UnsupportedVersion {
        /// The version that this program reads.
        expected: u16,
        /// The version of the bytes.
        found: u16,
    },
    /// Another cipher suite.
    #[error("expected cipher suite {expected}, found {found}")]
    UnsupportedSuite {
        /// The suite that this program knows.
        expected: u16,
        /// The suite of the bytes.
        found: u16,
    },
    /// A header length outside its limits, or one that the frame count contradicts.
    #[error("the header length is {found}, expected {}", expected_length(.expected))]
    HeaderLength {
        /// The header length in the bytes.
        found: u32,
        /// The length that the frame count asks for; none where the length is outside every limit.
        expected: Option<u32>,
    },
    /// A frame count outside its limits.
    #[error("expected 2 to 1048577 frames, found {found}")]
    FrameCount {
        /// The frame count.
        found: u64,
    },
    /// A frame length outside its limits.
    #[error("expected a frame of 17 to 2147483664 bytes, found frame {frame} of {found}")]
    FrameLength {
        /// Index of the frame.
        frame: u64,
        /// Its length in bytes.
        found: u64,
    },
    /// The image id is not that of chain, registry, sender and salt.
    #[error("the image id does not belong to chain, registry, sender and salt: expected {expected}, found {found}")]
    ImageIdMismatch {
        /// The id that they give.
        expected: B256,
        /// The id in the header.
        found: B256,
    },
    /// Bytes follow the last frame.
    #[error("bytes follow the last frame: expected {expected} bytes, found {found}")]
    TrailingBytes {
        /// Bytes that the header accounts for.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The image key does not give the header's key commitment.
    #[error("the image key is not the one that the header commits to")]
    WrongKey,
    /// A frame was changed, or moved, or made with another key.
    #[error("frame {frame} is not authentic")]
    FrameNotAuthentic {
        /// Index of the frame.
        frame: u64,
    },
    /// The description ends inside one of its fields.
    #[error("the encrypted description is cut short in `{field}`")]
    DescriptionTruncated {
        /// Name of the field.
        field: &'static str,
    },
    /// A field of the description has a value that it cannot have.
    #[error("the encrypted description has no valid `{field}`: found {found}")]
    DescriptionField {
        /// Name of the field.
        field: &'static str,
        /// Its value; a length for text.
        found: u64,
    },
    /// The description's length is not the padded length of its content.
    #[error("the encrypted description is padded to the wrong length: expected {expected} bytes, found {found}")]
    PaddingLength {
        /// `padme` of the content's length.
        expected: u64,
        /// Length of the plaintext.
        found: u64,
    },
    /// Padding holds something.
    #[error("the padding of frame {frame} is not zero at byte {offset}")]
    PaddingNotZero {
        /// Index of the frame.
        frame: u64,
        /// Offset of the first such byte in the frame's plaintext.
        offset: u64,
    },
    /// The frame table is not the one that the layout asks for.
    #[error("the frame table does not fit the layout: {what}, expected {expected}, found {found}")]
    FrameTable {
        /// What differs: the frame count or a frame's length.
        what: &'static str,
        /// What the layout asks for.
        expected: u64,
        /// What the header says.
        found: u64,
    },
}

/// Says which header length was expected.
fn expected_length(expected: &Option<u32>) -> String {
    expected.map_or_else(|| "198 to 8388798".to_owned(), |length| length.to_string())
}
