//! The list of leaves of an anchor: many images under one Merkle root (`FORMAT.md`, section 9).
//!
//! The tree is OpenZeppelin's standard tree: leaves hashed twice and sorted, pairs sorted. The list
//! is in the order of sealing.

mod rewrapped;

use alloy::primitives::{B256, keccak256};
use alloy::sol_types::SolValue;
use std::collections::HashSet;

pub use rewrapped::{RewrappedLeaf, RewrappedLeaves};

const MAGIC: [u8; 8] = *b"MEDLEAF\n";
const VERSION: u16 = 1;
const PREFIX_BYTES: usize = 14;
/// Bytes of a leaf without its CID: four hashes, its size, the CID's length.
const LEAF_BYTES: usize = 4 * 32 + 8 + 1;
/// Most bytes of a leaf's CID, as the contract takes it.
const MAX_CID_BYTES: usize = 64;

/// Why bytes are not a list of leaves, or leaves can't be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeavesError {
    /// It does not begin as one.
    #[error("not a list of leaves")]
    BadMagic,
    /// It ends inside a field.
    #[error("the list of leaves ends inside leaf {leaf}")]
    Truncated {
        /// Which leaf, from 0.
        leaf: usize,
    },
    /// Another version.
    #[error("expected version {VERSION} of a list of leaves, found {found}")]
    UnsupportedVersion {
        /// The version.
        found: u16,
    },
    /// None, or more than a root may count.
    #[error("expected 1 to 4294967295 leaves, found {found}")]
    Count {
        /// How many.
        found: usize,
    },
    /// A CID that no contract takes.
    #[error("leaf {leaf}: expected a cid of at most {MAX_CID_BYTES} bytes, found {found}")]
    CidLength {
        /// Which leaf, from 0.
        leaf: usize,
        /// Its bytes.
        found: usize,
    },
    /// Two leaves with one salt or one id: they would be one image.
    #[error("leaf {leaf} is of the same image as one before it")]
    Duplicate {
        /// The second, from 0.
        leaf: usize,
    },
    /// Something stands after the last leaf.
    #[error("expected no bytes after the last leaf, found {extra}")]
    TrailingBytes {
        /// How many.
        extra: usize,
    },
}

/// One image of an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The sealed image's salt.
    pub salt: B256,
    /// SHA-256 of the sealed image.
    pub content_hash: B256,
    /// SHA-256 of its capsules.
    pub capsules_hash: B256,
    /// SHA-256 of its public part.
    pub header_hash: B256,
    /// Its length in bytes.
    pub size: u64,
    /// Its binary CID; empty: raw, of `content_hash`.
    pub cid: Vec<u8>,
}

impl Leaf {
    /// The leaf's hash in the tree.
    pub fn hash(&self) -> B256 {
        let fields = (self.salt, self.content_hash, keccak256(&self.cid), self.capsules_hash, self.header_hash);
        let (salt, content_hash, cid_hash, capsules_hash, header_hash) = fields;
        let words = (salt, content_hash, cid_hash, capsules_hash, header_hash, self.size).abi_encode_params();
        keccak256(keccak256(words))
    }
}

/// The leaves of one anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaves(Vec<Leaf>);

impl Leaves {
    /// Returns the list of these leaves.
    ///
    /// # Errors
    /// [`LeavesError::Count`], [`LeavesError::CidLength`], [`LeavesError::Duplicate`].
    pub fn new(leaves: Vec<Leaf>) -> Result<Self, LeavesError> {
        if leaves.is_empty() || u32::try_from(leaves.len()).is_err() {
            return Err(LeavesError::Count { found: leaves.len() });
        }
        let mut salts = HashSet::new();
        for (index, leaf) in leaves.iter().enumerate() {
            if leaf.cid.len() > MAX_CID_BYTES {
                return Err(LeavesError::CidLength { leaf: index, found: leaf.cid.len() });
            }
            if !salts.insert(leaf.salt) {
                return Err(LeavesError::Duplicate { leaf: index });
            }
        }
        Ok(Self(leaves))
    }

