//! Files that are written completely or not at all, and folders for their owner alone.

use std::fs::{DirBuilder, File};
use std::io::{Result, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// What happens to a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is replaced, in one step.
    Replace,
    /// It is kept, and the write fails with `AlreadyExists`.
    Keep,
}

/// Writes a file, readable by its owner alone; when this returns, it survives a power cut.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], existing: Existing) -> Result<()> {
    let mut draft = Draft::beside(path)?;
    draft.0.write_all(bytes)?;
    draft.keep(path, existing)
}

/// A file that gets its name only once it is complete. Dropped before that, it is deleted.
pub(crate) struct Draft(tempfile::NamedTempFile);

impl Draft {
    /// Returns an empty draft in the folder of `path`.
    pub(crate) fn beside(path: &Path) -> Result<Self> {
        tempfile::NamedTempFile::new_in(folder_of(path)).map(Self)
    }

    /// The file to write to.
    pub(crate) fn file(&self) -> Result<File> {
        self.0.as_file().try_clone()
    }

    /// Renames the draft to `path`; when this returns, the file survives a power cut.
    pub(crate) fn keep(self, path: &Path, existing: Existing) -> Result<()> {
        self.0.as_file().sync_all()?;
        match existing {
            Existing::Replace => self.0.persist(path),
            Existing::Keep => self.0.persist_noclobber(path),
        }
        .map_err(|error| error.error)?;
        File::open(folder_of(path))?.sync_all()
    }
}

/// Makes a folder, and those above it, that only their owner can read.
pub(crate) fn make_private_folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_there_is_kept_or_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        write_whole(&path, b"first", Existing::Keep).expect("written");
        let kept = write_whole(&path, b"second", Existing::Keep).expect_err("kept");
        assert_eq!(kept.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).expect("read"), b"first");
        write_whole(&path, b"second", Existing::Replace).expect("replaced");
        assert_eq!(std::fs::read(&path).expect("read"), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "a draft was left");
    }

    #[test]
    fn files_and_folders_are_their_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("a/b");
        make_private_folder(&inner).expect("made");
        make_private_folder(&inner).expect("there already");
        write_whole(&inner.join("file"), b"", Existing::Keep).expect("written");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&folder.path().join("a")), mode(&inner.join("file"))), (0o700, 0o700, 0o600));
    }
}
