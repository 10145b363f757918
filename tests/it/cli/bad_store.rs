//! A store that holds other bytes than were registered, or none.

use super::{World, png, wallet};
use serde_json::Value;
use std::path::Path;

/// Something done to the bytes of a block.
type Edit = fn(&mut Vec<u8>);

/// A world with one image sealed in it, and that image.
fn sealed() -> (World, Value, String) {
    let world = World::new();
    world.write("a.png", png(33, 21, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id").to_owned();
    (world, image, id)
}

fn change(block: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(block).expect("a block");
    change(&mut bytes);
    std::fs::write(block, bytes).expect("written");
}

#[test]
fn a_changed_byte_is_found_recorded_and_flagged() {
    let (world, image, id) = sealed();
    let valid = world.medseal(&["verify", &id, "--record"]).result();
    assert_eq!((&valid["verdict"], &valid["recorded"]["valid"]), (&"valid".into(), &true.into()));
    assert_eq!((&valid["recorded"]["number"], &valid["recorded"]["flag"]), (&1.into(), &Value::Null));
    assert_eq!(valid["observedHash"], image["contentHash"]);

    let block = world.block(&image);
    change(&block, |bytes| *bytes.last_mut().expect("not empty") ^= 0x80);
    // Looking alone logs nothing.
    let before = world.state();
    let seen = world.medseal(&["verify", &id]).result_with(3);
    assert_eq!((&seen["verdict"], &seen["recorded"]), (&"invalid".into(), &Value::Null));
    assert_eq!(seen["expectedHash"], image["contentHash"]);
    assert_ne!(seen["observedHash"], image["contentHash"]);
    assert!(world.state() == before);
    // A stranger's entry is logged and flags nothing.
    let stranger = world.medseal(&["verify", &id, "--record", "--as", "stranger"]).result_with(3);
    assert_eq!((&stranger["recorded"]["number"], &stranger["recorded"]["flag"]), (&2.into(), &Value::Null));
    assert_eq!(stranger["recorded"]["valid"], false);
    let recorded = world.medseal(&["verify", &id, "--record"]).result_with(3);
    assert_eq!((&recorded["recorded"]["number"], &recorded["recorded"]["flag"]), (&3.into(), &1.into()));

    let show = world.medseal(&["show", &id]).result();
    assert_eq!((&show["record"]["state"], &show["record"]["verifications"]), (&"flagged".into(), &3.into()));
    assert_eq!((&show["flag"]["state"], &show["flag"]["verifier"]), (&"open".into(), &wallet(5).into()));
    let names: Vec<_> = show["events"].as_array().expect("events").iter().map(|event| &event["event"]).collect();
    assert_eq!(names, ["Registered", "Verified", "Verified", "Verified", "FlagRaised"]);
    world.refused(&["open", &id, "-o", "opened"], 3, "TAMPERED");

    // Put right again, it opens, and the flag stays until somebody dismisses it.
    change(&block, |bytes| *bytes.last_mut().expect("not empty") ^= 0x80);
    world.medseal(&["verify", &id]).result();
    let opened = world.medseal(&["open", &id, "-o", "opened"]).result();
    assert_eq!(opened["state"], "flagged");
    assert!(world.read("opened") == world.read("a.png"));
}

#[test]
fn every_other_change_is_found_too() {
    let (world, image, id) = sealed();
    let block = world.block(&image);
    let whole = std::fs::read(&block).expect("a block");
    let changes: [(&str, Edit); 7] = [
        ("one bit of the magic", |bytes| bytes[0] ^= 1),
        ("one bit of the header", |bytes| bytes[60] ^= 4),
        ("one bit in the middle", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }),
        ("cut short by one byte", |bytes| bytes.truncate(bytes.len() - 1)),
        ("cut to its half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("cut to nothing", Vec::clear),
        ("a trailing byte", |bytes| bytes.push(0)),
    ];
    for (what, edit) in changes {
        change(&block, edit);
        let refusal = world.refused(&["open", &id, "-o", "opened"], 3, "TAMPERED");
        assert!(refusal.hint.contains("--record"), "{what}: {}", refusal.hint);
        let seen = world.medseal(&["verify", &id]).result_with(3);
        assert_eq!(seen["verdict"], "invalid", "{what}");
        std::fs::write(&block, &whole).expect("written");
    }
    // The capsules are as well guarded as the image.
    let mut capsules = image.clone();
    capsules["cid"] = image["capsulesCid"].clone();
    let capsules = world.block(&capsules);
    change(&capsules, |bytes| bytes[30] ^= 1);
    world.refused(&["open", &id, "-o", "opened"], 3, "TAMPERED");
    change(&capsules, |bytes| bytes[30] ^= 1);
    world.medseal(&["open", &id, "-o", "opened"]).result();
}

#[test]
fn a_store_that_serves_more_than_was_signed_is_read_no_further() {
    let (world, image, id) = sealed();
    // 64 GiB that take no room on the disk; to read them all would take minutes.
    let file = std::fs::OpenOptions::new().write(true).open(world.block(&image)).expect("the block");
    let size = file.metadata().expect("there").len();
    file.set_len(64 << 30).expect("grown");
    let seen = world.medseal(&["verify", &id]).result_with(3);
    assert_eq!((&seen["verdict"], &seen["recorded"]), (&"invalid".into(), &Value::Null));
    file.set_len(size).expect("as it was");
    assert_eq!(world.medseal(&["verify", &id]).result()["verdict"], "valid");
}

#[test]
fn of_a_missing_block_nothing_is_said() {
    let (world, image, id) = sealed();
    let block = world.block(&image);
    std::fs::remove_file(&block).expect("removed");
    for args in [&["verify", &id][..], &["verify", &id, "--record"], &["open", &id, "-o", "opened"]] {
        world.refused(args, 5, "NOT_STORED");
    }
    assert_eq!(world.medseal(&["show", &id]).result()["record"]["verifications"], 0);
    // Sealing the file again does not pretend that the bytes are there: it is a new image, and says
    // why.
    let again = world.seal("a.png", &[]);
    assert_eq!(again["already"], false);
    assert!(again["renewedBecause"].is_string(), "{again}");
    world.medseal(&["open", again["imageId"].as_str().expect("an id"), "-o", "opened"]).result();
    assert!(world.read("opened") == world.read("a.png"));
}
