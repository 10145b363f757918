use super::*;

fn leaf(salt: u8) -> Leaf {
    let cid = if salt.is_multiple_of(2) { vec![] } else { vec![1, 2, salt] };
    let hash = B256::repeat_byte;
    Leaf { salt: hash(salt), content_hash: hash(2), capsules_hash: hash(3), header_hash: hash(4), size: 5, cid }
}

fn leaves(count: u8) -> Leaves {
    Leaves::new((0..count).map(leaf).collect()).expect("leaves")
}

#[test]
fn a_list_comes_back_and_every_part_of_it_is_none() {
    let bytes = leaves(3).encode();
    assert_eq!(bytes.len(), 14 + 3 * 137 + 3);
    assert_eq!(Leaves::decode(&bytes), Ok(leaves(3)));
    for end in 0..bytes.len() {
        let error = Leaves::decode(&bytes[..end]).expect_err("a part");
        assert!(matches!(error, LeavesError::Truncated { .. }), "{end}: {error}");
    }
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Leaves::decode(&bytes)
    };
    assert_eq!(with(0, b'm'), Err(LeavesError::BadMagic));
    assert_eq!(with(9, 2), Err(LeavesError::UnsupportedVersion { found: 2 }));
    assert!(matches!(with(13, 2), Err(LeavesError::TrailingBytes { .. })));
    assert_eq!(with(13, 4), Err(LeavesError::Truncated { leaf: 3 }));
    assert_eq!(with(14 + 136, 65), Err(LeavesError::CidLength { leaf: 0, found: 65 }));
    assert_eq!(
        Leaves::decode(&bytes[..10].iter().chain(&[0; 4]).copied().collect::<Vec<_>>()),
        Err(LeavesError::Count { found: 0 })
    );
    let twice = Leaves::new(vec![leaf(1), leaf(2), leaf(1)]);
    assert_eq!(twice, Err(LeavesError::Duplicate { leaf: 2 }));
}

/// As the contract checks a proof.
fn climb(leaf: B256, proof: &[B256]) -> B256 {
    proof.iter().fold(leaf, |a, b| keccak256(if a < *b { [a, *b].concat() } else { [*b, a].concat() }))
}

#[test]
fn every_leaf_has_a_proof_and_no_other_leaf_has() {
    for count in 1..=33 {
        let leaves = leaves(count);
        let root = leaves.root();
        for index in 0..usize::from(count) {
            let proof = leaves.proof(index).expect("a proof");
            assert_eq!(climb(leaves.leaves()[index].hash(), &proof), root, "{index} of {count}");
            assert_ne!(climb(leaf(200).hash(), &proof), root, "{index} of {count}");
            assert!(proof.len() <= 6);
        }
        assert_eq!(leaves.proof(count.into()), None);
    }
    // The order in the list is not the order in the tree.
    let mut turned: Vec<Leaf> = leaves(9).leaves().to_vec();
    turned.reverse();
    assert_eq!(Leaves::new(turned).expect("leaves").root(), leaves(9).root());
}

#[test]
fn a_list_of_rewrapped_capsules_comes_back_and_every_part_of_it_is_none() {
    let leaf = |id: u8| RewrappedLeaf { image_id: B256::repeat_byte(id), capsules_hash: B256::repeat_byte(id ^ 0xff) };
    let list = RewrappedLeaves::new(vec![leaf(1), leaf(2), leaf(3)]).expect("three images");
    let bytes = list.encode();
    assert_eq!((bytes.len() as u64, RewrappedLeaves::bytes_of(3)), (14 + 3 * 64, 14 + 3 * 64));
    assert_eq!(RewrappedLeaves::decode(&bytes), Ok(list.clone()));
    for end in 0..bytes.len() {
        let error = RewrappedLeaves::decode(&bytes[..end]).expect_err("a part");
        assert!(matches!(error, LeavesError::Truncated { .. }), "{end}: {error}");
    }
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        RewrappedLeaves::decode(&bytes)
    };
    assert_eq!(with(4, b'L'), Err(LeavesError::BadMagic));
    assert_eq!(with(9, 2), Err(LeavesError::UnsupportedVersion { found: 2 }));
    assert_eq!(with(13, 2), Err(LeavesError::TrailingBytes { extra: 64 }));
    assert_eq!(with(13, 4), Err(LeavesError::Truncated { leaf: 3 }));
    assert_eq!(with(10, 255), Err(LeavesError::Truncated { leaf: 3 }));
    assert_eq!(RewrappedLeaves::new(vec![]), Err(LeavesError::Count { found: 0 }));
    assert_eq!(RewrappedLeaves::new(vec![leaf(1), leaf(2), leaf(1)]), Err(LeavesError::Duplicate { leaf: 2 }));
    // The root of one leaf is the leaf: keccak256(keccak256(image id || hash)).
    let one = RewrappedLeaves::new(vec![leaf(1)]).expect("one");
    assert_eq!(one.root(), keccak256(keccak256([[1; 32], [0xfe; 32]].concat())));
    let turned = RewrappedLeaves::new(vec![leaf(3), leaf(1), leaf(2)]).expect("three images");
    assert_eq!(turned.root(), list.root());
}
