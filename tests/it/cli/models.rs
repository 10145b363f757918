//! Other models and another engine through the command line: what is refused, and that nothing is
//! sealed with it.

use super::{Run, World, fetched, png, program};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::Path;

/// The embedded model, from its file.
fn embedded() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/vit_keygen.onnx");
    std::fs::read(path).expect("the model")
}

/// The embedded model with one weight a little different.
fn another() -> Vec<u8> {
    let mut model = embedded();
    let middle = model.len() / 2; // inside the decoder's 768 x 768 weights
    model[middle] ^= 1;
    model
}

fn digest(bytes: &[u8]) -> String {
    alloy::hex::encode(Sha256::digest(bytes))
}

/// A protobuf field with these bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("short");
    assert!(length < 0x80);
    [&[number << 3 | 2, length][..], bytes].concat()
}

/// A model of one weight with one value, and what else its tensor has.
fn of_one_weight(more: &[u8]) -> Vec<u8> {
    let tensor = [&[1 << 3, 1][..], &[2 << 3, 1], &field(8, b"weight"), more].concat();
    [&[1 << 3, 8][..], &field(7, &field(5, &tensor)), &field(8, &[2 << 3, 17])].concat()
}

/// A small report with the model in `model.onnx`.
fn report(folder: &Path, listed: &str) -> Run {
    let mut command = program(folder);
    command.env("MEDSEAL_MODELS", listed);
    Run::of(command.args(["keygen-report", "--phantoms", "2", "--changes", "4", "--model", "model.onnx", "--json"]))
}

#[test]
fn a_listed_model_is_used_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |model: &[u8]| std::fs::write(folder.path().join("model.onnx"), model).expect("written");
    let listed = format!("{},{}", "11".repeat(32), digest(&another()));
    write(&another());
    assert_eq!(report(folder.path(), &listed).result()["model"], json!(format!("0x{}", digest(&another()))));
    // The embedded one never has to be listed.
    write(&embedded());
    assert_eq!(report(folder.path(), "").result()["model"], json!(medseal::keygen::MODEL_DIGEST));

    let unlisted = another();
    let mut changed = another();
    changed[5000] ^= 0x80;
    let swapped = png(9, 9, 1);
    for (what, model, listed) in [
        ("not listed", &unlisted[..], ""),
        ("cut", &another()[..100_000], &listed),
        ("changed", &changed, &listed),
        ("swapped", &swapped, &listed),
        ("empty", b"", &listed),
        ("of the wrong one's digest", &another(), &digest(&embedded())),
    ] {
        write(model);
        let refusal = report(folder.path(), listed).refusal(3, "MODEL");
        assert!(refusal.message.contains(&digest(model)), "{what}: {}", refusal.message);
        assert!(refusal.hint.contains("MEDSEAL_MODELS"), "{what}: {}", refusal.hint);
    }
}

/// Listed by a careless operator: they are refused for what they hold.
#[test]
fn hostile_models_are_refused_even_if_they_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut not_finite = embedded();
    let middle = not_finite.len() / 2;
    not_finite[middle..middle + 8].fill(0xff);
    let outside =
        [field(13, &[field(1, b"location"), field(2, b"../../etc/passwd")].concat()), vec![14 << 3, 1]].concat();
    for (model, says) in [
        (not_finite, "is not finite"),
        (of_one_weight(&outside), "lie outside of the model file"),
        (embedded()[..100_000].to_vec(), "not an ONNX model"),
        (b"a text".to_vec(), "not an ONNX model"),
        (vec![0; (4 << 20) + 1], "at most 4194304 bytes"),
    ] {
        std::fs::write(folder.path().join("model.onnx"), &model).expect("written");
        let refusal = report(folder.path(), &digest(&model)).refusal(3, "MODEL");
        assert!(refusal.message.contains(says), "expected \"{says}\": {}", refusal.message);
    }
}

#[test]
fn model_files_and_lists_that_are_none() {
    let folder = tempfile::tempdir().expect("a folder");
    report(folder.path(), "").refusal(5, "FILE_NOT_FOUND");
    std::fs::create_dir(folder.path().join("model.onnx")).expect("made");
    report(folder.path(), "").refusal(1, "FILE");
    let refusal = report(folder.path(), "sha256:11").refusal(2, "SETTINGS");
    assert!(refusal.message.contains("sha256:11"), "{}", refusal.message);
}

#[test]
fn doctor_says_which_model_and_engine_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let finding = |args: &[&str], what: &str| {
        let mut command = program(folder.path());
        command.args(["doctor", "--json", "--rpc-url", "http://127.0.0.1:1"]).args(args);
        let mut findings = Run::of(&mut command).result_with(1)["findings"].take();
        let found = findings.as_array_mut().expect("findings").iter_mut().find(|finding| finding["what"] == what);
        found.map(serde_json::Value::take).unwrap_or_default()
    };
    let text = |finding: serde_json::Value| finding["found"].as_str().unwrap_or_default().to_owned();
    assert!(text(finding(&[], "transformer")).starts_with("embedded, sha-256 0x"));
    assert!(text(finding(&[], "engine")).contains("built in"));
    std::fs::write(folder.path().join("other.onnx"), another()).expect("written");
    let refused = finding(&["--model", "other.onnx"], "transformer");
    assert_eq!(refused["state"], "wrong", "{refused}");
    assert!(refused["mend"].as_str().is_some_and(|mend| mend.contains("MEDSEAL_MODELS")), "{refused}");
    let library = fetched("lib/libonnxruntime.so");
    let engine = text(finding(&["--onnx-runtime", library.to_str().expect("text")], "engine"));
    assert!(engine.starts_with(library.to_str().expect("text")), "{engine}");
}

#[test]
fn another_engine_is_a_library_by_its_absolute_path() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("library.so"), b"no library").expect("written");
    let run = |library: &Path| {
        let mut command = program(folder.path());
        command.args(["keygen-report", "--phantoms", "2", "--changes", "4", "--json", "--onnx-runtime"]).arg(library);
        Run::of(&mut command)
    };
    run(Path::new("library.so")).refusal(2, "SETTINGS");
    for wrong in ["library.so", "absent.so"] {
        let refusal = run(&folder.path().join(wrong)).refusal(1, "ENGINE");
        assert!(refusal.hint.contains("scripts/setup --python"), "{}", refusal.hint);
    }
    let library = fetched("lib/libonnxruntime.so");
    let engine = run(&library).result()["engine"].as_str().expect("text").to_owned();
    assert_eq!(engine, format!("ONNX Runtime from {}", library.display()));
}

#[test]
fn what_another_model_sealed_opens_and_what_it_may_not_seal_is_left_alone() {
    let world = World::new();
    world.write("a.png", png(20, 20, 1));
    world.write("other.onnx", another());
    world.refused(&["seal", "a.png", "--model", "other.onnx"], 3, "MODEL");
    assert_eq!(world.records(), 0);
    world.write(
        "config/medseal/medseal.toml",
        format!("model = \"other.onnx\"\nmodels = [\"{}\"]\n", digest(&another())),
    );
    let mut command = world.command(&["seal", "a.png", "--json"]);
    let image = Run::of(command.env("XDG_CONFIG_HOME", world.path("config"))).result()["images"][0].take();
    let id = image["imageId"].as_str().expect("an id");
    // Opening asks no model.
    std::fs::remove_file(world.path("other.onnx")).expect("removed");
    world.medseal(&["open", id, "-o", "opened.png"]).result();
    assert_eq!(world.read("opened.png"), world.read("a.png"));
}
