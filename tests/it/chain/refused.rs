//! Signed transactions that the node refuses: fees that rose after signing, and wallets that ran
//! dry.

use super::proxy::{Fault, proxy};
use super::{World, wallet};
use alloy::consensus::TxEnvelope;
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::U256;
use medseal::chain::outbox::{SignedTransaction, State};
use medseal::chain::{ChainError, Outbox, OutboxError, Rpc};
use medseal::contract::ErrorKind;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

impl World {
    /// A block that cost 100 gwei of base fee, and the next is hardly cheaper: more than anything
    /// that was signed before.
    async fn raise_base_fee(&self) {
        self.raw("anvil_setNextBlockBaseFeePerGas", json!(["0x174876e800"])).await;
        self.mine().await;
    }
}

#[tokio::test]
async fn a_fee_that_rose_after_signing_is_raised() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await;
    outbox.prepare("job", &transaction).unwrap();
    assert_eq!(outbox.step(&world.rpc, &sender, "job").await.unwrap(), State::Signed);
    world.raise_base_fee().await;
    let receipt = outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("sent with a higher fee");
    let job = outbox.job("job").unwrap().expect("known");
    assert_eq!(job.signed.iter().map(|signed| signed.nonce).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(receipt.transaction, job.signed[1].hash);
    assert_eq!(world.count(&sender).await, 1);
    assert_eq!(world.registry.image_count().await.unwrap(), 1);
}

#[tokio::test]
async fn an_older_job_that_is_refused_does_not_hold_up_a_later_one() {
    let (world, sender) = (World::start().await, wallet(1));
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_secs(2));
    outbox.prepare("old", &world.register_transaction(&sender, 7)).unwrap();
    assert_eq!(outbox.step(&world.rpc, &sender, "old").await.unwrap(), State::Signed);
    world.raise_base_fee().await;
    outbox.send(&world.rpc, &sender, "new", &world.register_transaction(&sender, 8)).await.expect("both are sent");
    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    assert!(matches!(&ended[..], [(job, Ok(_))] if job == "old"), "{ended:?}");
    assert_eq!(world.count(&sender).await, 2);
}

/// What was signed for the job, oldest first.
fn signings(outbox: &Outbox, job: &str) -> Vec<SignedTransaction> {
    outbox.job(job).unwrap().expect("known").signed
}

/// (max fee, tip) of signed bytes.
fn fees(signed: &SignedTransaction) -> (u128, u128) {
    let envelope = TxEnvelope::decode_2718_exact(&signed.raw).unwrap();
    let transaction = envelope.as_eip1559().expect("EIP-1559").tx();
    (transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas)
}

/// A node that takes nothing: each `eth_sendRawTransaction` is refused in these words.
fn refusing(world: &World, message: &'static str) -> Rpc {
    let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") => Fault::Refuse(-32000, message),
        _ => Fault::None,
    });
    Rpc::new(&url).unwrap()
}

#[tokio::test]
async fn fees_are_raised_five_times_and_then_the_refusal_is_told() {
    let (world, sender) = (World::start().await, wallet(1));
    let (old, new) = (world.register_transaction(&sender, 7), world.register_transaction(&sender, 8));
    let rpc = refusing(&world, "transaction underpriced");
    let mut outbox = world.outbox(&sender).await;
    for attempt in ["first", "second, which signs nothing more"] {
        let refused = outbox.send(&rpc, &sender, "old", &old).await.unwrap_err();
        let newest = signings(&outbox, "old").last().expect("signed").hash;
        assert!(
            matches!(&refused, OutboxError::Refused { job, transaction, nonce: 0, signings: 6, code: -32000, message }
                if job == "old" && *transaction == newest && message == "transaction underpriced"),
            "{attempt}: {refused}"
        );
        assert_eq!(outbox.job("old").unwrap().expect("known").state, State::Signed);
    }
    let signed = signings(&outbox, "old");
    assert_eq!(signed.iter().map(|signed| signed.nonce).collect::<Vec<_>>(), [0; 6]);
    for pair in signed.windows(2) {
        let ((old_fee, old_tip), (fee, tip)) = (fees(&pair[0]), fees(&pair[1]));
        assert!(fee * 8 >= old_fee * 9 && tip * 8 >= old_tip * 9, "{old_fee} {fee} {old_tip} {tip}");
    }

    // A later job says at once what it waits for, and takes no number.
    let behind = outbox.send(&rpc, &sender, "new", &new).await.unwrap_err();
    assert!(
        matches!(&behind, OutboxError::Behind { job, before, nonce: 0, source }
            if job == "new" && before == "old" && matches!(**source, OutboxError::Refused { .. })),
        "{behind}"
    );
    assert_eq!(signings(&outbox, "new"), []);
    let ended = outbox.resume(&rpc, &sender).await.unwrap();
    assert!(
        matches!(&ended[..], [(_, Err(OutboxError::Refused { .. })), (_, Err(OutboxError::Behind { .. }))]),
        "{ended:?}"
    );

    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    assert!(matches!(&ended[..], [(old, Ok(_)), (new, Ok(_))] if old == "old" && new == "new"), "{ended:?}");
    assert_eq!((signings(&outbox, "old").len(), world.count(&sender).await), (6, 2));
}

