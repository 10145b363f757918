//! `medseal kgc backup | restore | drill`: copies of a KGC's keys, and the proof that they are
//! good.

use super::error::CliError;
use super::key_center::{kgc_key_file, new_passphrase, open_keys};
use super::kgc_rewrap::Place;
use super::output::{Outcome, check_free, say, write_file};
use super::session::{Session, ask};
use super::settings::{Setting, Settings};
use super::stdio::shown_path;
use crate::clock::{Clock, SystemClock};
use crate::envelope::capsules::shamir::check_threshold;
use crate::envelope::capsules::{X25519Public, X25519Secret};
use crate::files::{ends_by_itself, make_private_folder, read_secret};
use crate::kgc::{
    Backup, BackupError, BackupLock, BackupNeeds, KeyFileError, KgcKeys, PassphraseCost, Protection, Rewrapped, Unlock,
    check_backup, create_key_file, make_backup, open_key_file, os_random,
};
use crate::pipeline::{OpenedAsKgc, next_rotation};
use alloy::primitives::B256;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// The file; with --shares the folder, one file in it for each share. Never overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Lock it with the passphrase in this file, not with one that is asked for
    #[arg(long, value_name = "FILE", conflicts_with_all = ["shares", "to"])]
    passphrase_file: Option<PathBuf>,
    /// Share it among several files, so many of which restore it, for instance 2-of-3
    #[arg(long, value_name = "M-of-N", conflicts_with = "to", value_parser = shares)]
    shares: Option<(u8, u8)>,
    /// Lock it to a recovery key that lies offline: its public key, as `capsules new-key` prints it
    #[arg(long, value_name = "PUBLICKEY")]
    to: Option<B256>,
}

