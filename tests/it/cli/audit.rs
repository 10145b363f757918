//! The auditor's work: the log proved complete, listed, filtered, shown as a page; and a node that
//! lies.

use super::{Run, World, png, wallet};
use crate::chain::proxy::{Fault, proxy};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A world with three images, of which one was verified, opened to a reader and closed again, and
/// one was changed and is flagged.
fn lived_in() -> (World, [String; 3]) {
    let world = World::new();
    for name in ["one.png", "batch/a.png", "batch/b.png"] {
        world.write(name, png(9, 9, name.len() as u64 + u64::from(name.as_bytes()[6])));
    }
    let one = world.seal("one.png", &[]);
    let batch = world.medseal(&["seal", "batch"]).result();
    let id = |image: &Value| image["imageId"].as_str().expect("an id").to_owned();
    let ids = [id(&one), id(&batch["images"][0]), id(&batch["images"][1])];
    world.medseal(&["verify", &ids[0], "--record"]).result();
    world.medseal(&["verify", &ids[0], "--record", "--as", "stranger"]).result();
    world.medseal(&["grant", &ids[0], &wallet(2)]).result();
    world.medseal(&["revoke", &ids[0], &wallet(2)]).result();
    let block = world.block(&batch["images"][0]);
    let mut bytes = std::fs::read(&block).expect("a block");
    bytes[99] ^= 1;
    std::fs::write(&block, bytes).expect("written");
    world.medseal(&["verify", &ids[1], "--record"]).result_with(3);
    (world, ids)
}

fn checkpoint(world: &World) -> PathBuf {
    let folder = world.path(".medseal/audit");
    let mut files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let file = files.next().expect("a checkpoint");
    assert!(files.next().is_none(), "one file");
    file
}

