//! Why bytes are not key capsules, or give no image key.

use alloy::primitives::B256;

use super::shamir::ShamirError;

/// What is wrong with key capsules: the names and the order of `FORMAT.md`, section 7.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CapsuleError {
    /// The first bytes are not the magic.
    #[error("not key capsules: they do not begin with the magic bytes")]
    BadMagic,
    /// The bytes end too early.
    #[error("the key capsules are cut short: expected {expected} bytes, found {found}")]
    Truncated {
        /// Bytes needed, as far as known here.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// Another version of the format.
    #[error("expected key capsules of version {expected}, found {found}")]
    UnsupportedVersion {
        /// The version that this program reads.
        expected: u16,
        /// The version of the bytes.
        found: u16,
    },
    /// A number of stanzas outside its limits.
    #[error("expected 1 to 1024 stanzas, found {found}")]
    StanzaCount {
        /// The number of stanzas.
        found: usize,
    },
    /// A body longer than 4096 bytes, or not as long as its type asks for.
    #[error("stanza {stanza} of type {kind} has a body of {found} bytes")]
    StanzaLength {
        /// Index of the stanza.
        stanza: usize,
        /// Its type code.
        kind: u8,
        /// Length of its body in bytes.
        found: usize,
    },
    /// Two stanzas for one holder.
    #[error("stanza {stanza} is for the same holder as one before")]
    DuplicateStanza {
        /// Index of the second one.
        stanza: usize,
    },
    /// Bytes follow the last stanza.
    #[error("bytes follow the last stanza: expected {expected} bytes, found {found}")]
    TrailingBytes {
        /// Bytes that the stanzas account for.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// Shares and their commitments that do not belong together.
    #[error("the shares in the key capsules do not belong together: {reason}")]
    ShareSet {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// No stanza is for this holder.
    #[error("no capsule is for the holder of key {key_id}, epoch {epoch}")]
    NoMatchingStanza {
        /// The holder's key id.
        key_id: B256,
        /// The epoch of its key.
        epoch: u32,
    },
    /// The stanza was changed, or made for another image, chain, registry, sender or key.
    #[error("the capsule is not authentic for this image and this key")]
    CapsuleNotAuthentic,
    /// The key in the capsule does not give the key commitment.
    #[error("the image key is not the one that the header commits to")]
    WrongKey,
    /// The share is not the one that the sender committed to.
    #[error("share {index} of the image key is not the one that the sender committed to")]
    ShareMismatch {
        /// Number of the share.
        index: u8,
    },
    /// A key that cannot be shared so, or shares that give no key.
    #[error("the image key cannot be shared, or be put together")]
    Shamir(#[from] ShamirError),
    /// Not an X25519 public key that anything may be sealed to: of low order, or not canonical.
    #[error("not a usable X25519 public key: {reason}")]
    PublicKey {
        /// What is wrong with it.
        reason: &'static str,
    },
}
