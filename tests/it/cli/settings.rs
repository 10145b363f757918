//! Where a setting comes from: flag, environment, `.env`, `medseal.toml`, the user's own
//! `medseal.toml`, default, in this order; and what the working folder cannot say.

use super::{Run, program};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

/// Value and origin of a setting, as `doctor` reports it. Nothing of what it looks at is there.
fn setting(
    folder: &tempfile::TempDir,
    variables: &[(&str, &str)],
    args: &[&str],
    name: &str,
) -> Option<(String, String)> {
    let mut command = program(folder.path());
    command.envs(variables.iter().copied()).args(["doctor", "--json"]).args(args);
    let doctor = Run::of(&mut command).result_with(1);
    let all = doctor["settings"].as_array().expect("settings");
    let found = all.iter().find(|setting| setting["name"] == name)?;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    Some((text(&found["value"]), text(&found["origin"])))
}

#[test]
fn the_nearest_one_wins() {
    // Name, flag, variable.
    let all = [
        ("home", "--home", "MEDSEAL_HOME"),
        ("actor", "--as", "MEDSEAL_ACTOR"),
        ("rpc_url", "--rpc-url", "ETH_RPC_URL"),
        ("chain_id", "--chain-id", "MEDSEAL_CHAIN_ID"),
        ("deployments", "--deployments", "MEDSEAL_DEPLOYMENTS"),
        ("keystore", "--keystore", "ETH_KEYSTORE"),
        ("password_file", "--password-file", "ETH_PASSWORD"),
        ("dev_account", "--dev-account", "MEDSEAL_DEV_ACCOUNT"),
        ("kgc_url", "--kgc-url", "MEDSEAL_KGC"),
        ("kgc_password_file", "--kgc-password-file", "MEDSEAL_KGC_PASSWORD"),
    ];
    // Ports of this machine at which there is no node: none is needed.
    let nowhere =
        ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", "http://127.0.0.1:4", "http://127.0.0.1:5"];
    for (name, flag, variable) in all {
        let values = if name == "rpc_url" { nowhere } else { ["11", "22", "33", "44", "55"] };
        let folder = tempfile::tempdir().expect("a folder");
        let url = [("ETH_RPC_URL", nowhere[0])];
        // Of a secret's file the name is shown if it is one.
        for value in ["11", "22", "33", "44", "55"] {
            std::fs::write(folder.path().join(value), "").expect("written");
        }
        let base: &[_] = if name == "rpc_url" { &[] } else { &url };
        let expect = |variables: &[(&str, &str)], args: &[&str], value: &str, origin: &str| {
            let found = setting(&folder, &[base, variables].concat(), args, name);
            assert_eq!(found, Some((value.to_owned(), origin.to_owned())), "{name}");
        };
        let text = |value: &str| format!("{name} = \"{value}\"\n");
        let own = [("XDG_CONFIG_HOME", folder.path().to_str().expect("text"))];
        write_own(&folder, &text(values[4]));
        expect(&own, &[], values[4], "own medseal.toml");
        std::fs::write(folder.path().join("medseal.toml"), text(values[3])).expect("written");
        expect(&own, &[], values[3], "medseal.toml");
        std::fs::write(folder.path().join(".env"), format!("{variable}={}\n", values[2])).expect("written");
        expect(&[], &[], values[2], ".env");
        expect(&[(variable, values[1])], &[], values[1], "environment");
        expect(&[(variable, values[1])], &[flag, values[0]], values[0], "flag");
        // An empty one counts as none.
        expect(&[(variable, "")], &[], values[2], ".env");
    }
}

/// Writes `medseal.toml` of the user's own configuration folder, where `XDG_CONFIG_HOME` is the
/// folder itself.
fn write_own(folder: &tempfile::TempDir, text: &str) {
    std::fs::create_dir_all(folder.path().join("medseal")).expect("made");
    std::fs::write(folder.path().join("medseal/medseal.toml"), text).expect("written");
}

