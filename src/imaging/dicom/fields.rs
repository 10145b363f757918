//! The elements that say what the samples are, and the image they describe.

use std::collections::BTreeMap;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{DicomError, walk::Element};
use crate::imaging::{ByteOrder, ChannelOrder, Geometry, SampleType};

const KEPT: [Tag; 13] = [
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::PLANAR_CONFIGURATION,
    tags::NUMBER_OF_FRAMES,
    tags::ROWS,
    tags::COLUMNS,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::PIXEL_REPRESENTATION,
    tags::PIXEL_DATA_PROVIDER_URL,
    tags::FLOAT_PIXEL_DATA,
    tags::DOUBLE_FLOAT_PIXEL_DATA,
    tags::PIXEL_DATA,
];

/// The elements of the top level that matter here.
pub(super) struct Fields<'a> {
    file: &'a [u8],
    order: ByteOrder,
    elements: BTreeMap<Tag, Element>,
}

/// How the samples are to be read.
pub(super) struct PixelFormat {
    pub(super) geometry: Geometry,
    pub(super) sample_type: SampleType,
    pub(super) channel_order: ChannelOrder,
    pub(super) bits_stored: u8,
}

impl<'a> Fields<'a> {
    pub(super) fn new(file: &'a [u8], order: ByteOrder) -> Self {
        Self { file, order, elements: BTreeMap::new() }
    }

    /// Keeps the element if it matters; refuses a second one.
    pub(super) fn add(&mut self, element: Element) -> Result<(), DicomError> {
        if KEPT.contains(&element.tag) {
            let (tag, offset) = (element.tag, element.value.start);
            if self.elements.insert(tag, element).is_some() {
                return Err(DicomError::Duplicate { tag, offset });
            }
        }
        Ok(())
    }

    /// The pixel data of the top level; at most one of the three kinds.
    pub(super) fn pixels(&self) -> Result<Option<&Element>, DicomError> {
        let mut found = [tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA, tags::PIXEL_DATA]
            .into_iter()
            .filter_map(|tag| self.elements.get(&tag));
        let first = found.next();
        match found.next() {
            Some(second) => Err(DicomError::Duplicate { tag: second.tag, offset: second.value.start }),
            None => Ok(first),
        }
    }

    /// Rows, columns and bits are described, and the samples do not stand elsewhere.
    pub(super) fn describes_pixels(&self) -> bool {
        [tags::ROWS, tags::COLUMNS, tags::BITS_ALLOCATED].iter().all(|tag| self.elements.contains_key(tag))
            && !self.elements.contains_key(&tags::PIXEL_DATA_PROVIDER_URL)
    }

    /// Bits that a sample takes; 1 is a bit mask.
    pub(super) fn bits_allocated(&self) -> Result<u16, DicomError> {
        self.required(tags::BITS_ALLOCATED, "bits allocated")
    }

    /// Colour with fewer samples than pixels is no plain array of samples: two of three samples are
    /// stored (4:2:2), or one of two (4:2:0).
    pub(super) fn subsampled(&self) -> Option<(u64, u64)> {
        let value =
            self.elements.get(&tags::PHOTOMETRIC_INTERPRETATION).map_or(&[][..], |e| &self.file[e.value.clone()]);
        match value.trim_ascii() {
            name if name.ends_with(b"_422") => Some((2, 3)),
            name if name.ends_with(b"_420") => Some((1, 2)),
            _ => None,
        }
    }

    /// Frames, rows, columns and samples of a pixel.
    pub(super) fn geometry(&self) -> Result<Geometry, DicomError> {
        let geometry = Geometry {
            depth: self.frames()?,
            height: self.side(tags::ROWS, "rows")?,
            width: self.side(tags::COLUMNS, "columns")?,
            channels: self.optional(tags::SAMPLES_PER_PIXEL, "samples per pixel")?.unwrap_or(1),
        };
        if geometry.channels == 0 {
            return Err(value_error(tags::SAMPLES_PER_PIXEL, "samples per pixel", "1 or more", 0));
        }
        Ok(geometry)
    }

