//! For whom an image's key is sealed; and the KGC's log.

use super::requests::request;
use super::{World, png, wallet};
use alloy::primitives::{B256, Bytes, hex};
use alloy::sol_types::SolCall;
use medseal::contract::bindings::IImageRegistry::{retireKgcKeyCall, updateCapsulesCall};
use medseal::envelope::capsules::{Capsules, Holder, Stanza};
use serde_json::{Value, json};

fn world() -> (World, String) {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id").to_owned();
    (world, id)
}

#[test]
fn a_reader_with_a_capsule_needs_no_kgc_and_the_kgc_opens_the_newest() {
    let (world, id) = world();
    let shown = world.medseal(&["capsules", "show", &id]).result();
    assert_eq!((&shown["version"], shown["holders"].as_array().map(Vec::len)), (&json!(0), Some(1)));
    assert_eq!(shown["holders"][0]["holder"], "kgc");

    let key = world.medseal(&["capsules", "new-key", "reader.key"]).result();
    let public = key["public"].as_str().expect("a key");
    world.refused(&["capsules", "new-key", "reader.key"], 8, "OUTPUT_EXISTS");
    let open = ["open", &id, "-o", "opened", "--force", "--reader-key", "reader.key", "--as", "stranger"];
    world.refused(&open, 4, "NO_CAPSULE");
    world.refused(&["capsules", "add", &id, public, "--as", "stranger"], 4, "NOT_AUTHORIZED");
    world.refused(&["capsules", "add", &id, "0x12"], 2, "READER_KEY");
    let zero = format!("0x{}", "00".repeat(32));
    world.refused(&["capsules", "add", &id, &zero], 2, "READER_KEY");

    let added = world.medseal(&["capsules", "add", &id, public, "--relayer", "relayer"]).result();
    assert_eq!((&added["added"], &added["version"], &added["relayer"]), (&json!(1), &json!(1), &json!(wallet(6))));
    let again = world.medseal(&["capsules", "add", &id, public]).result();
    assert_eq!((&again["added"], &again["transaction"]), (&json!(0), &Value::Null));
    let shown = world.medseal(&["capsules", "show", &id]).result();
    assert_eq!(
        (&shown["version"], &shown["hash"], &shown["holders"][1]["keyId"]),
        (&json!(1), &added["hash"], &key["keyId"])
    );
    let show = world.medseal(&["show", &id]).result();
    assert_eq!(show["capsules"], json!({ "version": 1, "hash": added["hash"], "cid": added["cid"] }));
    assert_ne!(show["registration"]["capsulesHash"], added["hash"]);

    // The reader opens without a grant; the KGC releases from the newest capsules.
    world.medseal(&open).result();
    assert!(world.read("opened") == world.read("a.png"));
    world.medseal(&["open", &id, "-o", "opened", "--force"]).result();
    assert!(world.read("opened") == world.read("a.png"));
    world.write("other.key", "00".repeat(31));
    world.refused(&["open", &id, "-o", "x", "--reader-key", "other.key"], 2, "READER_KEY");

    // An operator updates them too, if it may have the key.
    let recovery = world.medseal(&["capsules", "new-key", "recovery.key"]).result();
    let add = ["capsules", "add", &id, recovery["public"].as_str().expect("a key"), "--recovery", "--as", "operator"];
    world.medseal(&["grant", &id, &wallet(7)]).result();
    world.medseal(&add).refusal(4, "REVERTED");
    world.medseal(&["operator", "allow", &wallet(7)]).result();
    assert_eq!(world.medseal(&add).result()["version"], 2);
    world.medseal(&["open", &id, "-o", "opened", "--force", "--reader-key", "recovery.key"]).result();
    assert!(world.read("opened") == world.read("a.png"));
}

