//! A file that has no name before it is whole: a scan, a key. Whatever ends the process, no part of
//! it is left in the folder.
//!
//! Linux makes files without a name (`O_TMPFILE`) and gives them one later. Where the file system
//! has none (NFS, some of FUSE), the draft lies under a name of its own,
//! [`PREFIX`]`......`[`SUFFIX`]: the end of its owner's scope takes it away, a signal does
//! ([`super::signals`]), and what a killed process left is swept by the next that writes into the
//! folder. A draft is locked for as long as it is written, so nobody sweeps one that is still at
//! work.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind, Result, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::{Builder, NamedTempFile};

use super::{Existing, folder_of, signals};

const PREFIX: &str = ".medseal-";
const SUFFIX: &str = ".tmp";

/// A file that is written bit by bit, and is there under its name only once it is whole. Dropped
/// before, it is gone.
pub(crate) struct Draft(Place);

enum Place {
    /// In no folder yet.
    Unnamed(File),
    /// In the folder, under a name that is swept.
    Named(Named),
}

impl Draft {
    /// Returns an empty one on the disk of `path`, readable by its owner alone.
    pub(crate) fn beside(path: &Path) -> Result<Self> {
        let folder = folder_of(path);
        sweep_once(folder);
        match unnamed(folder)? {
            Some(file) => Ok(Self(Place::Unnamed(file))),
            None => Named::new(folder).map(Place::Named).map(Self),
        }
    }

    /// What is to be written to.
    pub(crate) fn file(&self) -> Result<File> {
        match &self.0 {
            Place::Unnamed(file) => file.try_clone(),
            Place::Named(named) => named.file().try_clone(),
        }
    }

    /// Gives it its name; when this returns, it survives a power cut.
    pub(crate) fn keep(self, path: &Path, existing: Existing) -> Result<()> {
        self.file()?.sync_all()?;
        match self.0 {
            Place::Unnamed(file) => give_name(file, path, existing),
            Place::Named(named) => named.keep(path, existing),
        }?;
        File::open(folder_of(path))?.sync_all()
    }
}

/// A draft under a name of its own.
struct Named {
    /// `None` once it was kept or dropped.
    file: Option<NamedTempFile>,
}

impl Named {
    fn new(folder: &Path) -> Result<Self> {
        // Whoever sweeps between the making and the lock takes the first one away.
        for _ in 0..3 {
            let file = Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder)?;
            // A file system without locks is never swept.
            let _ = file.as_file().try_lock();
            if file.path().exists() {
                signals::watch(file.path());
                return Ok(Self { file: Some(file) });
            }
        }
        Err(Error::other("another process takes away what is being written"))
    }

    fn file(&self) -> &File {
        self.file.as_ref().expect("it was not kept").as_file()
    }

    fn keep(mut self, path: &Path, existing: Existing) -> Result<()> {
        let file = self.file.take().expect("it was not kept");
        let name = file.path().to_owned();
        let kept = match existing {
            Existing::Replace => file.persist(path),
            Existing::Keep => file.persist_noclobber(path),
        };
        // One that was not kept was taken away with the error.
        let kept = kept.map(drop).map_err(|error| error.error);
        signals::forget(&name);
        kept
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let name = file.path().to_owned();
            drop(file);
            signals::forget(&name);
        }
    }
}

/// A file that is in no folder; `None` where there is no such thing.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> Result<Option<File>> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    use rustix::io::Errno;
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    // Its name is given by way of /proc.
    if !Path::new("/proc/self/fd").exists() {
        return Ok(None);
    }
    match openat(CWD, folder, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => {
            let file = File::from(file);
            // For the moment in which it has a name that is not its last one.
            let _ = file.try_lock();
            Ok(Some(file))
        }
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_folder: &Path) -> Result<Option<File>> {
    Ok(None)
}

/// Gives a file that has no name its name.
fn give_name(mut file: File, path: &Path, existing: Existing) -> Result<()> {
    let failure = match link(&file, path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && existing == Existing::Keep => return Err(error),
        Err(error) => error,
    };
    let folder = folder_of(path);
    if failure.kind() == ErrorKind::AlreadyExists {
        // A link replaces nothing: the whole file takes a name that is swept, and is then moved.
        let mut drafts = Builder::new();
        let linked = drafts.prefix(PREFIX).suffix(SUFFIX).make_in(folder, |name| link(&file, name))?;
        return linked.persist(path).map(drop).map_err(|error| error.error);
    }
    // A file system that makes files without a name, and gives them none.
    let named = Named::new(folder)?;
    file.rewind()?;
    std::io::copy(&mut file, &mut named.file())?;
    named.file().sync_all()?;
    named.keep(path, existing)
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn link(_file: &File, _path: &Path) -> Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Sweeps a folder, the first time that this process writes into it.
fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        sweep(folder);
    }
}

