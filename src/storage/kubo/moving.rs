//! Objects out of nodes and into them, as CAR files.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use futures_util::stream::try_unfold;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::calls::Reach;
use super::node::KuboNode;
use super::{Failures, KuboNodes, KuboStore};
use crate::files::Existing;
use crate::storage::car::{self, CarFile, Moved, unreadable};
use crate::storage::unixfs::WantedBlock;
use crate::storage::{Cid, StoreError};

/// Bytes of a file that are read and sent at once.
const PIECE_BYTES: usize = 256 << 10;

impl KuboStore {
    /// Writes `roots` to a new CAR file, each block checked and taken from whichever node has it
    /// right.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::BlockAltered`], [`StoreError::Node`],
    /// [`StoreError::NoNode`]: the file is not made then; [`StoreError::Unwritable`] if it cannot
    /// be.
    pub(crate) async fn export(
        &self,
        roots: &BTreeSet<Cid>,
        path: &Path,
        existing: Existing,
    ) -> Result<Moved, StoreError> {
        car::export(roots, path, existing, async |root, wanted| self.nodes.block(root, wanted).await).await
    }

    /// Puts and pins the objects of a CAR file at as many nodes as they should lie at, and reads
    /// all of them back there.
    ///
    /// # Errors
    /// [`StoreError::Car`], before any node is asked; [`StoreError::Node`] or
    /// [`StoreError::TooFewReplicas`].
    pub async fn import(&self, path: &Path) -> Result<Moved, StoreError> {
        let (roots, moved) = CarFile::open(path).await?.check().await?;
        let Some(first) = roots.first() else { return Ok(moved) };
        let (mut held, mut failures) = (0, Failures::default());
        for (at, node) in self.nodes.in_order(first) {
            if held == self.nodes.replicas {
                break;
            }
            let imported = node.import(path, &roots).await;
            self.nodes.note(at, imported.as_ref().err());
            match imported {
                Ok(()) => held += 1,
                Err(error) => failures.push(node, error),
            }
        }
        self.nodes.enough(first, held, failures)?;
        Ok(moved)
    }
}

impl KuboNodes {
    /// A block from the first node that has it right.
    async fn block(&self, root: &Cid, wanted: WantedBlock) -> Result<Vec<u8>, StoreError> {
        let mut failures = Failures::default();
        for (at, node) in self.in_order(root) {
            let error = match node.block(&wanted.cid, wanted.read_at_most, Reach::Own).await {
                Ok(Some(block)) if Cid::of_block(wanted.cid.codec(), &block) == wanted.cid => return Ok(block),
                Ok(Some(_)) => StoreError::BlockAltered { cid: *root, block: wanted.cid },
                Ok(None) => StoreError::NotFound { cid: *root, block: wanted.cid },
                Err(error) => error,
            };
            self.note(at, Some(&error));
            failures.push(node, error);
        }
        Err(failures.verdict(root))
    }
}

impl KuboNode {
    async fn import(&self, path: &Path, roots: &BTreeSet<Cid>) -> Result<(), StoreError> {
        let file = File::open(path).await.map_err(unreadable)?;
        let length = file.metadata().await.map_err(unreadable)?.len();
        let pieces = try_unfold(file, |mut file| async {
            let mut piece = BytesMut::with_capacity(PIECE_BYTES);
            let read = file.read_buf(&mut piece).await.map_err(|error| Fault::Store(unreadable(error)))?;
            Ok((read > 0).then(|| (Bytes::from(piece), file)))
        });
        self.rpc.import(length, Box::pin(pieces)).await.map_err(|fault| match fault {
            Fault::Node(error) => self.error(error),
            Fault::Store(error) => error,
        })?;
        for root in roots {
            self.look(root).await?;
            self.rpc.pin(root).await.map_err(|error| self.error(error))?;
        }
        Ok(())
    }
}

/// What can go wrong while a file is sent: at the node, or here.
enum Fault {
    Node(super::IpfsError),
    Store(StoreError),
}

impl From<super::IpfsError> for Fault {
    fn from(error: super::IpfsError) -> Self {
        Self::Node(error)
    }
}