#[tokio::test]
async fn whichever_signature_was_mined_is_the_receipt() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await;
    outbox.send(&refusing(&world, "fee too low"), &sender, "job", &transaction).await.unwrap_err();
    let older = signings(&outbox, "job")[2].clone();
    world.raw("eth_sendRawTransaction", json!([older.raw])).await;
    world.wait_for_count(&sender, 1).await;
    // A node that says "too cheap" of a number that is used up is not believed.
    let receipt = outbox.send(&refusing(&world, "fee too low"), &sender, "job", &transaction).await.unwrap();
    assert_eq!(receipt.transaction, older.hash);
    assert_eq!((signings(&outbox, "job").len(), world.count(&sender).await), (6, 1));
}

#[tokio::test]
async fn raised_fees_do_not_use_up_the_second_number() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await;
    outbox.send(&refusing(&world, "fee too low"), &sender, "job", &transaction).await.unwrap_err();
    world.spend_number(&sender).await;
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("with the next number");
    let numbers: Vec<u64> = signings(&outbox, "job").iter().map(|signed| signed.nonce).collect();
    assert_eq!((numbers, world.count(&sender).await), (vec![0, 0, 0, 0, 0, 0, 1], 2));
}

#[tokio::test]
async fn raised_fees_are_on_disk_before_they_are_sent() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let sent = AtomicUsize::new(0);
    let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") if sent.fetch_add(1, Ordering::SeqCst) == 0 => {
            Fault::Refuse(-32000, "too cheap")
        }
        Some("eth_sendRawTransaction") => Fault::LoseAnswer,
        _ => Fault::None,
    });
    let mut outbox = world.outbox(&sender).await;
    let lost = outbox.send(&Rpc::new(&url).unwrap(), &sender, "job", &transaction).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unreachable);
    drop(outbox);
    world.wait_for_count(&sender, 1).await;
    let mut outbox = world.outbox(&sender).await;
    let signed = signings(&outbox, "job");
    assert_eq!((signed.len(), outbox.job("job").unwrap().expect("known").state), (2, State::Signed));
    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    assert!(matches!(&ended[..], [(_, Ok(receipt))] if receipt.transaction == signed[1].hash), "{ended:?}");
    assert_eq!(world.count(&sender).await, 1);
}

#[tokio::test]
async fn a_wallet_that_ran_dry_is_named_with_what_it_needs() {
    let (world, sender) = (World::start().await, wallet(1));
    let (old, new) = (world.register_transaction(&sender, 7), world.register_transaction(&sender, 8));
    let mut outbox = world.outbox(&sender).await;
    outbox.prepare("old", &old).unwrap();
    assert_eq!(outbox.step(&world.rpc, &sender, "old").await.unwrap(), State::Signed);
    let balance = world.rpc.balance(sender.address()).await.unwrap();
    world.raw("anvil_setBalance", json!([sender.address(), "0x1"])).await;
    let poor = outbox.send(&world.rpc, &sender, "old", &old).await.unwrap_err();
    let OutboxError::NoFunds { address, ref job, needed: Some(needed), .. } = poor else { panic!("{poor}") };
    assert_eq!((address, job.as_str()), (sender.address(), "old"));
    assert!(
        poor.to_string().contains(&format!("{} can't pay for job old, which may cost {needed} wei", sender.address()))
    );
    let behind = outbox.send(&world.rpc, &sender, "new", &new).await.unwrap_err();
    assert!(matches!(&behind, OutboxError::Behind { before, .. } if before == "old"), "{behind}");

    // What it names is enough, and one wei less is not.
    world.raw("anvil_setBalance", json!([sender.address(), needed - U256::from(1)])).await;
    let poor = outbox.send(&world.rpc, &sender, "old", &old).await.unwrap_err();
    assert!(matches!(poor, OutboxError::NoFunds { .. }), "{poor}");
    world.raw("anvil_setBalance", json!([sender.address(), needed])).await;
    outbox.send(&world.rpc, &sender, "old", &old).await.expect("paid");
    assert_eq!(signings(&outbox, "old").len(), 1);
    world.raw("anvil_setBalance", json!([sender.address(), balance])).await;
    outbox.send(&world.rpc, &sender, "new", &new).await.expect("paid");
    assert_eq!(world.count(&sender).await, 2);
}

#[tokio::test]
async fn a_node_that_is_out_of_order_changes_no_signature() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let url = proxy(&world.node.rpc_url(), |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") => Fault::Refuse(-32005, "limit exceeded"),
        _ => Fault::None,
    });
    let mut outbox = world.outbox(&sender).await;
    let refused = outbox.send(&Rpc::new(&url).unwrap(), &sender, "job", &transaction).await.unwrap_err();
    assert!(matches!(refused, OutboxError::Chain(ChainError::Refused { code: -32005, .. })), "{refused}");
    assert_eq!(signings(&outbox, "job").len(), 1);
}
