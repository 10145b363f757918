//! `registry check-source`: whether a chain runs given sources.

use super::{World, fetched, wallet};
use crate::common::root;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A copy of what the contract is built from, in the world's folder.
fn sources(world: &World) {
    for folder in ["contracts/src", "target"] {
        std::fs::create_dir_all(world.path("sources").join(folder)).expect("made");
    }
    for file in std::fs::read_dir(root("contracts/src")).expect("sources") {
        let file = file.expect("a file");
        let copy = world.path("sources/contracts/src").join(file.file_name());
        std::fs::copy(file.path(), copy).expect("copied");
    }
    std::fs::copy(root("foundry.toml"), world.path("sources/foundry.toml")).expect("copied");
    std::os::unix::fs::symlink(root("target/tools"), world.path("sources/target/tools")).expect("linked");
}

fn program(path: &Path, script: &str) {
    std::fs::write(path, script).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a program");
}

/// The compiler's answer with a metadata that says other things, and another byte of code.
fn changed(answer: &Value, change: impl Fn(&mut Value)) -> String {
    let mut answer = answer.clone();
    let contract = &mut answer["contracts"]["contracts/src/ImageRegistry.sol"]["ImageRegistry"];
    let mut metadata: Value = serde_json::from_str(contract["metadata"].as_str().expect("text")).expect("JSON");
    change(&mut metadata);
    contract["metadata"] = metadata.to_string().into();
    for code in ["bytecode", "deployedBytecode"] {
        let object = contract["evm"][code]["object"].as_str().expect("hex");
        let other = if object.starts_with("60") { "61" } else { "60" };
        contract["evm"][code]["object"] = format!("{other}{}", &object[2..]).into();
    }
    answer.to_string()
}

#[test]
fn a_chain_runs_these_sources_or_the_first_difference_is_named() {
    let _solc = fetched("node_modules/solc");
    let world = World::new();
    sources(&world);
    // The compiler, which keeps what it answered.
    let (solc, kept) = (root("scripts/tools/solc"), world.path("answer.json"));
    program(&world.path("solc"), &format!("#!/bin/sh\nexec '{}' \"$@\" | tee '{}'\n", solc.display(), kept.display()));
    let check: &[&str] = &["registry", "check-source", "--sources", "sources", "--solc", "./solc"];
    let found = world.medseal(check).result();
    assert_eq!(
        (&found["chainId"], &found["registry"]),
        (&json!(31337), &json!(world.registry().address().to_string()))
    );
    assert!(found["solc"].as_str().expect("a version").starts_with("0.8.37+"), "{found}");
    let answer: Value = serde_json::from_slice(&std::fs::read(&kept).expect("kept")).expect("JSON");
    program(&world.path("solc"), &format!("#!/bin/sh\ncat >/dev/null\ncat '{}'\n", kept.display()));
    assert!(world.medseal(&[check, &["--build"]].concat()).result()["chainId"].is_null());

    // Another constructor argument.
    let file = world.path("deployments/31337.json");
    let deployment = std::fs::read_to_string(&file).expect("a file");
    let mut other: Value = serde_json::from_str(&deployment).expect("JSON");
    other["arguments"]["admin"] = json!(wallet(7));
    std::fs::write(&file, other.to_string()).expect("written");
    let refusal = world.refused(check, 7, "SOURCE_DIFFERS");
    assert!(refusal.message.contains("constructor argument admin: expected"), "{}", refusal.message);
    std::fs::write(&file, deployment).expect("written");

    // Another compiler, and another setting of it.
    std::fs::write(&kept, changed(&answer, |metadata| metadata["compiler"]["version"] = json!("0.8.36")))
        .expect("written");
    let refusal = world.refused(check, 7, "SOURCE_DIFFERS");
    assert!(refusal.message.contains("found 0.8.36"), "{}", refusal.message);
    let runs = |metadata: &mut Value| metadata["settings"]["optimizer"]["runs"] = json!(601);
    std::fs::write(&kept, changed(&answer, runs)).expect("written");
    let refusal = world.refused(check, 7, "SOURCE_DIFFERS");
    assert!(refusal.message.contains("setting optimizer.runs: expected 600, found 601"), "{}", refusal.message);

    // One changed byte of the sources, compiled.
    let source = world.path("sources/contracts/src/Records.sol");
    let text = std::fs::read_to_string(&source).expect("a source");
    std::fs::write(&source, text.replace("MAX_BATCH = 100;", "MAX_BATCH = 101;")).expect("written");
    let real: &[&str] = &["registry", "check-source", "--sources", "sources", "--solc"];
    let refusal = world.refused(&[real, &[solc.to_str().expect("text")]].concat(), 7, "SOURCE_DIFFERS");
    assert!(refusal.message.contains("source file contracts/src/Records.sol is not"), "{}", refusal.message);

    // What can't be compiled, and no compiler.
    std::fs::write(&kept, r#"{"errors":[{"severity":"error","formattedMessage":"no contract"}]}"#).expect("written");
    assert!(world.refused(check, 1, "SOURCES").message.contains("no contract"));
    world.refused(&[real, &["./none"]].concat(), 1, "SOURCES");
    world.refused(&["registry", "check-source", "--sources", "nowhere"], 5, "FILE_NOT_FOUND");
}
