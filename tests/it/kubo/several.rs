//! Several nodes, each object at two of them.

use super::node::{Node, flip, store};
use super::{MIB, pattern, sha256};
use medseal::storage::kubo::{Deadlines, Held, KuboOptions, KuboOptionsError, KuboStore};
use medseal::storage::{Cid, IpfsError, Observed, PinState, Store, StoreError, blocks};
use std::sync::Arc;

fn three() -> Option<[Node; 3]> {
    Some([Node::start()?, Node::start()?, Node::start()?])
}

/// A different small object for each number.
fn object(number: u32) -> Vec<u8> {
    [&number.to_be_bytes()[..], &pattern(2000)].concat()
}

#[tokio::test]
async fn one_of_three_is_killed_while_objects_are_put_and_read() {
    let Some(mut nodes) = three() else { return };
    let (store, notices) = store(&nodes.each_ref(), 2);
    let mut cids = Vec::new();
    for number in 0..60 {
        if number == 20 {
            nodes[1].kill();
        }
        let bytes = object(number);
        cids.push(store.put(&bytes).await.unwrap_or_else(|error| panic!("{number}: {error:?}")));
        let earlier = object(number / 2);
        let cid = cids[number as usize / 2];
        assert_eq!(store.get(&cid, &sha256(&earlier)).await.expect("read while a node is away"), earlier);
    }
    assert!(notices.name(&nodes[1].url()), "{:?}", notices.all());
    assert_eq!(notices.all().len(), 1, "it is said once: {:?}", notices.all());

    // What was put while it was away lies at the two others; what was put before may be one short.
    let mut short = 0;
    for cid in &cids {
        match store.pin_state(cid).await.expect("state") {
            PinState::Pinned => {}
            PinState::TooFew { found: 1, wanted: 2 } => short += 1,
            state => panic!("{state:?}"),
        }
    }
    assert!(short > 0 && short <= 20, "{short}");
    for cid in &cids {
        store.repair(cid).await.expect("repaired");
        assert_eq!(store.pin_state(cid).await.expect("state"), PinState::Pinned);
    }
    nodes[1].run();
    let mut whole_twice = 0;
    for (number, cid) in (0..).zip(&cids) {
        let bytes = object(number);
        assert_eq!(store.get(cid, &sha256(&bytes)).await.expect("get"), bytes);
        let whole = store.replicas(cid).await.iter().filter(|replica| matches!(replica.held, Held::Whole)).count();
        assert!(whole >= 2, "{number}: {whole}");
        whole_twice += 1;
    }
    eprintln!("{whole_twice} of {} objects at two nodes or more, {short} of them after a repair", cids.len());
}

