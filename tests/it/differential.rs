//! What wallets sign and what anchors hold, against programs that share no code with ours:
//! eth-account and solc (`tests/vectors/typed_data.json`), viem and `@openzeppelin/merkle-tree` on
//! random values (`tests/oracles/differential.mjs`). `contracts/test` compares the contract with
//! the same files.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::OnceLock;

use alloy::primitives::{Address, B256, address, hex, keccak256};
use alloy::sol_types::sol_data::{Address as Wallet, Array, Bytes as Data, FixedBytes, Uint};
use alloy::sol_types::{SolStruct, SolType};
use medseal::contract::bindings::IImageRegistry::{
    Anchor, Batch, CapsulesUpdate, FlagDecision, Grant, IImageRegistryCalls, IImageRegistryErrors,
    IImageRegistryEvents, Item, OperatorChange, Registration, Revocation, Verification,
};
use medseal::contract::{Trail, typed_data};
use medseal::envelope::leaves::{Leaf, Leaves};
use medseal::envelope::{image_id, signing_domain};
use serde_json::Value;

use crate::common::{read, root};

/// 32 bytes in a case.
type Word = FixedBytes<32>;

/// The contract of all cases: where anvil's first account deploys first.
const REGISTRY: Address = address!("5FbDB2315678afecb367f032d93F642f64180aa3");

/// What a script in `tests/oracles` prints.
fn oracle(script: &str) -> String {
    let output = Command::new("node").arg(root("tests/oracles").join(script)).output().expect("node starts");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

// ---- the frozen vectors ----

fn vectors() -> Value {
    serde_json::from_slice(&read(root("tests/vectors/typed_data.json"))).expect("JSON")
}

fn word(value: &Value) -> B256 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("expected 32 bytes, found {value}"))
}

#[test]
fn the_vectors_and_the_interface_are_those_of_viem_and_solc() {
    let output = oracle("typed_data.mjs");
    let passed = output.lines().last().and_then(|line| line.strip_suffix(" passed")).expect("a count");
    assert!(passed.parse::<u32>().expect("a number") >= 280, "{output}");
}

fn set<const N: usize>(selectors: &[[u8; N]]) -> BTreeSet<Vec<u8>> {
    selectors.iter().map(|selector| selector.to_vec()).collect()
}

#[test]
fn selectors_and_topics_are_all_those_of_the_vectors() {
    let vectors = vectors();
    let frozen = |list: &str, key: &str| -> BTreeSet<Vec<u8>> {
        let entries = vectors[list].as_object().expect("a list by name");
        entries.values().map(|entry| hex::decode(entry[key].as_str().expect("hex")).expect("hex")).collect()
    };
    assert_eq!(set(IImageRegistryErrors::SELECTORS), frozen("errors", "selector"));
    assert_eq!(set(IImageRegistryEvents::SELECTORS), frozen("events", "topic"));
    assert_eq!(set(IImageRegistryCalls::SELECTORS), frozen("functions", "selector"));
}

/// Decodes a struct of the vectors and compares its type and its hash.
fn frozen<T: SolStruct>(vectors: &Value) -> T {
    let vector = &vectors["structs"][T::NAME];
    let encoded = hex::decode(vector["encoded"].as_str().expect("hex")).expect("hex");
    let value = T::abi_decode_validate(&encoded).expect("a struct");
    assert_eq!(T::eip712_encode_type(), vector["typeString"].as_str().expect("text"));
    assert_eq!(keccak256(&*T::eip712_encode_type()), word(&vector["typeHash"]), "{}", T::NAME);
    assert_eq!(value.eip712_hash_struct(), word(&vector["structHash"]), "{}", T::NAME);
    value
}

fn frozen_digest<T: typed_data::Signable>(vectors: &Value) {
    let value = frozen::<T>(vectors);
    let digest = typed_data::digest(&value, &signing_domain(31337, REGISTRY));
    assert_eq!(digest, word(&vectors["structs"][T::NAME]["digest"]), "{}", T::NAME);
}

#[test]
fn what_is_signed_is_that_of_the_vectors() {
    let vectors = vectors();
    assert_eq!(vectors["structs"].as_object().expect("structs by name").len(), 10);
    frozen::<Item>(&vectors);
    frozen_digest::<Registration>(&vectors);
    frozen_digest::<Batch>(&vectors);
    frozen_digest::<Anchor>(&vectors);
    frozen_digest::<Verification>(&vectors);
    frozen_digest::<FlagDecision>(&vectors);
    frozen_digest::<Grant>(&vectors);
    frozen_digest::<Revocation>(&vectors);
    frozen_digest::<OperatorChange>(&vectors);
    frozen_digest::<CapsulesUpdate>(&vectors);
    assert_eq!(signing_domain(31337, REGISTRY).separator(), word(&vectors["domainSeparator"]));
    assert_eq!(Trail::start(31337, REGISTRY), Trail::from(word(&vectors["audit"]["events"][0]["trail"])));
}

// ---- random values ----

