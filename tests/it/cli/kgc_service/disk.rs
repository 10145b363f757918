//! A disk that fails under the log: nothing is given for a line that may not be there.

use super::super::World;
use super::Serving;
use super::http::{Door, problem, ready, runtime};
use medseal::kgc::wire::IssueBody;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A service whose log lies on such a disk.
struct BadDisk {
    world: World,
    library: PathBuf,
}

impl BadDisk {
    fn new() -> Self {
        let world = World::new();
        let library = world.path("bad_disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cli/kgc_service/bad_disk.c");
        let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
        assert!(made.expect("a C compiler").success());
        Self { world, library }
    }

    fn serve(&self) -> Serving {
        let words = ["--listen", "127.0.0.1:0", "--operators", "127.0.0.1:0", "--anchor-every", "0"];
        let mut command = self.world.command(&[&["kgc", "serve"][..], &words].concat());
        Serving::of(command.env("LD_PRELOAD", &self.library).env("FAULT", self.world.path("fault")))
    }

    /// What the next sync of the log does.
    fn next(&self, fault: &str) {
        self.world.write("fault", fault);
    }

    fn is_over(&self) -> bool {
        !self.world.path("fault").exists()
    }

    /// How many issues the log knows.
    fn issues(&self) -> usize {
        let log = String::from_utf8(self.world.read(".medseal/kgc/release.log")).expect("text");
        log.lines().filter(|line| line.contains("\"kind\":\"issue\"")).count()
    }
}

async fn body(door: &Door) -> Value {
    serde_json::to_value(IssueBody::of(&door.request().await)).expect("JSON")
}

#[test]
fn a_sync_that_failed_once_ends_the_answers_until_a_restart() {
    let disk = BadDisk::new();
    let serving = disk.serve();
    runtime().block_on(async {
        let door = Door::of(&disk.world, &serving).await;
        assert_eq!(door.issue(&body(&door).await).await.status(), StatusCode::OK);
        disk.next("F");
        problem(door.issue(&body(&door).await).await, 503, "log-unavailable").await;
        assert!(disk.is_over());
        // The disk would take the next line, and what the system says of the last is not believed.
        for _ in 0..3 {
            problem(door.issue(&body(&door).await).await, 503, "log-unavailable").await;
        }
        ready(&door, false).await;
    });
    drop(serving);
    // The line may be there: then it says more than was given, never less.
    assert!((1..=2).contains(&disk.issues()));
    let serving = disk.serve();
    runtime().block_on(async {
        let door = Door::of(&disk.world, &serving).await;
        assert_eq!(door.issue(&body(&door).await).await.status(), StatusCode::OK);
    });
}

#[test]
fn a_slow_sync_is_not_waited_for_and_gives_nothing_later() {
    let disk = BadDisk::new();
    let serving = disk.serve();
    runtime().block_on(async {
        let door = Door::of(&disk.world, &serving).await;
        assert_eq!(door.issue(&body(&door).await).await.status(), StatusCode::OK);
        let slow = body(&door).await;
        disk.next("S");
        let began = Instant::now();
        let answer = door.issue(&slow).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(began.elapsed() < Duration::from_secs(35), "{:?}", began.elapsed());
        // Not asked again: the request is used up, whatever became of its line.
        problem(door.issue(&slow).await, 409, "request-used").await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(door.issue(&body(&door).await).await.status(), StatusCode::OK);
    });
    serving.stop();
    disk.world.medseal(&["kgc", "anchor"]).result();
}

#[test]
fn what_was_answered_is_in_the_log_after_every_crash() {
    let disk = BadDisk::new();
    let mut answered = 0;
    for round in 0..5 {
        let serving = disk.serve();
        runtime().block_on(async {
            let door = Door::of(&disk.world, &serving).await;
            assert_eq!(door.issue(&body(&door).await).await.status(), StatusCode::OK);
            answered += 1;
            disk.next("K");
            let asked = body(&door).await;
            let lost = door.client.post(format!("{}/v1/issue", door.url)).json(&asked).send().await;
            assert!(lost.is_err(), "round {round}: {:?}", lost.map(|answer| answer.status()));
        });
        drop(serving);
        // Each answer has its line; a line whose answer never left may be there, too.
        assert!((answered..=2 * answered).contains(&disk.issues()), "round {round}: {}", disk.issues());
    }
    let status = disk.world.medseal(&["kgc", "anchor"]).result();
    assert_eq!(status["already"], json!(false));
    assert_eq!(answered, 5);
}
