use super::*;
use crate::cipher::ImageKey;
use crate::envelope::{Description, ImageContext, Layout, Sealing, seal};
use crate::imaging::Format;

fn files(payload: &[u8]) -> SealedFiles {
    let salt = B256::repeat_byte(3);
    let context = ImageContext::new(1, Address::repeat_byte(9), Address::repeat_byte(8), salt);
    let layout = Layout::Bytes { length: payload.len() as u64 };
    let description = Description { format: Format::Unknown, file_name: "a.bin".to_owned(), layout };
    let key = ImageKey::from_bytes([7; 32]);
    let sealed = seal(&Sealing {
        context: &context,
        salt,
        key: &key,
        model_digest: [5; 32],
        description: &description,
        payload,
    });
    SealedFiles { sealed: sealed.expect("sealed"), capsules: b"capsules".to_vec() }
}

fn job(files: &SealedFiles) -> SealingJob {
    SealingJob::of(&files.sealed, &files.capsules).expect("a sealed image")
}

fn open(jobs: &SealingJobs, file: &[u8], mode: Mode, sender: u8, chain_id: u64, registry: u8) -> JobFolder {
    jobs.open(file, mode, Address::repeat_byte(sender), chain_id, Address::repeat_byte(registry)).expect("opened")
}

#[test]
fn a_job_is_found_by_file_mode_sender_and_registry() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = SealingJobs::new(folder.path().join("jobs"));
    let (files, own) = (files(b"scan"), open(&jobs, b"scan", Mode::Auto, 8, 1, 9));
    assert_eq!(own.read().expect("no job yet"), None);
    own.begin(&job(&files), &files).expect("written");
    assert_eq!(own.read().expect("read"), Some(job(&files)));
    let found = own.files(&job(&files)).expect("read").expect("whole");
    assert_eq!((found.sealed, found.capsules), (files.sealed.clone(), files.capsules.clone()));
    for other in [
        open(&jobs, b"scam", Mode::Auto, 8, 1, 9),
        open(&jobs, b"scan", Mode::Raw, 8, 1, 9),
        open(&jobs, b"scan", Mode::Pixels, 8, 1, 9),
        open(&jobs, b"scan", Mode::Auto, 7, 1, 9),
        open(&jobs, b"scan", Mode::Auto, 8, 2, 9),
        open(&jobs, b"scan", Mode::Auto, 8, 1, 8),
    ] {
        assert_eq!(other.read().expect("no such job"), None);
    }
    let registered = Registered { transaction: B256::ZERO, block: 7, gas: 8, images: 1, anchor: None };
    let done = SealingJob { registered: Some(registered), ..job(&files) };
    own.finish(&done).expect("finished");
    own.finish(&done).expect("finished twice");
    assert_eq!(own.read().expect("read"), Some(done.clone()));
    assert!(own.files(&done).expect("read").is_none());
}

#[test]
fn one_process_at_a_time_has_a_job_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = SealingJobs::new(folder.path());
    let first = open(&jobs, b"scan", Mode::Auto, 8, 1, 9);
    let second = jobs.open(b"scan", Mode::Auto, Address::repeat_byte(8), 1, Address::repeat_byte(9));
    assert!(matches!(second.err(), Some(PipelineError::JobBusy { .. })));
    drop(first);
    open(&jobs, b"scan", Mode::Auto, 8, 1, 9);
}

#[test]
fn files_that_are_not_the_jobs_are_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = open(&SealingJobs::new(folder.path()), b"scan", Mode::Auto, 8, 1, 9);
    let (files, other) = (files(b"scan"), files(b"another"));
    own.begin(&job(&files), &files).expect("written");
    assert!(own.files(&job(&other)).expect("read").is_none());
    for file in [SEALED, CAPSULES] {
        let path = own.path.join(file);
        let whole = std::fs::read(&path).expect("read");
        let mut flipped = whole.clone();
        *flipped.last_mut().expect("not empty") ^= 1;
        for damaged in [&flipped[..], &whole[..whole.len() - 1], b""] {
            std::fs::write(&path, damaged).expect("written");
            assert!(own.files(&job(&files)).expect("read").is_none(), "{file} of {} bytes", damaged.len());
        }
        std::fs::write(&path, whole).expect("written");
        assert!(own.files(&job(&files)).expect("read").is_some());
    }
}

#[test]
fn a_damaged_description_is_an_error_and_not_a_new_job() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = open(&SealingJobs::new(folder.path()), b"scan", Mode::Auto, 8, 1, 9);
    own.begin(&job(&files(b"scan")), &files(b"scan")).expect("written");
    std::fs::write(own.path.join(DESCRIPTION), b"{").expect("written");
    assert!(matches!(own.read(), Err(PipelineError::JobDescription { .. })));
}

/// A guessed file is not confirmed by the names alone: each place has a key of its own.
#[test]
fn a_folders_name_says_nothing_without_the_key_beside_the_jobs() {
    let name_in = |folder: &tempfile::TempDir| {
        open(&SealingJobs::new(folder.path().join("jobs")), b"scan", Mode::Auto, 8, 1, 9).path
    };
    let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    assert_eq!(name_in(&one), name_in(&one));
    assert_ne!(name_in(&one).file_name(), name_in(&other).file_name());
    let key = |folder: &tempfile::TempDir| folder.path().join("jobs.key");
    let mode = std::os::unix::fs::PermissionsExt::mode(&key(&one).metadata().expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    std::fs::copy(key(&one), key(&other)).expect("copied");
    assert_eq!(name_in(&one).file_name(), name_in(&other).file_name());
    std::fs::write(key(&one), b"short").expect("written");
    let jobs = SealingJobs::new(one.path().join("jobs"));
    let refused = jobs.open(b"scan", Mode::Auto, Address::ZERO, 1, Address::ZERO);
    assert!(matches!(refused, Err(PipelineError::JobFile { .. })));
}

#[test]
fn what_a_dead_process_left_is_swept_and_nothing_that_somebody_goes_on_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = SealingJobs::new(folder.path().join("jobs"));
    let names = |path: &std::path::Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(path).expect("listed").map(|entry| entry.expect("one").file_name()).collect();
        names.sort();
        names
    };
    let begun = open(&jobs, b"begun", Mode::Auto, 8, 1, 9);
    let files = files(b"begun");
    begun.begin(&job(&files), &files).expect("written");
    let at_work = open(&jobs, b"at work", Mode::Auto, 8, 1, 9);
    let dead = open(&jobs, b"dead", Mode::Auto, 8, 1, 9);
    for path in [&begun.path, &at_work.path, &dead.path] {
        std::fs::write(path.join(".tmpAbCdEf"), "half").expect("written");
        std::fs::write(path.join(".medseal-AbCdEf.tmp"), "half").expect("written");
    }
    for path in [&at_work.path, &dead.path] {
        std::fs::write(path.join("sealed.msl"), "not described").expect("written");
    }
    let paths = (begun.path.clone(), dead.path.clone());
    drop((begun, dead));
    let (begun, dead) = paths;
    jobs.sweep();
    assert_eq!(names(&at_work.path), [".medseal-AbCdEf.tmp", ".tmpAbCdEf", "lock", "sealed.msl"]);
    assert_eq!(names(&begun), ["job.json", "lock", "sealed.keys", "sealed.msl"]);
    assert_eq!(names(&dead), ["lock"]);
}
