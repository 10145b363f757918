//! Files that are written completely or not at all, and folders for their owner alone.

mod draft;
mod signals;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

pub(crate) use draft::{Draft, is_draft};
pub(crate) use signals::ends_by_itself;

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
    let draft = Draft::beside(path)?;
    draft.file()?.write_all(bytes)?;
    draft.keep(path, existing)
}

/// The text of a file that holds a secret: of one that its owner alone may read. A pipe has no name
/// for others to open.
///
/// # Errors
/// `PermissionDenied` for a file that its group or everybody may read or write; `InvalidData` for
/// one that is too long, or no text.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>> {
    const MOST_BYTES: u64 = 64 << 10;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & 0o077 != 0 {
        let what = format!("its mode is {mode:o}, expected 600: others may read the secret in it");
        return Err(Error::new(ErrorKind::PermissionDenied, what));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MOST_BYTES {
        true => Err(Error::new(ErrorKind::InvalidData, format!("it has more than {MOST_BYTES} bytes"))),
        false => Ok(text),
    }
}
/// Opens a file for reading. A FIFO that took its place is opened too, and not waited for.
pub(crate) fn open_at_once(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// The text of a file that says what this program does: of one that belongs to its user, and that
/// nobody else may write.
///
/// # Errors
/// `PermissionDenied` for any other; `InvalidData` for one that is too long, or no text.
pub(crate) fn read_own(path: &Path) -> Result<String> {
    const MOST_BYTES: u64 = 1 << 20;
    let file = open_at_once(path)?;
    let metadata = file.metadata()?;
    let refused = |what: String| Error::new(ErrorKind::PermissionDenied, what);
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::InvalidData, "it is no regular file"));
    }
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(refused(format!("it belongs to user {owner}, and this is user {user}")));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(refused(format!("its mode is {mode:o}, so others may write it: chmod go-w takes that away")));
    }
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MOST_BYTES {
        true => Err(Error::new(ErrorKind::InvalidData, format!("it has more than {MOST_BYTES} bytes"))),
        false => Ok(text),
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

    #[test]
    fn what_others_may_write_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("medseal.toml");
        assert_eq!(read_own(&path).expect_err("not there").kind(), ErrorKind::NotFound);
        assert_eq!(read_own(folder.path()).expect_err("a folder").kind(), ErrorKind::InvalidData);
        std::fs::write(&path, "home = \"a\"").expect("written");
        for (mode, own) in [(0o600, true), (0o644, true), (0o444, true), (0o664, false), (0o646, false), (0o602, false)]
        {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("set");
            match read_own(&path) {
                Ok(text) => assert!(own && text == "home = \"a\"", "{mode:o}"),
                Err(error) => assert!(!own && error.kind() == ErrorKind::PermissionDenied, "{mode:o}: {error}"),
            }
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("set");
        // Only the system's administrator can give a file away; others' files there are anyway.
        let others = match std::os::unix::fs::chown(&path, Some(12_345), None) {
            Ok(()) => path,
            Err(_) => "/etc/passwd".into(),
        };
        let refused = read_own(&others).expect_err("another user's");
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        assert!(refused.to_string().contains("it belongs to user"), "{refused}");
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        write_whole(&path, b"correct horse\n", Existing::Keep).expect("written");
        assert_eq!(read_secret(&path).expect("ours alone").as_str(), "correct horse\n");
        for mode in [0o640, 0o604, 0o620, 0o644, 0o601] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("set");
            let refused = read_secret(&path).expect_err("others can read it");
            assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
            let text = refused.to_string();
            assert!(text.contains(&format!("mode is {mode:o}, expected 600")) && !text.contains("horse"), "{text}");
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).expect("set");
        read_secret(&path).expect("ours alone");
    }
}
