//! One lie at a time, about one method's answers, before each command that reads: no panic, no
//! loop, no more than 1 GiB, and nothing is said that is not so. Afterwards an honest node serves.
//! A tenth of the lies, drawn by a seed; `MEDSEAL_LIES=all` tries every one.

use super::scene::{Ended, Scene};
use super::table::{METHODS, lies};
use crate::chain::proxy::Fault;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Most memory of the program.
const MOST_KIB: u64 = 1 << 20;

/// What is true, as an honest node has it.
struct Truth {
    audit: Value,
    check: Value,
    show: Value,
    block_hash: String,
}

/// A command and the file that it writes, if it does.
fn commands(scene: &Scene) -> Vec<Vec<String>> {
    let (id, tampered) = (scene.id.as_str(), scene.tampered.as_str());
    let commands: [&[&str]; 7] = [
        &["audit", "--from-start"],
        &["evidence", id, "-o", "lied.evidence", "--force"],
        &["verify", id],
        &["verify", tampered],
        &["show", id],
        &["open", id, "-o", "lied.png", "--force"],
        &["open", id, "-o", "lied.png", "--force", "--as", "stranger"],
    ];
    commands.iter().map(|command| command.iter().map(|word| (*word).to_owned()).collect()).collect()
}

/// What a node may say without proof.
fn without_places(show: &Value) -> Value {
    let mut show = show.clone();
    for event in show["events"].as_array_mut().into_iter().flatten() {
        event["transaction"].take();
        event["logIndex"].take();
        event["block"].take();
    }
    for name in ["block", "blockHash", "transaction"] {
        show["registration"][name].take();
    }
    show
}

/// Checks that what was said, if anything was, is so.
fn judge(scene: &Scene, truth: &Truth, command: &[String], ended: &Ended, lie: &str) {
    let said = || format!("{lie}: {command:?} ended with {:?}: {} {}", ended.code, ended.stdout, ended.stderr);
    assert!(matches!(ended.code, Some(0..=8)), "{}", said());
    assert!(ended.most_kib <= MOST_KIB, "{} KiB; {}", ended.most_kib, said());
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'), "{}", said());
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}; {}", said()));
    if answer["error"].is_object() {
        assert_ne!(ended.code, Some(0), "{}", said());
        return;
    }
    let result = &answer["result"];
    let is_so = match (command[0].as_str(), command.last().map(String::as_str)) {
        ("audit", _) => ["seq", "head", "summary", "blockHash"].iter().all(|name| result[name] == truth.audit[name]),
        ("evidence", _) => {
            let checked = scene.honest(&["check", "lied.evidence", "--block-hash", &truth.block_hash]);
            checked.code == 0 && same_history(&checked.result(), &truth.check)
        }
        ("verify", Some(id)) => result["verdict"] == if id == scene.tampered { "invalid" } else { "valid" },
        ("show", _) => without_places(result) == without_places(&truth.show),
        ("open", Some("stranger")) => false,
        ("open", _) => std::fs::read(scene.path("lied.png")).ok() == std::fs::read(scene.path("a.png")).ok(),
        _ => panic!("{command:?}"),
    };
    assert!(is_so, "{}", said());
}

/// What is proven of the image, wherever the file lies.
fn same_history(found: &Value, truth: &Value) -> bool {
    ["imageId", "record", "verifications", "flags", "seq"].iter().all(|name| found[name] == truth[name])
}

/// Whether a lie is tried; all are, if the environment says so.
struct Draw(Option<u64>);

impl Draw {
    fn new() -> Self {
        if std::env::var("MEDSEAL_LIES").is_ok_and(|lies| lies == "all") {
            return Self(None);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let seed = std::env::var("MEDSEAL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now);
        eprintln!("a tenth of the lies: MEDSEAL_SEED={seed} draws the same");
        Self(Some(seed))
    }

    fn takes(&mut self) -> bool {
        let Some(state) = &mut self.0 else { return true };
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33).is_multiple_of(10)
    }
}

#[test]
fn no_lie_about_an_answer_is_passed_on() {
    let scene = Scene::with_tampered();
    let block_hash = scene.newest()["hash"].as_str().expect("a hash").to_owned();
    scene.honest(&["evidence", &scene.id, "-o", "true.evidence"]).result();
    let truth = Truth {
        audit: scene.honest(&["audit", "--from-start"]).result(),
        check: scene.honest(&["check", "true.evidence", "--block-hash", &block_hash]).result(),
        show: scene.honest(&["show", &scene.id]).result(),
        block_hash,
    };
    let (mut draw, mut tried) = (Draw::new(), 0);
    for method in METHODS {
        for command in commands(&scene) {
            // From the first answer on, and once what comes first was answered well.
            for from in [0, 2] {
                for (name, lie) in lies(method) {
                    if !draw.takes() {
                        continue;
                    }
                    let asked = Arc::new(AtomicUsize::new(0));
                    let counted = Arc::clone(&asked);
                    let url = scene.liar(move |request| match request["method"] == method {
                        true if counted.fetch_add(1, Ordering::Relaxed) >= from => lie(request),
                        _ => Fault::None,
                    });
                    let _ = std::fs::remove_file(scene.path("lied.png"));
                    let ended = scene.ended(&url, &command);
                    let lie = format!("{method}, from answer {from} on: {name}");
                    judge(&scene, &truth, &command, &ended, &lie);
                    tried += 1;
                    if asked.load(Ordering::Relaxed) <= from {
                        // This command does not ask so often.
                        break;
                    }
                }
            }
        }
        let after = scene.honest(&["show", &scene.id]).result();
        assert_eq!(without_places(&after), without_places(&truth.show), "after {method}");
    }
    let file = scene.honest(&["open", &scene.id, "-o", "after.png"]);
    assert_eq!(file.result()["byteForByte"], json!(true));
    eprintln!("{tried} lies were tried");
    assert!(tried > 50, "{tried} lies were tried");
}
