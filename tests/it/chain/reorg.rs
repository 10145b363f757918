//! On a network mined is not final: blocks that go, and what is sent again. Anvil calls `safe` the
//! block 32 behind its head, and `finalized` the one 64 behind.

use super::proxy::{Fault, proxy};
use super::{World, registration, wallet};
use alloy::primitives::{B256, Bytes};
use medseal::chain::outbox::State;
use medseal::chain::sign;
use medseal::chain::{ChainError, Outbox, OutboxError, Profile, Registry, Rpc, Wait, Wallet};
use medseal::clock::SystemClock;
use medseal::contract::bindings::IImageRegistry::{
    IImageRegistryErrors as Errors, Registration, grantCall, registerCall, revokeCall,
};
use medseal::contract::{ErrorKind, Revert};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const NETWORK: Profile = Profile::Network { block_time_secs: 1 };

async fn outbox(world: &World, wallet: &Wallet, wait: Wait) -> Outbox {
    let outbox = Outbox::open(world.folder.path(), wallet.address(), &world.rpc, NETWORK).await.expect("an outbox");
    outbox.waiting_for(wait)
}

async fn mine(world: &World, blocks: u64) {
    world.raw("anvil_mine", json!([format!("{blocks:#x}")])).await;
}

fn state(outbox: &Outbox, job: &str) -> State {
    outbox.job(job).unwrap().expect("known").state
}

/// Every open job ended well.
async fn resumed(world: &World, outbox: &mut Outbox, sender: &Wallet) -> Vec<String> {
    let ended = outbox.resume(&world.rpc, sender).await.unwrap();
    assert!(ended.iter().all(|(_, end)| end.is_ok()), "{ended:?}");
    ended.into_iter().map(|(job, _)| job).collect()
}

/// Exactly one record of the image of `salt`, and so many transactions of its sender.
async fn is_one_record(world: &World, sender: &Wallet, salt: u8, transactions: u64) {
    assert_eq!(world.registry.events(world.image_id(sender, salt)).await.unwrap().len(), 1);
    assert_eq!(world.count(sender).await, transactions);
}

#[tokio::test]
async fn it_is_final_once_the_chain_says_so() {
    let (world, sender) = (World::start().await, wallet(1));
    let mut outbox = outbox(&world, &sender, Wait::Mined).await;
    let transaction = world.register_transaction(&sender, 7);
    let receipt = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap();
    assert_eq!(state(&outbox, "job"), State::Mined);
    mine(&world, 63).await;
    assert!(resumed(&world, &mut outbox, &sender).await.is_empty(), "there is nothing to tell");
    assert_eq!(state(&outbox, "job"), State::Mined);
    mine(&world, 1).await;
    assert!(resumed(&world, &mut outbox, &sender).await.is_empty());
    assert_eq!(state(&outbox, "job"), State::Final);
    assert_eq!(outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap(), receipt);
}

#[tokio::test]
async fn each_depth_is_waited_for_and_no_longer() {
    let (world, sender) = (World::start().await, wallet(1));
    let deadline = Duration::from_millis(300);
    let transaction = world.register_transaction(&sender, 7);
    for (wait, missing, after) in [(Wait::Safe, 32, State::Mined), (Wait::Finalized, 32, State::Final)] {
        let mut outbox = outbox(&world, &sender, wait).await.with_final_deadline(deadline);
        let early = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
        assert!(matches!(early, OutboxError::NotFinal { wanted, .. } if wanted == wait), "{early}");
        assert_eq!(early.kind(), ErrorKind::Unreachable);
        mine(&world, missing - 1).await;
        let early = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
        assert!(matches!(early, OutboxError::NotFinal { after, .. } if after == deadline), "{early}");
        mine(&world, 1).await;
        outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("deep enough");
        assert_eq!(state(&outbox, "job"), after);
    }
    is_one_record(&world, &sender, 7, 1).await;
}

#[tokio::test]
async fn a_chain_that_never_calls_a_block_final_is_told() {
    let (world, sender) = (World::start().await, wallet(1));
    let url = proxy(&world.node.rpc_url(), |request| match request["params"][0].as_str() {
        Some("safe") => Fault::Refuse(-39001, "unknown block"),
        Some("finalized") => Fault::Answer(json!(null)),
        _ => Fault::None,
    });
    let rpc = Rpc::new(&url).unwrap();
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = outbox(&world, &sender, Wait::Finalized).await.with_final_deadline(Duration::from_millis(100));
    let young = outbox.send(&rpc, &sender, "job", &transaction).await.unwrap_err();
    assert!(matches!(young, OutboxError::NotFinal { reached: 0, .. }), "a young chain may get one yet: {young}");
    mine(&world, 200).await;
    for wait in [Wait::Safe, Wait::Finalized] {
        outbox = outbox.waiting_for(wait);
        let old = outbox.send(&rpc, &sender, "job", &transaction).await.unwrap_err();
        assert!(old.to_string().contains(&format!("no {} block", wait.name())), "{old}");
        assert_eq!(old.kind(), ErrorKind::Failure);
    }
    outbox = outbox.waiting_for(Wait::Mined);
    outbox.send(&rpc, &sender, "job", &transaction).await.expect("who does not wait does without");
}

