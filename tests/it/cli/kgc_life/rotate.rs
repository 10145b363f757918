//! A key of a new epoch, wherever an earlier run ended.

use super::super::kgc_service::{Elsewhere, Serving};
use super::{BEFORE, KEY_FILE, World, mode, published};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn images_from_before_and_after_a_rotation_open() {
    let world = World::new();
    let first = world.sealed(1);
    assert_eq!(world.epochs(), published(&[1]));
    let rotated = world.kgc(&["rotate"]);
    assert_eq!((&rotated["epoch"], &rotated["epochs"]), (&json!(2), &json!([1, 2])));
    assert_eq!(world.epochs(), published(&[1, 2]));
    assert_eq!(mode(&world.path(KEY_FILE)), 0o600);
    assert!(!world.path(BEFORE).exists());
    let second = world.sealed(2);
    assert_eq!(world.kgc(&["rotate"])["epochs"], json!([1, 2, 3]));
    let third = world.sealed(3);
    let epochs = [&first, &second, &third].map(|id| world.epoch_of(id));
    assert_eq!(epochs, [json!(1), json!(2), json!(3)]);
    for (id, seed) in [(&first, 1), (&second, 2), (&third, 3)] {
        world.opens(id, seed);
    }
    // Each epoch signs receipts with a key of its own.
    let status = world.status();
    let signers: Vec<_> =
        status["epochs"].as_array().expect("a list").iter().map(|one| &one["receiptSigner"]).collect();
    assert!(signers[0] != signers[1] && signers[1] != signers[2], "{status}");
    // A file from before the rotation is behind the chain, and says so.
    world.kgc(&["retire", "1"]);
    assert_eq!(world.epochs()[0], (1, "retired".to_owned()));
    assert_eq!(world.kgc(&["retire", "1"])["already"], true);
    world.opens(&first, 1);
}

/// The key is in the file, and not on chain: nobody seals to it, all opens, and it is the one that
/// is published then.
#[test]
fn a_rotation_that_ended_between_file_and_chain_goes_on() {
    let world = World::new();
    let first = world.sealed(1);
    let old = world.read(KEY_FILE);
    let printed = world.medseal(&["kgc", "rotate", "--print", "tx"]);
    assert_eq!(printed.code, 0, "{} {}", printed.stdout, printed.stderr);
    assert_eq!(world.read(BEFORE), old);
    assert_eq!(mode(&world.path(BEFORE)), 0o600);
    let status = world.status();
    assert_eq!((&status["rotating"], &status["onChain"]["same"]), (&json!(true), &json!(true)), "{status}");
    assert_eq!(world.epochs(), [published(&[1]), vec![(2, "none".to_owned())]].concat());
    let pending = status["epochs"][1]["x25519"].clone();
    let second = world.sealed(2);
    assert_eq!(world.epoch_of(&second), json!(1));
    let serving = Serving::start(&world, &["--anchor-every", "0"]);
    world.medseal(&["open", &second, "-o", "o", "--kgc-url", &serving.url]).result();
    serving.stop();
    world.opens(&first, 1);
    assert_eq!(world.kgc(&["rotate"])["x25519"], pending);
    assert_eq!(world.epochs(), published(&[1, 2]));
    assert!(!world.path(BEFORE).exists());
    // Ended between the copy and the new file: nothing was made yet.
    std::fs::copy(world.path(KEY_FILE), world.path(BEFORE)).expect("copied");
    assert_eq!(world.kgc(&["rotate"])["epochs"], json!([1, 2, 3]));
    // Ended after it was published: no other key is made.
    world.write(BEFORE, &old);
    assert_eq!(world.status()["rotating"], true);
    assert_eq!(world.kgc(&["rotate"])["epochs"], json!([1, 2, 3]));
    assert!(!world.path(BEFORE).exists());
    world.opens(&first, 1);
    world.opens(&second, 2);
}

#[test]
fn killed_at_any_moment_a_rotation_is_finished_by_the_next() {
    let world = World::new();
    let first = world.sealed(1);
    for round in 0..6 {
        let (before, key_file) = (world.on_chain(), world.read(KEY_FILE));
        let mut command = world.command(&["kgc", "rotate"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        // At once, and once the file is written, a little later each time.
        for _ in 0..if round == 0 { 0 } else { 5_000 } {
            if world.path(BEFORE).exists() || child.try_wait().expect("asked").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(4 * round));
        child.kill().expect("killed");
        let finished = child.wait().expect("ended").success();
        let changed = world.read(KEY_FILE) != key_file;
        assert!(!finished || changed, "round {round}");
        if !finished {
            world.kgc(&["rotate"]);
        }
        assert_eq!(world.on_chain(), before + 1, "round {round}");
        let all: Vec<u64> = (1..=before + 1).collect();
        assert_eq!(world.epochs(), published(&all), "round {round}");
        assert!(!world.path(BEFORE).exists());
        world.opens(&first, 1);
    }
}

#[test]
fn keys_that_are_behind_the_chain_are_not_rotated() {
    let world = World::new();
    let old = world.read(KEY_FILE);
    world.kgc(&["rotate"]);
    world.write(KEY_FILE, &old);
    let refusal = world.refused(&["kgc", "rotate"], 1, "KGC_KEY");
    assert!(refusal.message.contains("restore the newest backup"), "{}", refusal.message);
    // Another key center under this one's id is none.
    std::fs::remove_file(world.path(KEY_FILE)).expect("removed");
    world.kgc(&["init", "--no-passphrase", "--offline"]);
    world.refused(&["kgc", "rotate"], 5, "UNKNOWN_KGC_KEY");
}

#[test]
fn a_running_service_says_that_it_has_an_old_key() {
    let world = World::new();
    let (serving, reader) = (Serving::start(&world, &["--anchor-every", "0"]), Elsewhere::of(&world));
    let first = world.sealed(1);
    let ready = |serving: &Serving, wanted: u16| {
        let mut last = String::new();
        for _ in 0..200 {
            let answer = world.runtime.block_on(async {
                let answer = reqwest::get(format!("{}/readyz", serving.url)).await.expect("an answer");
                (answer.status().as_u16(), answer.text().await.expect("text"))
            });
            if answer.0 == wanted {
                return answer.1;
            }
            last = answer.1;
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("never {wanted}: {last}")
    };
    ready(&serving, 200);
    world.kgc(&["rotate"]);
    let why = ready(&serving, 503);
    assert!(why.contains("start the service again"), "{why}");
    serving.stop();
    let serving = Serving::start(&world, &["--anchor-every", "0"]);
    ready(&serving, 200);
    let second = world.sealed(2);
    reader.fetch_from(world.folder.path());
    for id in [&first, &second] {
        reader.medseal(&["open", id, "-o", "o", "--force", "--kgc-url", &serving.url]).result();
    }
}
