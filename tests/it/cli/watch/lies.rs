//! A node that withholds, doubles or alters a log: it is noticed, and read again.

use super::{World, lines};
use crate::chain::proxy::{Fault, proxy};
use serde_json::{Value, json};

/// A watch of everything through a node that spoils the logs of a block with more than one, so many
/// times.
fn watch(world: &World, name: &str, times: usize, spoil: fn(&mut Vec<Value>)) -> super::Run {
    let mut left = times;
    let url = proxy(&world.node.rpc_url(), move |request| {
        if request["method"] != "eth_getLogs" || request["params"][0].get("blockHash").is_none() || left == 0 {
            return Fault::None;
        }
        left -= 1;
        Fault::Alter(Box::new(move |result| spoil(result.as_array_mut().expect("logs"))))
    });
    let mut command = world.command(&["watch", "--once", "--from-start", "--json", "--name", name]);
    super::Run::of(command.env("ETH_RPC_URL", url))
}

#[test]
fn what_is_withheld_doubled_or_altered_is_noticed_and_read_again() {
    let world = World::new();
    world.act(async |acts| {
        acts.mixed(10).await;
        acts.mixed(10).await
    });
    let (all, ..) = world.watch(&["--from-start"]);
    type Lie = (&'static str, fn(&mut Vec<Value>), &'static str);
    let lies: [Lie; 4] = [
        ("withheld", |logs| drop(logs.pop()), "is missing"),
        ("none", |logs| logs.clear(), "is missing"),
        (
            "doubled",
            |logs| {
                let last = logs.last().cloned();
                logs.extend(last);
            },
            "is missing",
        ),
        (
            "altered",
            |logs| {
                for log in logs {
                    let data = log["data"].as_str().expect("hex").to_owned();
                    // The trail is an event's last word, and the words before it are what it says.
                    log["data"] = json!(format!("0x{}{}", "11".repeat(32), &data[66..]));
                }
            },
            "event ",
        ),
    ];
    for (name, spoil, says) in lies {
        // The first blocks are read at once, eight at a time.
        let run = watch(&world, name, 1, spoil);
        assert_eq!(run.code, 0, "{name}: {} {}", run.stdout, run.stderr);
        let mut told = lines(&run.stdout);
        told.pop();
        assert_eq!(told, all, "{name}");
        assert!(run.stderr.contains(says) && run.stderr.contains("trying again"), "{name}: {}", run.stderr);
        assert!(run.stderr.contains("going on: no event is missing"), "{name}: {}", run.stderr);
    }
    // For ever is too long.
    let run = watch(&world, "liar", usize::MAX, |logs| drop(logs.pop()));
    let refused = super::Run { stdout: run.stdout.lines().last().expect("a line").to_owned(), ..run };
    refused.refusal(3, "LOG_INCOMPLETE");
}
