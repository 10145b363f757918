//! The embedded store: a folder of blocks.
//!
//! ```text
//! blocks/XX/CID   one block; XX: the two characters before the CID's last, as in Kubo's flatfs
//! pins/CID        one pinned object: the CIDs of its blocks, a line each, the root last
//! tmp/            files being written; emptied when the store is opened
//! lock            shared by those who put, exclusive to those who delete
//! ```
//! Every file is written aside, flushed, renamed into place, and its folder flushed. The pin comes
//! last: an object is either pinned with all its blocks, or not pinned. Blocks of a put that did
//! not end stay until they are put again.

mod files;
mod moving;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use self::files::{Lock, read_at_most, read_failed, write_failed};
use super::unixfs::{BlockWalk, MAX_BLOCK_BYTES, WantedBlock, each_block};
use super::{Cid, Digested, Length, MAX_OBJECT_BYTES, Observed, PinState, Store, StoreError};

/// Most bytes of a pin's file: a line for each of the blocks of the largest object.
const MAX_PIN_BYTES: u64 = 1 << 20;

/// A store in a folder on this machine. A clone is the same store; several processes may use one
/// folder.
///
/// Its futures do their work on tokio's blocking threads and need its runtime. A dropped future's
/// work still ends.
#[derive(Debug, Clone)]
pub struct LocalStore {
    folder: Arc<Folder>,
    /// Most bytes of an object that is put; a field so that tests need no 4 GiB.
    object_limit: u64,
}

/// The folder, as blocking code sees it.
#[derive(Debug)]
struct Folder {
    root: PathBuf,
}

impl LocalStore {
    /// Returns the store in `dir`, which is made if it is not there, and clears away what
    /// interrupted writers left. Where nothing may be written, what is there can be read still.
    ///
    /// Folders that are made are for this user alone (mode 0700); what is there already keeps its
    /// mode.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] if `dir` is not a folder, [`StoreError::Unavailable`] if it
    /// cannot be read.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = Folder { root: dir.as_ref().to_path_buf() };
        match folder.prepare() {
            Err(StoreError::Unwritable { source, .. }) if is_read_only(&source) => {}
            prepared => prepared?,
        }
        Ok(Self { folder: Arc::new(folder), object_limit: MAX_OBJECT_BYTES })
    }

    /// Where the block `cid` lies, or would lie.
    pub fn block_path(&self, cid: &Cid) -> PathBuf {
        self.folder.block(cid)
    }

    /// Runs `work` where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = Arc::clone(&self.folder);
        match tokio::task::spawn_blocking(move || work(&folder)).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => {
                    Err(StoreError::Unavailable { what: "the program is ending", source: io::Error::other(error) })
                }
            },
        }
    }
}

impl Store for LocalStore {
    async fn put(&self, bytes: &[u8]) -> Result<Cid, StoreError> {
        // First of all: not even a copy is made of what is too large.
        let (limit, found) = (self.object_limit, bytes.len() as u64);
        if found > limit {
            return Err(StoreError::TooLarge { limit, found });
        }
        let bytes = bytes.to_vec();
        self.blocking(move |folder| folder.put(&bytes)).await
    }

    async fn get_of_length(&self, cid: &Cid, sha256: &[u8; 32], length: Length) -> Result<Vec<u8>, StoreError> {
        let (cid, expected) = (*cid, *sha256);
        self.blocking(move |folder| {
            let bytes = folder.walk(&cid, BlockWalk::checked(cid).of_length(length))?.into_observed().bytes;
            length.check(&cid, bytes.len() as u64)?;
            let found = Sha256::digest(&bytes).into();
            if found == expected { Ok(bytes) } else { Err(StoreError::ContentMismatch { cid, expected, found }) }
        })
        .await
    }

