//! `medseal kgc`.

use super::error::CliError;
use super::key_center::{Instance, kgc_key_file, new_passphrase, open_keys};
use super::kgc_published::{connect, outcome, publish};
use super::output::{Outcome, say};
use super::session::Session;
use super::settings::Settings;
use crate::chain::Submitted;
use crate::kgc::{KgcIdentity, KgcKeys, PassphraseCost, Protection, create_key_file, os_random};
use crate::view::OnChainView;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make the KGC's key file and publish its key on chain
    Init {
        /// Use no passphrase: only the file's mode protects the secrets
        #[arg(long)]
        no_passphrase: bool,
        /// Do not publish
        #[arg(long)]
        offline: bool,
    },
    /// Publish the KGC's key on chain, unless it is there
    Publish,
    /// Show the KGC's keys of all epochs, and what the chain says of them
    Status,
    /// Make the key of a new epoch and publish it: what is sealed from then on is sealed to it;
    /// those of earlier epochs open only. Goes on where an earlier run ended
    Rotate,
    /// Seal the capsules of earlier epochs to the newest key, and anchor them
    Rewrap(super::kgc_rewrap::Args),
    /// Say on chain that the key of an epoch is not to be sealed to any more
    Retire {
        /// The epoch
        #[arg(value_name = "EPOCH")]
        epoch: u32,
    },
    /// Take the keys of an earlier epoch out of the key file, if no image needs them any more
    Destroy {
        /// The epoch
        #[arg(value_name = "EPOCH")]
        epoch: u32,
    },
    /// Copy the keys of all epochs into a file that a passphrase or a recovery key opens, or into
    /// several of which some are enough
    Backup(super::kgc_backup::BackupArgs),
    /// Make the key file from a backup
    Restore(super::kgc_backup::RestoreArgs),
    /// Restore a backup into a scratch folder, and open records with it; nothing is given out
    Drill(super::kgc_backup::DrillArgs),
    /// Check the log of released keys against the head on chain, and anchor its newest head there
    Anchor(Instance),
    /// Answer over HTTP, so that people elsewhere can seal and open
    Serve(super::kgc_serve::Args),
    /// Begin a new log after the last head on chain, because the old one is lost; its first line
    /// says so
    NewLog(Instance),
}

impl Args {
    /// Whether it answers others, many at a time.
    pub(super) fn serves(&self) -> bool {
        matches!(self.act, Verb::Serve(_))
    }
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    match &args.act {
        &Verb::Init { no_passphrase, offline } => {
            // What cannot be published now is said before there is a key file.
            let session = if offline { None } else { Some(connect(settings).await?) };
            let identity = init(settings, no_passphrase)?.identity();
            match session {
                Some(session) => published(&session, settings, &identity).await,
                None => Ok(outcome(&identity, settings, None)),
            }
        }
        Verb::Publish => {
            let identity = open_keys(settings)?.identity();
            published(&connect(settings).await?, settings, &identity).await
        }
        Verb::Status => super::kgc_status::run(settings).await,
        Verb::Rotate => super::kgc_rotate::rotate(settings).await,
        Verb::Rewrap(args) => super::kgc_rewrap::run(args, settings).await,
        Verb::Retire { epoch } => super::kgc_rotate::retire(*epoch, settings).await,
        Verb::Destroy { epoch } => super::kgc_rotate::destroy(*epoch, settings).await,
        Verb::Backup(args) => super::kgc_backup::backup(args, settings),
        Verb::Restore(args) => super::kgc_backup::restore(args, settings).await,
        Verb::Drill(args) => super::kgc_backup::drill(args, settings).await,
        Verb::Anchor(instance) => super::kgc_anchoring::anchor(instance, settings).await,
        Verb::NewLog(instance) => super::kgc_anchoring::new_log(instance, settings).await,
        Verb::Serve(args) => super::kgc_serve::run(args, settings).await,
    }
}

/// Makes the key file.
pub(super) fn init(settings: &Settings, no_passphrase: bool) -> Result<KgcKeys, CliError> {
    let file = kgc_key_file(settings);
    if file.exists() {
        return Err(crate::kgc::KeyFileError::Exists { path: file }.into());
    }
    let keys = KgcKeys::generate(&mut os_random());
    if no_passphrase {
        say("note: without a passphrase, whoever can read the key file can issue and release keys");
        create_key_file(&file, &keys, Protection::FileModeOnly, &mut os_random())?;
        return Ok(keys);
    }
    let passphrase = new_passphrase(settings)?;
    let protection = Protection::Passphrase(&passphrase, PassphraseCost::RECOMMENDED);
    create_key_file(&file, &keys, protection, &mut os_random())?;
    Ok(keys)
}

/// Publishes a KGC's key, unless the chain has it already, and says so.
async fn published(session: &Session, settings: &Settings, identity: &KgcIdentity) -> Result<Outcome, CliError> {
    let on_chain = match publish(session, identity).await? {
        None => OnChainView::published(identity.epoch, None),
        Some(Submitted::Printed(unsent)) => return session.print([unsent]),
        Some(Submitted::Mined(receipt)) => OnChainView::published(identity.epoch, Some(&receipt)),
    };
    Ok(outcome(identity, settings, Some(on_chain)))
}
