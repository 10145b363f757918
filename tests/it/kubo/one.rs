//! One node: what is put there, comes back, goes, and what it gives it for an address.

use super::node::{Node, flip, store};
use super::{MIB, pattern, sha256};
use crate::common::random;
use medseal::storage::kubo::{Held, Token};
use medseal::storage::{CarError, Cid, IpfsError, Observed, PinState, Store, StoreError, blocks};

#[tokio::test]
async fn its_cids_are_ours() {
    let Some(node) = Node::start() else { return };
    let (store, _) = store(&[&node], 1);
    let mut contents: Vec<Vec<u8>> = [0, 1, MIB - 1, MIB, MIB + 1, 174 * MIB].map(pattern).to_vec();
    // More than one index: all but the last chunks are alike, so that the test writes no gigabyte.
    contents.push(vec![0; 1024 * MIB + 1]);
    let seed = 0x6b75_626f;
    eprintln!("seed {seed:#x}");
    let sizes = random(seed, 9);
    contents.extend(sizes.chunks(3).map(|size| {
        let size = usize::from(size[0]) << 14 | usize::from(size[1]) << 8 | usize::from(size[2]);
        random(size as u64, size)
    }));
    let mut compared = 0;
    for bytes in &contents {
        // The node's own answer is compared in `put`; that of its command line, which shares no
        // request with ours, is compared here.
        let cid = store.put(bytes).await.unwrap_or_else(|error| panic!("{} bytes: {error:?}", bytes.len()));
        assert_eq!(cid, Cid::of(bytes));
        let file = node.repo().with_file_name("content");
        std::fs::write(&file, bytes).expect("written");
        let path = file.to_str().expect("text");
        let arguments = ["add", "-Q", "-n", "--cid-version=1", "--chunker=size-1048576", "--max-file-links=1024", path];
        let theirs = String::from_utf8(node.ipfs(&arguments)).expect("text");
        assert_eq!(theirs.trim(), cid.to_string(), "{} bytes", bytes.len());
        compared += 1;
    }
    eprintln!("{compared} CIDs equal those of Kubo");
    assert_eq!(compared, 10);
}

#[tokio::test]
async fn what_is_put_comes_back_until_it_is_removed() {
    let Some(mut node) = Node::start() else { return };
    let (store, notices) = store(&[&node], 1);
    let objects = [0, 1, MIB, 3 * MIB + 7].map(pattern);
    for bytes in &objects {
        let cid = store.put(bytes).await.expect("put");
        assert_eq!(store.put(bytes).await.expect("again"), cid);
        assert_eq!(&store.get(&cid, &sha256(bytes)).await.expect("get"), bytes);
        let observed = Observed { bytes: bytes.clone(), altered: None };
        assert_eq!(store.fetch_observed(&cid).await.expect("fetch"), observed);
        assert_eq!(store.pin_state(&cid).await.expect("state"), PinState::Pinned);
        assert_eq!(&node.ipfs(&["cat", &cid.to_string()]), bytes, "as everybody reads it");
        let wrong = store.get(&cid, &[7; 32]).await.expect_err("another hash");
        assert!(matches!(wrong, StoreError::ContentMismatch { expected, .. } if expected == [7; 32]), "{wrong:?}");
    }
    let cids = objects.each_ref().map(|bytes| Cid::of(bytes));
    assert_eq!(store.pins().await.expect("pins"), cids.into());

    // What is pinned survives a garbage collection, a restart and SIGKILL.
    node.ipfs(&["repo", "gc"]);
    node.stop();
    node.run();
    node.kill();
    node.run();
    for (cid, bytes) in cids.iter().zip(&objects) {
        assert_eq!(&store.get(cid, &sha256(bytes)).await.expect("kept"), bytes);
    }
    // What is not pinned may go, and is then not found; a block that another object has stays.
    let long = Cid::of(&objects[3]);
    store.remove(&long).await.expect("removed");
    assert_eq!(store.pin_state(&long).await.expect("state"), PinState::Unpinned);
    node.ipfs(&["repo", "gc"]);
    let gone = store.get(&long, &sha256(&objects[3])).await.expect_err("gone");
    assert!(matches!(gone, StoreError::NotFound { cid, block } if cid == long && block == long), "{gone:?}");
    let gone = store.fetch_observed(&long).await.expect_err("gone");
    assert!(matches!(gone, StoreError::NotFound { .. }), "{gone:?}");
    let twice = store.remove(&long).await.expect_err("not pinned");
    assert!(matches!(twice, StoreError::NotFound { .. }), "{twice:?}");
    assert_eq!(store.get(&cids[2], &sha256(&objects[2])).await.expect("its first chunk is this"), objects[2]);
    assert!(notices.all().is_empty(), "{:?}", notices.all());
}

#[tokio::test]
async fn pins_of_others_are_nobody_elses_business() {
    let Some(node) = Node::start() else { return };
    let (store, _) = store(&[&node], 1);
    let file = node.repo().with_file_name("theirs");
    std::fs::write(&file, "theirs").expect("written");
    let path = file.to_str().expect("text");
    node.ipfs(&["add", "-Q", "--cid-version=1", path]);
    node.ipfs(&["add", "-Q", "--cid-version=1", "--pin-name=medseal-of-another", path]);
    assert!(store.pins().await.expect("pins").is_empty());
    let cid = store.put(b"ours").await.expect("put");
    assert_eq!(store.pins().await.expect("pins"), [cid].into());
}

