//! Proofs of receipts in their block: the trie over all receipts of a block, keyed by their index.

use super::file::ReceiptProof;
use crate::contract::verify_proof;
use alloy::consensus::ReceiptEnvelope;
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::{Address, B256, Bytes, Log, LogData};
use alloy::rlp;
use alloy_trie::proof::ProofRetainer;
use alloy_trie::root::adjust_index_for_rlp;
use alloy_trie::{HashBuilder, Nibbles};

fn key(index: u64) -> Nibbles {
    Nibbles::unpack(rlp::encode(index))
}

/// Root of the trie over `receipts`, and the nodes that prove each of those at `wanted`, from the
/// root down.
pub(super) fn prove(receipts: &[Vec<u8>], wanted: &[usize]) -> (B256, Vec<Vec<Bytes>>) {
    let keys: Vec<Nibbles> = wanted.iter().map(|index| key(*index as u64)).collect();
    let mut trie = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys.clone()));
    for place in 0..receipts.len() {
        let index = adjust_index_for_rlp(place, receipts.len());
        trie.add_leaf(key(index as u64), &receipts[index]);
    }
    let root = trie.root();
    let nodes = trie.take_proof_nodes();
    let proof = |key| nodes.matching_nodes_sorted(key).into_iter().map(|(_, node)| node).collect();
    (root, keys.iter().map(proof).collect())
}

/// Checks that the receipt is at its index under `root`, and holds `log` of `registry` where it
/// says, with `before` somewhere before it.
pub(super) fn check(
    proof: &ReceiptProof,
    root: B256,
    registry: Address,
    log: &LogData,
    before: Option<&LogData>,
) -> Result<(), String> {
    let value = Some(proof.receipt.to_vec());
    verify_proof(root, key(proof.index), value, &proof.proof)?;
    let mut bytes = &proof.receipt[..];
    let receipt = ReceiptEnvelope::<Log>::decode_2718(&mut bytes).map_err(|error| error.to_string())?;
    if !bytes.is_empty() || !receipt.status() {
        return Err("the transaction failed, or bytes follow its receipt".to_owned());
    }
    let is = |found: &Log, expected: &LogData| found.address == registry && found.data == *expected;
    let logs = receipt.logs();
    let at = logs.get(proof.log).filter(|found| is(found, log)).map(|_| proof.log);
    match (at, before) {
        (None, _) => Err(format!("log {} is not the event", proof.log)),
        (Some(at), Some(before)) if !logs[..at].iter().any(|found| is(found, before)) => {
            Err("the item is not before its batch".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::consensus::Receipt as Plain;
    use alloy::eips::eip2718::Encodable2718;

    const REGISTRY: Address = Address::repeat_byte(7);

    fn log(number: usize) -> LogData {
        LogData::new_unchecked(
            vec![B256::repeat_byte(1)],
            Bytes::from(vec![u8::try_from(number % 256).unwrap_or(0); 40]),
        )
    }

    fn receipts(count: usize) -> Vec<Vec<u8>> {
        let receipt = |number: usize| {
            let logs = vec![Log { address: REGISTRY, data: log(number) }];
            let plain = Plain { status: true.into(), cumulative_gas_used: 21_000 * number as u64, logs };
            ReceiptEnvelope::Eip1559(plain.with_bloom()).encoded_2718()
        };
        (0..count).map(receipt).collect()
    }

    #[test]
    fn each_receipt_of_a_block_is_proven_and_no_other() {
        for count in [1, 2, 16, 127, 128, 129, 300] {
            let (receipts, others) = (receipts(count), receipts(count + 1));
            let wanted: Vec<usize> = (0..count).collect();
            let (root, proofs) = prove(&receipts, &wanted);
            assert_eq!(root, alloy_trie::root::ordered_trie_root_encoded(&receipts), "{count}");
            for (index, proof) in proofs.into_iter().enumerate() {
                let receipt = receipts[index].clone().into();
                let proven = ReceiptProof { index: index as u64, receipt, log: 0, proof };
                check(&proven, root, REGISTRY, &log(index), None).unwrap_or_else(|error| panic!("{index}: {error}"));
                let refused = |changed: ReceiptProof| {
                    drop(check(&changed, root, REGISTRY, &log(index), None).expect_err("changed"))
                };
                refused(ReceiptProof { index: index as u64 + 1, ..proven.clone() });
                refused(ReceiptProof { log: 1, ..proven.clone() });
                refused(ReceiptProof { proof: vec![], ..proven.clone() });
                refused(ReceiptProof { receipt: others[index + 1].clone().into(), ..proven.clone() });
                check(&proven, root, REGISTRY, &log(index + 1), None).expect_err("another log");
                check(&proven, root, Address::ZERO, &log(index), None).expect_err("another contract");
            }
        }
    }

    #[test]
    fn nodes_of_any_shape_are_refused_and_not_walked_through() {
        // A leaf whose path is 70 bytes: the library that walks through nodes would panic.
        let long = rlp::encode(vec![Bytes::from(vec![0x20; 70]), Bytes::from_static(b"value")]);
        let shapes = [long, vec![], vec![0xc0], vec![0x80], vec![0xc2, 0xc0, 0xc0], vec![0xff; 9], vec![0xd1; 18]];
        for node in shapes {
            let (root, node) = (alloy::primitives::keccak256(&node), Bytes::from(node));
            let proven = ReceiptProof { index: 0, receipt: Bytes::new(), log: 0, proof: vec![node.clone(), node] };
            check(&proven, root, REGISTRY, &log(0), None).expect_err("no trie");
        }
    }
}
