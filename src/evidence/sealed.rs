//! Checks that a sealed image is the one that the evidence proves to be registered, byte for byte.

use super::{CheckedEvidence, Evidence, EvidenceError};
use crate::envelope::PublicHeader;
use alloy::primitives::B256;
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read};

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;
/// Bytes of the longest public part.
const MOST_HEADER: usize = 8_388_812;

/// Checks length, SHA-256 and public header of a sealed image against what is proven; the whole
/// file is read.
///
/// # Errors
/// `Sealed`; the outer error where it cannot be read.
pub fn check_sealed(
    evidence: &Evidence,
    checked: &CheckedEvidence,
    mut sealed: impl Read,
) -> std::io::Result<Result<(), EvidenceError>> {
    let (mut hash, mut length, mut front, mut chunk) = (Sha256::new(), 0_u64, Vec::new(), vec![0; CHUNK]);
    loop {
        let read = match sealed.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&chunk[..read]);
        length += read as u64;
        front.extend_from_slice(&chunk[..read.min(MOST_HEADER - front.len())]);
    }
    Ok(compare(evidence, checked, B256::from_slice(&hash.finalize()), length, &front))
}

fn compare(
    evidence: &Evidence,
    checked: &CheckedEvidence,
    hash: B256,
    length: u64,
    front: &[u8],
) -> Result<(), EvidenceError> {
    let image = &checked.history.image;
    let same = |what, expected: String, found: String| match expected == found {
        true => Ok(()),
        false => Err(EvidenceError::Sealed { what, expected, found }),
    };
    same("SHA-256", image.content_hash.to_string(), hash.to_string())?;
    same("length", image.size.to_string(), length.to_string())?;
    let no_header = |error: crate::envelope::EnvelopeError| EvidenceError::Sealed {
        what: "header",
        expected: "a public header".to_owned(),
        found: error.to_string(),
    };
    let (header, _) = PublicHeader::decode(front).map_err(no_header)?;
    same("header hash", image.header_hash.to_string(), B256::from(header.hash()).to_string())?;
    same("image id", evidence.image_id.to_string(), header.image_id.to_string())
}
