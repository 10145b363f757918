//! The list of capsules that a KGC wrapped anew and anchored (`FORMAT.md`, section 11): the same
//! tree over other leaves.

use super::{LeavesError, PREFIX_BYTES, VERSION, read_list, take, tree};
use alloy::primitives::{B256, keccak256};
use alloy::sol_types::SolValue;
use std::collections::HashSet;

const MAGIC: [u8; 8] = *b"MEDWRAP\n";
const LEAF_BYTES: usize = 64;

/// The capsules of one image, wrapped anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RewrappedLeaf {
    /// The image.
    pub image_id: B256,
    /// SHA-256 of its capsules, under whose raw CID they are stored.
    pub capsules_hash: B256,
}

impl RewrappedLeaf {
    /// The leaf's hash in the tree.
    pub fn hash(&self) -> B256 {
        keccak256(keccak256((self.image_id, self.capsules_hash).abi_encode_params()))
    }
}

/// The leaves of one anchor of capsules, one for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrappedLeaves(Vec<RewrappedLeaf>);

impl RewrappedLeaves {
    /// Returns the list of these leaves.
    ///
    /// # Errors
    /// [`LeavesError::Count`], [`LeavesError::Duplicate`].
    pub fn new(leaves: Vec<RewrappedLeaf>) -> Result<Self, LeavesError> {
        if leaves.is_empty() || u32::try_from(leaves.len()).is_err() {
            return Err(LeavesError::Count { found: leaves.len() });
        }
        let mut images = HashSet::new();
        match leaves.iter().position(|leaf| !images.insert(leaf.image_id)) {
            Some(leaf) => Err(LeavesError::Duplicate { leaf }),
            None => Ok(Self(leaves)),
        }
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`LeavesError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, LeavesError> {
        Self::new(read_list(bytes, &MAGIC, |rest, leaf| {
            let [image_id, capsules_hash] = [*take::<32>(rest, leaf)?, *take::<32>(rest, leaf)?].map(B256::from);
            Ok(RewrappedLeaf { image_id, capsules_hash })
        })?)
    }

    /// Returns the bytes of this list.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &VERSION.to_be_bytes(), &self.count().to_be_bytes()].concat();
        for leaf in &self.0 {
            bytes.extend_from_slice(leaf.image_id.as_slice());
            bytes.extend_from_slice(leaf.capsules_hash.as_slice());
        }
        bytes
    }

    /// Bytes of a list of so many leaves.
    pub fn bytes_of(count: u32) -> u64 {
        PREFIX_BYTES as u64 + u64::from(count) * LEAF_BYTES as u64
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).expect("checked when it was made")
    }

    /// The leaves, in their order.
    pub fn leaves(&self) -> &[RewrappedLeaf] {
        &self.0
    }

    /// The Merkle root.
    pub fn root(&self) -> B256 {
        tree(self.0.iter().map(RewrappedLeaf::hash).collect()).0[0]
    }
}
