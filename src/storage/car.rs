//! Objects as one file: CAR version 1, the roots in its header, every block once.
//!
//! Any IPFS node reads it (`ipfs dag import`). Neither side ever holds more than one block of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use iroh_car::{CarHeader, CarReader, CarWriter};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufReader, BufWriter};

use super::unixfs::{BlockWalk, MAX_BLOCK_BYTES, WantedBlock};
use super::{Cid, CidError, StoreError};
use crate::files::{Draft, Existing};

/// Why a file is not a CAR file of objects as this program makes them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CarError {
    /// It is no CAR file, of another version, or ends in the middle of a block.
    #[error("it cannot be read as one")]
    Format(#[source] iroh_car::Error),
    /// A block or root has an address that no object of ours has.
    #[error("it holds a foreign address")]
    Foreign(#[source] CidError),
    /// A block does not match its address.
    #[error("block {block} does not match its address")]
    Altered {
        /// The block.
        block: Cid,
    },
    /// A block is larger than any of ours.
    #[error("block {block} has more than {limit} bytes")]
    TooLarge {
        /// The block.
        block: Cid,
        /// How much is allowed.
        limit: u64,
    },
}

/// What was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Objects.
    pub objects: usize,
    /// Different blocks of theirs.
    pub blocks: usize,
    /// Bytes of these.
    pub bytes: u64,
}

/// Writes the objects `roots` to a new file, block by block as `read` gives them; each is checked.
/// The file is there whole or not at all.
///
/// # Errors
/// Those of `read` and of a [`BlockWalk`]; [`StoreError::Unwritable`] if the file cannot be
/// written, or is there and must not be replaced.
pub(super) async fn export(
    roots: &BTreeSet<Cid>,
    path: &Path,
    existing: Existing,
    read: impl AsyncFn(&Cid, WantedBlock) -> Result<Vec<u8>, StoreError>,
) -> Result<Moved, StoreError> {
    let draft = Draft::beside(path).map_err(unwritable)?;
    let file = BufWriter::new(File::from_std(draft.file().map_err(unwritable)?));
    let mut writer = CarWriter::new(CarHeader::new_v1(roots.iter().map(Cid::wide).collect()), file);
    let mut written = BTreeMap::new();
    for root in roots {
        let mut walk = BlockWalk::looking(*root);
        while let Some(wanted) = walk.wanted() {
            let block = read(root, wanted).await?;
            walk.accept(&block)?;
            if written.insert(wanted.cid, block.len() as u64).is_none() {
                writer.write(wanted.cid.wide(), block).await.map_err(|error| unwritable(io::Error::other(error)))?;
            }
        }
    }
    let mut file = writer.finish().await.map_err(|error| unwritable(io::Error::other(error)))?;
    file.flush().await.map_err(unwritable)?;
    draft.keep(path, existing).map_err(unwritable)?;
    Ok(Moved { objects: roots.len(), blocks: written.len(), bytes: written.values().sum() })
}

fn unwritable(source: io::Error) -> StoreError {
    StoreError::Unwritable { what: "the CAR file", source }
}

/// A CAR file that is read: its roots, then block by block.
pub(super) struct CarFile {
    reader: CarReader<BufReader<File>>,
    roots: BTreeSet<Cid>,
}

impl CarFile {
    /// Opens a file and reads its roots.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be read, [`StoreError::Car`].
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).await.map_err(unreadable)?;
        let reader = CarReader::new(BufReader::new(file)).await.map_err(format)?;
        let roots = reader.header().roots().iter().map(Cid::narrow).collect::<Result<_, _>>().map_err(foreign)?;
        Ok(Self { reader, roots })
    }

    /// The next block, which matches its address.
    ///
    /// # Errors
    /// [`StoreError::Car`].
    pub(super) async fn next(&mut self) -> Result<Option<(Cid, Vec<u8>)>, StoreError> {
        let Some((cid, block)) = self.reader.next_block().await.map_err(format)? else { return Ok(None) };
        let cid = Cid::narrow(&cid).map_err(foreign)?;
        if block.len() as u64 > MAX_BLOCK_BYTES {
            return Err(StoreError::Car(CarError::TooLarge { block: cid, limit: MAX_BLOCK_BYTES }));
        }
        if Cid::of_block(cid.codec(), &block) != cid {
            return Err(StoreError::Car(CarError::Altered { block: cid }));
        }
        Ok(Some((cid, block)))
    }

    /// Reads the rest of the file, and counts what is in it.
    ///
    /// # Errors
    /// [`StoreError::Car`].
    pub(super) async fn check(mut self) -> Result<(BTreeSet<Cid>, Moved), StoreError> {
        let mut sizes = BTreeMap::new();
        while let Some((cid, block)) = self.next().await? {
            sizes.insert(cid, block.len() as u64);
        }
        let moved = Moved { objects: self.roots.len(), blocks: sizes.len(), bytes: sizes.values().sum() };
        Ok((self.roots, moved))
    }
}

pub(super) fn unreadable(source: io::Error) -> StoreError {
    StoreError::Unavailable { what: "the CAR file", source }
}

fn format(error: iroh_car::Error) -> StoreError {
    StoreError::Car(CarError::Format(error))
}

fn foreign(error: CidError) -> StoreError {
    StoreError::Car(CarError::Foreign(error))
}
