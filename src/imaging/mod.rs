//! Files and images: bytes in, [`Image`] and what rebuilds the file out.

mod image;

pub use image::{ByteOrder, ChannelOrder, Format, Geometry, Image, ImageError, SampleType};
