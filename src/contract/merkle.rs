//! Proofs of Ethereum's tries (Merkle-Patricia), checked so that no proof of anybody's making can
//! end the program.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::rlp::{self, Decodable};
use alloy::rpc::types::EIP1186AccountProofResponse;
use alloy_trie::nodes::TrieNode;
use alloy_trie::{Nibbles, TrieAccount, proof};

/// Nibbles of the longest path, a keccak256.
const MOST_NIBBLES: usize = 64;

/// Checks that `value`, or with `None` nothing, stands at `key` under `root`.
///
/// # Errors
/// What is wrong with the proof.
pub fn verify_proof(root: B256, key: Nibbles, value: Option<Vec<u8>>, nodes: &[Bytes]) -> Result<(), String> {
    check_paths(nodes)?;
    proof::verify_proof(root, key, value, nodes).map_err(|error| error.to_string())
}

/// Checks that `address` is this account in the state under `state_root`.
///
/// # Errors
/// What is wrong with the proof.
pub fn prove_account(state_root: B256, address: Address, account: TrieAccount, nodes: &[Bytes]) -> Result<(), String> {
    verify_proof(state_root, Nibbles::unpack(keccak256(address)), Some(rlp::encode(account)), nodes)
}

/// Checks that the slot with this key holds `value` in the storage under `storage_root`.
///
/// # Errors
/// What is wrong with the proof.
pub fn prove_slot(storage_root: B256, slot: B256, value: U256, nodes: &[Bytes]) -> Result<(), String> {
    let key = Nibbles::unpack(keccak256(slot));
    let prove = |value| verify_proof(storage_root, key, value, nodes);
    match value.is_zero() {
        false => prove(Some(rlp::encode(value))),
        // No slot is stored; or, on anvil, one that holds zero.
        true => prove(None).or_else(|error| prove(Some(rlp::encode(U256::ZERO))).map_err(|_| error)),
    }
}

/// What a node says of an account and its slots, checked against a block's state root: the words in
/// these slots, in their order, of the contract with this code at this address.
///
/// # Errors
/// What is not proven, and why.
pub fn prove_slots(
    state_root: B256,
    (address, code_hash): (Address, B256),
    slots: &[B256],
    said: &EIP1186AccountProofResponse,
) -> Result<Vec<U256>, String> {
    let account = TrieAccount {
        nonce: said.nonce,
        balance: said.balance,
        storage_root: said.storage_hash,
        code_hash: said.code_hash,
    };
    prove_account(state_root, address, account, &said.account_proof)
        .map_err(|error| format!("the account {address} is not proven: {error}"))?;
    if said.code_hash != code_hash {
        return Err(format!("the account's code has hash {}, expected {code_hash}", said.code_hash));
    }
    if said.storage_proof.len() != slots.len() {
        return Err(format!("expected proofs of {} slots, found {}", slots.len(), said.storage_proof.len()));
    }
    let mut words = Vec::with_capacity(slots.len());
    for (slot, found) in slots.iter().zip(&said.storage_proof) {
        // Under which name a node answers proves nothing: the key is ours.
        prove_slot(said.storage_hash, *slot, found.value, &found.proof)
            .map_err(|error| format!("slot {slot} is not proven: {error}"))?;
        words.push(found.value);
    }
    Ok(words)
}

/// Looks at the nodes before they are walked through: the library that does so takes a path of at
/// most 64 nibbles for granted, and whoever makes up the root makes up the nodes.
fn check_paths(nodes: &[Bytes]) -> Result<(), String> {
    let mut walked = 0;
    for node in nodes {
        let (own, longest) = lengths(&node[..])?;
        if walked + longest > MOST_NIBBLES {
            return Err(format!("a path of {} nibbles, at most {MOST_NIBBLES} are possible", walked + longest));
        }
        walked += own;
    }
    Ok(())
}

