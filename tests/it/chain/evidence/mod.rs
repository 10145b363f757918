//! Evidence of a hundred images of a chain with events of every kind: accepted as it is, refused
//! with any change.

mod changes;

use super::history::{Chain, History, Random};
use super::{CHAIN_ID, World, registration, wallet};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall, SolEvent, SolEventInterface};
use changes::{Change, changes};
use medseal::chain::sign;
use medseal::contract::bindings::IImageRegistry::{
    FlagConfirmed, FlagDismissed, IImageRegistryEvents as Event, Registration, Verification, confirmFlagCall,
    dismissFlagCall, recordVerificationCall, registerCall,
};
use medseal::evidence::{CollectOptions, Entry, Evidence, EvidenceError as Error, SignedBy, check, collect};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SEED: u64 = 0x5eed_0e71;
const BUNDLES: usize = 100;
const OPTIONS: CollectOptions = CollectOptions { block: None, most_headers: 8192, receipts: true };

/// The images of the log, those with the most events first.
async fn images(world: &World) -> Vec<B256> {
    let head = world.rpc.latest().await.unwrap().number;
    let mut counts: BTreeMap<B256, usize> = BTreeMap::new();
    for event in world.registry.log(head).await.unwrap() {
        let id = match event.event {
            Event::Registered(e) => e.imageId,
            Event::RegisteredInBatch(e) => e.imageId,
            Event::Materialized(e) => e.imageId,
            Event::Verified(e) => e.imageId,
            Event::FlagRaised(e) => e.imageId,
            Event::FlagConfirmed(e) => e.imageId,
            Event::FlagDismissed(e) => e.imageId,
            _ => continue,
        };
        *counts.entry(id).or_default() += 1;
    }
    let mut images: Vec<(B256, usize)> = counts.into_iter().collect();
    images.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    images.into_iter().map(|(id, _)| id).collect()
}

