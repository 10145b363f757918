//! DICOM files without compression, written element by element, so that no reader's idea of them
//! gets in.

/// How the data set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
}

pub(super) const SYNTAXES: [Syntax; 3] = [Syntax::ImplicitLittle, Syntax::ExplicitLittle, Syntax::ExplicitBig];

const PIXEL_DATA: (u16, u16) = (0x7fe0, 0x0010);
const UNDEFINED: u32 = 0xffff_ffff;

/// What is in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dicom {
    pub(super) syntax: Syntax,
    pub(super) rows: u16,
    pub(super) columns: u16,
    /// 8 or 16.
    pub(super) bits: u16,
    pub(super) signed: bool,
    pub(super) channels: u16,
    pub(super) planar: bool,
    pub(super) frames: u32,
    /// Whether an icon of 3 x 3 with pixel data of its own stands before the image.
    pub(super) icon: bool,
}

impl Dicom {
    /// Bytes of all samples.
    pub(super) fn sample_bytes(&self) -> usize {
        let pixels = usize::from(self.rows) * usize::from(self.columns) * usize::from(self.channels);
        pixels * usize::from(self.bits / 8) * self.frames as usize
    }

    pub(super) fn is_big_endian(&self) -> bool {
        self.syntax == Syntax::ExplicitBig
    }

    /// The file with these samples, and a pad byte where they are odd in number.
    pub(super) fn file(&self, samples: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        let uid: &[u8] = match self.syntax {
            Syntax::ImplicitLittle => b"1.2.840.10008.1.2\0",
            Syntax::ExplicitLittle => b"1.2.840.10008.1.2.1\0",
            Syntax::ExplicitBig => b"1.2.840.10008.1.2.2\0",
        };
        let mut meta = Elements { syntax: Syntax::ExplicitLittle, bytes: Vec::new() };
        meta.element((0x0002, 0x0010), b"UI", uid);
        let length = u32::try_from(meta.bytes.len()).expect("short");
        let mut group = Elements { syntax: Syntax::ExplicitLittle, bytes: file };
        group.element((0x0002, 0x0000), b"UL", &length.to_le_bytes());
        group.bytes.extend_from_slice(&meta.bytes);

        let mut set = Elements { syntax: self.syntax, bytes: group.bytes };
        set.element((0x0010, 0x0010), b"PN", b"Phantom^Head");
        if self.frames > 1 {
            let frames = format!("{:<2}", self.frames);
            set.element((0x0028, 0x0008), b"IS", frames.as_bytes());
        }
        self.shape(&mut set);
        if self.icon {
            self.icon_sequence(&mut set);
        }
        let mut value = samples.to_vec();
        value.resize(samples.len().next_multiple_of(2), 0);
        set.element(
            PIXEL_DATA,
            if self.bits == 8 && self.syntax != Syntax::ImplicitLittle { b"OB" } else { b"OW" },
            &value,
        );
        set.element((0xfffc, 0xfffc), b"OB", &[0; 6]);
        set.bytes
    }

    fn shape(&self, set: &mut Elements) {
        set.number((0x0028, 0x0002), self.channels);
        let colour: &[u8] = if self.channels == 1 { b"MONOCHROME2 " } else { b"RGB " };
        set.element((0x0028, 0x0004), b"CS", colour);
        if self.channels > 1 {
            set.number((0x0028, 0x0006), u16::from(self.planar));
        }
        set.number((0x0028, 0x0010), self.rows);
        set.number((0x0028, 0x0011), self.columns);
        set.number((0x0028, 0x0100), self.bits);
        set.number((0x0028, 0x0101), self.bits);
        set.number((0x0028, 0x0102), self.bits - 1);
        set.number((0x0028, 0x0103), u16::from(self.signed));
    }

    /// Icon Image Sequence, of undefined length.
    fn icon_sequence(&self, set: &mut Elements) {
        set.header((0x0088, 0x0200), b"SQ", UNDEFINED);
        set.header((0xfffe, 0xe000), b"UN", UNDEFINED);
        let icon = Self { rows: 3, columns: 3, bits: 8, signed: false, channels: 1, frames: 1, icon: false, ..*self };
        icon.shape(set);
        set.element(PIXEL_DATA, b"OB", &[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
        set.header((0xfffe, 0xe00d), b"UN", 0);
        set.header((0xfffe, 0xe0dd), b"UN", 0);
    }
}

/// Elements one after the other.
struct Elements {
    syntax: Syntax,
    bytes: Vec<u8>,
}

impl Elements {
    fn u16(&mut self, value: u16) {
        let big = self.syntax == Syntax::ExplicitBig;
        self.bytes.extend_from_slice(&if big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn u32(&mut self, value: u32) {
        let big = self.syntax == Syntax::ExplicitBig;
        self.bytes.extend_from_slice(&if big { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn header(&mut self, (group, element): (u16, u16), vr: &[u8; 2], length: u32) {
        self.u16(group);
        self.u16(element);
        if self.syntax == Syntax::ImplicitLittle || group == 0xfffe {
            return self.u32(length);
        }
        self.bytes.extend_from_slice(vr);
        if matches!(vr, b"OB" | b"OW" | b"SQ") {
            self.u16(0);
            self.u32(length);
        } else {
            self.u16(u16::try_from(length).expect("a short value"));
        }
    }

    fn element(&mut self, tag: (u16, u16), vr: &[u8; 2], value: &[u8]) {
        self.header(tag, vr, u32::try_from(value.len()).expect("short"));
        self.bytes.extend_from_slice(value);
    }

    fn number(&mut self, tag: (u16, u16), value: u16) {
        self.header(tag, b"US", 2);
        self.u16(value);
    }
}
