//! The demo: green when all is well, and red in the right place when something was broken.

use super::{Run, fetched, program, sample, schema};
use serde_json::Value;
use std::path::PathBuf;

/// A folder with four small scans, and nothing else.
fn stage() -> (tempfile::TempDir, Vec<&'static str>) {
    let folder = tempfile::tempdir().expect("a folder");
    let scans = vec!["explicit_big.dcm", "frames.dcm", "odd_17x31.dcm", "signed_16bit.dcm"];
    std::fs::create_dir(folder.path().join("scans")).expect("made");
    for scan in &scans {
        std::fs::copy(sample(scan), folder.path().join("scans").join(scan)).expect("copied");
    }
    (folder, scans)
}

fn demo(folder: &tempfile::TempDir, args: &[&str]) -> Run {
    let mut command = program(folder.path());
    command.env("MEDSEAL_ANVIL", fetched("bin/anvil")).args(["demo", "--scans", "scans", "--out", "out"]);
    Run::of(command.args(args))
}

/// The lines of the output that carry a mark: whether they hold, and the whole line.
fn marked(run: &Run) -> Vec<(bool, &str)> {
    run.stdout
        .lines()
        .filter_map(|line| match line.get(..3) {
            Some("ok ") => Some((true, line)),
            Some("!! ") => Some((false, line)),
            _ => None,
        })
        .collect()
}

#[test]
fn everything_holds() {
    let (folder, scans) = stage();
    let run = demo(&folder, &[]);
    let lines = marked(&run);
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    // A line for each scan, sixteen claims, and the last word.
    assert_eq!(lines.len(), scans.len() + 16 + 1, "{}", run.stdout);
    assert!(lines.iter().all(|(holds, _)| *holds), "{}", run.stdout);
    assert_eq!(lines.last().map(|(_, line)| *line), Some("ok everything held"));
    for picture in ["out/scan.png", "out/phantom.png"] {
        let bytes = std::fs::read(folder.path().join(picture)).expect("a picture");
        assert!(bytes.starts_with(b"\x89PNG"), "{picture}");
    }
    // A second one replaces the first, and says the same to programs.
    let json = demo(&folder, &["--json"]).result();
    assert_eq!((&json["red"], json["images"].as_array().map(Vec::len)), (&0.into(), Some(scans.len())));
    for line in json["checks"].as_array().expect("checks") {
        assert_eq!(line["holds"], true, "{line}");
    }
    for image in json["images"].as_array().expect("images") {
        assert_eq!(image["holds"], true, "{image}");
        // The one that was tampered with is not opened.
        let checks = image["checks"].as_array().map(Vec::len);
        assert_eq!(checks, Some(if image["file"] == "odd_17x31.dcm" { 2 } else { 3 }), "{image}");
    }
}

/// Runs a demo in which something is broken; returns the red lines.
fn broken(what: &str) -> Vec<String> {
    let (folder, _) = stage();
    let run = demo(&folder, &["--break", what]);
    assert_eq!(run.code, 1, "{} {}", run.stdout, run.stderr);
    marked(&run).into_iter().filter(|(holds, _)| !holds).map(|(_, line)| line.to_owned()).collect()
}

#[test]
fn a_broken_byte_is_seen() {
    let red = broken("byte");
    assert_eq!(red.len(), 2, "{red:?}");
    assert!(red[0].contains("explicit_big.dcm"), "{red:?}");
    let says = "NOT: verification logged on chain says valid; the second wallet opened it byte for byte";
    assert!(red[0].ends_with(says), "{red:?}");
    assert_eq!(red[1], "!! 1 line is red");
}

#[test]
fn a_wrong_hash_is_seen() {
    let red = broken("hash");
    assert!(red[0].contains("frames.dcm") && red[0].contains("the record holds the hash"), "{red:?}");
    assert!(red[0].contains("verification logged on chain says valid"), "{red:?}");
    // One more record than images.
    assert!(red[1].contains("4 images are 4 records on chain"), "{red:?}");
    assert_eq!(red[2..], ["!! 2 lines are red"], "{red:?}");
}

