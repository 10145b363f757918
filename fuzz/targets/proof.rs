//! A Merkle proof under a root of its own maker: nodes, each after its length in two bytes.
#![no_main]

use alloy::primitives::{B256, Bytes, keccak256};
use alloy_trie::Nibbles;
use libfuzzer_sys::fuzz_target;
use medseal::contract::verify_proof;

fuzz_target!(|bytes: &[u8]| {
    let (mut rest, mut nodes) = (bytes, Vec::new());
    while let Some(([high, low], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (node, after) = after.split_at(length);
        nodes.push(Bytes::copy_from_slice(node));
        rest = after;
    }
    let root = nodes.first().map_or(B256::ZERO, keccak256);
    for key in [B256::ZERO, B256::repeat_byte(0x11), keccak256(B256::ZERO)] {
        for value in [None, Some(vec![1]), nodes.last().map(|node| node.to_vec())] {
            let _ = verify_proof(root, Nibbles::unpack(key), value, &nodes);
        }
    }
});
