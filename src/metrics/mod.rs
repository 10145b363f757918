//! Measures of section 5.3: how random a ciphertext looks, how far it is from its image, how
//! exactly an image came back.
//!
//! | paper | here |
//! | --- | --- |
//! | eq. (11) entropy | [`entropy`] |
//! | eq. (12) NPCR, eq. (13) UACI | [`differential`] |
//! | correlation of adjacent pixels | [`correlation`] |
//! | MSE, PSNR, SSIM, NC | [`quality`] |
//! | 4.2.1, what the keys are worth | [`KeyBits`], [`Differences`] |
//!
//! Time, eq. (14), is not measured here: [`crate::pipeline::Timings`].
//!
//! A plain sample is its number; a ciphertext sample is its bits, read as an unsigned integer
//! ([`cipher_image`]). Each measure of a ciphertext comes with what an ideal cipher gives *for that
//! many samples of that depth* and a band around it. The bands are two-sided: a value can be too
//! good. An ideal cipher leaves a band about once in 16,000 measurements.
//!
//! DIFFERENCE: the paper ranks by "higher is better" and gives an entropy of 16.99 and a UACI of
//! 39.49 %. Entropy cannot exceed `min(log2 L, log2 N)` for N symbols over L values, and a UACI
//! away from 33.3-33.5 % is a defect on either side.

mod bits;
pub mod chance;
pub mod correlation;
mod differences;
pub mod differential;
pub mod entropy;
mod measurement;
pub mod quality;
pub mod report;
mod samples;
mod ssim;

pub use bits::KeyBits;
pub use chance::Expectation;
pub use differences::Differences;
pub use measurement::{BandVerdict, Measurement};
pub use samples::cipher_image;
pub(crate) use samples::slice_planes;

use crate::imaging::Geometry;

/// Why two things cannot be measured against each other.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricsError {
    /// Two images of different size.
    #[error("expected two images of one size, found {first:?} and {second:?}")]
    Geometry {
        /// Size of the first.
        first: Geometry,
        /// Size of the second.
        second: Geometry,
    },
    /// Two images with samples of different width.
    #[error("expected samples of one width, found {first} and {second} bytes")]
    SampleWidths {
        /// Bytes of a sample of the first.
        first: usize,
        /// Bytes of a sample of the second.
        second: usize,
    },
    /// Two runs of bytes of different length.
    #[error("expected as many bytes in both, found {first} and {second}")]
    Lengths {
        /// Bytes of the first.
        first: usize,
        /// Bytes of the second.
        second: usize,
    },
    /// Bytes that are not a whole number, at least 1, of samples of 1, 2, 4 or 8 bytes.
    #[error("{bytes} bytes are not samples of {sample_bytes} bytes")]
    Samples {
        /// How many bytes there are.
        bytes: usize,
        /// Bytes of a sample.
        sample_bytes: usize,
    },
}
