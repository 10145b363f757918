//! Several nodes that stand in for one another: one dies, lags, or is of another chain. They are
//! doors to one anvil, each of which can be told what to spoil.

use super::proxy::{Fault, proxy};
use super::{World, options, registration, wallet};
use alloy::primitives::Bytes;
use medseal::chain::{ChainError, DevNode, NodeOptions, Outbox, Profile, Registry, Rpc};
use medseal::contract::ErrorKind;
use medseal::contract::bindings::IImageRegistry::registerCall;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a door behaves.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Open,
    Dead,
    /// So many blocks behind.
    Behind(u64),
    /// With other code at every address.
    OtherCode,
    /// It takes no transactions.
    ReadOnly,
}

/// A door to a node.
struct Door {
    url: String,
    mode: Arc<Mutex<Mode>>,
    sent: Arc<Mutex<u64>>,
}

impl Door {
    fn to(node: &str) -> Self {
        let (mode, sent) = (Arc::new(Mutex::new(Mode::Open)), Arc::new(Mutex::new(0)));
        let (now, count) = (Arc::clone(&mode), Arc::clone(&sent));
        let head = Arc::new(Mutex::new(None));
        let url = proxy(node, move |request| {
            let method = request["method"].as_str().unwrap();
            let mode = *now.lock().unwrap();
            match (mode, method) {
                (Mode::Dead, _) | (Mode::ReadOnly, "eth_sendRawTransaction") => Fault::Close,
                (Mode::OtherCode, "eth_getCode") => Fault::Answer(json!("0x6001")),
                // It knows of nothing that comes after the block at which it fell behind.
                (Mode::Behind(blocks), _)
                    if request["params"].as_array().is_some_and(|all| all.contains(&json!("latest"))) =>
                {
                    let number = *head.lock().unwrap().get_or_insert(blocks);
                    let old =
                        |param: &Value| if param == "latest" { json!(format!("{number:#x}")) } else { param.clone() };
                    let params: Vec<Value> = request["params"].as_array().unwrap().iter().map(old).collect();
                    Fault::Ask(json!({ "method": method, "params": params }))
                }
                (_, "eth_sendRawTransaction") => {
                    *count.lock().unwrap() += 1;
                    Fault::None
                }
                _ => Fault::None,
            }
        });
        Self { url, mode, sent }
    }

    fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    fn sent(&self) -> u64 {
        *self.sent.lock().unwrap()
    }
}

fn rpc(urls: &[&str]) -> Rpc {
    Rpc::new(&urls.join(",")).unwrap()
}

async fn registry(world: &World, rpc: &Rpc) -> Result<Registry, ChainError> {
    Registry::connect(rpc.clone(), &world.deployment, Profile::Development).await
}

