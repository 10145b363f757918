//! Images under a Merkle root, and what becomes of them when they are needed.

use super::{World, png, wallet};
use medseal::envelope::leaves::Leaves;
use medseal::storage::{Cid, LocalStore};
use serde_json::{Value, json};

fn anchored(files: u32) -> (World, Vec<Value>) {
    let world = World::new();
    for number in 0..files {
        world.write(&format!("scans/{number:02}.png"), png(10 + number, 40, number.into()));
    }
    world.write("scans/large", vec![7; (1 << 20) + 5]);
    let sealed = world.medseal(&["seal", "scans", "--anchor", "--relayer", "relayer"]).result();
    let images = sealed["images"].as_array().expect("images").clone();
    assert_eq!(u32::try_from(images.len()).expect("few"), files + 1);
    (world, images)
}

fn id(image: &Value) -> &str {
    image["imageId"].as_str().expect("an id")
}

#[test]
fn an_anchored_image_is_opened_once_it_has_its_record() {
    let (world, images) = anchored(4);
    assert_eq!(world.records(), 0);
    let roots: Vec<&Value> = images.iter().map(|image| &image["anchor"]["root"]).collect();
    assert!(roots.iter().all(|root| *root == roots[0]) && roots[0].is_string(), "{roots:?}");
    let (small, large) = (&images[1], &images[4]);
    for image in [small, large] {
        let show = world.medseal(&["show", id(image)]).result();
        assert_eq!(
            (&show["record"], &show["anchor"]["root"], &show["anchor"]["count"]),
            (&Value::Null, roots[0], &json!(5))
        );
        assert_eq!((&show["anchor"]["cid"], &show["pinned"]), (&image["cid"], &json!(true)));
        let (reader, verbs): (String, [&[&str]; 4]) = (
            wallet(2),
            [
                &["open", id(image), "-o", "x"],
                &["verify", id(image)],
                &["flag", "show", id(image)],
                &["capsules", "show", id(image)],
            ],
        );
        for verb in verbs {
            let refusal = world.refused(verb, 5, "ANCHORED_ONLY");
            assert!(refusal.hint.contains("medseal materialize"), "{}", refusal.hint);
        }
        world.refused(&["grant", id(image), &reader], 5, "ANCHORED_ONLY");
    }
    // Anybody makes them records; the sender stays the sender.
    let made = world.medseal(&["materialize", id(small), id(large), "--as", "stranger"]).result();
    assert_eq!((made["images"][0]["already"].clone(), world.records()), (json!(false), 2));
    let made = world.medseal(&["materialize", id(small)]).result();
    assert_eq!(made["images"][0]["already"], true);
    for image in [small, large] {
        let show = world.medseal(&["show", id(image)]).result();
        assert_eq!((&show["registration"]["way"], &show["registration"]["root"]), (&json!("leaf"), roots[0]));
        assert_eq!((&show["record"]["sender"], &show["registration"]["cid"]), (&json!(wallet(1)), &image["cid"]));
        world.medseal(&["verify", id(image), "--record"]).result();
        world.medseal(&["grant", id(image), &wallet(2)]).result();
        world.medseal(&["open", id(image), "-o", "opened", "--force", "--as", "reader"]).result();
        assert!(world.read("opened") == world.read(image["file"].as_str().expect("a name")));
    }
    let unknown = format!("0x{}", "11".repeat(32));
    world.refused(&["materialize", &unknown], 5, "UNKNOWN_IMAGE");
}

#[test]
fn nothing_is_anchored_twice_and_more_files_get_another_root() {
    let (world, first) = anchored(2);
    let before = world.state().1;
    let again = world.medseal(&["seal", "scans", "--anchor"]).result();
    assert!(again["images"].as_array().expect("images").iter().all(|image| image["already"] == true), "{again}");
    // Without the flag too: an anchor holds them.
    let again = world.medseal(&["seal", "scans"]).result();
    assert!(again["images"].as_array().expect("images").iter().all(|image| image["already"] == true), "{again}");
    assert_eq!(world.state().1, before);
    world.write("scans/new.png", png(50, 40, 50));
    let more = world.medseal(&["seal", "scans", "--anchor"]).result();
    let new = more["images"].as_array().expect("images").iter().find(|image| image["already"] == false).expect("one");
    assert_eq!(new["images"], 1);
    assert_ne!(new["anchor"]["root"], first[0]["anchor"]["root"]);

    // As if it had been killed before anything was written down: the anchor on chain holds them.
    for entry in std::fs::read_dir(world.path(".medseal/sender/jobs")).expect("jobs") {
        let path = entry.expect("an entry").path().join("job.json");
        let mut job: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        job["registered"] = Value::Null;
        std::fs::write(path, job.to_string()).expect("written");
    }
    let before = world.state().1;
    let second = world.medseal(&["seal", "scans", "--anchor"]).result();
    for (first, second) in first.iter().zip(second["images"].as_array().expect("images")) {
        for name in ["imageId", "transaction", "anchor", "gas"] {
            assert_eq!(first[name], second[name], "{name}");
        }
    }
    assert_eq!(world.state().1, before);
}

#[test]
fn a_list_that_was_lost_or_changed_is_not_believed() {
    let (world, images) = anchored(3);
    let cid: Cid = images[0]["anchor"]["leavesCid"].as_str().expect("a CID").parse().expect("a CID");
    let path = LocalStore::open(world.path(".medseal/store")).expect("the store").block_path(&cid);
    let bytes = std::fs::read(&path).expect("the list");
    let leaves = Leaves::decode(&bytes).expect("a list");
    assert_eq!((leaves.count(), json!(leaves.root())), (4, images[0]["anchor"]["root"].clone()));
    let mut changed = bytes.clone();
    changed[20] ^= 1;
    std::fs::write(&path, changed).expect("written");
    world.refused(&["materialize", id(&images[0])], 5, "UNKNOWN_IMAGE");
    world.refused(&["show", id(&images[0])], 5, "UNKNOWN_IMAGE");
    // Sealing again finds that the list is gone, and puts the images under a root of their own;
    // they stay the same images.
    std::fs::remove_file(&path).expect("removed");
    let again = world.medseal(&["seal", "scans", "--anchor"]).result();
    for (first, second) in images.iter().zip(again["images"].as_array().expect("images")) {
        assert_eq!((&first["imageId"], &second["already"]), (&second["imageId"], &json!(false)));
    }
    assert_eq!(std::fs::read(&path).expect("it is back"), bytes, "the same images give the same list");
    world.medseal(&["materialize", id(&images[0])]).result();
}
