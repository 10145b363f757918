//! What `relay`, `explain` and `--print` make of requests that are late, odd, or several.

use super::external_signer::{printed, sealed};
use super::{CHAIN_ID, Run, World, png, wallet};
use alloy::primitives::{B256, Bytes, U256};
use medseal::chain::Wallet;
use serde_json::{Value, json};
use std::process::Stdio;

/// Our own signature of typed data: its digest is what `explain` says, which viem and Python
/// confirm elsewhere.
fn sign(world: &World, typed: &Value, account: usize) -> Bytes {
    world.write("typed.json", typed.to_string());
    let explained = world.medseal(&["explain", "typed.json"]).result();
    let digest: B256 = explained["digest"].as_str().expect("a digest").parse().expect("32 bytes");
    Wallet::development(account, CHAIN_ID).expect("a key").sign_digest(digest)
}

/// A file with a request of account 1 that was signed: `command` printed it.
pub(super) fn request(world: &World, file: &str, command: &[&str]) {
    let sender = wallet(1);
    let command = [command, &["--from", &sender]].concat();
    let typed = printed(world, &[&command[..], &["--print", "typed-data"]].concat());
    let signature = sign(world, &typed, 1);
    world
        .write(file, json!({ "schema": "medseal/request/v1", "typedData": typed, "signature": signature }).to_string());
}

#[test]
fn what_somebody_else_relayed_is_said_to_be_done_and_what_came_too_late_is_refused() {
    let (world, id) = sealed();
    world.write("b.png", png(9, 9, 2));
    let (reader, other) = (wallet(2), wallet(8));
    request(&world, "grant.json", &["grant", &id, &reader]);
    request(&world, "late.json", &["grant", &id, &reader, "--until", "2000000000"]);
    request(&world, "cut.json", &["revoke", &id, &reader]);
    request(&world, "allow.json", &["operator", "allow", &other]);
    request(&world, "verify.json", &["verify", &id, "--record"]);
    // The same number for another look; how a request stands is said before its signature is looked
    // at.
    let mut twice: Value = serde_json::from_slice(&world.read("verify.json")).expect("JSON");
    twice["typedData"]["message"]["observedAt"] = 1_700_000_000.into();
    world.write("twice.json", twice.to_string());
    request(&world, "seal.json", &["seal", "b.png"]);
    let done = ["grant.json", "allow.json", "verify.json", "seal.json"];
    for file in done {
        let relayed = world.medseal(&["relay", file]).result();
        assert_eq!((&relayed["already"], &relayed["relayer"]), (&false.into(), &wallet(6).as_str().into()), "{file}");
    }
    let before = world.state().1;
    // Another relayer, which knows nothing of the first.
    for file in done {
        let again = world.medseal(&["relay", file, "--as", "stranger"]).result();
        assert_eq!((&again["already"], &again["transaction"]), (&true.into(), &Value::Null), "{file}: {again}");
    }
    for (file, code) in [("late.json", "OVERTAKEN"), ("cut.json", "OVERTAKEN"), ("twice.json", "OVERTAKEN")] {
        let refusal = world.refused(&["relay", file, "--as", "stranger"], 1, code);
        let (named, current) = (" 0, and the registry is at ", " 1 now");
        assert!(refusal.message.contains(named) && refusal.message.contains(current), "{file}: {}", refusal.message);
    }
    assert_eq!(world.state().1, before);
    let nothing = world.ask("eth_getTransactionCount", json!([wallet(3), "latest"]));
    assert_eq!(nothing, "0x0", "the second relayer spends nothing");
}

#[test]
fn a_plain_signature_is_taken_with_a_parity_of_0_or_1_and_refused_with_the_upper_s() {
    let (world, id) = sealed();
    let (sender, reader) = (wallet(1), wallet(2));
    let command = ["grant", &id, &reader, "--from", &sender];
    let typed = printed(&world, &[&command[..], &["--print", "typed-data"]].concat());
    let signature = sign(&world, &typed, 1);
    let order = U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16);
    let s = order.expect("the order") - U256::from_be_slice(&signature[32..64]);
    let upper = Bytes::from([&signature[..32], &s.to_be_bytes::<32>(), &[55 - signature[64]]].concat()).to_string();
    let refusal = world.refused(&["relay", "typed.json", "--signature", &upper], 4, "SIGNATURE");
    assert!(refusal.message.contains("upper"), "{}", refusal.message);
    world.refused(&[&command[..], &["--signature", &upper, "--as", "relayer"]].concat(), 4, "SIGNATURE");
    let parity = Bytes::from([&signature[..64], &[signature[64] - 27]].concat()).to_string();
    assert_eq!(world.medseal(&["relay", "typed.json", "--signature", &parity]).result()["by"], sender.as_str());
}

