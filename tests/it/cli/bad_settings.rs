//! Settings, state folders and key files that cannot be used.

use super::{World, copy_folder, png};

#[test]
fn settings_that_are_none() {
    let world = World::new();
    let unknown = format!("0x{}", "11".repeat(32));
    for (file, text, says) in [
        ("medseal.toml", "colour = 1", "no setting \"colour\""),
        ("medseal.toml", "home = ", "in medseal.toml"),
        (".env", "A='", "in .env"),
    ] {
        world.write(file, text);
        let refusal = world.refused(&["show", &unknown], 2, "SETTINGS");
        assert!(refusal.message.contains(says), "{}", refusal.message);
        std::fs::remove_file(world.path(file)).expect("removed");
    }
    let refusal = world.refused(&["show", &unknown, "--chain-id", "one"], 2, "SETTINGS");
    assert_eq!(refusal.message, "expected a number for chain_id, found \"one\"");
    world.refused(&["deploy", "--as", "nobody"], 2, "NO_WALLET");
    let refusal = world.refused(&["deploy", "--dev-account", "10"], 1, "WALLET");
    assert!(refusal.message.contains("expected 0 to 9"), "{}", refusal.message);
    // A keystore that is none, and one without its passphrase where nobody can be asked.
    world.refused(&["deploy", "--keystore", "absent", "--password-file", "absent"], 5, "WALLET");
    world.write("keystore", "{}");
    world.refused(&["deploy", "--keystore", "keystore"], 2, "SETTINGS");
    world.write("password", "secret word");
    let refusal = world.refused(&["deploy", "--keystore", "keystore", "--password-file", "password"], 1, "WALLET");
    assert!(!refusal.message.contains("secret word"), "{}", refusal.message);
    world.refused(&["kgc", "status", "--kgc-password-file", "absent"], 5, "FILE_NOT_FOUND");
}

#[test]
fn a_keystore_is_looked_at_before_it_is_opened() {
    const KEYSTORE: &str = include_str!("../../../src/chain/testdata/keystore.json");
    let world = World::new();
    world.write("password", "correct horse");
    world.write("other", "correct horse battery");
    let deploy = |password| ["deploy", "--keystore", "keystore", "--password-file", password];
    for (what, from, to) in [
        ("dklen", "\"dklen\":32", "\"dklen\":16"),
        ("n", "\"n\":8192", "\"n\":67108864"),
        ("n", "\"n\":8192", "\"n\":4294967296"),
        ("iv", "8a5bad2f1d184d4541a28714617f3edb", "8a5b"),
        ("kdf", "\"kdf\":\"scrypt\"", "\"kdf\":\"\\u001b[2J\""),
    ] {
        assert!(KEYSTORE.contains(from), "{from}");
        world.write("keystore", KEYSTORE.replace(from, to));
        let refusal = world.refused(&deploy("password"), 1, "WALLET");
        assert!(refusal.message.contains(&format!("expected {what} ")), "{}", refusal.message);
        assert!(!refusal.message.contains('\u{1b}'), "{}", refusal.message);
    }
    world.write("keystore", KEYSTORE);
    let refusal = world.refused(&deploy("other"), 4, "WALLET");
    assert!(refusal.message.contains("passphrase") && !refusal.message.contains("battery"), "{}", refusal.message);
}

#[test]
fn a_state_folder_that_cannot_be_made() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id");
    world.write("b.png", png(9, 9, 2));
    world.write("file", "");
    // Sealing looks for the KGC's key first, which is not there; opening for the store, which may
    // have newer capsules.
    world.refused(&["seal", "b.png", "--home", "file/home"], 1, "KGC_KEY_FILE");
    world.refused(&["open", id, "-o", "opened", "--home", "file/home"], 1, "STORE");
    world.refused(&["verify", id, "--home", "file/home"], 1, "STORE");
    world.refused(&["kgc", "init", "--no-passphrase", "--home", "file/home"], 1, "KGC_KEY_FILE");
    world.refused(&["grant", id, &super::wallet(2), "--home", "file/home"], 1, "FILE");
    world.refused(&["deploy", "--home", "file/home"], 1, "FILE");
    // A job that cannot be noted, and a store that cannot be written.
    std::fs::rename(world.path(".medseal/sender/jobs"), world.path("jobs")).expect("renamed");
    world.write(".medseal/sender/jobs", "");
    world.refused(&["seal", "b.png"], 1, "STATE");
    std::fs::remove_file(world.path(".medseal/sender/jobs")).expect("removed");
    std::fs::rename(world.path("jobs"), world.path(".medseal/sender/jobs")).expect("renamed");
    std::fs::rename(world.path(".medseal/store"), world.path("store")).expect("renamed");
    world.write(".medseal/store", "");
    world.refused(&["seal", "b.png"], 1, "STORE");
    assert_eq!(world.records(), 1);
}

#[test]
fn a_key_generation_center_that_is_not_there_or_there_already() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id");
    let refusal = world.refused(&["kgc", "init", "--no-passphrase"], 8, "KGC_EXISTS");
    assert!(refusal.hint.contains("never overwritten"), "{}", refusal.hint);
    for args in [&["seal", "a.png"][..], &["open", id, "-o", "opened"], &["kgc", "status"], &["kgc", "publish"]] {
        let refusal = world.refused(&[args, &["--home", "other"]].concat(), 5, "KGC_MISSING");
        assert!(refusal.hint.contains("medseal kgc init"), "{}", refusal.hint);
    }
    // A KGC that the chain does not know: nothing is sealed to it.
    world.medseal(&["kgc", "init", "--no-passphrase", "--offline", "--home", "other"]).result();
    let refusal = world.refused(&["seal", "a.png", "--home", "other"], 5, "UNKNOWN_KGC_KEY");
    assert!(refusal.hint.contains("medseal kgc publish"), "{}", refusal.hint);
    // Another KGC than the one that the image was sealed to.
    world.medseal(&["kgc", "publish", "--home", "other"]).result();
    world.medseal(&["seal", "a.png", "--home", "other"]).result();
    copy_folder(&world.path(".medseal/store"), &world.path("other/store"));
    let refusal = world.medseal(&["open", id, "-o", "opened", "--home", "other"]).refusal(1, "KGC");
    assert!(!world.path("opened").exists(), "{}", refusal.message);
    // A damaged key file.
    world.write("other/kgc/kgc.json", "{\"schema\":");
    world.refused(&["kgc", "status", "--home", "other"], 1, "KGC_KEY_FILE");
    // No passphrase, and nobody to ask.
    let refusal = world.refused(&["kgc", "init", "--home", "third"], 2, "SETTINGS");
    assert!(refusal.message.contains("MEDSEAL_KGC_PASSWORD"), "{}", refusal.message);
}
