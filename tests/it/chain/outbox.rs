//! One job, one transaction.

use super::{World, registration, wallet};
use alloy::primitives::{B256, Bytes};
use medseal::chain::outbox::State;
use medseal::chain::sign;
use medseal::chain::{Outbox, OutboxError, Profile, Submitted, Unsent, Wallet};
use medseal::contract::bindings::IImageRegistry::{IImageRegistryErrors as Errors, Registration, registerCall};
use medseal::contract::{ErrorKind, Revert};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_wallet_that_only_prints_gets_its_transaction_back_and_sends_nothing() {
    let world = World::start().await;
    let sender = wallet(1);
    let transaction = world.register_transaction(&sender, 7);
    for printing in [sender.clone().print_only(), Wallet::external_signer(sender.address(), None)] {
        let mut outbox = world.outbox(&sender).await;
        let unsent = Unsent { from: sender.address(), transaction: transaction.clone() };
        let printed = outbox.submit(&world.rpc, &printing, "job", &transaction).await.unwrap();
        assert_eq!(printed, Submitted::Printed(unsent));
        let refused = outbox.send(&world.rpc, &printing, "job", &transaction).await.unwrap_err();
        assert!(matches!(refused, OutboxError::PrintsOnly { wallet } if wallet == sender.address()), "{refused}");
        assert_eq!(outbox.job("job").unwrap(), None);
    }
    assert_eq!(world.count(&sender).await, 0);
    // What the contract would refuse is not printed.
    let of_another = world.register_transaction(&wallet(2), 8);
    let mut outbox = world.outbox(&sender).await;
    let refused = outbox.submit(&world.rpc, &sender.clone().print_only(), "other", &of_another).await.unwrap_err();
    assert!(refused.revert().is_some(), "{refused}");
}

#[tokio::test]
async fn the_same_job_twice_is_one_transaction() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await;
    let first = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap();
    assert_eq!(outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap(), first);
    drop(outbox);
    let mut outbox = world.outbox(&sender).await;
    assert_eq!(outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap(), first);
    assert!(outbox.resume(&world.rpc, &sender).await.unwrap().is_empty());
    assert_eq!(world.count(&sender).await, 1);

    let job = outbox.job("job").unwrap().expect("known");
    assert_eq!((job.state, job.receipt, job.signed.len()), (State::Final, Some(first), 1));
    assert!(first.gas_used > 21_000);
    let other = world.register_transaction(&sender, 8);
    let conflict = outbox.send(&world.rpc, &sender, "job", &other).await.unwrap_err();
    assert!(matches!(conflict, OutboxError::JobConflict { ref job } if job == "job"), "{conflict}");
    assert_eq!(world.count(&sender).await, 1);
}

#[tokio::test]
async fn a_refused_job_fails_and_uses_no_number() {
    let (world, sender) = (World::start().await, wallet(1));
    let mut registration = registration(&sender, 7);
    registration.size = 0;
    let mut call = registerCall { registration, signature: Bytes::new() };
    let mut outbox = world.outbox(&sender).await;
    let refused =
        outbox.send(&world.rpc, &sender, "job", &world.registry.transaction(&call)).await.expect_err("no size");
    assert!(matches!(refused.revert(), Some(Revert::Registry(Errors::ZeroSize(_)))), "{refused}");
    let job = outbox.job("job").unwrap().expect("known");
    assert_eq!((job.state, job.signed.len(), job.receipt), (State::Failed, 0, None));
    assert!(job.reason.is_some_and(|reason| reason.contains("ZeroSize")));
    assert_eq!(world.count(&sender).await, 0);

    call.registration.size = 1;
    outbox.send(&world.rpc, &sender, "job", &world.registry.transaction(&call)).await.expect("mended");
    assert_eq!(world.count(&sender).await, 1);
}

#[tokio::test]
async fn one_that_is_reverted_in_its_block_says_why() {
    let (world, sender) = (World::start().await, wallet(1));
    let mut outbox = world.outbox(&sender).await;
    outbox.prepare("job", &world.register_transaction(&sender, 7)).unwrap();
    assert_eq!(outbox.step(&world.rpc, &sender, "job").await.unwrap(), State::Signed);
    // Before it is sent, a relayer registers the same id with other content.
    let deadline = super::block_time(&world.registry).await + 3600;
    let other = Registration { contentHash: B256::repeat_byte(0xbd), deadline, ..registration(&sender, 7) };
    let signature = sign(&other, &world.registry.domain(), &sender);
    world.send(&wallet(2), "relayed", &registerCall { registration: other, signature }).await.unwrap();
    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    assert_eq!(ended.len(), 1);
    let error = ended.into_iter().next().unwrap().1.expect_err("reverted");
    assert!(matches!(error, OutboxError::Reverted { .. }), "{error}");
    assert!(matches!(error.revert(), Some(Revert::Registry(Errors::RecordConflict(_)))), "{error}");
    let job = outbox.job("job").unwrap().expect("known");
    assert_eq!(job.state, State::Failed);
    assert!(job.receipt.is_some());
    assert_eq!(world.count(&sender).await, 1);
    assert_eq!(world.registry.image_count().await.unwrap(), 1);
    // Asked for again, it is tried again, and its old transaction is not taken for the new one.
    let again = outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap_err();
    assert!(matches!(again, OutboxError::Chain(_)), "{again}");
    outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 8)).await.expect("another image");
    assert_eq!(world.count(&sender).await, 2);
}

