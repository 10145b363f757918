//! A process that dies between any two steps, and chains and keys that change under it. Dropping
//! the outbox stands for the death: what is not in the database by then is lost.

use super::proxy::{Fault, proxy};
use super::{World, options, wallet};
use medseal::chain::outbox::State;
use medseal::chain::{DevNode, NodeOptions, OutboxError, Rpc};
use medseal::contract::ErrorKind;
use serde_json::json;
use std::time::Duration;

/// Accepts the job and takes it `steps` states further, then dies; returns the last state.
async fn die_after(world: &World, steps: usize) -> State {
    let sender = wallet(1);
    let mut outbox = world.outbox(&sender).await;
    let mut state = outbox.prepare("job", &world.register_transaction(&sender, 7)).unwrap();
    for _ in 0..steps {
        state = outbox.step(&world.rpc, &sender, "job").await.unwrap();
    }
    state
}

/// The second run ends with the one record, the one transaction, and a job that is done.
async fn resumes_as_one_record(world: &World, others: u64) {
    let sender = wallet(1);
    let mut outbox = world.outbox(&sender).await;
    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    assert!(ended.iter().all(|(job, end)| job == "job" && end.is_ok()), "{ended:?}");
    let job = outbox.job("job").unwrap().expect("known");
    assert_eq!(job.state, State::Final);
    assert_eq!(world.count(&sender).await, 1 + others);
    assert_eq!(world.registry.image_count().await.unwrap(), 1);
    assert_eq!(world.registry.events(world.image_id(&sender, 7)).await.unwrap().len(), 1);
    let again = outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap();
    assert_eq!(job.receipt, Some(again));
    assert_eq!(world.count(&sender).await, 1 + others);
}

/// The bytes that the dead process had signed.
async fn signed_bytes(world: &World) -> String {
    let outbox = world.outbox(&wallet(1)).await;
    outbox.job("job").unwrap().expect("known").signed[0].raw.to_string()
}

#[tokio::test]
async fn it_goes_on_from_every_state() {
    for (steps, state) in
        [State::Prepared, State::Signed, State::Broadcast, State::Mined, State::Final].into_iter().enumerate()
    {
        let world = World::start().await;
        assert_eq!(die_after(&world, steps).await, state);
        resumes_as_one_record(&world, 0).await;
    }
}

#[tokio::test]
async fn sent_but_not_written_down() {
    let world = World::start().await;
    die_after(&world, 1).await;
    world.automine(false).await;
    world.raw("eth_sendRawTransaction", json!([signed_bytes(&world).await])).await;
    // It lies in the node's pool, and the next block takes it while we resume.
    let mine_soon = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.mine().await;
    };
    tokio::join!(resumes_as_one_record(&world, 0), mine_soon);
}

#[tokio::test]
async fn mined_but_not_written_down() {
    let world = World::start().await;
    die_after(&world, 1).await;
    world.raw("eth_sendRawTransaction", json!([signed_bytes(&world).await])).await;
    world.wait_for_count(&wallet(1), 1).await;
    resumes_as_one_record(&world, 0).await;
}

/// The node takes the transaction and its answer gets lost (here: becomes an HTTP 500).
#[tokio::test]
async fn sent_and_never_answered() {
    let world = World::start().await;
    die_after(&world, 1).await;
    let url = proxy(&world.node.rpc_url(), |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") => Fault::LoseAnswer,
        _ => Fault::None,
    });
    let sender = wallet(1);
    let mut outbox = world.outbox(&sender).await;
    let lost = outbox.step(&Rpc::new(&url).unwrap(), &sender, "job").await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unreachable);
    assert_eq!(outbox.job("job").unwrap().expect("known").state, State::Signed);
    drop(outbox);
    world.wait_for_count(&sender, 1).await;
    resumes_as_one_record(&world, 0).await;
}

#[tokio::test]
async fn dropped_by_the_node() {
    let world = World::start().await;
    world.automine(false).await;
    die_after(&world, 2).await;
    let hash = world.outbox(&wallet(1)).await.job("job").unwrap().expect("known").signed[0].hash;
    world.raw("anvil_dropTransaction", json!([hash])).await;
    world.automine(true).await;
    resumes_as_one_record(&world, 0).await;
}

