//! Objects out of the folder and into it, as CAR files.

use std::collections::BTreeSet;
use std::path::Path;

use super::files::{self, Lock, write_failed};
use super::{Folder, LocalStore};
use crate::files::Existing;
use crate::storage::car::{self, CarFile, Moved};
use crate::storage::unixfs::BlockWalk;
use crate::storage::{Cid, StoreError};

impl LocalStore {
    /// The objects that are kept here.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn pins(&self) -> Result<BTreeSet<Cid>, StoreError> {
        self.blocking(Folder::pinned).await
    }

    /// Checks that an object is here whole, without keeping its bytes.
    ///
    /// # Errors
    /// As [`Store::get`](crate::storage::Store::get).
    pub async fn look(&self, cid: &Cid) -> Result<(), StoreError> {
        let cid = *cid;
        self.blocking(move |folder| folder.walk(&cid, BlockWalk::looking(cid)).map(drop)).await
    }

    /// Writes `roots` to a new CAR file, each block checked.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::BlockAltered`]: the file is not made then;
    /// [`StoreError::Unwritable`] if it cannot be.
    pub(crate) async fn export(
        &self,
        roots: &BTreeSet<Cid>,
        path: &Path,
        existing: Existing,
    ) -> Result<Moved, StoreError> {
        car::export(roots, path, existing, async |root, wanted| {
            let root = *root;
            self.blocking(move |folder| folder.block_bytes(&root, &wanted)).await
        })
        .await
    }

    /// Takes in and pins the objects of a CAR file; those that are here already are mended.
    ///
    /// # Errors
    /// [`StoreError::Car`], [`StoreError::NotFound`] if the file lacks a block, and those of
    /// [`Store::put`](crate::storage::Store::put).
    pub async fn import(&self, path: &Path) -> Result<Moved, StoreError> {
        // A file with a fault in the middle leaves nothing behind.
        let (roots, moved) = CarFile::open(path).await?.check().await?;
        let mut file = CarFile::open(path).await?;
        while let Some((cid, block)) = file.next().await? {
            self.blocking(move |folder| {
                let _lock = Lock::shared(&folder.lock())?;
                let shard = folder.put_block(&cid, &block)?;
                files::flush_folder(&shard).map_err(|error| write_failed("a block", error))
            })
            .await?;
        }
        for root in roots {
            self.blocking(move |folder| folder.pin_walked(&root)).await?;
        }
        Ok(moved)
    }
}

impl Folder {
    /// Pins an object that is here whole.
    fn pin_walked(&self, root: &Cid) -> Result<(), StoreError> {
        let _lock = Lock::shared(&self.lock())?;
        let (mut walk, mut blocks) = (BlockWalk::looking(*root), BTreeSet::new());
        while let Some(wanted) = walk.wanted() {
            walk.accept(&self.block_bytes(root, &wanted)?)?;
            blocks.insert(wanted.cid);
        }
        blocks.remove(root);
        let lines: String = blocks.iter().chain([root]).map(|cid| format!("{cid}\n")).collect();
        files::flush_folder(&self.blocks()).map_err(|error| write_failed("a block", error))?;
        self.write(&self.pin(root), lines.as_bytes()).map_err(|error| write_failed("a pin", error))?;
        files::flush_folder(&self.pins()).map_err(|error| write_failed("a pin", error))
    }
}

#[cfg(test)]
mod tests;
