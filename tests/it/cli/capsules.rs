//! For whom an image's key is sealed; and the KGC's log.

use super::{World, png, wallet};
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
