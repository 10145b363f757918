//! How a data set is written: what the file declares, and what its first element looks like.

use dicom_core::Tag;
use dicom_dictionary_std::uids;
use dicom_encoding::decode::{
    explicit_be::ExplicitVRBigEndianDecoder, explicit_le::ExplicitVRLittleEndianDecoder,
    implicit_le::StandardImplicitVRLittleEndianDecoder,
};
use dicom_encoding::{Endianness, TransferSyntax, transfer_syntax::DynDecoder};

use crate::imaging::ByteOrder;

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    /// Each element names the type of its value.
    pub(super) explicit: bool,
    /// Byte order; only what is explicit can be big-endian.
    pub(super) order: ByteOrder,
}

impl Encoding {
    /// Returns what the transfer syntax says.
    pub(super) fn of(syntax: &TransferSyntax) -> Self {
        let order = match syntax.endianness() {
            Endianness::Big => ByteOrder::Big,
            Endianness::Little => ByteOrder::Little,
        };
        Self { explicit: syntax.uid() != uids::IMPLICIT_VR_LITTLE_ENDIAN, order }
    }

    /// Returns how the data set is written by the look of its first element, as other readers do
    /// it: some files declare another transfer syntax than theirs, or none. None where there is
    /// nothing to go by.
    pub(super) fn seen(data_set: &[u8], declared: Option<Self>) -> Option<Self> {
        let Some(first) = data_set.first_chunk::<8>() else { return declared };
        let from = declared.unwrap_or(Self { explicit: true, order: ByteOrder::Little });
        // Groups begin at 0008, so that the wrong byte order shows in the first.
        let order = match (from.group(first), from.swapped().group(first)) {
            (0x100.., 1..0x100) => from.swapped().order,
            _ => from.order,
        };
        let letters = first[4..6].iter().filter(|byte| byte.is_ascii_uppercase()).count();
        let explicit = match letters {
            2 => true,
            _ if order == ByteOrder::Big => true,
            _ => from.explicit && declared.is_some() && !goes_on_as_implicit(data_set),
        };
        Some(Self { explicit, order })
    }

    fn swapped(self) -> Self {
        let order = match self.order {
            ByteOrder::Little => ByteOrder::Big,
            ByteOrder::Big => ByteOrder::Little,
        };
        Self { order, ..self }
    }

    fn group(self, header: &[u8; 8]) -> u16 {
        self.u16([header[0], header[1]])
    }

    /// Two bytes as a number.
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self.order {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        }
    }

    /// Four bytes as a number.
    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self.order {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        }
    }

    /// The tag that eight bytes begin with, which an element's header has at least.
    pub(super) fn tag(self, header: &[u8]) -> Option<Tag> {
        let [a, b, c, d, ..] = *header.first_chunk::<8>()?;
        Some(Tag(self.u16([a, b]), self.u16([c, d])))
    }

    /// What reads the headers.
    pub(super) fn decoder<'a>(self) -> DynDecoder<&'a [u8]> {
        match (self.explicit, self.order) {
            (false, _) => Box::<StandardImplicitVRLittleEndianDecoder>::default(),
            (true, ByteOrder::Little) => Box::<ExplicitVRLittleEndianDecoder>::default(),
            (true, ByteOrder::Big) => Box::<ExplicitVRBigEndianDecoder>::default(),
        }
    }
}

/// Whether the first element, read without a type, is followed by one with a greater tag or by the
/// end.
fn goes_on_as_implicit(data_set: &[u8]) -> bool {
    let implicit = Encoding { explicit: false, order: ByteOrder::Little };
    let Some(&[_, _, _, _, a, b, c, d]) = data_set.first_chunk::<8>() else { return false };
    let next = usize::try_from(implicit.u32([a, b, c, d])).ok().and_then(|length| data_set.get(8..)?.get(length..));
    next.is_some_and(|next| next.is_empty() || implicit.tag(next) > implicit.tag(data_set))
}
