//! The formats of a sealed image, its key capsules and an anchor's list of leaves (`FORMAT.md`).
#![doc = include_str!("FORMAT.md")]

pub mod capsules;
mod context;
mod description;
mod error;
pub mod header;
pub mod leaves;
mod padme;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use context::{ImageContext, image_id, signing_domain};
pub use description::{BYTES_FRAME, Description, Layout, Shape};
pub use error::EnvelopeError;
pub use header::PublicHeader;
pub use read::{Opened, SealedImage};
pub use write::{Sealing, frames, seal};
