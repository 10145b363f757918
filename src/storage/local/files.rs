//! Files that survive a power cut, and the lock between processes.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::files::folder_of;
use crate::storage::StoreError;

/// Writes `content` to `path`, whole or not at all, through a file in `temporary` on the same disk.
pub(super) fn write_whole(temporary: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(temporary)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Makes the entries of a folder survive a power cut.
pub(super) fn flush_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a folder, and those above it, for this user alone, and flushes their entries. An existing
/// folder is fine.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    if parent != path {
        create_folder(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    flush_folder(parent)
}

/// Returns the file's bytes, or its first `limit` ones.
pub(super) fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Hands the file's bytes, or its first `limit` ones, to `take`, until it wants no more.
pub(super) fn each_part(path: &Path, limit: u64, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let (mut file, mut part) = (File::open(path)?.take(limit), vec![0; 256 << 10]);
    loop {
        match file.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(length) if take(&part[..length]) => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What a failed read says of the store.
pub(super) fn read_failed(what: &'static str, source: io::Error) -> StoreError {
    StoreError::Unavailable { what, source }
}

/// What a failed write says of the store: that it may not be written, or that it fails now (a full
/// disk is that too).
pub(super) fn write_failed(what: &'static str, source: io::Error) -> StoreError {
    use io::ErrorKind::{AlreadyExists, NotADirectory, PermissionDenied, ReadOnlyFilesystem};
    match source.kind() {
        PermissionDenied | ReadOnlyFilesystem | NotADirectory | AlreadyExists => {
            StoreError::Unwritable { what, source }
        }
        _ => StoreError::Unavailable { what, source },
    }
}

/// A hold on the store's folder, in this process and between processes. Dropping it gives it back;
/// so does the end of the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until nobody deletes.
    pub(super) fn shared(path: &Path) -> Result<Self, StoreError> {
        let file = open(path)?;
        file.lock_shared().map_err(|error| write_failed("its lock", error))?;
        Ok(Self { _file: file })
    }

    /// Waits until nobody else puts or deletes.
    pub(super) fn exclusive(path: &Path) -> Result<Self, StoreError> {
        let file = open(path)?;
        file.lock().map_err(|error| write_failed("its lock", error))?;
        Ok(Self { _file: file })
    }

    /// Returns the exclusive hold, or `None` while somebody puts or deletes.
    pub(super) fn exclusive_if_free(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(write_failed("its lock", error)),
        }
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    File::options().create(true).append(true).open(path).map_err(|error| write_failed("its lock", error))
}
