//! `medseal capsules`: for whom an image's key is sealed.

use super::act::Act;
use super::error::CliError;
use super::output::{Outcome, table, write_file};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use crate::chain::Submitted;
use crate::clock::SystemClock;
use crate::contract::bindings::IImageRegistry::{CapsulesUpdate, updateCapsulesCall, updateCapsulesForCall};
use crate::contract::shortened;
use crate::envelope::capsules::{Recipient, X25519Public, X25519Secret};
use crate::files::read_secret;
use crate::kgc::os_random;
use crate::pipeline::{Reader, Recapsuled, current_capsules, earlier_capsules, lookup};
use crate::view::{CapsulesAddedView, CapsulesRestoredView, CapsulesView, HolderView, ReaderKeyView};
use alloy::primitives::B256;
use std::path::PathBuf;
use zeroize::Zeroizing;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List whom the newest capsules are for
    Show {
        /// The image
        #[arg(value_name = "ID")]
        id: B256,
    },
    /// Seal the image's key for more readers: each keeps it for ever, even if access is revoked
    /// later
    Add(Add),
    /// Put earlier capsules back, where the newest are of no use: the newest of them that can be
    /// read and that a Key Generation Center can open
    Restore(Restore),
    /// Make a reader's key: the secret one goes into a file, the public one is printed
    NewKey {
        /// Where the secret key goes; never overwritten
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// Readers' X25519 public keys, 32 bytes in hex
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
    /// Mark them as recovery keys, kept offline
    #[arg(long)]
    recovery: bool,
    #[command(flatten)]
    relay: Relay,
}

#[derive(Debug, clap::Args)]
struct Restore {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// These and no others; 0 are those of the registration
    #[arg(long, value_name = "N")]
    number: Option<u64>,
    #[command(flatten)]
    relay: Relay,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    match &args.act {
        Verb::Show { id } => show(*id, settings).await,
        Verb::Add(args) => add(args, settings).await,
        Verb::Restore(args) => restore(args, settings).await,
        Verb::NewKey { file } => new_key(file),
    }
}

async fn show(id: B256, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let stored = lookup(&registry, id).await?;
    let capsules = current_capsules(&session.store()?, &stored).await?;
    let at = stored.capsules;
    let view = CapsulesView::new(id, at, capsules.stanzas().iter().map(|stanza| &stanza.holder));
    let mut rows = vec![["holder", "key", "epoch"].map(str::to_owned).to_vec()];
    rows.extend(view.holders.iter().map(|HolderView { holder, key_id, epoch }| {
        vec![(*holder).to_owned(), key_id.to_string(), epoch.map(|epoch| epoch.to_string()).unwrap_or_default()]
    }));
    let text = format!("capsules  {} (version {})\n{}", at.cid, at.version, table(&rows));
    Ok(Outcome::new(view, text))
}

/// Fetches the key as a reader does, seals it for the new ones, stores the capsules and puts them
/// on chain.
async fn add(args: &Add, settings: &Settings) -> Result<Outcome, CliError> {
    let recipients: Vec<Recipient> =
        args.keys.iter().map(|key| recipient(key, args.recovery)).collect::<Result<_, _>>()?;
    let session = Session::connect(settings, "sender").await?;
    let mut act = Act::begin(settings, "sender", &args.relay).await?;
    let (wallet, store) = (session.wallet()?, session.store()?);
    let key_centers = session.key_centers(&act.registry, None).await?;
    let made = {
        let registry = &act.registry;
        let reader =
            Reader { registry, wallet: &wallet, key_centers: &key_centers, store: &store, clock: &SystemClock };
        reader.add_recipients(args.id, &recipients).await?
    };
    let id = args.id;
    let Some(made) = made else {
        let object = CapsulesAddedView::new(id, None);
        return Ok(Outcome::new(act.json(object, None), "all of them have a capsule already"));
    };
    let receipt = match register(&mut act, id, &made).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return act.print(unsent),
    };
    let object = CapsulesAddedView::new(id, Some(&made));
    let text = format!("{} new capsules of {id} are on chain, version {}", made.added, made.version + 1);
    Ok(Outcome::new(act.json(object, Some(&receipt)), text))
}

/// Puts an earlier set of capsules on chain again.
async fn restore(args: &Restore, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let mut act = Act::begin(settings, "sender", &args.relay).await?;
    let id = args.id;
    let (restored, made) = earlier_capsules(&act.registry, &session.store()?, id, args.number).await?;
    let receipt = match register(&mut act, id, &made).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return act.print(unsent),
    };
    let object = CapsulesRestoredView::new(id, restored, &made);
    let text = format!("capsules {restored} of {id} are on chain again, as version {}", made.version + 1);
    Ok(Outcome::new(act.json(object, Some(&receipt)), text))
}

/// Has capsules that were read and checked registered.
pub(super) async fn register(act: &mut Act, id: B256, made: &Recapsuled) -> Result<Submitted, CliError> {
    let (version, hash, cid) = (made.version, made.hash, shortened(&made.cid.to_bytes(), made.hash));
    let direct = updateCapsulesCall { imageId: id, version, capsulesHash: hash, capsulesCid: cid.clone() };
    let (by, deadline) = (act.by(), act.deadline().await?);
    let sender = act.registry.record(id).await?.sender;
    let message = CapsulesUpdate {
        imageId: id,
        version,
        capsulesHash: hash,
        capsulesCid: cid,
        by,
        operatorSeq: act.registry.operator_seq(sender, by).await?,
        deadline,
    };
    let job = format!("capsules:{id}:{version}:{hash}:{by}");
    act.submit_or_sign(&job, &direct, message, |update, signature| updateCapsulesForCall { update, signature }).await
}

fn recipient(text: &str, recovery: bool) -> Result<Recipient, CliError> {
    let refused = || CliError::ReaderKey { text: text.to_owned() };
    let bytes: B256 = text.parse().map_err(|_| refused())?;
    let public = X25519Public::from_bytes(bytes.0).map_err(|_| refused())?;
    Ok(if recovery { Recipient::Recovery { public } } else { Recipient::Reader { public } })
}

fn new_key(file: &std::path::Path) -> Result<Outcome, CliError> {
    let secret = X25519Secret::generate(&mut os_random());
    let text = Zeroizing::new(alloy::hex::encode(secret.as_bytes()) + "\n");
    write_file(file, text.as_bytes(), false)?;
    let public = secret.public();
    let view = ReaderKeyView::new(file.display().to_string(), &public);
    let text = view.public.to_string();
    Ok(Outcome::new(view, text))
}

/// The secret key in a file, as `new-key` writes it.
///
/// # Errors
/// [`CliError::SecretFile`]; [`CliError::ReaderKey`], which never says what is in the file.
pub(super) fn read_key(path: &std::path::Path) -> Result<X25519Secret, CliError> {
    let failed = |source| CliError::SecretFile { named_by: "--reader-key".to_owned(), source };
    let text = read_secret(path).map_err(failed)?;
    let mut bytes = Zeroizing::new([0; 32]);
    alloy::hex::decode_to_slice(text.trim_end(), bytes.as_mut())
        .map_err(|_| CliError::ReaderKey { text: format!("the content of {}", path.display()) })?;
    Ok(X25519Secret::from_bytes(*bytes))
}
