//! Settings: flags, then the environment, then `.env` and `medseal.toml` of the working folder,
//! then the user's own `medseal.toml`, then defaults; each remembers where it came from.

mod files;
mod flags;
mod table;
#[cfg(test)]
mod tests;

pub(super) use files::SettingsFile;
pub(super) use flags::Flags;
pub(super) use table::{Row, Setting};

use super::error::CliError;
use crate::chain::{BLOCK_TIME_SECS, Profile, READ_TIME, Wait};
use alloy::primitives::U256;
use alloy::primitives::utils::parse_ether;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

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
    /// `medseal.toml` in the user's own configuration folder.
    OwnFile,
    /// Nothing set it.
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
            Self::OwnFile => "own medseal.toml",
            Self::Default => "default",
        }
    }
}

impl Setting {
    /// Why the file with a secret that the setting names is of no use.
    pub(super) fn unreadable(self, source: std::io::Error) -> CliError {
        let Row { name, variable, .. } = self.row();
        CliError::SecretFile { named_by: format!("{name} ({variable})"), source }
    }
}

/// The settings of one run.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    values: BTreeMap<Setting, (String, Origin)>,
    /// The files that were looked for.
    files: Vec<SettingsFile>,
    /// Whether other programs' transactions of the wallet are not waited for.
    pub(super) after_pending: bool,
    /// Whether an external wallet signs, and what is done about it.
    pub(super) external_signer: super::signers::ExternalSigner,
}

impl Settings {
    /// Resolves every setting; reads the files of the working folder and of the user's own
    /// configuration folder.
    ///
    /// # Errors
    /// [`CliError::Settings`] if one of the files is refused, or a variable is no text.
    pub(super) fn resolve(flags: &Flags) -> Result<Self, CliError> {
        let files = files::read_all(files::own_file())?;
        let mut values = BTreeMap::new();
        for &setting in Setting::ALL {
            let Row { variable, default, flag, .. } = setting.row();
            let of = |value: Option<String>, origin| value.filter(|v| !v.is_empty()).map(|v| (v, origin));
            let found = of(flag.and_then(|flag| flag(flags).clone()), Origin::Flag)
                .or(of(text_of_variable(variable)?, Origin::Environment))
                .or_else(|| files.iter().find_map(|file| of(file.get(setting).cloned(), file.origin)))
                .or_else(|| of(default.map(str::to_owned), Origin::Default));
            values.extend(found.map(|found| (setting, found)));
        }
        let (after_pending, external_signer) = (flags.after_pending, flags.external_signer.clone());
        Ok(Self { values, files, after_pending, external_signer })
    }

    fn get(&self, setting: Setting) -> Option<&str> {
        self.values.get(&setting).map(|(value, _)| value.as_str())
    }

    fn path(&self, setting: Setting) -> Option<PathBuf> {
        self.get(setting).map(PathBuf::from)
    }

    /// A number is looked at when it is used: a wrong one does not stop a command that does not
    /// use it.
    fn number(&self, setting: Setting) -> Result<Option<u64>, CliError> {
        let parse = |value: &str| {
            let message = format!("expected a number for {}, found \"{value}\"", setting.row().name);
            value.parse().map_err(|_| CliError::Settings { message })
        };
        self.get(setting).map(parse).transpose()
    }

    /// Folder of all state.
    pub(super) fn home(&self) -> PathBuf {
        self.path(Setting::Home).expect("it has a default")
    }

    /// Who acts, where somebody is named.
    pub(super) fn actor(&self) -> Option<&str> {
        self.get(Setting::Actor)
    }

    /// The Ethereum node, or several with commas between their URLs.
    pub(super) fn rpc_url(&self) -> &str {
        self.get(Setting::RpcUrl).expect("it has a default")
    }

    /// The only chain that is taken.
    ///
    /// # Errors
    /// [`CliError::Settings`] if it is no number.
    pub(super) fn chain_id(&self) -> Result<Option<u64>, CliError> {
        self.number(Setting::ChainId)
    }

    /// Most wei that a transaction may cost.
    ///
    /// # Errors
    /// [`CliError::Settings`] if it is no amount of ETH.
    pub(super) fn fee_ceiling(&self) -> Result<U256, CliError> {
        let value = self.get(Setting::FeeCeiling).expect("it has a default");
        let parsed = if value.starts_with('-') { None } else { parse_ether(value).ok() };
        let message = || format!("expected an amount of ETH for fee_ceiling, found \"{}\"", value.escape_debug());
        parsed.ok_or_else(|| CliError::Settings { message: message() })
    }

    /// Most gas of a transaction that runs the code of somebody else's wallet.
    ///
    /// # Errors
    /// [`CliError::Settings`] if it is no number.
    pub(super) fn relay_gas(&self) -> Result<u64, CliError> {
        Ok(self.number(Setting::RelayGas)?.expect("it has a default"))
    }

    /// Folder of the deployment files.
    pub(super) fn deployments(&self) -> PathBuf {
        self.path(Setting::Deployments).expect("it has a default")
    }

    /// A keystore file.
    pub(super) fn keystore(&self) -> Option<PathBuf> {
        self.path(Setting::Keystore)
    }

    /// The file with the keystore's passphrase.
    pub(super) fn password_file(&self) -> Option<PathBuf> {
        self.path(Setting::PasswordFile)
    }

    /// The number of a development account.
    ///
    /// # Errors
    /// [`CliError::Settings`] if it is none.
    pub(super) fn dev_account(&self) -> Result<Option<u64>, CliError> {
        self.number(Setting::DevAccount)
    }

    /// The URL of the KGC.
    pub(super) fn kgc(&self) -> Option<&str> {
        self.get(Setting::Kgc)
    }

