//! No image of this process on the disk: its memory holds keys, passphrases and scans.

/// Ends core dumps of this process, and looks into its memory by other processes of the user. A
/// system that has no such thing goes on without.
pub(super) fn switch_off() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn no_core_is_dumped_and_files_get_their_names_all_the_same() {
        super::switch_off();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior().expect("known"), DumpableBehavior::NotDumpable);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        crate::files::write_whole(&path, b"bytes", crate::files::Existing::Keep).expect("written");
        assert_eq!(std::fs::read(path).expect("read"), b"bytes");
    }
}
