//! Copies of the keys: each way back, each copy that is of no use, and the drill that finds it.

use super::{BEFORE, KEY_FILE, World, mode, names};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const KGC: &str = ".medseal/kgc";

/// How many images each way is tried with.
fn images() -> u64 {
    std::env::var("MEDSEAL_RESTORES").ok().map_or(4, |count| count.parse().expect("a number"))
}

/// A world with images of two epochs, and backups of all kinds.
struct Safe {
    world: World,
    ids: Vec<String>,
}

impl Safe {
    fn new(images: u64) -> Self {
        let world = World::new();
        let seal = |seeds: std::ops::Range<u64>| seeds.map(|seed| world.sealed(seed)).collect::<Vec<_>>();
        let mut ids = seal(0..images / 2);
        world.kgc(&["rotate"]);
        ids.extend(seal(images / 2..images));
        world.write("passphrase", "correct horse\n");
        world.write("other", "wrong horse\n");
        let public = world.medseal(&["capsules", "new-key", "recovery"]).result()["public"].take();
        world.kgc(&["backup", "locked", "--passphrase-file", "passphrase"]);
        world.kgc(&["backup", "shares", "--shares", "2-of-3"]);
        world.kgc(&["backup", "sealed", "--to", public.as_str().expect("a key")]);
        Self { world, ids }
    }

    fn share(&self, number: u8) -> String {
        format!("shares/share-{number}-of-3.json")
    }

    /// The ways back, as arguments.
    fn ways(&self) -> Vec<Vec<String>> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        vec![
            owned(&["locked", "--passphrase-file", "passphrase"]),
            vec![self.share(3), self.share(1)],
            owned(&["sealed", "--recovery-key", "recovery"]),
        ]
    }

    fn run(&self, verb: &str, way: &[String], more: &[&str]) -> super::super::Run {
        let way: Vec<&str> = way.iter().map(String::as_str).collect();
        self.world.medseal(&[&["kgc", verb], &way[..], more].concat())
    }
}

/// The disk is gone: each way brings every image back, byte by byte.
#[test]
fn a_lost_disk_is_restored_in_three_ways() {
    let safe = Safe::new(images());
    let world = &safe.world;
    let log = ["release.log", "release.log.state"].map(|name| (name, world.read(&format!("{KGC}/{name}"))));
    for way in safe.ways() {
        let exists = safe.run("restore", &way, &["--no-passphrase"]).refusal(8, "KGC_EXISTS");
        assert!(exists.message.contains("not overwritten"), "{}", exists.message);
        std::fs::remove_dir_all(world.path(KGC)).expect("lost");
        world.medseal(&["open", &safe.ids[0], "-o", "o"]).refusal(5, "KGC_MISSING");
        let restored = safe.run("restore", &way, &["--no-passphrase"]).result();
        assert_eq!((&restored["epochs"], &restored["onChain"]), (&json!([1, 2]), &json!(true)), "{restored}");
        assert_eq!(mode(&world.path(KEY_FILE)), 0o600);
        assert_eq!(mode(&world.path(KGC)), 0o700);
        assert_eq!(world.status()["onChain"]["same"], true);
        // The log lies in a copy of its own.
        for (name, bytes) in &log {
            world.write(&format!("{KGC}/{name}"), bytes);
        }
        for (id, seed) in safe.ids.iter().zip(0..) {
            world.opens(id, seed);
        }
        world.medseal(&["seal", "0.png", "--again"]).result();
    }
    // With a passphrase for the new key file, asked for in no way.
    std::fs::remove_dir_all(world.path(KGC)).expect("lost");
    safe.run("restore", &safe.ways()[1], &["--kgc-password-file", "other"]).result();
    world.medseal(&["kgc", "status"]).refusal(4, "KGC_PASSPHRASE");
    assert_eq!(world.kgc(&["status", "--kgc-password-file", "other"])["onChain"]["same"], true);
}

