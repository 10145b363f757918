use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use rust_unixfs::file::adder::{FileBranchLink, rebuild_file_branch};

use super::*;
use crate::storage::testing::pattern;

const MIB: usize = 1 << 20;

/// The index of a file of two chunks.
static ROOT: LazyLock<Vec<u8>> = LazyLock::new(|| blocks(&pattern(MIB + 1)).pop().expect("a root").1);

/// Blocks by address: a node that may lie.
type Blocks = BTreeMap<Cid, Vec<u8>>;

/// Walks to the end; a block that is absent fails the test.
fn observe(mut walk: BlockWalk, blocks: &Blocks) -> Result<Observed, StoreError> {
    while let Some(wanted) = walk.wanted() {
        let block = &blocks[&wanted.cid];
        walk.accept(&block[..block.len().min(usize::try_from(wanted.read_at_most).expect("small"))])?;
    }
    Ok(walk.into_observed())
}

/// As `observe`, for the bytes alone.
fn run(walk: BlockWalk, blocks: &Blocks) -> Result<Vec<u8>, StoreError> {
    observe(walk, blocks).map(|observed| observed.bytes)
}

/// An honest index over `links`, whatever they are.
fn index(blocks: &mut Blocks, links: &[::cid::Cid]) -> Cid {
    let links: Vec<_> = links.iter().map(|cid| FileBranchLink { cid: *cid, blocksize: 0, tsize: 0 }).collect();
    let (_, block) = rebuild_file_branch(0, &links, ::cid::Version::V1, sha2_256());
    let cid = Cid::of_block(Codec::DagPb, &block);
    blocks.insert(cid, block);
    cid
}

/// SHA-256 as `rust-unixfs` names it; the crate that names it is not ours to import.
fn sha2_256<T: TryFrom<u64>>() -> T {
    T::try_from(0x12).unwrap_or_else(|_| panic!("sha2-256 is known"))
}

fn wide(cid: &Cid) -> ::cid::Cid {
    ::cid::Cid::try_from(cid.to_bytes()).expect("a cid")
}

#[test]
fn how_many_blocks_and_where_the_root_is() {
    for (size, leaves, indices) in
        [(0, 1, 0), (1, 1, 0), (MIB - 1, 1, 0), (MIB, 1, 0), (MIB + 1, 2, 1), (3 * MIB + 7, 4, 1)]
    {
        let bytes = pattern(size);
        let blocks = blocks(&bytes);
        let count = |codec| blocks.iter().filter(|(cid, _)| cid.codec() == codec).count();
        assert_eq!((count(Codec::Raw), count(Codec::DagPb)), (leaves, indices), "{size}");
        let (root, _) = *blocks.last().expect("a root");
        assert_eq!(root, Cid::of(&bytes), "{size}");
        assert!(blocks.iter().all(|(cid, block)| Cid::of_block(cid.codec(), block) == *cid), "{size}");
        let blocks: Blocks = blocks.into_iter().collect();
        assert_eq!(run(BlockWalk::checked(root), &blocks).expect("whole"), bytes, "{size}");
        assert_eq!(
            observe(BlockWalk::observed(root), &blocks).expect("whole"),
            Observed { bytes, altered: None },
            "{size}"
        );
    }
}

#[test]
fn an_altered_index_is_not_followed() {
    let bytes = pattern(MIB + 1);
    let mut blocks: Blocks = blocks(&bytes).into_iter().collect();
    let root = Cid::of(&bytes);
    let other = index(&mut blocks, &[wide(&Cid::of(b"elsewhere"))]);
    let planted = blocks[&other].clone();
    blocks.insert(root, planted.clone());
    assert!(
        matches!(run(BlockWalk::checked(root), &blocks), Err(StoreError::BlockAltered { block, .. }) if block == root)
    );
    let observed = observe(BlockWalk::observed(root), &blocks).expect("its own bytes");
    assert_eq!(observed, Observed { bytes: planted, altered: Some(root) });
}

#[test]
fn the_first_altered_block_is_named() {
    let bytes = pattern(3 * MIB);
    let root = Cid::of(&bytes);
    let whole = blocks(&bytes);
    let leaves: Vec<Cid> = whole[..3].iter().map(|(cid, _)| *cid).collect();
    for (altered, first) in [(&[2][..], 2), (&[1, 2], 1), (&[2, 0], 0)] {
        let mut blocks: Blocks = whole.iter().cloned().collect();
        for at in altered {
            blocks.insert(leaves[*at], Vec::new());
        }
        let observed = observe(BlockWalk::observed(root), &blocks).expect("as held");
        assert_eq!(observed.altered, Some(leaves[first]), "{altered:?}");
        assert_eq!(observed.bytes.len(), (3 - altered.len()) * MIB, "{altered:?}");
    }
}

