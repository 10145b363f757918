//! Capsules of an old key, sealed to the newest one.

use super::{KEY_FILE, World, list, names, none};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;

const SETS: &str = ".medseal/kgc/rewrapped";

impl World {
    fn anchors(&self) -> Vec<u32> {
        let wallet = super::super::wallet(4).parse().expect("a wallet");
        let anchors = self.runtime.block_on(self.registry().capsule_anchors(wallet)).expect("an answer");
        anchors.iter().map(|anchor| anchor.count).collect()
    }
}

#[test]
fn an_image_opens_after_its_old_key_is_retired_and_destroyed() {
    let world = World::new();
    let ids: Vec<String> = (0..5).map(|seed| world.sealed(seed)).collect();
    world.refused(&["kgc", "rewrap"], 2, "USAGE");
    // Before there is a new key there is nothing to do.
    let nothing = world.kgc(&["rewrap", "--all"]);
    assert_eq!((&nothing["made"], &nothing["already"], &nothing["anchors"]), (&json!(0), &json!(5), &json!(0)));
    world.kgc(&["rotate"]);
    let needed = world.refused(&["kgc", "destroy", "1"], 1, "KGC_EPOCH");
    assert!(needed.message.starts_with("5 images"), "{}", needed.message);
    for epoch in ["2", "9"] {
        world.refused(&["kgc", "destroy", epoch], 1, "KGC_EPOCH");
    }
    let some = world.kgc(&[&["rewrap"], &list(&ids[..2])[..]].concat());
    assert_eq!((&some["made"], &some["anchors"], &some["failed"]), (&json!(2), &json!(1), &none()), "{some}");
    let rest = world.kgc(&["rewrap", "--all", "--batch", "2"]);
    assert_eq!((&rest["made"], &rest["already"], &rest["anchors"]), (&json!(3), &json!(2), &json!(2)), "{rest}");
    assert_eq!(world.anchors(), [2, 2, 1]);
    let again = world.kgc(&["rewrap", "--all"]);
    assert_eq!((&again["made"], &again["already"], &again["anchors"]), (&json!(0), &json!(5), &json!(0)), "{again}");
    world.kgc(&["retire", "1"]);
    assert_eq!(world.kgc(&["destroy", "1"])["epochs"], json!([2]));
    assert!(!world.path(super::BEFORE).exists(), "what was destroyed lies beside the file");
    for (id, seed) in ids.iter().zip(0..) {
        assert_eq!(world.epoch_of(id), json!(1), "the record has the sender's capsules");
        world.opens(id, seed);
    }
    // They come back from the store, by what was anchored.
    std::fs::remove_dir_all(world.path(SETS)).expect("removed");
    let refusal = world.medseal(&["open", &ids[0], "-o", "o"]).refusal(1, "KGC");
    assert!(refusal.message.contains("epoch 1"), "{}", refusal.message);
    let recovered = world.kgc(&["rewrap", "--all"]);
    assert_eq!((&recovered["recovered"], &recovered["made"]), (&json!(5), &json!(0)), "{recovered}");
    world.opens(&ids[4], 4);
    // And to the key after that, from what was sealed anew.
    world.kgc(&["rotate"]);
    assert_eq!(world.kgc(&["rewrap", "--all"])["made"], json!(5));
    world.kgc(&["destroy", "2"]);
    world.opens(&ids[3], 3);
}

/// Who may replace an image's capsules can have those that were sealed anew registered.
#[test]
fn a_sender_registers_what_was_sealed_anew() {
    let world = World::new();
    let ids: Vec<String> = (0..2).map(|seed| world.sealed(seed)).collect();
    world.kgc(&["rotate"]);
    let stranger = world.medseal(&["kgc", "rewrap", "--all", "--update"]);
    assert_ne!(stranger.code, 0, "the key center's wallet is no operator: {}", stranger.stdout);
    world.medseal(&["operator", "allow", &super::super::wallet(4)]).result();
    let updated = world.kgc(&["rewrap", "--all", "--update"]);
    assert_eq!(updated["updated"], json!(2), "{updated}");
    for (id, seed) in ids.iter().zip(0..) {
        assert_eq!(world.epoch_of(id), json!(2));
        world.opens(id, seed);
    }
    world.kgc(&["retire", "1"]);
    world.kgc(&["destroy", "1"]);
    std::fs::remove_dir_all(world.path(SETS)).expect("removed");
    world.opens(&ids[0], 0);
    assert_eq!(world.kgc(&["rewrap", "--all", "--update"])["updated"], json!(0));
}

#[test]
fn killed_half_way_it_goes_on() {
    let world = World::new();
    let ids: Vec<String> = (0..8).map(|seed| world.sealed(seed)).collect();
    world.kgc(&["rotate"]);
    for wanted in [1, 3, 6] {
        let mut command = world.command(&["kgc", "rewrap", "--all", "--batch", "2"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        for _ in 0..10_000 {
            if names(&world.path(SETS)).len() >= wanted {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert!(names(&world.path(SETS)).len() >= wanted);
        world.opens(&ids[0], 0);
    }
    let rest = world.kgc(&["rewrap", "--all", "--batch", "2"]);
    assert_eq!(rest["failed"], none(), "{rest}");
    assert!(rest["already"].as_u64().expect("a number") >= 6, "{rest}");
    assert_eq!(names(&world.path(SETS)).len(), 8);
    assert!(world.anchors().iter().sum::<u32>() >= 8);
    world.kgc(&["destroy", "1"]);
    for (id, seed) in ids.iter().zip(0..) {
        world.opens(id, seed);
    }
}

#[test]
fn an_image_that_cannot_be_had_is_named_and_the_others_are_done() {
    let world = World::new();
    let ids: Vec<String> = (0..3).map(|seed| world.sealed(seed)).collect();
    let block = world.block(&world.medseal(&["show", &ids[1]]).result()["registration"]);
    let bytes = std::fs::read(&block).expect("the sealed image");
    let mut other = bytes.clone();
    other[50] ^= 1;
    world.kgc(&["rotate"]);
    std::fs::write(&block, other).expect("written");
    let run = world.medseal(&["kgc", "rewrap", "--all"]).result_with(1);
    assert_eq!((&run["made"], &run["failed"][0]["imageId"]), (&json!(2), &json!(ids[1])), "{run}");
    world.refused(&["kgc", "destroy", "1"], 1, "KGC_EPOCH");
    std::fs::write(&block, bytes).expect("written");
    assert_eq!(world.kgc(&["rewrap", "--all"])["made"], json!(1));
    // Not with a key that the chain does not have.
    let printed = world.medseal(&["kgc", "rotate", "--print", "tx"]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    world.refused(&["kgc", "rewrap", "--all"], 1, "KGC_KEY");
    assert!(world.path(KEY_FILE).exists());
}