#[test]
fn the_log_of_releases_is_anchored_and_a_shortened_one_is_noticed() {
    let (world, id) = world();
    world.medseal(&["open", &id, "-o", "opened"]).result();
    let anchored = world.medseal(&["kgc", "anchor"]).result();
    assert_eq!(
        (&anchored["seq"], &anchored["already"], &anchored["by"]),
        (&json!(2), &json!(false), &json!(wallet(4)))
    );
    assert_eq!(world.medseal(&["kgc", "anchor"]).result()["already"], true);
    world.medseal(&["open", &id, "-o", "opened", "--force"]).result();
    let log = world.read(".medseal/kgc/release.log");
    assert_eq!(world.medseal(&["kgc", "anchor"]).result()["seq"], 3);
    world.refused(&["kgc", "anchor", "--as", "stranger"], 4, "REVERTED");

    let first = log.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    let mut other = log.clone();
    other[first + 8] ^= 1;
    for (what, text) in
        [("fewer entries", &log[..log.len() - 1]), ("an entry less", &log[first..]), ("another", &other)]
    {
        world.write(".medseal/kgc/release.log", text);
        let refusal = world.refused(&["kgc", "anchor"], 3, "KGC_LOG");
        assert!(refusal.hint.contains("backup"), "{what}: {}", refusal.hint);
        // Nothing is given out that such a log would not show.
        world.refused(&["open", &id, "-o", "opened", "--force"], 3, "KGC_LOG");
    }
    world.write(".medseal/kgc/release.log", "");
    let state = world.read(".medseal/kgc/release.log.state");
    std::fs::remove_file(world.path(".medseal/kgc/release.log.state")).expect("removed");
    world.refused(&["open", &id, "-o", "opened", "--force"], 3, "KGC_LOG");
    // The way out where there is no backup: a new log, which says what is missing from it.
    let begun = world.medseal(&["kgc", "new-log"]).result();
    assert_eq!((&begun["seq"], &begun["already"]), (&json!(4), &json!(false)));
    assert_eq!(world.medseal(&["kgc", "new-log"]).result()["already"], true);
    world.medseal(&["open", &id, "-o", "opened", "--force"]).result();
    world.write(".medseal/kgc/release.log.state", state);
    world.write(".medseal/kgc/release.log", log);
    assert_eq!(world.medseal(&["kgc", "anchor"]).result()["already"], true);
}

/// Sends a call of the registry from a development account, as any other program would.
fn call(world: &World, from: usize, call: &impl SolCall) {
    let transaction = json!([{
        "from": wallet(from), "to": world.registry().address(), "data": hex::encode_prefixed(call.abi_encode()),
    }]);
    let sent = world.ask("eth_sendTransaction", transaction);
    // A busy anvil says the hash before the block is made.
    let receipt = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        Some(world.ask("eth_getTransactionReceipt", json!([sent]))).filter(|receipt| !receipt.is_null())
    });
    assert_eq!(receipt.expect("mined")["status"], "0x1");
}

fn replaced(world: &World, id: &str, version: u64, hash: B256, cid: &[u8]) {
    let image = id.parse().expect("an id");
    let update =
        updateCapsulesCall { imageId: image, version, capsulesHash: hash, capsulesCid: Bytes::copy_from_slice(cid) };
    call(world, 7, &update);
}

