//! Nodes that are absent, silent, wrong, or of another chain.

use super::proxy::{Fault, proxy};
use super::{CHAIN_ID, World, options, wallet};
use alloy::primitives::{Address, B256, keccak256};
use medseal::chain::{ChainError, Deployment, DevNode, NodeOptions, Outbox, Profile, Registry, Rpc};
use medseal::clock::SystemClock;
use medseal::contract::ErrorKind;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

async fn connect(world: &World, deployment: &Deployment) -> ChainError {
    Registry::connect(world.rpc.clone(), deployment, Profile::Development).await.expect_err("refused")
}

#[tokio::test]
async fn another_chain_or_contract_is_refused() {
    let world = World::start().await;
    let wrong = connect(&world, &Deployment { chain_id: 1, ..world.deployment.clone() }).await;
    assert!(matches!(wrong, ChainError::WrongChain { expected: 1, found: CHAIN_ID }), "{wrong}");
    assert_eq!(wrong.kind(), ErrorKind::WrongChain);

    let nobody = Address::repeat_byte(9);
    let none = connect(&world, &Deployment { address: nobody, ..world.deployment.clone() }).await;
    assert!(matches!(none, ChainError::NoContract { address, chain_id: CHAIN_ID } if address == nobody), "{none}");
    assert_eq!(none.kind(), ErrorKind::WrongChain);

    let pinned = B256::repeat_byte(9);
    let other = connect(&world, &Deployment { code_hash: pinned, ..world.deployment.clone() }).await;
    let hash = world.deployment.code_hash;
    let is_other =
        matches!(other, ChainError::WrongContract { expected, found, .. } if (expected, found) == (pinned, hash));
    assert!(is_other, "{other}");
    assert_eq!(other.kind(), ErrorKind::WrongChain);
}

/// Geth, some moments after its start.
#[tokio::test]
async fn a_node_that_is_indexing_is_asked_again() {
    let world = World::start().await;
    let mut left = 2;
    let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
        Some("eth_getTransactionReceipt") if left > 0 => {
            left -= 1;
            Fault::Refuse(-32000, "transaction indexing is in progress")
        }
        _ => Fault::None,
    });
    let rpc = Rpc::new(&url).unwrap();
    let mut outbox =
        Outbox::open(world.folder.path(), wallet(1).address(), &rpc, Profile::Development).await.expect("an outbox");
    outbox.send(&rpc, &wallet(1), "job", &world.register_transaction(&wallet(1), 7)).await.expect("mined");
}

#[tokio::test]
async fn an_answer_that_does_not_decode_is_an_error() {
    let world = World::start().await;
    let id = world.register(&wallet(1), 7).await;
    // Programs that return 31 bytes, and a boolean that is 2.
    for code in ["0x601f5ff3", "0x60025f5260205ff3"] {
        world.raw("anvil_setCode", json!([world.deployment.address, code])).await;
        let error = world.registry.verify(id, B256::ZERO).await.unwrap_err();
        assert!(matches!(error, ChainError::BadAnswer { .. }), "{code}: {error}");
    }
    let expected = keccak256([0x60, 2, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    let other = connect(&world, &world.deployment).await;
    assert!(matches!(other, ChainError::WrongContract { found, .. } if found == expected), "{other}");

    world.raw("anvil_setCode", json!([world.deployment.address, "0x"])).await;
    for error in [
        world.registry.verify(id, B256::ZERO).await.map(|_| ()).unwrap_err(),
        world.registry.record(id).await.map(|_| ()).unwrap_err(),
        world.registry.is_authorized(id, Address::ZERO).await.map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, ChainError::NoContract { .. }), "{error}");
    }
}

#[tokio::test]
async fn no_node_at_the_url_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let rpc = Rpc::new(&format!("http://127.0.0.1:{port}/secret")).unwrap();
    let error = rpc.chain_id().await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains(&format!("http://127.0.0.1:{port}")), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_node_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let deadline = Duration::from_millis(200);
    let start = Instant::now();
    let error = Rpc::new(&url).unwrap().with_deadline(deadline).chain_id().await.unwrap_err();
    assert!(matches!(error, ChainError::Timeout { after, method: "eth_chainId", .. } if after == deadline), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(start.elapsed() >= deadline);
}

/// Serves one HTTP answer.
fn serve(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // The answer must not overtake the request; it is smaller than one packet.
        let _ = stream.read(&mut [0; 4096]).unwrap();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
            .unwrap();
    });
    url
}

#[tokio::test]
async fn something_that_is_no_node_is_told_apart() {
    for body in [
        "<html>hello</html>",
        "",
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":",
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":\"0xzz\"}",
    ] {
        let error = Rpc::new(&serve("200 OK", body)).unwrap().chain_id().await.unwrap_err();
        assert!(matches!(error, ChainError::BadAnswer { .. }), "{body:?}: {error:?}");
        assert_eq!(error.kind(), ErrorKind::Failure);
    }
    for status in ["404 Not Found", "429 Too Many Requests", "503 Service Unavailable"] {
        let error = Rpc::new(&serve(status, "no")).unwrap().chain_id().await.unwrap_err();
        assert!(matches!(error, ChainError::Unreachable { .. }), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn the_head_tells_when_it_was_seen() {
    let world = World::start().await;
    let head = world.registry.head(&SystemClock).await.unwrap();
    assert_eq!(head.number, world.deployment.block);
    assert!(head.answered_at > 1_700_000_000);
    head.check_fresh(Profile::Development, head.answered_at).unwrap();
    let stale = head.check_fresh(Profile::Development, head.answered_at + 61).unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn development_keys_are_not_for_other_chains() {
    let node = DevNode::start(&NodeOptions { chain_id: 4242, ..options() }).await.unwrap();
    let chain_id = Rpc::new(&node.rpc_url()).unwrap().chain_id().await.unwrap();
    assert_eq!(chain_id, 4242);
    let refused = medseal::chain::Wallet::development(0, chain_id).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongChain);
}

#[tokio::test]
async fn ranges_that_the_node_refuses_are_halved() {
    let world = World::start().await;
    let sender = wallet(1);
    let ids = [world.register(&sender, 7).await, world.register(&sender, 8).await];
    world.raw("anvil_mine", json!(["0x14"])).await;
    let last = world.register(&sender, 9).await;
    let number =
        |value: &serde_json::Value| u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    for (most, works) in [(100, true), (3, true), (1, true), (0, false)] {
        let url = proxy(&world.node.rpc_url(), move |request| {
            let filter = &request["params"][0];
            if request["method"] == "eth_getLogs" && number(&filter["toBlock"]) - number(&filter["fromBlock"]) >= most {
                Fault::Refuse(-32602, "block range too large")
            } else {
                Fault::None
            }
        });
        let rpc = Rpc::new(&url).unwrap();
        let registry = Registry::connect(rpc, &world.deployment, Profile::Development).await.unwrap();
        for id in ids.iter().chain([&last]) {
            let events = registry.events(*id).await;
            assert_eq!(events.is_ok(), works, "{events:?}");
            if let Ok(events) = events {
                assert_eq!(events, world.registry.events(*id).await.unwrap());
                assert_eq!(events.len(), 1);
            }
        }
    }
}