/// Sends a call of a development wallet, or of any other that anvil is told to speak for.
async fn send(world: &World, from: Address, call: &impl SolCall) {
    let sent = json!([{ "from": from, "to": world.registry.address(), "data": Bytes::from(call.abi_encode()) }]);
    let hash = world.raw("eth_sendTransaction", sent).await;
    // A busy anvil says the hash before the block is made.
    for _ in 0..200 {
        let receipt = world.raw("eth_getTransactionReceipt", json!([hash])).await;
        if !receipt.is_null() {
            assert_eq!(receipt["status"], "0x1", "{receipt}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("transaction {hash} is never mined");
}

/// Registrations that the sender only signed, the last of them a wallet that is a contract.
async fn relayed(world: &World) -> Vec<B256> {
    let mut ids = Vec::new();
    // Returns 0x1626ba7e, whatever it is asked (ERC-1271).
    let contract = Address::repeat_byte(0xc7);
    world.raw("anvil_setCode", json!([contract, "0x631626ba7e60e01b5f5260205ff3"])).await;
    for salt in 200_u8..206 {
        let deadline = super::block_time(&world.registry).await + 3600;
        let mut signed = Registration { deadline, ..registration(&wallet(1), salt) };
        let mut signature = sign(&signed, &world.registry.domain(), &wallet(1));
        if salt == 205 {
            (signed.sender, signature) = (contract, Bytes::from_static(b"anything"));
        }
        let sender = signed.sender;
        send(world, wallet(6).address(), &registerCall { registration: signed, signature }).await;
        let home = (CHAIN_ID, world.registry.address());
        ids.push(medseal::envelope::image_id(home.0, home.1, sender, B256::repeat_byte(salt)));
    }
    ids
}

/// A flag that is confirmed on the first image; one dismissed and one confirmed on the second.
async fn flagged(world: &World, ids: &[B256]) {
    let (verifier, admin, sender) = (wallet(5).address(), wallet(0).address(), wallet(1).address());
    let observed_at = super::block_time(&world.registry).await;
    let invalid = |image_id, number: u8| recordVerificationCall {
        verification: Verification {
            imageId: image_id,
            verifier,
            observedHash: B256::repeat_byte(number),
            observedAt: observed_at,
            nonce: U256::ZERO,
            deadline: 0,
        },
        signature: Bytes::new(),
    };
    let flag = async |id| world.registry.flag(id).await.unwrap().id;
    send(world, verifier, &invalid(ids[0], 1)).await;
    send(world, admin, &confirmFlagCall { imageId: ids[0], flagId: flag(ids[0]).await }).await;
    send(world, verifier, &invalid(ids[1], 2)).await;
    send(world, sender, &dismissFlagCall { imageId: ids[1], flagId: flag(ids[1]).await }).await;
    send(world, verifier, &invalid(ids[1], 3)).await;
    send(world, admin, &confirmFlagCall { imageId: ids[1], flagId: flag(ids[1]).await }).await;
    send(world, verifier, &invalid(ids[1], 4)).await;
}

#[tokio::test]
async fn a_hundred_are_accepted_and_refused_with_any_change() {
    let world = World::start().await;
    let mut ids = relayed(&world).await;
    let url = world.node.rpc_url();
    let mut history = History::begin(&world.registry, &url, Chain::Anvil, SEED).await;
    for calls in [60, 150, 150, 150, 150] {
        history.random_block(calls).await;
    }
    world.automine(true).await;
    flagged(&world, &ids).await;
    let known: BTreeSet<B256> = ids.iter().copied().collect();
    let others = images(&world).await.into_iter().filter(|id| !known.contains(id));
    ids.extend(others.take(BUNDLES - known.len()));
    let mut random = Random(SEED);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut accepted, mut seen, mut fewest, mut flags, mut verifications) = (0, BTreeSet::new(), usize::MAX, 0, 0);
    for id in &ids {
        let (evidence, hash) = collect(&world.registry, *id, &OPTIONS, |_, _| {}).await.unwrap();
        let bytes = evidence.to_bytes();
        let evidence = Evidence::decode(&bytes).unwrap();
        let checked = check(&evidence, hash, |_, _| {}).unwrap_or_else(|error| panic!("{id}: {error}"));
        accepted += 1;
        let (record, story) = (world.registry.record(*id).await.unwrap(), &checked.history);
        assert_eq!(record.verifications.to::<usize>(), story.verifications.len());
        assert_eq!((record.contentHash, record.sender), (story.image.content_hash, story.image.sender));
        assert_eq!(record.registeredAt.to::<u64>(), story.registered_at);
        assert!(checked.linked && checked.receipts > 0);
        seen.insert(format!("{} {}", story.image.kind.name(), story.signed_by.name()));
        seen.extend(
            story.verifications.iter().map(|one| format!("verified {} {}", one.event.valid, one.signed_by.name())),
        );
        seen.extend(story.flags.iter().map(|flag| format!("flag {:?}", flag.decided.map(|(confirmed, ..)| confirmed))));
        (flags, verifications) = (flags + story.flags.len(), verifications + story.verifications.len());
        assert!(story.verifications.iter().all(|one| one.signed_by != SignedBy::Contract));

        let mut kinds = BTreeSet::new();
        for Change { name, bytes, trusted, right } in changes(&evidence, hash, &mut random) {
            let result = Evidence::decode(&bytes).and_then(|changed| check(&changed, trusted, |_, _| {}));
            match result {
                Err(error) if right(&error) => *refused.entry(name).or_default() += 1,
                Err(error) => panic!("{id}, {name}: refused for another reason: {error}"),
                Ok(_) => panic!("{id}, {name}: accepted"),
            }
            kinds.insert(name);
        }
        fewest = fewest.min(kinds.len());
    }
    let total: usize = refused.values().sum();
    eprintln!("{accepted} of {} accepted ({verifications} verifications, {flags} flags)", ids.len());
    eprintln!("{total} changes of {} kinds refused, at least {fewest} kinds of each file", refused.len());
    eprintln!("{refused:?}\n{seen:?}");
    assert_eq!(accepted, BUNDLES);
    assert!(fewest >= 20, "{fewest}");
    for kind in [
        "alone contract",
        "alone wallet",
        "alone transaction",
        "batch transaction",
        "leaf transaction",
        "verified true wallet",
        "verified false transaction",
    ] {
        assert!(seen.contains(kind), "{kind}");
    }
    for kind in ["flag None", "flag Some(true)", "flag Some(false)"] {
        assert!(seen.contains(kind), "{kind}");
    }
}

#[tokio::test]
async fn receipts_and_headers_may_be_left_out_and_an_image_that_is_not_there_is_said() {
    let world = World::start().await;
    let id = world.register(&wallet(1), 7).await;
    for _ in 0..5 {
        world.mine().await;
    }
    world.register(&wallet(1), 8).await;
    let options = [
        (OPTIONS, (1, true)),
        (CollectOptions { most_headers: 3, ..OPTIONS }, (1, false)),
        (CollectOptions { receipts: false, ..OPTIONS }, (0, false)),
    ];
    for (options, expected) in options {
        let (evidence, hash) = collect(&world.registry, id, &options, |_, _| {}).await.unwrap();
        let checked = check(&evidence, hash, |_, _| {}).unwrap();
        assert_eq!((checked.receipts, checked.linked), expected);
        assert_eq!((checked.followed, checked.seq), (2, 3));
    }
    let unknown = collect(&world.registry, B256::repeat_byte(1), &OPTIONS, |_, _| {}).await.unwrap_err();
    assert_eq!(unknown.kind(), medseal::contract::ErrorKind::NotFound, "{unknown}");
    let early = CollectOptions { block: Some(world.registry.first_block()), ..OPTIONS };
    let early = collect(&world.registry, id, &early, |_, _| {}).await.unwrap_err();
    assert!(matches!(early, medseal::evidence::CollectError::NotYet { .. }), "{early}");
}
