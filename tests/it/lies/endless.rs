//! A newest block that the chain does not have, and logs that never come: reading ends.

use super::scene::Scene;
use crate::chain::proxy::Fault;
use alloy::rpc::types::{Block, Header};
use serde_json::{Value, json};

/// A header like the newest one, with this number and so many seconds later.
fn leaping(newest: &Value, number: u64, later: u64) -> Value {
    let mut block: Block = serde_json::from_value(newest.clone()).expect("a block");
    let mut inner = block.header.inner.clone();
    (inner.number, inner.timestamp) = (number, inner.timestamp + later);
    block.header = Header::new(inner);
    serde_json::to_value(block).expect("JSON")
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().expect("a number").trim_start_matches("0x"), 16).expect("hex")
}

/// Every command that reads the log.
fn commands(id: &str) -> [Vec<&str>; 6] {
    [
        vec!["audit", "--from-start"],
        vec!["evidence", id, "-o", "file.evidence"],
        vec!["verify", id],
        vec!["show", id],
        vec!["open", id, "-o", "opened"],
        vec!["role", "list"],
    ]
}

#[test]
fn a_newest_block_that_leaps_is_not_believed() {
    let scene = Scene::new();
    let newest = scene.newest();
    let (at, mut renamed) = (number(&newest["number"]), newest.clone());
    renamed["number"] = json!(format!("{:#x}", at + 1_000_000));
    let leaps = [
        (leaping(&newest, u64::MAX, 0), "no chain has a block"),
        (leaping(&newest, 1 << 61, 1 << 60), "no chain has a block"),
        (leaping(&newest, 1 << 47, 1_000_000), "there can be no block after"),
        (leaping(&newest, at + 1_000_000, 0), "there can be no block after"),
        (renamed, "there can be no block after"),
    ];
    for (leap, reason) in leaps {
        let url = scene.liar(move |request| match request["params"][0].as_str() {
            Some("latest") if request["method"] == "eth_getBlockByNumber" => Fault::Answer(leap.clone()),
            _ => Fault::None,
        });
        for command in commands(&scene.id) {
            let refusal = scene.at(&url, &command).refusal(1, "CHAIN");
            assert!(refusal.message.contains(reason), "{command:?}: {}", refusal.message);
        }
    }
    // The number may be possible, and still not be that of the header's hash.
    let mut possible = leaping(&newest, at + 1_000_000, 50_000);
    possible["hash"] = newest["hash"].clone();
    let url = scene.liar(move |request| match request["params"][0].as_str() {
        Some("latest") if request["method"] == "eth_getBlockByNumber" => Fault::Answer(possible.clone()),
        _ => Fault::None,
    });
    let refusal = scene.at(&url, &["show", &scene.id]).refusal(1, "CHAIN");
    assert!(refusal.message.contains("does not hash to"), "{}", refusal.message);
    for command in commands(&scene.id) {
        scene.honest(&command).result();
    }
}

#[test]
fn a_log_that_has_no_end_is_given_up() {
    let scene = Scene::new();
    let newest = scene.newest();
    // A block of a chain that had the time to come so far; its logs come block by block.
    let far = leaping(&newest, number(&newest["number"]) + 1_000_000, 1_000_000);
    let url = scene.liar(move |request| match request["method"].as_str() {
        Some("eth_getBlockByNumber") if request["params"][0] == "latest" => Fault::Answer(far.clone()),
        Some("eth_getLogs") if request["params"][0]["fromBlock"] != request["params"][0]["toBlock"] => {
            Fault::Refuse(-32005, "query returned more than 10000 results")
        }
        Some("eth_getLogs") => Fault::Answer(json!([])),
        _ => Fault::None,
    });
    for command in [vec!["show", &scene.id], vec!["verify", &scene.id], vec!["role", "list"]] {
        let run = scene.at(&url, &command);
        assert!(run.stderr.contains("reading the log: block"), "{command:?}: {}", run.stderr);
        let refusal = run.refusal(6, "READ_LIMIT");
        assert!(refusal.hint.contains("MEDSEAL_READ_TIME"), "{}", refusal.hint);
    }
    scene.honest(&["show", &scene.id]).result();
}

#[test]
fn an_empty_log_of_a_million_blocks_is_read_at_once() {
    let scene = Scene::new();
    let newest = scene.newest();
    let far = leaping(&newest, number(&newest["number"]) + 1_000_000, 1_000_000);
    let url = scene.liar(move |request| match request["method"].as_str() {
        Some("eth_getBlockByNumber") if request["params"][0] == "latest" => Fault::Answer(far.clone()),
        Some("eth_getLogs") => Fault::Answer(json!([])),
        _ => Fault::None,
    });
    let run = scene.at(&url, &["role", "list"]);
    assert_ne!(run.code, 0, "roles without events: {}", run.stdout);
    assert!(!run.stderr.contains("reading the log"), "{}", run.stderr);
}
