//! A node whose disk is full.

use super::node::{Node, store};
use super::{MIB, pattern, sha256};
use crate::common::random;
use medseal::storage::{Cid, IpfsError, PinState, Store, StoreError};

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_lost() {
    let Some(node) = Node::start_on(Some(8), &[], |_| {}) else { return };
    let (store, _) = store(&[&node], 1);
    let mut kept = Vec::new();
    let error = loop {
        let bytes = random(kept.len() as u64, MIB);
        match store.put(&bytes).await {
            Ok(cid) => kept.push((cid, bytes)),
            Err(error) => break error,
        }
        assert!(kept.len() < 9, "more than the disk holds");
    };
    assert!(matches!(&error, StoreError::Node { source: IpfsError::Full { .. }, .. }), "{error:?}");
    assert!(kept.len() > 3, "{} objects", kept.len());
    let refused = random(kept.len() as u64, MIB);
    assert_eq!(store.pin_state(&Cid::of(&refused)).await.expect("state"), PinState::Unpinned);
    for (cid, bytes) in &kept {
        assert_eq!(&store.get(cid, &sha256(bytes)).await.expect("kept"), bytes);
    }
    // With room made, the same put goes through.
    for (cid, _) in kept.drain(..2) {
        store.remove(&cid).await.expect("removed");
    }
    node.ipfs(&["repo", "gc"]);
    let cid = store.put(&refused).await.expect("there is room");
    assert_eq!(store.get(&cid, &sha256(&refused)).await.expect("get"), refused);
    assert_eq!(store.put(&pattern(1)).await.expect("small"), Cid::of(&pattern(1)));
}