/// What loads code, weakens a check, or sends a secret is not taken from a folder that somebody
/// else may have filled, and it is not passed over in silence.
#[test]
fn the_working_folder_loads_no_code_and_weakens_no_check() {
    // Name, flag, variable, value.
    let all = [
        ("anvil", "--anvil", "MEDSEAL_ANVIL", "/evil/anvil"),
        ("onnx_runtime", "--onnx-runtime", "MEDSEAL_ONNX_RUNTIME", "/evil/library.so"),
        ("model", "--model", "MEDSEAL_MODEL", "evil.onnx"),
        ("models", "", "MEDSEAL_MODELS", "1111111111111111111111111111111111111111111111111111111111111111"),
        ("profile", "--profile", "MEDSEAL_PROFILE", "development"),
        ("block_time", "", "MEDSEAL_BLOCK_TIME", "31536000"),
        ("ipfs_token_file", "--ipfs-token-file", "MEDSEAL_IPFS_TOKEN_FILE", "/etc/passwd"),
    ];
    let nowhere = ("ETH_RPC_URL", "http://127.0.0.1:1");
    for (name, flag, variable, value) in all {
        let folder = tempfile::tempdir().expect("a folder");
        let own = ("XDG_CONFIG_HOME", folder.path().to_str().expect("text"));
        let found = |variables: &[(&str, &str)], args: &[&str]| setting(&folder, variables, args, name).expect("set");
        assert_eq!(found(&[nowhere, (variable, value)], &[]), (value.to_owned(), "environment".to_owned()));
        if !flag.is_empty() {
            assert_eq!(found(&[nowhere], &[flag, value]), (value.to_owned(), "flag".to_owned()));
        }
        for (file, text) in
            [(".env", format!("{variable}={value}\n")), ("medseal.toml", format!("{name} = \"{value}\"\n"))]
        {
            std::fs::write(folder.path().join(file), text).expect("written");
            for command in ["doctor", "node", "audit"] {
                let mut command_line = program(folder.path());
                command_line.envs([nowhere, own]).args([command, "--json"]);
                let refusal = Run::of(&mut command_line).refusal(2, "SETTINGS");
                let says = format!("in {file}: {name} is not taken from the working folder");
                assert!(refusal.message.contains(&says), "{command}: {}", refusal.message);
                assert!(refusal.message.contains(variable), "{command}: {}", refusal.message);
            }
            std::fs::remove_file(folder.path().join(file)).expect("removed");
        }
        write_own(&folder, &format!("{name} = \"{value}\"\n"));
        assert_eq!(found(&[nowhere, own], &[]), (value.to_owned(), "own medseal.toml".to_owned()));
    }
}

/// A token of the user's goes to no node that the working folder names.
#[test]
fn the_working_folder_does_not_say_who_gets_a_token() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("medseal.toml"), "ipfs_api = \"http://127.0.0.1:1\"").expect("written");
    std::fs::write(folder.path().join("token"), "a-token").expect("written");
    std::fs::set_permissions(folder.path().join("token"), PermissionsExt::from_mode(0o600)).expect("set");
    let mut command = program(folder.path());
    let list = ["pins", "--json", "--ipfs-token-file", "token", "--rpc-url", "http://127.0.0.1:1"];
    let refusal = Run::of(command.args(list)).refusal(2, "SETTINGS");
    assert!(refusal.message.contains("ipfs_api of the working folder"), "{}", refusal.message);
}

#[test]
fn files_of_others_are_refused_and_doctor_says_which_were_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("medseal.toml");
    let doctor = || {
        let mut command = program(folder.path());
        command.env("XDG_CONFIG_HOME", folder.path()).args(["doctor", "--json", "--rpc-url", "http://127.0.0.1:1"]);
        Run::of(&mut command)
    };
    std::fs::write(&path, "home = \"here\"").expect("written");
    let own = folder.path().join("medseal/medseal.toml");
    let was_read = json!([
        { "path": ".env", "wasRead": false },
        { "path": "medseal.toml", "wasRead": true },
        { "path": own, "wasRead": false },
    ]);
    assert_eq!(doctor().result_with(1)["files"], was_read);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).expect("set");
    let refusal = doctor().refusal(2, "SETTINGS");
    assert!(refusal.message.contains("cannot read medseal.toml: its mode is 666"), "{}", refusal.message);
}

#[test]
fn a_variable_that_is_no_text_is_not_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = program(folder.path());
    command.env("MEDSEAL_HOME", std::ffi::OsStr::from_bytes(b"caf\xe9")).args(["doctor", "--json"]);
    let refusal = Run::of(&mut command).refusal(2, "SETTINGS");
    assert!(refusal.message.contains("MEDSEAL_HOME is no text"), "{}", refusal.message);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn defaults_stand_where_nobody_said_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = [("ETH_RPC_URL", "http://127.0.0.1:1")];
    let found = |name| setting(&folder, &port, &[], name);
    let default = |value: &str| Some((value.to_owned(), "default".to_owned()));
    assert_eq!(found("home"), default(".medseal"));
    assert_eq!(found("deployments"), default("deployments"));
    for name in [
        "actor",
        "chain_id",
        "keystore",
        "password_file",
        "dev_account",
        "kgc_password_file",
        "anvil",
        "model",
        "models",
    ] {
        assert_eq!(found(name), None, "{name}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "doctor leaves nothing behind");
}
