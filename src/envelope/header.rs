//! The public header of a sealed image (`FORMAT.md`, section 2).

use alloy::primitives::{Address, B256};
use sha2::{Digest, Sha256};

use super::{EnvelopeError, ImageContext, image_id};
use crate::cipher::SUITE;

/// The first bytes of every sealed image.
pub const MAGIC: [u8; 8] = *b"MEDSEAL\n";
/// The format version.
pub const VERSION: u16 = 1;
/// Magic, version and header length.
const PREFIX_BYTES: usize = 14;
/// The header without its frame table.
const FIXED_BYTES: usize = 182;
/// Frame counts that are allowed: the description and 1 to 2^20 others.
const FRAME_COUNTS: std::ops::RangeInclusive<usize> = 2..=1_048_577;
/// Frame lengths that are allowed, in bytes: a tag and at least one byte, at most 2 GiB.
const FRAME_LENGTHS: std::ops::RangeInclusive<u64> = 17..=2_147_483_664;
/// Header lengths that are allowed, in bytes.
const HEADER_LENGTHS: std::ops::RangeInclusive<u32> = 198..=8_388_798;

/// The public header: what everybody may know about a sealed image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicHeader {
    /// Cipher suite, 1.
    pub suite: u16,
    /// Id of the chain with the image's record.
    pub chain_id: u64,
    /// Address of the `ImageRegistry` on that chain.
    pub registry: Address,
    /// Wallet that seals and registers.
    pub sender: Address,
    /// 32 random bytes of this sealing.
    pub salt: B256,
    /// [`image_id`] of the four above.
    pub image_id: B256,
    /// [`key_commitment`](crate::cipher::key_commitment) of the image key.
    pub key_commitment: [u8; 32],
    /// SHA-256 of the ONNX file that made `Tout`.
    pub model_digest: [u8; 32],
    /// Length of each frame in bytes, its tag included.
    pub frame_lengths: Vec<u64>,
}

impl PublicHeader {
    /// Returns the header of the image that `context` and `salt` name.
    ///
    /// # Errors
    /// `FrameCount`, `FrameLength`, and `ImageIdMismatch` where the context's image id is not that
    /// of its salt.
    pub fn new(
        context: &ImageContext,
        salt: B256,
        key_commitment: [u8; 32],
        model_digest: [u8; 32],
        frame_lengths: Vec<u64>,
    ) -> Result<Self, EnvelopeError> {
        let ImageContext { chain_id, registry, sender, image_id } = *context;
        let suite = SUITE;
        let header =
            Self { suite, chain_id, registry, sender, salt, image_id, key_commitment, model_digest, frame_lengths };
        check_frame_count(header.frame_lengths.len())?;
        header.check_frame_lengths()?;
        header.check_image_id()?;
        Ok(header)
    }

    /// Reads the header at the start of a sealed image and the offset at which frame 0 begins:
    /// checks 1 to 7 of `FORMAT.md`, section 2. Whether all frames are there is checked by
    /// [`Self::check_file_length`].
    ///
    /// # Errors
    /// `BadMagic`, `Truncated`, `UnsupportedVersion`, `HeaderLength`, `UnsupportedSuite`,
    /// `FrameCount`, `FrameLength`, `ImageIdMismatch`.
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), EnvelopeError> {
        let end = header_end(bytes)?;
        let mut fields = HeaderFields(&bytes[PREFIX_BYTES..end]);
        let suite = u16::from_be_bytes(fields.take());
        if suite != SUITE {
            return Err(EnvelopeError::UnsupportedSuite { expected: SUITE, found: suite });
        }
        let header = Self {
            suite,
            chain_id: u64::from_be_bytes(fields.take()),
            registry: fields.take::<20>().into(),
            sender: fields.take::<20>().into(),
            salt: fields.take::<32>().into(),
            image_id: fields.take::<32>().into(),
            key_commitment: fields.take(),
            model_digest: fields.take(),
            frame_lengths: fields.frame_table(end - PREFIX_BYTES)?,
        };
        header.check_frame_lengths()?;
        header.check_image_id()?;
        Ok((header, end))
    }

    /// Returns the bytes `0 .. 14 + H`: magic, version, header length, header.
    pub fn encode(&self) -> Vec<u8> {
        let length = FIXED_BYTES + 8 * self.frame_lengths.len();
        let mut bytes = Vec::with_capacity(PREFIX_BYTES + length);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&u32_of(length).to_be_bytes());
        bytes.extend_from_slice(&self.suite.to_be_bytes());
        bytes.extend_from_slice(&self.chain_id.to_be_bytes());
        bytes.extend_from_slice(self.registry.as_slice());
        bytes.extend_from_slice(self.sender.as_slice());
        bytes.extend_from_slice(self.salt.as_slice());
        bytes.extend_from_slice(self.image_id.as_slice());
        bytes.extend_from_slice(&self.key_commitment);
        bytes.extend_from_slice(&self.model_digest);
        bytes.extend_from_slice(&u32_of(self.frame_lengths.len()).to_be_bytes());
        bytes.extend(self.frame_lengths.iter().flat_map(|length| length.to_be_bytes()));
        bytes
    }

    /// Returns the header hash: SHA-256 of [`Self::encode`].
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }

    /// Which image on which chain this is.
    pub fn context(&self) -> ImageContext {
        ImageContext { chain_id: self.chain_id, registry: self.registry, sender: self.sender, image_id: self.image_id }
    }

    /// Returns the length of the whole sealed image in bytes.
    pub fn file_length(&self) -> u64 {
        (PREFIX_BYTES + FIXED_BYTES + 8 * self.frame_lengths.len()) as u64 + self.frame_lengths.iter().sum::<u64>()
    }

    /// Check 8 of `FORMAT.md`, section 2: the frames fill the file exactly.
    ///
    /// # Errors
    /// `Truncated` or `TrailingBytes`.
    pub fn check_file_length(&self, found: u64) -> Result<(), EnvelopeError> {
        let expected = self.file_length();
        match found.cmp(&expected) {
            std::cmp::Ordering::Less => Err(EnvelopeError::Truncated { expected, found }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(EnvelopeError::TrailingBytes { expected, found }),
        }
    }

    fn check_frame_lengths(&self) -> Result<(), EnvelopeError> {
        match self.frame_lengths.iter().zip(0..).find(|(length, _)| !FRAME_LENGTHS.contains(length)) {
            Some((&found, frame)) => Err(EnvelopeError::FrameLength { frame, found }),
            None => Ok(()),
        }
    }

    fn check_image_id(&self) -> Result<(), EnvelopeError> {
        let expected = image_id(self.chain_id, self.registry, self.sender, self.salt);
        if self.image_id == expected {
            Ok(())
        } else {
            Err(EnvelopeError::ImageIdMismatch { expected, found: self.image_id })
        }
    }
}

