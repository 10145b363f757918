//! Lists of capsules that were sealed anew.

use alloy::primitives::{B256, Bytes};
use medseal::envelope::leaves::{LeavesError, RewrappedLeaf, RewrappedLeaves};
use serde::Deserialize;

use super::schema::load;

#[derive(Deserialize)]
struct RewrappedFile {
    good: Vec<Good>,
    bad: Vec<Bad>,
}

#[derive(Deserialize)]
struct Good {
    leaves: Vec<Leaf>,
    bytes: Bytes,
    root: B256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leaf {
    image_id: B256,
    capsules_hash: B256,
}

#[derive(Deserialize)]
struct Bad {
    error: String,
    bytes: Bytes,
}

#[test]
fn lists_of_rewrapped_capsules_are_those_of_the_format() {
    let file: RewrappedFile = load("rewrapped.json");
    assert_eq!((file.good.len(), file.bad.len()), (5, 8));
    for Good { leaves, bytes, root } in file.good {
        let leaf = |Leaf { image_id, capsules_hash }| RewrappedLeaf { image_id, capsules_hash };
        let list = RewrappedLeaves::new(leaves.into_iter().map(leaf).collect()).expect("a list");
        assert_eq!((list.encode(), list.root()), (bytes.to_vec(), root));
        assert_eq!(RewrappedLeaves::decode(&bytes), Ok(list));
    }
    for Bad { error, bytes } in file.bad {
        let found = match RewrappedLeaves::decode(&bytes).expect_err(&error) {
            LeavesError::BadMagic => "BadMagic",
            LeavesError::Truncated { .. } => "Truncated",
            LeavesError::UnsupportedVersion { .. } => "UnsupportedVersion",
            LeavesError::TrailingBytes { .. } => "TrailingBytes",
            LeavesError::Count { .. } => "Count",
            LeavesError::Duplicate { .. } => "Duplicate",
            other => panic!("{error}: {other}"),
        };
        assert_eq!(found, error);
    }
}
