mod altered;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::*;
use crate::storage::blocks;
use crate::storage::testing::pattern;

const MIB: usize = 1 << 20;
const ALL_SIZES: [usize; 6] = [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7];

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn open() -> (tempfile::TempDir, LocalStore) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = LocalStore::open(dir.path().join("store")).expect("opens");
    (dir, store)
}

/// Flips one bit of a block's file, as a hostile or failing disk would.
fn flip(store: &LocalStore, block: &Cid, at: usize) {
    let path = store.block_path(block);
    let mut bytes = fs::read(&path).expect("the block");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("altered");
}

/// Names of all files under a folder, in order.
fn files(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry")) {
        if entry.path().is_dir() {
            names.extend(files(&entry.path()));
        } else {
            names.push(entry.file_name().into_string().expect("text"));
        }
    }
    names.sort();
    names
}

#[tokio::test]
async fn what_is_put_comes_back() {
    let (_dir, store) = open();
    for size in ALL_SIZES {
        let bytes = pattern(size);
        let cid = store.put(&bytes).await.expect("put");
        assert_eq!(cid, Cid::of(&bytes), "{size}");
        assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("get"), bytes, "{size}");
        assert_eq!(store.fetch_observed(&cid).await.expect("fetch"), Observed { bytes, altered: None }, "{size}");
        assert_eq!(store.pin_state(&cid).await.expect("state"), PinState::Pinned, "{size}");
    }
    // The folder is all there is: another store in it has the same.
    let again = LocalStore::open(&store.folder.root).expect("opens");
    for bytes in ALL_SIZES.map(pattern) {
        assert_eq!(again.get(&Cid::of(&bytes), &sha256(&bytes)).await.expect("get"), bytes);
    }
}

#[tokio::test]
async fn blocks_lie_under_their_names() {
    let (_dir, store) = open();
    let bytes = pattern(3 * MIB + 7);
    store.put(&bytes).await.expect("put");
    let mut names = Vec::new();
    for (cid, block) in blocks(&bytes) {
        let path = store.block_path(&cid);
        let name = cid.to_string();
        assert!(path.ends_with(format!("blocks/{}/{name}", &name[56..58])), "{}", path.display());
        assert_eq!(fs::read(path).expect("the block"), block);
        names.push(name);
    }
    names.sort();
    assert_eq!(files(&store.folder.blocks()), names);
    assert!(files(&store.folder.temporary()).is_empty());
}

