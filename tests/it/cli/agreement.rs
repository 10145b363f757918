//! `cast`, which shares no code with us, sees the same on chain.

use super::{World, fetched, png, wallet};
use alloy::hex;
use medseal::storage::Cid;
use serde_json::Value;
use std::process::Command;

/// What `cast` prints, without the newline.
fn cast(args: &[&str]) -> String {
    let output = Command::new(fetched("bin/cast")).args(args).output().expect("cast starts");
    assert!(output.status.success(), "cast {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// What the contract answers to `call`, one value a line, without cast's notes in brackets.
fn call(world: &World, call: &str, args: &[&str]) -> Vec<String> {
    let registry = world.registry().address().to_string();
    let url = world.node.rpc_url();
    let answer = cast(&[&["call", &registry, call], args, &["--rpc-url", &url]].concat());
    let values = answer.trim_start_matches('(').trim_end_matches(')').split([',', '\n']);
    values.map(|value| value.split_whitespace().next().unwrap_or_default().to_owned()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A world in which everything has happened to one image, and what `show` says of it.
fn story() -> (World, String, Value) {
    let world = World::new();
    world.write("a.png", png(17, 31, 1));
    let image = world.seal("a.png", &["--relayer", "relayer"]);
    let id = image["imageId"].as_str().expect("an id").to_owned();
    world.medseal(&["grant", &id, &wallet(2)]).result();
    world.medseal(&["grant", &id, &wallet(3)]).result();
    world.medseal(&["revoke", &id, &wallet(3)]).result();
    world.medseal(&["verify", &id, "--record"]).result();
    let block = world.block(&image);
    let mut bytes = std::fs::read(&block).expect("a block");
    bytes[99] ^= 1;
    std::fs::write(&block, bytes).expect("written");
    world.medseal(&["verify", &id, "--record"]).result_with(3);
    let show = world.medseal(&["show", &id, "--wallet", &wallet(2)]).result();
    (world, id, show)
}

#[test]
fn cast_call_agrees_with_show() {
    let (world, id, show) = story();
    let record = call(&world, "recordOf(bytes32)((bytes32,address,uint48,uint8,uint40))", &[&id]);
    let shown = &show["record"];
    let state = ["absent", "registered", "flagged", "tampered"];
    assert_eq!(record[0], text(&shown["contentHash"]));
    assert_eq!(record[1], text(&shown["sender"]));
    assert_eq!(record[2], text(&shown["registeredAt"]));
    assert_eq!(state[record[3].parse::<usize>().expect("a number")], text(&shown["state"]));
    assert_eq!(record[4], text(&shown["verifications"]));
    assert_eq!(text(&shown["state"]), "flagged");

    let flag = call(&world, "flagOf(bytes32)((uint64,uint8,uint48,uint32,address))", &[&id]);
    let states = ["none", "open", "confirmed", "dismissed", "dismissed-by-sender"];
    let number = flag[0].parse::<u64>().expect("a number") >> 32;
    assert_eq!(number.to_string(), text(&show["flag"]["id"]));
    assert_eq!(states[flag[1].parse::<usize>().expect("a number")], text(&show["flag"]["state"]));
    assert_eq!(flag[2], text(&show["flag"]["raisedAt"]));
    assert_eq!(flag[3], text(&show["flag"]["verifiers"]));
    assert_eq!(flag[4], text(&show["flag"]["verifier"]));

    for (index, authorized) in [(1, true), (2, true), (3, false), (6, false)] {
        let wallet = wallet(index);
        let access = world.medseal(&["show", &id, "--wallet", &wallet]).result()["access"].clone();
        assert_eq!(access["authorized"], authorized, "wallet {index}");
        let asked = call(&world, "isAuthorized(bytes32,address)(bool)", &[&id, &wallet]);
        assert_eq!(asked, [authorized.to_string()], "wallet {index}");
        let word = call(&world, "accessOf(bytes32,address)((uint64,uint128,uint64))", &[&id, &wallet]);
        assert_eq!(word, ["expiry", "seq", "block"].map(|name| text(&access[name])), "wallet {index}");
    }
    let hash = text(&show["record"]["contentHash"]);
    assert_eq!(call(&world, "verify(bytes32,bytes32)(bool)", &[&id, &hash]), ["true"]);
    let other = format!("0x{}", "12".repeat(32));
    assert_eq!(call(&world, "verify(bytes32,bytes32)(bool)", &[&id, &other]), ["false"]);
}

#[test]
fn cast_computes_the_same_image_id() {
    let (world, id, show) = story();
    let sealed = [
        text(&show["chainId"]),
        text(&show["registry"]),
        text(&show["record"]["sender"]),
        text(&show["registration"]["salt"]),
    ];
    let words: Vec<&str> = sealed.iter().map(String::as_str).collect();
    let encoded = cast(&[&["abi-encode", "f(uint256,address,address,bytes32)"][..], &words].concat());
    assert_eq!(cast(&["keccak", &encoded]), id);
    let of_contract = call(&world, "imageIdOf(address,bytes32)(bytes32)", &[words[2], words[3]]);
    assert_eq!(of_contract, [id]);
}

#[test]
fn cast_logs_agree_with_show() {
    let (world, id, show) = story();
    let registry = world.registry().address().to_string();
    let url = world.node.rpc_url();
    let signatures = [
        (
            "Registered",
            "Registered(bytes32,address,bytes32,bytes32,bytes32,uint64,bytes,bytes32,bytes,uint64,bytes,bytes32)",
        ),
        ("Verified", "Verified(bytes32,address,bool,bytes32,uint64,uint256,uint64,uint40,bytes,bytes32)"),
        ("FlagRaised", "FlagRaised(bytes32,uint64,address,bytes32)"),
        ("AccessGranted", "AccessGranted(bytes32,address,address,uint64,uint128,bytes32)"),
        ("AccessRevoked", "AccessRevoked(bytes32,address,address,uint128,bytes32)"),
    ];
    let topics = signatures.map(|(name, signature)| (name, cast(&["keccak", signature])));
    let logs = cast(&["logs", "--address", &registry, "--from-block", "0", "--rpc-url", &url, "--json"]);
    let logs: Vec<Value> = serde_json::from_str(&logs).expect("JSON");
    let of_image: Vec<&Value> = logs.iter().filter(|log| log["topics"][1] == id.as_str()).collect();
    let events = show["events"].as_array().expect("events");
    assert_eq!(of_image.len(), events.len());
    assert_eq!(events.len(), 7, "registered, two grants, a revoke, two verifications, a flag");
    let number = |hex: &Value| u64::from_str_radix(text(hex).trim_start_matches("0x"), 16).expect("a number");
    for (log, event) in of_image.iter().zip(events) {
        let (name, _) = topics.iter().find(|(_, topic)| log["topics"][0] == topic.as_str()).expect("a known event");
        assert_eq!(event["event"], *name);
        assert_eq!(number(&log["blockNumber"]), event["block"]);
        assert_eq!(number(&log["logIndex"]), event["logIndex"]);
        assert_eq!(log["transactionHash"], event["transaction"]);
        // The second indexed field of each is a wallet, but for the flag's number.
        let topic = text(&log["topics"][2]);
        let address = format!("0x{}", &topic[26..]);
        match *name {
            "FlagRaised" => assert_eq!(number(&log["topics"][2]) >> 32, event["flag"]),
            "Verified" => {
                assert_eq!(cast(&["to-check-sum-address", &address]), text(&event["verifier"]));
                assert_eq!(number(&log["topics"][3]) == 1, event["valid"]);
                assert_eq!(text(&log["data"])[..66], text(&event["observedHash"]));
            }
            "Registered" => {
                assert_eq!(cast(&["to-check-sum-address", &address]), text(&show["record"]["sender"]));
                registered(log, &show);
            }
            _ => assert_eq!(cast(&["to-check-sum-address", &address]), text(&event["wallet"])),
        }
    }
}

/// Compares the fields of the registration one by one.
fn registered(log: &Value, show: &Value) {
    let types = "f()(bytes32,bytes32,bytes32,uint64,bytes,bytes32,bytes,uint64,bytes,bytes32)";
    let fields = cast(&["decode-abi", types, &text(&log["data"])]);
    let fields: Vec<&str> = fields.lines().map(|line| line.split_whitespace().next().unwrap_or_default()).collect();
    let shown = &show["registration"];
    // Both are of one block: the log leaves their CIDs to the hashes beside them.
    for (cid, hash) in [("cid", &show["record"]["contentHash"]), ("capsulesCid", &shown["capsulesHash"])] {
        let digest = *text(&shown[cid]).parse::<Cid>().expect("a CID").digest();
        assert_eq!(hex::encode_prefixed(digest), text(hash));
    }
    let trail = format!("0x00{:010x}{}", shown["seq"].as_u64().expect("a number"), &text(&shown["head"])[2..]);
    let expected = [
        text(&shown["salt"]),
        text(&show["record"]["contentHash"]),
        text(&shown["headerHash"]),
        text(&shown["size"]),
        "0x".to_owned(),
        text(&shown["capsulesHash"]),
        "0x".to_owned(),
        text(&shown["deadline"]),
        text(&shown["signature"]),
        trail,
    ];
    assert_eq!(fields, expected);
    assert_eq!(log["blockHash"], shown["blockHash"]);
}