#[test]
fn a_grant_says_the_end_that_was_signed() {
    let (world, id) = sealed();
    let (sender, reader) = (wallet(1), wallet(2));
    let grant = ["grant", &id, &reader, "--from", &sender];
    let typed = printed(&world, &[&grant[..], &["--until", "2000000000", "--print", "typed-data"]].concat());
    let signature = sign(&world, &typed, 1).to_string();
    let granted = world.medseal(&[&grant[..], &["--signature", &signature, "--as", "relayer"]].concat()).result();
    assert_eq!(granted["expiry"], 2_000_000_000);
    assert_eq!(world.medseal(&["show", &id, "--wallet", &reader]).result()["access"]["expiry"], 2_000_000_000);
}

#[test]
fn several_transactions_are_printed_together_and_several_signatures_refused() {
    let (world, _) = sealed();
    let before = world.state().1;
    world.write("many/b.png", png(9, 9, 2));
    world.write("many/c.png", png(9, 9, 3));
    let each = ["seal", "many", "--batch", "1"];
    let all = printed(&world, &[&each[..], &["--print", "tx"]].concat());
    let data: Vec<&str> = all.as_array().expect("two").iter().map(|tx| tx["data"].as_str().expect("hex")).collect();
    assert!(data.len() == 2 && data[0] != data[1] && data[0][..10] == data[1][..10], "{all}");
    // A deadline follows the clock: of a few pairs one is printed within a second.
    let print = || printed(&world, &[&each[..], &["--print", "tx"]].concat());
    assert!((0..5).any(|_| print() == print()), "the same again");
    let refusal = world.medseal(&[&each[..], &["--print", "typed-data"]].concat()).refusal(2, "SETTINGS");
    assert!(refusal.message.contains("2 things"), "{}", refusal.message);
    // Together they are one transaction, and one thing to sign.
    assert_eq!(printed(&world, &["seal", "many", "--print", "typed-data"])["primaryType"], "Batch");
    assert!(printed(&world, &["seal", "many", "--print", "tx"]).is_object());
    assert_eq!(world.state().1, before, "printing sends nothing");
}

#[test]
fn what_takes_no_signature_is_printed_as_a_transaction_alone() {
    let world = World::new();
    for command in [&["kgc", "publish"][..], &["deploy"], &["role", "give", "kgc"], &["registry", "pause"]] {
        let more = if command[0] == "role" { vec![wallet(3)] } else { vec![] };
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let typed = [command, &more, &["--print", "typed-data"]].concat();
        assert!(world.refused(&typed, 2, "SETTINGS").message.contains("--print tx"));
        world.refused(&[command, &more, &["--from", &wallet(3), "--signature", "0x01"]].concat(), 2, "SETTINGS");
    }
    let bare = World::bare();
    let tx = printed(&bare, &["deploy", "--print", "tx"]);
    assert_eq!((&tx["to"], &tx["from"]), (&Value::Null, &wallet(0).as_str().into()));
    assert!(!bare.path("deployments").exists(), "nothing was deployed");
    assert_eq!(bare.ask("eth_blockNumber", json!([])), "0x0");
}

#[test]
fn a_file_is_read_if_it_is_small_and_text_and_a_chain_id_in_any_spelling() {
    let (world, id) = sealed();
    let tx = printed(&world, &["revoke", &id, &wallet(2), "--print", "tx"]);
    for chain_id in [json!("0x7a69"), json!("31337"), json!(31337)] {
        let mut spelled = tx.clone();
        spelled["chainId"] = chain_id;
        world.write("tx.json", spelled.to_string());
        assert_eq!(world.medseal(&["explain", "tx.json"]).result()["act"], "revoke", "{spelled}");
    }
    let mut other = tx.clone();
    other["chainId"] = json!("7a69");
    world.write("tx.json", other.to_string());
    world.refused(&["explain", "tx.json"], 1, "NOT_A_REQUEST");

    world.write("bytes.json", [b'{', 0xff, b'}']);
    world.write("large.json", vec![b' '; (1 << 20) + 1]);
    for file in ["bytes.json", "large.json"] {
        for command in ["relay", "explain"] {
            let refusal = world.refused(&[command, file], 1, "NOT_A_REQUEST");
            assert!(refusal.message.contains(file), "{}", refusal.message);
        }
    }
    // Through a pipe, as it was printed.
    let mut command = world.command(&["explain", "-", "--json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("medseal starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), tx.to_string().as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    let stdout = String::from_utf8(output.stdout).expect("text");
    assert_eq!(Run { code: 0, stdout, stderr: String::new() }.result()["act"], "revoke");
}