#[tokio::test]
async fn a_block_that_goes_is_noticed_and_the_same_bytes_are_sent_again() {
    for depth in [1, 5, 12] {
        let (world, sender) = (World::start().await, wallet(1));
        let snapshot = world.raw("evm_snapshot", json!([])).await;
        let mut outbox = outbox(&world, &sender, Wait::Mined).await;
        let first = outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap();
        mine(&world, depth - 1).await;
        world.raw("evm_revert", json!([snapshot])).await;
        assert_eq!(world.count(&sender).await, 0, "the record is gone");
        mine(&world, depth).await;
        assert_eq!(resumed(&world, &mut outbox, &sender).await, ["job"]);
        let job = outbox.job("job").unwrap().expect("known");
        let again = job.receipt.expect("mined");
        assert_eq!((job.signed.len(), again.transaction), (1, first.transaction), "the same bytes");
        assert_ne!(again.block_hash, first.block_hash);
        is_one_record(&world, &sender, 7, 1).await;
        mine(&world, 64).await;
        resumed(&world, &mut outbox, &sender).await;
        assert_eq!(state(&outbox, "job"), State::Final);
    }
}

#[tokio::test]
async fn it_is_noticed_while_it_is_waited_for() {
    let (world, sender) = (World::start().await, wallet(1));
    mine(&world, 20).await;
    let mut outbox = outbox(&world, &sender, Wait::Finalized).await;
    let transaction = world.register_transaction(&sender, 7);
    let submitted = outbox.send(&world.rpc, &sender, "job", &transaction);
    let reorganised = async {
        world.wait_for_count(&sender, 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        // Three blocks are replaced by empty ones.
        world.raw("anvil_reorg", json!([3, []])).await;
        world.wait_for_count(&sender, 1).await;
        mine(&world, 64).await;
    };
    let (receipt, ()) = tokio::join!(submitted, reorganised);
    receipt.expect("final in the end");
    is_one_record(&world, &sender, 7, 1).await;
    assert_eq!(state(&outbox, "job"), State::Final);
    assert_eq!(outbox.job("job").unwrap().expect("known").signed.len(), 1);
}

#[tokio::test]
async fn all_that_went_comes_back_before_anything_new() {
    let (world, sender) = (World::start().await, wallet(1));
    let snapshot = world.raw("evm_snapshot", json!([])).await;
    let mut outbox = outbox(&world, &sender, Wait::Mined).await;
    for salt in [7, 8, 9] {
        let transaction = world.register_transaction(&sender, salt);
        outbox.send(&world.rpc, &sender, &format!("job {salt}"), &transaction).await.unwrap();
    }
    world.raw("evm_revert", json!([snapshot])).await;
    outbox.send(&world.rpc, &sender, "job 10", &world.register_transaction(&sender, 10)).await.unwrap();
    for salt in [7, 8, 9, 10] {
        is_one_record(&world, &sender, salt, 4).await;
    }
    resumed(&world, &mut outbox, &sender).await;
    mine(&world, 64).await;
    resumed(&world, &mut outbox, &sender).await;
    for salt in [7, 8, 9, 10] {
        assert_eq!(state(&outbox, &format!("job {salt}")), State::Final);
    }
}

#[tokio::test]
async fn a_number_that_was_taken_while_it_was_gone_is_replaced() {
    let (world, sender) = (World::start().await, wallet(1));
    let snapshot = world.raw("evm_snapshot", json!([])).await;
    let mut outbox = outbox(&world, &sender, Wait::Mined).await;
    outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap();
    world.raw("evm_revert", json!([snapshot])).await;
    world.spend_number(&sender).await;
    assert_eq!(resumed(&world, &mut outbox, &sender).await, ["job"]);
    let signed = outbox.job("job").unwrap().expect("known").signed;
    assert_eq!(signed.iter().map(|signed| signed.nonce).collect::<Vec<_>>(), [0, 1]);
    is_one_record(&world, &sender, 7, 2).await;
}

/// A reorganisation between two questions: the count is still that of the chain that went, the
/// receipt is gone already.
#[tokio::test]
async fn a_number_that_is_free_again_is_not_passed_over() {
    for stale in [1, 2] {
        let (world, sender) = (World::start().await, wallet(1));
        let mut counts = None;
        let url = proxy(&world.node.rpc_url(), move |request| match (request["method"].as_str(), &mut counts) {
            (Some("eth_sendRawTransaction"), None) => {
                counts = Some(stale);
                Fault::Refuse(-32000, "nonce too low")
            }
            (Some("eth_getTransactionCount"), Some(left @ 1..)) => {
                *left -= 1;
                Fault::Answer(json!("0x1"))
            }
            _ => Fault::None,
        });
        let rpc = Rpc::new(&url).unwrap();
        let mut outbox = outbox(&world, &sender, Wait::Mined).await;
        outbox.send(&rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap();
        let signed = outbox.job("job").unwrap().expect("known").signed;
        assert_eq!(signed.iter().map(|signed| signed.nonce).collect::<Vec<_>>(), [0], "{stale} stale answers");
        is_one_record(&world, &sender, 7, 1).await;
    }
}

/// The record of a signed registration by a relayer; `content` tells one from another.
async fn relay(world: &World, sender: &Wallet, content: u8) {
    let deadline = super::block_time(&world.registry).await + 3600;
    let registration = Registration { contentHash: B256::repeat_byte(content), deadline, ..registration(sender, 7) };
    let signature = sign(&registration, &world.registry.domain(), sender);
    world.send(&wallet(2), "relayed", &registerCall { registration, signature }).await.unwrap();
}

#[tokio::test]
async fn what_somebody_else_did_meanwhile_is_not_done_twice() {
    let (world, sender) = (World::start().await, wallet(1));
    let snapshot = world.raw("evm_snapshot", json!([])).await;
    let mut outbox = outbox(&world, &sender, Wait::Mined).await;
    outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap();
    world.raw("evm_revert", json!([snapshot])).await;
    // The same record, by a relayer.
    relay(&world, &sender, 0xc0).await;
    assert_eq!(resumed(&world, &mut outbox, &sender).await, ["job"]);
    is_one_record(&world, &sender, 7, 1).await;
}

#[tokio::test]
async fn what_is_reverted_stays_open_as_long_as_its_number_may_be_free_again() {
    let (world, sender) = (World::start().await, wallet(1));
    let mut outbox = outbox(&world, &sender, Wait::Mined).await;
    outbox.prepare("job", &world.register_transaction(&sender, 7)).unwrap();
    assert_eq!(outbox.step(&world.rpc, &sender, "job").await.unwrap(), State::Signed);
    let snapshot = world.raw("evm_snapshot", json!([])).await;
    relay(&world, &sender, 0xbd).await;
    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    let error = ended.into_iter().next().expect("one job").1.expect_err("reverted");
    assert!(matches!(error.revert(), Some(Revert::Registry(Errors::RecordConflict(_)))), "{error}");
    assert_eq!(state(&outbox, "job"), State::Mined);
    // The other record goes, and with it the reason of the refusal: the same bytes are good now.
    world.raw("evm_revert", json!([snapshot])).await;
    assert_eq!(resumed(&world, &mut outbox, &sender).await, ["job"]);
    is_one_record(&world, &sender, 7, 1).await;

    let call = registerCall { registration: registration(&sender, 8), signature: Bytes::new() };
    outbox.prepare("second", &world.registry.transaction(&call)).unwrap();
    outbox.step(&world.rpc, &sender, "second").await.unwrap();
    let other = Registration { contentHash: B256::repeat_byte(0xbd), ..registration(&sender, 8) };
    let deadline = super::block_time(&world.registry).await + 3600;
    let other = Registration { deadline, ..other };
    let signature = sign(&other, &world.registry.domain(), &sender);
    // By another wallet: to the outbox of the first one the chain went back.
    world.send(&wallet(3), "relayed again", &registerCall { registration: other, signature }).await.unwrap();
    mine(&world, 1).await;
    outbox.resume(&world.rpc, &sender).await.unwrap();
    mine(&world, 64).await;
    outbox.resume(&world.rpc, &sender).await.unwrap();
    assert_eq!(state(&outbox, "second"), State::Failed);
}

#[tokio::test]
async fn what_became_too_cheap_in_the_pool_is_made_dearer() {
    let (world, sender) = (World::start().await, wallet(1));
    // As Geth does it: what is in the pool is known, however cheap it is.
    let mut known = BTreeSet::new();
    let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") if !known.insert(request["params"][0].to_string()) => {
            Fault::Refuse(-32000, "already known")
        }
        _ => Fault::None,
    });
    let rpc = Rpc::new(&url).unwrap();
    world.automine(false).await;
    let mut outbox = outbox(&world, &sender, Wait::Mined).await;
    outbox.prepare("job", &world.register_transaction(&sender, 7)).unwrap();
    for expected in [State::Signed, State::Broadcast] {
        assert_eq!(outbox.step(&rpc, &sender, "job").await.unwrap(), expected);
    }
    world.raw("anvil_setNextBlockBaseFeePerGas", json!(["0x174876e800"])).await;
    world.mine().await;
    assert_eq!(world.count(&sender).await, 0, "the block is too dear for it");
    world.automine(true).await;
    let ended = outbox.resume(&rpc, &sender).await.unwrap();
    assert!(matches!(&ended[..], [(_, Ok(_))]), "{ended:?}");
    let signed = outbox.job("job").unwrap().expect("known").signed;
    assert_eq!(signed.iter().map(|signed| signed.nonce).collect::<Vec<_>>(), [0, 0]);
    is_one_record(&world, &sender, 7, 1).await;
}

