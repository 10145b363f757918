//! An image, independent of its file format.

use zeroize::Zeroizing;

/// Size of an image: `(D, H, W, C)`, each at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// D: slices, or frames of a multi-frame file.
    pub depth: u32,
    /// H: rows of a slice.
    pub height: u32,
    /// W: columns of a slice.
    pub width: u32,
    /// C: samples of a pixel.
    pub channels: u16,
}

impl Geometry {
    /// Samples of one slice, `H * W * C`; `None` above 2^64 - 1.
    pub fn slice_samples(&self) -> Option<u64> {
        u64::from(self.height).checked_mul(u64::from(self.width))?.checked_mul(u64::from(self.channels))
    }

    /// Samples of the image, `D * H * W * C`; `None` above 2^64 - 1.
    pub fn samples(&self) -> Option<u64> {
        self.slice_samples()?.checked_mul(u64::from(self.depth))
    }
}

/// How a sample is stored. The discriminants are the codes of `FORMAT.md`, section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // the names say it all
pub enum SampleType {
    U8 = 1,
    I8 = 2,
    U16 = 3,
    I16 = 4,
    U32 = 5,
    I32 = 6,
    F32 = 7,
    U64 = 8,
    I64 = 9,
    F64 = 10,
}

impl SampleType {
    /// Every sample type, in the order of its code.
    pub const ALL: [Self; 10] =
        [Self::U8, Self::I8, Self::U16, Self::I16, Self::U32, Self::I32, Self::F32, Self::U64, Self::I64, Self::F64];

    /// Bytes of one sample: 1, 2, 4 or 8.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// The code of `FORMAT.md`, section 3.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The type with this code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|sample_type| sample_type.code() == code)
    }

    /// Lower-case name: `u8`, `i16`, `f32`, ...
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }
}

/// Byte order of samples wider than one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ByteOrder {
    /// Least significant byte first; also said of one-byte samples.
    Little = 0,
    /// Most significant byte first.
    Big = 1,
}

impl ByteOrder {
    /// One sample of 1, 2, 4 or 8 bytes as an unsigned integer.
    pub(super) fn bits(self, sample: &[u8]) -> u64 {
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        match self {
            Self::Little => sample.iter().rev().fold(0, fold),
            Self::Big => sample.iter().fold(0, fold),
        }
    }
}

/// Order of the channels inside a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ChannelOrder {
    /// `(H, W, C)`: the samples of a pixel stand together; also said of one channel.
    Interleaved = 0,
    /// `(C, H, W)`: one plane after the other.
    Planar = 1,
}

/// A file format, told by the file's content. The discriminants are the codes of `FORMAT.md`,
/// section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // the names say it all
pub enum Format {
    Unknown = 0,
    Dicom = 1,
    Png = 2,
    Tiff = 3,
    Nifti = 4,
    Jpeg = 5,
    Matlab = 6,
}

impl Format {
    /// Every format, in the order of its code.
    pub const ALL: [Self; 7] =
        [Self::Unknown, Self::Dicom, Self::Png, Self::Tiff, Self::Nifti, Self::Jpeg, Self::Matlab];

    /// The format with this code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|format| *format as u8 == code)
    }
}

/// The name that people use.
impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Dicom => "DICOM",
            Self::Png => "PNG",
            Self::Tiff => "TIFF",
            Self::Nifti => "NIfTI",
            Self::Jpeg => "JPEG",
            Self::Matlab => "MATLAB",
        })
    }
}

/// Why samples are not an image.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// A size of 0, or more samples than 64 bits count.
    #[error("impossible image size {0:?}")]
    Size(Geometry),
    /// The samples are fewer or more than the geometry says.
    #[error("expected {expected} bytes of samples, found {found}")]
    SampleBytes {
        /// `D * H * W * C * bytes of a sample`.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// Significant bits outside `1 ..= 8 * bytes of a sample`.
    #[error("{bits} significant bits in samples of {bytes} bytes")]
    BitsStored {
        /// What was claimed.
        bits: u8,
        /// Bytes of a sample.
        bytes: usize,
    },
}

