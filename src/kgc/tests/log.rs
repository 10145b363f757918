//! The log guards what is given out.

use std::fs::{self, OpenOptions};
use std::io::Write;

use super::*;

const EMPTY: LogHead = LogHead::EMPTY;

fn entry(at: u64) -> LogEntry {
    LogEntry::Stopped { at, boot: BootId::ZERO }
}

fn append_to(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).open(path).expect("the log");
    file.write_all(text.as_bytes()).expect("written");
}

/// A scene that released ten times, and whose log was anchored then.
async fn anchored() -> Scene {
    let scene = Scene::new();
    for _ in 0..10 {
        scene.open_as(&scene.reader).await.expect("authorised");
    }
    let head = ReleaseLog::open(&scene.log_path()).expect("the log").head_after(EMPTY).expect("whole");
    assert_eq!(head.seq, 10);
    scene.chain.change(|chain| chain.anchored = Some(head));
    scene.open_as(&scene.reader).await.expect("authorised");
    scene
}

async fn refusal(scene: &Scene) -> LogError {
    match scene.open_as(&scene.reader).await {
        Err(KgcError::Log(error)) => error,
        other => panic!("expected a refusal for the log, found {other:?}"),
    }
}

#[tokio::test]
async fn an_emptied_log_ends_the_releases_of_a_running_key_center() {
    let scene = anchored().await;
    let whole = scene.log();
    fs::write(scene.log_path(), "").expect("emptied");
    for _ in 0..2 {
        let error = refusal(&scene).await;
        assert!(matches!(error, LogError::Shorter { expected: 11, found: 0, known: Known::Written, .. }), "{error}");
    }
    assert_eq!(scene.log(), "", "nothing is written to it");
    // Put back as it was, it goes on.
    fs::write(scene.log_path(), whole).expect("put back");
    scene.open_as(&scene.reader).await.expect("authorised");
}