#[tokio::test]
async fn what_ten_blocks_passed_over_is_made_dearer() {
    let (world, sender) = (World::start().await, wallet(1));
    // Takes the first one and leaves it lying, as a node does that wants a higher tip.
    let mut first = None;
    let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction")
            if *first.get_or_insert(request["params"][0].clone()) == request["params"][0] =>
        {
            Fault::Answer(json!(B256::ZERO))
        }
        _ => Fault::None,
    });
    let rpc = Rpc::new(&url).unwrap();
    let mut outbox = outbox(&world, &sender, Wait::Mined).await;
    let transaction = world.register_transaction(&sender, 7);
    let blocks_go_on = async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            mine(&world, 1).await;
        }
    };
    tokio::select! {
        receipt = outbox.send(&rpc, &sender, "job", &transaction) => drop(receipt.expect("mined")),
        () = blocks_go_on => {}
    }
    assert_eq!(outbox.job("job").unwrap().expect("known").signed.len(), 2);
    is_one_record(&world, &sender, 7, 1).await;
}

#[tokio::test]
async fn a_grant_counts_once_it_is_safe_and_a_revocation_at_once() {
    let (world, sender, reader) = (World::start().await, wallet(1), wallet(2).address());
    let registry = Registry::connect(world.rpc.clone(), &world.deployment, NETWORK).await.unwrap();
    let image = world.register(&sender, 7).await;
    let expiry = async |wallet| {
        let head = registry.head(&SystemClock).await.unwrap();
        registry.confirmed_expiry(&head, image, wallet).await
    };
    let until = super::block_time(&registry).await + 100_000;
    let grant = |seq, until| (format!("grant {seq}"), grantCall { imageId: image, wallet: reader, expiry: until });
    let (job, call) = grant(0, until);
    world.send(&sender, &job, &call).await.unwrap();
    assert_eq!(expiry(reader).await.unwrap(), 0, "no block is safe yet");
    mine(&world, 31).await;
    assert_eq!(expiry(reader).await.unwrap(), 0, "the safe block is one too old");
    mine(&world, 1).await;
    assert_eq!(expiry(reader).await.unwrap(), until);
    // A shorter grant is partly a revocation: the smaller of the two.
    let (job, call) = grant(1, until - 50_000);
    world.send(&sender, &job, &call).await.unwrap();
    assert_eq!(expiry(reader).await.unwrap(), until - 50_000);
    let (job, call) = grant(2, until + 50_000);
    world.send(&sender, &job, &call).await.unwrap();
    assert_eq!(expiry(reader).await.unwrap(), until);
    world.send(&sender, "revoke", &revokeCall { imageId: image, wallet: reader }).await.unwrap();
    assert_eq!(expiry(reader).await.unwrap(), 0, "at once");

    // Where no block is ever safe, nothing is confirmed, and that is an error.
    let url = proxy(&world.node.rpc_url(), |request| match request["params"][0].as_str() {
        Some("safe") => Fault::Answer(json!(null)),
        _ => Fault::None,
    });
    mine(&world, 128).await;
    let (job, call) = grant(3, until);
    world.send(&sender, &job, &call).await.unwrap();
    let unsure = Registry::connect(Rpc::new(&url).unwrap(), &world.deployment, NETWORK).await.unwrap();
    let head = unsure.head(&SystemClock).await.unwrap();
    let error = unsure.confirmed_expiry(&head, image, reader).await.unwrap_err();
    assert!(matches!(error, ChainError::NoFinality { ref tag, .. } if tag == "safe"), "{error}");
    assert_eq!(
        unsure.confirmed_expiry(&head, image, sender.address()).await.unwrap(),
        0,
        "who has nothing is not asked"
    );
}
