//! Recorded sessions: what people read, word for word.
//! `MEDSEAL_RECORD=1 cargo test --test it cli::sessions` records them anew.

use super::{World, png, program};
use std::path::Path;
use std::process::Command;

/// A session: commands with what they print, what differs from run to run made equal.
struct Session {
    name: &'static str,
    text: String,
}

impl Session {
    fn new(name: &'static str) -> Self {
        Self { name, text: String::new() }
    }

    /// Adds a run of `command`, which people would type as `medseal TYPED`.
    fn add(&mut self, typed: &[&str], command: &mut Command) {
        let run = super::Run::of(command);
        let shown: Vec<String> = typed.iter().map(|word| normal(word)).collect();
        self.text += &format!("$ medseal {}\n", shown.join(" "));
        for (stream, name) in [(&run.stdout, ""), (&run.stderr, "! ")] {
            for line in stream.lines() {
                self.text += format!("{name}{}", normal(line)).trim_end();
                self.text += "\n";
            }
        }
        self.text += &format!("= {}\n\n", run.code);
    }

    /// Compares with the recorded one, or records it.
    fn check(self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cli/snapshots");
        let path = folder.join(format!("{}.txt", self.name));
        let text = self.text.trim_end().to_owned() + "\n";
        if std::env::var_os("MEDSEAL_RECORD").is_some() {
            std::fs::write(&path, text).expect("recorded");
            return;
        }
        let recorded = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (number, (found, expected)) in text.lines().zip(recorded.lines()).enumerate() {
            assert_eq!(found, expected, "{}, line {}; see the first line of sessions.rs", self.name, number + 1);
        }
        assert_eq!(text, recorded, "{}", self.name);
    }
}

/// A line with what differs from run to run named instead: ids and hashes, CIDs, numbers of five
/// digits and more, milliseconds, widths.
fn normal(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, after) = rest.split_at(end);
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        text += match word.len() {
            66 if word.starts_with("0x") && word.contains(|c: char| c != word.as_bytes()[2] as char) => "HASH",
            50.. if word.starts_with("baf") => "CID",
            // The signer of a key's receipts is as new as the key.
            42 if word.starts_with("0x") && line.contains("  published  ") => "ADDRESS",
            5.. if digits && word != "31337" => "NUMBER",
            _ if digits && after.starts_with(" ms") => "N",
            _ => word,
        };
        rest = after;
    }
    while text.contains("   ") {
        text = text.replace("   ", "  ");
    }
    text
}

