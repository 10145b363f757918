//! Wallets whose key somebody else has: printed, signed by other programs' libraries, relayed,
//! explained.

use super::{CHAIN_ID, World, fetched, png, wallet};
use alloy::primitives::Bytes;
use medseal::chain::Wallet;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A program that signs as a wallet app does, and shares no code with us (`tests/clients`).
#[derive(Debug, Clone, Copy)]
pub(super) enum Client {
    Viem,
    Python,
}

/// What a client, with the key of a development account, signs of typed data.
pub(super) fn sign_with(client: Client, typed: &Value, account: usize) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("typed.json");
    std::fs::write(&file, typed.to_string()).expect("written");
    let key = Wallet::development(account, CHAIN_ID).expect("a key").signer().to_bytes().to_string();
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let (program, script) = match client {
        Client::Viem => (fetched("node_modules/viem").is_dir().then(|| "node".into()), "sign.mjs"),
        Client::Python => (Some(crate::interop::python()), "sign.py"),
    };
    let mut command = Command::new(program.expect("viem is a folder"));
    let output = command.arg(clients.join(script)).arg(&file).arg(key).output().expect("the client starts");
    assert!(output.status.success(), "{client:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn sign(typed: &Value, account: usize) -> String {
    sign_with(Client::Viem, typed, account)
}

