//! The KGC as the command line asks it: its key file, its log, or its URL.

use super::error::CliError;
use super::output::say;
use super::session::{Session, ask};
use super::settings::{Setting, Settings};
use crate::chain::Registry;
use crate::clock::SystemClock;
use crate::envelope::capsules::X25519Public;
use crate::files::read_secret;
use crate::kgc::{
    AnyKeyCenter, ChainViewError, Home, KeyCenters, KgcDoor, KgcError, KgcIdentity, KgcKeys, LocalKeyCenter, Member,
    ReleaseLog, RemoteKeyCenter, Rewrapped, SetNote, open_key_file, release_log_id,
};
use crate::pipeline::{PipelineError, RegistryView, home, published_keys};
use crate::words::escaped;
use alloy::primitives::B256;
use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// The KGC, as the command line asks it.
pub(super) type KeyCenter = AnyKeyCenter<RegistryView<SystemClock>, SystemClock>;

impl Session {
    /// The KGCs: at the URLs of the settings, or with the key file of this machine. Several are
    /// reached when they are asked.
    ///
    /// # Errors
    /// [`CliError::KeyFile`], [`CliError::Kgc`], [`CliError::File`], [`CliError::Chain`].
    pub(super) async fn key_centers(
        &self,
        registry: &Registry,
        threshold: Option<u8>,
    ) -> Result<KeyCenters<KeyCenter>, CliError> {
        let home = home(registry);
        let urls: Vec<&str> =
            self.settings().kgc().map(|urls| urls.split(',').map(str::trim).collect()).unwrap_or_default();
        let mut members = Vec::new();
        for url in &urls {
            let way = Way {
                door: self.door(url)?,
                registry: registry.clone(),
                home,
                receipts: self.folder().join("receipts"),
            };
            if urls.len() == 1 {
                members.push(Member::here(url, way.center().await?));
            } else {
                let way = Way { door: way.door.without_retries(), ..way };
                members.push(Member::at(url, move || Box::pin(way.clone().reach())));
            }
        }
        if urls.is_empty() {
            let keys = published_keys(registry, open_keys(self.settings())?).await?;
            let log = release_log_of(self.settings(), &Instance::default())?;
            let view = RegistryView::new(registry.clone(), SystemClock);
            let center = LocalKeyCenter::new(keys, home, view, SystemClock, log);
            let center = center.with_rewrapped(rewrapped_sets(self.settings()));
            members.push(Member::here("this machine", KeyCenter::Local(Box::new(center))));
        }
        let said = Mutex::new(HashSet::new());
        let tell = move |note: &SetNote<'_>| {
            let note = escaped(&note.to_string());
            // Once a run, not for each file.
            if said.lock().unwrap_or_else(PoisonError::into_inner).insert(note.clone()) {
                say(&note);
            }
        };
        Ok(KeyCenters::several(members, threshold, tell).map_err(PipelineError::from)?)
    }

    fn door(&self, url: &str) -> Result<KgcDoor, CliError> {
        let ca = match self.settings().kgc_ca() {
            Some(path) => Some(std::fs::read(&path).map_err(|source| CliError::File { act: "read", path, source })?),
            None => None,
        };
        Ok(KgcDoor::new(url, ca.as_deref())?)
    }
}

/// The way to a KGC on the network.
#[derive(Clone)]
struct Way {
    door: KgcDoor,
    registry: Registry,
    home: Home,
    receipts: PathBuf,
}

impl Way {
    /// The KGC says who it is; what its keys are says the chain.
    async fn center(self) -> Result<KeyCenter, CliError> {
        let Self { door, registry, home, receipts } = self;
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
        Ok(KeyCenter::Remote(Box::new(RemoteKeyCenter::new(door, identity, home, Some(&receipts)))))
    }

    async fn reach(self) -> Result<KeyCenter, KgcError> {
        self.center().await.map_err(|error| match error {
            CliError::Kgc(error) => error,
            other => ChainViewError::Unreachable { source: Box::new(other) }.into(),
        })
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

/// Which of several that run with one key file.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Instance {
    /// Name of an instance, where several serve with one key file: each has a log of its own
    #[arg(long, default_value = "", value_name = "NAME", hide_default_value = true, value_parser = instance_name)]
    instance: String,
}

fn instance_name(text: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match text.len() <= 32 && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("the name of an instance has at most 32 of a-z, 0-9 and -"),
    }
}

impl Instance {
    /// Its name; empty for the only one.
    pub(super) fn name(&self) -> &str {
        &self.instance
    }

    /// The file with the log of what it answered.
    pub(super) fn log_file(&self, settings: &Settings) -> PathBuf {
        kgc_folder(settings).join(match self.name() {
            "" => "release.log".to_owned(),
            name => format!("release-{name}.log"),
        })
    }

    /// The log's name on chain.
    pub(super) fn log_id(&self, kgc_id: B256) -> B256 {
        release_log_id(kgc_id, self.name())
    }
}

/// The log of what an instance of the KGC answered.
///
/// # Errors
/// [`CliError::Kgc`].
pub(super) fn release_log_of(settings: &Settings, instance: &Instance) -> Result<ReleaseLog, CliError> {
    let path = instance.log_file(settings);
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
    Ok(open_with_passphrase(settings)?.0)
}

/// The same, and the file's passphrase: what is written over it has that one too.
///
/// # Errors
/// [`CliError::KeyFile`].
pub(super) fn open_with_passphrase(settings: &Settings) -> Result<(KgcKeys, Option<Zeroizing<String>>), CliError> {
    use crate::kgc::KeyFileError::PassphraseNeeded;
    let (file, named) = (kgc_key_file(settings), kgc_passphrase(settings)?);
    match open_key_file(&file, named.as_deref().map(String::as_str)) {
        Err(PassphraseNeeded) if std::io::stdin().is_terminal() => {
            let typed = ask("passphrase of the KGC's key file", Setting::KgcPasswordFile)?;
            Ok((open_key_file(&file, Some(&typed))?, Some(typed)))
        }
        opened => Ok((opened?, named)),
    }
}

/// The passphrase of a key file that is to be made: the one that the settings name, or one that is
/// typed twice.
///
/// # Errors
/// [`CliError::File`], [`CliError::Settings`].
pub(super) fn new_passphrase(settings: &Settings) -> Result<Zeroizing<String>, CliError> {
    if let Some(named) = kgc_passphrase(settings)? {
        return Ok(named);
    }
    let first = ask("new passphrase of the KGC's key file", Setting::KgcPasswordFile)?;
    match *first == *ask("the same passphrase again", Setting::KgcPasswordFile)? {
        true => Ok(first),
        false => Err(CliError::Settings { message: "the two passphrases differ".to_owned() }),
    }
}

/// The passphrase in the file that the settings name, if they name one.
///
/// # Errors
/// [`CliError::File`].
fn kgc_passphrase(settings: &Settings) -> Result<Option<Zeroizing<String>>, CliError> {
    let Some(path) = settings.kgc_password_file() else { return Ok(None) };
    let text = read_secret(&path).map_err(|source| Setting::KgcPasswordFile.unreadable(source))?;
    Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}
