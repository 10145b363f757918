//! The sealed image and its key capsules (`FORMAT.md`).
#![doc = include_str!("FORMAT.md")]

pub mod capsules;
mod context;
mod error;
pub mod header;

pub use context::{ImageContext, SUITE, image_id};
pub use error::EnvelopeError;
pub use header::PublicHeader;