/// Checks 1 to 3: returns where the header ends.
fn header_end(bytes: &[u8]) -> Result<usize, EnvelopeError> {
    let begin = &bytes[..bytes.len().min(MAGIC.len())];
    if begin != &MAGIC[..begin.len()] {
        return Err(EnvelopeError::BadMagic);
    }
    let truncated = |expected: usize| EnvelopeError::Truncated { expected: expected as u64, found: bytes.len() as u64 };
    let mut prefix = HeaderFields(bytes.get(MAGIC.len()..PREFIX_BYTES).ok_or_else(|| truncated(PREFIX_BYTES))?);
    let version = u16::from_be_bytes(prefix.take());
    if version != VERSION {
        return Err(EnvelopeError::UnsupportedVersion { expected: VERSION, found: version });
    }
    let length = u32::from_be_bytes(prefix.take());
    if !HEADER_LENGTHS.contains(&length) {
        return Err(EnvelopeError::HeaderLength { found: length, expected: None });
    }
    let end = PREFIX_BYTES + length as usize;
    if bytes.len() < end { Err(truncated(end)) } else { Ok(end) }
}

fn check_frame_count(count: usize) -> Result<(), EnvelopeError> {
    if FRAME_COUNTS.contains(&count) { Ok(()) } else { Err(EnvelopeError::FrameCount { found: count as u64 }) }
}

fn u32_of(length: usize) -> u32 {
    u32::try_from(length).expect("at most 1048577 frames were allowed")
}

/// Reads the fields of a header in order; its length was checked before.
struct HeaderFields<'a>(&'a [u8]);