#[tokio::test]
async fn what_waits_for_a_block_is_finished_later_in_order() {
    let (world, sender) = (World::start().await, wallet(1));
    let deadline = Duration::from_millis(100);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(deadline);
    world.automine(false).await;
    for (salt, first) in [(7, None), (8, Some("job 7"))] {
        let transaction = world.register_transaction(&sender, salt);
        let late = outbox.send(&world.rpc, &sender, &format!("job {salt}"), &transaction).await.unwrap_err();
        let OutboxError::NotMined { after, ref before, .. } = late else { panic!("{late}") };
        assert_eq!((after, before.as_deref()), (deadline, first));
        assert_eq!(late.to_string().ends_with("; job job 7 stands in front of it"), first.is_some(), "{late}");
        assert_eq!(late.kind(), ErrorKind::Unreachable);
    }
    let jobs = ["job 7", "job 8"].map(|job| outbox.job(job).unwrap().expect("known"));
    assert_eq!(jobs.each_ref().map(|job| job.state), [State::Broadcast; 2]);
    assert_eq!(jobs.each_ref().map(|job| job.signed[0].nonce), [0, 1]);
    world.mine().await;
    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    assert_eq!(ended.iter().map(|(job, _)| job.as_str()).collect::<Vec<_>>(), ["job 7", "job 8"]);
    assert!(ended.iter().all(|(_, end)| end.is_ok()), "{ended:?}");
    assert_eq!(world.count(&sender).await, 2);
}

#[tokio::test]
async fn one_process_at_a_time_and_one_wallet() {
    let (world, sender) = (World::start().await, wallet(1));
    let mut outbox = world.outbox(&sender).await;
    let second = Outbox::open(world.folder.path(), sender.address(), &world.rpc, Profile::Development).await;
    assert!(matches!(second, Err(OutboxError::Busy { .. })), "{second:?}");
    world.outbox(&wallet(2)).await;
    let transaction = world.register_transaction(&sender, 7);
    let stranger = outbox.send(&world.rpc, &wallet(2), "job", &transaction).await.unwrap_err();
    assert!(matches!(stranger, OutboxError::WrongSender { .. }), "{stranger}");
    let unknown = outbox.step(&world.rpc, &sender, "none").await.unwrap_err();
    assert!(matches!(unknown, OutboxError::NoSuchJob { .. }), "{unknown}");
}

#[tokio::test]
async fn an_outbox_that_cannot_be_kept_is_an_error() {
    let world = World::start().await;
    let file = world.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let sender = wallet(1).address();
    let refused = Outbox::open(&file, sender, &world.rpc, Profile::Development).await;
    assert!(matches!(refused, Err(OutboxError::Io { .. })), "{refused:?}");
    let path = world.folder.path().join(format!("outbox-31337-{sender}.sqlite"));
    std::fs::write(path, "this is no database, and it is long enough to be looked at by SQLite as one").unwrap();
    let broken = Outbox::open(world.folder.path(), sender, &world.rpc, Profile::Development).await;
    assert!(matches!(broken, Err(OutboxError::Database(_))), "{broken:?}");
}

#[tokio::test]
async fn a_wallet_without_ether_goes_on_once_it_has_some() {
    let (world, sender) = (World::start().await, wallet(1));
    world.raw("anvil_setBalance", json!([sender.address(), "0x0"])).await;
    let mut outbox = world.outbox(&sender).await;
    let transaction = world.register_transaction(&sender, 7);
    let poor = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
    assert!(matches!(poor, OutboxError::NoFunds { address, .. } if address == sender.address()), "{poor}");
    assert!(poor.to_string().to_lowercase().contains("insufficient funds"), "{poor}");
    assert!(!matches!(outbox.job("job").unwrap().expect("known").state, State::Final | State::Failed));
    world.raw("anvil_setBalance", json!([sender.address(), "0xde0b6b3a7640000"])).await;
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("paid");
    assert_eq!(world.count(&sender).await, 1);
}
