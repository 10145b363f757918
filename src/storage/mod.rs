//! Stores of sealed images: content under its IPFS address (section 4.1 of the paper, "Cloud
//! Server").
//!
//! A [`Store`] is a folder on this machine ([`LocalStore`]) or IPFS nodes ([`KuboStore`]);
//! [`AnyStore`] is one of the two. The address is computed here, never taken from a node, so the
//! same bytes have the same [`Cid`] in every store. A store keeps what it is given and knows
//! nothing of images.

mod any;
mod car;
mod cid;
pub mod kubo;
mod local;
mod unixfs;

use std::future::Future;

pub use any::AnyStore;
pub use car::{CarError, Moved};
pub use cid::{Cid, CidError, Codec, MAX_CID_BYTES, MAX_CID_CHARS};
pub use kubo::{Failures, IpfsError, KuboStore, TooFew};
pub use local::LocalStore;
pub use unixfs::blocks;

/// Most bytes of one object: 4 GiB. They pass through memory as a whole.
pub const MAX_OBJECT_BYTES: u64 = 4 << 30;

/// Whether a store keeps an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinState {
    /// It is kept until it is removed.
    Pinned,
    /// It is kept at fewer nodes than it should.
    TooFew {
        /// At how many nodes it is pinned.
        found: usize,
        /// At how many it should be.
        wanted: usize,
    },
    /// It is not kept: never put here, removed, or a put that did not end. Some of its blocks may
    /// be here all the same.
    Unpinned,
}

/// An object as a store holds it, right or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Its bytes, **unchecked**.
    pub bytes: Vec<u8>,
    /// The first block whose bytes do not match its address, in the order of the file and indices
    /// before what they link to.
    ///
    /// It can be there although `bytes` are right: a store that puts the whole content in the place
    /// of an index, or moves bytes from one leaf to the next, has them all, but not under the
    /// addresses that [`Store::get`] demands.
    pub altered: Option<Cid>,
}

/// What a store holds of an object, right or wrong, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digested {
    /// SHA-256 of its bytes; of the first `bytes` ones, where reading ended at the first byte too
    /// many.
    pub sha256: [u8; 32],
    /// How many were read: at most one more than was asked for.
    pub bytes: u64,
    /// The first block among them whose bytes do not match its address, as in
    /// [`Observed::altered`].
    pub altered: Option<Cid>,
}

/// How long an object may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many bytes or fewer.
    AtMost(u64),
    /// So many.
    Exactly(u64),
}

impl Length {
    /// Checks how long an object is that was read.
    ///
    /// # Errors
    /// [`StoreError::Size`], [`StoreError::Limit`].
    fn check(self, cid: &Cid, found: u64) -> Result<(), StoreError> {
        match self {
            Self::AtMost(limit) if found > limit => Err(StoreError::Limit { cid: *cid, what: "bytes", limit }),
            Self::Exactly(expected) if found != expected => Err(StoreError::Size { cid: *cid, expected, found }),
            Self::AtMost(_) | Self::Exactly(_) => Ok(()),
        }
    }
}

/// A place that keeps objects under their address.
pub trait Store: Send + Sync {
    /// Returns the address of `bytes` after they were stored and pinned and would survive a power
    /// cut (at a node: if its settings say so).
    ///
    /// Putting the same bytes again, at the same time too, is fine and mends blocks that were
    /// damaged since.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], found before anything is done; [`StoreError::Unwritable`],
    /// [`StoreError::Unavailable`]: what was written of it by then is not pinned.
    /// [`StoreError::Node`], [`StoreError::TooFewReplicas`]: some nodes may have pinned it.
    fn put(&self, bytes: &[u8]) -> impl Future<Output = Result<Cid, StoreError>> + Send;

    /// Returns the object, each block checked against its address and the whole against
    /// `expected_sha256`.
    ///
    /// # Errors
    /// [`StoreError::BlockAltered`] or [`StoreError::ContentMismatch`] if the store holds something
    /// else, [`StoreError::NotFound`] if a block is not here, [`StoreError::Unavailable`],
    /// [`StoreError::Node`] or [`StoreError::NoNode`] if that cannot be told now,
    /// [`StoreError::NotAFile`] or [`StoreError::Limit`] if `cid` is not the address of anything
    /// that [`Store::put`] makes.
    fn get(&self, cid: &Cid, expected_sha256: &[u8; 32]) -> impl Future<Output = Result<Vec<u8>, StoreError>> + Send {
        self.get_of_length(cid, expected_sha256, Length::AtMost(MAX_OBJECT_BYTES))
    }

    /// As [`Store::get`], of an object whose length is known: no more than that is read and held,
    /// and one block.
    ///
    /// # Errors
    /// Those of [`Store::get`]; [`StoreError::Size`] if it has another length,
    /// [`StoreError::Limit`] if it has more than it may.
    fn get_of_length(
        &self,
        cid: &Cid,
        expected_sha256: &[u8; 32],
        length: Length,
    ) -> impl Future<Output = Result<Vec<u8>, StoreError>> + Send;

    /// As [`Store::get_of_length`], of an object of which only the address is known.
    ///
    /// # Errors
    /// Those of [`Store::get_of_length`], but for [`StoreError::ContentMismatch`].
    fn get_by_address(&self, cid: &Cid, length: Length) -> impl Future<Output = Result<Vec<u8>, StoreError>> + Send;

