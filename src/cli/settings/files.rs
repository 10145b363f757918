//! The files that hold settings: two of the working folder, one of the user's own configuration
//! folder.

use super::Origin;
use super::table::{GivenBy, Setting};
use crate::cli::error::CliError;
use crate::files::read_own;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

type Values = BTreeMap<Setting, String>;

/// A file of settings.
#[derive(Debug, Clone)]
pub(in crate::cli) struct SettingsFile {
    /// Where it is looked for.
    pub(in crate::cli) path: PathBuf,
    /// What its settings are said to come from.
    pub(super) origin: Origin,
    /// Its values; `None` where there is no such file.
    values: Option<Values>,
}

impl SettingsFile {
    /// Whether it is there, and was read.
    pub(in crate::cli) fn was_read(&self) -> bool {
        self.values.is_some()
    }

    /// What it says of a setting.
    pub(super) fn get(&self, setting: Setting) -> Option<&String> {
        self.values.as_ref()?.get(&setting)
    }
}

/// Reads every file of settings, the one that wins first. `own` is that of the user's own
/// configuration folder.
///
/// # Errors
/// [`CliError::Settings`] for one that cannot be read, that others than its user may write, that
/// holds a name that is no setting, or, in the working folder, a setting that is not taken from
/// there.
pub(super) fn read_all(own: Option<PathBuf>) -> Result<Vec<SettingsFile>, CliError> {
    let read = |path: PathBuf, origin, values: fn(&Path, &str) -> Result<Values, CliError>| {
        let values = text_of(&path)?.map(|text| values(&path, &text)).transpose();
        values.map(|values| SettingsFile { path, origin, values })
    };
    let files = [
        Some(read(".env".into(), Origin::DotEnv, dot_env)?),
        Some(read("medseal.toml".into(), Origin::File, medseal_toml)?),
        own.clone().map(|own| read(own, Origin::OwnFile, medseal_toml)).transpose()?,
    ];
    let files: Vec<_> = files.into_iter().flatten().collect();
    for file in files.iter().filter(|file| file.origin != Origin::OwnFile) {
        let refused = |setting: &&Setting| setting.row().given_by == GivenBy::User;
        if let Some(&setting) = file.values.iter().flat_map(Values::keys).find(refused) {
            return Err(not_from(file, setting, own.as_deref()));
        }
    }
    Ok(files)
}

/// Where the user's own file of settings is looked for: `medseal/medseal.toml` in
/// `$XDG_CONFIG_HOME`, or in `~/.config`.
pub(super) fn own_file() -> Option<PathBuf> {
    let absolute = |folder: PathBuf| folder.is_absolute().then_some(folder);
    let given = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).and_then(absolute);
    let folder = given.or_else(|| std::env::home_dir().and_then(absolute).map(|home| home.join(".config")))?;
    Some(folder.join("medseal").join("medseal.toml"))
}

fn not_from(file: &SettingsFile, setting: Setting, own: Option<&Path>) -> CliError {
    let row = setting.row();
    let own = own.map(|own| format!(", or write it into {}", own.display())).unwrap_or_default();
    let message = format!(
        "in {}: {} is not taken from the working folder, which others may have filled: set {}{own}",
        file.path.display(),
        row.name,
        row.variable
    );
    CliError::Settings { message }
}

/// The file's text, if there is a file.
fn text_of(path: &Path) -> Result<Option<String>, CliError> {
    match read_own(path) {
        Ok(text) => Ok(Some(text)),
        // A home that is a file has no configuration folder.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(CliError::Settings { message: format!("cannot read {}: {error}", path.display()) }),
    }
}

fn wrong(path: &Path, why: impl Display) -> CliError {
    CliError::Settings { message: format!("in {}: {why}", path.display()) }
}

/// The values of `.env`, which stand under their variables. Others than ours are not our concern.
fn dot_env(path: &Path, text: &str) -> Result<Values, CliError> {
    let entries: Result<BTreeMap<String, String>, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
    let mut entries = entries.map_err(|error| wrong(path, error))?;
    let of = |&setting: &Setting| Some((setting, entries.remove(setting.row().variable)?));
    Ok(Setting::ALL.iter().filter_map(of).collect())
}

/// The values of `medseal.toml`, which stand under their names.
fn medseal_toml(path: &Path, text: &str) -> Result<Values, CliError> {
    let table: toml::Table = text.parse().map_err(|error| wrong(path, error))?;
    let of = |(name, value): (String, toml::Value)| {
        let setting = Setting::ALL.iter().find(|setting| setting.row().name == name);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        setting.map(|&setting| (setting, value)).ok_or_else(|| wrong(path, format!("there is no setting \"{name}\"")))
    };
    table.into_iter().map(of).collect()
}