#[tokio::test]
async fn an_altered_block_is_named_observed_and_mended() {
    for size in [1, MIB, 3 * MIB + 7] {
        let Some(mut node) = Node::start() else { return };
        let (store, _) = store(&[&node], 1);
        let bytes = pattern(size);
        let cid = store.put(&bytes).await.expect("put");
        let (leaf, block) = blocks(&bytes).swap_remove(0);
        let (path, at) = (node.block_path(&leaf), block.len() / 2);
        node.stop();
        flip(&path, at);
        node.run();

        let error = store.get(&cid, &sha256(&bytes)).await.expect_err("altered");
        assert!(
            matches!(error, StoreError::BlockAltered { cid: object, block } if object == cid && block == leaf),
            "{error:?}"
        );
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let observed = store.fetch_observed(&cid).await.expect("as held");
        assert_eq!(observed, Observed { bytes: altered, altered: Some(leaf) }, "{size}");
        let held = &store.replicas(&cid).await[0].held;
        assert!(matches!(held, Held::Damaged(StoreError::BlockAltered { block, .. }) if *block == leaf), "{held:?}");

        assert_eq!(store.put(&bytes).await.expect("mends"), cid);
        assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("mended"), bytes, "{size}");
    }
}

#[tokio::test]
async fn a_block_that_is_gone_is_not_found() {
    let Some(mut node) = Node::start() else { return };
    let (store, _) = store(&[&node], 1);
    let bytes = pattern(3 * MIB + 7);
    let cid = store.put(&bytes).await.expect("put");
    let (leaf, _) = blocks(&bytes).swap_remove(1);
    let path = node.block_path(&leaf);
    node.stop();
    std::fs::remove_file(path).expect("removed");
    node.run();
    for error in [store.get(&cid, &sha256(&bytes)).await.map(drop), store.fetch_observed(&cid).await.map(drop)] {
        let error = error.expect_err("a block is missing");
        assert!(
            matches!(error, StoreError::NotFound { cid: object, block } if object == cid && block == leaf),
            "{error:?}"
        );
    }
    assert_eq!(store.put(&bytes).await.expect("mends"), cid);
    assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("mended"), bytes);
}

#[tokio::test]
async fn only_who_has_the_token_is_let_in() {
    let secret = "correct-horse";
    let node = Node::start_with(&[], |config| {
        let rule = serde_json::json!({ "AuthSecret": format!("bearer:{secret}"), "AllowedPaths": ["/api/v0"] });
        config["API"]["Authorizations"] = serde_json::json!({ "medseal": rule });
    });
    let Some(node) = node else { return };
    let with = |token: Option<&str>| {
        let token = token.map(|token| Token::new(token).expect("a token"));
        super::node::store_at(vec![(node.endpoint(), token)], 1, medseal::storage::kubo::Deadlines::default()).0
    };
    let cid = with(Some(secret)).put(b"one").await.expect("put");
    for (token, sent) in [(None, false), (Some("wrong-horse"), true)] {
        let refused = with(token);
        for error in [
            refused.put(b"two").await.map(drop),
            refused.get(&cid, &sha256(b"one")).await.map(drop),
            refused.pin_state(&cid).await.map(drop),
            refused.remove(&cid).await,
        ] {
            let error = error.expect_err("refused");
            let StoreError::Node { source: IpfsError::NotAuthorized { token, .. }, .. } = &error else {
                panic!("{error:?}")
            };
            assert_eq!(*token, sent);
            assert!(!format!("{error:?} {error}").contains("horse"));
        }
    }
    assert_eq!(with(Some(secret)).get(&cid, &sha256(b"one")).await.expect("get"), b"one");
}

#[tokio::test]
async fn a_car_file_is_taken_in_whole_or_not_at_all() {
    let (Some(from), Some(to)) = (Node::start(), Node::start()) else { return };
    let bytes = pattern(3 * MIB + 7);
    let cid = store(&[&from], 1).0.put(&bytes).await.expect("put");
    let (store, _) = store(&[&to], 1);
    let whole = from.ipfs(&["dag", "export", &cid.to_string()]);
    let path = to.repo().with_file_name("file.car");
    // The last block has 7 bytes, and before them its address and the length of both.
    let without_last = whole[..whole.len() - 7 - 36 - 1].to_vec();
    let (last, _) = blocks(&bytes).swap_remove(3);
    std::fs::write(&path, without_last).expect("written");
    let missing = store.import(&path).await.expect_err("a block is missing");
    assert!(matches!(missing, StoreError::NotFound { block, .. } if block == last), "{missing:?}");
    let mut flipped = whole.clone();
    flipped[whole.len() - 1] ^= 1;
    std::fs::write(&path, flipped).expect("written");
    let altered = store.import(&path).await.expect_err("a block is altered");
    assert!(matches!(altered, StoreError::Car(CarError::Altered { block }) if block == last), "{altered:?}");
    std::fs::write(&path, &whole[..whole.len() - 3]).expect("written");
    let cut = store.import(&path).await.expect_err("it ends in a block");
    assert!(matches!(cut, StoreError::Car(CarError::Format(_))), "{cut:?}");
    assert!(store.pins().await.expect("pins").is_empty());
    assert_eq!(store.pin_state(&cid).await.expect("state"), PinState::Unpinned);

    std::fs::write(&path, whole).expect("written");
    let moved = store.import(&path).await.expect("imported");
    assert_eq!((moved.objects, moved.blocks), (1, 5));
    assert_eq!(store.pins().await.expect("pins"), [cid].into());
    assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("get"), bytes);
}
