//! The two files of the working directory that hold settings.

use super::table::Setting;
use crate::cli::error::CliError;
use std::collections::BTreeMap;

/// `.env`: values by variable.
///
/// # Errors
/// [`CliError::Settings`] if it cannot be read.
pub(super) fn dot_env() -> Result<BTreeMap<String, String>, CliError> {
    let entries = match dotenvy::from_path_iter(".env") {
        Ok(entries) => entries,
        Err(error) if error.not_found() => return Ok(BTreeMap::new()),
        Err(error) => return Err(CliError::Settings { message: format!("cannot read .env: {error}") }),
    };
    entries.collect::<Result<_, _>>().map_err(|error| CliError::Settings { message: format!("in .env: {error}") })
}

/// `medseal.toml`: values by name.
///
/// # Errors
/// [`CliError::Settings`] if it cannot be read, or holds a name that is no setting.
pub(super) fn medseal_toml() -> Result<BTreeMap<String, String>, CliError> {
    let text = match std::fs::read_to_string("medseal.toml") {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(CliError::Settings { message: format!("cannot read medseal.toml: {error}") }),
    };
    let table: toml::Table =
        text.parse().map_err(|error| CliError::Settings { message: format!("in medseal.toml: {error}") })?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        if !Setting::ALL.iter().any(|setting| setting.row().name == name) {
            return Err(CliError::Settings { message: format!("in medseal.toml: there is no setting \"{name}\"") });
        }
        values.insert(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    Ok(values)
}
