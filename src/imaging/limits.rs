//! Limits on what a file may make the decoder allocate.

use super::{Geometry, ImagingError, SampleType};

/// Upper bounds that [`decode`](super::decode) checks before it allocates. All arithmetic is 64-bit
/// and checked.
///
/// Only `slice_bytes` and `depth` come from `FORMAT.md` (a frame's length, the number of frames);
/// the others bound memory and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file: 4 GiB.
    pub file_bytes: u64,
    /// Bytes of all samples of an image: 2 GiB.
    pub samples_bytes: u64,
    /// Bytes of one slice: 2^31, what one frame of a sealed image holds.
    pub slice_bytes: u64,
    /// Slices: 2^20, as many frames as a sealed image has beside frame 0.
    pub depth: u32,
    /// Bytes that decoding a compressed file may take, its samples included: 1 GiB.
    pub decoded_bytes: u64,
    /// Sequences inside sequences of a DICOM file: 64.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 4 << 30,
            samples_bytes: 2 << 30,
            slice_bytes: 1 << 31,
            depth: 1 << 20,
            decoded_bytes: 1 << 30,
            nesting: 64,
        }
    }
}

impl Limits {
    /// Returns the bytes of all samples of such an image, if they are within the limits.
    pub(super) fn check(&self, geometry: Geometry, sample_type: SampleType) -> Result<u64, ImagingError> {
        let width = sample_type.bytes() as u64;
        let bytes = |samples: Option<u64>| samples.and_then(|n| n.checked_mul(width)).unwrap_or(u64::MAX);
        check("slices", u64::from(geometry.depth), u64::from(self.depth))?;
        check("bytes of a slice", bytes(geometry.slice_samples()), self.slice_bytes)?;
        check("bytes of samples", bytes(geometry.samples()), self.samples_bytes)
    }
}

/// Returns `found`, or [`ImagingError::TooLarge`] above `limit`.
pub(super) fn check(what: &'static str, found: u64, limit: u64) -> Result<u64, ImagingError> {
    if found > limit { Err(ImagingError::TooLarge { what, found, limit }) } else { Ok(found) }
}
