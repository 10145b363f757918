//! The store that the settings name: a folder in the state folder, or IPFS nodes.

use super::error::CliError;
use super::output::say;
use super::settings::{Setting, Settings};
use crate::files::read_secret;
use crate::storage::kubo::{Deadlines, Endpoint, KuboOptions, Token};
use crate::storage::{AnyStore, KuboStore, LocalStore};
use std::sync::Arc;

/// The store.
///
/// # Errors
/// [`CliError::Store`], [`CliError::Settings`], [`CliError::File`].
pub(super) fn store(settings: &Settings) -> Result<AnyStore, CliError> {
    match kubo(settings)? {
        Some(store) => Ok(AnyStore::Kubo(store)),
        None => Ok(AnyStore::Local(local(settings)?)),
    }
}

/// The folder of blocks.
///
/// # Errors
/// [`CliError::Store`].
pub(super) fn local(settings: &Settings) -> Result<LocalStore, CliError> {
    Ok(LocalStore::open(settings.home().join("store"))?)
}

/// The IPFS nodes, if the settings name any.
///
/// # Errors
/// [`CliError::Settings`], [`CliError::File`].
pub(super) fn kubo(settings: &Settings) -> Result<Option<KuboStore>, CliError> {
    let replicas = settings.replicas()?;
    let Some(list) = settings.ipfs_api() else {
        let message = || format!("expected 1 for replicas without ipfs_api (IPFS_API), found {replicas}");
        return if replicas == 1 { Ok(None) } else { Err(CliError::Settings { message: message() }) };
    };
    let endpoints = endpoints(list)?;
    let tokens = tokens(settings, endpoints.len())?;
    let nodes = endpoints.into_iter().zip(tokens).collect();
    let notice = Arc::new(|text: &str| say(text));
    let store = KuboStore::new(KuboOptions { nodes, replicas, deadlines: Deadlines::default(), notice });
    store.map(Some).map_err(|error| CliError::Settings { message: format!("in ipfs_api and replicas: {error}") })
}

/// The addresses in a list with commas.
///
/// # Errors
/// [`CliError::Settings`], which does not repeat the address: it may hold a password.
pub(super) fn endpoints(list: &str) -> Result<Vec<Endpoint>, CliError> {
    let parse = |(index, text): (usize, &str)| {
        let message = |error| format!("in ipfs_api, address {}: {error}", index + 1);
        text.trim().parse().map_err(|error| CliError::Settings { message: message(error) })
    };
    list.split(',').enumerate().map(parse).collect()
}

/// A token for each of so many nodes.
fn tokens(settings: &Settings, nodes: usize) -> Result<Vec<Option<Token>>, CliError> {
    let Some(path) = settings.ipfs_token_file()? else { return Ok(vec![None; nodes]) };
    let text = read_secret(&path).map_err(|source| Setting::IpfsTokenFile.unreadable(source))?;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() != 1 && lines.len() != nodes {
        let message = format!(
            "expected one token in {}, or one for each of {nodes} nodes, found {}",
            path.display(),
            lines.len()
        );
        return Err(CliError::Settings { message });
    }
    let of = |index: usize| {
        let token = Token::new(lines[index % lines.len()]);
        let message =
            || format!("line {} of {} is no token: expected one word", index % lines.len() + 1, path.display());
        token.map(Some).ok_or_else(|| CliError::Settings { message: message() })
    };
    (0..nodes).map(of).collect()
}
