//! Writing a sealed image.

use super::description::Description;
use super::{EnvelopeError, ImageContext, PublicHeader};
use crate::cipher::{FrameCipher, ImageKey, Subkeys, TAG_BYTES, key_commitment};
use alloy::primitives::B256;
use std::borrow::Cow;

/// The parts of a sealed image.
#[derive(Debug)]
pub struct Sealing<'a> {
    /// The image's sender, registry, chain and id.
    pub context: &'a ImageContext,
    /// The salt in the context's image id.
    pub salt: B256,
    /// The image key.
    pub key: &'a ImageKey,
    /// SHA-256 of the model that made `Tout`.
    pub model_digest: [u8; 32],
    /// What the payload is.
    pub description: &'a Description,
    /// Samples or bytes: [`Description::payload_bytes`] of them.
    pub payload: &'a [u8],
}

/// Returns the sealed image (`FORMAT.md`, section 2): the same bytes for the same sealing.
///
/// # Errors
/// [`EnvelopeError`] where no reader would accept the result: a payload of another length than
/// described, a slice above 2 GiB, a salt that is not the image id's, an impossible description.
pub fn seal(sealing: &Sealing<'_>) -> Result<Vec<u8>, EnvelopeError> {
    let Sealing { context, salt, key, model_digest, description, payload } = *sealing;
    if description.payload_bytes() != payload.len() as u64 || payload.is_empty() {
        return Err(EnvelopeError::DescriptionField { field: "payload length", found: payload.len() as u64 });
    }
    let first = description.encode()?;
    let header = PublicHeader::new(
        context,
        salt,
        key_commitment(&context.image_id, key),
        model_digest,
        frame_lengths(first.len() as u64, description),
    )?;
    let cipher =
        FrameCipher::new(&Subkeys::derive(&context.image_id, key), header.hash(), header.frame_lengths.len() as u64);
    let mut sealed = header.encode();
    sealed.extend(cipher.seal_description(&first));
    for (frame, plain) in frames(description, payload) {
        sealed.extend(cipher.seal(frame, &plain, description.sample_bytes()));
    }
    Ok(sealed)
}

/// The plaintexts of frames 1 and up, each with its number; the last one of plain bytes is padded.
pub fn frames<'a>(
    description: &Description,
    payload: &'a [u8],
) -> impl Iterator<Item = (u64, Cow<'a, [u8]>)> + use<'a> {
    let (full, last, count) = description.frame_plan();
    let [full, last] = [full, last].map(|length| usize::try_from(length).expect("no longer than the payload"));
    (1_u64..).zip(payload.chunks(full)).map(move |(frame, chunk)| {
        if frame < count || chunk.len() == last {
            return (frame, Cow::Borrowed(chunk));
        }
        let mut padded = chunk.to_vec();
        padded.resize(last, 0);
        (frame, Cow::Owned(padded))
    })
}

/// The frame table: ciphertext and tag of the description, then of each frame.
fn frame_lengths(description_bytes: u64, description: &Description) -> Vec<u64> {
    let (full, last, count) = description.frame_plan();
    let plain = std::iter::once(description_bytes).chain((1..count).map(|_| full)).chain([last]);
    plain.map(|length| length + TAG_BYTES as u64).collect()
}
