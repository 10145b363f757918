//! The development chain's own life.

use super::{World, options, wallet};
use medseal::chain::{DevNode, NodeError, NodeOptions, Outbox, Profile, Registry, Rpc};
use medseal::clock::{Clock, SystemClock};
use serde_json::json;
use std::net::TcpListener;
use std::time::Duration;

#[tokio::test]
async fn its_accounts_are_our_development_keys() {
    let world = World::start().await;
    let ours: Vec<String> = (0..10).map(|index| wallet(index).address().to_string().to_lowercase()).collect();
    assert_eq!(world.raw("eth_accounts", json!([])).await, json!(ours));
}

#[tokio::test]
async fn it_ends_when_it_is_dropped() {
    let node = DevNode::start(&options()).await.unwrap();
    let rpc = Rpc::new(&node.rpc_url()).unwrap();
    assert!(rpc.client_version().await.unwrap().starts_with("anvil/"));
    let port = node.port();
    drop(node);
    assert!(rpc.chain_id().await.is_err());
    TcpListener::bind(("127.0.0.1", port)).expect("the port is free again");
}

#[tokio::test]
async fn it_keeps_its_state_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = NodeOptions { state: Some(folder.path().join("state.json")), ..options() };
    let admin = wallet(0);
    let arguments = medseal::contract::ConstructorArguments { admin: admin.address(), roles: vec![] };
    let node = DevNode::start(&options).await.unwrap();
    let rpc = Rpc::new(&node.rpc_url()).unwrap();
    let mut outbox = Outbox::open(folder.path(), admin.address(), &rpc, Profile::Development).await.unwrap();
    let deployment =
        medseal::chain::deploy(&rpc, &mut outbox, &admin, arguments.clone()).await.unwrap().mined().unwrap();
    drop(outbox);
    node.stop();

    let node = DevNode::start(&options).await.unwrap();
    let rpc = Rpc::new(&node.rpc_url()).unwrap();
    Registry::connect(rpc.clone(), &deployment, Profile::Development).await.expect("the contract is still there");
    let mut outbox =
        Outbox::open(folder.path(), admin.address(), &rpc, Profile::Development).await.expect("same chain");
    let again = medseal::chain::deploy(&rpc, &mut outbox, &admin, arguments.clone()).await.unwrap().mined().unwrap();
    assert_eq!(again, deployment);
}

#[tokio::test]
async fn its_first_block_stays_and_its_clock_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = NodeOptions { state: Some(folder.path().join("state.json")), ..options() };
    let mut first = None;
    for start in 0..6 {
        let node = DevNode::start(&options).await.unwrap();
        let rpc = Rpc::new(&node.rpc_url()).unwrap();
        let block = async |name: &str| rpc.raw("eth_getBlockByNumber", vec![json!(name), json!(false)]).await.unwrap();
        let hash = block("0x0").await["hash"].clone();
        assert_eq!(*first.get_or_insert(hash.clone()), hash, "start {start}");
        rpc.raw("evm_mine", vec![]).await.unwrap();
        let time: alloy::primitives::U64 = serde_json::from_value(block("latest").await["timestamp"].clone()).unwrap();
        assert!(SystemClock.unix_secs().abs_diff(time.to()) < 60, "start {start}: {time}");
        node.stop();
        // Block 0 would have another time.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
}

#[tokio::test]
async fn a_taken_port_and_a_broken_binary_are_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = DevNode::start(&NodeOptions { port, ..options() }).await.unwrap_err();
    assert!(matches!(error, NodeError::PortTaken { port: found } if found == port), "{error}");

    let absent = NodeOptions { binary: Some("/nowhere/anvil".into()), ..options() };
    assert!(matches!(DevNode::start(&absent).await, Err(NodeError::NotNative { .. })));
    // Programs that are no anvil: one that ends, one that never listens.
    let ends = NodeOptions { binary: Some("/bin/false".into()), ..options() };
    assert!(matches!(DevNode::start(&ends).await, Err(NodeError::Ended { .. })));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "not a program").unwrap();
    let broken = NodeOptions { binary: Some(file.path().into()), ..options() };
    assert!(matches!(DevNode::start(&broken).await, Err(NodeError::NotStarted { .. })));
    let hasty = NodeOptions { start_deadline: Duration::ZERO, ..options() };
    assert!(matches!(DevNode::start(&hasty).await, Err(NodeError::NotReady { .. })));
}
