//! `medseal evidence` and `medseal check`: made on a chain, checked by a program that has no
//! network at all.

use super::{Run, World, png, program};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// `medseal` in an empty folder, without a network where this machine lets a test take it away, and
/// without a node in any case.
fn unplugged(folder: &Path, args: &[&str]) -> Command {
    let mut plain = program(folder);
    let can = Command::new("unshare").args(["-rn", "true"]).output().is_ok_and(|run| run.status.success());
    if !can {
        eprintln!("no unshare -rn here: the network stays, and no node is at the address that is named");
        plain.env("ETH_RPC_URL", "http://127.0.0.1:1").args(args);
        return plain;
    }
    eprintln!("without a network: unshare -rn");
    let mut command = Command::new("unshare");
    command.arg("-rn").arg(plain.get_program()).args(args).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

#[test]
fn evidence_is_checked_without_a_network_and_says_what_it_trusts() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.write(&format!("scans/{name}.png"), png(20, 30, u64::from(name.as_bytes()[0])));
    }
    let sealed = world.medseal(&["seal", "scans", "--relayer", "relayer"]).result();
    let images = sealed["images"].as_array().expect("images");
    let (id, other) = (images[0]["imageId"].as_str().expect("an id"), images[1]["imageId"].as_str().expect("an id"));
    world.medseal(&["verify", id, "--record", "--relayer", "relayer"]).result();
    std::fs::copy(world.block(&images[0]), world.path("a.msl")).expect("copied");
    std::fs::copy(world.block(&images[1]), world.path("b.msl")).expect("copied");
    world.medseal(&["role", "list"]).result();
    world.medseal(&["grant", id, &super::wallet(2)]).result();
    let written = world.medseal(&["evidence", id, "-o", "a.evidence"]).result();
    let hash = written["blockHash"].as_str().expect("a hash");
    assert_eq!((&written["events"], &written["receipts"], &written["linked"]), (&json!(3), &json!(2), &json!(true)));
    world.refused(&["evidence", id, "-o", "a.evidence"], 8, "OUTPUT_EXISTS");
    world.refused(&["evidence", &format!("0x{}", "11".repeat(32)), "-o", "x"], 5, "UNKNOWN_IMAGE");

    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a.evidence", "a.msl", "b.msl"] {
        std::fs::copy(world.path(name), folder.path().join(name)).expect("copied");
    }
    let registry = world.registry().address().to_checksum(None);
    let other_id = other.to_owned();
    let (id, hash) = (id.to_owned(), hash.to_owned());
    drop(world);
    let check = |args: &[&str]| Run::of(unplugged(folder.path(), &[&["check"], args].concat()).arg("--json"));
    let all = ["a.evidence", "--block-hash", &hash, "--sealed", "a.msl", "--registry", &registry];
    let result = check(&all).result();
    assert_eq!((&result["trusts"]["blockHash"], &result["trusts"]["registryWasNamed"]), (&json!(hash), &json!(true)));
    let proves = &result["proves"];
    assert_eq!((&proves["imageId"], &proves["record"]["way"]), (&json!(id), &json!("batch")));
    assert_eq!((&proves["record"]["signed"], &proves["record"]["state"]), (&json!("wallet"), &json!("registered")));
    let verified: Vec<(&Value, &Value)> =
        proves["verifications"].as_array().expect("a list").iter().map(|one| (&one["valid"], &one["signed"])).collect();
    assert_eq!(verified, [(&json!(true), &json!("wallet"))]);
    let talk = Run::of(&mut unplugged(folder.path(), &["check", "a.evidence", "--block-hash", &hash]));
    assert_eq!(talk.code, 0, "{}", talk.stderr);
    assert!(
        talk.stdout.contains("trusted\n  block") && talk.stdout.contains("verifications, all 1"),
        "{}",
        talk.stdout
    );

    refused_by_check(folder.path(), (&id, &other_id), &hash);
}

/// What is no evidence, no evidence of this image, or not for who asks: each is refused by its
/// name.
fn refused_by_check(folder: &Path, (id, other_id): (&str, &str), hash: &str) {
    let check = |args: &[&str]| Run::of(unplugged(folder, &[&["check"], args].concat()).arg("--json"));
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("written");
    let good = std::fs::read(folder.join("a.evidence")).expect("a file");
    write("cut", &good[..good.len() - 9]);
    write("deep", &vec![b'['; 1 << 20]);
    write("other", String::from_utf8(good).expect("text").replace(id, other_id).as_bytes());
    let large = std::fs::File::create(folder.join("large")).expect("made");
    large.set_len(1 << 40).expect("a file with a hole");
    let mut image = std::fs::read(folder.join("a.msl")).expect("a file");
    image[200] ^= 1;
    write("changed.msl", &image);
    let zero = format!("0x{}", "00".repeat(32));
    let nobody = super::wallet(9);
    let evidence: &[&str] = &["a.evidence", "--block-hash", hash];
    for (args, exit, code) in [
        (vec!["a.evidence", "--block-hash", &zero], 3, "OTHER_BLOCK"),
        (vec!["cut", "--block-hash", hash], 3, "NOT_EVIDENCE"),
        (vec!["deep", "--block-hash", hash], 3, "NOT_EVIDENCE"),
        (vec!["large", "--block-hash", hash], 3, "NOT_EVIDENCE"),
        (vec!["a.msl", "--block-hash", hash], 3, "NOT_EVIDENCE"),
        (vec!["other", "--block-hash", hash], 3, "EVIDENCE_INVALID"),
        (vec!["absent", "--block-hash", hash], 5, "FILE_NOT_FOUND"),
        ([evidence, &["--sealed", "b.msl"]].concat(), 3, "OTHER_FILE"),
        ([evidence, &["--sealed", "changed.msl"]].concat(), 3, "OTHER_FILE"),
        ([evidence, &["--sealed", "absent"]].concat(), 5, "FILE_NOT_FOUND"),
        ([evidence, &["--registry", &nobody]].concat(), 7, "WRONG_CHAIN"),
        ([evidence, &["--chain-id", "5"]].concat(), 7, "WRONG_CHAIN"),
    ] {
        check(&args).refusal(exit, code);
    }
}
