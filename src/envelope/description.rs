//! Frame 0: what the sealed bytes are and how the file is rebuilt from them (`FORMAT.md`, section
//! 3).

use super::EnvelopeError;
use super::padme::padme;
use crate::imaging::{ByteOrder, ChannelOrder, Format, Geometry, Image, SampleType};
use zeroize::Zeroizing;

/// Bytes of a frame of plain bytes.
pub const BYTES_FRAME: u64 = 1 << 20;
const NAME_BYTES_MAX: usize = 1024;

/// How samples are arranged: all of an [`Image`] but the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// `(D, H, W, C)`.
    pub geometry: Geometry,
    /// How a sample is stored.
    pub sample_type: SampleType,
    /// Byte order of the samples.
    pub byte_order: ByteOrder,
    /// Order of the channels inside a slice.
    pub channel_order: ChannelOrder,
    /// Significant bits of a sample.
    pub bits_stored: u8,
}

impl From<&Image> for Shape {
    fn from(image: &Image) -> Self {
        Self {
            geometry: image.geometry(),
            sample_type: image.sample_type(),
            byte_order: image.byte_order(),
            channel_order: image.channel_order(),
            bits_stored: image.bits_stored(),
        }
    }
}

impl Shape {
    /// Bytes of all samples; `None` above 2^64 - 1.
    fn payload_bytes(&self) -> Option<u64> {
        self.geometry.samples()?.checked_mul(self.sample_type.bytes() as u64)
    }
}

/// What stands in frames 1 and up.
#[derive(Clone, PartialEq, Eq)]
pub enum Layout {
    /// A file as it is, in frames of 1 MiB.
    Bytes {
        /// Its length, at least 1.
        length: u64,
    },
    /// The samples of a file in which they lie open, a slice in a frame: file = head, samples,
    /// tail.
    Spliced {
        /// How the samples are arranged.
        shape: Shape,
        /// The file before the samples.
        head: Zeroizing<Vec<u8>>,
        /// The file behind them.
        tail: Zeroizing<Vec<u8>>,
    },
    /// Samples that were decoded, a slice in a frame; opening encodes them again without loss.
    Pixels {
        /// How the samples are arranged: little-endian, interleaved.
        shape: Shape,
    },
}

/// The encrypted description of a sealed image.
#[derive(Clone, PartialEq, Eq)]
pub struct Description {
    /// Format of the file.
    pub format: Format,
    /// Name of the file: for display, escaped; never a path.
    pub file_name: String,
    /// What stands in the frames.
    pub layout: Layout,
}

/// Says what kind of file it is; never its name or its bytes.
impl std::fmt::Debug for Description {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Description({:?}, {} bytes)", self.format, self.payload_bytes())
    }
}

impl Description {
    /// Bytes of the payload, without padding.
    pub fn payload_bytes(&self) -> u64 {
        match &self.layout {
            Layout::Bytes { length } => *length,
            Layout::Spliced { shape, .. } | Layout::Pixels { shape } => shape.payload_bytes().unwrap_or(u64::MAX),
        }
    }

    /// Bytes of a sample, as confusion moves them: 1, 2, 4 or 8.
    pub fn sample_bytes(&self) -> usize {
        self.shape().map_or(1, |shape| shape.sample_type.bytes())
    }

    /// How the samples are arranged, where there are samples.
    pub fn shape(&self) -> Option<&Shape> {
        match &self.layout {
            Layout::Bytes { .. } => None,
            Layout::Spliced { shape, .. } | Layout::Pixels { shape } => Some(shape),
        }
    }

    /// Bytes of each frame from frame 1 on, padding included:
    /// `(of each but the last, of the last, how many)`.
    pub(super) fn frame_plan(&self) -> (u64, u64, u64) {
        match self.shape() {
            None => {
                let length = self.payload_bytes();
                let rest = (length - 1) % BYTES_FRAME + 1;
                (BYTES_FRAME, padme(rest), length.div_ceil(BYTES_FRAME))
            }
            Some(shape) => {
                let slices = u64::from(shape.geometry.depth);
                let slice = self.payload_bytes() / slices;
                (slice, slice, slices)
            }
        }
    }