    async fn get_by_address(&self, cid: &Cid, length: Length) -> Result<Vec<u8>, StoreError> {
        let cid = *cid;
        self.blocking(move |folder| {
            let bytes = folder.walk(&cid, BlockWalk::checked(cid).of_length(length))?.into_observed().bytes;
            length.check(&cid, bytes.len() as u64)?;
            Ok(bytes)
        })
        .await
    }

    async fn fetch_observed(&self, cid: &Cid) -> Result<Observed, StoreError> {
        let cid = *cid;
        self.blocking(move |folder| folder.walk(&cid, BlockWalk::observed(cid)).map(BlockWalk::into_observed)).await
    }

    async fn digest_observed(&self, cid: &Cid, most: u64) -> Result<Digested, StoreError> {
        let cid = *cid;
        self.blocking(move |folder| folder.walk(&cid, BlockWalk::digesting(cid, most))?.into_digested()).await
    }

    async fn pin_state(&self, cid: &Cid) -> Result<PinState, StoreError> {
        let cid = *cid;
        self.blocking(move |folder| match folder.pin(&cid).try_exists() {
            Ok(true) => Ok(PinState::Pinned),
            Ok(false) if folder.pins().exists() => Ok(PinState::Unpinned),
            Ok(false) => Err(read_failed("its pins", io::ErrorKind::NotFound.into())),
            Err(error) => Err(read_failed("its pins", error)),
        })
        .await
    }

    async fn remove(&self, cid: &Cid) -> Result<(), StoreError> {
        let cid = *cid;
        self.blocking(move |folder| folder.remove(&cid)).await
    }
}

impl Folder {
    fn blocks(&self) -> PathBuf {
        self.root.join("blocks")
    }

    fn pins(&self) -> PathBuf {
        self.root.join("pins")
    }

    fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    fn block(&self, cid: &Cid) -> PathBuf {
        let name = cid.to_string();
        // The first characters are the same in all CIDs, and the last one carries few bits.
        let shard = &name[name.len() - 3..name.len() - 1];
        self.blocks().join(shard).join(&name)
    }

    fn pin(&self, cid: &Cid) -> PathBuf {
        self.pins().join(cid.to_string())
    }

    fn put(&self, bytes: &[u8]) -> Result<Cid, StoreError> {
        let _lock = Lock::shared(&self.lock())?;
        let mut seen = BTreeSet::new();
        let mut pin = Vec::new();
        let mut folders = BTreeSet::from([self.blocks()]);
        let root = each_block(bytes, |cid, block| {
            if seen.insert(cid) {
                pin.extend_from_slice(format!("{cid}\n").as_bytes());
                folders.insert(self.put_block(&cid, &block)?);
            }
            Ok(())
        })?;
        // Every folder that a block was found in as well: its writer may not have got as far as
        // flushing it.
        for folder in &folders {
            files::flush_folder(folder).map_err(|error| write_failed("a block", error))?;
        }
        self.write(&self.pin(&root), &pin).map_err(|error| write_failed("a pin", error))?;
        files::flush_folder(&self.pins()).map_err(|error| write_failed("a pin", error))?;
        Ok(root)
    }

    /// Stores a block unless it lies there already, whole; returns the folder that it lies in.
    fn put_block(&self, cid: &Cid, block: &[u8]) -> Result<PathBuf, StoreError> {
        let path = self.block(cid);
        let shard = path.parent().expect("a block lies in a shard").to_path_buf();
        let there = read_at_most(&path, MAX_BLOCK_BYTES + 1);
        if !there.is_ok_and(|there| there == block) {
            files::create_folder(&shard)
                .and_then(|()| self.write(&path, block))
                .map_err(|error| write_failed("a block", error))?;
        }
        Ok(shard)
    }