#[tokio::test]
async fn with_too_few_nodes_nothing_is_claimed() {
    let Some(mut nodes) = three() else { return };
    let (store, _) = store(&nodes.each_ref(), 2);
    let before = store.put(b"before").await.expect("put");
    nodes[0].kill();
    nodes[2].kill();
    let error = store.put(b"after").await.expect_err("one node is not two");
    let StoreError::TooFewReplicas(few) = &error else { panic!("{error:?}") };
    assert_eq!((few.wanted, few.found, few.cid), (2, 1, Cid::of(b"after")));
    assert_eq!(few.failures.iter().count(), 2);
    for node in [&nodes[0], &nodes[2]] {
        assert!(error.to_string().contains(&node.url()), "{error}");
    }
    assert!(
        few.failures
            .iter()
            .all(|(_, error)| matches!(error, StoreError::Node { source: IpfsError::Unreachable(_), .. }))
    );
    // Whether it is pinned at the nodes that are away is not known.
    let unknown = store.remove(&before).await.expect_err("two are away");
    assert!(matches!(&unknown, StoreError::NoNode { failures, .. } if failures.iter().count() == 2), "{unknown:?}");

    nodes[0].run();
    nodes[2].run();
    assert_eq!(store.put(b"after").await.expect("the same again"), Cid::of(b"after"));
    assert_eq!(store.pin_state(&Cid::of(b"after")).await.expect("state"), PinState::Pinned);

    // All away: not 'not found'.
    for node in &mut nodes {
        node.kill();
    }
    for error in [
        store.get(&before, &sha256(b"before")).await.map(drop),
        store.fetch_observed(&before).await.map(drop),
        store.pin_state(&before).await.map(drop),
        store.pins().await.map(drop),
    ] {
        let error = error.expect_err("nobody is there");
        assert!(error.says_nothing() && matches!(error, StoreError::NoNode { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_node_with_wrong_content_is_named_and_the_next_is_asked() {
    let Some(mut nodes) = three() else { return };
    let (store, notices) = store(&nodes.each_ref(), 2);
    let bytes = pattern(2 * MIB + 7);
    let cid = store.put(&bytes).await.expect("put");
    let (leaf, _) = blocks(&bytes).swap_remove(1);
    let held: Vec<usize> = (0..3).filter(|at| holds(&nodes[*at], &cid)).collect();
    assert_eq!(held.len(), 2);
    let alter = |node: &mut Node| {
        let path = node.block_path(&leaf);
        node.stop();
        flip(&path, 1000);
        node.run();
    };
    let first = held[0];
    alter(&mut nodes[first]);
    // Verification looks at every node: the right one is not hidden, and the wrong one is named,
    // whichever is asked first.
    let observed = store.fetch_observed(&cid).await.expect("one is right");
    assert_eq!(observed, Observed { bytes: bytes.clone(), altered: None });
    assert!(notices.name(&nodes[first].url()), "{:?}", notices.all());
    assert!(!notices.name(&nodes[held[1]].url()), "{:?}", notices.all());
    assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("from the other"), bytes);

    // With the right one away it is not known whether the object is lost: nothing is said.
    nodes[held[1]].kill();
    let unknown = store.fetch_observed(&cid).await.expect_err("one is away");
    assert!(unknown.says_nothing(), "{unknown:?}");
    let unknown = store.get(&cid, &sha256(&bytes)).await.expect_err("one is away");
    assert!(unknown.says_nothing() && unknown.to_string().contains(&leaf.to_string()), "{unknown:?}");
    nodes[held[1]].run();

    // Mended from the right one.
    let repaired = store.repair(&cid).await.expect("repaired");
    assert_eq!((repaired.before, repaired.after), (1, 2));
    assert_eq!(store.replicas(&cid).await.iter().filter(|r| matches!(r.held, Held::Whole)).count(), 2);

    // With all of them wrong it is: altered.
    alter(&mut nodes[first]);
    alter(&mut nodes[held[1]]);
    let altered = store.get(&cid, &sha256(&bytes)).await.expect_err("both are wrong");
    assert!(matches!(altered, StoreError::BlockAltered { block, .. } if block == leaf), "{altered:?}");
    assert_eq!(store.fetch_observed(&cid).await.expect("as held").altered, Some(leaf));
    let lost = store.repair(&cid).await.expect_err("no right one");
    assert!(matches!(lost, StoreError::BlockAltered { .. }), "{lost:?}");
}

fn holds(node: &Node, cid: &Cid) -> bool {
    let pins = String::from_utf8(node.ipfs(&["pin", "ls", "-q", "-t", "recursive"])).expect("text");
    pins.lines().any(|line| line == cid.to_string())
}

#[tokio::test]
async fn what_only_a_peer_has_is_read_through_it() {
    let (Some(holder), Some(mine)) = (Node::start(), Node::start()) else { return };
    let bytes = pattern(MIB + 1);
    let cid = store(&[&holder], 1).0.put(&bytes).await.expect("put");
    let (store, _) = store(&[&mine], 1);
    let alone = store.get(&cid, &sha256(&bytes)).await.expect_err("nobody to ask");
    assert!(matches!(alone, StoreError::NotFound { .. }), "{alone:?}");
    let ids = String::from_utf8(holder.ipfs(&["id", "-f", "<addrs>"])).expect("text");
    let address = ids.lines().find(|line| line.starts_with("/ip4/127.0.0.1/tcp/")).expect("an address").to_owned();
    mine.ipfs(&["swarm", "connect", &address]);
    assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("through the peer"), bytes);
    assert_eq!(store.pin_state(&cid).await.expect("state"), PinState::Unpinned, "reading pins nothing");
    let absent = Cid::of(b"nobody has this");
    let absent = store.get(&absent, &sha256(b"nobody has this")).await.expect_err("nobody has it");
    assert!(matches!(absent, StoreError::NotFound { .. }), "{absent:?}");
}

#[test]
fn more_replicas_than_nodes_and_a_node_twice_are_refused() {
    let options = |urls: &[&str], replicas| {
        let nodes = urls.iter().map(|url| (url.parse().expect("a URL"), None)).collect();
        KuboStore::new(KuboOptions { nodes, replicas, deadlines: Deadlines::default(), notice: Arc::new(|_| {}) })
    };
    let (a, b) = ("http://127.0.0.1:5001", "http://127.0.0.1:5002");
    options(&[a, b], 2).expect("two of two");
    assert_eq!(options(&[a, b], 3).expect_err("three"), KuboOptionsError::Replicas { nodes: 2, found: 3 });
    assert_eq!(options(&[a], 0).expect_err("none"), KuboOptionsError::Replicas { nodes: 1, found: 0 });
    assert_eq!(options(&[a, "/ip4/127.0.0.1/tcp/5001"], 1).expect_err("twice"), KuboOptionsError::Twice);
}