impl HeaderFields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("the header has at least 198 bytes");
        self.0 = rest;
        *field
    }

    /// Check 5, then the frame lengths.
    fn frame_table(&mut self, header_length: usize) -> Result<Vec<u64>, EnvelopeError> {
        let count = u32::from_be_bytes(self.take()) as usize;
        check_frame_count(count)?;
        let expected = FIXED_BYTES + 8 * count;
        if header_length != expected {
            let (found, expected) = (u32_of(header_length), Some(u32_of(expected)));
            return Err(EnvelopeError::HeaderLength { found, expected });
        }
        Ok(self.0.as_chunks().0.iter().map(|length| u64::from_be_bytes(*length)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(frame_lengths: &[u64]) -> PublicHeader {
        let salt = B256::repeat_byte(3);
        let context = ImageContext::new(31337, Address::repeat_byte(1), Address::repeat_byte(2), salt);
        PublicHeader::new(&context, salt, [4; 32], [5; 32], frame_lengths.to_vec()).expect("a valid header")
    }

    /// The bytes of a good header of two frames, with `change` at `offset`.
    fn changed(offset: usize, change: &[u8]) -> Vec<u8> {
        let mut bytes = header(&[17, 2_147_483_664]).encode();
        bytes[offset..offset + change.len()].copy_from_slice(change);
        bytes
    }

    #[track_caller]
    fn refused(bytes: &[u8]) -> EnvelopeError {
        PublicHeader::decode(bytes).expect_err("this header is refused")
    }

    #[test]
    fn fields_stand_at_their_offsets() {
        let bytes = header(&[17, 18]).encode();
        assert_eq!(bytes.len(), 212);
        assert_eq!(bytes[..16], *b"MEDSEAL\n\0\x01\0\0\0\xc6\0\x01");
        assert_eq!(bytes[16..24], 31337_u64.to_be_bytes());
        assert_eq!((bytes[24], bytes[43], bytes[44], bytes[63], bytes[64], bytes[95]), (1, 1, 2, 2, 3, 3));
        assert_eq!((bytes[128], bytes[159], bytes[160], bytes[191]), (4, 4, 5, 5));
        assert_eq!(bytes[192..], *b"\0\0\0\x02\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0\x12");
    }

    #[test]
    fn every_shorter_header_is_truncated() {
        let bytes = header(&[17, 18, 19]).encode();
        for length in 0..bytes.len() {
            assert!(
                matches!(refused(&bytes[..length]), EnvelopeError::Truncated { found, .. } if found == length as u64)
            );
        }
        assert_eq!(PublicHeader::decode(&bytes).expect("whole").1, 220);
    }

    #[test]
    fn each_check_has_its_own_error() {
        use EnvelopeError as E;
        assert_eq!(refused(b"MEDSEAL\r"), E::BadMagic);
        assert_eq!(refused(b"P"), E::BadMagic);
        assert_eq!(refused(&changed(8, &[0, 2])), E::UnsupportedVersion { expected: 1, found: 2 });
        assert_eq!(refused(&changed(14, &[0, 2])), E::UnsupportedSuite { expected: 1, found: 2 });
        for found in [0, 197, 8_388_799, u32::MAX] {
            assert_eq!(refused(&changed(10, &found.to_be_bytes())), E::HeaderLength { found, expected: None });
        }
        let long = changed(10, &8_388_798_u32.to_be_bytes());
        assert_eq!(refused(&long), E::Truncated { expected: 8_388_812, found: 212 });
        for found in [0_u32, 1, 1_048_578, u32::MAX] {
            assert_eq!(refused(&changed(192, &found.to_be_bytes())), E::FrameCount { found: found.into() });
        }
        let miscounted = refused(&changed(192, &3_u32.to_be_bytes()));
        assert_eq!(miscounted, E::HeaderLength { found: 198, expected: Some(206) });
        for (offset, frame) in [(196, 0), (204, 1)] {
            for found in [0, 16, 2_147_483_665, u64::MAX] {
                assert_eq!(refused(&changed(offset, &found.to_be_bytes())), E::FrameLength { frame, found });
            }
        }
        for offset in [16, 24, 44, 64, 96] {
            assert!(matches!(refused(&changed(offset, &[0xee])), E::ImageIdMismatch { .. }), "offset {offset}");
        }
    }

    #[test]
    fn the_largest_frame_table_is_read_and_one_more_frame_is_refused() {
        let largest = header(&vec![17; 1_048_577]);
        assert_eq!(largest.encode().len(), 14 + 8_388_798);
        assert_eq!(PublicHeader::decode(&largest.encode()).expect("the largest").0, largest);
        let error = PublicHeader::new(&largest.context(), largest.salt, [0; 32], [0; 32], vec![17; 1_048_578]);
        assert_eq!(error, Err(EnvelopeError::FrameCount { found: 1_048_578 }));
    }

    #[test]
    fn a_header_is_not_made_with_limits_broken_or_for_another_image() {
        let good = header(&[17, 17]);
        let made = |context: ImageContext, lengths: &[u64]| {
            PublicHeader::new(&context, good.salt, [0; 32], [0; 32], lengths.to_vec())
        };
        assert_eq!(made(good.context(), &[17]), Err(EnvelopeError::FrameCount { found: 1 }));
        assert_eq!(made(good.context(), &[17, 16]), Err(EnvelopeError::FrameLength { frame: 1, found: 16 }));
        let other = ImageContext { chain_id: 1, ..good.context() };
        assert!(matches!(made(other, &[17, 17]), Err(EnvelopeError::ImageIdMismatch { .. })));
    }

    #[test]
    fn the_frames_fill_the_file() {
        let header = header(&[17, 18]);
        assert_eq!(header.file_length(), 212 + 35);
        assert_eq!(header.check_file_length(247), Ok(()));
        assert_eq!(header.check_file_length(246), Err(EnvelopeError::Truncated { expected: 247, found: 246 }));
        assert_eq!(header.check_file_length(248), Err(EnvelopeError::TrailingBytes { expected: 247, found: 248 }));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_and_nothing_else_is(
            lengths in prop::collection::vec(17_u64..=2_147_483_664, 2..20),
            at in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let header = header(&lengths);
            let bytes = header.encode();
            let (read, end) = PublicHeader::decode(&bytes).expect("as encoded");
            prop_assert_eq!((&read, end), (&header, bytes.len()));
            prop_assert_eq!(read.hash(), <[u8; 32]>::from(Sha256::digest(&bytes)));
            let mut flipped = bytes.clone();
            flipped[at.index(bytes.len())] ^= 1 << bit;
            if let Ok((read, end)) = PublicHeader::decode(&flipped) {
                prop_assert_eq!(read.encode(), &flipped[..end]);
                prop_assert!(read != header);
            }
        }
    }
}