    /// Writes a whole file, or nothing. The entry in its folder is not flushed yet.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        files::write_whole(&self.temporary(), path, content)
    }

    fn walk(&self, cid: &Cid, mut walk: BlockWalk) -> Result<BlockWalk, StoreError> {
        while let Some(wanted) = walk.wanted() {
            self.each_part(cid, &wanted, |part| walk.part(part))?;
            walk.end_of_block()?;
        }
        Ok(walk)
    }

    /// The bytes of a block of the object `cid`, **unchecked**.
    fn block_bytes(&self, cid: &Cid, wanted: &WantedBlock) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        self.each_part(cid, wanted, |part| {
            bytes.extend_from_slice(part);
            true
        })?;
        Ok(bytes)
    }

    /// Hands the bytes of a block to `take`, **unchecked**, until it wants no more.
    fn each_part(&self, cid: &Cid, wanted: &WantedBlock, take: impl FnMut(&[u8]) -> bool) -> Result<(), StoreError> {
        files::each_part(&self.block(&wanted.cid), wanted.read_at_most, take).map_err(|error| {
            // Without the folder of blocks (a disk that is not mounted) nothing is known about this
            // one.
            if error.kind() == io::ErrorKind::NotFound && self.blocks().exists() {
                StoreError::NotFound { cid: *cid, block: wanted.cid }
            } else {
                read_failed("a block", error)
            }
        })
    }

    fn remove(&self, cid: &Cid) -> Result<(), StoreError> {
        let _lock = Lock::exclusive(&self.lock())?;
        let pins = self.pinned()?;
        if !pins.contains(cid) {
            return Err(StoreError::NotFound { cid: *cid, block: *cid });
        }
        let mut free = self.pinned_blocks(cid)?;
        for other in pins.iter().filter(|other| *other != cid) {
            let kept = self.pinned_blocks(other)?;
            free.retain(|block| !kept.contains(block));
        }
        // The pin goes first, so that what is pinned is always whole.
        fs::remove_file(self.pin(cid)).map_err(|error| write_failed("a pin", error))?;
        files::flush_folder(&self.pins()).map_err(|error| write_failed("a pin", error))?;
        for block in &free {
            match fs::remove_file(self.block(block)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(write_failed("a block", error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the root of every pinned object.
    fn pinned(&self) -> Result<BTreeSet<Cid>, StoreError> {
        let unreadable = |error| read_failed("its pins", error);
        let mut pins = BTreeSet::new();
        for entry in fs::read_dir(self.pins()).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            // A file of another name was never a pin of ours: nothing hangs on it.
            pins.extend(name.to_str().and_then(|name| name.parse::<Cid>().ok()));
        }
        Ok(pins)
    }

    /// Returns the blocks of a pinned object.
    fn pinned_blocks(&self, cid: &Cid) -> Result<BTreeSet<Cid>, StoreError> {
        let damaged = || StoreError::PinDamaged { cid: *cid };
        let list = read_at_most(&self.pin(cid), MAX_PIN_BYTES).map_err(|error| read_failed("a pin", error))?;
        let list = String::from_utf8(list).map_err(|_| damaged())?;
        let blocks: Vec<Cid> = list.lines().map(str::parse).collect::<Result<_, _>>().map_err(|_| damaged())?;
        // The root closes the list, so a list that was cut short is seen.
        if blocks.last() == Some(cid) { Ok(blocks.into_iter().collect()) } else { Err(damaged()) }
    }

    fn prepare(&self) -> Result<(), StoreError> {
        for path in [self.blocks(), self.pins(), self.temporary()] {
            files::create_folder(&path).map_err(|error| write_failed("its folder", error))?;
        }
        self.clear_temporary()
    }

    /// Deletes what writers that were killed left behind, unless one is at work right now.
    fn clear_temporary(&self) -> Result<(), StoreError> {
        let Some(_lock) = Lock::exclusive_if_free(&self.lock())? else { return Ok(()) };
        let uncleared = |error| write_failed("its temporary files", error);
        for entry in fs::read_dir(self.temporary()).map_err(uncleared)? {
            fs::remove_file(entry.map_err(uncleared)?.path()).map_err(uncleared)?;
        }
        Ok(())
    }
}

/// Whether it is the place that cannot be written, and not what lies there that is wrong.
fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests;