    /// What the samples in the element `pixels` are.
    pub(super) fn shape(&self, pixels: Tag) -> Result<PixelFormat, DicomError> {
        let geometry = self.geometry()?;
        let planar = self.flag(tags::PLANAR_CONFIGURATION, "planar configuration")?;
        let channel_order = if planar { ChannelOrder::Planar } else { ChannelOrder::Interleaved };
        let allocated = self.bits_allocated()?;
        let (sample_type, bits_stored) = if pixels == tags::PIXEL_DATA {
            let signed = self.flag(tags::PIXEL_REPRESENTATION, "pixel representation")?;
            let stored = self.optional(tags::BITS_STORED, "bits stored")?.unwrap_or(allocated);
            let sample_type = integer_type(allocated, signed)?;
            if stored == 0 || stored > allocated {
                let expected = "1 up to the bits allocated";
                return Err(value_error(tags::BITS_STORED, "bits stored", expected, stored));
            }
            (sample_type, stored)
        } else {
            let (sample_type, bits, expected) = if pixels == tags::FLOAT_PIXEL_DATA {
                (SampleType::F32, 32, "32 for float pixel data")
            } else {
                (SampleType::F64, 64, "64 for double float pixel data")
            };
            if allocated != bits {
                return Err(value_error(tags::BITS_ALLOCATED, "bits allocated", expected, allocated));
            }
            (sample_type, bits)
        };
        #[allow(clippy::cast_possible_truncation)] // at most 64
        Ok(PixelFormat { geometry, sample_type, channel_order, bits_stored: bits_stored as u8 })
    }

    /// Number of frames, an integer in text; 1 where it is absent or empty.
    fn frames(&self) -> Result<u32, DicomError> {
        let (tag, name) = (tags::NUMBER_OF_FRAMES, "number of frames");
        let Some(element) = self.elements.get(&tag) else { return Ok(1) };
        let wrong = DicomError::Type { tag, name, expected: "a whole number from 1 to 2147483647" };
        let text = self.file[element.value.clone()].trim_ascii();
        let text = text.strip_suffix(b"\0").unwrap_or(text).trim_ascii();
        if text.is_empty() {
            return Ok(1);
        }
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i32>().ok());
        number.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0).ok_or(wrong)
    }

    fn side(&self, tag: Tag, name: &'static str) -> Result<u32, DicomError> {
        match self.required(tag, name)? {
            0 => Err(value_error(tag, name, "1 or more", 0)),
            side => Ok(u32::from(side)),
        }
    }

    fn flag(&self, tag: Tag, name: &'static str) -> Result<bool, DicomError> {
        match self.optional(tag, name)? {
            None | Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(found) => Err(value_error(tag, name, "0 or 1", found)),
        }
    }

    fn required(&self, tag: Tag, name: &'static str) -> Result<u16, DicomError> {
        self.optional(tag, name)?.ok_or(DicomError::Missing { tag, name })
    }

    /// One unsigned 16-bit number.
    fn optional(&self, tag: Tag, name: &'static str) -> Result<Option<u16>, DicomError> {
        let Some(element) = self.elements.get(&tag) else { return Ok(None) };
        match (&self.file[element.value.clone()], element.vr, self.order) {
            // What has a type of its own that nobody knows (UN) is what the dictionary says of its
            // tag.
            (&[a, b], VR::US | VR::UN, ByteOrder::Little) => Ok(Some(u16::from_le_bytes([a, b]))),
            (&[a, b], VR::US | VR::UN, ByteOrder::Big) => Ok(Some(u16::from_be_bytes([a, b]))),
            _ => Err(DicomError::Type { tag, name, expected: "one unsigned 16-bit number (US)" }),
        }
    }
}

fn integer_type(bits_allocated: u16, signed: bool) -> Result<SampleType, DicomError> {
    match (bits_allocated, signed) {
        (8, false) => Ok(SampleType::U8),
        (8, true) => Ok(SampleType::I8),
        (16, false) => Ok(SampleType::U16),
        (16, true) => Ok(SampleType::I16),
        (32, false) => Ok(SampleType::U32),
        (32, true) => Ok(SampleType::I32),
        (64, false) => Ok(SampleType::U64),
        (64, true) => Ok(SampleType::I64),
        (found, _) => Err(value_error(tags::BITS_ALLOCATED, "bits allocated", "1, 8, 16, 32 or 64", found)),
    }
}

fn value_error(tag: Tag, name: &'static str, expected: &'static str, found: u16) -> DicomError {
    DicomError::Value { tag, name, expected, found: u32::from(found) }
}
