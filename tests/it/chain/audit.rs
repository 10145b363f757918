//! The audit trail, recomputed from a real chain's log.

use super::proxy::{Fault, proxy};
use super::{World, registration, wallet};
use alloy::primitives::{B256, Bytes, U256};
use medseal::audit::{AuditError, AuditOptions, audit};
use medseal::chain::sign;
use medseal::chain::{Profile, Registry, Rpc};
use medseal::clock::SystemClock;
use medseal::contract::AuditHead;
use medseal::contract::bindings::IImageRegistry::{
    Batch, CapsulesUpdate, Item, Verification, invalidateNonceCall, pauseCall, recordVerificationCall,
    registerBatchCall, setOperatorCall, unpauseCall, updateCapsulesForCall,
};
use medseal::contract::bindings::Role;

/// A chain with events of many kinds: roles, a batch, signed and direct acts, a pause.
async fn story() -> World {
    let (world, sender, kgc) = (World::start().await, wallet(1), wallet(4));
    world.grant_role(Role::Pauser, kgc.address()).await;
    world.grant_role(Role::Verifier, wallet(5).address()).await;
    let id = world.register(&sender, 7).await;
    let items = [1_u8, 2].map(|salt| Item {
        salt: B256::repeat_byte(salt),
        contentHash: B256::repeat_byte(0xc0),
        headerHash: B256::repeat_byte(0x4e),
        capsulesHash: B256::repeat_byte(0xca),
        size: 1000,
    });
    let batch = Batch { sender: sender.address(), items: items.to_vec(), deadline: 0 };
    world.send(&sender, "batch", &registerBatchCall { batch, signature: Bytes::new() }).await.unwrap();
    let verification = Verification {
        imageId: id,
        verifier: wallet(5).address(),
        observedHash: B256::repeat_byte(0xbd),
        observedAt: super::block_time(&world.registry).await,
        nonce: U256::ZERO,
        deadline: 0,
    };
    let call = recordVerificationCall { verification, signature: Bytes::new() };
    world.send(&wallet(5), "verify", &call).await.unwrap();
    let update = CapsulesUpdate {
        imageId: id,
        version: 0,
        capsulesHash: B256::repeat_byte(3),
        capsulesCid: Bytes::from_static(b"a cid of an odd length"),
        by: sender.address(),
        operatorSeq: 0,
        deadline: super::block_time(&world.registry).await + 100,
    };
    let signature = sign(&update, &world.registry.domain(), &sender);
    world.send(&wallet(3), "capsules", &updateCapsulesForCall { update, signature }).await.unwrap();
    world.send(&kgc, "pause", &pauseCall {}).await.unwrap();
    world.send(&sender, "operator", &setOperatorCall { operator: wallet(3).address(), allowed: false }).await.unwrap();
    world.send(&kgc, "unpause", &unpauseCall {}).await.unwrap();
    world.send(&sender, "nonce", &invalidateNonceCall {}).await.unwrap();
    world
}

#[tokio::test]
async fn the_head_follows_from_the_log_and_nothing_else() {
    let world = story().await;
    let audited = audit(&world.registry, &AuditOptions::default(), |_| Ok(())).await.expect("a whole log");
    let AuditHead { head, seq } = world.registry.audit().await.unwrap();
    assert_eq!((audited.proven.trail.head(), audited.proven.trail.seq()), (head, seq));
    // Every event but the two items has a number.
    assert_eq!(audited.read, seq + 2);
    assert!(!audited.proven.trail.pause_begun());
    assert_eq!(registration(&wallet(1), 7).size, 1000);
}

#[tokio::test]
async fn a_node_that_keeps_an_event_back_is_caught() {
    let world = story().await;
    let seq = world.registry.audit().await.unwrap().seq;
    let events = world.registry.log(world.registry.head(&SystemClock).await.unwrap().number).await.unwrap();
    for kept_back in 0..events.len() {
        // An audit reads the newest blocks one by one, by their hashes.
        let block = events[kept_back].place.block_hash;
        let place = events[..kept_back].iter().filter(|event| event.place.block_hash == block).count();
        let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
            Some("eth_getLogs") if request["params"][0]["blockHash"] == block.to_string() => Fault::DropResult(place),
            _ => Fault::None,
        });
        let rpc = Rpc::new(&url).unwrap();
        let registry = Registry::connect(rpc, &world.deployment, Profile::Development).await.unwrap();
        let error = audit(&registry, &AuditOptions::default(), |_| Ok(())).await.expect_err("one is missing");
        let last = kept_back + 1 == events.len();
        match error {
            AuditError::Incomplete { expected, found } => assert!(last && (expected, found) == (seq, seq - 1)),
            AuditError::Missing { .. } | AuditError::Batch { .. } => assert!(!last, "{kept_back}"),
            other => panic!("{kept_back}: {other}"),
        }
    }
}
