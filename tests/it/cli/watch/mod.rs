//! The watch: each event once whatever happens to the node, and who is told of flags whatever
//! happens to them.

pub(crate) mod acts;
mod lies;
mod notified;
mod receiver;
pub(crate) mod restarts;

use super::{Run, World, schema};
use acts::Acts;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SECRET: &str = "a secret of the test";

impl World {
    /// Runs a watch that ends, and returns what it printed: its lines, and what it came to.
    fn watch(&self, args: &[&str]) -> (Vec<Value>, Value, String) {
        let run = self.medseal(&[&["watch", "--once"], args].concat());
        assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
        let mut lines = lines(&run.stdout);
        let end = lines.pop().expect("what it came to");
        assert_eq!(end["type"], "end", "{end}");
        (lines, end, run.stderr)
    }

    /// Does something on chain.
    fn act<T>(&self, act: impl AsyncFnOnce(&mut Acts) -> T) -> T {
        self.runtime.block_on(act(&mut Acts::new(self.registry())))
    }

    fn secret(&self) -> String {
        self.write("secret", SECRET);
        let path = self.path("secret");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).expect("set");
        path.to_str().expect("text").to_owned()
    }
}

/// The results of JSON lines, each checked against the schema; a last one that is cut off counts
/// for nothing.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let parse = |line: &str| {
        let mut object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        schema::check(&object);
        assert!(object.get("error").is_none(), "{object}");
        object["result"].take()
    };
    whole.lines().map(parse).collect()
}

fn names(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().expect("a name")).collect()
}

fn ids(lines: &[Value]) -> Vec<String> {
    lines.iter().map(|line| line["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn each_event_is_told_once_and_each_name_sees_all() {
    let world = World::new();
    let (before, end, _) = world.watch(&[]);
    assert!(before.is_empty(), "it begins with the next event: {before:?}");
    let first = end["seq"].as_u64().expect("a number");
    world.act(async |acts| {
        acts.mixed(10).await;
        acts.mixed(10).await
    });
    let (told, end, _) = world.watch(&[]);
    let (_, seq) = world.state().1;
    assert_eq!(end["seq"], json!(seq));
    assert_eq!(end["events"], json!(told.len()));
    let numbers: BTreeSet<u64> = told.iter().map(|line| line["seq"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (first + 1..=seq).collect::<BTreeSet<_>>(), "an item has the number of its batch");
    assert_eq!(ids(&told).into_iter().collect::<BTreeSet<_>>().len(), told.len());
    assert!(world.watch(&[]).0.is_empty());

    let (all, ..) = world.watch(&["--name", "other", "--from-start"]);
    assert_eq!(all[all.len() - told.len()..], told, "the same for whoever watches");
    assert_eq!(all[0]["event"], "RoleChanged");
    let (again, ..) = world.watch(&["--name", "other", "--from-start", "--anew"]);
    assert_eq!(again, all);

    let block = told[4]["block"].as_u64().expect("a block");
    let (since, ..) = world.watch(&["--name", "third", "--since", &block.to_string()]);
    let expected: Vec<Value> = told.iter().filter(|line| line["block"].as_u64() >= Some(block)).cloned().collect();
    assert_eq!(since, expected);
    let (flags, end, _) = world.watch(&["--name", "fourth", "--from-start", "--only", "flags,grants"]);
    assert_eq!(end["events"], json!(all.len()), "all are followed");
    let kinds: BTreeSet<&str> = names(&flags).into_iter().collect();
    assert_eq!(kinds, BTreeSet::from(["AccessGranted", "AccessRevoked", "FlagRaised"]));

    let text = world.talk(&["watch", "--once", "--name", "fifth", "--from-start", "--only", "flags"]);
    assert_eq!((text.code, text.stdout.lines().count()), (0, 2), "{}", text.stdout);
    assert!(text.stdout.contains("  FlagRaised         0x"), "{}", text.stdout);
}

#[test]
fn what_the_chain_takes_back_is_taken_back() {
    let world = World::new();
    let (mut all, ..) = world.watch(&["--from-start"]);
    world.act(async |acts| acts.mixed(3).await);
    let stays = world.watch(&[]).0;
    let snapshot = world.ask("evm_snapshot", json!([]));
    world.act(async |acts| acts.mixed(5).await);
    let gone = world.watch(&[]).0;
    assert_eq!(gone.len(), 5);
    world.ask("evm_revert", json!([snapshot]));
    // As long as it may be a node that is behind, nothing is taken back.
    let refusal = world.medseal(&["watch", "--once"]).refusal(6, "UNREACHABLE");
    assert!(refusal.message.contains("the node is behind"), "{}", refusal.message);
    world.ask("evm_setNextBlockTimestamp", json!([4_000_000_000_u64]));
    world.act(async |acts| acts.mixed(7).await);
    let (news, end, _) = world.watch(&[]);
    let (back, new) = news.split_at(5);
    assert_eq!((&end["retracted"], &end["events"]), (&json!(5), &json!(7)));
    let retracts: Vec<&str> = back.iter().rev().map(|line| line["retracts"].as_str().expect("an id")).collect();
    assert_eq!(retracts, ids(&gone), "newest first");
    assert!(back.iter().all(|line| line["type"] == "retracted" && line["id"] != line["retracts"]));
    all.extend(stays);
    all.extend(new.iter().cloned());
    assert_eq!(world.watch(&["--name", "other", "--from-start"]).0, all, "what stands is what another sees");
}

#[test]
fn a_chain_that_was_replaced_deeply_or_made_anew_ends_it() {
    let world = World::new();
    let snapshot = world.ask("evm_snapshot", json!([]));
    world.act(async |acts| acts.mixed(3).await);
    world.ask("anvil_mine", json!(["0x50"]));
    world.watch(&["--from-start"]);
    world.ask("evm_revert", json!([snapshot]));
    world.ask("evm_setNextBlockTimestamp", json!([4_000_000_000_u64]));
    world.ask("anvil_mine", json!(["0x60"]));
    let before = world.path(".medseal/watch");
    let refusal = world.medseal(&["watch", "--once"]).refusal(1, "REORG_TOO_DEEP");
    assert!(refusal.hint.contains("--anew"), "{}", refusal.hint);
    world.watch(&["--anew"]);
    assert!(before.is_dir());

    // Another chain of the same id, with the same contract at the same address.
    // Block 0 has the second of its making in it.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let other = World::new();
    let mut command = world.command(&["watch", "--once", "--json"]);
    let pinned = Run::of(command.env("ETH_RPC_URL", other.node.rpc_url())).refusal(7, "WRONG_CHAIN");
    assert!(pinned.message.contains("expected block 0"), "{}", pinned.message);
    // The watch remembers its chain, whatever the deployment file says.
    let deployment = "deployments/31337.json";
    let own = world.read(deployment);
    std::fs::copy(other.path(deployment), world.path(deployment)).expect("copied");
    let mut command = world.command(&["watch", "--once", "--json"]);
    let refusal = Run::of(command.env("ETH_RPC_URL", other.node.rpc_url())).refusal(7, "CHAIN_RESET");
    assert!(refusal.message.contains("belongs to a chain whose block 0 is"), "{}", refusal.message);
    std::fs::write(world.path(deployment), own).expect("put back");
    let away = Run::of(world.command(&["watch", "--once", "--json"]).env("ETH_RPC_URL", "http://127.0.0.1:1"));
    away.refusal(6, "UNREACHABLE");
    world.medseal(&["watch", "--once", "--name", "a/b"]).refusal(2, "SETTINGS");
    world.medseal(&["watch", "--once", "--on", "weather"]).refusal(2, "USAGE");
}
