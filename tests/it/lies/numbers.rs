//! Numbers of transactions: lies about them, receipts that come late, transactions of the same
//! wallet that are not ours, and what their owner does about those that wait.

use super::rules::counts;
use super::writing::{decoded, lied_to, served};
use crate::chain::proxy::{Fault, proxy};
use crate::chain::{World, wallet};
use alloy::primitives::B256;
use medseal::chain::outbox::State;
use medseal::chain::{Outbox, OutboxError, Rpc, Wallet};
use medseal::contract::ErrorKind;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn a_job_with_a_number_far_ahead_gets_the_free_one() {
    let (world, sender) = (World::start().await, wallet(1));
    let (_, signed) = lied_to(&world, counts(None, "0x1388"), &sender, 1).await;
    assert_eq!(signed.iter().map(|signed| signed.nonce).collect::<Vec<_>>(), [5000]);
    // Another job first: it waits for the older one, which gets its number before.
    let transaction = world.register_transaction(&sender, 2);
    let mut outbox = world.outbox(&sender).await;
    outbox.send(&world.rpc, &sender, "job 2", &transaction).await.expect("sent");
    served_numbers(&world, &outbox, &sender, [0, 1]).await;
}

async fn served_numbers(world: &World, outbox: &Outbox, sender: &Wallet, numbers: [u64; 2]) {
    let last = |job: &str| outbox.job(job).unwrap().expect("known").signed.last().expect("signed").nonce;
    assert_eq!([last("job 1"), last("job 2")], numbers);
    assert_eq!(world.count(sender).await, 2);
}

/// Receipts come late: one act is logged once.
#[tokio::test]
async fn a_late_receipt_is_not_somebody_elses_transaction() {
    let (world, sender) = (World::start().await, wallet(1));
    let hidden = Arc::new(AtomicBool::new(true));
    let is_hidden = Arc::clone(&hidden);
    let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
        Some("eth_getTransactionReceipt") if is_hidden.load(Ordering::SeqCst) => Fault::Answer(Value::Null),
        _ => Fault::None,
    });
    let rpc = Rpc::new(&url).unwrap();
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(300));
    // Blocks go on over it.
    for _ in 0..3 {
        let late = outbox.send(&rpc, &sender, "job", &transaction).await.unwrap_err();
        assert!(matches!(late, OutboxError::NotMined { .. }), "{late}");
        let job = outbox.job("job").unwrap().expect("known");
        assert_eq!((job.state, job.signed.len()), (State::Broadcast, 1));
        world.raw("anvil_mine", json!(["0x5"])).await;
        // Sent again, the node says that its number is used up.
        let state = outbox.step(&rpc, &sender, "job").await;
        assert!(matches!(state, Ok(State::Broadcast) | Err(OutboxError::NotMined { .. })), "{state:?}");
    }
    hidden.store(false, Ordering::SeqCst);
    outbox.send(&rpc, &sender, "job", &transaction).await.expect("mined long ago");
    assert_eq!((world.count(&sender).await, outbox.job("job").unwrap().expect("known").signed.len()), (1, 1));
}

/// Where the chain shows nothing under the number, nothing is taken for granted.
#[tokio::test]
async fn a_number_of_which_the_chain_shows_nothing_is_kept() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(100));
    outbox.prepare("job", &transaction).unwrap();
    outbox.step(&world.rpc, &sender, "job").await.unwrap();
    world.spend_number(&sender).await;
    // A node that has forgotten the older states.
    let url = proxy(&world.node.rpc_url(), |request| {
        let block = request["params"][1].as_str().unwrap_or_default();
        match request["method"] == "eth_getTransactionCount" && block.starts_with("0x") {
            true => Fault::Refuse(-32000, "missing trie node"),
            false => Fault::None,
        }
    });
    let late = outbox.send(&Rpc::new(&url).unwrap(), &sender, "job", &transaction).await.unwrap_err();
    assert!(matches!(late, OutboxError::NotMined { .. }), "{late}");
    assert_eq!(outbox.job("job").unwrap().expect("known").signed.len(), 1);
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("with the next number");
    assert_eq!(world.count(&sender).await, 2);
}

/// A payment of the same wallet, sent by another program, that waits for its block.
async fn foreign(world: &World, sender: &Wallet, nonce: u64) -> B256 {
    let payment = json!([{
        "from": sender.address(), "to": wallet(9).address(), "value": "0x1", "gas": "0x5208",
        "nonce": format!("{nonce:#x}"), "maxFeePerGas": "0xb2d05e00", "maxPriorityFeePerGas": "0x1",
    }]);
    world.raw("eth_sendTransaction", payment).await.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn another_programs_pending_transaction_is_named_and_not_overbid() {
    let (world, sender) = (World::start().await, wallet(1));
    world.automine(false).await;
    let payment = foreign(&world, &sender, 0).await;
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(100));
    let told = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&told);
    outbox = outbox.observed_by(Arc::new(move |waiting| said.lock().unwrap().push(format!("{waiting:?}"))));
    let waiting = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
    assert!(
        matches!(waiting, OutboxError::ForeignPending { nonce: 0, transaction: Some(hash), .. } if hash == payment),
        "{waiting:?}"
    );
    assert_eq!(waiting.kind(), ErrorKind::Unreachable);
    assert_eq!(outbox.job("job").unwrap(), None, "nothing is kept of it");
    assert!(told.lock().unwrap()[0].starts_with("Foreign"), "{told:?}");

    // Once it is mined the job goes on.
    world.mine().await;
    world.automine(true).await;
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("behind it");
    assert!(!world.raw("eth_getTransactionReceipt", json!([payment])).await.is_null());
    assert_eq!(world.count(&sender).await, 2);
}