#[tokio::test]
async fn an_emptied_log_ends_the_releases_of_a_key_center_that_starts() {
    let scene = anchored().await;
    fs::write(scene.log_path(), "").expect("emptied");
    let error = ReleaseLog::open(&scene.log_path()).expect_err("its own state knows better");
    assert!(matches!(error, LogError::Shorter { expected: 11, found: 0, known: Known::Written, .. }), "{error}");
    // With its own state gone as well, the chain knows.
    fs::remove_file(scene.log_path().with_extension("jsonl.state")).expect("removed");
    let log = ReleaseLog::open(&scene.log_path()).expect("an empty log");
    let keys = KgcKeys::generate(&mut os_random());
    let center = LocalKeyCenter::new(keys, HOME, scene.chain.clone(), scene.clock.clone(), log);
    let ask = UnsignedRequest {
        challenges: vec![(center.identity().id, center.challenge().await.expect("a challenge"))],
        ..scene.ask().await.0
    };
    let issue = ask.sign_one::<IssueRequest>(&HOME, &scene.sender).await.expect("signs");
    let refused = center.issue(&issue).await.map_err(|refusal| refusal.error);
    assert!(
        matches!(refused, Err(KgcError::Log(LogError::Shorter { expected: 10, found: 0, known: Known::Anchored, .. }))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_changed_entry_ends_the_releases() {
    let scene = anchored().await;
    let whole = scene.log();
    fs::write(scene.log_path(), whole.replacen("release", "refused", 1)).expect("changed");
    let error = refusal(&scene).await;
    assert!(matches!(error, LogError::Altered { seq: 11, known: Known::Written, .. }), "{error}");
    // A log of other entries, and a state that agrees with it: the chain does not.
    fs::write(scene.log_path(), "").expect("emptied");
    fs::remove_file(scene.log_path().with_extension("jsonl.state")).expect("removed");
    let other = ReleaseLog::open(&scene.log_path()).expect("an empty log");
    for at in 0..12 {
        other.append(&[&entry(at)], EMPTY).expect("appended");
    }
    let anchored = scene.chain.anchored_log(B256::ZERO, B256::ZERO).await.expect("a head");
    let error = other.append(&[&entry(12)], anchored).expect_err("other entries");
    assert!(matches!(error, LogError::Altered { seq: 10, known: Known::Anchored, .. }), "{error}");
}

#[tokio::test]
async fn a_log_that_is_removed_or_replaced_under_a_key_center_ends_its_releases() {
    let scene = anchored().await;
    let whole = scene.log();
    fs::remove_file(scene.log_path()).expect("removed");
    assert!(matches!(refusal(&scene).await, LogError::Replaced { .. }));
    fs::write(scene.log_path(), &whole).expect("another file with the same text");
    assert!(matches!(refusal(&scene).await, LogError::Replaced { .. }));
    assert_eq!(scene.log(), whole, "nothing is written to it");
}

#[tokio::test]
async fn a_torn_line_is_put_aside_by_whoever_meets_it() {
    let scene = Scene::new();
    let path = scene.log_path();
    let first = ReleaseLog::open(&path).expect("the log");
    first.append(&[&entry(1)], EMPTY).expect("appended");
    let whole = scene.log();
    append_to(&path, "{\"at\":2");
    let second = ReleaseLog::open(&path).expect("the log");
    assert_eq!((second.healed(), first.healed()), (7, 0));
    assert_eq!(scene.log(), whole);
    append_to(&path, "{\"at\":33");
    first.append(&[&entry(4)], EMPTY).expect("a process that runs heals it as well");
    second.append(&[&entry(5)], EMPTY).expect("appended");
    assert_eq!(first.healed(), 8);
    assert_eq!(fs::read_to_string(path.with_extension("jsonl.torn")).expect("aside"), "{\"at\":2\n{\"at\":33\n");
    let text = scene.log();
    let times: Vec<_> =
        text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["at"].clone()).collect();
    assert_eq!(times, [1, 4, 5]);
    // A line that was given out is no torn one, whatever it looks like now.
    fs::write(&path, &text[..text.len() - 1]).expect("cut");
    let error = ReleaseLog::open(&path).expect_err("an entry is missing");
    assert!(matches!(error, LogError::Shorter { expected: 3, found: 2, .. }), "{error}");
    assert_eq!(scene.log(), text[..text.len() - 1], "it is left as it was found");
}

#[test]
fn processes_share_a_log_and_lose_no_entry() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.jsonl");
    // Each has a file of its own, as processes have: the lock is between open files.
    let logs: Vec<_> = (0..4).map(|_| ReleaseLog::open(&path).expect("the log")).collect();
    std::thread::scope(|scope| {
        for (of, log) in logs.iter().enumerate() {
            scope.spawn(move || {
                for at in 0..25 {
                    log.append(&[&entry(of as u64 * 100 + at)], EMPTY).expect("appended");
                }
            });
        }
    });
    let head = ReleaseLog::open(&path).expect("the log").head_after(EMPTY).expect("whole");
    assert_eq!(head.seq, 100);
    let noted: LogHead =
        serde_json::from_slice(&fs::read(path.with_extension("jsonl.state")).expect("noted")).expect("a head");
    assert_eq!(noted, head);
}

#[test]
fn a_log_waits_for_who_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.jsonl");
    let log = ReleaseLog::open(&path).expect("the log");
    let other = OpenOptions::new().read(true).open(&path).expect("the log");
    other.lock().expect("a lock");
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| log.append(&[&entry(1)], EMPTY));
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!appending.is_finished(), "it did not wait");
        other.unlock().expect("given back");
        appending.join().expect("no panic").expect("appended");
    });
}

#[tokio::test]
async fn a_lost_log_begins_anew_after_its_anchored_head_and_says_so() {
    let scene = anchored().await;
    let (path, whole) = (scene.log_path(), scene.log());
    let anchored = scene.chain.anchored_log(B256::ZERO, B256::ZERO).await.expect("a head");
    fs::write(&path, "").expect("emptied");
    let log = ReleaseLog::begin_anew(&path, anchored, 77).expect("begun");
    log.append(&[&entry(1)], anchored).expect("appended");
    let head = ReleaseLog::open(&path).expect("the log").head_after(anchored).expect("it goes on there");
    assert_eq!(head.seq, 12, "ten before, the line that says so, and an entry");
    let first = scene.log().lines().next().expect("a line").to_owned();
    let expected = serde_json::json!({"at": 77, "kind": "continued", "seq": 10, "head": anchored.head});
    assert_eq!(serde_json::from_str::<serde_json::Value>(&first).expect("JSON"), expected);
    assert_eq!(fs::read_to_string(path.with_extension("jsonl.lost-77")).expect("kept"), "");
    // Another head than the anchored one is not gone on from.
    let other = LogHead { head: B256::ZERO, ..anchored };
    let error =
        ReleaseLog::begin_anew(&path, other, 78).expect("begun").append(&[&entry(1)], anchored).expect_err("another");
    assert!(matches!(error, LogError::Altered { seq: 10, known: Known::Anchored, .. }), "{error}");
    // And such a line further on is an entry like any other.
    fs::write(&path, format!("{whole}{first}\n")).expect("written");
    assert!(!path.with_extension("jsonl.state").exists(), "it was put aside, and nothing was appended");
    assert_eq!(ReleaseLog::open(&path).expect("the log").head_after(anchored).expect("whole").seq, 12);
}