#[test]
fn hostile_trees_end() {
    let mut blocks = Blocks::new();
    let leaf = Cid::of(b"");
    blocks.insert(leaf, Vec::new());
    // 1024 links on each of four levels: 10^12 empty leaves from five blocks.
    let mut top = leaf;
    for _ in 0..4 {
        top = index(&mut blocks, &vec![wide(&top); LINKS]);
    }
    assert!(matches!(
        run(BlockWalk::checked(top), &blocks),
        Err(StoreError::Limit { what: "blocks", limit: 8192, .. })
    ));
    let deeper = index(&mut blocks, &[wide(&top)]);
    assert!(matches!(
        run(BlockWalk::checked(deeper), &blocks),
        Err(StoreError::Limit { what: "levels", limit: 4, .. })
    ));
    let wider = index(&mut blocks, &vec![wide(&leaf); LINKS + 1]);
    assert!(matches!(run(BlockWalk::checked(wider), &blocks), Err(StoreError::Limit { what: "links in a block", .. })));
    let full = index(&mut blocks, &vec![wide(&leaf); LINKS]);
    assert_eq!(run(BlockWalk::checked(full), &blocks).expect("as many as allowed"), b"");
}

#[test]
fn sizes_are_limited() {
    let bytes = pattern(2 * MIB);
    let blocks: Blocks = blocks(&bytes).into_iter().collect();
    let limited = |bytes: usize| {
        let mut walk = BlockWalk::checked(Cid::of(&pattern(2 * MIB)));
        walk.limits.bytes = bytes as u64;
        walk
    };
    assert!(matches!(run(limited(2 * MIB - 1), &blocks), Err(StoreError::Limit { what: "bytes", .. })));
    assert_eq!(run(limited(2 * MIB), &blocks).expect("as many as allowed").len(), 2 * MIB);

    let raw = |size: usize| {
        let block = pattern(size);
        let cid = Cid::of_block(Codec::Raw, &block);
        run(BlockWalk::checked(cid), &Blocks::from([(cid, block)]))
    };
    assert_eq!(raw(2 * MIB).expect("the largest block").len(), 2 * MIB);
    assert!(matches!(raw(2 * MIB + 1), Err(StoreError::Limit { what: "bytes in a block", .. })));
}

#[test]
fn only_files_of_raw_leaves() {
    let mut blocks = Blocks::new();
    let not_a_file = |root: Cid, blocks: &Blocks| {
        let error = run(BlockWalk::checked(root), blocks).expect_err("refused");
        assert!(matches!(error, StoreError::NotAFile { block, .. } if block == root), "{error:?}");
    };
    // No protobuf; an empty node; an empty UnixFS directory; a file in one dag-pb node ("a"
    // inside).
    for block in [&b"no index"[..], b"", &[0x0a, 2, 8, 1], &[0x0a, 7, 8, 2, 0x12, 1, b'a', 0x18, 1]] {
        let cid = Cid::of_block(Codec::DagPb, block);
        blocks.insert(cid, block.to_vec());
        not_a_file(cid, &blocks);
    }
    // A link to a block of dag-cbor.
    let hash = *wide(&Cid::of(b"")).hash();
    let foreign = index(&mut blocks, &[::cid::Cid::new_v1(0x71, hash)]);
    not_a_file(foreign, &blocks);
}

#[test]
fn lengths_that_reach_too_far_are_refused() {
    // Found by the property below: a link that says 1 byte and whose hash says 5, and the like.
    for block in
        [&[0x12, 1, 0x0a, 5][..], &[0x12, 2, 0x1a, 0x80, 0x01], &[0x0a, 5, 8], &[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]]
    {
        let cid = Cid::of_block(Codec::DagPb, block);
        let error = BlockWalk::checked(cid).accept(block).expect_err("refused");
        assert!(matches!(error, StoreError::NotAFile { .. }), "{block:02x?}: {error}");
    }
    assert_eq!(varint(&[0xff, 0x01, 9]), Some((255, &[9][..])));
    assert_eq!(varint(&[0xff; 20]), None);
    assert_eq!(varint(&[0x80]), None);
    assert!(framed(&[]) && framed(&[0x0a, 2, 8, 2]) && !framed(&[0x0a, 2, 8]) && !framed(&[0x0a, 3, 8, 2, 8]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_index_makes_the_walk_panic(mut block in proptest::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, byte: u8, real: bool) {
        if real {
            block = ROOT.clone();
            let at = at.index(block.len());
            block[at] = byte;
        }
        let cid = Cid::of_block(Codec::DagPb, &block);
        let mut walk = BlockWalk::checked(cid);
        prop_assert_eq!(walk.wanted().map(|wanted| wanted.cid), Some(cid));
        if walk.accept(&block).is_ok() {
            prop_assert!(walk.wanted().is_some(), "an index has links");
        }
    }
}