#[derive(Debug, clap::Args)]
pub(super) struct From {
    /// The backup: one file, or as many shares as are needed
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The backup's passphrase is in this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The recovery key that the backup is locked to is in this file
    #[arg(long, value_name = "FILE")]
    recovery_key: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    from: From,
    /// Use no passphrase for the key file: only its mode protects the secrets
    #[arg(long)]
    no_passphrase: bool,
    /// Do not compare with the chain
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct DrillArgs {
    #[command(flatten)]
    from: From,
    /// How many images to open
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    images: u32,
}

/// `2-of-3`.
fn shares(text: &str) -> Result<(u8, u8), String> {
    let parsed = text.split_once("-of-").and_then(|(m, n)| Some((m.parse().ok()?, n.parse().ok()?)));
    parsed.ok_or_else(|| "expected two numbers, such as 2-of-3".to_owned())
}

/// The passphrase in a file, or one that is asked for at the terminal.
fn passphrase(file: Option<&Path>, what: &str) -> Result<Zeroizing<String>, CliError> {
    let Some(path) = file else { return ask_for(what) };
    let failed = |source| CliError::SecretFile { named_by: "--passphrase-file".to_owned(), source };
    let text = read_secret(path).map_err(failed)?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn ask_for(what: &str) -> Result<Zeroizing<String>, CliError> {
    use std::io::IsTerminal;
    if !std::io::stdin().is_terminal() {
        let message = format!("no {what}: --passphrase-file names a file that holds it");
        return Err(CliError::Settings { message });
    }
    ask(what, Setting::KgcPasswordFile)
}

pub(super) fn backup(args: &BackupArgs, settings: &Settings) -> Result<Outcome, CliError> {
    let keys = open_keys(settings)?;
    let (public, typed);
    let lock = match (args.shares, args.to) {
        (Some((threshold, shares)), _) => BackupLock::Shares { threshold, shares },
        (_, Some(key)) => {
            public = X25519Public::from_bytes(key.0).map_err(|_| CliError::ReaderKey { text: key.to_string() })?;
            BackupLock::Recovery(public)
        }
        (None, None) => {
            typed = passphrase(args.passphrase_file.as_deref(), "passphrase of the backup")?;
            if args.passphrase_file.is_none() && *ask_for("the same passphrase again")? != *typed {
                return Err(CliError::Settings { message: "the two passphrases differ".to_owned() });
            }
            BackupLock::Passphrase(&typed, PassphraseCost::RECOMMENDED)
        }
    };
    let paths: Vec<PathBuf> = match args.shares {
        None => vec![args.file.clone()],
        Some((_, all)) => (1..=all).map(|one| args.file.join(format!("share-{one}-of-{all}.json"))).collect(),
    };
    if let Some((threshold, shares)) = args.shares {
        check_threshold(threshold, shares.into()).map_err(BackupError::from)?;
        let path = args.file.clone();
        make_private_folder(&path).map_err(|source| CliError::File { act: "make", path, source })?;
    }
    for path in &paths {
        check_free(path, false)?;
    }
    let files = make_backup(&keys, lock, SystemClock.unix_secs(), &mut os_random())?;
    for (path, bytes) in paths.iter().zip(&files) {
        write_file(path, bytes, false)?;
    }
    let unlock = match lock {
        BackupLock::Passphrase(passphrase, _) => Unlock::Passphrase(passphrase),
        _ => Unlock::Nothing,
    };
    check_backup(&keys, &paths, unlock)?;
    if args.to.is_some() {
        say("note: only the recovery key can open it: try it with medseal kgc drill --recovery-key FILE");
    }
    let id = Backup::read(&paths[..1])?.id();
    let epochs: Vec<u32> = keys.identities().iter().map(|one| one.epoch).collect();
    let kind = match lock {
        BackupLock::Passphrase(..) => "passphrase",
        BackupLock::Shares { .. } => "shares",
        BackupLock::Recovery(_) => "recovery",
    };
    let object = json!({
        "kgcId": keys.identity().id, "backupId": id, "lock": kind, "epochs": epochs,
        "threshold": args.shares.map(|(threshold, _)| threshold),
        "files": paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
    });
    let named: Vec<String> = paths.iter().map(|path| shown_path(path).to_string()).collect();
    let text = format!(
        "backup {id} of KGC {}, epochs {epochs:?}: {}\nit has no log: back up release.log* as any other file",
        keys.identity().id,
        named.join(", ")
    );
    Ok(Outcome::new(object, text))
}

/// The keys in a backup, and what is said of it.
fn opened(from: &From) -> Result<(Backup, KgcKeys), CliError> {
    let backup = Backup::read(&from.files)?;
    let (typed, secret);
    let unlock = match backup.needs() {
        BackupNeeds::Nothing => Unlock::Nothing,
        BackupNeeds::Passphrase => {
            typed = passphrase(from.passphrase_file.as_deref(), "passphrase of the backup")?;
            Unlock::Passphrase(&typed)
        }
        BackupNeeds::Recovery(key_id) => {
            let path = from.recovery_key.as_deref().ok_or(BackupError::RecoveryKeyNeeded { key_id })?;
            secret = recovery_key(path)?;
            Unlock::Recovery(&secret)
        }
    };
    let keys = backup.open(unlock)?;
    Ok((backup, keys))
}

fn recovery_key(path: &Path) -> Result<X25519Secret, CliError> {
    super::capsules::read_key(path)
}

pub(super) async fn restore(args: &RestoreArgs, settings: &Settings) -> Result<Outcome, CliError> {
    let file = kgc_key_file(settings);
    if file.exists() {
        return Err(KeyFileError::Exists { path: file }.into());
    }
    let registry = match args.offline {
        true => None,
        false => Some(Session::connect(settings, "kgc").await?.registry().await?),
    };
    let (backup, keys) = opened(&args.from)?;
    if let Some(registry) = &registry {
        // Keys that the chain has left behind are of no use: said before they are put in place.
        next_rotation(registry, &keys).await?;
    }
    let typed;
    let protection = match args.no_passphrase {
        true => Protection::FileModeOnly,
        false => {
            typed = new_passphrase(settings)?;
            Protection::Passphrase(&typed, PassphraseCost::RECOMMENDED)
        }
    };
    create_key_file(&file, &keys, protection, &mut os_random())?;
    let epochs: Vec<u32> = keys.identities().iter().map(|one| one.epoch).collect();
    let object = json!({
        "kgcId": keys.identity().id, "backupId": backup.id(), "epochs": epochs,
        "keyFile": file.display().to_string(), "onChain": registry.is_some(),
    });
    let text = format!(
        "KGC {}, epochs {epochs:?}, is in {}\nthe log of what was released is not: put release.log* back, or begin \
         another with medseal kgc new-log\nsets that were sealed anew come back with medseal kgc rewrap --all",
        keys.identity().id,
        shown_path(&file)
    );
    Ok(Outcome::new(object, text))
}

/// Restores a backup into a scratch folder and opens real records with it.
pub(super) async fn drill(args: &DrillArgs, settings: &Settings) -> Result<Outcome, CliError> {
    // The folder is taken away however this ends, but by a kill.
    ends_by_itself();
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be waited for");
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be waited for");
    let failed = |source| CliError::File { act: "make", path: std::env::temp_dir(), source };
    let mode = std::fs::Permissions::from_mode(0o700);
    let scratch = tempfile::Builder::new().prefix("medseal-drill-").permissions(mode).tempdir().map_err(failed)?;
    let drilled = tokio::select! {
        drilled = drilled(args, settings, scratch.path()) => Ok(drilled),
        _ = interrupt.recv() => Err(SignalKind::interrupt()),
        _ = terminate.recv() => Err(SignalKind::terminate()),
    };
    let path = scratch.path().to_owned();
    scratch.close().map_err(|source| CliError::File { act: "remove", path, source })?;
    drilled.unwrap_or_else(|signal| std::process::exit(128 + signal.as_raw_value()))
}

async fn drilled(args: &DrillArgs, settings: &Settings, scratch: &Path) -> Result<Outcome, CliError> {
    let (backup, keys) = opened(&args.from)?;
    let registry = Session::connect(settings, "kgc").await?.registry().await?;
    next_rotation(&registry, &keys).await?;
    let keys = through_a_key_file(&keys, scratch)?;
    let id = keys.identity().id;
    let place = Place::with_sets(settings, keys, Rewrapped::in_folder(&scratch.join("rewrapped"))).await?;
    let rewrapper = place.rewrapper();
    rewrapper.recover(&place.anchored(None).await?).await?;
    let wanted = args.images as usize;
    let (mut epochs, mut opened, mut faults) = (BTreeMap::<u32, usize>::new(), Vec::new(), Vec::<Value>::new());
    for image_id in spread(place.registry.images().await?) {
        if opened.len() + faults.len() >= wanted {
            break;
        }
        match rewrapper.open(image_id).await {
            Ok(None) => {}
            Ok(Some(OpenedAsKgc { epoch, rewrapped })) => {
                *epochs.entry(epoch).or_default() += 1;
                opened.push(json!({ "imageId": image_id, "epoch": epoch, "rewrapped": rewrapped }));
            }
            Err(error) => {
                say(&format!("{image_id}: {}", super::output::chain_of(&error)));
                faults.push(json!({ "imageId": image_id, "message": super::output::chain_of(&error) }));
            }
        }
    }
    let exercised: Vec<String> = epochs.iter().map(|(epoch, images)| format!("epoch {epoch}: {images}")).collect();
    let text = format!(
        "{} of {} images open with backup {}, made at {}; {}",
        opened.len(),
        opened.len() + faults.len(),
        backup.id(),
        backup.made_at(),
        if exercised.is_empty() { "no key was tried".to_owned() } else { exercised.join(", ") }
    );
    let good = faults.is_empty() && !opened.is_empty();
    let object = json!({
        "kgcId": id, "backupId": backup.id(), "madeAt": backup.made_at(), "good": good,
        "epochs": epochs.iter().map(|(epoch, images)| json!({"epoch": epoch, "images": images})).collect::<Vec<_>>(),
        "opened": opened, "failed": faults,
    });
    Ok(Outcome { exit: if good { 0 } else { super::exit::INVALID }, ..Outcome::new(object, text) })
}

/// The keys, after they went through a key file as a restore makes it.
fn through_a_key_file(keys: &KgcKeys, scratch: &Path) -> Result<KgcKeys, CliError> {
    let secret = X25519Secret::generate(&mut os_random());
    let passphrase = Zeroizing::new(alloy::hex::encode(secret.as_bytes()));
    let file = scratch.join("kgc").join("kgc.json");
    let protection = Protection::Passphrase(&passphrase, PassphraseCost::RECOMMENDED);
    create_key_file(&file, keys, protection, &mut os_random())?;
    Ok(open_key_file(&file, Some(&passphrase))?)
}

/// The images in an order in which any few of them are from all times: the oldest, the newest, and
/// so on between them.
fn spread(images: Vec<B256>) -> Vec<B256> {
    let mut order = Vec::with_capacity(images.len());
    let mut rest = std::collections::VecDeque::from(images);
    while let Some(image) = rest.pop_front() {
        order.push(image);
        order.extend(rest.pop_back());
    }
    order
}
