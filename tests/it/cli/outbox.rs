//! `medseal outbox`, and the ceiling for what a transaction may cost.

use super::{World, wallet};
use alloy::primitives::Bytes;
use medseal::chain::outbox::State;
use medseal::chain::{Outbox, Profile, Rpc, Wallet};
use medseal::contract::bindings::IImageRegistry::registerCall;

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
