//! Content identifiers: one spelling for each content, computed here.

use std::fmt;
use std::str::FromStr;

use multihash::Multihash;
use sha2::{Digest, Sha256};

/// Most bytes of a binary CID that are looked at; ours have 36.
pub const MAX_CID_BYTES: usize = 64;
/// Most characters of a CID in text that are looked at; ours have 59.
pub const MAX_CID_CHARS: usize = 64;

const SHA2_256: u64 = 0x12;
const DIGEST_BYTES: usize = 32;

/// What a block holds, as its CID says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// File bytes and nothing else (multicodec `0x55`).
    Raw,
    /// UnixFS index: links to other blocks (multicodec `0x70`).
    DagPb,
}

impl Codec {
    /// The multicodec: `0x55` or `0x70`.
    pub const fn code(self) -> u64 {
        match self {
            Self::Raw => 0x55,
            Self::DagPb => 0x70,
        }
    }

    fn from_code(code: u64) -> Option<Self> {
        [Self::Raw, Self::DagPb].into_iter().find(|codec| codec.code() == code)
    }
}

/// The address of content: CIDv1 over SHA-256, of a raw block or of a UnixFS index. Nothing else is
/// a `Cid`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    codec: Codec,
    digest: [u8; DIGEST_BYTES],
}

/// Why something is not a [`Cid`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CidError {
    /// More than any CID of ours has; the rest is not looked at.
    #[error("expected a cid of at most {limit}, found {found} bytes")]
    TooLong {
        /// [`MAX_CID_BYTES`] or [`MAX_CID_CHARS`].
        limit: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// A path, or a CID and a path after it.
    #[error("expected a bare cid, found a path")]
    Path,
    /// CIDv0 (a bare multihash), or a version that does not exist.
    #[error("expected a cid of version 1, found another version")]
    Version,
    /// A multibase other than lower-case base32.
    #[error("expected a cid in base32 (prefix 'b'), found prefix {found:?}")]
    Base {
        /// First character.
        found: char,
    },
    /// Upper-case letters: the same CID has one spelling here.
    #[error("expected a cid in lower case")]
    UpperCase,
    /// A codec other than raw and dag-pb.
    #[error("expected codec 0x55 (raw) or 0x70 (dag-pb), found {found:#x}")]
    Codec {
        /// Multicodec.
        found: u64,
    },
    /// A hash other than SHA-256, `identity` (0x0) included.
    #[error("expected hash 0x12 (sha2-256), found {found:#x}")]
    Hash {
        /// Multihash code.
        found: u64,
    },
    /// SHA-256, but cut or stretched.
    #[error("expected a digest of 32 bytes, found {found}")]
    DigestLength {
        /// Bytes of the digest.
        found: u8,
    },
    /// Something stands after the CID.
    #[error("expected no bytes after the cid, found {extra}")]
    Trailing {
        /// Bytes (of text: characters) too many.
        extra: usize,
    },
    /// It decodes, but is not how this CID is written.
    #[error("the cid is not in its one canonical form")]
    NotCanonical,
    /// It does not decode at all.
    #[error("not a cid")]
    Malformed(#[source] ::cid::Error),
}

impl Cid {
    /// Returns the address of one block.
    pub fn of_block(codec: Codec, block: &[u8]) -> Self {
        Self { codec, digest: Sha256::digest(block).into() }
    }

    /// What the block behind this address holds.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// SHA-256 of the block behind this address.
    pub fn digest(&self) -> &[u8; DIGEST_BYTES] {
        &self.digest
    }

    /// The binary form, 36 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.wide().to_bytes()
    }

    /// Returns the CID that `bytes` are, all of them.
    ///
    /// # Errors
    /// [`CidError`] for everything but the one binary form of a CIDv1 over SHA-256 with codec raw
    /// or dag-pb.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        if bytes.len() > MAX_CID_BYTES {
            return Err(CidError::TooLong { limit: MAX_CID_BYTES, found: bytes.len() });
        }
        let cid = Self::narrow(&::cid::Cid::try_from(bytes).map_err(malformed)?)?;
        // The crate reads a prefix and says nothing about the rest.
        one_form(&cid.to_bytes(), bytes).map(|()| cid)
    }

    /// The same CID as the crates around us know it.
    pub(super) fn wide(&self) -> ::cid::Cid {
        let hash = Multihash::wrap(SHA2_256, &self.digest).expect("a digest of 32 bytes fits into 64");
        ::cid::Cid::new_v1(self.codec.code(), hash)
    }

    /// Returns `wide` if it is one of ours. How it was written is for the caller to check.
    pub(super) fn narrow(wide: &::cid::Cid) -> Result<Self, CidError> {
        if wide.version() != ::cid::Version::V1 {
            return Err(CidError::Version);
        }
        let codec = Codec::from_code(wide.codec()).ok_or(CidError::Codec { found: wide.codec() })?;
        let hash = wide.hash();
        if hash.code() != SHA2_256 {
            return Err(CidError::Hash { found: hash.code() });
        }
        let digest = hash.digest().try_into().map_err(|_| CidError::DigestLength { found: hash.size() })?;
        Ok(Self { codec, digest })
    }
}

/// Says whether `found` is exactly the canonical form.
fn one_form(canonical: &[u8], found: &[u8]) -> Result<(), CidError> {
    match found.strip_prefix(canonical) {
        Some([]) => Ok(()),
        Some(rest) => Err(CidError::Trailing { extra: rest.len() }),
        None => Err(CidError::NotCanonical),
    }
}

fn malformed(error: ::cid::Error) -> CidError {
    match error {
        ::cid::Error::InvalidCidVersion | ::cid::Error::InvalidExplicitCidV0 => CidError::Version,
        error => CidError::Malformed(error),
    }
}

impl FromStr for Cid {
    type Err = CidError;

    fn from_str(text: &str) -> Result<Self, CidError> {
        if text.contains(['/', '\\']) {
            return Err(CidError::Path);
        }
        if text.len() > MAX_CID_CHARS {
            return Err(CidError::TooLong { limit: MAX_CID_CHARS, found: text.len() });
        }
        if ::cid::Version::is_v0_str(text) {
            return Err(CidError::Version);
        }
        match text.chars().next() {
            None => return Err(CidError::Malformed(::cid::Error::InputTooShort)),
            Some('B') => return Err(CidError::UpperCase),
            Some('b') => {}
            Some(found) => return Err(CidError::Base { found }),
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(CidError::UpperCase);
        }
        let cid = Self::narrow(&::cid::Cid::try_from(text).map_err(malformed)?)?;
        let canonical = cid.to_string();
        // In base32 the last character of a CID changes when bytes follow it.
        if text.len() > canonical.len() {
            return Err(CidError::Trailing { extra: text.len() - canonical.len() });
        }
        one_form(canonical.as_bytes(), text.as_bytes()).map(|()| cid)
    }
}

/// Lower-case base32, 59 characters.
impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wide().fmt(f)
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cid({self})")
    }
}

#[cfg(test)]
mod tests;
