//! Settings: flags, then the environment, then `.env`, then `medseal.toml`, then defaults; each remembers where it came from.

use super::error::CliError;
use crate::chain::{BLOCK_TIME_SECS, Profile, Wait};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where a setting came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// `.env` in the working directory.
    DotEnv,
    /// `medseal.toml` in the working directory.
    File,
    /// Nobody said anything.
    Default,
}

impl Origin {
    /// How `doctor` names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::File => "medseal.toml",
            Self::Default => "default",
        }
    }
}

/// The flags that every command takes. Each one left out is looked up further down.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings (flag, then environment, then .env, then medseal.toml)")]
pub(super) struct Flags {
    /// Folder of all state, one folder for each actor in it [env: MEDSEAL_HOME] [default: .medseal]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) home: Option<String>,
    /// Who acts: names the state folder and, on a development chain, the wallet [env: MEDSEAL_ACTOR]
    #[arg(long = "as", global = true, value_name = "ACTOR")]
    pub(super) actor: Option<String>,
    /// The Ethereum node, or several with commas between their URLs [env: ETH_RPC_URL] [default: http://127.0.0.1:8545]
    #[arg(long, short = 'r', global = true, value_name = "URL")]
    pub(super) rpc_url: Option<String>,
    /// Refuse any other chain [env: MEDSEAL_CHAIN_ID] [default: the one that was deployed on]
    #[arg(long, global = true, value_name = "ID")]
    pub(super) chain_id: Option<String>,
    /// What the chain is: development (mined is done) or network (finalized is done) [env: MEDSEAL_PROFILE] [default: by the chain id]
    #[arg(long, global = true, value_name = "PROFILE")]
    pub(super) profile: Option<String>,
    /// How deep in a network's chain a transaction is waited for: mined, safe, finalized [env: MEDSEAL_WAIT] [default: as the act needs]
    #[arg(long, global = true, value_name = "DEPTH")]
    pub(super) wait: Option<String>,
    /// Folder of the deployment files [env: MEDSEAL_DEPLOYMENTS] [default: deployments]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) deployments: Option<String>,
    /// Wallet: a keystore file as cast and geth write it [env: ETH_KEYSTORE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) keystore: Option<String>,
    /// File that holds the keystore's passphrase [env: ETH_PASSWORD]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) password_file: Option<String>,
    /// Wallet: a development account by number, on development chains only [env: MEDSEAL_DEV_ACCOUNT]
    #[arg(long, global = true, value_name = "N")]
    pub(super) dev_account: Option<String>,
    /// File that holds the passphrase of the KGC's key file [env: MEDSEAL_KGC_PASSWORD]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) kgc_password_file: Option<String>,
    /// IPFS nodes that keep what is sealed, by their RPC, separated by commas [env: IPFS_API] [default: a folder of blocks
    /// in the state folder]
    #[arg(long, global = true, value_name = "URLS")]
    pub(super) ipfs_api: Option<String>,
    /// File that holds the token of the IPFS nodes: one line for all, or a line for each [env: MEDSEAL_IPFS_TOKEN_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) ipfs_token_file: Option<String>,
    /// At how many of the IPFS nodes each object is kept [env: MEDSEAL_REPLICAS] [default: 1]
    #[arg(long, global = true, value_name = "N")]
    pub(super) replicas: Option<String>,
    /// The anvil program [env: MEDSEAL_ANVIL] [default: on the PATH, else as scripts/setup installs it]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) anvil: Option<String>,
    /// ONNX Runtime's shared library, by its absolute path: runs the transformer in place of the built-in engine [env: MEDSEAL_ONNX_RUNTIME]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) onnx_runtime: Option<String>,
    /// Another transformer: an ONNX file whose SHA-256 is listed in MEDSEAL_MODELS [env: MEDSEAL_MODEL] [default: the built-in one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) model: Option<String>,
    // Last: its heading is for all that follows.
    #[command(flatten)]
    pub(super) external_signer: super::signers::ExternalSigner,
}

/// One setting: its name in `medseal.toml`, its environment variable, its default, its flag.
struct Known(&'static str, &'static str, Option<&'static str>, fn(&Flags) -> &Option<String>);

/// For settings that are no flag.
static NO_FLAG: Option<String> = None;

const KNOWN: [Known; 19] = [
    Known("home", "MEDSEAL_HOME", Some(".medseal"), |flags| &flags.home),
    Known("actor", "MEDSEAL_ACTOR", None, |flags| &flags.actor),
    Known("rpc_url", "ETH_RPC_URL", Some("http://127.0.0.1:8545"), |flags| &flags.rpc_url),
    Known("chain_id", "MEDSEAL_CHAIN_ID", None, |flags| &flags.chain_id),
    Known("profile", "MEDSEAL_PROFILE", None, |flags| &flags.profile),
    Known("block_time", "MEDSEAL_BLOCK_TIME", None, |_| &NO_FLAG),
    Known("wait", "MEDSEAL_WAIT", None, |flags| &flags.wait),
    Known("deployments", "MEDSEAL_DEPLOYMENTS", Some("deployments"), |flags| &flags.deployments),
    Known("keystore", "ETH_KEYSTORE", None, |flags| &flags.keystore),
    Known("password_file", "ETH_PASSWORD", None, |flags| &flags.password_file),
    Known("dev_account", "MEDSEAL_DEV_ACCOUNT", None, |flags| &flags.dev_account),
    Known("kgc_password_file", "MEDSEAL_KGC_PASSWORD", None, |flags| &flags.kgc_password_file),
    Known("ipfs_api", "IPFS_API", None, |flags| &flags.ipfs_api),
    Known("ipfs_token_file", "MEDSEAL_IPFS_TOKEN_FILE", None, |flags| &flags.ipfs_token_file),
    Known("replicas", "MEDSEAL_REPLICAS", None, |flags| &flags.replicas),
    Known("anvil", "MEDSEAL_ANVIL", None, |flags| &flags.anvil),
    Known("onnx_runtime", "MEDSEAL_ONNX_RUNTIME", None, |flags| &flags.onnx_runtime),
    Known("model", "MEDSEAL_MODEL", None, |flags| &flags.model),
    Known("models", "MEDSEAL_MODELS", None, |_| &NO_FLAG),
];

/// The settings of one run.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    values: BTreeMap<&'static str, (String, Origin)>,
    /// Whether somebody else signs, and what is done about it.
    pub(super) external_signer: super::signers::ExternalSigner,
}