/// The reasons of an error that says why no node can be used.
fn reasons(error: ChainError) -> Vec<String> {
    match error {
        ChainError::NoNode { failures } => failures.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_node_takes_over_and_all_that_failed_are_named() {
    let world = World::start().await;
    let id = world.register(&wallet(1), 7).await;
    let (one, two) = (Door::to(&world.node.rpc_url()), Door::to(&world.node.rpc_url()));
    let rpc = rpc(&[&one.url, &two.url]);
    let registry = registry(&world, &rpc).await.expect("connected");
    registry.record(id).await.expect("by the first");
    one.set(Mode::Dead);
    registry.record(id).await.expect("by the second");
    two.set(Mode::Dead);
    let error = registry.record(id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let reasons = reasons(error);
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].contains(&one.url) && reasons[1].contains(&two.url), "{reasons:?}");
}

#[tokio::test]
async fn a_node_of_another_chain_or_contract_is_never_used() {
    let world = World::start().await;
    let id = world.register(&wallet(1), 7).await;
    let other_id = DevNode::start(&NodeOptions { chain_id: 4242, ..options() }).await.unwrap();
    // Block 0 has the second of its making in it.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let other_start = DevNode::start(&options()).await.unwrap();
    let (door, liar) = (Door::to(&world.node.rpc_url()), Door::to(&world.node.rpc_url()));
    let urls = [door.url.clone(), liar.url.clone(), other_id.rpc_url(), other_start.rpc_url()];

    // Whatever comes first: the deployment decides.
    for first in &urls[2..] {
        let rpc = rpc(&[first, &urls[0]]);
        registry(&world, &rpc).await.expect("by the second").record(id).await.expect("there");
    }
    let wrong = registry(&world, &rpc(&[&urls[2]])).await.unwrap_err();
    assert!(matches!(wrong, ChainError::WrongChain { expected: 31337, found: 4242 }), "{wrong}");

    let all = rpc(&[&urls[0], &urls[1], &urls[2], &urls[3]]);
    let registry = registry(&world, &all).await.expect("by the first");
    liar.set(Mode::OtherCode);
    registry.record(id).await.expect("by the first");
    door.set(Mode::Dead);
    let reasons = reasons(registry.record(id).await.unwrap_err());
    let expected = ["no node reachable", "expected code hash", "expected chain id 31337, found 4242", "block 0"];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for ((reason, expected), url) in reasons.iter().zip(expected).zip(&urls) {
        assert!(reason.contains(expected) && reason.contains(url.as_str()), "{reason}");
    }
}

#[tokio::test]
async fn answers_do_not_go_back_in_time() {
    let world = World::start().await;
    let (one, two) = (Door::to(&world.node.rpc_url()), Door::to(&world.node.rpc_url()));
    let rpc = rpc(&[&one.url, &two.url]).with_deadline(Duration::from_secs(2));
    let registry = registry(&world, &rpc).await.expect("connected");
    let before = registry.rpc().latest().await.unwrap().number;
    two.set(Mode::Behind(before));
    // Two blocks that the second node does not have yet.
    world.register(&wallet(1), 7).await;
    let id = world.register(&wallet(1), 8).await;
    assert_eq!(rpc.latest().await.unwrap().number, before + 2);
    one.set(Mode::Dead);
    let behind = registry.record(id).await.unwrap_err();
    let is_behind =
        matches!(behind, ChainError::Behind { found, expected } if (found, expected) == (before, before + 2));
    assert!(is_behind, "{behind}");
    assert_eq!(behind.kind(), ErrorKind::Unreachable);
    let caught_up = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        two.set(Mode::Open);
    };
    let (record, ()) = tokio::join!(registry.record(id), caught_up);
    record.expect("it is waited for");
    assert_eq!(rpc.latest().await.unwrap().number, before + 2);
}

#[tokio::test]
async fn a_node_that_stands_still_is_left() {
    let world = World::start().await;
    let (one, two) = (Door::to(&world.node.rpc_url()), Door::to(&world.node.rpc_url()));
    let rpc = rpc(&[&one.url, &two.url]);
    let registry = registry(&world, &rpc).await.expect("connected");
    one.set(Mode::Behind(rpc.latest().await.unwrap().number));
    world.raw("anvil_mine", json!(["0x4"])).await;
    let id = world.register(&wallet(1), 7).await;
    // The nodes are compared every few seconds.
    let mut record = registry.record(id).await;
    while matches!(record, Err(ChainError::UnknownImage { .. })) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        record = registry.record(id).await;
    }
    record.expect("by the second");
}

#[tokio::test]
async fn a_transaction_is_given_to_all_nodes_and_one_is_enough() {
    let (world, sender) = (World::start().await, wallet(1));
    let (one, two) = (Door::to(&world.node.rpc_url()), Door::to(&world.node.rpc_url()));
    let rpc = rpc(&[&one.url, &two.url]);
    let mut outbox = Outbox::open(world.folder.path(), sender.address(), &rpc, Profile::Development).await.unwrap();
    outbox.send(&rpc, &sender, "both", &world.register_transaction(&sender, 7)).await.expect("registered");
    assert_eq!((one.sent(), two.sent()), (1, 1));
    one.set(Mode::ReadOnly);
    outbox.send(&rpc, &sender, "second", &world.register_transaction(&sender, 8)).await.expect("registered");
    assert_eq!((one.sent(), two.sent()), (1, 2));
    assert_eq!((world.count(&sender).await, world.registry.image_count().await.unwrap()), (2, 2));

    // What the node in use says of a transaction counts, not that another one is away.
    one.set(Mode::Dead);
    let mut bad = registration(&sender, 9);
    bad.size = 0;
    let call = registerCall { registration: bad, signature: Bytes::new() };
    let refused = outbox.send(&rpc, &sender, "third", &world.registry.transaction(&call)).await.unwrap_err();
    assert!(refused.revert().is_some(), "{refused}");
}
