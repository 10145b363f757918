//! The top-level elements of a data set, and where their values are in the file.
//!
//! The headers are decoded by `dicom-encoding`. Its data set readers are not used: they allocate
//! what a header claims, take the end of the file inside a sequence for the end of the data set,
//! and panic on a stray item delimiter. What is left to do is to skip: a value of known length is
//! stepped over whatever is in it; only sequences of undefined length have to be followed to their
//! delimiters.

use std::ops::Range;

use dicom_core::{
    Tag, VR,
    header::{DataElementHeader, HasLength, Header, Length, SequenceItemHeader},
};
use dicom_encoding::{
    decode::{DecodeFrom, implicit_le::StandardImplicitVRLittleEndianDecoder},
    transfer_syntax::DynDecoder,
};

use super::{DicomError, Encoding};

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
    encoding: Encoding,
    decoder: DynDecoder<&'a [u8]>,
    /// Inside an unknown element (UN) of undefined length everything is implicit little-endian
    /// (PS3.5, 6.2.2).
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
    pub(super) fn new(file: &'a [u8], position: usize, encoding: Encoding, nesting: usize) -> Self {
        Self { file, position, encoding, decoder: encoding.decoder(), implicit: Default::default(), nesting }
    }

    /// Where the next element begins.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Refuses what cannot follow the pixel data, before its length is believed.
    pub(super) fn check_after_pixels(&self, pixels: Tag) -> Result<(), DicomError> {
        let (offset, rest) = (self.position, &self.file[self.position..]);
        if is_zeros(rest) {
            return Ok(());
        }
        let tag = self.encoding.tag(rest).ok_or(DicomError::Remains { offset, bytes: rest.len() })?;
        // FFFF is the group of bytes that were never written.
        let follows = tag >= pixels && tag.group() != ITEM_GROUP && tag.group() != 0xffff;
        if follows { Ok(()) } else { Err(DicomError::AfterPixels { tag, offset }) }
    }

    /// Returns the next element, or nothing where the file ends, or holds nothing but zeros from
    /// here on.
    pub(super) fn next(&mut self) -> Result<Option<Element>, DicomError> {
        if is_zeros(&self.file[self.position..]) {
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
        if let Some(header) = self.odd_header(implicit) {
            return Ok(header);
        }
        let mut source = &self.file[self.position..];
        let decoder: &dyn DecodeFrom<&'a [u8]> = if implicit { &self.implicit } else { &*self.decoder };
        // The only thing that can go wrong here is that the slice ends: every tag, type and length
        // is taken as it is.
        let (header, _) =
            decoder.decode_header(&mut source).map_err(|_| DicomError::CutShort { offset: self.file.len() })?;
        self.position = self.file.len() - source.len();
        Ok(header)
    }

    /// The header of an element whose type is none that is known: lower case, blanks, a maker's
    /// own, or left out. Each way to write it is tried, and the first after which the file goes on
    /// as DICOM is taken; else nothing, and the standard's way is taken (PS3.5, 7.1.2).
    fn odd_header(&mut self, implicit: bool) -> Option<DataElementHeader> {
        let rest = &self.file[self.position..];
        let tag = self.encoding.tag(rest)?;
        let &[_, _, _, _, a, b, c, d] = rest.first_chunk::<8>()?;
        if implicit || !self.encoding.explicit || tag.group() == ITEM_GROUP || VR::from_binary([a, b]).is_some() {
            return None;
        }
        let known = VR::from_binary([a.to_ascii_uppercase(), b.to_ascii_uppercase()]);
        let vr = known.unwrap_or(VR::UN);
        let short = Some((vr, 8, u32::from(self.encoding.u16([c, d]))));
        let long = rest.get(8..12).and_then(|length| Some((vr, 12, self.encoding.u32(length.try_into().ok()?))));
        let long = long.filter(|_| [c, d] == [0, 0]);
        let typeless = Some((VR::UN, 8, self.encoding.u32([a, b, c, d])));
        let letters = a.is_ascii_alphabetic() && b.is_ascii_alphabetic();
        let ways = match known {
            Some(vr) if is_short(vr) => [short, long, None],
            _ if letters => [long, short, None],
            _ => [typeless, short, long],
        };
        let goes_on = |&(_, start, length): &(VR, usize, u32)| self.goes_on(tag, &rest[start..], length);
        let (vr, start, length) = ways.into_iter().flatten().find(goes_on)?;
        self.position += start;
        Some(DataElementHeader::new(tag, vr, Length(length)))
    }

    /// Whether an element, the end of an item or the end of the file comes after a value of
    /// `length` bytes.
    fn goes_on(&self, tag: Tag, value: &[u8], length: u32) -> bool {
        if Length(length).is_undefined() {
            return self.encoding.tag(value).is_some_and(|next| next.group() == ITEM_GROUP);
        }
        let Some(after) = usize::try_from(length).ok().and_then(|length| value.get(length..)) else { return false };
        let typed = |header: &[u8]| header[4..6].iter().all(u8::is_ascii_alphabetic);
        let follows = |next: Tag| next.group() == ITEM_GROUP || next > tag && typed(after);
        is_zeros(after) || self.encoding.tag(after).is_some_and(follows)
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

/// Whether nothing is left but zeros, as padding to a block's size leaves them.
fn is_zeros(rest: &[u8]) -> bool {
    rest.iter().all(|byte| *byte == 0)
}

/// Whether a value of this type has its length in two bytes (PS3.5, 7.1.2).
fn is_short(vr: VR) -> bool {
    use VR::*;
    matches!(vr, AE | AS | AT | CS | DA | DS | DT | FL | FD | IS | LO | LT | PN | SH | SL | SS | ST | TM | UI | UL | US)
}