#[tokio::test]
async fn a_number_that_somebody_else_used_is_replaced_once() {
    let (world, sender) = (World::start().await, wallet(1));
    die_after(&world, 1).await;
    world.spend_number(&sender).await;
    resumes_as_one_record(&world, 1).await;
    let job = world.outbox(&sender).await.job("job").unwrap().expect("known");
    assert_eq!(job.signed.iter().map(|signed| signed.nonce).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn a_number_that_is_used_twice_is_a_failure() {
    let (world, sender) = (World::start().await, wallet(1));
    die_after(&world, 1).await;
    world.spend_number(&sender).await;
    let mut outbox = world.outbox(&sender).await;
    assert_eq!(outbox.step(&world.rpc, &sender, "job").await.unwrap(), State::Prepared);
    assert_eq!(outbox.step(&world.rpc, &sender, "job").await.unwrap(), State::Signed);
    world.spend_number(&sender).await;
    let taken = outbox.step(&world.rpc, &sender, "job").await.unwrap_err();
    assert!(matches!(taken, OutboxError::NonceTaken { nonce: 1, .. }), "{taken}");
    assert_eq!(outbox.job("job").unwrap().expect("known").state, State::Failed);
    assert_eq!(world.registry.image_count().await.unwrap(), 0);
    outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.expect("anew");
    assert_eq!(world.count(&sender).await, 3);
}

#[tokio::test]
async fn a_chain_that_began_anew_is_refused() {
    let (world, sender) = (World::start().await, wallet(1));
    let port = world.node.port();
    let mut outbox = world.outbox(&sender).await;
    outbox.prepare("job", &world.register_transaction(&sender, 7)).unwrap();
    let World { node, rpc, folder, .. } = world;
    node.stop();
    // Block 0 has the second of its making in it.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let _node = DevNode::start(&NodeOptions { port, ..options() }).await.unwrap();
    let reset = outbox.resume(&rpc, &sender).await.unwrap_err();
    assert!(matches!(reset, OutboxError::ChainReset { .. }), "{reset}");
    assert_eq!(reset.kind(), ErrorKind::WrongChain);
    assert_eq!(outbox.job("job").unwrap().expect("known").state, State::Prepared);
    drop(outbox);
    // The new chain has an outbox of its own, and that of the old one stays as it is.
    let open = async || super::opened(folder.path(), sender.address(), &rpc).await.unwrap();
    let outbox = open().await;
    let old = folder.path().join(format!("outbox-31337-{}.sqlite", sender.address()));
    assert_eq!((outbox.earlier_chain(), outbox.job("job").unwrap()), (Some(old.as_path()), None));
    drop(outbox);
    assert_eq!(open().await.earlier_chain(), None, "that is said once");
}

#[tokio::test]
async fn what_a_chain_that_went_back_lost_is_sent_again() {
    let (world, sender) = (World::start().await, wallet(1));
    let snapshot = world.raw("evm_snapshot", json!([])).await;
    world.register(&sender, 7).await;
    world.raw("evm_revert", json!([snapshot])).await;
    let transaction = world.register_transaction(&sender, 8);
    let mut outbox = world.outbox(&sender).await;
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("behind the first one");
    assert_eq!(world.count(&sender).await, 2);
    for salt in [7, 8] {
        assert_eq!(world.registry.events(world.image_id(&sender, salt)).await.unwrap().len(), 1);
    }
    assert_eq!(outbox.job("register:7").unwrap().expect("known").signed.len(), 1, "the same bytes");
}

#[tokio::test]
async fn a_node_that_is_away_leaves_the_job_as_it_is() {
    let (world, sender) = (World::start().await, wallet(1));
    die_after(&world, 1).await;
    let mut outbox = world.outbox(&sender).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = outbox.resume(&Rpc::new(&format!("http://{closed}")).unwrap(), &sender).await.unwrap_err();
    assert_eq!(away.kind(), ErrorKind::Unreachable);
    assert_eq!(outbox.job("job").unwrap().expect("known").state, State::Signed);
    drop(outbox);
    resumes_as_one_record(&world, 0).await;
}

#[tokio::test]
async fn with_no_open_job_the_node_is_not_asked() {
    let (world, sender) = (World::start().await, wallet(1));
    let mut outbox = world.outbox(&sender).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = Rpc::new(&format!("http://{closed}")).unwrap();
    assert!(outbox.resume(&away, &sender).await.expect("nothing to do").is_empty());
    outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap();
    assert!(outbox.resume(&away, &sender).await.expect("nothing to do").is_empty());
    outbox.prepare("open", &world.register_transaction(&sender, 8)).unwrap();
    assert_eq!(outbox.resume(&away, &sender).await.unwrap_err().kind(), ErrorKind::Unreachable);
}