/// Whoever may replace capsules can replace them by what nobody has.
#[test]
fn an_operator_locks_nobody_out() {
    let (world, id) = world();
    let key = world.medseal(&["capsules", "new-key", "reader.key"]).result();
    let public = key["public"].as_str().expect("a key");
    world.medseal(&["capsules", "add", &id, public]).result();
    world.medseal(&["operator", "allow", &wallet(7)]).result();
    world.refused(&["capsules", "restore", &id, "--number", "1"], 5, "NO_EARLIER_CAPSULES");

    let by_the_kgc = ["open", &id, "-o", "opened", "--force"];
    let by_the_reader = [&by_the_kgc[..], &["--reader-key", "reader.key", "--as", "stranger"]].concat();
    let opens = |args: &[&str]| {
        std::fs::remove_file(world.path("opened")).unwrap_or_default();
        let run = world.medseal(args);
        run.result();
        assert!(world.read("opened") == world.read("a.png"));
        run.stderr
    };
    assert_eq!(opens(&by_the_kgc), "");
    // An object that is nowhere; the same with an address that is none; one that is none for a KGC.
    let store = medseal::storage::LocalStore::open(world.path(".medseal/store")).expect("the store");
    let stanza = Stanza { holder: Holder::Reader { key_id: B256::repeat_byte(9) }, sealed: [9; 80] };
    let useless = Capsules::new(vec![stanza]).expect("one").encode();
    world.runtime.block_on(medseal::storage::Store::put(&store, &useless)).expect("stored");
    let useless = Capsules::decode(&useless).expect("capsules").hash().into();
    for (number, (hash, cid, code)) in [
        (B256::repeat_byte(1), &b""[..], "NOT_STORED"),
        (B256::repeat_byte(2), &[7; 36], "NOT_STORED"),
        (useless, b"", "NO_CAPSULE"),
    ]
    .into_iter()
    .enumerate()
    {
        let newest = 1 + 2 * number as u64;
        replaced(&world, &id, newest, hash, cid);
        assert!(opens(&by_the_kgc).contains("opened with those of the registration"));
        // The reader has no capsule in those of the registration.
        let exit = if code == "NOT_STORED" { 5 } else { 4 };
        world.refused(&by_the_reader, exit, code);
        world.medseal(&["show", &id]).result();
        // The newest that are of use, by the operator that the sender still trusts, or the sender.
        let restored = world.medseal(&["capsules", "restore", &id, "--relayer", "relayer"]).result();
        assert_eq!((&restored["restored"], &restored["version"]), (&json!(newest), &json!(newest + 2)), "{restored}");
        assert_eq!(opens(&by_the_kgc), "");
        assert_eq!(opens(&by_the_reader), "");
    }
    // What is of no use is not put back, whoever asks for it.
    let before = world.records();
    world.refused(&["capsules", "restore", &id, "--number", "2"], 5, "NOT_STORED");
    world.refused(&["capsules", "restore", &id, "--number", "6"], 3, "CAPSULE");
    world.refused(&["capsules", "restore", &id, "--as", "stranger"], 4, "REVERTED");
    assert_eq!(world.records(), before);
    let restored = world.medseal(&["capsules", "restore", &id, "--number", "0"]).result();
    assert_eq!((&restored["restored"], &restored["version"]), (&json!(0), &json!(8)));
    world.refused(&by_the_reader, 4, "NO_CAPSULE");
    assert_eq!(opens(&by_the_kgc), "");

    // Where the KGC's key was retired, what was sealed to it before stays replaced.
    replaced(&world, &id, 8, B256::repeat_byte(3), b"");
    assert!(opens(&by_the_kgc).contains("opened with those of the registration"));
    let kgc = world.medseal(&["kgc", "status"]).result()["kgcId"].as_str().expect("an id").parse().expect("32 bytes");
    call(&world, 4, &retireKgcKeyCall { kgcId: kgc, epoch: 1 });
    let refusal = world.refused(&by_the_kgc, 3, "TAMPERED");
    assert!(refusal.message.contains("capsules hash"), "{}", refusal.message);
}

/// A relayer pays for no capsules that it cannot read.
#[test]
fn capsules_are_read_before_they_are_relayed() {
    let (world, id) = world();
    let key = world.medseal(&["capsules", "new-key", "reader.key"]).result();
    request(&world, "update.json", &["capsules", "add", &id, key["public"].as_str().expect("a key")]);
    let without = ["relay", "update.json", "--home", "other"];
    world.medseal(&without).refusal(5, "NOT_STORED");
    let nothing = world.ask("eth_getTransactionCount", json!([wallet(6), "latest"]));
    assert_eq!(nothing, "0x0", "the relayer spends nothing");
    world.medseal(&["relay", "update.json"]).result();
    let show = world.medseal(&["show", &id]).result();
    assert_eq!(show["capsules"]["version"], 1);
}