    /// Returns the object as the store holds it, **unchecked**: for verification, which hashes and
    /// reports it.
    ///
    /// A block that does not match its address stands for its own bytes, and the first such block
    /// is named. If it was an index, what it claims to link to is not read. Even so, all bytes
    /// together can be those of the object: that their hash is right does not mean that
    /// [`Store::get`] returns them.
    ///
    /// # Errors
    /// As [`Store::get`], but never [`StoreError::BlockAltered`] and
    /// [`StoreError::ContentMismatch`].
    fn fetch_observed(&self, cid: &Cid) -> impl Future<Output = Result<Observed, StoreError>> + Send;

    /// As [`Store::fetch_observed`], but hashed as it comes: no more than one block is held,
    /// whatever the store serves. Reading ends at the first byte after `most`.
    ///
    /// # Errors
    /// Those of [`Store::fetch_observed`].
    fn digest_observed(&self, cid: &Cid, most: u64) -> impl Future<Output = Result<Digested, StoreError>> + Send;

    /// Returns whether the store keeps `cid`. Its blocks are not read: [`Store::get`] checks them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Node`], [`StoreError::NoNode`].
    fn pin_state(&self, cid: &Cid) -> impl Future<Output = Result<PinState, StoreError>> + Send;

    /// Unpins `cid` and deletes those of its blocks that no other pinned object has; a node does
    /// that when it next collects its garbage.
    ///
    /// The store knows nothing of records: the caller must know that none needs this object any
    /// more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not pinned; [`StoreError::PinDamaged`] if a pin, this or
    /// another, cannot be read, for then it is not known what may go; [`StoreError::Unwritable`],
    /// [`StoreError::Unavailable`]; [`StoreError::Node`], [`StoreError::NoNode`]: it may still be
    /// pinned there.
    fn remove(&self, cid: &Cid) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Why a store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store works, and this is not in it.
    #[error("{block} is not in the store (object {cid})")]
    NotFound {
        /// The object asked for.
        cid: Cid,
        /// The block that is missing; the object itself, if it is that.
        block: Cid,
    },
    /// The store cannot be reached, read or written now: nothing is known about its content.
    #[error("the store is not available: {what}")]
    Unavailable {
        /// What failed, without a path.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The store's folder cannot be made or written.
    #[error("the store cannot be written: {what}")]
    Unwritable {
        /// What failed, without a path.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The store holds other bytes under a block's address.
    #[error("block {block} does not match its address (object {cid})")]
    BlockAltered {
        /// The object asked for.
        cid: Cid,
        /// The block whose bytes have another hash.
        block: Cid,
    },
    /// Every block matches its address, but the object is not the one expected.
    #[error("expected {cid} to have sha-256 {}, found {}", Hex(expected), Hex(found))]
    ContentMismatch {
        /// The object asked for.
        cid: Cid,
        /// SHA-256 asked for.
        expected: [u8; 32],
        /// SHA-256 of what the store holds.
        found: [u8; 32],
    },
    /// The object has another length than it should; a store is read no further than that shows.
    #[error("expected {cid} to have {expected} bytes, found {}{found}", if found > expected { "at least " } else { "" })]
    Size {
        /// The object asked for.
        cid: Cid,
        /// As many it should have: as many were signed.
        expected: u64,
        /// As many were read.
        found: u64,
    },
    /// A block matches its address, but is no UnixFS file of raw leaves.
    #[error("block {block} is not part of a unixfs file of raw leaves (object {cid})")]
    NotAFile {
        /// The object asked for.
        cid: Cid,
        /// The block that is something else.
        block: Cid,
    },
    /// The address leads to something larger than any object here.
    #[error("{cid} has more than {limit} {what}")]
    Limit {
        /// The object asked for.
        cid: Cid,
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// The bytes to be put are too many.
    #[error("expected at most {limit} bytes, found {found}")]
    TooLarge {
        /// [`MAX_OBJECT_BYTES`].
        limit: u64,
        /// What was given.
        found: u64,
    },
    /// A node is at fault, or cannot be asked.
    #[error("IPFS node {node}")]
    Node {
        /// Where it listens.
        node: String,
        /// What went wrong.
        source: IpfsError,
    },
    /// None of several nodes has the object in order.
    #[error("no node gave {cid}: {failures}")]
    NoNode {
        /// The object asked for.
        cid: Cid,
        /// What went wrong at each.
        failures: Failures,
    },
    /// The object is at fewer nodes than it should be.
    #[error("{0}")]
    TooFewReplicas(Box<TooFew>),
    /// A file is not a CAR file of complete objects as this program makes them.
    #[error("not a CAR file of whole objects: {0}")]
    Car(#[source] CarError),
    /// The list of a pinned object's blocks is damaged.
    #[error("the pin of {cid} is damaged; putting the object again repairs it")]
    PinDamaged {
        /// The pinned object.
        cid: Cid,
    },
}

impl StoreError {
    /// Whether nothing is known about the object: the store, or one of its nodes, could not be
    /// asked.
    pub fn says_nothing(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Node { .. } | Self::NoNode { .. } | Self::TooFewReplicas(_))
    }
}

/// Lower-case hex, for messages.
struct Hex<'a>(&'a [u8; 32]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod testing {
    /// The fill `pattern` of `tests/oracles/cids.mjs`: byte i is (31 i + 7) mod 251. No two chunks
    /// are alike.
    pub(super) fn pattern(size: usize) -> Vec<u8> {
        (0..size).map(|i| u8::try_from((31 * i + 7) % 251).expect("below 251")).collect()
    }
}
