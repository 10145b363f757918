//! `medseal doctor`.

mod chain;
mod node;
mod storage;

use super::error::CliError;
use super::key_center::{kgc_key_file, open_keys};
use super::nodes;
use super::output::Outcome;
use super::settings::{Setting, Settings};
use crate::chain::node::find_binary;
use crate::chain::{Registry, Rpc};
use crate::cli::stdio::shown_path;
use crate::keygen::{Engine, MODEL_DIGEST};
use crate::words::escaped;
use serde::Serialize;
use serde_json::json;
use std::path::Path;

/// How a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    Good,
    Absent,
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    found: String,
    mend: Option<String>,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, state: State::Good, found: found.into(), mend: None }
    }

    fn not_good(what: &'static str, state: State, found: impl Into<String>, mend: Option<String>) -> Self {
        Self { what, state, found: found.into(), mend }
    }

    fn wrong(what: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::not_good(what, State::Wrong, found, Some(mend.into()))
    }

    fn failed(what: &'static str, error: &CliError) -> Self {
        Self::not_good(what, State::Wrong, super::output::chain_of(error), error.hint())
    }
}

pub(super) async fn run(settings: &Settings) -> Result<Outcome, CliError> {
    let mut findings = vec![Finding::good("medseal", env!("CARGO_PKG_VERSION"))];
    findings.extend(model(settings));
    findings.push(anvil(settings));
    findings.extend(storage::store(settings).await);
    let registry = chain::look(settings, &mut findings).await;
    key_center(settings, registry.as_ref(), &mut findings).await;

    let wrong = findings.iter().filter(|finding| finding.state == State::Wrong).count();
    let mut text = String::from("files of settings\n");
    for file in settings.files() {
        let was_read = if file.was_read() { "read" } else { "not there" };
        text += &format!("  {}  ({was_read})\n", shown_path(&file.path));
    }
    text += "settings\n";
    let shown: Vec<_> = settings
        .all()
        .into_iter()
        .map(|(setting, value, origin)| (setting.row().name, without_secrets(setting, value), origin))
        .collect();
    for (name, value, origin) in &shown {
        text += &format!("  {name:<18} {}  ({})\n", escaped(value), origin.name());
    }
    text += "findings\n";
    for finding in &findings {
        let mark = match finding.state {
            State::Good => "ok",
            State::Absent => "--",
            State::Wrong => "!!",
        };
        text += &format!("  {mark} {:<12} {}\n", finding.what, escaped(&finding.found));
        if let Some(mend) = &finding.mend {
            text += &format!("     {:<12} mend: {}\n", "", escaped(mend));
        }
    }
    text += &match wrong {
        0 => "nothing is wrong".to_owned(),
        1 => "1 thing is wrong".to_owned(),
        _ => format!("{wrong} things are wrong"),
    };
    let origins =
        shown.iter().map(|(name, value, origin)| json!({ "name": name, "value": value, "origin": origin.name() }));
    let files = settings.files().iter().map(|file| json!({ "path": file.path, "wasRead": file.was_read() }));
    let files: Vec<_> = files.collect();
    let json = json!({ "files": files, "settings": origins.collect::<Vec<_>>(), "findings": findings, "wrong": wrong });
    Ok(Outcome { exit: u8::from(wrong > 0), ..Outcome::new(json, text) })
}

/// A setting as it may be pasted into a report: of the node's URL only scheme, host and port, for
/// the rest may hold a password or a key.
fn without_secrets(setting: Setting, value: &str) -> String {
    match setting {
        Setting::RpcUrl => Rpc::new(value).map_or_else(|error| error.to_string(), |rpc| rpc.endpoint().to_owned()),
        Setting::IpfsApi => match nodes::endpoints(value) {
            Ok(endpoints) => endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            Err(error) => error.to_string(),
        },
        // A passphrase that was put where the name of its file belongs names none.
        Setting::PasswordFile | Setting::KgcPasswordFile | Setting::IpfsTokenFile if !Path::new(value).exists() => {
            "(not shown: there is no such file)".to_owned()
        }
        _ => value.to_owned(),
    }
}

/// Which model, and what runs it: both are loaded, and the model is run once.
fn model(settings: &Settings) -> Vec<Finding> {
    let vit = match super::transformer::load(settings) {
        Ok(vit) => vit,
        Err(error) => return vec![Finding::failed("transformer", &error)],
    };
    let which = match vit.model_digest() == MODEL_DIGEST {
        true => "embedded".to_owned(),
        false => settings.model().unwrap_or_default().display().to_string(),
    };
    let engine = match vit.engine() {
        Engine::BuiltIn => "built in".to_owned(),
        Engine::OnnxRuntime(library) => library.display().to_string(),
    };
    vec![
        Finding::good("transformer", format!("{which}, sha-256 {}", vit.model_digest())),
        Finding::good("engine", format!("{engine}, {}", vit.engine_version())),
    ]
}

fn anvil(settings: &Settings) -> Finding {
    match find_binary(settings.anvil().as_deref()) {
        Ok(path) => Finding::good("anvil", path.display().to_string()),
        // Only the demo and the development chain need it.
        Err(error) => Finding::not_good(
            "anvil",
            State::Absent,
            error.to_string(),
            Some("install Foundry (https://getfoundry.sh)".to_owned()),
        ),
    }
}

async fn key_center(settings: &Settings, registry: Option<&Registry>, findings: &mut Vec<Finding>) {
    if !kgc_key_file(settings).exists() {
        findings.push(Finding::not_good("kgc", State::Absent, "no key file", Some("medseal kgc init".to_owned())));
        return;
    }
    let identity = match open_keys(settings) {
        Ok(keys) => keys.identity(),
        Err(error) => {
            findings.push(Finding::failed("kgc", &error));
            return;
        }
    };
    findings.push(Finding::good("kgc", format!("{}, epoch {}", identity.id, identity.epoch)));
    let Some(registry) = registry else { return };
    let publish = Some("medseal kgc publish".to_owned());
    findings.push(match registry.current_kgc_key(identity.id).await {
        Ok(key) if key.x25519.0 == *identity.public.as_bytes() && !key.retired => {
            Finding::good("kgc on chain", format!("the same key, epoch {}", key.epoch))
        }
        Ok(_) => Finding::not_good("kgc on chain", State::Wrong, "another key, or a retired one", publish),
        Err(error) => Finding::not_good("kgc on chain", State::Wrong, error.to_string(), publish),
    });
}