    /// The file with the authorities to trust for the KGC's TLS.
    pub(super) fn kgc_ca(&self) -> Option<PathBuf> {
        self.path(Setting::KgcCa)
    }

    /// The file with the passphrase of the KGC's key file.
    pub(super) fn kgc_password_file(&self) -> Option<PathBuf> {
        self.path(Setting::KgcPasswordFile)
    }

    /// The RPC addresses of IPFS nodes, separated by commas.
    pub(super) fn ipfs_api(&self) -> Option<&str> {
        self.get(Setting::IpfsApi)
    }

    /// The file with the tokens of the IPFS nodes.
    ///
    /// # Errors
    /// [`CliError::Settings`] if the working folder says to whom they would be sent.
    pub(super) fn ipfs_token_file(&self) -> Result<Option<PathBuf>, CliError> {
        let to = self.values.get(&Setting::IpfsApi).map(|(_, origin)| *origin);
        let token_file = self.path(Setting::IpfsTokenFile);
        if token_file.is_some() && matches!(to, Some(Origin::DotEnv | Origin::File)) {
            let message = "ipfs_api of the working folder would be sent the token of ipfs_token_file: give both by \
                           flag, environment or your own configuration folder";
            return Err(CliError::Settings { message: message.to_owned() });
        }
        Ok(token_file)
    }

    /// At how many IPFS nodes each object is kept.
    ///
    /// # Errors
    /// [`CliError::Settings`] if it is no number.
    pub(super) fn replicas(&self) -> Result<usize, CliError> {
        let replicas = self.number(Setting::Replicas)?.unwrap_or(1);
        Ok(usize::try_from(replicas).unwrap_or(usize::MAX))
    }

    /// The anvil program.
    pub(super) fn anvil(&self) -> Option<PathBuf> {
        self.path(Setting::Anvil)
    }

    /// ONNX Runtime's library.
    pub(super) fn onnx_runtime(&self) -> Option<PathBuf> {
        self.path(Setting::OnnxRuntime)
    }

    /// The file of another transformer than the built-in one.
    pub(super) fn model(&self) -> Option<PathBuf> {
        self.path(Setting::Model)
    }

    /// SHA-256 digests of the transformers that may be used besides the built-in one, as a list.
    pub(super) fn models(&self) -> &str {
        self.get(Setting::Models).unwrap_or_default()
    }

    /// What the chain is, by the settings or by its id.
    ///
    /// # Errors
    /// [`CliError::Settings`] for an unknown profile, or a block time that is not a number of
    /// seconds from 1 on.
    pub(super) fn profile(&self, chain_id: u64) -> Result<Profile, CliError> {
        let block_time_secs = self.number(Setting::BlockTime)?.unwrap_or(BLOCK_TIME_SECS);
        if block_time_secs == 0 {
            let message = "expected a block time of 1 s or more, found 0".to_owned();
            return Err(CliError::Settings { message });
        }
        match (self.get(Setting::Profile), Profile::of(chain_id)) {
            (Some("development"), _) | (None, Profile::Development) => Ok(Profile::Development),
            (Some("network") | None, _) => Ok(Profile::Network { block_time_secs }),
            (Some(other), _) => {
                let message = format!("expected profile development or network, found \"{}\"", other);
                Err(CliError::Settings { message })
            }
        }
    }

    /// How long the reading of a log may take.
    ///
    /// # Errors
    /// [`CliError::Settings`] if it is no number of seconds from 1 on.
    pub(super) fn read_time(&self) -> Result<Duration, CliError> {
        match self.number(Setting::ReadTime)? {
            Some(0) => Err(CliError::Settings { message: "expected a read time of 1 s or more, found 0".to_owned() }),
            secs => Ok(secs.map_or(READ_TIME, Duration::from_secs)),
        }
    }

    /// How deep a transaction must be in the chain before the command ends: `default`, unless the
    /// settings say otherwise.
    ///
    /// # Errors
    /// [`CliError::Settings`] for an unknown depth.
    pub(super) fn wait(&self, default: Wait) -> Result<Wait, CliError> {
        let Some(name) = self.get(Setting::Wait) else { return Ok(default) };
        let found = Wait::ALL.into_iter().find(|(known, _)| *known == name);
        let message = || format!("expected to wait for mined, safe or finalized, found \"{}\"", name);
        found.map(|(_, wait)| wait).ok_or_else(|| CliError::Settings { message: message() })
    }

    /// The same settings with one value as if a flag had said it: how the demo acts as several
    /// people.
    #[must_use]
    pub(super) fn with(mut self, setting: Setting, value: impl Into<String>) -> Self {
        self.values.insert(setting, (value.into(), Origin::Flag));
        self
    }

    /// The same settings without a value.
    #[must_use]
    pub(super) fn without(mut self, setting: Setting) -> Self {
        self.values.remove(&setting);
        self
    }

    /// The files of settings that were looked for, the one that wins first.
    pub(super) fn files(&self) -> &[SettingsFile] {
        &self.files
    }

    /// Every setting that has a value, with value and origin, in the order of their names.
    pub(super) fn all(&self) -> Vec<(Setting, &str, Origin)> {
        let mut all: Vec<_> =
            self.values.iter().map(|(setting, (value, origin))| (*setting, value.as_str(), *origin)).collect();
        all.sort_by_key(|(setting, ..)| setting.row().name);
        all
    }
}

/// A variable's value, if it has one.
fn text_of_variable(name: &str) -> Result<Option<String>, CliError> {
    let text = |value: std::ffi::OsString| {
        let message = || format!("{name} is no text: expected UTF-8");
        value.into_string().map_err(|_| CliError::Settings { message: message() })
    };
    std::env::var_os(name).map(text).transpose()
}