fn lines(run: &Run) -> Vec<Value> {
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

#[test]
fn the_log_is_complete_and_says_who_did_what() {
    let (world, ids) = lived_in();
    let (head, seq) = world.state().1;
    let audited = world.medseal(&["audit"]).result();
    assert_eq!((&audited["complete"], &audited["seq"], &audited["head"]), (&json!(true), &json!(seq), &json!(head)));
    // Anvil's storage root is its own.
    assert_eq!((&audited["storageProven"], &audited["listed"]), (&json!(false), &Value::Null));
    let newest = world.ask("eth_getBlockByNumber", json!(["latest", false]));
    assert_eq!(audited["blockHash"], newest["hash"]);
    let summary = &audited["summary"];
    assert_eq!((&summary["images"], &summary["valid"], &summary["invalid"]), (&json!(3), &json!(2), &json!(1)));
    assert_eq!(summary["flags"], json!({ "open": 1, "confirmed": 0, "dismissed": 0 }));
    assert_eq!((&summary["openFlags"][0]["imageId"], &summary["openFlags"][0]["flag"]), (&json!(ids[1]), &json!(1)));
    let by = |index: usize| {
        let wallets = summary["wallets"].as_array().expect("wallets");
        wallets.iter().find(|tally| tally["wallet"] == json!(wallet(index))).expect("it acted").clone()
    };
    assert_eq!((&by(1)["registered"], &by(1)["access"]), (&json!(3), &json!(2)));
    assert_eq!((&by(5)["valid"], &by(5)["invalid"], &by(5)["flagsRaised"]), (&json!(1), &json!(1), &json!(1)));

    let text = world.talk(&["audit"]);
    let hash = newest["hash"].as_str().expect("a hash");
    assert!(
        text.stdout.starts_with(&format!("complete up to block {}, hash {hash}", audited["block"])),
        "{}",
        text.stdout
    );
    assert!(text.stdout.contains(&format!("open flag 1 of {}", ids[1])), "{}", text.stdout);
    assert!(text.stderr.contains("the head is proven, the storage as a whole is not"), "{}", text.stderr);

    world.medseal(&["flag", "confirm", &ids[1]]).result();
    let later = world.medseal(&["audit"]).result();
    assert_eq!(later["summary"]["flags"], json!({ "open": 0, "confirmed": 1, "dismissed": 0 }));
    assert_eq!((&later["before"]["block"], &later["before"]["gone"]), (&audited["block"], &json!(false)));
}

#[test]
fn it_lists_as_table_lines_and_csv_what_the_filters_leave() {
    let (world, ids) = lived_in();
    let all = lines(&world.talk(&["audit", "--events", "jsonl"]));
    let audited = world.medseal(&["audit", "--events", "csv", "-o", "events.csv"]).result();
    assert_eq!(audited["listed"], json!(all.len()));
    let csv = String::from_utf8(world.read("events.csv")).expect("text");
    let rows: Vec<&str> = csv.lines().collect();
    assert!(rows[0].starts_with("seq,block,time,event,imageId,sender,actor,outcome,what,transaction (unproven),"));
    assert_eq!(rows.len(), all.len() + 1);
    for (row, line) in rows[1..].iter().zip(&all) {
        assert!(row.contains(line["transaction"].as_str().expect("a hash")), "{row} {line}");
        assert!(row.contains(&format!(",{},", line["event"].as_str().expect("a name"))), "{row} {line}");
    }
    assert!(rows.iter().any(|row| row.contains(",\"valid, number 1 by ")), "a comma is quoted");
    let table = world.talk(&["audit", "--events", "table"]);
    assert!(all.iter().all(|line| table.stdout.contains(line["event"].as_str().expect("a name"))), "{}", table.stdout);
    assert!(table.stdout.contains("complete up to block"), "{}", table.stdout);

    let time = |index: usize| all[index]["time"].as_u64().expect("seconds");
    let (early, late) = (time(0), time(all.len() - 1));
    assert!(early < late);
    let (verifier, sender) = (wallet(5), wallet(1));
    let spelled = "2100-01-01";
    type Filter<'a> = (&'a [&'a str], &'a dyn Fn(&Value) -> bool);
    let filters: [Filter<'_>; 9] = [
        (&["--image", &ids[0]], &|line| line["imageId"] == json!(ids[0])),
        (&["--sender", &sender], &|line| line["sender"] == json!(sender)),
        (&["--verifier", &verifier], &|line| {
            line["actor"] == json!(verifier) && (line["event"] == "Verified" || line["event"] == "FlagRaised")
        }),
        (&["--since", &late.to_string()], &|line| line["time"].as_u64() >= Some(late)),
        (&["--until", &early.to_string()], &|line| line["time"].as_u64() <= Some(early)),
        (&["--outcome", "valid"], &|line| line["outcome"] == "valid"),
        (&["--outcome", "invalid"], &|line| line["outcome"] == "invalid"),
        (&["--outcome", "raised", "--until", spelled], &|line| line["outcome"] == "raised"),
        (&["--image", &ids[0], "--outcome", "valid", "--verifier", &verifier], &|line| {
            line["imageId"] == json!(ids[0]) && line["outcome"] == "valid" && line["actor"] == json!(verifier)
        }),
    ];
    for (flags, fits) in filters {
        let found = lines(&world.talk(&[&["audit", "--events", "jsonl"], flags].concat()));
        let expected: Vec<Value> = all.iter().filter(|line| fits(line)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{flags:?} leaves {}", expected.len());
        assert_eq!(found, expected, "{flags:?}");
    }
    assert!(lines(&world.talk(&["audit", "--events", "jsonl", "--since", spelled])).is_empty());
    // Nothing is new to an auditor who has just looked.
    assert!(lines(&world.talk(&["audit", "--events", "jsonl", "--new"])).is_empty());
    world.medseal(&["verify", &ids[2], "--record"]).result();
    let new = lines(&world.talk(&["audit", "--events", "jsonl", "--new"]));
    assert_eq!((new.len(), &new[0]["imageId"]), (1, &json!(ids[2])));

    let events = ["audit", "--events", "jsonl"];
    world.refused(&[&events[..], &["-o", "events.csv"]].concat(), 8, "OUTPUT_EXISTS");
    world.refused(&events, 2, "SETTINGS");
    world.refused(&["audit", "--block", "1000000"], 5, "NO_BLOCK");
    for bad in [&["audit", "--image", &ids[0]][..], &[&events[..], &["--since", "soon"]].concat()] {
        assert_eq!(world.medseal(bad).code, 2, "{bad:?}");
    }
}

#[test]
fn a_page_for_people_loads_nothing() {
    let (world, ids) = lived_in();
    let audited = world.medseal(&["audit", "--html", "audit.html"]).result();
    let page = String::from_utf8(world.read("audit.html")).expect("text");
    for part in ["<svg", "complete up to block", &ids[1], &wallet(5), audited["blockHash"].as_str().expect("a hash")] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    for door in ["<script", "<link", "<img", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(door), "{door}");
    }
    world.refused(&["audit", "--html", "audit.html"], 8, "OUTPUT_EXISTS");
    world.medseal(&["audit", "--html", "audit.html", "--force"]).result();
}

#[test]
fn the_next_audit_reads_what_is_new() {
    let (world, ids) = lived_in();
    world.ask("anvil_mine", json!(["0x64"]));
    let first = world.medseal(&["audit"]).result();
    assert_eq!(
        first["read"],
        first["summary"]["events"]
            .as_object()
            .expect("counts")
            .values()
            .map(|n| n.as_u64().expect("a count"))
            .sum::<u64>()
    );
    world.medseal(&["verify", &ids[2], "--record"]).result();
    let second = world.medseal(&["audit"]).result();
    assert_eq!((&second["read"], &second["seq"]), (&json!(1), &json!(first["seq"].as_u64().expect("a number") + 1)));
    assert_eq!(second["afterBlock"], json!(first["block"].as_u64().expect("a number") - 64));
    let anew = world.medseal(&["audit", "--from-start"]).result();
    assert_eq!((&anew["summary"], &anew["slots"]), (&second["summary"], &second["slots"]));
    assert!(anew["read"].as_u64() > Some(10), "{anew}");

    // A checkpoint that is damaged, cut off, or no checkpoint: everything is read, and the file is
    // good again.
    let file = checkpoint(&world);
    let good = std::fs::read(&file).expect("a file");
    let flipped = [&good[..20], &[good[20] ^ 1], &good[21..]].concat();
    for bad in [flipped, good[..good.len() - 40].to_vec(), b"no checkpoint".to_vec(), vec![]] {
        std::fs::write(&file, bad).expect("written");
        let run = world.medseal(&["audit"]);
        assert!(run.stderr.contains("the checkpoint cannot be used, everything is read"), "{}", run.stderr);
        let result = run.result();
        assert_eq!((&result["summary"], &result["read"]), (&second["summary"], &anew["read"]));
        let again = world.medseal(&["audit"]);
        assert!(!again.stderr.contains("cannot be used"), "{}", again.stderr);
        assert_eq!(again.result()["summary"], second["summary"]);
    }
}

#[test]
fn a_chain_that_was_replaced_is_told() {
    let (world, ids) = lived_in();
    let snapshot = |world: &World| world.ask("evm_snapshot", json!([]));
    let mine = |blocks: &str| world.ask("anvil_mine", json!([blocks, "0x7"]));
    world.ask("anvil_mine", json!(["0x5"]));
    let deep = snapshot(&world);
    world.ask("anvil_mine", json!(["0x60"]));
    let shallow = snapshot(&world);
    world.medseal(&["verify", &ids[2], "--record"]).result();
    let first = world.medseal(&["audit"]).result();

    // Within the window: told, and complete as the chain is now.
    world.ask("evm_revert", json!([shallow]));
    mine("0x3");
    let run = world.medseal(&["audit"]);
    assert!(run.stderr.contains("is gone: a reorganisation within 64 blocks"), "{}", run.stderr);
    let second = run.result();
    assert_eq!((&second["before"]["gone"], &second["before"]["blockHash"]), (&json!(true), &first["blockHash"]));
    assert_eq!(second["seq"].as_u64().expect("a number") + 1, first["seq"].as_u64().expect("a number"));

    // Deeper: the block of the checkpoint is gone, and nothing is taken over from it.
    world.ask("evm_revert", json!([deep]));
    mine("0x70");
    let refusal = world.refused(&["audit"], 1, "REORG_TOO_DEEP");
    assert!(refusal.message.contains("more than 64 blocks deep"), "{}", refusal.message);
    assert!(refusal.hint.contains("--from-start"), "{}", refusal.hint);
    world.medseal(&["audit", "--from-start"]).result();
    assert_eq!(world.medseal(&["audit"]).result()["before"]["gone"], false);
}

#[test]
fn a_second_node_is_asked_for_the_block() {
    let (world, _) = lived_in();
    let node = world.node.rpc_url();
    let honest = proxy(&node, |_| Fault::None);
    let both = |second: &str| format!("{node},{second}");
    let audited = world.medseal(&["audit", "-r", &both(&honest)]).result();
    assert_eq!((audited["witnesses"].as_array().map(Vec::len), &audited["silent"]), (Some(2), &json!([])));

    let nobody = both("http://127.0.0.1:1");
    let run = world.medseal(&["audit", "-r", &nobody]);
    assert!(run.stderr.contains("not asked for the block's header: http://127.0.0.1:1"), "{}", run.stderr);
    let audited = run.result();
    assert_eq!(
        (audited["witnesses"].as_array().map(Vec::len), audited["silent"].as_array().map(Vec::len)),
        (Some(1), Some(1))
    );

    // Another block of that number, as if it were on another chain.
    let other = proxy(&node, |request| match (request["method"].as_str(), request["params"][0].as_str()) {
        (Some("eth_getBlockByNumber"), Some(number)) if number != "0x0" => Fault::Alter(Box::new(|block| {
            block["extraData"] = json!("0x07");
        })),
        _ => Fault::None,
    });
    let refusal = world.refused(&["audit", "-r", &both(&other)], 3, "OTHER_BLOCK");
    assert!(refusal.message.contains(&other), "{}", refusal.message);
}

#[test]
fn a_node_that_lies_is_caught_and_nothing_is_written() {
    let (world, _) = lived_in();
    let all = lines(&world.talk(&["audit", "--events", "jsonl"]));
    let node = world.node.rpc_url();
    // The last log of the answer to the newest block's question is kept back: the flag.
    let withheld = proxy(&node, |request| match request["method"].as_str() {
        Some("eth_getLogs") => Fault::Alter(Box::new(|logs| {
            let logs = logs.as_array_mut().expect("a list");
            if logs.len() == 2 && logs[1]["topics"].as_array().map(Vec::len) == Some(4) {
                logs.pop();
            }
        })),
        _ => Fault::None,
    });
    let args = ["audit", "--events", "csv", "-o", "events.csv", "--html", "page.html", "-r", &withheld];
    let refusal = world.refused(&args, 3, "LOG_INCOMPLETE");
    let last = all.last().expect("events")["seq"].as_u64().expect("a number");
    assert!(refusal.message.contains(&format!("event {last} is missing")), "{} {}", refusal.message, all.len());
    // The contract's own word is another than the header proves.
    let proof = proxy(&node, |request| match request["method"].as_str() {
        Some("eth_getProof") => Fault::Alter(Box::new(|answer| {
            answer["storageProof"][0]["value"] = json!("0x1");
        })),
        _ => Fault::None,
    });
    let refusal = world.refused(&["audit", "-r", &proof], 3, "UNPROVEN");
    assert!(refusal.message.contains("slot 0"), "{}", refusal.message);
    // Whoever says to be anvil may have a storage root of its own; nobody else.
    let named = proxy(&node, |request| match request["method"].as_str() {
        Some("web3_clientVersion") => Fault::Answer(json!("Geth/v1.17.5-stable/linux-amd64/go1.26")),
        _ => Fault::None,
    });
    let refusal = world.refused(&["audit", "-r", &named], 3, "UNPROVEN");
    assert!(refusal.message.contains("the contract's storage has root"), "{}", refusal.message);
}