#[tokio::test]
async fn another_programs_pending_transaction_is_passed_over_when_asked() {
    let (world, sender) = (World::start().await, wallet(1));
    world.automine(false).await;
    let payment = foreign(&world, &sender, 0).await;
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(100)).after_pending();
    let late = outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap_err();
    assert!(matches!(late, OutboxError::NotMined { .. }), "{late}");
    world.mine().await;
    assert!(outbox.resume(&world.rpc, &sender).await.unwrap().iter().all(|(_, end)| end.is_ok()));
    assert!(!world.raw("eth_getTransactionReceipt", json!([payment])).await.is_null());
    assert_eq!((world.count(&sender).await, outbox.job("job").unwrap().expect("known").signed[0].nonce), (2, 1));
}

#[tokio::test]
async fn signed_bytes_do_not_overbid_what_took_their_number_in_the_pool() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(100));
    outbox.prepare("job", &transaction).unwrap();
    outbox.step(&world.rpc, &sender, "job").await.unwrap();
    world.automine(false).await;
    let payment = foreign(&world, &sender, 0).await;
    let waiting = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
    assert!(
        matches!(waiting, OutboxError::ForeignPending { nonce: 0, transaction: Some(hash), .. } if hash == payment),
        "{waiting:?}"
    );
    assert_eq!(outbox.job("job").unwrap().expect("known").signed.len(), 1);
    world.mine().await;
    world.automine(true).await;
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("with the next number");
    assert!(!world.raw("eth_getTransactionReceipt", json!([payment])).await.is_null(), "it was overbid");
    assert_eq!(world.count(&sender).await, 2);
}

#[tokio::test]
async fn a_job_that_waits_is_repriced_or_cancelled_by_its_owner() {
    let (world, sender) = (World::start().await, wallet(1));
    world.automine(false).await;
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(50));
    for salt in [1, 2] {
        let (job, transaction) = (format!("job {salt}"), world.register_transaction(&sender, salt));
        let late = outbox.send(&world.rpc, &sender, &job, &transaction).await.unwrap_err();
        assert!(matches!(late, OutboxError::NotMined { .. }), "{late}");
    }
    assert_eq!(outbox.named("1").unwrap().id, "job 2", "by its number");
    assert!(matches!(outbox.named("7"), Err(OutboxError::NoSuchJob { .. })));
    // Same number, dearer.
    outbox.reprice(&world.rpc, &sender, "job 1").await.expect_err("no block yet");
    let signed = outbox.job("job 1").unwrap().expect("known").signed;
    let (first, last) = (decoded(&signed[0]), decoded(&signed[1]));
    assert_eq!((signed.len(), first.nonce, last.nonce), (2, 0, 0));
    assert!(last.max_fee_per_gas * 8 >= first.max_fee_per_gas * 9);
    // A payment of nothing to the own address.
    outbox.cancel(&world.rpc, &sender, "job 2").await.expect_err("no block yet");
    let offer = outbox.job("job 2").unwrap().expect("known").offer().unwrap().expect("signed");
    assert!(offer.cancels && offer.nonce == 1 && offer.gas_limit == 21_000);
    world.mine().await;
    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    assert!(
        matches!(&ended[..], [(_, Ok(_)), (_, Err(OutboxError::Cancelled { transaction: Some(hash), .. }))]
            if *hash == offer.transaction),
        "{ended:?}"
    );
    assert_eq!(world.count(&sender).await, 2);
    let events = async |salt| world.registry.events(world.image_id(&sender, salt)).await.unwrap().len();
    assert_eq!((events(1).await, events(2).await), (1, 0));
    for done in [outbox.cancel(&world.rpc, &sender, "job 1").await, outbox.cancel(&world.rpc, &sender, "job 2").await] {
        assert!(matches!(done, Err(OutboxError::NotWaiting { .. })), "{done:?}");
    }
    // It can be asked for again.
    world.automine(true).await;
    outbox.send(&world.rpc, &sender, "job 2", &world.register_transaction(&sender, 2)).await.expect("anew");
    assert_eq!((events(2).await, world.count(&sender).await), (1, 3));
}

#[tokio::test]
async fn a_job_without_a_reachable_number_is_cancelled_at_once() {
    let (world, sender) = (World::start().await, wallet(1));
    let (_, signed) = lied_to(&world, counts(None, "0x1388"), &sender, 1).await;
    assert_eq!(signed[0].nonce, 5000);
    let mut outbox = world.outbox(&sender).await;
    assert_eq!(outbox.cancel(&world.rpc, &sender, "job 1").await.unwrap(), None);
    outbox.prepare("job 2", &world.register_transaction(&sender, 2)).unwrap();
    assert_eq!(outbox.cancel(&world.rpc, &sender, "job 2").await.unwrap(), None);
    assert!(outbox.jobs(false).unwrap().is_empty());
    assert_eq!(world.count(&sender).await, 0);
}

#[tokio::test]
async fn a_node_that_counts_too_few_is_caught_by_its_receipts() {
    let (world, sender) = (World::start().await, wallet(1));
    served(&world, &sender, 1, "no lie").await;
    let (told, signed) = lied_to(&world, counts(None, "0x0"), &sender, 2).await;
    let told = told.expect_err("a contradiction");
    assert!(matches!(told, OutboxError::Contradiction { found: 0, nonce: 0, .. }), "{told:?}");
    assert_eq!(signed, []);
    assert_eq!(world.outbox(&sender).await.job("job 1").unwrap().expect("known").state, State::Final);
}
