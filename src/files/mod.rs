//! Files written whole or not at all, and folders for their owner alone.

mod draft;
mod signals;

use std::fs::DirBuilder;
use std::io::{Result, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

pub(crate) use draft::Draft;
pub(crate) use signals::ends_by_itself;

/// What happens to a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is replaced, at once and whole.
    Replace,
    /// It is kept, and the write fails with `AlreadyExists`.
    Keep,
}

/// Writes a file, readable by its owner alone; when this returns, it survives a power cut.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], existing: Existing) -> Result<()> {
    let draft = Draft::beside(path)?;
    draft.file()?.write_all(bytes)?;
    draft.keep(path, existing)
}

/// Makes a folder, and those above it, that only their owner can look into.
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
