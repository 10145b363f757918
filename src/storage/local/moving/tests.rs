use std::fs;

use sha2::{Digest, Sha256};

use super::*;
use crate::storage::car::CarError;
use crate::storage::testing::pattern;
use crate::storage::{CidError, Codec, PinState, Store, blocks};

const MIB: usize = 1 << 20;

/// Says whether an error is the right one.
type Expected = fn(&StoreError) -> bool;

fn store(dir: &Path, name: &str) -> LocalStore {
    LocalStore::open(dir.join(name)).expect("opens")
}

/// A folder with two stores, the first with two objects that share a block, exported.
async fn exported() -> (tempfile::TempDir, LocalStore, LocalStore, [Vec<u8>; 2], Moved) {
    let dir = tempfile::tempdir().expect("a folder");
    let (one, two) = (store(dir.path(), "one"), store(dir.path(), "two"));
    let short = pattern(MIB);
    let long = [&short[..], &short, b"and more"].concat();
    for bytes in [&short, &long] {
        one.put(bytes).await.expect("put");
    }
    let roots = one.pins().await.expect("pins");
    let moved = one.export(&roots, &dir.path().join("all.car"), Existing::Keep).await.expect("exported");
    (dir, one, two, [short, long], moved)
}

#[tokio::test]
async fn what_is_exported_is_imported() {
    let (dir, one, two, objects, moved) = exported().await;
    assert_eq!((moved.objects, moved.blocks), (2, 3), "the shared block once");
    assert_eq!(two.import(&dir.path().join("all.car")).await.expect("imported"), moved);
    for bytes in &objects {
        let (cid, hash) = (Cid::of(bytes), Sha256::digest(bytes).into());
        assert_eq!(two.pin_state(&cid).await.expect("state"), PinState::Pinned);
        assert_eq!(&two.get(&cid, &hash).await.expect("get"), bytes);
    }
    // The pins are as a put makes them: what is removed takes its own blocks along and no others.
    two.remove(&Cid::of(&objects[1])).await.expect("removed");
    two.look(&Cid::of(&objects[0])).await.expect("kept");
    assert_eq!(one.pins().await.expect("pins").len(), 2);
}

#[tokio::test]
async fn an_export_is_whole_or_not_there() {
    let (dir, one, _, objects, _) = exported().await;
    let (roots, path) = (one.pins().await.expect("pins"), dir.path().join("again.car"));
    fs::write(&path, "mine").expect("written");
    let kept = one.export(&roots, &path, Existing::Keep).await.expect_err("it is there");
    assert!(matches!(kept, StoreError::Unwritable { .. }), "{kept:?}");
    assert_eq!(fs::read(&path).expect("kept"), b"mine");
    one.export(&roots, &path, Existing::Replace).await.expect("replaced");

    let (leaf, _) = blocks(&objects[1]).swap_remove(2);
    let file = one.block_path(&leaf);
    fs::write(&file, "altered").expect("altered");
    let altered = one.export(&roots, &dir.path().join("bad.car"), Existing::Keep).await.expect_err("altered");
    assert!(matches!(altered, StoreError::BlockAltered { block, .. } if block == leaf), "{altered:?}");
    fs::remove_file(&file).expect("removed");
    let missing = one.export(&roots, &dir.path().join("bad.car"), Existing::Keep).await.expect_err("missing");
    assert!(matches!(missing, StoreError::NotFound { block, .. } if block == leaf), "{missing:?}");
    assert!(!dir.path().join("bad.car").exists());
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 4, "no draft was left");
}

#[tokio::test]
async fn damaged_and_foreign_files_leave_nothing_behind() {
    let (dir, _, two, objects, _) = exported().await;
    let path = dir.path().join("all.car");
    let whole = fs::read(&path).expect("the file");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let is_format: Expected = |error| matches!(error, StoreError::Car(CarError::Format(_)));
    let is_altered: Expected = |error| matches!(error, StoreError::Car(CarError::Altered { .. }));
    let is_missing: Expected = |error| matches!(error, StoreError::NotFound { .. });
    let cases: [(&str, Vec<u8>, Expected); 6] = [
        ("empty", Vec::new(), is_format),
        ("no CAR", b"hello".to_vec(), is_format),
        ("cut in a block", whole[..whole.len() / 2].to_vec(), is_format),
        ("a bit of a block", flipped(whole.len() / 2), is_altered),
        ("a bit of the last block", flipped(whole.len() - 1), is_altered),
        ("cut after the header", whole[..header_bytes(&whole)].to_vec(), is_missing),
    ];
    for (name, bytes, expected) in cases {
        fs::write(&path, bytes).expect("written");
        let error = two.import(&path).await.expect_err(name);
        assert!(expected(&error), "{name}: {error:?}");
        assert_eq!(two.pins().await.expect("pins").len(), 0, "{name}");
    }
    assert!(!two.block_path(&Cid::of(&objects[0])).exists(), "a block of a damaged file was kept");

    let sha1 = ::cid::Cid::new_v1(0x55, multihash::Multihash::wrap(0x11, &[0; 20]).expect("fits"));
    let header = iroh_car::CarHeader::new_v1(vec![sha1]);
    let mut file = Vec::new();
    let mut writer = iroh_car::CarWriter::new(header, &mut file);
    writer.write(Cid::of(b"").wide(), []).await.expect("written");
    writer.finish().await.expect("written");
    fs::write(&path, file).expect("written");
    let error = two.import(&path).await.expect_err("foreign");
    assert!(matches!(error, StoreError::Car(CarError::Foreign(CidError::Hash { found: 0x11 }))), "{error:?}");
    assert!(matches!(two.import(&dir.path().join("none.car")).await, Err(StoreError::Unavailable { .. })));
}

#[tokio::test]
async fn a_block_too_large_for_any_node_is_refused() {
    let (dir, _, two, _, _) = exported().await;
    let path = dir.path().join("large.car");
    for (size, taken) in [(2 * MIB, true), (2 * MIB + 1, false)] {
        let bytes = vec![0; size];
        let cid = Cid::of_block(Codec::Raw, &bytes);
        let mut file = Vec::new();
        let mut writer = iroh_car::CarWriter::new(iroh_car::CarHeader::new_v1(vec![cid.wide()]), &mut file);
        writer.write(cid.wide(), bytes).await.expect("written");
        writer.finish().await.expect("written");
        fs::write(&path, file).expect("written");
        match two.import(&path).await {
            Ok(_) => assert!(taken, "{size}"),
            Err(error) => {
                assert!(!taken && matches!(error, StoreError::Car(CarError::TooLarge { .. })), "{size}: {error:?}");
            }
        }
    }
}

/// Bytes of the header of a CAR file, with its length, which stands before it in one byte.
fn header_bytes(file: &[u8]) -> usize {
    assert!(file[0] < 0x80, "a longer header than that of two roots");
    1 + usize::from(file[0])
}
