//! What a store holds that is not what was put.

use super::*;

#[tokio::test]
async fn a_flipped_bit_is_named_and_can_be_observed() {
    for size in [1, MIB, 3 * MIB + 7] {
        let (_dir, store) = open();
        let bytes = pattern(size);
        let cid = store.put(&bytes).await.expect("put");
        let (leaf, block) = blocks(&bytes).swap_remove(0);
        let at = block.len() / 2;
        flip(&store, &leaf, at);

        let error = store.get(&cid, &sha256(&bytes)).await.expect_err("altered");
        assert!(
            matches!(error, StoreError::BlockAltered { cid: object, block } if object == cid && block == leaf),
            "{size}: {error}"
        );
        assert!(error.to_string().contains(&leaf.to_string()), "{error}");

        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let observed = store.fetch_observed(&cid).await.expect("as held");
        assert_eq!(observed, Observed { bytes: altered, altered: Some(leaf) }, "{size}");

        assert_eq!(store.put(&bytes).await.expect("mends"), cid);
        assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("mended"), bytes, "{size}");
    }
}

#[tokio::test]
async fn an_altered_index_is_never_the_object() {
    let (_dir, store) = open();
    let bytes = pattern(MIB + 1);
    let cid = store.put(&bytes).await.expect("put");
    let length = fs::read(store.block_path(&cid)).expect("the index").len();
    for at in 0..length {
        flip(&store, &cid, at);
        let error = store.get(&cid, &sha256(&bytes)).await.expect_err("altered");
        assert!(matches!(error, StoreError::BlockAltered { block, .. } if block == cid), "{at}: {error}");
        let observed = store.fetch_observed(&cid).await.expect("as held");
        assert_ne!(observed.bytes, bytes, "{at}");
        assert_eq!(observed.altered, Some(cid), "{at}");
        flip(&store, &cid, at);
    }
    assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("whole again"), bytes);
}

#[tokio::test]
async fn the_right_bytes_under_the_wrong_addresses_are_altered() {
    let bytes = pattern(2 * MIB + 7);
    let parts = blocks(&bytes);
    let (first, second, root) = (parts[0].0, parts[1].0, Cid::of(&bytes));
    // The whole content in the place of the index; the first leaf grown by the second, which is
    // emptied.
    for replaced in [&[(root, &bytes[..])][..], &[(first, &bytes[..2 * MIB]), (second, b"")]] {
        let (_dir, store) = open();
        let cid = store.put(&bytes).await.expect("put");
        for (block, content) in replaced {
            fs::write(store.block_path(block), content).expect("altered");
        }
        let altered = replaced[0].0;
        let observed = store.fetch_observed(&cid).await.expect("as held");
        assert_eq!(observed.altered, Some(altered));
        assert_eq!(sha256(&observed.bytes), sha256(&bytes), "its hash alone does not tell");
        let error = store.get(&cid, &sha256(&bytes)).await.expect_err("altered");
        assert!(matches!(error, StoreError::BlockAltered { block, .. } if block == altered), "{error}");
    }
}

#[tokio::test]
async fn cut_empty_longer_and_swapped_blocks_are_altered() {
    let (_dir, store) = open();
    let bytes = pattern(3 * MIB + 7);
    let cid = store.put(&bytes).await.expect("put");
    let parts = blocks(&bytes);
    let (leaf, block) = &parts[1];
    let path = store.block_path(leaf);
    let longer = [&block[..], &vec![0; 3 * MIB]].concat();
    for other in [&block[..block.len() - 1], &block[..1], b"", &longer, &parts[2].1] {
        fs::write(&path, other).expect("altered");
        let error = store.get(&cid, &sha256(&bytes)).await.expect_err("altered");
        assert!(matches!(error, StoreError::BlockAltered { block, .. } if block == *leaf), "{error}");
        let observed = [&bytes[..MIB], other, &bytes[2 * MIB..]].concat();
        let observed = Observed { bytes: observed, altered: Some(*leaf) };
        assert_eq!(store.fetch_observed(&cid).await.expect("as held"), observed);
    }
}

#[tokio::test]
async fn another_hash_is_another_content() {
    let (_dir, store) = open();
    let cid = store.put(b"one").await.expect("put");
    let error = store.get(&cid, &sha256(b"two")).await.expect_err("refused");
    assert!(
        matches!(error, StoreError::ContentMismatch { expected, found, .. } if expected == sha256(b"two") && found == sha256(b"one"))
    );
    assert!(error.to_string().contains("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"), "{error}");
}
