//! Many files, one signature, one transaction; and none of them twice.

use super::{World, png, wallet};
use serde_json::{Value, json};

fn images(result: &Value) -> Vec<Value> {
    result["images"].as_array().expect("images").clone()
}

fn transactions(images: &[Value]) -> Vec<&str> {
    let mut found: Vec<&str> = images.iter().map(|image| image["transaction"].as_str().expect("a hash")).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A world with small scans, and how many.
fn world(files: u32) -> World {
    let world = World::new();
    for number in 0..files {
        world.write(&format!("scans/{number:02}.png"), png(10 + number, 40, number.into()));
    }
    world
}

#[test]
fn a_folder_is_one_transaction_under_one_signature() {
    let world = world(7);
    let count = |index: usize| world.ask("eth_getTransactionCount", json!([wallet(index), "latest"]));
    let before = (count(1), count(6));
    let sealed = images(&world.medseal(&["seal", "scans", "--relayer", "relayer"]).result());
    assert_eq!((sealed.len(), world.records(), transactions(&sealed).len()), (7, 7, 1));
    assert_eq!((count(1), before.1, count(6)), (before.0, json!("0x0"), json!("0x1")), "the sender only signed");
    for image in &sealed {
        assert_eq!((&image["images"], &image["anchor"], &image["already"]), (&json!(7), &Value::Null, &json!(false)));
        let id = image["imageId"].as_str().expect("an id");
        let show = world.medseal(&["show", id]).result();
        assert_eq!((&show["registration"]["way"], &show["registration"]["cid"]), (&json!("batch"), &image["cid"]));
        assert_eq!(show["registration"]["signature"].as_str().map(str::len), Some(2 + 130), "the batch's");
        assert_eq!(world.medseal(&["verify", id]).result()["verdict"], "valid");
        world.medseal(&["open", id, "-o", "opened", "--force"]).result();
        assert!(world.read("opened") == world.read(image["file"].as_str().expect("a name")));
    }
    let again = images(&world.medseal(&["seal", "scans"]).result());
    assert!(again.iter().all(|image| image["already"] == true), "{again:?}");
    assert_eq!((world.records(), count(6)), (7, json!("0x1")));
}

#[test]
fn what_is_larger_than_a_block_and_what_comes_twice_is_registered_too() {
    let world = world(3);
    world.write("scans/large", vec![7; (1 << 20) + 5]);
    world.write("scans/00_twice.png", png(10, 40, 0));
    let sealed = images(&world.medseal(&["seal", "scans", "--batch", "2"]).result());
    assert_eq!((sealed.len(), world.records()), (5, 4), "one of them is there twice");
    let image = |name: &str| sealed.iter().find(|image| image["file"] == format!("scans/{name}")).expect("sealed");
    assert_eq!(image("00.png")["imageId"], image("00_twice.png")["imageId"]);
    assert_eq!(image("00_twice.png")["already"], true);
    assert_eq!(image("large")["images"], 1);
    let way = |name: &str| {
        let id = image(name)["imageId"].as_str().expect("an id").to_owned();
        world.medseal(&["show", &id]).result()["registration"]["way"].clone()
    };
    // The first of the two was registered when the second came.
    assert_eq!(["large", "00.png", "01.png"].map(way), ["alone", "alone", "batch"]);
    world.refused(&["seal", "scans", "--batch", "0"], 2, "USAGE");
    world.refused(&["seal", "scans", "--batch", "101"], 2, "USAGE");
}

#[test]
fn a_batch_that_waits_is_finished_and_nothing_is_registered_twice() {
    let world = world(5);
    // Without money nothing is sent: five are stored, and the chain knows nothing of them.
    let (sender, balance) = (wallet(1), world.ask("eth_getBalance", json!([wallet(1), "latest"])));
    world.ask("anvil_setBalance", json!([sender, "0x0"]));
    let failed = world.medseal(&["seal", "scans"]).result_with(1);
    assert_eq!((failed["failed"].as_array().map(Vec::len), world.records()), (Some(5), 0), "{failed}");
    for one in failed["failed"].as_array().expect("a list") {
        assert_eq!(one["code"], "NO_FUNDS", "{one}");
        assert!(one["message"].as_str().expect("a message").starts_with("5 images were not registered"), "{one}");
    }
    world.ask("anvil_setBalance", json!([sender, balance]));
    // One alone: the batch that the outbox accepted goes first, and holds it.
    let one = world.seal("scans/02.png", &[]);
    assert_eq!((&one["images"], &one["already"], world.records()), (&json!(5), &json!(false), 5));
    world.write("scans/99.png", png(60, 40, 99));
    let sealed = images(&world.medseal(&["seal", "scans"]).result());
    assert_eq!((sealed.len(), world.records(), transactions(&sealed).len()), (6, 6, 2));
    let jobs = std::fs::read_dir(world.path(".medseal/sender/jobs")).expect("jobs").count();
    assert_eq!(jobs, 6);
}

#[test]
fn a_batch_that_was_registered_and_not_noted_is_found_on_chain() {
    let world = world(3);
    let first = images(&world.medseal(&["seal", "scans"]).result());
    // As if it had been killed after the transaction was mined and before anything was written
    // down; and the outbox is lost too.
    for entry in std::fs::read_dir(world.path(".medseal/sender/jobs")).expect("jobs") {
        let path = entry.expect("an entry").path().join("job.json");
        let mut job: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        job["registered"] = Value::Null;
        std::fs::write(path, job.to_string()).expect("written");
    }
    std::fs::remove_dir_all(world.path(".medseal/outbox")).expect("removed");
    let before = world.state().1;
    let second = images(&world.medseal(&["seal", "scans"]).result());
    for (first, second) in first.iter().zip(&second) {
        for name in ["imageId", "transaction", "block", "gas", "images"] {
            assert_eq!(first[name], second[name], "{name}");
        }
    }
    assert_eq!((world.records(), world.state().1), (3, before));
}
