//! The sealed image and its key capsules (`FORMAT.md`).
#![doc = include_str!("FORMAT.md")]

mod context;

pub use context::{ImageContext, SUITE, image_id};