#[test]
fn help() {
    let commands = [
        "",
        "demo",
        "node",
        "deploy",
        "seal",
        "open",
        "verify",
        "grant",
        "revoke",
        "materialize",
        "operator",
        "operator allow",
        "operator show",
        "capsules",
        "capsules add",
        "show",
        "watch",
        "flag",
        "flag confirm",
        "role",
        "role give",
        "outbox",
        "outbox list",
        "outbox reprice",
        "outbox cancel",
        "registry",
        "kgc",
        "kgc init",
        "kgc publish",
        "kgc status",
        "kgc rotate",
        "kgc rewrap",
        "kgc retire",
        "kgc destroy",
        "kgc backup",
        "kgc restore",
        "kgc drill",
        "kgc anchor",
        "kgc new-log",
        "measure",
        "keygen-report",
        "pins",
        "store",
        "store export",
        "store import",
        "audit",
        "relay",
        "explain",
        "doctor",
        "completions",
        "man",
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = Session::new("help");
    for command in commands {
        let typed: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        session.add(&typed, program(folder.path()).args(&typed));
    }
    session.add(&["--version"], program(folder.path()).arg("--version"));
    session.check();
}

/// Runs one command line after the other.
fn play(world: &World, session: &mut Session, lines: &[&[&str]]) {
    for line in lines {
        session.add(line, &mut world.command(line));
    }
}

#[test]
fn a_working_day() {
    let world = World::bare();
    let mut session = Session::new("working_day");
    world.write("scans/a.png", png(20, 30, 1));
    world.write("scans/b.dcm", std::fs::read(super::sample("odd_17x31.dcm")).expect("a sample"));
    play(
        &world,
        &mut session,
        &[&["deploy"], &["deploy"], &["kgc", "init", "--no-passphrase"], &["kgc", "status"], &["seal", "scans"]],
    );
    let image = world.seal("scans/b.dcm", &[]);
    let id = image["imageId"].as_str().expect("an id");
    let (reader, opened) = (super::wallet(2), "opened.dcm");
    play(
        &world,
        &mut session,
        &[
            &["seal", "scans/b.dcm"],
            &["seal", "-v", "--again", "--pixels", "scans/a.png"],
            &["open", id, "-o", opened],
            &["verify", id],
            &["verify", id, "--record"],
            &["grant", id, &reader, "--until", "2000000000"],
            &["revoke", id, &reader],
            &["measure", "scans/b.dcm", opened],
        ],
    );
    let block = world.block(&image);
    let mut bytes = std::fs::read(&block).expect("a block");
    bytes[200] ^= 1;
    std::fs::write(&block, bytes).expect("written");
    let (operator, lines) = (super::wallet(7), ["verify", id, "--record", "--relayer", "relayer"]);
    play(
        &world,
        &mut session,
        &[
            &lines,
            &["open", id, "-o", "again.dcm"],
            &["flag", "show", id],
            &["flag", "dismiss", id, "--as", "sender"],
            &["verify", id, "--record"],
            &["flag", "confirm", id],
            &["operator", "allow", &operator],
            &["grant", id, &reader, "--until", "2000000000", "--as", "operator"],
            &["operator", "show", &operator],
            &["operator", "remove", &operator],
            &["role", "list"],
            &["role", "give", "verifier", &operator],
            &["registry", "pause"],
            &["registry", "unpause"],
            &["registry", "show"],
            &["capsules", "show", id],
            &["show", id],
        ],
    );
    session.check();
}

fn write_what_goes_wrong(world: &World) {
    world.write("a.png", png(20, 30, 1));
    world.write("empty", "");
    world.write("passphrase", "one");
    world.write("there", "");
    let dicom = std::fs::read(super::sample("implicit_little.dcm")).expect("a sample");
    world.write("cut.dcm", &dicom[..dicom.len() / 2]);
    world.write("claims.png", std::fs::read(super::sample("claims_65535.png")).expect("a sample"));
    std::fs::create_dir(world.path("folder")).expect("made");
}

#[test]
fn everything_that_goes_wrong() {
    let world = World::new();
    let mut session = Session::new("errors");
    write_what_goes_wrong(&world);
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id");
    let unknown = format!("0x{}", "11".repeat(32));
    let stranger = super::wallet(3);
    play(
        &world,
        &mut session,
        &[
            &["seal"],
            &["seal", "--raw", "--pixels", "a.png"],
            &["open", "0x1234", "-o", "x"],
            &["show", id, "--frobnicate"],
            &["seal", "absent"],
            &["seal", "empty"],
            &["seal", "folder"],
            &["seal", "cut.dcm"],
            &["seal", "claims.png"],
            &["seal", "empty", "--pixels"],
            &["seal", "passphrase", "--pixels"],
            &["seal", "folder", "--as", "nobody"],
            &["seal", "a.png", "empty"],
            &["open", &unknown, "-o", "x"],
            &["open", id, "-o", "there"],
            &["open", id, "-o", "absent/x"],
            &["open", id, "-o", "x", "--as", "stranger"],
            &["grant", id, &stranger, "--as", "stranger"],
            &["grant", id, &stranger, "--until", "1"],
            &["flag", "confirm", id],
            &["flag", "confirm", id, "--as", "stranger"],
            &["role", "give", "kgc", &stranger, "--as", "stranger"],
            &["role", "give", "janitor", &stranger],
            &["registry", "unpause"],
            &["verify", id, "--relayer", "relayer"],
            &["deploy", "--verifier", &stranger],
            &["show", id, "-r", "http://127.0.0.1:1"],
            &["show", id, "-r", "ftp://127.0.0.1"],
            &["show", id, "--chain-id", "1"],
            &["show", id, "--chain-id", "one"],
            &["show", id, "--deployments", "folder"],
            &["deploy", "--as", "nobody"],
            &["deploy", "--dev-account", "10"],
            &["deploy", "--home", "there/x"],
            &["kgc", "init", "--no-passphrase"],
            &["kgc", "init", "--home", "other"],
            &["kgc", "init", "--home", "other", "--offline", "--kgc-password-file", "passphrase"],
            &["kgc", "status", "--home", "other"],
            &["kgc", "status", "--home", "other", "--kgc-password-file", "there"],
            &["kgc", "status", "--home", "other", "--kgc-password-file", "passphrase"],
            &["kgc", "status", "--home", "third"],
            &["kgc", "restore", "passphrase", "--home", "third"],
            &["kgc", "destroy", "1"],
            &["measure", "a.png", "passphrase"],
            &["node", "--anvil", "absent"],
            &["demo", "--scans", "folder"],
            &["--json", "show", id, "--chain-id", "1"],
            &["--json", "show", "x"],
        ],
    );
    std::fs::remove_file(world.block(&image)).expect("removed");
    play(&world, &mut session, &[&["verify", id], &["open", id, "-o", "x"]]);
    session.check();
}