    /// The plaintext of frame 0, padded.
    pub(super) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let name = self.file_name.as_bytes();
        if name.len() > NAME_BYTES_MAX {
            return Err(field("file name", name.len() as u64));
        }
        let (layout, head, tail): (u8, &[u8], &[u8]) = match &self.layout {
            Layout::Bytes { .. } => (0, &[], &[]),
            Layout::Spliced { head, tail, .. } => (1, head, tail),
            Layout::Pixels { .. } => (2, &[], &[]),
        };
        let mut out = Zeroizing::new(Vec::with_capacity(64 + name.len() + head.len() + tail.len()));
        out.extend([layout, self.format as u8]);
        match self.shape() {
            None => out.extend([0; 18]),
            Some(shape) => {
                out.extend([shape.sample_type.code(), shape.byte_order as u8, shape.channel_order as u8]);
                out.push(shape.bits_stored);
                let Geometry { depth, height, width, channels } = shape.geometry;
                [depth, height, width].iter().for_each(|size| out.extend(size.to_be_bytes()));
                out.extend(channels.to_be_bytes());
            }
        }
        out.extend(self.payload_bytes().to_be_bytes());
        out.extend(u16::try_from(name.len()).expect("checked above").to_be_bytes());
        out.extend(name);
        for part in [head, tail] {
            out.extend((part.len() as u64).to_be_bytes());
            out.extend(part);
        }
        let padded = usize::try_from(padme(out.len() as u64)).expect("a length in memory");
        out.resize(padded, 0);
        // What is written must be what a reader accepts: a caller's impossible description stops
        // here.
        Self::decode(&out)?;
        Ok(out)
    }

    /// Reads the plaintext of frame 0, in the order of checks of `FORMAT.md`, section 3; the frame
    /// table is the caller's.
    pub(super) fn decode(plain: &[u8]) -> Result<Self, EnvelopeError> {
        let mut reader = ByteReader { rest: plain };
        let [layout, format, sample_type, byte_order, channel_order, bits_stored] = reader.array("codes")?;
        let mut size = || reader.array("geometry").map(u32::from_be_bytes);
        let (depth, height, width) = (size()?, size()?, size()?);
        let channels = u16::from_be_bytes(reader.array("geometry")?);
        let payload = u64::from_be_bytes(reader.array("payload length")?);
        let name_length = u16::from_be_bytes(reader.array("file name")?);
        let name = reader.take("file name", u64::from(name_length))?;
        let head_length = u64::from_be_bytes(reader.array("head")?);
        let head = reader.take("head", head_length)?;
        let tail_length = u64::from_be_bytes(reader.array("tail")?);
        let tail = reader.take("tail", tail_length)?;

        let codes = Codes { sample_type, byte_order, channel_order, bits_stored };
        let geometry = Geometry { depth, height, width, channels };
        let format = Format::from_code(format).ok_or(field("format", format.into()))?;
        let layout = match layout {
            0 => {
                codes.must_be_zero(geometry)?;
                Layout::Bytes { length: payload }
            }
            1 => Layout::Spliced {
                shape: codes.shape(geometry)?,
                head: head.to_vec().into(),
                tail: tail.to_vec().into(),
            },
            2 => Layout::Pixels { shape: codes.shape(geometry)? },
            _ => return Err(field("layout", layout.into())),
        };
        if name.len() > NAME_BYTES_MAX {
            return Err(field("file name", name.len() as u64));
        }
        let file_name = std::str::from_utf8(name).map_err(|_| field("file name", name.len() as u64))?.to_owned();
        let around = head.len() + tail.len();
        if around > 0 && !matches!(layout, Layout::Spliced { .. }) {
            return Err(field("head and tail", around as u64));
        }
        let description = Self { format, file_name, layout };
        description.check_payload(payload)?;

        let content = (plain.len() - reader.rest.len()) as u64;
        if plain.len() as u64 != padme(content) {
            return Err(EnvelopeError::PaddingLength { expected: padme(content), found: plain.len() as u64 });
        }
        check_zeros(0, plain, content)?;
        Ok(description)
    }

    fn check_payload(&self, payload: u64) -> Result<(), EnvelopeError> {
        let right = match &self.layout {
            Layout::Bytes { length } => *length >= 1,
            Layout::Spliced { shape, .. } => shape.payload_bytes() == Some(payload),
            Layout::Pixels { shape } => {
                if shape.byte_order != ByteOrder::Little {
                    return Err(field("byte order", shape.byte_order as u64));
                }
                if shape.channel_order != ChannelOrder::Interleaved {
                    return Err(field("channel order", shape.channel_order as u64));
                }
                shape.payload_bytes() == Some(payload)
            }
        };
        right.then_some(()).ok_or(field("payload length", payload))
    }
}