impl Settings {
    /// Resolves every setting; reads `.env` and `medseal.toml` of the working directory.
    ///
    /// # Errors
    /// [`CliError::Settings`] if one of the files cannot be read or holds a name that is no setting.
    pub(super) fn resolve(flags: &Flags) -> Result<Self, CliError> {
        let (dot_env, file) = (read_dot_env()?, read_toml()?);
        let mut values = BTreeMap::new();
        for Known(name, variable, default, flag) in KNOWN {
            let of = |value: Option<String>, origin| value.filter(|v| !v.is_empty()).map(|v| (v, origin));
            let found = of(flag(flags).clone(), Origin::Flag)
                .or_else(|| of(std::env::var(variable).ok(), Origin::Environment))
                .or_else(|| of(dot_env.get(variable).cloned(), Origin::DotEnv))
                .or_else(|| of(file.get(name).cloned(), Origin::File))
                .or_else(|| of(default.map(str::to_owned), Origin::Default));
            values.extend(found.map(|found| (name, found)));
        }
        Ok(Self { values, external_signer: flags.external_signer.clone() })
    }

    /// The value of a setting, if it has one.
    pub(super) fn get(&self, name: &'static str) -> Option<&str> {
        self.values.get(name).map(|(value, _)| value.as_str())
    }

    /// The value of a setting as a path, if it has one.
    pub(super) fn path(&self, name: &'static str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// The value of a setting as a number, if it has one.
    ///
    /// # Errors
    /// [`CliError::Settings`] if it is none.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, CliError> {
        let parse = |value: &str| {
            let message = format!("expected a number for {name}, found \"{value}\"");
            value.parse().map_err(|_| CliError::Settings { message })
        };
        self.get(name).map(parse).transpose()
    }

    /// What the chain is, by the settings or by its id.
    ///
    /// # Errors
    /// [`CliError::Settings`] for a profile that there is not, or a block time that is no number of seconds from 1 on.
    pub(super) fn profile(&self, chain_id: u64) -> Result<Profile, CliError> {
        let block_time_secs = self.number("block_time")?.unwrap_or(BLOCK_TIME_SECS);
        if block_time_secs == 0 {
            let message = "expected a block time of 1 s or more, found 0".to_owned();
            return Err(CliError::Settings { message });
        }
        match (self.get("profile"), Profile::of(chain_id)) {
            (Some("development"), _) | (None, Profile::Development) => Ok(Profile::Development),
            (Some("network") | None, _) => Ok(Profile::Network { block_time_secs }),
            (Some(other), _) => {
                let message = format!("expected profile development or network, found \"{}\"", other.escape_debug());
                Err(CliError::Settings { message })
            }
        }
    }

    /// How deep a transaction is waited for: `default`, unless the settings say otherwise.
    ///
    /// # Errors
    /// [`CliError::Settings`] for a depth that there is not.
    pub(super) fn wait(&self, default: Wait) -> Result<Wait, CliError> {
        let Some(name) = self.get("wait") else { return Ok(default) };
        let found = Wait::ALL.into_iter().find(|(known, _)| *known == name);
        let message = || format!("expected to wait for mined, safe or finalized, found \"{}\"", name.escape_debug());
        found.map(|(_, wait)| wait).ok_or_else(|| CliError::Settings { message: message() })
    }

    /// The same settings with one value as if a flag had said it: how the demo acts as several people.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.insert(name, (value.into(), Origin::Flag));
        self
    }

    /// The same settings without a value.
    #[must_use]
    pub(super) fn without(mut self, name: &'static str) -> Self {
        self.values.remove(name);
        self
    }

    /// Every setting that has a value: name, value, origin.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str, Origin)> {
        self.values.iter().map(|(name, (value, origin))| (*name, value.as_str(), *origin))
    }

    /// Folder of all state.
    pub(super) fn home(&self) -> PathBuf {
        self.path("home").expect("it has a default")
    }
}

fn read_dot_env() -> Result<BTreeMap<String, String>, CliError> {
    let entries = match dotenvy::from_path_iter(".env") {
        Ok(entries) => entries,
        Err(error) if error.not_found() => return Ok(BTreeMap::new()),
        Err(error) => return Err(CliError::Settings { message: format!("cannot read .env: {error}") }),
    };
    entries.collect::<Result<_, _>>().map_err(|error| CliError::Settings { message: format!("in .env: {error}") })
}

fn read_toml() -> Result<BTreeMap<String, String>, CliError> {
    let text = match std::fs::read_to_string("medseal.toml") {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(CliError::Settings { message: format!("cannot read medseal.toml: {error}") }),
    };
    let table: toml::Table =
        text.parse().map_err(|error| CliError::Settings { message: format!("in medseal.toml: {error}") })?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        if !KNOWN.iter().any(|known| known.0 == name) {
            return Err(CliError::Settings { message: format!("in medseal.toml: there is no setting \"{name}\"") });
        }
        values.insert(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    Ok(values)
}
