//! The KGC as the command line asks it: its key file, its log, or its URL.

use super::act::Act;
use super::error::CliError;
use super::output::say;
use super::session::{Session, ask};
use super::settings::{Setting, Settings};
use crate::chain::{Registry, Submitted};
use crate::clock::SystemClock;
use crate::envelope::capsules::X25519Public;
use crate::files::read_secret;
use crate::kgc::{
    AnyKeyCenter, Home, KgcDoor, KgcError, KgcIdentity, KgcKeys, LocalKeyCenter, LogHead, ReleaseLog, RemoteKeyCenter,
    Rewrapped, open_key_file,
};
use crate::pipeline::{LogToAnchor, NamedCall, RegistryView, home, log_to_anchor, published_keys};
use alloy::primitives::B256;
use std::io::IsTerminal;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The KGC, as the command line asks it.
pub(super) type KeyCenter = AnyKeyCenter<RegistryView<SystemClock>, SystemClock>;

impl Session {
    /// The KGC: at the URL of the settings, or with the key file of this machine.
    ///
    /// # Errors
    /// [`CliError::KeyFile`], [`CliError::Kgc`], [`CliError::File`], [`CliError::Chain`].
    pub(super) async fn key_center(&self, registry: &Registry) -> Result<KeyCenter, CliError> {
        let home = home(registry);
        if let Some(url) = self.settings().kgc() {
            return Ok(KeyCenter::Remote(Box::new(self.remote_key_center(url, registry, home).await?)));
        }
        let keys = published_keys(registry, open_keys(self.settings())?).await?;
        let log = release_log(self.settings())?;
        let view = RegistryView::new(registry.clone(), SystemClock);
        let center = LocalKeyCenter::new(keys, home, view, SystemClock, log);
        Ok(KeyCenter::Local(Box::new(center.with_rewrapped(rewrapped_sets(self.settings())))))
    }

    /// The KGC says who it is; what its keys are says the chain.
    async fn remote_key_center(&self, url: &str, registry: &Registry, home: Home) -> Result<RemoteKeyCenter, CliError> {
        let ca = match self.settings().kgc_ca() {
            Some(path) => Some(std::fs::read(&path).map_err(|source| CliError::File { act: "read", path, source })?),
            None => None,
        };
        let door = KgcDoor::new(url, ca.as_deref())?;
        let info = door.info().await?;
        let found = Home { chain_id: info.chain_id, registry: info.registry };
        if found != home {
            return Err(KgcError::OtherHome {
                url: door.url().to_owned(),
                expected: home.to_string(),
                found: found.to_string(),
            }
            .into());
        }
        let key = registry.current_kgc_key(info.kgc_id).await?;
        let public = X25519Public::from_bytes(key.x25519.0).map_err(KgcError::from)?;
        let identity = KgcIdentity { id: info.kgc_id, epoch: key.epoch, public, receipt_signer: key.receiptSigner };
        Ok(RemoteKeyCenter::new(door, identity, home, Some(&self.folder().join("receipts"))))
    }
}

/// Folder of the KGC's state.
pub(super) fn kgc_folder(settings: &Settings) -> PathBuf {
    settings.home().join("kgc")
}

/// The capsules that the KGC sealed to a newer key.
pub(super) fn rewrapped_sets(settings: &Settings) -> Rewrapped {
    Rewrapped::in_folder(&kgc_folder(settings).join("rewrapped"))
}

/// The file with the log of what the KGC gave out.
pub(super) fn release_log_file(settings: &Settings) -> PathBuf {
    kgc_folder(settings).join("release.log")
}

/// The log of the only instance of the KGC.
///
/// # Errors
/// [`CliError::Kgc`].
pub(super) fn release_log(settings: &Settings) -> Result<ReleaseLog, CliError> {
    release_log_of(settings, "")
}

/// The log of what an instance of the KGC answered.
///
/// # Errors
/// [`CliError::Kgc`].
pub(super) fn release_log_of(settings: &Settings, instance: &str) -> Result<ReleaseLog, CliError> {
    let path = match instance {
        "" => release_log_file(settings),
        name => kgc_folder(settings).join(format!("release-{name}.log")),
    };
    let log = ReleaseLog::open(&path).map_err(KgcError::from)?;
    if log.healed() > 0 {
        let path = path.display();
        say(&format!(
            "note: the log {path} ended in a line that was not whole: nothing was given for it, and it lies in {path}.torn"
        ));
    }
    Ok(log)
}

/// The KGC's key file.
pub(super) fn kgc_key_file(settings: &Settings) -> PathBuf {
    kgc_folder(settings).join("kgc.json")
}

/// The keys in the KGC's key file; asks for the passphrase if the file has one and the settings do
/// not.
///
/// # Errors
/// [`CliError::KeyFile`].
pub(super) fn open_keys(settings: &Settings) -> Result<KgcKeys, CliError> {
    use crate::kgc::KeyFileError::PassphraseNeeded;
    let file = kgc_key_file(settings);
    let passphrase = kgc_passphrase(settings)?;
    match open_key_file(&file, passphrase.as_deref().map(String::as_str)) {
        Err(PassphraseNeeded) if std::io::stdin().is_terminal() => {
            let passphrase = ask("passphrase of the KGC's key file", Setting::KgcPasswordFile)?;
            Ok(open_key_file(&file, Some(&passphrase))?)
        }
        other => Ok(other?),
    }
}

/// The passphrase in the file that the settings name, if they name one.
///
/// # Errors
/// [`CliError::File`].
pub(super) fn kgc_passphrase(settings: &Settings) -> Result<Option<Zeroizing<String>>, CliError> {
    let Some(path) = settings.kgc_password_file() else { return Ok(None) };
    let text = read_secret(&path).map_err(|source| Setting::KgcPasswordFile.unreadable(source))?;
    Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}

/// Anchors a log's head by the acting wallet; nothing is submitted where the chain has it.
pub(super) async fn anchor_head(
    act: &mut Act,
    log: &ReleaseLog,
    log_id: B256,
) -> Result<(LogHead, Option<Submitted>), CliError> {
    let LogToAnchor { newest, call } = log_to_anchor(&act.registry, log, log_id, act.by()).await?;
    let submitted = match call {
        Some(NamedCall { job, call }) => Some(act.submit(&job, &call).await?),
        None => None,
    };
    Ok((newest, submitted))
}
