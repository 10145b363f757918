//! The development chain on disk.

use crate::files::{Existing, write_whole};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file that keeps the chain. Anvil writes it as it goes, but over itself: who is killed then
/// leaves a part of it. So a whole one is kept beside it.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// When the whole one was written last.
    kept: Option<SystemTime>,
}

impl StateFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, kept: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Seconds between two times that anvil writes it.
    pub(super) const EVERY_SECS: u64 = 5;

    /// Where the whole one is kept.
    pub(super) fn whole(&self) -> PathBuf {
        self.path.with_extension("whole.json")
    }

    /// Its bytes, if they are all there.
    fn read(&self) -> Option<Vec<u8>> {
        let bytes = std::fs::read(&self.path).ok()?;
        serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).ok().map(|_| bytes)
    }

    /// Puts the whole one in the place of one that is not; says whether it did.
    pub(super) fn restore(&self) -> std::io::Result<bool> {
        if !self.path.exists() || self.read().is_some() || !self.whole().exists() {
            return Ok(false);
        }
        write_whole(&self.path, &std::fs::read(self.whole())?, Existing::Replace).map(|()| true)
    }

    /// Keeps what anvil wrote since, if it is whole.
    pub(super) fn keep(&mut self) -> std::io::Result<()> {
        let written = self.path.metadata().and_then(|metadata| metadata.modified()).ok();
        if written.is_none() || written == self.kept {
            return Ok(());
        }
        let Some(bytes) = self.read() else { return Ok(()) };
        write_whole(&self.whole(), &bytes, Existing::Replace)?;
        self.kept = written;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_is_cut_short_is_the_last_whole_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut state = StateFile { path: folder.path().join("state.json"), kept: None };
        let write = |text: &str| std::fs::write(folder.path().join("state.json"), text).expect("written");
        let read = || std::fs::read_to_string(folder.path().join("state.json")).expect("read");
        state.keep().expect("nothing there");
        assert!(!state.restore().expect("nothing there"));
        write("{\"block\":1}");
        state.keep().expect("kept");
        assert!(!state.restore().expect("it is whole"));
        write("{\"block\":2");
        state.kept = None;
        state.keep().expect("not kept");
        assert!(state.restore().expect("restored"));
        assert_eq!(read(), "{\"block\":1}");
        write("{\"block\":3}");
        assert!(!state.restore().expect("it is whole"));
        assert_eq!(read(), "{\"block\":3}");
    }
}
