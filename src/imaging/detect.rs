//! The format of a file, by its first bytes; the file name is ignored.

use super::Format;

const DICOM_MAGIC: &[u8] = b"DICM";
/// The first element of a file meta group, (0002,0000) UL of 4 bytes: what files that lost their
/// preamble begin with.
const DICOM_GROUP_LENGTH: &[u8] = b"\x02\x00\x00\x00UL\x04\x00";
const PREAMBLE_BYTES: usize = 128;
const HDF5_MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Returns the format; [`Format::Unknown`] for everything without a known magic number.
///
/// A `.nii.gz` file is `Unknown`: from outside it is any gzip file.
pub(super) fn detect(bytes: &[u8]) -> Format {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    if dicom_meta_offset(bytes).is_some() {
        Format::Dicom
    } else if at(0, b"\x89PNG\r\n\x1a\n") {
        Format::Png
    } else if at(0, b"II*\0") || at(0, b"MM\0*") || at(0, b"II+\0") || at(0, b"MM\0+") {
        Format::Tiff
    } else if at(0, b"\xff\xd8\xff") {
        Format::Jpeg
    } else if is_nifti(bytes) {
        Format::Nifti
    } else if at(0, b"MATLAB 7.3 MAT-file") && at(512, HDF5_MAGIC) {
        Format::Matlab
    } else {
        Format::Unknown
    }
}

/// Returns where the file meta group of a DICOM file begins: after preamble and magic, or, without
/// a preamble, where a group length says so.
pub(super) fn dicom_meta_offset(bytes: &[u8]) -> Option<usize> {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    if at(PREAMBLE_BYTES, DICOM_MAGIC) {
        Some(PREAMBLE_BYTES + DICOM_MAGIC.len())
    } else if at(0, DICOM_MAGIC) && at(DICOM_MAGIC.len(), DICOM_GROUP_LENGTH) {
        Some(DICOM_MAGIC.len())
    } else if at(0, DICOM_GROUP_LENGTH) {
        Some(0)
    } else {
        None
    }
}

/// NIfTI-1 (`n+1`, `ni1` at 344, header size 348) or NIfTI-2 (`n+2`, `ni2` at 4, header size 540),
/// in either byte order.
fn is_nifti(bytes: &[u8]) -> bool {
    let header_size = |size: u32| bytes.starts_with(&size.to_le_bytes()) || bytes.starts_with(&size.to_be_bytes());
    let magic = |offset: usize, kinds: [&[u8]; 2]| {
        kinds.iter().any(|kind| bytes.get(offset..).is_some_and(|rest| rest.starts_with(kind)))
    };
    header_size(348) && magic(344, [b"n+1\0", b"ni1\0"]) || header_size(540) && magic(4, [b"n+2\0", b"ni2\0"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(length: usize, parts: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; length];
        for (offset, part) in parts {
            bytes[*offset..offset + part.len()].copy_from_slice(part);
        }
        bytes
    }

    #[test]
    fn each_magic_number_is_known() {
        assert_eq!(detect(&put(132, &[(128, b"DICM")])), Format::Dicom);
        assert_eq!(detect(b"DICM\x02\x00\x00\x00UL\x04\x00"), Format::Dicom);
        assert_eq!(detect(b"\x02\x00\x00\x00UL\x04\x00"), Format::Dicom);
        assert_eq!(detect(b"\x89PNG\r\n\x1a\n"), Format::Png);
        assert_eq!(detect(b"II*\0"), Format::Tiff);
        assert_eq!(detect(b"MM\0*"), Format::Tiff);
        assert_eq!(detect(b"\xff\xd8\xff\xe0"), Format::Jpeg);
        assert_eq!(detect(&put(348, &[(0, &348u32.to_le_bytes()), (344, b"n+1\0")])), Format::Nifti);
        assert_eq!(detect(&put(348, &[(0, &348u32.to_be_bytes()), (344, b"ni1\0")])), Format::Nifti);
        assert_eq!(detect(&put(540, &[(0, &540u32.to_le_bytes()), (4, b"n+2\0\r\n\x1a\n")])), Format::Nifti);
        assert_eq!(detect(&put(520, &[(0, b"MATLAB 7.3 MAT-file"), (512, HDF5_MAGIC)])), Format::Matlab);
    }

    #[test]
    fn half_a_magic_number_is_unknown() {
        for bytes in [&b""[..], b"DICM", b"\x89PNG", b"II*", b"\xff\xd8", b"MATLAB 7.3 MAT-file", b"\x1f\x8b\x08\0"] {
            assert_eq!(detect(bytes), Format::Unknown);
        }
        assert_eq!(detect(&put(131, &[(128, b"DIC")])), Format::Unknown);
        assert_eq!(detect(&put(348, &[(344, b"n+1\0")])), Format::Unknown);
    }
}