/// Checks that `plain`, the plaintext of `frame`, is zero from `content` on.
pub(super) fn check_zeros(frame: u64, plain: &[u8], content: u64) -> Result<(), EnvelopeError> {
    match plain.iter().zip(0..).find(|(byte, offset)| *offset >= content && **byte != 0) {
        Some((_, offset)) => Err(EnvelopeError::PaddingNotZero { frame, offset }),
        None => Ok(()),
    }
}

fn field(field: &'static str, found: u64) -> EnvelopeError {
    EnvelopeError::DescriptionField { field, found }
}

/// The four one-byte fields that say how samples are stored.
struct Codes {
    sample_type: u8,
    byte_order: u8,
    channel_order: u8,
    bits_stored: u8,
}

impl Codes {
    fn must_be_zero(&self, geometry: Geometry) -> Result<(), EnvelopeError> {
        let nothing = Geometry { depth: 0, height: 0, width: 0, channels: 0 };
        match self {
            Self { sample_type: found @ 1.., .. } => Err(field("sample type", (*found).into())),
            Self { byte_order: found @ 1.., .. } => Err(field("byte order", (*found).into())),
            Self { channel_order: found @ 1.., .. } => Err(field("channel order", (*found).into())),
            Self { bits_stored: found @ 1.., .. } => Err(field("bits stored", (*found).into())),
            _ if geometry != nothing => Err(field("geometry", geometry.depth.into())),
            _ => Ok(()),
        }
    }

    fn shape(&self, geometry: Geometry) -> Result<Shape, EnvelopeError> {
        let sample_type =
            SampleType::from_code(self.sample_type).ok_or(field("sample type", self.sample_type.into()))?;
        let byte_order = match self.byte_order {
            0 => ByteOrder::Little,
            1 if sample_type.bytes() > 1 => ByteOrder::Big,
            _ => return Err(field("byte order", self.byte_order.into())),
        };
        let channel_order = match self.channel_order {
            0 => ChannelOrder::Interleaved,
            1 if geometry.channels > 1 => ChannelOrder::Planar,
            _ => return Err(field("channel order", self.channel_order.into())),
        };
        if self.bits_stored == 0 || usize::from(self.bits_stored) > 8 * sample_type.bytes() {
            return Err(field("bits stored", self.bits_stored.into()));
        }
        if geometry.samples().is_none_or(|samples| samples == 0) {
            return Err(field("geometry", geometry.depth.into()));
        }
        Ok(Shape { geometry, sample_type, byte_order, channel_order, bits_stored: self.bits_stored })
    }
}

/// Takes bytes from the front; every length is checked before use.
struct ByteReader<'a> {
    rest: &'a [u8],
}

impl<'a> ByteReader<'a> {
    fn take(&mut self, field: &'static str, count: u64) -> Result<&'a [u8], EnvelopeError> {
        let split = usize::try_from(count).ok().and_then(|count| self.rest.split_at_checked(count));
        let (taken, rest) = split.ok_or(EnvelopeError::DescriptionTruncated { field })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], EnvelopeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(field, N as u64)?);
        Ok(array)
    }
}
