//! `medseal keygen-report`: figures of a folder's images, and folders that cannot be measured. No
//! chain is needed.

use super::{Run, png, program};
use medseal::imaging::{Format, encode, phantom};
use serde_json::{Value, json};
use std::path::Path;

fn report(folder: &Path, args: &[&str]) -> Run {
    Run::of(program(folder).arg("keygen-report").args(args).arg("--json"))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, bytes).expect("written");
}

/// Three images, one of them twice and one in a folder of the folder; a JPEG; and two files that
/// are none.
fn scans() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let tiff = encode(&phantom(30, 20, 16, 3), Format::Tiff).expect("encoded");
    let files: [(&str, &[u8]); 7] = [
        ("scans/a.png", &png(40, 40, 1)),
        ("scans/again.png", &png(40, 40, 1)),
        ("scans/deep/er/b.tif", &tiff),
        ("scans/c.png", &png(9, 9, 2)),
        ("scans/d.jpg", b"\xff\xd8\xff\xe0 and so on, and so on, as a camera writes it"),
        ("scans/notes.txt", b"no image"),
        ("scans/cut.png", &png(40, 40, 1)[..60]),
    ];
    for (name, bytes) in files {
        write(folder.path(), name, bytes);
    }
    folder
}

fn measured<'a>(rows: &'a Value, name: &str) -> &'a Value {
    let rows = rows.as_array().expect("rows");
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_figures_of_a_folder() {
    let folder = scans();
    let result = report(folder.path(), &["scans", "--changes", "154", "--picture", "keys.svg"]).result();
    assert_eq!((&result["images"], &result["repeated"], &result["seed"]), (&json!(4), &json!(1), &json!(1)));
    let passed_over: Vec<&str> = result["passedOver"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["file"].as_str().expect("a path"))
        .collect();
    assert_eq!(passed_over, ["scans/cut.png", "scans/notes.txt"]);
    assert_eq!(result["model"], json!(medseal::keygen::MODEL_DIGEST));
    for (section, bits) in [("rawBits", 768), ("derivedKeys", 256)] {
        let section = &result[section];
        assert_eq!(section["bits"], bits);
        let sum = |counts: &Value| counts.as_array().expect("counts").iter().filter_map(Value::as_u64).sum::<u64>();
        assert_eq!((section["distances"].as_array().map(Vec::len), sum(&section["distances"])), (Some(bits + 1), 6));
        let changes = section["changes"].as_array().expect("changes");
        assert_eq!(changes.len(), 15);
        let levels =
            changes.iter().filter(|change| change["change"].as_str().expect("a name").starts_with("one level"));
        assert_eq!(levels.filter_map(|change| change["count"].as_u64()).sum::<u64>(), sum(&section["flips"]));
        for name in ["shareOfOnes", "worstBias", "correlationRms", "worstCorrelation", "meanDistance", "closePairs"] {
            assert_ne!(measured(&section["images"], name)["verdict"], "outside", "{name}");
        }
        assert_eq!(measured(&section["levels"], "meanFlips")["verdict"], "within");
    }
    let picture = std::fs::read_to_string(folder.path().join("keys.svg")).expect("a picture");
    assert!(picture.starts_with("<svg ") && !picture.contains("scans"), "the picture names no file");

    report(folder.path(), &["scans", "--picture", "keys.svg"]).refusal(8, "OUTPUT_EXISTS");
    report(folder.path(), &["scans", "--changes", "1", "--picture", "keys.svg", "--force"]).result();
    assert_ne!(std::fs::read_to_string(folder.path().join("keys.svg")).expect("a picture"), picture);
}

#[test]
fn the_seed_decides_what_is_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let flips = |args: &[&str]| {
        let all = [&["--phantoms", "3", "--changes", "33"], args].concat();
        report(folder.path(), &all).result()["rawBits"]["flips"].take()
    };
    assert_eq!(flips(&[]), flips(&["--seed", "1"]));
    assert_ne!(flips(&[]), flips(&["--seed", "2"]));
}

#[test]
fn people_see_a_table_and_what_was_passed_over() {
    let folder = scans();
    let run = Run::of(program(folder.path()).args(["keygen-report", "scans", "--changes", "88"]));
    assert_eq!(run.code, 0, "{}", run.stderr);
    for part in [
        "4 unlike images (1 more are repetitions)",
        "bias of the worst bit",
        "one level, plain bytes, corner",
        "derived keys, 256 bits",
    ] {
        assert!(run.stdout.contains(part), "no \"{part}\" in {}", run.stdout);
    }
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    assert!(run.stderr.contains("passed over scans/notes.txt: it is no image that is known"), "{}", run.stderr);
}

#[test]
fn folders_that_cannot_be_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "one/a.png", &png(8, 8, 1));
    write(folder.path(), "one/b.png", &png(8, 8, 1));
    write(folder.path(), "none/a.txt", b"text");
    std::fs::create_dir(folder.path().join("empty")).expect("made");
    let refused = |args: &[&str], exit, code| report(folder.path(), args).refusal(exit, code);
    refused(&["absent"], 5, "FILE_NOT_FOUND");
    refused(&["one/a.png"], 1, "FILE");
    refused(&["one", "--picture", "absent/keys.svg"], 5, "FILE_NOT_FOUND");
    assert!(refused(&["empty"], 1, "TOO_FEW_IMAGES").message.ends_with("in empty, found 0"));
    assert!(refused(&["one"], 1, "TOO_FEW_IMAGES").message.ends_with("in one, found 1"));
    let refusal = refused(&["none"], 1, "TOO_FEW_IMAGES");
    assert!(refusal.message.contains("1 files were passed over, the first, none/a.txt"), "{}", refusal.message);
    assert!(refusal.hint.contains("--phantoms"), "{}", refusal.hint);
    refused(&["--phantoms", "1"], 1, "TOO_FEW_IMAGES");
    for args in [&[][..], &["--phantoms", "0"], &["one", "--changes", "0"], &["one", "--force"]] {
        let run = report(folder.path(), args);
        assert_eq!((run.code, &run.json()["error"]["code"]), (2, &json!("USAGE")), "{args:?}");
    }
}