/// The bare object that a run for people prints.
pub(super) fn printed(world: &World, args: &[&str]) -> Value {
    let run = world.talk(args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("JSON alone on stdout")
}

/// A chain with one sealed image, and its id.
pub(super) fn sealed() -> (World, String) {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let id = world.seal("a.png", &[])["imageId"].as_str().expect("an id").to_owned();
    (world, id)
}

#[test]
fn a_grant_of_an_external_signer_is_relayed_once_as_the_signers() {
    let (world, id) = sealed();
    let (sender, reader) = (wallet(1), wallet(2));
    let before = world.state().1;
    let typed = printed(&world, &["grant", &id, &reader, "--from", &sender, "--print", "typed-data"]);
    assert_eq!(world.state().1, before, "printing sends nothing");
    world.write("typed.json", typed.to_string());
    let explained = world.medseal(&["explain", "typed.json"]).result();
    assert_eq!((&explained["signer"], &explained["type"]), (&sender.as_str().into(), &"Grant".into()));

    // Another wallet's signature costs nothing and does nothing.
    let other = sign(&typed, 3);
    world.refused(&["relay", "typed.json", "--signature", &other], 4, "SIGNATURE");
    let signature = sign(&typed, 1);
    let relayed = world.medseal(&["relay", "typed.json", "--signature", &signature]).result();
    assert_eq!((&relayed["by"], &relayed["relayer"]), (&sender.as_str().into(), &wallet(6).as_str().into()));
    let show = world.medseal(&["show", &id, "--wallet", &reader]).result();
    assert_eq!((&show["access"]["authorized"], &show["access"]["seq"]), (&true.into(), &"1".into()));
    // The same file again is the same transaction.
    let again = world.medseal(&["relay", "typed.json", "--signature", &signature]).result();
    assert_eq!(again["transaction"], relayed["transaction"]);
    assert_eq!(world.medseal(&["show", &id, "--wallet", &reader]).result()["access"]["seq"], "1");
}

#[test]
fn a_signature_comes_back_to_the_command_that_printed() {
    let (world, id) = sealed();
    let (sender, verifier) = (wallet(1), wallet(3));
    let command = ["verify", &id, "--record", "--from", &verifier];
    let typed = printed(&world, &[&command[..], &["--print", "typed-data"]].concat());
    let signature = sign(&typed, 3);
    let flags = ["--signature", &signature, "--as", "relayer"];
    let logged = world.medseal(&[&command[..], &flags].concat()).result();
    assert_eq!(logged["recorded"]["by"], verifier.as_str());

    // The registration itself: sealed here, signed there.
    world.write("b.png", png(9, 9, 2));
    let command = ["seal", "b.png", "--from", &verifier];
    let typed = printed(&world, &[&command[..], &["--print", "typed-data"]].concat());
    assert_eq!(typed["primaryType"], "Registration");
    let flags = ["--signature", &sign(&typed, 3), "--print", "request"];
    let request = printed(&world, &[&command[..], &flags].concat());
    world.write("request.json", request.to_string());
    let relayed = world.medseal(&["relay", "request.json"]).result();
    assert_eq!((&relayed["by"], &relayed["act"]), (&verifier.as_str().into(), &"register".into()));
    let image = world.medseal(&["seal", "b.png", "--from", &verifier, "--print", "typed-data"]).result();
    let new = image["images"][0]["imageId"].as_str().expect("sealed and registered before");
    assert_eq!(world.medseal(&["show", new]).result()["record"]["sender"], verifier.as_str());

    let refusal = world.refused(
        &["grant", &id, &wallet(2), "--from", &sender, "--signature", "0x01", "--as", "relayer"],
        1,
        "NOT_PRINTED",
    );
    assert!(refusal.hint.contains("--print typed-data"), "{}", refusal.hint);
}

#[test]
fn transactions_are_printed_and_explained_and_other_contracts_refused() {
    let (world, id) = sealed();
    let tx = printed(&world, &["revoke", &id, &wallet(2), "--print", "tx"]);
    assert_eq!(
        (&tx["from"], &tx["value"], &tx["chainId"]),
        (&wallet(1).as_str().into(), &"0x0".into(), &"0x7a69".into())
    );
    world.write("tx.json", tx.to_string());
    assert_eq!(world.medseal(&["explain", "tx.json"]).result()["act"], "revoke");
    let mut other = tx.clone();
    other["to"] = wallet(2).into();
    world.write("other.json", other.to_string());
    world.refused(&["explain", "other.json"], 7, "OTHER_REGISTRY");
    world.refused(&["explain", "0xa9059cbb"], 1, "NOT_A_CALL");
    let data: Bytes = tx["data"].as_str().expect("data").parse().expect("hex");
    world.refused(&["explain", &data.slice(..data.len() - 1).to_string()], 1, "NOT_A_CALL");
    world.refused(&["show", &id, "--print", "tx"], 2, "SETTINGS");
}

#[test]
fn what_is_printed_is_not_sent_by_a_relayer_either() {
    let (world, id) = sealed();
    let (sender, relayer, reader) = (wallet(1), wallet(6), wallet(2));
    let before = world.state().1;
    let command = ["grant", &id, &reader, "--relayer", "relayer", "--print"];
    let tx = printed(&world, &[&command[..], &["tx"]].concat());
    assert_eq!(tx["from"], relayer.as_str());
    world.write("tx.json", tx.to_string());
    assert_eq!(world.medseal(&["explain", "tx.json"]).result()["act"], "grantFor");
    let typed = printed(&world, &[&command[..], &["typed-data"]].concat());
    assert_eq!((&typed["primaryType"], &typed["message"]["by"]), (&"Grant".into(), &sender.as_str().into()));
    assert_eq!(world.state().1, before, "printing sends nothing");
}

#[test]
fn the_package_for_apps_reads_the_registry_and_builds_the_same_typed_data() {
    let _tools = fetched("node_modules/viem");
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id");
    let typed = printed(&world, &["grant", id, &wallet(2), "--from", &wallet(1), "--print", "typed-data"]);
    world.write("typed.json", typed.to_string());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/package.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(world.path("deployments/31337.json")).arg(world.node.rpc_url()).arg(id);
    let output = command.arg(world.block(&image)).arg(world.path("typed.json")).output().expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "14 passed");
}

#[test]
fn the_types_of_the_package_are_those_of_an_app_on_viem() {
    let _tools = (fetched("node_modules/viem"), fetched("node_modules/typescript"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/types.mjs");
    let output = Command::new("node").arg(script).output().expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1 passed");
}
