//! Files and images: bytes in, [`Image`] and what rebuilds the file out.
//!
//! [`decode`] tells by content what a file is and how it may be cut; [`Scan::raw`] looks at
//! nothing; [`encode`] writes decoded samples as a file again. Everything here is a pure function
//! of bytes.

mod detect;
mod dicom;
mod door;
mod error;
mod image;
mod limits;
mod phantom;
mod preview;
mod raster;
mod reason;
mod samples;
mod scan;

pub use dicom::DicomError;
pub use error::ImagingError;
pub use image::{ByteOrder, ChannelOrder, Format, Geometry, Image, ImageError, SampleType};
pub use limits::Limits;
pub use phantom::phantom;
pub use preview::{GrayPreview, preview};
pub use raster::encode;
pub use reason::WholeReason;
pub use scan::{Scan, Split, decode};