/// Nibbles that a node adds to the path of the node after it, and to the longest one that ends
/// inside it.
fn lengths(mut node: &[u8]) -> Result<(usize, usize), String> {
    let decoded = TrieNode::decode(&mut node).map_err(|error| error.to_string())?;
    if !node.is_empty() {
        return Err("a node is followed by something".to_owned());
    }
    match decoded {
        TrieNode::EmptyRoot => Ok((0, 0)),
        TrieNode::Leaf(leaf) => Ok((leaf.key.len(), leaf.key.len())),
        TrieNode::Extension(extension) if extension.child.is_hash() => Ok((extension.key.len(), extension.key.len())),
        TrieNode::Extension(extension) => {
            let (own, longest) = lengths(&extension.child)?;
            Ok((extension.key.len() + own, extension.key.len() + longest))
        }
        TrieNode::Branch(branch) => {
            let mut longest = 1;
            for child in branch.stack.iter().filter(|child| !child.is_hash()) {
                longest = longest.max(1 + lengths(child)?.1);
            }
            Ok((1, longest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::nodes::{ExtensionNode, LeafNode, RlpNode};
    use alloy_trie::{HashBuilder, proof::ProofRetainer};

    /// A key, its value, and the nodes that prove it.
    type Leaf = (Nibbles, Vec<u8>, Vec<Bytes>);

    /// A trie of small values, whose lowest nodes lie inside others.
    fn trie(count: u64) -> (B256, Vec<Leaf>) {
        let mut slots: Vec<(Nibbles, Vec<u8>)> = (0..count)
            .map(|slot| (Nibbles::unpack(keccak256(B256::from(U256::from(slot)))), rlp::encode(slot + 1)))
            .collect();
        slots.sort();
        let keys = slots.iter().map(|(key, _)| *key).collect();
        let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys));
        for (key, value) in &slots {
            builder.add_leaf(*key, value);
        }
        let (root, proofs) = (builder.root(), builder.take_proof_nodes());
        let proof = |key: &Nibbles| proofs.matching_nodes_sorted(key).into_iter().map(|(_, node)| node).collect();
        (root, slots.into_iter().map(|(key, value)| (key, value, proof(&key))).collect())
    }

    #[test]
    fn what_stands_there_is_proven_and_nothing_else() {
        for count in [1, 2, 17, 300, 3000] {
            let (root, slots) = trie(count);
            for (key, value, nodes) in &slots {
                verify_proof(root, *key, Some(value.clone()), nodes).expect("it stands there");
                verify_proof(root, *key, None, nodes).expect_err("something stands there");
                verify_proof(root, *key, Some(vec![0x7f, 1]), nodes).expect_err("something else stands there");
                verify_proof(B256::ZERO, *key, Some(value.clone()), nodes).expect_err("under another root");
            }
        }
    }

    /// The root of a trie with these leaves, and the nodes that prove what stands at each key asked
    /// for, or that nothing does.
    fn proven(mut leaves: Vec<(B256, Vec<u8>)>, asked: &[B256]) -> (B256, Vec<Vec<Bytes>>) {
        leaves.sort();
        let keys: Vec<Nibbles> = asked.iter().map(Nibbles::unpack).collect();
        let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys.clone()));
        for (key, value) in &leaves {
            builder.add_leaf(Nibbles::unpack(key), value);
        }
        let (root, nodes) = (builder.root(), builder.take_proof_nodes());
        let proof = |key| nodes.matching_nodes_sorted(key).into_iter().map(|(_, node)| node).collect();
        (root, keys.iter().map(proof).collect())
    }

    const CONTRACT: Address = Address::repeat_byte(7);
    const CODE: B256 = B256::repeat_byte(0xc0);

    /// A state with some accounts, one of them the contract with 40 slots; what a node answers that
    /// is asked for slots 3, 90 (which is empty) and 5.
    fn answer() -> (B256, [B256; 3], EIP1186AccountProofResponse) {
        let slots = [3_u64, 90, 5].map(|slot| B256::from(U256::from(slot)));
        let leaf = |slot: u64| (keccak256(B256::from(U256::from(slot))), rlp::encode(U256::from(slot + 1000)));
        let (storage_root, of_slots) = proven((0..40).map(leaf).collect(), &slots.map(keccak256));
        let account = TrieAccount { nonce: 1, balance: U256::from(2), storage_root, code_hash: CODE };
        let mut accounts: Vec<_> = (0..50_u8)
            .map(|other| (keccak256(Address::repeat_byte(100 + other)), rlp::encode(TrieAccount::default())))
            .collect();
        accounts.push((keccak256(CONTRACT), rlp::encode(account)));
        let (root, mut of_account) = proven(accounts, &[keccak256(CONTRACT)]);
        let words = [1003_u64, 0, 1005].map(U256::from);
        let storage_proof =
            slots.iter().zip(words).zip(of_slots).map(|((slot, value), proof)| {
                alloy::rpc::types::EIP1186StorageProof { key: (*slot).into(), value, proof }
            });
        let answer = EIP1186AccountProofResponse {
            address: CONTRACT,
            balance: account.balance,
            code_hash: CODE,
            nonce: 1,
            storage_hash: storage_root,
            account_proof: of_account.remove(0),
            storage_proof: storage_proof.collect(),
        };
        (root, slots, answer)
    }

    #[test]
    fn what_a_node_says_of_slots_is_proven_or_refused() {
        let (root, slots, said) = answer();
        let words = prove_slots(root, (CONTRACT, CODE), &slots, &said).expect("all of it is so");
        assert_eq!(words, [1003_u64, 0, 1005].map(U256::from));
        let mut named = said.clone();
        named.storage_proof[0].key = B256::repeat_byte(9).into();
        prove_slots(root, (CONTRACT, CODE), &slots, &named).expect("a name proves nothing");

        type Change = fn(&mut EIP1186AccountProofResponse);
        let lies: [(&str, Change); 20] = [
            ("another word", |said| said.storage_proof[0].value = U256::from(7)),
            ("a word where there is none", |said| said.storage_proof[1].value = U256::from(7)),
            ("no word where there is one", |said| said.storage_proof[0].value = U256::ZERO),
            ("no word, and no proof of that", |said| {
                (said.storage_proof[0].value, said.storage_proof[0].proof) = (U256::ZERO, vec![]);
            }),
            ("no word by another slot's absence", |said| {
                (said.storage_proof[0].value, said.storage_proof[0].proof) =
                    (U256::ZERO, said.storage_proof[1].proof.clone());
            }),
            ("another slot", |said| said.storage_proof[0] = said.storage_proof[2].clone()),
            ("slots in another order", |said| said.storage_proof.reverse()),
            ("a slot less", |said| drop(said.storage_proof.pop())),
            ("a slot more", |said| said.storage_proof.push(said.storage_proof[0].clone())),
            ("a node less", |said| drop(said.storage_proof[0].proof.pop())),
            ("a node more", |said| {
                let more = said.storage_proof[2].proof.last().cloned().expect("nodes");
                said.storage_proof[0].proof.push(more);
            }),
            ("nodes in another order", |said| said.storage_proof[0].proof.reverse()),
            ("another storage root", |said| said.storage_hash = B256::repeat_byte(1)),
            ("another code", |said| said.code_hash = B256::repeat_byte(1)),
            ("another nonce", |said| said.nonce = 2),
            ("another balance", |said| said.balance = U256::ZERO),
            ("no account", |said| said.account_proof.clear()),
            ("a node of the account less", |said| drop(said.account_proof.pop())),
            ("a node of the account more", |said| said.account_proof.push(said.account_proof[0].clone())),
            ("a node that was touched", |said| said.account_proof[0] = Bytes::from_static(&[0xc0])),
        ];
        let mut refused = 0;
        for (lie, change) in lies {
            let mut told = said.clone();
            change(&mut told);
            assert!(prove_slots(root, (CONTRACT, CODE), &slots, &told).is_err(), "{lie}");
            refused += 1;
        }
        assert_eq!(refused, 20);
        // What is so of one contract is not of another, nor under another root or code.
        prove_slots(root, (Address::repeat_byte(100), CODE), &slots, &said).expect_err("another account");
        prove_slots(root, (CONTRACT, B256::ZERO), &slots, &said).expect_err("another code");
        prove_slots(B256::repeat_byte(1), (CONTRACT, CODE), &slots, &said).expect_err("another state");
    }

    #[test]
    fn a_path_that_is_too_long_is_refused_and_not_walked() {
        let extension = |child: &[u8]| {
            let node = ExtensionNode::new(Nibbles::unpack([0x11; 30]), RlpNode::from_rlp(child));
            rlp::encode(node)
        };
        let leaf = rlp::encode(LeafNode::new(Nibbles::unpack([0x11; 30]), vec![0x55; 40]));
        let (lower, value) = (extension(&leaf), Some(vec![0x55; 40]));
        let upper = extension(&lower);
        let nodes: Vec<Bytes> = [&upper, &lower, &leaf].map(|node| node.clone().into()).to_vec();
        let key = Nibbles::unpack([0x11; 32]);
        let refused = verify_proof(keccak256(&upper), key, value, &nodes).expect_err("180 nibbles");
        assert!(refused.contains("nibbles"), "{refused}");
    }

    #[test]
    fn bytes_of_any_shape_are_refused() {
        let long = rlp::encode(vec![Bytes::from(vec![0x20; 70]), Bytes::from_static(b"value")]);
        for node in [long, vec![], vec![0xc0], vec![0xc2, 0xc0, 0xc0], vec![0xff; 9], vec![0xd1; 18], vec![0xc1; 4000]]
        {
            let (root, node) = (keccak256(&node), Bytes::from(node));
            let key = Nibbles::unpack([0x11; 32]);
            verify_proof(root, key, Some(vec![1]), &[node.clone(), node]).expect_err("no trie");
        }
    }
}
