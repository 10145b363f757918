//! The profile of a network, several nodes, and what `doctor` says of a chain. Anvil plays the
//! network: it calls `safe` the block 32 behind its head, and `finalized` the one 64 behind.

use super::{Run, World, png, wallet};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// Development key 0 as `cast wallet import` writes it.
const KEYSTORE: &str = include_str!("../../../src/chain/testdata/keystore.json");

/// A chain that is taken for a network, with a keystore to act with.
fn network() -> World {
    let world = World::bare();
    world.write("keystore", KEYSTORE);
    world.write("password", "correct horse\n");
    world
}

fn command(world: &World, args: &[&str]) -> Command {
    let mut command = world.command(args);
    command.env("MEDSEAL_PROFILE", "network").env("MEDSEAL_BLOCK_TIME", "1");
    command.env("ETH_KEYSTORE", "keystore").env("ETH_PASSWORD", "password").arg("--json");
    command
}

fn run(world: &World, args: &[&str]) -> Run {
    Run::of(&mut command(world, args))
}

/// Runs while the chain goes on by so many blocks at a time.
fn run_while_mining(world: &World, args: &[&str], blocks: u64) -> Run {
    let mut command = command(world, args);
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("medseal starts");
    while child.try_wait().expect("asked").is_none() {
        world.ask("anvil_mine", json!([format!("{blocks:#x}")]));
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let output = child.wait_with_output().expect("its output");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Run { code: output.status.code().expect("a code"), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The findings of a `doctor` that ends with `code`, by what they are about.
fn findings(run: &Run, code: i32) -> Vec<Value> {
    run.result_with(code)["findings"].as_array().expect("findings").clone()
}

/// State and text of the finding about `what`.
#[track_caller]
fn about<'a>(findings: &'a [Value], what: &str) -> (&'a str, &'a str) {
    let finding = findings.iter().find(|finding| finding["what"] == what);
    let finding = finding.unwrap_or_else(|| panic!("nothing about {what} in {findings:?}"));
    let wrong = finding["state"] == "wrong";
    assert_eq!(wrong, wrong && finding["mend"].is_string(), "what is wrong can be mended: {finding}");
    (finding["state"].as_str().expect("a state"), finding["found"].as_str().expect("a text"))
}

#[test]
fn deploy_seal_grant_by_a_keystore_and_wait_as_deep_as_the_act_needs() {
    let world = network();
    let own = wallet(0);
    world.write("a.png", png(9, 9, 1));
    let deploy = ["deploy", "--kgc", &own, "--verifier", &own];
    // Finalized is 64 blocks deep: not without blocks, and while there are, it is told what is
    // waited for.
    let deployed = run_while_mining(&world, &deploy, 8);
    deployed.result();
    assert!(deployed.stderr.contains("; waiting until it is finalized (so far none is)"), "{}", deployed.stderr);
    run(&world, &["kgc", "init", "--no-passphrase", "--wait", "mined"]).result();
    let sealed = run(&world, &["seal", "a.png", "--wait", "mined"]).result();
    let image = sealed["images"][0]["imageId"].as_str().expect("an id").to_owned();
    // The second start finds it registered; a revocation counts at once.
    assert_eq!(run(&world, &["seal", "a.png"]).result()["images"][0]["already"], true);
    run(&world, &["revoke", &image, &wallet(2)]).result();
    let granted = run_while_mining(&world, &["grant", &image, &wallet(2)], 4);
    granted.result();
    assert!(granted.stderr.contains("waiting until it is safe"), "{}", granted.stderr);
    run_while_mining(&world, &["verify", &image, "--record"], 8).result();
}

#[test]
fn public_keys_are_not_for_a_network_of_the_same_id() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let refusal = world.refused(&["seal", "a.png", "--profile", "network"], 2, "NO_WALLET");
    assert!(refusal.hint.contains("keystore"), "{}", refusal.hint);
    world.refused(&["seal", "a.png", "--profile", "network", "--dev-account", "1"], 2, "NO_WALLET");
}

#[test]
fn settings_that_make_no_sense() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let refusal = world.refused(&["seal", "a.png", "--profile", "main"], 2, "SETTINGS");
    assert!(refusal.message.contains("development or network"), "{}", refusal.message);
    let refusal = world.refused(&["seal", "a.png", "--wait", "deep"], 2, "SETTINGS");
    assert!(refusal.message.contains("mined, safe or finalized"), "{}", refusal.message);
    for text in ["0", "two"] {
        let mut command = world.command(&["seal", "a.png", "--json"]);
        Run::of(command.env("MEDSEAL_BLOCK_TIME", text)).refusal(2, "SETTINGS");
    }
}

#[test]
fn several_nodes_stand_in_for_one_another() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let free = || TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let (dead, other) = (format!("http://{}", free()), format!("http://{}", free()));
    let urls = format!("{dead},{}", world.node.rpc_url());
    world.medseal(&["seal", "a.png", "-r", &urls]).result();
    assert_eq!(world.records(), 1);
    let refusal = world.refused(&["seal", "a.png", "-r", &format!("{dead},{other}")], 6, "UNREACHABLE");
    assert!(refusal.message.contains(&dead) && refusal.message.contains(&other), "{}", refusal.message);
    let doctor = findings(&world.medseal(&["doctor", "-r", &urls]), 1);
    assert_eq!(about(&doctor, "node").0, "wrong");
    assert_eq!(doctor.iter().filter(|finding| finding["what"] == "node").count(), 2);
}

#[test]
fn doctor_finds_a_development_chain_well() {
    let world = World::new();
    let doctor = findings(&world.medseal(&["doctor"]), 0);
    for (what, text) in [
        ("node", "anvil"),
        ("rules", "Cancun"),
        ("gas limit", "a batch of 100"),
        ("finality", "profile development"),
        ("wallet", wallet(1).as_str()),
        ("registry", "0 records"),
        ("logs", "in one question"),
    ] {
        let (state, found) = about(&doctor, what);
        assert_eq!(state, "good", "{found}");
        assert!(found.contains(text), "{what}: {found}");
    }
}

#[test]
fn doctor_says_what_is_wrong_with_a_chain() {
    let world = network();
    let own = wallet(0);
    run(&world, &["deploy", "--kgc", &own, "--wait", "mined"]).result();
    world.ask("evm_setBlockGasLimit", json!(["0x4c4b40"]));
    world.ask("anvil_setBalance", json!([own, "0x1"]));
    world.ask("anvil_mine", json!(["0xc8", "0x0"]));
    let doctor = findings(&run(&world, &["doctor"]), 1);
    for (what, text) in
        [("gas limit", "5000000"), ("exposure", "signs for whoever asks"), ("wallet", "enough for 0 images")]
    {
        let (state, found) = about(&doctor, what);
        assert_eq!(state, "wrong", "{found}");
        assert!(found.contains(text), "{what}: {found}");
    }
    let (state, found) = about(&doctor, "finality");
    assert_eq!(state, "good", "{found}");
    assert!(found.ends_with("64 blocks behind"), "{found}");
    // A day ahead of us.
    let tomorrow =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs() + 86_400;
    world.ask("evm_setNextBlockTimestamp", json!([tomorrow]));
    world.ask("evm_mine", json!([]));
    let doctor = findings(&run(&world, &["doctor"]), 1);
    let (state, found) = about(&doctor, "clock");
    assert!(state == "wrong" && found.contains("ahead of this machine's clock"), "{found}");
}
