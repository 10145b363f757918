//! Where a setting comes from: flag, environment, `.env`, `medseal.toml`, default, in this order.

use super::{Run, program};
use serde_json::Value;

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
    // Name, flag, variable: every setting that the program has.
    let all = [
        ("home", "--home", "MEDSEAL_HOME"),
        ("actor", "--as", "MEDSEAL_ACTOR"),
        ("rpc_url", "--rpc-url", "ETH_RPC_URL"),
        ("chain_id", "--chain-id", "MEDSEAL_CHAIN_ID"),
        ("deployments", "--deployments", "MEDSEAL_DEPLOYMENTS"),
        ("keystore", "--keystore", "ETH_KEYSTORE"),
        ("password_file", "--password-file", "ETH_PASSWORD"),
        ("dev_account", "--dev-account", "MEDSEAL_DEV_ACCOUNT"),
        ("kgc_password_file", "--kgc-password-file", "MEDSEAL_KGC_PASSWORD"),
        ("anvil", "--anvil", "MEDSEAL_ANVIL"),
        ("onnx_runtime", "--onnx-runtime", "MEDSEAL_ONNX_RUNTIME"),
        ("model", "--model", "MEDSEAL_MODEL"),
    ];
    // Ports of this machine at which there is no node: none is needed.
    let nowhere = ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", "http://127.0.0.1:4"];
    for (name, flag, variable) in all {
        let values = if name == "rpc_url" { nowhere } else { ["11", "22", "33", "44"] };
        let folder = tempfile::tempdir().expect("a folder");
        let url = [("ETH_RPC_URL", nowhere[0])];
        let base: &[_] = if name == "rpc_url" { &[] } else { &url };
        let expect = |variables: &[(&str, &str)], args: &[&str], value: &str, origin: &str| {
            let found = setting(&folder, &[base, variables].concat(), args, name);
            assert_eq!(found, Some((value.to_owned(), origin.to_owned())), "{name}");
        };
        std::fs::write(folder.path().join("medseal.toml"), format!("{name} = \"{}\"\n", values[3])).expect("written");
        expect(&[], &[], values[3], "medseal.toml");
        std::fs::write(folder.path().join(".env"), format!("{variable}={}\n", values[2])).expect("written");
        expect(&[], &[], values[2], ".env");
        expect(&[(variable, values[1])], &[], values[1], "environment");
        expect(&[(variable, values[1])], &[flag, values[0]], values[0], "flag");
        // An empty one counts as none.
        expect(&[(variable, "")], &[], values[2], ".env");
    }
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
