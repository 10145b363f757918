//! `medseal outbox`, and the ceiling for what a transaction may cost.

use super::{Run, World, wallet};
use alloy::primitives::Bytes;
use medseal::chain::outbox::State;
use medseal::chain::{Outbox, Profile, Rpc, Wallet};
use medseal::contract::bindings::IImageRegistry::registerCall;
use serde_json::json;
use std::process::Stdio;
use std::time::{Duration, Instant};

impl World {
    /// A registration that was signed by a run which died then.
    fn signed(&self, job: &str, salt: u8) {
        let sender = Wallet::development(1, super::CHAIN_ID).expect("an account");
        let rpc = Rpc::new(&self.node.rpc_url()).expect("a URL");
        let registration = crate::chain::registration(&sender, salt);
        let call = registerCall { registration, signature: Bytes::new() };
        let transaction = self.registry().transaction(&call);
        self.runtime.block_on(async {
            let folder = self.path(".medseal/outbox");
            let outbox = Outbox::open(&folder, sender.address(), &rpc, Profile::Development).await;
            let mut outbox = outbox.expect("an outbox");
            outbox.prepare(job, &transaction).expect("written");
            assert_eq!(outbox.step(&rpc, &sender, job).await.expect("signed"), State::Signed);
        });
    }
}

#[test]
fn what_is_signed_is_listed_repriced_and_cancelled() {
    let world = World::new();
    let listed = |world: &World, args: &[&str]| world.medseal(&[&["outbox", "list"], args].concat()).result();
    assert_eq!(listed(&world, &[])["jobs"].as_array().expect("jobs").len(), 0);
    world.signed("first", 1);
    let list = listed(&world, &[]);
    let job = &list["jobs"][0];
    assert_eq!((&job["job"], &job["state"], &job["offer"]["number"]), (&"first".into(), &"signed".into(), &0.into()));
    assert_eq!(list["wallet"], wallet(1));
    let repriced = world.medseal(&["outbox", "reprice", "first"]).result();
    assert_eq!((&repriced["job"], &repriced["cancelled"]), (&"first".into(), &false.into()));
    world.signed("second", 2);
    let cancelled = world.medseal(&["outbox", "cancel", "1"]).result();
    assert_eq!((&cancelled["job"], &cancelled["cancelled"]), (&"second".into(), &true.into()));
    assert!(cancelled["transaction"].is_string(), "{cancelled}");
    assert_eq!(listed(&world, &[])["jobs"].as_array().expect("jobs").len(), 0);
    let all = listed(&world, &["--all"]);
    let ends: Vec<_> = all["jobs"].as_array().expect("jobs").iter().map(|job| &job["state"]).collect();
    assert_eq!(ends, ["final", "failed"]);
    world.medseal(&["outbox", "cancel", "second"]).refusal(1, "NOT_WAITING");
    world.medseal(&["outbox", "reprice", "third"]).refusal(5, "UNKNOWN_JOB");
}

#[test]
fn a_transaction_above_the_ceiling_is_not_signed() {
    let world = World::new();
    let reader = wallet(3);
    let allow = ["operator", "allow", &reader];
    for ceiling in ["x", "-1", "1 ETH", ""] {
        let run = world.medseal(&[&allow[..], &[&format!("--fee-ceiling={ceiling}")]].concat());
        match ceiling {
            // Nothing is not zero.
            "" => drop(run.result()),
            _ => drop(run.refusal(2, "SETTINGS")),
        }
    }
    let remove = ["operator", "remove", &reader];
    let dear = world.medseal(&[&remove[..], &["--fee-ceiling", "0.00000001"]].concat()).refusal(1, "FEE_CEILING");
    assert!(dear.message.contains("nothing was signed"), "{}", dear.message);
    let list = world.medseal(&["outbox", "list"]).result();
    assert_eq!(list["jobs"].as_array().expect("jobs").len(), 0, "nothing is kept of it: {list}");
    world.medseal(&remove).result();
}

#[test]
fn another_programs_transaction_is_passed_over_only_where_told() {
    let world = World::new();
    let (payer, reader) = (wallet(1), wallet(3));
    world.ask("evm_setAutomine", json!([false]));
    world.ask("eth_sendTransaction", json!([{"from": payer, "to": wallet(9), "value": "0x1"}]));
    let allow = ["operator", "allow", &reader, "--after-pending"];
    let mut allowing = world.command(&allow).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(60);
    let pending = || world.ask("eth_getTransactionCount", json!([payer, "pending"]));
    while pending() != "0x2" {
        assert!(Instant::now() < patience && allowing.try_wait().expect("asked").is_none(), "{}", pending());
        std::thread::sleep(Duration::from_millis(100));
    }
    world.ask("evm_mine", json!([]));
    let done = allowing.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // Both are in the chain, each under its own number.
    assert_eq!(world.ask("eth_getTransactionCount", json!([payer, "latest"])), "0x2");
    let allowed = world
        .runtime
        .block_on(world.registry().operator(payer.parse().expect("an address"), reader.parse().expect("an address")));
    assert!(allowed.expect("an answer").allowed);
}

#[test]
fn a_relayer_says_how_much_gas_a_wallet_contract_may_take() {
    const SIGNER: &str = "0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
    let world = World::new();
    // It says yes with 1 MiB of memory: 2.2 million gas.
    world.ask("anvil_setCode", json!([SIGNER, "0x631626ba7e60e01b5f52621000005ff3"]));
    let reader = wallet(3);
    let allow = ["operator", "allow", &reader, "--from", SIGNER, "--print"];
    let typed = world.talk(&[&allow[..], &["typed-data"]].concat());
    assert_eq!(typed.code, 0, "{}", typed.stderr);
    world.write("typed.json", typed.stdout);
    let relay = ["relay", "typed.json", "--signature", "0x1234"];
    let sent = || world.ask("eth_getTransactionCount", json!([wallet(5), "latest"]));
    let before = sent();
    for more in [&[][..], &["--gas-cap", "2000000"]] {
        let refusal = world.medseal(&[&relay[..], more].concat()).refusal(1, "GAS_CAP");
        assert!(refusal.message.contains("gas"), "{}", refusal.message);
    }
    assert_eq!(sent(), before, "nothing was paid");
    // The flag wins over the setting.
    let mut command = world.command(&[&relay[..], &["--json", "--gas-cap", "2000000"]].concat());
    Run::of(command.env("MEDSEAL_RELAY_GAS", "8000000")).refusal(1, "GAS_CAP");
    let mut command = world.command(&[&relay[..], &["--json"]].concat());
    assert_eq!(
        Run::of(command.env("MEDSEAL_RELAY_GAS", "8000000")).result()["by"].as_str().map(str::to_lowercase).as_deref(),
        Some(SIGNER)
    );
}
