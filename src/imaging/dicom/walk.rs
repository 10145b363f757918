//! The top-level elements of a data set, and where their values are in the file.
//!
//! The headers are decoded by `dicom-encoding`. Its data set readers are not used: they allocate what a header claims, take the end of the file inside a sequence
//! for the end of the data set, and panic on a stray item delimiter. What is left to do is to skip: a value of known length is stepped over
//! whatever is in it; only sequences of undefined length have to be followed to their delimiters.

use std::ops::Range;

use dicom_core::{
    Tag, VR,
    header::{DataElementHeader, HasLength, Header, SequenceItemHeader},
};
use dicom_encoding::{
    decode::{DecodeFrom, implicit_le::StandardImplicitVRLittleEndianDecoder},
    transfer_syntax::DynDecoder,
};

use super::DicomError;

const ITEM_GROUP: u16 = 0xfffe;
const ITEM: Tag = Tag(ITEM_GROUP, 0xe000);
const ITEM_END: Tag = Tag(ITEM_GROUP, 0xe00d);

/// An element of the top level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    /// Group and element.
    pub(super) tag: Tag,
    /// How its value is encoded; from the dictionary in implicit transfer syntaxes.
    pub(super) vr: VR,
    /// Where its value stands in the file, the closing delimiter of an undefined length included.
    pub(super) value: Range<usize>,
    /// Its header gives no length: a sequence, or compressed pixel data.
    pub(super) undefined: bool,
}

/// Iterates over the elements. It ends after an error.
pub(super) struct ElementWalk<'a> {
    file: &'a [u8],
    position: usize,
    decoder: DynDecoder<&'a [u8]>,
    /// Inside an unknown element (UN) of undefined length everything is implicit little-endian (PS3.5, 6.2.2).
    implicit: StandardImplicitVRLittleEndianDecoder,
    nesting: usize,
}

/// What is open around the place that is read.
#[derive(Clone, Copy)]
enum Open {
    Sequence { implicit: bool },
    Item { implicit: bool },
}

impl<'a> ElementWalk<'a> {
    /// Starts at `position` of `file`; at most `nesting` sequences may stand inside each other.
    pub(super) fn new(file: &'a [u8], position: usize, decoder: DynDecoder<&'a [u8]>, nesting: usize) -> Self {
        Self { file, position, decoder, implicit: Default::default(), nesting }
    }

    /// Where the next element begins.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Returns the next element, or nothing exactly at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Element>, DicomError> {
        if self.position == self.file.len() {
            return Ok(None);
        }
        let begin = self.position;
        let header = self.header(false)?;
        let tag = header.tag();
        if tag.group() == ITEM_GROUP {
            return Err(DicomError::Delimiter { expected: "an element", offset: begin });
        }
        let start = self.position;
        let undefined = header.length().is_undefined();
        if undefined {
            self.skip_to_delimiter(header.vr() == VR::UN)?;
        } else {
            self.skip(tag, header.length().0)?;
        }
        Ok(Some(Element { tag, vr: header.vr(), value: start..self.position, undefined }))
    }

    /// Steps over a sequence of undefined length, its delimiter included. Does not recurse.
    fn skip_to_delimiter(&mut self, implicit: bool) -> Result<(), DicomError> {
        let mut open = vec![Open::Sequence { implicit }];
        while let Some(innermost) = open.last().copied() {
            let offset = self.position;
            match innermost {
                Open::Sequence { implicit } => match self.item_header(implicit)? {
                    SequenceItemHeader::Item { len } if len.is_undefined() => open.push(Open::Item { implicit }),
                    SequenceItemHeader::Item { len } => self.skip(ITEM, len.0)?,
                    SequenceItemHeader::SequenceDelimiter => drop(open.pop()),
                    SequenceItemHeader::ItemDelimiter => {
                        return Err(DicomError::Delimiter { expected: "an item or the end of a sequence", offset });
                    }
                },
                Open::Item { implicit } => {
                    let header = self.header(implicit)?;
                    if header.tag() == ITEM_END {
                        open.pop();
                    } else if header.tag().group() == ITEM_GROUP {
                        return Err(DicomError::Delimiter { expected: "an element or the end of an item", offset });
                    } else if header.length().is_undefined() {
                        // A sequence and its item take two places.
                        if open.len() / 2 >= self.nesting {
                            return Err(DicomError::Nesting { offset, limit: self.nesting });
                        }
                        open.push(Open::Sequence { implicit: implicit || header.vr() == VR::UN });
                    } else {
                        self.skip(header.tag(), header.length().0)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Steps over `length` bytes of the element `tag`.
    fn skip(&mut self, tag: Tag, length: u32) -> Result<(), DicomError> {
        let left = self.file.len() - self.position;
        match usize::try_from(length) {
            Ok(bytes) if bytes <= left => {
                self.position += bytes;
                Ok(())
            }
            _ => Err(DicomError::ElementLength { tag, offset: self.position, length, left }),
        }
    }

    fn header(&mut self, implicit: bool) -> Result<DataElementHeader, DicomError> {
        let mut source = &self.file[self.position..];
        let decoder: &dyn DecodeFrom<&'a [u8]> = if implicit { &self.implicit } else { &*self.decoder };
        // The only thing that can go wrong here is that the slice ends: every tag, type and length is taken as it is.
        let (header, _) =
            decoder.decode_header(&mut source).map_err(|_| DicomError::CutShort { offset: self.file.len() })?;
        self.position = self.file.len() - source.len();
        Ok(header)
    }

    fn item_header(&mut self, implicit: bool) -> Result<SequenceItemHeader, DicomError> {
        let mut source = &self.file[self.position..];
        if source.len() < 8 {
            return Err(DicomError::CutShort { offset: self.file.len() });
        }
        let decoder: &dyn DecodeFrom<&'a [u8]> = if implicit { &self.implicit } else { &*self.decoder };
        let header = decoder
            .decode_item_header(&mut source)
            .map_err(|_| DicomError::Delimiter { expected: "an item or a delimiter", offset: self.position })?;
        self.position += 8;
        Ok(header)
    }
}
