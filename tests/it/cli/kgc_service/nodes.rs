//! The key center before several nodes, one of which lies or is dead.

use super::super::{World, png, wallet};
use super::Serving;
use crate::chain::proxy::Fault;
use crate::lies::views::{LyingDoor, Scene, lies};
use serde_json::{Value, json};
use std::time::Duration;

/// Waits until `/readyz` says what is looked for; the last answer.
fn readiness(world: &World, serving: &Serving, is: impl Fn(&Value) -> bool) -> Value {
    let ask = async || -> Value {
        let answer = reqwest::get(format!("{}/readyz", serving.operators)).await.expect("an answer");
        answer.json().await.expect("JSON")
    };
    let mut last = Value::Null;
    for _ in 0..120 {
        last = world.runtime.block_on(ask());
        if is(&last) {
            return last;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    panic!("/readyz never said it: {last}");
}

#[test]
fn one_node_of_three_lies_and_the_service_goes_on_as_if_it_were_not_there() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let id = world.seal("a.png", &[])["imageId"].as_str().expect("an id").to_owned();
    let (reader, stranger) = (wallet(2), wallet(3));
    world.medseal(&["grant", &id, &reader]).result();
    let doors: Vec<LyingDoor> = (0..3).map(|_| LyingDoor::to(&world.node.rpc_url())).collect();
    let urls: Vec<&str> = doors.iter().map(|door| door.url.as_str()).collect();
    let serve = ["--anchor-every", "0", "--quorum", "2", "--rpc-url", &urls.join(",")];
    let serving = Serving::start(&world, &serve);
    let info: Value = world.runtime.block_on(async {
        reqwest::get(format!("{}/v1/kgc", serving.url)).await.expect("an answer").json().await.expect("JSON")
    });
    let believes = info["believes"].as_str().expect("words");
    assert!(believes.contains("proven from a block that 2 of 3 nodes have"), "{believes}");
    let well = readiness(&world, &serving, |body| body["ready"] == true);
    assert_eq!(well["nodes"], json!([]), "{well}");

    let scene = Scene { stranger: stranger.parse().expect("a wallet"), reader: reader.parse().expect("a wallet") };
    let open = |who: &str| {
        let _ = std::fs::remove_file(world.path("opened"));
        let run = world.medseal(&["open", &id, "-o", "opened", "--as", who, "--kgc-url", &serving.url]);
        (run.code, world.path("opened").exists(), run.stdout)
    };
    let (mut told, mut given) = (0, 0);
    for (lie, rule) in lies(scene) {
        doors[0].now(rule);
        let (code, is_opened, said) = open("stranger");
        assert!(code == 4 && !is_opened, "{lie}: {said}");
        // A wallet may ask thirty times a minute.
        if told % 2 == 0 {
            let (code, is_opened, said) = open("reader");
            assert!(code == 0 && is_opened, "{lie}: {said}");
            given += 1;
        }
        told += 1;
        std::thread::sleep(Duration::from_millis(800));
    }
    eprintln!("{told} lies of one node of three: 0 releases to a stranger, {given} to a reader");
    assert!(told >= 25 && given >= 12, "{told} {given}");

    // Dead, it is named; a second one ends the answers.
    doors[0].now(Box::new(|_| Fault::Close));
    let named = readiness(&world, &serving, |body| body["nodes"].to_string().contains(&doors[0].url));
    assert_eq!(named["ready"], true, "{named}");
    doors[1].now(Box::new(|_| Fault::Close));
    let unready = readiness(&world, &serving, |body| body["ready"] == false);
    assert_eq!(unready["checks"]["chain"], "chain-unreachable", "{unready}");
    let (code, is_opened, said) = open("reader");
    assert!(code != 0 && !is_opened, "{said}");
    doors.iter().for_each(LyingDoor::honest);
    readiness(&world, &serving, |body| body["ready"] == true);
    let (code, _, said) = open("reader");
    assert_eq!(code, 0, "{said}");
    serving.stop();
}

#[test]
fn a_quorum_that_is_none_is_refused_at_the_start() {
    let world = World::new();
    let second = LyingDoor::to(&world.node.rpc_url());
    let (one, two) = (world.node.rpc_url(), format!("{},{}", world.node.rpc_url(), second.url));
    for (urls, quorum, words) in [
        (&one, "2", "expected 2 different nodes or more, found 1"),
        (&two, "0", "expected a quorum of 2 or more"),
        (&two, "1", "one node's word is not to be enough"),
        (&two, "3", "expected 3 different nodes or more, found 2"),
    ] {
        let serve = ["kgc", "serve", "--listen", "127.0.0.1:0", "--rpc-url", urls, "--quorum", quorum];
        let refusal = world.medseal(&serve).refusal(2, "SETTINGS");
        assert!(refusal.message.contains(words), "{words}: {}", refusal.message);
    }
    second.now(Box::new(|request| match request["method"] == "eth_getProof" {
        true => Fault::Refuse(-32601, "the method does not exist"),
        false => Fault::None,
    }));
    let mut command = world.command(&["kgc", "serve", "--listen", "127.0.0.1:0", "--anchor-every", "0"]);
    let serving = Serving::begin(command.args(["--rpc-url", &two, "--quorum", "2"]));
    let warning = serving.hear("(eth_getProof), ");
    assert!(warning.starts_with(&second.url), "{warning}");
    assert!(serving.hear("rests on ").contains("a block that 2 of 2 nodes have"));
}
