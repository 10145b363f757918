//! A copy of the chain without the events that somebody would rather not have: every transaction
//! but those sent again, in the name of whoever sent it.

use super::scene::Scene;
use medseal::chain::{DevNode, NodeOptions, Rpc};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Another chain on which everything was replayed but the transactions in these blocks.
fn copy_without(scene: &Scene, left_out: &[String]) -> DevNode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        // Block 0 has the second of its making in it: the copy's is another one.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let binary = std::env::var_os("MEDSEAL_ANVIL").map(PathBuf::from);
        let copy = DevNode::start(&NodeOptions { binary, ..Default::default() }).await.expect("anvil");
        let (from, to) = (Rpc::new(&scene.node.rpc_url()).expect("a URL"), Rpc::new(&copy.rpc_url()).expect("a URL"));
        let newest = from.raw("eth_getBlockByNumber", vec![json!("latest"), json!(false)]).await.expect("a block");
        let count = u64::from_str_radix(&newest["number"].as_str().expect("a number")[2..], 16).expect("hex");
        for number in 1..=count {
            let number = format!("{number:#x}");
            let block = from.raw("eth_getBlockByNumber", vec![json!(number), json!(true)]).await.expect("a block");
            for sent in block["transactions"].as_array().expect("transactions") {
                if left_out.iter().any(|hash| *hash == sent["hash"]) {
                    continue;
                }
                to.raw("anvil_impersonateAccount", vec![sent["from"].clone()]).await.expect("impersonated");
                let mut again = json!({ "from": sent["from"], "data": sent["input"], "gas": sent["gas"] });
                if sent["to"].is_string() {
                    again["to"] = sent["to"].clone();
                }
                let hash = to.raw("eth_sendTransaction", vec![again]).await.expect("sent");
                // Each in a block of its own, as on the chain that is copied.
                while to.raw("eth_getTransactionReceipt", vec![hash.clone()]).await.expect("an answer").is_null() {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            }
        }
        copy
    })
}

#[test]
fn a_copy_of_the_chain_without_a_flag_is_never_complete() {
    let mut scene = Scene::new();
    let hash = scene.tamper();
    let id = scene.tampered.as_str();

    let truth = scene.honest(&["audit"]).result();
    assert_eq!((&truth["summary"]["flags"]["open"], &truth["restsOn"]), (&json!(1), &json!("oneNode")));
    let copy = copy_without(&scene, &[hash]);
    for command in [&["audit", "--from-start"][..], &["audit"], &["show", id], &["verify", id], &["role", "list"]] {
        let refusal = scene.at(&copy.rpc_url(), command).refusal(7, "WRONG_CHAIN");
        assert!(refusal.message.contains("another chain of the same id: expected block 0"), "{}", refusal.message);
    }
    // A file of an older version has no hashes of blocks, which is said, and the transaction still.
    let file = scene.path("deployments/31337.json");
    let good: Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    let without = |fields: &[&str]| {
        let mut old = good.clone();
        let fields_of = old.as_object_mut().expect("an object");
        fields.iter().for_each(|field| drop(fields_of.remove(*field)));
        std::fs::write(&file, old.to_string()).expect("written");
    };
    for (fields, reason) in
        [(&["genesis"][..], "expected block 1 to be"), (&["genesis", "blockHash"], "is not in block")]
    {
        without(fields);
        let run = scene.at(&copy.rpc_url(), &["audit", "--from-start"]);
        assert!(run.stderr.contains("medseal deploy adds them"), "{}", run.stderr);
        let refusal = run.refusal(7, "WRONG_CHAIN");
        assert!(refusal.message.contains(reason), "{}", refusal.message);
        let whole = scene.honest(&["audit"]);
        assert!(whole.stderr.contains("medseal deploy adds them"), "{}", whole.stderr);
        assert_eq!(whole.result()["seq"], truth["seq"]);
    }
    scene.honest(&["deploy"]).result();
    let again: Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    assert_eq!(again, good, "the old file is made whole");
    let whole = scene.honest(&["audit"]);
    assert!(!whole.stderr.contains("medseal deploy"), "{}", whole.stderr);
}

#[test]
fn a_block_that_is_trusted_is_the_last_one_and_needs_no_nodes_word() {
    let scene = Scene::new();
    let newest = scene.newest();
    let hash = newest["hash"].as_str().expect("a hash");
    scene.honest(&["verify", &scene.id, "--record"]).result();
    let audited = scene.honest(&["audit", "--block-hash", hash]).result();
    assert_eq!((&audited["blockHash"], &audited["restsOn"]), (&newest["hash"], &json!("blockHash")));
    assert_eq!(scene.honest(&["audit", "--from-start"]).result()["restsOn"], "oneNode");
    let url = format!("{0},{0}", scene.node.rpc_url());
    let both = scene.at(&url, &["audit", "--from-start"]).result();
    assert_eq!(both["restsOn"], "nodes");

    scene.honest(&["audit", "--block-hash", &format!("0x{}", "12".repeat(32))]).refusal(5, "NO_BLOCK");
    let genesis = scene.ask("eth_getBlockByNumber", json!(["0x0", false]));
    scene.honest(&["audit", "--block-hash", genesis["hash"].as_str().expect("a hash")]).refusal(5, "NO_BLOCK");
    assert_eq!(scene.honest(&["audit", "--block-hash", hash, "--block", "3"]).code, 2);
    // A node that has another block under this hash.
    let mut other = newest.clone();
    other["stateRoot"] = json!(format!("0x{}", "12".repeat(32)));
    let liar = scene.liar(move |request| match request["method"].as_str() {
        Some("eth_getBlockByHash") => crate::chain::proxy::Fault::Answer(other.clone()),
        _ => crate::chain::proxy::Fault::None,
    });
    let refusal = scene.at(&liar, &["audit", "--block-hash", hash]).refusal(1, "CHAIN");
    assert!(refusal.message.contains("expected block 0x"), "{}", refusal.message);
}
