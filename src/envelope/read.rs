//! Reading a sealed image.

use super::description::{Description, Layout, check_zeros};
use super::{EnvelopeError, PublicHeader};
use crate::cipher::{CipherError, FrameCipher, ImageKey, Subkeys, TAG_BYTES, key_commitment};
use std::ops::Range;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The bytes of a sealed image, read as far as it goes without the key.
#[derive(Debug)]
pub struct SealedImage<'a> {
    header: PublicHeader,
    frames: Vec<&'a [u8]>,
}

/// What a sealed image held.
pub struct Opened {
    /// What the payload is.
    pub description: Description,
    /// Samples or bytes, without padding.
    pub payload: Zeroizing<Vec<u8>>,
}

impl<'a> SealedImage<'a> {
    /// Reads the public part: checks 1 to 8 of `FORMAT.md`, section 2. Says nothing yet about who
    /// made it.
    ///
    /// # Errors
    /// [`EnvelopeError`], by the name of the first check that fails.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        let (header, end) = PublicHeader::decode(bytes)?;
        header.check_file_length(bytes.len() as u64)?;
        let mut rest = &bytes[end..];
        let mut frames = Vec::with_capacity(header.frame_lengths.len());
        for length in &header.frame_lengths {
            let (frame, others) = rest.split_at(usize::try_from(*length).expect("no longer than the file"));
            frames.push(frame);
            rest = others;
        }
        Ok(Self { header, frames })
    }

    /// The public header.
    pub fn header(&self) -> &PublicHeader {
        &self.header
    }

    /// The ciphertexts of frames 1 and up, one after the other, without their tags: what the
    /// statistics are taken of.
    pub fn ciphertext(&self) -> Vec<u8> {
        self.frames[1..].iter().flat_map(|frame| &frame[..frame.len() - TAG_BYTES]).copied().collect()
    }

    /// Opens every frame: checks 9 to 12.
    ///
    /// # Errors
    /// [`EnvelopeError`], by the name of the first check that fails; nothing is given out before
    /// all have passed.
    pub fn open(&self, key: &ImageKey) -> Result<Opened, EnvelopeError> {
        self.open_frames(key, 1..self.frames.len())
    }

    /// Opens the description alone.
    ///
    /// # Errors
    /// As [`SealedImage::open`].
    pub fn describe(&self, key: &ImageKey) -> Result<Description, EnvelopeError> {
        Ok(self.open_frames(key, 0..0)?.description)
    }

    fn open_frames(&self, key: &ImageKey, wanted: Range<usize>) -> Result<Opened, EnvelopeError> {
        let header = &self.header;
        let commitment = key_commitment(&header.image_id, key);
        if !bool::from(commitment.ct_eq(&header.key_commitment)) {
            return Err(EnvelopeError::WrongKey);
        }
        let cipher = FrameCipher::new(&Subkeys::derive(&header.image_id, key), header.hash(), self.frames.len() as u64);
        let description = Description::decode(&cipher.open_description(self.frames[0])?)?;
        self.check_frame_table(&description)?;
        let mut payload = Zeroizing::new(Vec::with_capacity(self.frames[wanted.clone()].iter().map(|f| f.len()).sum()));
        for index in wanted {
            payload.extend_from_slice(&cipher.open(index as u64, self.frames[index], description.sample_bytes())?);
        }
        if let Layout::Bytes { length } = description.layout
            && payload.len() as u64 > length
        {
            let last = self.frames.len() - 1;
            let start = payload.len() - (self.frames[last].len() - TAG_BYTES);
            check_zeros(last as u64, &payload[start..], length - start as u64)?;
            payload.truncate(usize::try_from(length).expect("no longer than the padded payload"));
        }
        Ok(Opened { description, payload })
    }

    fn check_frame_table(&self, description: &Description) -> Result<(), EnvelopeError> {
        let (full, last, count) = description.frame_plan();
        let found = self.frames.len() as u64 - 1;
        if found != count {
            return Err(EnvelopeError::FrameTable { what: "frames", expected: count, found });
        }
        for (index, frame) in (1..).zip(&self.frames[1..]) {
            let expected = if index == count { last } else { full };
            let found = (frame.len() - TAG_BYTES) as u64;
            if found != expected {
                return Err(EnvelopeError::FrameTable { what: "frame length", expected, found });
            }
        }
        Ok(())
    }
}

impl From<CipherError> for EnvelopeError {
    fn from(CipherError::FrameNotAuthentic { frame }: CipherError) -> Self {
        Self::FrameNotAuthentic { frame }
    }
}