#[test]
fn a_missing_grant_is_seen() {
    let red = broken("grant");
    assert_eq!(red.len(), 2, "{red:?}");
    assert!(
        red[0].contains("frames.dcm") && red[0].ends_with("NOT: the second wallet opened it byte for byte"),
        "{red:?}"
    );
    assert_eq!(red[1], "!! 1 line is red");
}

#[test]
fn what_is_not_a_demos_is_left_alone() {
    let (folder, _) = stage();
    std::fs::create_dir(folder.path().join("out")).expect("made");
    std::fs::write(folder.path().join("out/yours"), "something").expect("written");
    demo(&folder, &["--json"]).refusal(8, "OUTPUT_EXISTS");
    assert_eq!(std::fs::read(folder.path().join("out/yours")).expect("still there"), b"something");
    // Two scans are too few for the story.
    std::fs::remove_file(folder.path().join("scans/frames.dcm")).expect("removed");
    std::fs::remove_file(folder.path().join("scans/odd_17x31.dcm")).expect("removed");
    std::fs::remove_dir_all(folder.path().join("out")).expect("removed");
    demo(&folder, &["--json"]).refusal(1, "NOTHING_TO_SEAL");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn the_node_runs_until_it_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let node = |port: u16| {
        let mut command = program(folder.path());
        command.env("MEDSEAL_ANVIL", fetched("bin/anvil")).args(["node", "--json", "--port", &port.to_string()]);
        command
    };
    let mut command = node(port);
    let child =
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).spawn().expect("starts");
    let pid = child.id().to_string();
    let start = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < std::time::Duration::from_secs(30), "it does not listen");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Run::of(&mut node(port)).refusal(1, "NODE");
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    let output = child.wait_with_output().expect("it ends");
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    schema::check(&json);
    assert_eq!((output.status.code(), &json["result"]["endedByItself"]), (Some(0), &false.into()));
    std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free again");
    let state: PathBuf = folder.path().join(".medseal/node/state.json");
    assert!(state.is_file(), "the chain is kept");
}

/// Nothing but the newest seconds: the chain is saved as it goes, and one that is cut short is the
/// last whole one.
#[test]
fn a_node_that_is_killed_keeps_its_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let url = format!("http://127.0.0.1:{port}");
    let run = |args: &[&str]| Run::of(program(folder.path()).args(args).args(["--json", "--rpc-url", &url]));
    let start = || {
        let mut command = program(folder.path());
        command.env("MEDSEAL_ANVIL", fetched("bin/anvil")).args(["node", "--port", &port.to_string()]);
        let quiet = std::process::Stdio::null;
        let mut child = command.stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().expect("starts");
        wait_until("the node", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(child.try_wait().expect("a child").is_none());
        child
    };
    let mut child = start();
    let deployed = run(&["deploy"]).result();
    let address = deployed["address"].as_str().expect("an address").to_lowercase();
    let (state, whole) =
        (folder.path().join(".medseal/node/state.json"), folder.path().join(".medseal/node/state.whole.json"));
    let holds = |path: &PathBuf| std::fs::read_to_string(path).is_ok_and(|text| text.contains(&address));
    wait_until("the chain to be saved", || holds(&whole));
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let anvil = std::fs::read_to_string(children).expect("its children").trim().to_owned();
    assert!(anvil.parse::<u32>().is_ok(), "one child: {anvil}");
    for pid in [&child.id().to_string(), &anvil] {
        assert!(std::process::Command::new("kill").args(["-KILL", pid]).status().expect("kill").success());
    }
    child.wait().expect("ended");
    wait_until("anvil to end", || std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
    let bytes = std::fs::read(&state).expect("the state");
    std::fs::write(&state, &bytes[..bytes.len() / 2]).expect("cut short");
    let mut child = start();
    let again = run(&["deploy"]).result();
    assert_eq!((&again["address"], &again["already"]), (&deployed["address"], &true.into()));
    assert!(
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill").success()
    );
    child.wait().expect("ended");
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < std::time::Duration::from_secs(60), "waited a minute for {what}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
