//! For whom a capsule is.

use alloy::primitives::B256;

/// The holder that a stanza is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Holder {
    /// A Key Generation Center, which releases the key to whom the chain allows.
    Kgc {
        /// Its id on chain.
        id: B256,
        /// Epoch of its key.
        epoch: u32,
    },
    /// A reader, who keeps the key for ever.
    Reader {
        /// [`key_id`](super::X25519Public::key_id) of its key.
        key_id: B256,
    },
    /// A recovery key, kept offline.
    Recovery {
        /// [`key_id`](super::X25519Public::key_id) of its key.
        key_id: B256,
    },
    /// One of several KGCs, each of which holds a share of the key.
    Share {
        /// Its id on chain.
        id: B256,
        /// Epoch of its key.
        epoch: u32,
        /// Number of the share.
        index: u8,
        /// How many shares give the key.
        threshold: u8,
    },
}

impl Holder {
    /// Type code, key id, epoch.
    pub(super) fn address(&self) -> (u8, B256, u32) {
        match *self {
            Self::Kgc { id, epoch } => (1, id, epoch),
            Self::Reader { key_id } => (2, key_id, 0),
            Self::Recovery { key_id } => (3, key_id, 0),
            Self::Share { id, epoch, .. } => (4, id, epoch),
        }
    }

    /// Share index and threshold; zero for everybody but holders of shares.
    pub(super) fn share(&self) -> [u8; 2] {
        match *self {
            Self::Share { index, threshold, .. } => [index, threshold],
            _ => [0, 0],
        }
    }
}
