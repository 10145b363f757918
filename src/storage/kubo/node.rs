//! One node: an object put there and checked, or read from there block by block.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::error::Error;

use sha2::{Digest, Sha256};

use super::calls::Reach;
use super::endpoint::{Deadlines, Endpoint, Token};
use super::error::IpfsError;
use super::rpc::KuboRpc;
use crate::storage::unixfs::{BlockWalk, MAX_BLOCK_BYTES, each_block};
use crate::storage::{Cid, Length, StoreError};

/// An object to be put: its bytes, its address, and the addresses of all its blocks.
pub(super) struct Object<'a> {
    pub(super) cid: Cid,
    bytes: &'a [u8],
    blocks: BTreeSet<Cid>,
}

impl<'a> Object<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let mut blocks = BTreeSet::new();
        let listed = each_block(bytes, |cid, _| {
            blocks.insert(cid);
            Ok::<(), Infallible>(())
        });
        let cid = listed.unwrap_or_else(|never| match never {});
        Self { cid, bytes, blocks }
    }
}

/// A node of a store.
#[derive(Debug)]
pub(super) struct KuboNode {
    name: String,
    pub(super) rpc: KuboRpc,
}

impl KuboNode {
    pub(super) fn new(endpoint: Endpoint, token: Option<Token>, deadlines: Deadlines) -> Self {
        Self { name: endpoint.to_string(), rpc: KuboRpc::new(endpoint, token, deadlines) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What went wrong here, on one line that names the node.
    pub(super) fn describe(&self, error: &StoreError) -> String {
        describe(&self.name, error)
    }

    /// The error of a call, with this node's name.
    pub(super) fn error(&self, source: IpfsError) -> StoreError {
        StoreError::Node { node: self.name.clone(), source }
    }

    pub(super) async fn is_pinned(&self, cid: &Cid) -> Result<bool, StoreError> {
        self.rpc.is_pinned(cid).await.map_err(|error| self.error(error))
    }

    pub(super) async fn unpin(&self, cid: &Cid) -> Result<bool, StoreError> {
        self.rpc.unpin(cid).await.map_err(|error| self.error(error))
    }

    /// Adds and pins an object, and reads all of it back; blocks that were altered since an earlier
    /// time are replaced.
    ///
    /// # Errors
    /// [`StoreError::Node`]; [`StoreError::BlockAltered`] if the node keeps a wrong block and does
    /// not let go of it.
    pub(super) async fn put(&self, object: &Object<'_>) -> Result<(), StoreError> {
        self.add(object).await?;
        let altered = self.altered(object).await?;
        if altered.is_empty() {
            return Ok(());
        }
        // A node does not write a block that it thinks it has, and does not delete one that it
        // pins.
        self.unpin(&object.cid).await?;
        for block in &altered {
            let dropped = self.rpc.drop_block(block).await;
            if let Err(IpfsError::Refused { .. }) = dropped {
                return Err(StoreError::BlockAltered { cid: object.cid, block: *block });
            }
            dropped.map_err(|error| self.error(error))?;
        }
        self.add(object).await?;
        match self.altered(object).await?.first() {
            None => Ok(()),
            Some(block) => Err(StoreError::BlockAltered { cid: object.cid, block: *block }),
        }
    }

    async fn add(&self, object: &Object<'_>) -> Result<(), StoreError> {
        let added = async {
            self.rpc.add(object.bytes, &object.cid).await?;
            // A garbage collection at the wrong moment may take the pin with it.
            if !self.rpc.is_pinned(&object.cid).await? {
                self.rpc.pin(&object.cid).await?;
                if !self.rpc.is_pinned(&object.cid).await? {
                    return Err(IpfsError::NotPinned { cid: object.cid });
                }
            }
            Ok(())
        };
        added.await.map_err(|error| self.error(error))
    }

    /// The blocks of an object that the node has not as they should be.
    async fn altered(&self, object: &Object<'_>) -> Result<Vec<Cid>, StoreError> {
        let mut altered = Vec::new();
        for cid in &object.blocks {
            let block = self.block(cid, MAX_BLOCK_BYTES + 1, Reach::Own).await?;
            if block.is_none_or(|block| Cid::of_block(cid.codec(), &block) != *cid) {
                altered.push(*cid);
            }
        }
        Ok(altered)
    }

    pub(super) async fn block(&self, cid: &Cid, most: u64, reach: Reach) -> Result<Option<Vec<u8>>, StoreError> {
        let mut bytes = Vec::new();
        let take = |part: &[u8]| {
            bytes.extend_from_slice(part);
            true
        };
        let found = self.rpc.block(cid, most, reach, take).await.map_err(|error| self.error(error))?;
        Ok(found.then_some(bytes))
    }

    /// Walks through an object, block by block.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the node has not one of them, [`StoreError::Node`], and those of
    /// the walk.
    pub(super) async fn walk(&self, cid: &Cid, mut walk: BlockWalk, reach: Reach) -> Result<BlockWalk, StoreError> {
        while let Some(wanted) = walk.wanted() {
            let (block, most) = (wanted.cid, wanted.read_at_most);
            let found = self.rpc.block(&block, most, reach, |part| walk.part(part)).await;
            if !found.map_err(|error| self.error(error))? {
                return Err(StoreError::NotFound { cid: *cid, block });
            }
            walk.end_of_block()?;
        }
        Ok(walk)
    }

    /// The object, each block, its length and (where it is asked for) the whole checked.
    pub(super) async fn read(
        &self,
        cid: &Cid,
        sha256: Option<&[u8; 32]>,
        length: Length,
        reach: Reach,
    ) -> Result<Vec<u8>, StoreError> {
        let walk = self.walk(cid, BlockWalk::checked(*cid).of_length(length), reach).await?;
        check_whole(cid, sha256, length, walk.into_observed().bytes)
    }

    /// Whether the node has the object whole; nothing of it is kept here.
    ///
    /// # Errors
    /// As [`Self::walk`].
    pub(super) async fn look(&self, cid: &Cid) -> Result<(), StoreError> {
        self.walk(cid, BlockWalk::looking(*cid), Reach::Own).await.map(drop)
    }
}

/// Returns the object's bytes if they have this length and, where it is asked for, this hash.
pub(super) fn check_whole(
    cid: &Cid,
    sha256: Option<&[u8; 32]>,
    length: Length,
    bytes: Vec<u8>,
) -> Result<Vec<u8>, StoreError> {
    length.check(cid, bytes.len() as u64)?;
    let Some(expected) = sha256 else { return Ok(bytes) };
    let found = Sha256::digest(&bytes).into();
    if *expected == found {
        return Ok(bytes);
    }
    Err(StoreError::ContentMismatch { cid: *cid, expected: *expected, found })
}

/// What went wrong at a node, on one line that names it.
pub(super) fn describe(node: &str, error: &StoreError) -> String {
    let mut text = match error {
        StoreError::Node { source, .. } => source.to_string(),
        error => error.to_string(),
    };
    let mut cause = match error {
        StoreError::Node { source, .. } => source.source(),
        error => error.source(),
    };
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    format!("IPFS node {node}: {text}")
}