#[tokio::test]
async fn what_is_missing_is_not_found() {
    let (_dir, store) = open();
    let bytes = pattern(MIB + 1);
    let absent = Cid::of(b"never put");
    for error in [
        store.get(&absent, &[0; 32]).await.expect_err("absent"),
        store.fetch_observed(&absent).await.expect_err("absent"),
        store.remove(&absent).await.expect_err("absent"),
    ] {
        assert!(matches!(error, StoreError::NotFound { cid, block } if cid == absent && block == absent), "{error}");
    }
    assert_eq!(store.pin_state(&absent).await.expect("state"), PinState::Unpinned);

    let cid = store.put(&bytes).await.expect("put");
    let (leaf, _) = blocks(&bytes).swap_remove(1);
    fs::remove_file(store.block_path(&leaf)).expect("removed");
    for error in [store.get(&cid, &sha256(&bytes)).await, store.fetch_observed(&cid).await.map(|held| held.bytes)] {
        let error = error.expect_err("a block is missing");
        assert!(
            matches!(error, StoreError::NotFound { cid: object, block } if object == cid && block == leaf),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_unavailable_not_empty() {
    let (_dir, store) = open();
    let cid = store.put(b"one").await.expect("put");
    let path = store.block_path(&cid);
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("a folder in its place");
    assert!(matches!(store.fetch_observed(&cid).await, Err(StoreError::Unavailable { .. })));

    fs::remove_dir_all(&store.folder.root).expect("the disk is gone");
    assert!(matches!(store.get(&cid, &sha256(b"one")).await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(store.fetch_observed(&cid).await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(store.pin_state(&cid).await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(store.put(b"one").await, Err(StoreError::Unavailable { .. })));
}

#[tokio::test]
async fn too_much_is_refused_before_anything_is_done() {
    let (_dir, mut store) = open();
    assert_eq!(store.object_limit, 4_294_967_296);
    store.object_limit = 5;
    let cid = store.put(b"12345").await.expect("as many as allowed");
    // Work on a store without its folder ends otherwise.
    fs::remove_dir_all(&store.folder.root).expect("gone");
    assert!(matches!(store.put(b"12345").await, Err(StoreError::Unavailable { .. })));
    let error = store.put(b"123456").await.expect_err("too many");
    assert!(matches!(error, StoreError::TooLarge { limit: 5, found: 6 }), "{error}");
    assert!(!store.block_path(&cid).exists());
}

#[tokio::test]
async fn the_same_bytes_twice_and_at_once() {
    let (_dir, store) = open();
    let bytes = pattern(2 * MIB);
    let second = LocalStore::open(&store.folder.root).expect("opens");
    let (a, b, c) = tokio::join!(store.put(&bytes), second.put(&bytes), store.put(&bytes));
    let cid = Cid::of(&bytes);
    assert_eq!([a.expect("put"), b.expect("put"), c.expect("put")], [cid; 3]);
    assert_eq!(files(&store.folder.pins()), [cid.to_string()]);
    assert_eq!(files(&store.folder.blocks()).len(), 3);
    store.remove(&cid).await.expect("one remove is enough");
    assert_eq!(store.pin_state(&cid).await.expect("state"), PinState::Unpinned);
    assert!(files(&store.folder.blocks()).is_empty());
}

#[tokio::test]
async fn removing_keeps_shared_blocks() {
    let (_dir, store) = open();
    let short = pattern(MIB);
    let long = [&short[..], &short, b"and more"].concat(); // its first two chunks are the short file
    let (one, two) = (store.put(&short).await.expect("put"), store.put(&long).await.expect("put"));
    assert_eq!(files(&store.folder.blocks()).len(), 3);

    store.remove(&two).await.expect("removed");
    assert_eq!(files(&store.folder.blocks()), [one.to_string()]);
    assert_eq!(store.get(&one, &sha256(&short)).await.expect("kept"), short);

    store.put(&long).await.expect("put");
    store.remove(&one).await.expect("removed");
    assert_eq!(store.pin_state(&one).await.expect("state"), PinState::Unpinned);
    assert_eq!(store.get(&two, &sha256(&long)).await.expect("kept"), long);
    assert!(matches!(store.remove(&one).await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn nothing_is_removed_when_a_pin_is_unreadable() {
    let (_dir, store) = open();
    let bytes = pattern(MIB + 1);
    let (big, small) = (store.put(&bytes).await.expect("put"), store.put(b"small").await.expect("put"));
    let pin = store.folder.pin(&big);
    let list = fs::read_to_string(&pin).expect("the pin");
    for damage in ["", &list[..list.len() - 2], &list[..60], "no cids\n"] {
        fs::write(&pin, damage).expect("damaged");
        for cid in [big, small] {
            assert!(
                matches!(store.remove(&cid).await, Err(StoreError::PinDamaged { cid }) if cid == big),
                "{damage:?}"
            );
        }
    }
    assert_eq!(files(&store.folder.blocks()).len(), 4);
    store.put(&bytes).await.expect("mends");
    store.remove(&small).await.expect("removed");
    store.remove(&big).await.expect("removed");
    assert!(files(&store.folder.blocks()).is_empty());
}

#[tokio::test]
async fn a_killed_put_leaves_nothing_pinned_and_is_cleared_away() {
    let (_dir, store) = open();
    let bytes = pattern(3 * MIB + 7);
    let cid = Cid::of(&bytes);
    // As far as a put may have come: some blocks in place, the next one half written aside, no pin.
    for (cid, block) in &blocks(&bytes)[..2] {
        store.folder.put_block(cid, block).expect("a block");
    }
    fs::write(store.folder.temporary().join(".tmpAbCdEf"), &bytes[..1000]).expect("left behind");

    let store = LocalStore::open(&store.folder.root).expect("opens");
    assert!(files(&store.folder.temporary()).is_empty());
    assert_eq!(store.pin_state(&cid).await.expect("state"), PinState::Unpinned);
    assert!(matches!(store.get(&cid, &sha256(&bytes)).await, Err(StoreError::NotFound { .. })));
    assert_eq!(store.put(&bytes).await.expect("again"), cid);
    assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("whole"), bytes);
}

#[tokio::test]
async fn files_are_replaced_whole() {
    let (_dir, store) = open();
    let cid = store.put(b"one").await.expect("put");
    flip(&store, &cid, 0);
    let mut reader = fs::File::open(store.block_path(&cid)).expect("the altered block");
    store.put(b"one").await.expect("mends");
    let mut held = Vec::new();
    io::Read::read_to_end(&mut reader, &mut held).expect("read");
    assert_eq!(held, b"nne", "who reads during a write sees the old file");

    flip(&store, &cid, 0);
    fs::remove_dir(store.folder.temporary()).expect("empty");
    assert!(matches!(store.put(b"one").await, Err(StoreError::Unavailable { .. })));
    assert_eq!(store.fetch_observed(&cid).await.expect("as held").bytes, b"nne", "a failed write changes nothing");
}

#[test]
fn temporary_files_of_a_writer_at_work_are_left_alone() {
    let (_dir, store) = open();
    let file = store.folder.temporary().join("at work");
    fs::write(&file, b"half").expect("written");
    let lock = Lock::shared(&store.folder.lock()).expect("a writer");
    LocalStore::open(&store.folder.root).expect("opens");
    assert!(file.exists());
    drop(lock);
    LocalStore::open(&store.folder.root).expect("opens");
    assert!(!file.exists());
}

#[tokio::test]
async fn folders_that_are_made_are_for_this_user_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let theirs = dir.path().join("theirs");
    fs::create_dir(&theirs).expect("made");
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o755)).expect("open to all");
    let store = LocalStore::open(theirs.join("above/store")).expect("opens");
    let cid = store.put(b"one").await.expect("put");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let shard = store.block_path(&cid).parent().expect("a shard").to_path_buf();
    let Folder { root } = &*store.folder;
    for path in [&theirs.join("above"), root, &root.join("blocks"), &root.join("pins"), &root.join("tmp"), &shard] {
        assert_eq!(mode(path), 0o700, "{}", path.display());
    }
    assert_eq!(mode(&theirs), 0o755, "what was there keeps its mode");
}

#[test]
fn a_folder_that_cannot_be_made_is_unwritable() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    fs::write(&file, b"").expect("written");
    for path in [file.clone(), file.join("store")] {
        let error = LocalStore::open(&path).expect_err("no folder");
        assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
        assert!(!error.to_string().contains("file"), "{error}");
    }
    for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
        assert!(matches!(write_failed("a block", kind.into()), StoreError::Unwritable { .. }));
    }
    assert!(matches!(write_failed("a block", io::ErrorKind::StorageFull.into()), StoreError::Unavailable { .. }));
}

/// Set in the child process of the test below.
const KILLED_IN: &str = "MEDSEAL_TEST_PUT_FOREVER_IN";

#[tokio::test]
async fn puts_survive_kill_9() {
    if let Some(dir) = std::env::var_os(KILLED_IN) {
        let store = LocalStore::open(dir).expect("opens");
        for round in 0_u32.. {
            store.put(&[&round.to_be_bytes()[..], &vec![0; MIB]].concat()).await.expect("put");
        }
    }
    let (_dir, store) = open();
    let mut puts = 0;
    for milliseconds in [30, 60, 90, 120, 150] {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "storage::local::tests::puts_survive_kill_9", "--nocapture"])
            .env(KILLED_IN, &store.folder.root)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("starts");
        let earlier = files(&store.folder.pins()).len();
        // The child begins anew each time: let it come one object further than before.
        while files(&store.folder.pins()).len() <= earlier.min(4) {
            assert!(child.try_wait().expect("a child").is_none(), "the child ended by itself");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
        child.kill().expect("killed");
        child.wait().expect("gone");

        let store = LocalStore::open(&store.folder.root).expect("opens");
        assert!(files(&store.folder.temporary()).is_empty());
        let pins = store.folder.pinned().expect("pins");
        for cid in &pins {
            store.folder.walk(cid, BlockWalk::checked(*cid)).expect("what is pinned is whole");
        }
        puts = pins.len();
    }
    assert!(puts >= 5, "{puts} puts");
}