/// The values of one file that the oracle writes, in the tuple `T`; it runs once.
fn random<T: SolType>(name: &str) -> Vec<T::RustType> {
    static WRITTEN: OnceLock<String> = OnceLock::new();
    let printed = WRITTEN.get_or_init(|| oracle("differential.mjs"));
    let encoded = read(root(format!("target/foundry/differential/{name}.abi")));
    let values = Array::<T>::abi_decode_validate(&encoded).expect("the cases decode");
    assert!(printed.lines().any(|line| line == format!("{name} {}", values.len())), "{name}: {printed}");
    values
}

fn same_digests<T: typed_data::Signable + std::fmt::Debug>() {
    let cases = random::<(Uint<64>, T, Word)>(T::NAME);
    for (chain_id, value, digest) in &cases {
        assert_eq!(typed_data::digest(value, &signing_domain(*chain_id, REGISTRY)), *digest, "{value:?}");
    }
    assert!(cases.len() >= 1000);
    eprintln!("{}: {} digests are viem's", T::NAME, cases.len());
}

#[test]
fn digests_of_random_structs_are_those_of_viem() {
    same_digests::<Anchor>();
    same_digests::<FlagDecision>();
    same_digests::<Grant>();
    same_digests::<Revocation>();
    same_digests::<OperatorChange>();
    same_digests::<CapsulesUpdate>();
}

#[test]
fn image_ids_and_digests_of_random_registrations_are_those_of_viem() {
    let cases = random::<(Uint<64>, Registration, Word, Word)>("Registration");
    for (chain_id, value, id, digest) in &cases {
        assert_eq!(image_id(*chain_id, REGISTRY, value.sender, value.salt), *id);
        assert_eq!(typed_data::digest(value, &signing_domain(*chain_id, REGISTRY)), *digest, "{value:?}");
    }
    assert!(cases.len() >= 1000);
    let seen = random::<(Uint<64>, Registration, Verification, Word)>("Verification");
    for (chain_id, registration, value, digest) in &seen {
        assert_eq!(image_id(*chain_id, REGISTRY, registration.sender, registration.salt), value.imageId);
        assert_eq!(typed_data::digest(value, &signing_domain(*chain_id, REGISTRY)), *digest, "{value:?}");
    }
    assert!(seen.len() >= 1000);
    eprintln!("{} registrations and {} verifications are viem's", cases.len(), seen.len());
}

#[test]
fn digests_of_random_batches_are_those_of_viem() {
    let cases = random::<(Uint<64>, Batch, Word, Word)>("Batch");
    let mut items = 0;
    for (chain_id, value, items_hash, digest) in &cases {
        let hashes: Vec<u8> = value.items.iter().flat_map(|item| item.eip712_hash_struct().0).collect();
        assert_eq!(keccak256(hashes), *items_hash);
        assert_eq!(typed_data::digest(value, &signing_domain(*chain_id, REGISTRY)), *digest);
        items += value.items.len();
    }
    assert!(cases.len() >= 1000);
    eprintln!("{} batches of {items} items are viem's", cases.len());
}

#[test]
fn trees_of_1_to_257_leaves_are_those_of_merkle_tree() {
    let pool: Vec<Leaf> = random::<(Word, Word, Data, Word, Word, Uint<64>)>("Leaf")
        .into_iter()
        .map(|(salt, content_hash, cid, capsules_hash, header_hash, size)| {
            let cid = cid.to_vec();
            Leaf { salt, content_hash, capsules_hash, header_hash, size, cid }
        })
        .collect();
    let trees = random::<(Wallet, Uint<256>, Uint<32>, Word)>("Tree");
    // An anchor holds an image once: trees with twins, which merkle-tree takes, are refused here.
    let built: Vec<Option<(usize, Leaves)>> = trees
        .iter()
        .map(|(_, first, count, root)| {
            let (first, count) = (first.to::<usize>(), *count as usize);
            let pool = &pool[first..first + count];
            let leaves = Leaves::new(pool.to_vec());
            let distinct: BTreeSet<B256> = pool.iter().map(|leaf| leaf.salt).collect();
            assert_eq!(leaves.is_ok(), distinct.len() == count, "{count} leaves from {first} on");
            let leaves = leaves.ok()?;
            assert_eq!(leaves.root(), *root, "{count} leaves from {first} on");
            Some((first, leaves))
        })
        .collect();
    assert_eq!(built.len(), 257);
    assert!(built.iter().flatten().count() > 0, "trees without twins");

    let proofs = random::<(Uint<256>, Uint<256>, Word, Array<Word>)>("Proof");
    for (tree, leaf, leaf_hash, proof) in &proofs {
        let Some((first, leaves)) = &built[tree.to::<usize>()] else { continue };
        let leaf = leaf.to::<usize>();
        assert_eq!(pool[leaf].hash(), *leaf_hash, "leaf {leaf}");
        assert_eq!(leaves.proof(leaf - first).as_ref(), Some(proof), "leaf {leaf} of tree {tree}");
    }
    assert!(proofs.len() >= 1000);
    eprintln!("{} roots and {} proofs are merkle-tree's", trees.len(), proofs.len());
}