/// Whether a file has the name of a draft.
pub(crate) fn is_draft(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Takes away the drafts of processes that are no more. What cannot be looked at stays: nothing of
/// ours depends on it.
fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_str().is_some_and(is_draft) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else { continue };
        match file.try_lock() {
            Ok(()) => drop(std::fs::remove_file(entry.path())),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_whole;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, Command, Stdio};

    const FOLDER: &str = "MEDSEAL_TEST_DRAFT_FOLDER";

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("listed").map(|entry| entry.expect("an entry").file_name());
        entries.map(|name| name.into_string().expect("text")).collect()
    }

    fn without_a_name(folder: &Path) -> Draft {
        let unnamed = unnamed(folder).expect("a file").expect("the tests' file system makes files without a name");
        Draft(Place::Unnamed(unnamed))
    }

    fn with_a_name(folder: &Path) -> Draft {
        Draft(Place::Named(Named::new(folder).expect("a file")))
    }

    /// What makes both kinds, whatever the file system has.
    const BOTH: [fn(&Path) -> Draft; 2] = [without_a_name, with_a_name];

    #[test]
    fn what_is_dropped_before_it_is_whole_is_gone_and_what_is_kept_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        for make in BOTH {
            let draft = make(folder.path());
            draft.file().expect("open").write_all(b"half of a scan").expect("written");
            drop(draft);
            assert_eq!(names(folder.path()), [""; 0]);
        }
        let path = folder.path().join("scan");
        for existing in [Existing::Keep, Existing::Replace] {
            for make in BOTH {
                let draft = make(folder.path());
                draft.file().expect("open").write_all(b"a scan").expect("written");
                let there = path.exists();
                let kept = draft.keep(&path, existing);
                if there && existing == Existing::Keep {
                    assert_eq!(kept.expect_err("there already").kind(), ErrorKind::AlreadyExists);
                } else {
                    kept.expect("kept");
                }
                assert_eq!(std::fs::read(&path).expect("read"), b"a scan");
                assert_eq!(names(folder.path()), ["scan"]);
            }
        }
    }

    #[test]
    fn no_name_before_it_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let draft = Draft::beside(&folder.path().join("scan")).expect("a draft");
        draft.file().expect("open").write_all(b"half of a scan").expect("written");
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let at_work = with_a_name(folder.path());
        let its_name = names(folder.path());
        for name in [".medseal-abc.tmp", ".medseal-abc", ".tmpabcdef", "a.tmp"] {
            std::fs::write(folder.path().join(name), b"half").expect("written");
        }
        std::fs::create_dir(folder.path().join(".medseal-folder.tmp")).expect("made");
        write_whole(&folder.path().join("key"), b"a key", Existing::Keep).expect("written");
        let mut left = names(folder.path());
        left.retain(|name| *name != its_name[0]);
        left.sort();
        assert_eq!(left, [".medseal-abc", ".medseal-folder.tmp", ".tmpabcdef", "a.tmp", "key"]);
        at_work.keep(&folder.path().join("scan"), Existing::Keep).expect("nobody swept it");
    }

    /// Not a test: the process that those below end while it writes.
    #[test]
    #[allow(clippy::print_stdout)] // the test that started it waits for this line
    fn writes_until_it_is_ended() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        let drafts = BOTH.map(|make| make(Path::new(&folder)));
        for draft in &drafts {
            draft.file().expect("open").write_all(&[7; 1 << 20]).expect("written");
        }
        println!("\nwritten");
        std::thread::sleep(std::time::Duration::from_secs(60));
    }

    fn writer(folder: &Path) -> Child {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "files::draft::tests::writes_until_it_is_ended", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        assert!(output.lines().any(|line| line.expect("text").ends_with("written")), "the child did not write");
        child
    }

    #[test]
    fn a_signal_leaves_nothing_and_a_kill_leaves_what_is_swept() {
        for (signal, left) in [("INT", 0), ("TERM", 0), ("HUP", 0), ("KILL", 1)] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut child = writer(folder.path());
            assert_eq!(names(folder.path()).len(), 1, "one of the two has a name");
            let kill = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
            assert!(kill.expect("run").success());
            assert!(!child.wait().expect("ended").success());
            assert_eq!(names(folder.path()).len(), left, "{signal}");
            sweep(folder.path());
            assert_eq!(names(folder.path()), [""; 0], "{signal}");
        }
    }
}
