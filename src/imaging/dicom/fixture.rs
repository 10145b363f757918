//! Small DICOM files for the tests, written by hand so that every byte is known.

use dicom_core::Tag;

use crate::imaging::{DicomError, ImagingError, Limits, Scan, Split, WholeReason, decode};

pub(super) const ITEM: Tag = Tag(0xfffe, 0xe000);
pub(super) const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
pub(super) const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);
pub(super) const ICON: Tag = Tag(0x88, 0x200);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging) enum Syntax {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
}

pub(in crate::imaging) const SYNTAXES: [Syntax; 3] =
    [Syntax::ImplicitLittle, Syntax::ExplicitLittle, Syntax::ExplicitBig];

impl Syntax {
    pub(in crate::imaging) fn uid(self) -> &'static str {
        match self {
            Self::ImplicitLittle => "1.2.840.10008.1.2",
            Self::ExplicitLittle => "1.2.840.10008.1.2.1",
            Self::ExplicitBig => "1.2.840.10008.1.2.2",
        }
    }
}

#[derive(Clone)]
pub(in crate::imaging) struct File {
    syntax: Syntax,
    pub(in crate::imaging) bytes: Vec<u8>,
}

pub(in crate::imaging) const UNDEFINED: u32 = 0xffff_ffff;

impl File {
    /// Preamble, magic, and a meta group that names the transfer syntax `uid`; the data set is
    /// written as `syntax` says.
    pub(in crate::imaging) fn with_uid(syntax: Syntax, uid: &str) -> Self {
        let mut meta = Self { syntax: Syntax::ExplicitLittle, bytes: vec![0; 128] };
        meta.bytes.extend_from_slice(b"DICM");
        let mut value = uid.as_bytes().to_vec();
        value.resize(value.len().next_multiple_of(2), 0);
        let length = u32::try_from(8 + value.len()).expect("small");
        meta.element(Tag(2, 0), b"UL", &length.to_le_bytes());
        meta.element(Tag(2, 0x10), b"UI", &value);
        Self { syntax, ..meta }
    }

    pub(in crate::imaging) fn new(syntax: Syntax) -> Self {
        Self::with_uid(syntax, syntax.uid())
    }

    fn u16(&mut self, value: u16) {
        let big = self.syntax == Syntax::ExplicitBig;
        self.bytes.extend_from_slice(&if big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn u32(&mut self, value: u32) {
        let big = self.syntax == Syntax::ExplicitBig;
        self.bytes.extend_from_slice(&if big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    /// An element's header alone.
    pub(in crate::imaging) fn header(&mut self, tag: Tag, vr: &[u8; 2], length: u32) {
        self.u16(tag.0);
        self.u16(tag.1);
        if self.syntax == Syntax::ImplicitLittle || tag.0 == 0xfffe {
            return self.u32(length);
        }
        self.bytes.extend_from_slice(vr);
        if [b"OB", b"OW", b"OF", b"OD", b"SQ", b"UN", b"UT"].contains(&vr) {
            self.u16(0);
            self.u32(length);
        } else {
            self.u16(u16::try_from(length).expect("a short value"));
        }
    }

    pub(in crate::imaging) fn element(&mut self, tag: Tag, vr: &[u8; 2], value: &[u8]) -> &mut Self {
        self.header(tag, vr, u32::try_from(value.len()).expect("small"));
        self.bytes.extend_from_slice(value);
        self
    }

    pub(in crate::imaging) fn number(&mut self, tag: Tag, value: u16) -> &mut Self {
        self.header(tag, b"US", 2);
        self.u16(value);
        self
    }

    /// Item and delimiter headers, and sequences of undefined length.
    pub(in crate::imaging) fn open(&mut self, tag: Tag, vr: &[u8; 2]) -> &mut Self {
        self.header(tag, vr, UNDEFINED);
        self
    }

    pub(in crate::imaging) fn close(&mut self, tag: Tag) -> &mut Self {
        self.header(tag, b"UN", 0);
        self
    }

    /// Geometry as most tests want it.
    pub(in crate::imaging) fn shape(&mut self, channels: u16, rows: u16, columns: u16, bits: u16) -> &mut Self {
        self.number(Tag(0x28, 2), channels).number(Tag(0x28, 0x10), rows).number(Tag(0x28, 0x11), columns);
        self.number(Tag(0x28, 0x100), bits).number(Tag(0x28, 0x101), bits).number(Tag(0x28, 0x103), 0)
    }

    /// The pixel data; returns the file.
    pub(in crate::imaging) fn pixels(&mut self, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
        self.element(Tag(0x7fe0, 0x10), vr, value).bytes.clone()
    }
}

/// A gray 8-bit file of 2 rows and 3 columns, samples 1 to 6.
pub(in crate::imaging) fn small(syntax: Syntax) -> Vec<u8> {
    File::new(syntax).shape(1, 2, 3, 8).pixels(b"OB", &[1, 2, 3, 4, 5, 6])
}

pub(super) fn read(file: &[u8]) -> Scan {
    decode(file, &Limits::default()).expect("a good file")
}

/// What is wrong with a file: what is cut short is refused, all else is sealed whole for that
/// reason.
pub(super) fn error(file: &[u8]) -> DicomError {
    match decode(file, &Limits::default()) {
        Err(ImagingError::Dicom(error)) if error.is_cut_short() => error,
        Ok(scan) => match (scan.image(), scan.split()) {
            (None, Split::Whole(WholeReason::Nonconforming(error))) if !error.is_cut_short() => *error,
            other => panic!("expected a fault, got {other:?}"),
        },
        other => panic!("expected a fault, got {other:?}"),
    }
}

pub(super) fn reason(file: &[u8]) -> WholeReason {
    match read(file).split() {
        Split::Whole(reason) => reason.clone(),
        Split::Samples(range) => panic!("split at {range:?}"),
    }
}

/// An icon of 2 x 2 with pixel data of its own, in a sequence of undefined length or not.
pub(super) fn with_icon(syntax: Syntax, undefined: bool) -> File {
    let mut inside = File::new(syntax);
    let meta = inside.bytes.len();
    inside.shape(1, 2, 2, 8).pixels(b"OB", &[7, 7, 7, 7]);
    let icon = inside.bytes.split_off(meta);
    let mut file = File::new(syntax);
    let length = u32::try_from(icon.len()).expect("small");
    if undefined {
        file.open(ICON, b"SQ").open(ITEM, b"UN").bytes.extend_from_slice(&icon);
        file.close(ITEM_END).close(SEQUENCE_END);
    } else {
        file.header(ICON, b"SQ", length + 8);
        file.header(ITEM, b"UN", length);
        file.bytes.extend_from_slice(&icon);
    }
    file
}