    /// Reads a list of leaves.
    ///
    /// # Errors
    /// [`LeavesError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, LeavesError> {
        Self::new(read_list(bytes, &MAGIC, read_leaf)?)
    }

    /// Returns the bytes of this list.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &VERSION.to_be_bytes(), &self.count().to_be_bytes()].concat();
        for leaf in &self.0 {
            for hash in [leaf.salt, leaf.content_hash, leaf.capsules_hash, leaf.header_hash] {
                bytes.extend_from_slice(hash.as_slice());
            }
            bytes.extend_from_slice(&leaf.size.to_be_bytes());
            bytes.push(u8::try_from(leaf.cid.len()).expect("at most 64"));
            bytes.extend_from_slice(&leaf.cid);
        }
        bytes
    }

    /// Bytes of the longest list of so many leaves.
    pub fn most_bytes(count: u32) -> u64 {
        PREFIX_BYTES as u64 + u64::from(count) * (LEAF_BYTES + MAX_CID_BYTES) as u64
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).expect("checked when it was made")
    }

    /// The leaves, in their order.
    pub fn leaves(&self) -> &[Leaf] {
        &self.0
    }

    /// The Merkle root.
    pub fn root(&self) -> B256 {
        self.tree().0[0]
    }

    /// The sibling hashes of a leaf, from it up to the root; none for a leaf that is not there.
    pub fn proof(&self, leaf: usize) -> Option<Vec<B256>> {
        let hash = self.0.get(leaf)?.hash();
        let (tree, first) = self.tree();
        let mut at = first + tree[first..].iter().position(|node| *node == hash)?;
        let mut proof = Vec::new();
        while at > 0 {
            // A left child has an odd number.
            proof.push(tree[if at % 2 == 1 { at + 1 } else { at - 1 }]);
            at = (at - 1) / 2;
        }
        Some(proof)
    }

    fn tree(&self) -> (Vec<B256>, usize) {
        tree(self.0.iter().map(Leaf::hash).collect())
    }
}

/// All nodes, the root first, the sorted leaves backwards at the end; and where those begin.
fn tree(mut leaves: Vec<B256>) -> (Vec<B256>, usize) {
    leaves.sort_unstable_by(|a, b| b.cmp(a));
    let first = leaves.len() - 1;
    let mut tree = vec![B256::ZERO; first];
    tree.append(&mut leaves);
    for node in (0..first).rev() {
        let (a, b) = (tree[2 * node + 1], tree[2 * node + 2]);
        let pair = if a < b { [a, b] } else { [b, a] };
        tree[node] = keccak256(pair.concat());
    }
    (tree, first)
}

/// Reads the leaves of a list that begins with this magic.
fn read_list<T>(
    bytes: &[u8],
    magic: &[u8; 8],
    read_leaf: impl Fn(&mut &[u8], usize) -> Result<T, LeavesError>,
) -> Result<Vec<T>, LeavesError> {
    let begin = &bytes[..bytes.len().min(magic.len())];
    if begin != &magic[..begin.len()] {
        return Err(LeavesError::BadMagic);
    }
    let mut rest = bytes;
    let [.., v1, v0, c3, c2, c1, c0] = *take::<PREFIX_BYTES>(&mut rest, 0)?;
    let (version, count) = (u16::from_be_bytes([v1, v0]), u32::from_be_bytes([c3, c2, c1, c0]));
    if version != VERSION {
        return Err(LeavesError::UnsupportedVersion { found: version });
    }
    // Not allocated by what the count says: each leaf is read first.
    let mut leaves = Vec::new();
    for leaf in 0..count as usize {
        leaves.push(read_leaf(&mut rest, leaf)?);
    }
    if !rest.is_empty() {
        return Err(LeavesError::TrailingBytes { extra: rest.len() });
    }
    Ok(leaves)
}

fn take<'a, const N: usize>(rest: &mut &'a [u8], leaf: usize) -> Result<&'a [u8; N], LeavesError> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(LeavesError::Truncated { leaf })?;
    *rest = after;
    Ok(taken)
}

fn read_leaf(rest: &mut &[u8], leaf: usize) -> Result<Leaf, LeavesError> {
    let mut hash = || take::<32>(rest, leaf).map(|bytes| B256::from(*bytes));
    let (salt, content_hash, capsules_hash, header_hash) = (hash()?, hash()?, hash()?, hash()?);
    let size = u64::from_be_bytes(*take::<8>(rest, leaf)?);
    let [length] = *take::<1>(rest, leaf)?;
    let length = usize::from(length);
    if length > MAX_CID_BYTES {
        return Err(LeavesError::CidLength { leaf, found: length });
    }
    let (cid, after) = rest.split_at_checked(length).ok_or(LeavesError::Truncated { leaf })?;
    *rest = after;
    Ok(Leaf { salt, content_hash, capsules_hash, header_hash, size, cid: cid.to_vec() })
}

#[cfg(test)]
mod tests;
