//! A node or a contract that is not the one that was meant.

use super::{World, node_options, png};
use medseal::chain::DevNode;
use serde_json::{Value, json};
use std::net::TcpListener;

/// A world with one image sealed in it, and its id.
fn sealed() -> (World, String) {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id").to_owned();
    (world, id)
}

/// Every command that asks the chain.
fn commands(id: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["seal", "b.png"],
        vec!["open", id, "-o", "opened"],
        vec!["verify", id],
        vec!["verify", id, "--record"],
        vec!["grant", id, "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"],
        vec!["revoke", id, "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"],
        vec!["show", id],
        vec!["kgc", "publish"],
    ]
}

fn edit_deployment(world: &World, edit: impl FnOnce(&mut Value)) {
    let mut deployment: Value = serde_json::from_slice(&world.read("deployments/31337.json")).expect("JSON");
    edit(&mut deployment);
    world.write("deployments/31337.json", deployment.to_string());
}

#[test]
fn no_node_at_the_url() {
    let (world, id) = sealed();
    world.write("b.png", png(9, 9, 2));
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for command in commands(&id) {
        let refusal = world.refused(&[&command[..], &["-r", &format!("http://{free}")]].concat(), 6, "UNREACHABLE");
        assert!(refusal.hint.contains("medseal node"), "{}", refusal.hint);
    }
    world.refused(&["deploy", "-r", &format!("http://{free}")], 6, "UNREACHABLE");
    // A key in the URL is nobody's business.
    let refusal = world.refused(&["show", &id, "-r", &format!("http://user:secret@{free}/key")], 6, "UNREACHABLE");
    assert!(!refusal.message.contains("secret") && !refusal.message.contains("key"), "{}", refusal.message);
    world.refused(&["show", &id, "-r", "not a url"], 2, "SETTINGS");
}

#[test]
fn a_node_that_never_answers() {
    let (world, id) = sealed();
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", deaf.local_addr().expect("an address"));
    let refusal = world.refused(&["open", &id, "-o", "opened", "-r", &url], 6, "UNREACHABLE");
    assert!(refusal.message.contains("did not answer"), "{}", refusal.message);
}

#[test]
fn another_chain() {
    let (world, id) = sealed();
    world.write("b.png", png(9, 9, 2));
    for command in commands(&id) {
        let refusal = world.refused(&[&command[..], &["--chain-id", "1"]].concat(), 7, "WRONG_CHAIN");
        assert_eq!(refusal.message, "expected chain id 1, found 31337");
    }
    // The only deployment file is for another chain.
    std::fs::rename(world.path("deployments/31337.json"), world.path("deployments/5.json")).expect("renamed");
    for command in commands(&id) {
        let refusal = world.refused(&command, 7, "WRONG_CHAIN");
        assert_eq!(refusal.message, "expected chain id 5, found 31337");
    }
    // A file under the wrong name, and none at all.
    std::fs::rename(world.path("deployments/5.json"), world.path("deployments/31337.json")).expect("renamed");
    edit_deployment(&world, |deployment| deployment["chainId"] = 5.into());
    world.refused(&["show", &id], 7, "DEPLOYMENT");
    world.write("deployments/31337.json", "{");
    world.refused(&["show", &id], 1, "DEPLOYMENT");
    std::fs::remove_file(world.path("deployments/31337.json")).expect("removed");
    let refusal = world.refused(&["show", &id], 7, "NOT_DEPLOYED");
    assert!(refusal.hint.contains("medseal deploy"), "{}", refusal.hint);
}

#[test]
fn another_contract_or_none() {
    let (world, id) = sealed();
    world.write("b.png", png(9, 9, 2));
    let good = world.read("deployments/31337.json");
    let nobody = "0x000000000000000000000000000000000000dEaD";
    edit_deployment(&world, |deployment| deployment["address"] = nobody.into());
    for command in commands(&id) {
        let refusal = world.refused(&command, 7, "WRONG_CHAIN");
        assert_eq!(refusal.message, format!("no contract at {nobody} on chain 31337"));
    }
    // Other code at the address: the file's hash and the chain's differ.
    world.write("deployments/31337.json", &good);
    edit_deployment(&world, |deployment| deployment["codeHash"] = format!("0x{}", "12".repeat(32)).into());
    for command in commands(&id) {
        let refusal = world.refused(&command, 7, "WRONG_CHAIN");
        assert!(refusal.message.contains("expected code hash 0x1212"), "{}", refusal.message);
    }
    // And truly other code there.
    world.write("deployments/31337.json", &good);
    world.ask("anvil_setCode", json!([world.registry().address(), "0x60006000fd"]));
    let refusal = world.medseal(&["open", &id, "-o", "opened"]).refusal(7, "WRONG_CHAIN");
    assert!(refusal.message.contains("expected code hash"), "{}", refusal.message);
    assert!(!world.path("opened").exists());
}

#[test]
fn a_chain_that_began_anew() {
    let (mut world, id) = sealed();
    let block = std::fs::read_dir(world.path(".medseal/store/pins")).expect("pins").count();
    // Block 0 has the second of its making in it.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    world.node = world.runtime.block_on(DevNode::start(&node_options())).expect("anvil");
    let mut before = std::collections::BTreeMap::new();
    super::collect(&world.path(".medseal"), &mut before);
    for command in [vec!["show", &id], vec!["verify", &id], vec!["seal", "a.png"], vec!["open", &id, "-o", "opened"]] {
        let refusal = world.medseal(&command).refusal(7, "WRONG_CHAIN");
        assert!(refusal.message.starts_with("no contract at"), "{}", refusal.message);
    }
    let unchanged = |world: &World| {
        let mut after = std::collections::BTreeMap::new();
        super::collect(&world.path(".medseal"), &mut after);
        assert!(before.iter().all(|(path, bytes)| after.get(path) == Some(bytes)), "files were changed");
    };
    unchanged(&world);
    // The old chain's transactions stay where they are, and the new chain has a file of its own.
    let deployed = world.medseal(&["deploy"]);
    assert!(!deployed.result()["already"].as_bool().expect("said"), "it was deployed anew");
    assert!(deployed.stderr.contains("another block 0 than before"), "{}", deployed.stderr);
    unchanged(&world);
    assert_eq!(std::fs::read_dir(world.path(".medseal/store/pins")).expect("pins").count(), block);
    // A new home on the new chain.
    world.medseal(&["deploy", "--home", "second"]).result();
    world.medseal(&["kgc", "init", "--no-passphrase", "--home", "second"]).result();
    let sealed = world.medseal(&["seal", "a.png", "--home", "second"]).result();
    let second = sealed["images"][0]["imageId"].as_str().expect("an id").to_owned();
    assert_ne!(second, id);
    world.medseal(&["open", &second, "-o", "opened", "--home", "second"]).result();
    assert!(world.read("opened") == world.read("a.png"));
    // The old state on the new chain: its record is unknown, and its sealing is not taken for done.
    world.medseal(&["open", &id, "-o", "old"]).refusal(5, "UNKNOWN_IMAGE");
    assert!(!world.path("old").exists());
}