/// An image: samples as they stand in the file, which are wiped when it is dropped, and how to read
/// them.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    geometry: Geometry,
    sample_type: SampleType,
    byte_order: ByteOrder,
    channel_order: ChannelOrder,
    bits_stored: u8,
    samples: Zeroizing<Vec<u8>>,
}

/// Says what the image is, never its pixels.
impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Geometry { depth, height, width, channels } = self.geometry;
        write!(f, "Image({depth}x{height}x{width}x{channels} {})", self.sample_type.name())
    }
}

impl Image {
    /// Returns the image made of `samples`, the bytes of `D` slices one after the other.
    ///
    /// One-byte samples get [`ByteOrder::Little`] and a single channel gets
    /// [`ChannelOrder::Interleaved`], whatever is asked for.
    ///
    /// # Errors
    /// [`ImageError`] if a size is 0, the bytes are not as many as the geometry says, or
    /// `bits_stored` does not fit.
    pub fn new(
        geometry: Geometry,
        sample_type: SampleType,
        byte_order: ByteOrder,
        channel_order: ChannelOrder,
        bits_stored: u8,
        samples: Vec<u8>,
    ) -> Result<Self, ImageError> {
        let samples = Zeroizing::new(samples);
        let expected = geometry
            .samples()
            .filter(|samples| *samples > 0)
            .and_then(|samples| samples.checked_mul(sample_type.bytes() as u64))
            .ok_or(ImageError::Size(geometry))?;
        if expected != samples.len() as u64 {
            return Err(ImageError::SampleBytes { expected, found: samples.len() as u64 });
        }
        if bits_stored == 0 || usize::from(bits_stored) > 8 * sample_type.bytes() {
            return Err(ImageError::BitsStored { bits: bits_stored, bytes: sample_type.bytes() });
        }
        let byte_order = if sample_type.bytes() == 1 { ByteOrder::Little } else { byte_order };
        let channel_order = if geometry.channels == 1 { ChannelOrder::Interleaved } else { channel_order };
        Ok(Self { geometry, sample_type, byte_order, channel_order, bits_stored, samples })
    }

    /// `(D, H, W, C)`.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// How a sample is stored.
    pub fn sample_type(&self) -> SampleType {
        self.sample_type
    }

    /// Byte order of the samples.
    pub fn byte_order(&self) -> ByteOrder {
        self.byte_order
    }

    /// Order of the channels inside a slice.
    pub fn channel_order(&self) -> ChannelOrder {
        self.channel_order
    }

    /// Significant bits of a sample.
    pub fn bits_stored(&self) -> u8 {
        self.bits_stored
    }

    /// The samples as they stand in the file.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// The samples as they stand in the file, to be changed; there stay as many.
    pub(crate) fn samples_mut(&mut self) -> &mut [u8] {
        &mut self.samples
    }

    /// Bytes of one slice.
    pub fn slice_bytes(&self) -> usize {
        self.samples.len() / self.geometry.depth as usize
    }

    /// The bits of the sample at slice `d`, row `y`, column `x`, channel `c`, as an unsigned
    /// integer (`FORMAT.md`, section 4.1).
    ///
    /// # Panics
    /// Outside the geometry.
    pub fn sample_bits(&self, d: usize, y: usize, x: usize, c: usize) -> u64 {
        let (height, width) = (self.geometry.height as usize, self.geometry.width as usize);
        let channels = usize::from(self.geometry.channels);
        let in_slice = match self.channel_order {
            ChannelOrder::Interleaved => (y * width + x) * channels + c,
            ChannelOrder::Planar => (c * height + y) * width + x,
        };
        let bytes = self.sample_type.bytes();
        let start = d * self.slice_bytes() + in_slice * bytes;
        self.byte_order.bits(&self.samples[start..start + bytes])
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn samples_are_wiped() {
        fn is_wiped(_: &impl zeroize::ZeroizeOnDrop) {}
        is_wiped(&crate::imaging::phantom(9, 9, 8, 1).samples);
    }
}
