//! A contract that another tool deployed.

use super::{Refusal, World, wallet};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Deploys with `forge script`, as `contracts/README.md` shows it, and returns the transaction.
fn forge_script(world: &World) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut forge = Command::new(root.join("target/tools/bin/forge"));
    forge.current_dir(root).args(["script", "contracts/script/Deploy.s.sol", "--broadcast", "--unlocked"]);
    forge.args(["--rpc-url", &world.node.rpc_url(), "--sender", &wallet(0)]);
    let output = forge.env("MEDSEAL_KGCS", wallet(4)).env("MEDSEAL_VERIFIERS", wallet(5)).output().expect("forge");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    first_transaction(world, "latest")
}

fn first_transaction(world: &World, block: &str) -> String {
    let block = world.ask("eth_getBlockByNumber", json!([block, false]));
    block["transactions"][0].as_str().expect("a transaction").to_owned()
}

#[test]
fn what_forge_deployed_is_taken_over_with_its_roles() {
    let world = World::bare();
    let transaction = forge_script(&world);
    let adopted = world.medseal(&["deploy", "--adopt", &transaction]).result();
    assert_eq!((&adopted["already"], &adopted["admin"]), (&json!(true), &json!(wallet(0))));
    let role = |name: &str, holder| json!({ "role": name, "wallet": wallet(holder) });
    assert_eq!(adopted["roles"], json!([role("VERIFIER_ROLE", 5), role("KGC_ROLE", 4)]));
    assert_eq!(world.ask("eth_blockNumber", Value::Array(vec![])), "0x1", "nothing more was sent");
    // It works like one of our own.
    world.medseal(&["kgc", "init", "--no-passphrase"]).result();
    world.write("a.png", super::png(9, 9, 1));
    world.seal("a.png", &[]);
    // Again: the same file. Another contract beside it: not over the first one's file.
    assert_eq!(world.medseal(&["deploy", "--adopt", &transaction]).result(), adopted);
    let (second, file) = (forge_script(&world), world.read("deployments/31337.json"));
    world.medseal(&["deploy", "--adopt", &second]).refusal(8, "OUTPUT_EXISTS");
    assert!(world.read("deployments/31337.json") == file, "the file was changed");
}

#[test]
fn a_transaction_that_deployed_something_else_is_refused() {
    let world = World::bare();
    let refused = |transaction: &str| -> Refusal {
        let refusal = world.medseal(&["deploy", "--adopt", transaction]).refusal(7, "NOT_A_DEPLOYMENT");
        assert!(!world.path("deployments").exists(), "a file was left");
        refusal
    };
    let sent = |what: Value| {
        let hash = world.ask("eth_sendTransaction", json!([what]));
        refused(hash.as_str().expect("a hash")).message
    };
    let (from, gas) = (wallet(0), "0x100000");
    assert!(refused(&format!("0x{}", "11".repeat(32))).message.contains("not mined"));
    assert!(sent(json!({ "from": from, "to": wallet(1), "value": "0x1" })).contains("made no contract"));
    // PUSH1 0, PUSH1 0, RETURN: a contract without code. INVALID: a creation that fails.
    assert!(sent(json!({ "from": from, "data": "0x60006000f3" })).contains("another contract"));
    assert!(sent(json!({ "from": from, "gas": gas, "data": "0xfe" })).contains("failed"));
}
