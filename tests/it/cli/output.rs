//! What leaves by stdout and stderr: it is whole or an error, no terminal obeys it, and names in
//! JSON are what they are.

use super::{Run, World, png, wallet};
use serde_json::json;
use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

/// A world with one image, and its id.
fn with_an_image() -> (World, String) {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let id = world.seal("a.png", &[])["imageId"].as_str().expect("an id").to_owned();
    (world, id)
}

fn with_stdout(mut command: Command, stdout: impl Into<Stdio>) -> Output {
    let child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().expect("started");
    child.wait_with_output().expect("it ends")
}

/// `medseal` with a full disk, then with a closed pipe, behind stdout: the first is an error, the
/// second is none.
#[test]
fn what_cannot_be_written_is_an_error_and_a_closed_pipe_is_none() {
    let (world, id) = with_an_image();
    let reader = wallet(2);
    for args in [
        &["show", &id][..],
        &["show", &id, "--json"],
        &["show", "0x00", "--json"],
        &["grant", &id, &reader, "--print", "tx"],
        &["audit", "--events", "table"],
        &["audit", "--events", "csv"],
        &["audit", "--events", "jsonl"],
        &["audit", "--json"],
        &["watch", "--once", "--from-start", "--anew"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["--version"],
    ] {
        let run = |stdout: Stdio| {
            let output = with_stdout(world.command(args), stdout);
            (output.status.code().expect("it ends by itself"), String::from_utf8(output.stderr).expect("text"))
        };
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a device");
        let (code, stderr) = run(full.into());
        assert_eq!(code, 1, "{args:?}: {stderr}");
        assert!(stderr.contains("No space left on device"), "{args:?}: {stderr}");
        let expected = world.talk(args);
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let (code, stderr) = run(writer.into());
        if args[0] == "watch" {
            // It goes on from here the next time, so nothing may be lost.
            assert_eq!(code, 1, "{stderr}");
            continue;
        }
        assert_eq!((code, stderr), (expected.code, expected.stderr), "{args:?}");
    }
}

/// Whether a terminal would obey some of it.
fn moves_a_terminal(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c))
}

/// A line of its own that a name would make if it were shown as it is.
const FORGED: &str = "ok everything held";

#[test]
fn names_are_shown_escaped_and_are_what_they_are_in_json() {
    let (world, _) = with_an_image();
    for (at, name) in ["O'Neil \"µ\".png", "evil\u{1b}[2J\n\rok everything held\u{202e}.png", "\u{9b}0m\u{7f}\t.png"]
        .iter()
        .enumerate()
    {
        world.write(name, png(9, 9, 10 + at as u64));
        let image = world.seal(name, &[]);
        assert_eq!(image["file"], json!(name));
        let id = image["imageId"].as_str().expect("an id");
        let opened = world.medseal(&["open", id, "-o", "opened.png", "--force"]).result();
        assert_eq!(opened["fileName"], json!(name));
        // A sealed name of another person, a missing file, a file that is none, a folder's content.
        world.write(&format!("folder/{name}"), "");
        world.write("medseal.toml", format!("{} = 1", json!(name)));
        let refused = world.talk(&["show", id]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        std::fs::remove_file(world.path("medseal.toml")).expect("removed");
        let mut said = vec![refused];
        for args in [
            &["seal", name][..],
            &["open", id, "-o", "opened.png", "--force"],
            &["open", id, "-o", name],
            &["seal", "folder"],
            &["-v", "seal", "--raw", name],
            &["measure", name, "absent"],
            &["check", name, "--block-hash", id],
            &["explain", name],
            &["show", name],
            &["doctor", "--deployments", name],
            &["seal", name, &format!("--{name}")],
            &["capsules", "add", id, name],
        ] {
            said.push(world.talk(args));
            said.push(world.medseal(args));
        }
        for Run { stdout, stderr, .. } in said {
            assert!(!moves_a_terminal(&stdout), "{stdout:?}");
            assert!(!moves_a_terminal(&stderr), "{stderr:?}");
            for line in stdout.lines().chain(stderr.lines()) {
                assert!(!line.starts_with(FORGED), "{line:?} of {stdout:?} {stderr:?}");
            }
        }
        std::fs::remove_dir_all(world.path("folder")).expect("removed");
    }
}

/// A home that may not be written: what is read there is shown, and what is not kept is said.
#[test]
fn a_home_that_is_read_only_loses_no_result() {
    let (world, id) = with_an_image();
    // As nobody, if the tests run as the system's administrator, whom no mode keeps out.
    let administrator = rustix::process::geteuid().is_root();
    let program = world.path("medseal");
    std::fs::copy(env!("CARGO_BIN_EXE_medseal"), &program).expect("copied");
    for entry in ["", "medseal"] {
        std::fs::set_permissions(world.path(entry), Permissions::from_mode(0o755)).expect("set");
    }
    read_only(&world.path(".medseal"));
    read_only(&world.path("deployments"));
    let run = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(world.path("")).env_clear().env("ETH_RPC_URL", world.node.rpc_url());
        command.env("XDG_CONFIG_HOME", world.path("none")).args(args).arg("--json");
        if administrator {
            command.uid(65_534).gid(65_534);
        }
        Run::of(&mut command)
    };
    let audited = run(&["audit"]);
    assert_eq!(audited.result()["complete"], true);
    assert!(audited.stderr.contains("no checkpoint is kept"), "{}", audited.stderr);
    assert_eq!(run(&["show", &id]).result()["pinned"], true);
    assert_eq!(run(&["verify", &id]).result()["verdict"], "valid");
    // One that is not there, and cannot be made.
    let nowhere = run(&["show", &id, "--home", "absent/home"]);
    assert_eq!(nowhere.result()["pinned"], json!(null));
    assert!(nowhere.stderr.contains("whether the image is pinned here is not known"), "{}", nowhere.stderr);
    assert_eq!(run(&["audit", "--home", "absent/home"]).result()["complete"], true);
    assert!(!world.path(".medseal/audit").exists());
    set_modes(&world.path(".medseal"), 0o700, 0o600);
}

fn read_only(folder: &std::path::Path) {
    set_modes(folder, 0o555, 0o444);
}

fn set_modes(folder: &std::path::Path, folders: u32, files: u32) {
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).expect("set");
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            set_modes(&path, folders, files);
        } else {
            std::fs::set_permissions(path, Permissions::from_mode(files)).expect("set");
        }
    }
    std::fs::set_permissions(folder, Permissions::from_mode(folders)).expect("set");
}

#[test]
fn a_file_that_is_too_large_has_a_hint_that_helps() {
    let world = World::new();
    let file = File::create(world.path("large.dcm")).expect("made");
    file.set_len((4 << 30) + 1).expect("a file with a hole");
    let refusal = world.medseal(&["seal", "large.dcm"]).refusal(1, "IMAGE");
    assert!(refusal.message.contains("4294967297 bytes, at most 4294967296"), "{}", refusal.message);
    assert!(refusal.hint.contains("split -b 4000M"), "{}", refusal.hint);
    assert_eq!(world.records(), 0);
}
