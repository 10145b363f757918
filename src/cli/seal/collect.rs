//! Which files are sealed, and their bytes: only regular files are read.

use crate::cli::error::CliError;
use crate::cli::stdio::say_line;
use crate::files::open_at_once;
use crate::imaging::{ImagingError, Limits};
use crate::pipeline::PipelineError;
use crate::view::LeftOutView;
use std::fs::{self, File, FileType};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Room behind a file's bytes, in which a read finds that there are no more.
const READ_AHEAD_BYTES: usize = 64;

/// Something in a folder that is not read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct LeftOut {
    pub(in crate::cli) path: PathBuf,
    /// What it is instead of a file.
    pub(in crate::cli) what: String,
}

impl LeftOut {
    pub(super) fn view(self) -> LeftOutView {
        LeftOutView { path: self.path.display().to_string(), reason: self.what }
    }
}

/// The line for people.
impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "left out {}: {}", self.path.display(), self.what)
    }
}

/// The files that the paths stand for, and what else lies in the folders among them, which is said;
/// folders in folders are not descended into.
pub(super) fn collect(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<LeftOut>), CliError> {
    let (mut files, mut left_out) = (Vec::new(), Vec::new());
    for path in paths {
        let failed = |source| CliError::File { act: "read", path: path.clone(), source };
        let metadata = fs::metadata(path).map_err(failed)?;
        if metadata.is_file() {
            files.push(path.clone());
            continue;
        }
        if !metadata.is_dir() {
            return Err(CliError::NothingToSeal { path: path.clone() });
        }
        let mut inside: Vec<PathBuf> = fs::read_dir(path)
            .map_err(failed)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        inside.sort();
        let before = files.len();
        for path in inside {
            match not_a_file(&path) {
                None => files.push(path),
                Some(what) => {
                    let other = LeftOut { path, what };
                    say_line(&other.to_string());
                    left_out.push(other);
                }
            }
        }
        if files.len() == before {
            return Err(CliError::NothingToSeal { path: path.clone() });
        }
    }
    Ok((files, left_out))
}

/// What the path stands for, if it is no regular file, nor a link to one.
pub(in crate::cli) fn not_a_file(path: &Path) -> Option<String> {
    match fs::metadata(path) {
        Ok(metadata) => kind(metadata.file_type()).map(str::to_owned),
        Err(error) if error.kind() == ErrorKind::NotFound => Some("a link that leads nowhere".to_owned()),
        Err(error) => Some(format!("it cannot be looked at: {error}")),
    }
}

/// What is no regular file is named.
fn kind(of: FileType) -> Option<&'static str> {
    if of.is_file() {
        None
    } else if of.is_dir() {
        Some("a folder; name it to have its files sealed")
    } else if of.is_fifo() {
        Some("a FIFO")
    } else if of.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

/// The bytes of a regular file, if it is not larger than anything that can be sealed.
pub(in crate::cli) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |source| CliError::File { act: "read", path: path.to_owned(), source };
    let file = open_at_once(path).map_err(failed)?;
    read_open(file).map_err(failed)?.map_err(|error| PipelineError::from(error).into())
}

fn read_open(file: File) -> std::io::Result<Result<Zeroizing<Vec<u8>>, ImagingError>> {
    let metadata = file.metadata()?;
    if let Some(what) = kind(metadata.file_type()) {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, format!("not a regular file but {what}")));
    }
    let (mut found, limit) = (metadata.len(), Limits::default().file_bytes);
    let mut bytes = Zeroizing::new(Vec::new());
    if found <= limit {
        // At once, and with room to see its end: bytes that are moved leave a copy behind.
        bytes.reserve_exact(usize::try_from(found).unwrap_or_default().saturating_add(READ_AHEAD_BYTES));
        // It may have grown since.
        file.take(limit + 1).read_to_end(&mut bytes)?;
        found = bytes.len() as u64;
    }
    let too_large = found > limit;
    Ok(if too_large { Err(ImagingError::FileTooLarge { found, limit }) } else { Ok(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_no_file_is_named_and_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.png"), "a file").expect("written");
        fs::create_dir(at("inside")).expect("made");
        symlink("a.png", at("link")).expect("linked");
        symlink("nowhere", at("lost")).expect("linked");
        symlink("/dev/zero", at("zeros")).expect("linked");
        let _socket = UnixListener::bind(at("socket")).expect("bound");
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo runs");
        assert!(made.success());

        let (files, left_out) = collect(&[folder.path().to_owned()]).expect("a folder");
        assert_eq!(files, [at("a.png"), at("link")]);
        let named: Vec<_> = left_out.iter().map(|left| (left.path.clone(), left.what.as_str())).collect();
        let folder_named = "a folder; name it to have its files sealed";
        let expected = [
            ("inside", folder_named),
            ("lost", "a link that leads nowhere"),
            ("pipe", "a FIFO"),
            ("socket", "a socket"),
            ("zeros", "a device"),
        ];
        assert_eq!(named, expected.map(|(name, what)| (at(name), what)));
        assert_eq!(read(&at("link")).expect("a file").as_slice(), b"a file");
        // Neither waits for a writer nor reads zeros for ever.
        for name in ["pipe", "zeros", "inside", "socket", "lost"] {
            assert!(matches!(read(&at(name)), Err(CliError::File { .. })), "{name}");
        }
    }
}