/// An older log is not taken for the newest: the anchors say so, and what to do.
#[test]
fn a_log_that_is_older_than_its_anchor_gives_nothing() {
    let world = World::new();
    let id = world.sealed(1);
    world.kgc(&["backup", "shares", "--shares", "2-of-2"]);
    let old = ["release.log", "release.log.state"].map(|name| (name, world.read(&format!("{KGC}/{name}"))));
    world.opens(&id, 1);
    world.kgc(&["anchor"]);
    std::fs::remove_dir_all(world.path(KGC)).expect("lost");
    world.kgc(&["restore", "shares/share-1-of-2.json", "shares/share-2-of-2.json", "--no-passphrase"]);
    world.medseal(&["open", &id, "-o", "o"]).refusal(3, "KGC_LOG");
    for (name, bytes) in &old {
        world.write(&format!("{KGC}/{name}"), bytes);
    }
    let refusal = world.medseal(&["open", &id, "-o", "o"]).refusal(3, "KGC_LOG");
    assert!(refusal.hint.contains("kgc new-log"), "{}", refusal.hint);
    world.kgc(&["new-log"]);
    world.opens(&id, 1);
}

#[test]
fn a_backup_of_no_use_is_named_and_restores_nothing() {
    let safe = Safe::new(2);
    let world = &safe.world;
    std::fs::rename(world.path(KGC), world.path("kgc")).expect("moved");
    let refused = |files: &[&str], exit, code: &str, words: &str| {
        for verb in ["restore", "drill"] {
            let flags: &[&str] = if verb == "restore" { &["--no-passphrase"] } else { &[] };
            let refusal = world.refused(&[&["kgc", verb], files, flags].concat(), exit, code);
            assert!(refusal.message.contains(words), "{verb}: {}", refusal.message);
        }
        assert!(!world.path(KGC).exists());
    };
    let [one, two] = [safe.share(1), safe.share(2)];
    refused(&[&one], 3, "KGC_BACKUP", "expected 2 different shares");
    refused(&[&one, &one], 3, "KGC_BACKUP", "found 1");
    refused(&[&one, "locked"], 3, "KGC_BACKUP", "locked is a whole backup");
    refused(&["locked", "--passphrase-file", "other"], 4, "KGC_PASSPHRASE", "the passphrase is wrong");
    refused(&["sealed"], 3, "KGC_BACKUP", "sealed to the recovery key");
    world.medseal(&["capsules", "new-key", "stranger"]).result();
    refused(&["sealed", "--recovery-key", "stranger"], 3, "KGC_BACKUP", "found 0x");
    refused(&["0.png"], 3, "KGC_BACKUP", "is not a backup");
    refused(&["nothing"], 5, "KGC_MISSING", "nothing");
    let text = String::from_utf8(world.read(&two)).expect("text");
    let share = text.split("\"share\": \"0x").nth(1).expect("a share");
    let digit = if share.starts_with('0') { "1" } else { "0" };
    world.write("altered", text.replacen(&share[..64], &format!("{digit}{}", &share[1..64]), 1));
    refused(&[&one, "altered"], 3, "KGC_BACKUP", "the share in altered was changed");
    std::fs::set_permissions(world.path(&two), std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("set");
    refused(&[&one, &two], 1, "KGC_KEY_FILE", "others may use the keys");
    std::fs::set_permissions(world.path(&two), std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
    // The next epoch: the old backup is behind the chain, and its shares are of another.
    std::fs::rename(world.path("kgc"), world.path(KGC)).expect("moved back");
    world.kgc(&["rotate"]);
    world.kgc(&["backup", "later", "--shares", "2-of-3"]);
    std::fs::rename(world.path(KGC), world.path("kgc")).expect("moved");
    refused(&[&one, "later/share-2-of-3.json"], 3, "KGC_BACKUP", "(epoch 2), found");
    refused(&[&one, &two], 1, "KGC_KEY", "restore the newest backup");
    refused(&["locked", "--passphrase-file", "passphrase"], 1, "KGC_KEY", "restore the newest backup");
    assert!(!world.path(BEFORE).exists());
}

#[test]
fn a_backup_is_made_once_and_for_its_owner_alone() {
    let world = World::new();
    world.write("passphrase", "correct horse\n");
    let made = world.kgc(&["backup", "shares", "--shares", "3-of-5"]);
    assert_eq!((&made["threshold"], made["files"].as_array().map(Vec::len)), (&json!(3), Some(5)), "{made}");
    assert_eq!(mode(&world.path("shares")), 0o700);
    assert_eq!(names(&world.path("shares")).len(), 5);
    for name in names(&world.path("shares")) {
        assert_eq!(mode(&world.path("shares").join(name)), 0o600);
    }
    world.refused(&["kgc", "backup", "shares", "--shares", "3-of-5"], 8, "OUTPUT_EXISTS");
    world.kgc(&["backup", "locked", "--passphrase-file", "passphrase"]);
    assert_eq!(mode(&world.path("locked")), 0o600);
    world.refused(&["kgc", "backup", "locked", "--passphrase-file", "passphrase"], 8, "OUTPUT_EXISTS");
    world.refused(&["kgc", "backup", "b"], 2, "SETTINGS");
    for wrong in ["1-of-3", "4-of-3", "2-of-17"] {
        world.refused(&["kgc", "backup", "b", "--shares", wrong], 2, "SETTINGS");
    }
    world.refused(&["kgc", "backup", "b", "--shares", "2of3"], 2, "USAGE");
    world.refused(&["kgc", "backup", "b", "--to", &format!("0x{}", "00".repeat(32))], 2, "READER_KEY");
    world.write("empty", "\n");
    world.refused(&["kgc", "backup", "b", "--passphrase-file", "empty"], 1, "KGC_KEY_FILE");
    std::fs::set_permissions(world.path("passphrase"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .expect("set");
    world.refused(&["kgc", "backup", "b", "--passphrase-file", "passphrase"], 1, "FILE");
}

/// The drill opens real records, of all epochs that have any, and leaves nothing.
#[test]
fn a_drill_opens_records_and_gives_nothing_out() {
    let safe = Safe::new(4);
    let world = &safe.world;
    world.kgc(&["rewrap", &safe.ids[0]]);
    let scratch = world.path("scratch");
    std::fs::create_dir(&scratch).expect("made");
    let before = world.read(".medseal/kgc/release.log");
    let drill = |way: &[String], more: &[&str], code| {
        let way: Vec<&str> = way.iter().map(String::as_str).collect();
        let args = [&["kgc", "drill"], &way[..], more, &["--json"]].concat();
        super::super::Run::of(world.command(&args).env("TMPDIR", &scratch)).result_with(code)
    };
    for way in safe.ways() {
        let drilled = drill(&way, &[], 0);
        assert_eq!(drilled["opened"].as_array().map(Vec::len), Some(3), "{drilled}");
        assert_eq!(drilled["epochs"], json!([{"epoch": 1, "images": 2}, {"epoch": 2, "images": 1}]), "{drilled}");
        assert_eq!(names(&scratch), [""; 0]);
    }
    let all = drill(&safe.ways()[1], &["--images", "100"], 0);
    assert_eq!(all["opened"].as_array().map(Vec::len), Some(4), "{all}");
    assert!(world.read(".medseal/kgc/release.log") == before, "something was given out");
    // An image whose stored bytes are another's: named, and the drill is not good.
    let block = world.block(&world.medseal(&["show", &safe.ids[0]]).result()["registration"]);
    std::fs::write(block, b"other").expect("written");
    let bad = drill(&safe.ways()[1], &["--images", "4"], 3);
    assert_eq!((&bad["good"], &bad["failed"][0]["imageId"]), (&json!(false), &json!(safe.ids[0])), "{bad}");
    assert_eq!(names(&scratch), [""; 0]);
}

/// Whatever ends it: no key file is left in the scratch folder.
#[test]
fn a_drill_that_is_ended_leaves_nothing() {
    let safe = Safe::new(2);
    let scratch = safe.world.path("scratch");
    std::fs::create_dir(&scratch).expect("made");
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let mut command: Command = safe.world.command(&["kgc", "drill", &safe.share(1), &safe.share(2)]);
        // A node that never answers: the drill waits, with its folder made.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        command.env("ETH_RPC_URL", format!("http://{}", silent.local_addr().expect("an address")));
        command.env("TMPDIR", &scratch).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("starts");
        for _ in 0..5_000 {
            if !names(&scratch).is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let made: Vec<PathBuf> = names(&scratch).iter().map(|name| scratch.join(name)).collect();
        assert_eq!(made.len(), 1);
        assert_eq!(mode(&made[0]), 0o700);
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).expect("it runs");
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(128 + signal.as_raw()));
        assert_eq!(names(&scratch), [""; 0], "{signal:?}");
    }
    let _: Value = safe.world.status();
}
