//! What a command works with: the node, the wallet, the actor's folder, the store.

use super::actors::{DEVELOPMENT_CHAIN_ID, development_account};
use super::error::CliError;
use super::output::{chain_of, say};
use super::said::{reading_is_said, waiting_is_said};
use super::settings::{Row, Setting, Settings};
use super::signers::ExternalSigner;
use crate::chain::{
    Deployment, Outbox, OutboxError, Passphrase, Profile, Registry, Rpc, Wait, Wallet, is_development_chain,
};
use crate::files::make_private_folder;
use crate::pipeline::{SealingJobs, Signers};
use crate::storage::AnyStore;
use alloy::primitives::Address;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A node that answered, and who acts there.
#[derive(Debug)]
pub(super) struct Session {
    settings: Settings,
    actor: String,
    rpc: Rpc,
    chain_id: u64,
    profile: Profile,
    wait: Wait,
}

impl Session {
    /// Asks the node for its chain. `actor` acts unless the settings name another.
    ///
    /// # Errors
    /// [`CliError::Chain`] if the node does not answer, or serves another chain than the settings
    /// ask for.
    pub(super) async fn connect(settings: &Settings, actor: &str) -> Result<Self, CliError> {
        let rpc = Rpc::new(settings.rpc_url())?;
        let expected = settings.chain_id()?;
        if let Some(expected) = expected {
            rpc.pin_chain(expected);
        }
        let chain_id = rpc.chain_id().await?;
        if let Some(expected) = expected {
            rpc.check_chain_id(expected).await?;
        }
        let actor = settings.actor().unwrap_or(actor).to_owned();
        check_actor(&actor)?;
        let (profile, wait) = (settings.profile(chain_id)?, settings.wait(Wait::Finalized)?);
        Ok(Self { settings: settings.clone(), actor, rpc, chain_id, profile, wait })
    }

    /// The same session, which waits until transactions are at another depth unless the settings
    /// name one.
    ///
    /// # Errors
    /// [`CliError::Settings`].
    pub(super) fn waiting_for(self, default: Wait) -> Result<Self, CliError> {
        Ok(Self { wait: self.settings.wait(default)?, ..self })
    }

    /// Whether an external wallet signs.
    pub(super) fn external_signer(&self) -> &ExternalSigner {
        &self.settings.external_signer
    }

    /// What the settings say.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the chain is.
    pub(super) fn profile(&self) -> Profile {
        self.profile
    }

    /// The node.
    pub(super) fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The node's chain.
    pub(super) fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Folder of the deployment files.
    pub(super) fn deployments(&self) -> PathBuf {
        self.settings.deployments()
    }

    /// The deployed registry, its chain and its code checked.
    ///
    /// # Errors
    /// [`CliError::NotDeployed`], [`CliError::Deployment`], [`CliError::Chain`].
    pub(super) async fn registry(&self) -> Result<Registry, CliError> {
        let folder = self.deployments();
        if !Deployment::path(&folder, self.chain_id).exists() {
            return Err(match only_deployed_chain(&folder) {
                Some(expected) => crate::chain::ChainError::WrongChain { expected, found: self.chain_id }.into(),
                None => CliError::NotDeployed { chain_id: self.chain_id, folder },
            });
        }
        let deployment = Deployment::load(&folder, self.chain_id)?;
        if !deployment.pins_blocks() {
            let path = Deployment::path(&folder, self.chain_id);
            say(&format!(
                "note: {} does not say which blocks its chain has, so a copy of the chain would pass for it: medseal deploy adds them",
                path.display()
            ));
        }
        let registry = Registry::connect(self.rpc.clone(), &deployment, self.profile).await?;
        Ok(registry.reading_for(self.settings.read_time()?, Some(reading_is_said())))
    }

    /// The wallet: a keystore file, or on a development chain the development account of the
    /// settings or the actor.
    ///
    /// # Errors
    /// [`CliError::Wallet`], [`CliError::Settings`] if there is none.
    pub(super) fn wallet(&self) -> Result<Wallet, CliError> {
        if let Some(keystore) = self.settings.keystore() {
            return match self.settings.password_file() {
                Some(file) => Ok(Wallet::from_keystore(&keystore, &Passphrase::File(&file))?),
                None => {
                    let passphrase = ask("passphrase of the keystore", Setting::PasswordFile)?;
                    Ok(Wallet::from_keystore(&keystore, &Passphrase::Text(&passphrase))?)
                }
            };
        }
        match self.settings.dev_account()? {
            Some(account) => self.development_account(usize::try_from(account).ok(), &self.actor),
            // Other development chains have the id of many a private network: there the public keys
            // must be asked for.
            None if self.chain_id == DEVELOPMENT_CHAIN_ID => self.development_wallet(&self.actor),
            None => self.development_account(None, &self.actor),
        }
    }

    /// The development account of an actor, whatever wallet the settings name.
    ///
    /// # Errors
    /// [`CliError::NoWallet`] for an unknown actor, [`CliError::Wallet`] on any other chain.
    pub(super) fn development_wallet(&self, actor: &str) -> Result<Wallet, CliError> {
        self.development_account(development_account(actor), actor)
    }

    fn development_account(&self, account: Option<usize>, actor: &str) -> Result<Wallet, CliError> {
        let none = || CliError::NoWallet { actor: actor.to_owned(), chain_id: self.chain_id };
        // A network may have the id of a development chain: its money is real, and these keys are
        // known to everybody.
        if self.profile != Profile::Development && is_development_chain(self.chain_id) {
            return Err(none());
        }
        Ok(Wallet::development(account.ok_or_else(none)?, self.chain_id)?)
    }

    /// The address of whoever acts, where it is known without a passphrase.
    pub(super) fn own_address(&self) -> Option<Address> {
        match (self.external_signer().from, self.settings.keystore()) {
            (Some(from), _) => Some(from),
            (None, Some(keystore)) => address_in(&keystore),
            (None, None) => self.wallet().ok().map(|wallet| wallet.address()),
        }
    }

    /// Who signs and who pays, where `relayer` may name an actor who pays.
    ///
    /// # Errors
    /// As [`Session::wallet`]; [`CliError::Settings`] for a relayer where the settings name a
    /// keystore.
    pub(super) fn signers(&self, relayer: Option<&str>) -> Result<Signers, CliError> {
        let external = self.external_signer();
        let own = match self.wallet() {
            Err(CliError::NoWallet { .. }) if external.from.is_some() => None,
            own => Some(own?),
        };
        let relayer = relayer.map(|actor| self.relayer(actor)).transpose()?;
        let nobody = || CliError::NoWallet { actor: self.actor.clone(), chain_id: self.chain_id };
        external.parties(own, relayer).signers().ok_or_else(nobody)
    }

    fn relayer(&self, actor: &str) -> Result<Wallet, CliError> {
        // The relayer's wallet is that of its name: the keystore or account of the one who acts is
        // not its own.
        if self.settings.keystore().is_some() {
            let message =
                "--relayer takes development accounts only: with keystores, give the signed request to the relayer";
            return Err(CliError::Settings { message: message.to_owned() });
        }
        self.development_wallet(actor)
    }

    /// The actor's folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.settings.home().join(&self.actor)
    }

    /// The outbox of a wallet: one for each, whoever acts with it. What an earlier run left in it
    /// is finished first.
    ///
    /// # Errors
    /// [`CliError::Outbox`].
    pub(super) async fn outbox(&self, wallet: &Wallet) -> Result<Outbox, CliError> {
        let mut outbox = self.outbox_as_it_is(wallet).await?;
        if wallet.prints_only() {
            return Ok(outbox);
        }
        for (job, result) in outbox.resume(&self.rpc, wallet).await? {
            match result {
                Ok(receipt) => say(&format!("finished what an earlier run began: {job} ({})", receipt.transaction)),
                Err(error @ OutboxError::Cancelled { .. }) => say(&error.to_string()),
                // It is still in the outbox, and is tried again with the next transaction.
                Err(error) => {
                    say(&format!("an earlier run began {job}, and it can't be finished: {}", chain_of(&error)))
                }
            }
        }
        Ok(outbox)
    }

    /// The outbox of a wallet, with whatever an earlier run left in it.
    ///
    /// # Errors
    /// [`CliError::Outbox`].
    pub(super) async fn outbox_as_it_is(&self, wallet: &Wallet) -> Result<Outbox, CliError> {
        let folder = self.settings.home().join("outbox");
        make_private_folder(&folder).map_err(|source| CliError::File {
            act: "make",
            path: self.settings.home(),
            source,
        })?;
        let outbox = Outbox::open(&folder, wallet.address(), &self.rpc, self.profile).await?;
        if let Some(earlier) = outbox.earlier_chain() {
            say(&format!(
                "note: this chain {} has another block 0 than before; transactions of the earlier one stay in {}",
                self.chain_id,
                earlier.display()
            ));
        }
        let outbox = outbox.waiting_for(self.wait).observed_by(waiting_is_said());
        let mut outbox = outbox.with_fee_ceiling(self.settings.fee_ceiling()?);
        if self.settings.after_pending {
            outbox = outbox.after_pending();
        }
        if let Some(signature) = &self.external_signer().signature {
            outbox = outbox.with_signature(signature.clone());
        }
        Ok(outbox)
    }

    /// The actor's sealing jobs.
    pub(super) fn jobs(&self) -> SealingJobs {
        SealingJobs::new(self.folder().join("jobs"))
    }

    /// The store that the settings name.
    ///
    /// # Errors
    /// [`CliError::Store`], [`CliError::Settings`], [`CliError::File`].
    pub(super) fn store(&self) -> Result<AnyStore, CliError> {
        super::nodes::store(&self.settings)
    }
}

/// The address that a keystore file says it is of.
fn address_in(keystore: &Path) -> Option<Address> {
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(keystore).ok()?).ok()?;
    file["address"].as_str()?.parse().ok()
}

/// An actor names a folder beside those of the store, the outboxes and the development chain.
fn check_actor(actor: &str) -> Result<(), CliError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !actor.is_empty() && actor.chars().all(plain) && !["store", "outbox", "node"].contains(&actor) {
        return Ok(());
    }
    let message =
        format!("an actor's name has only a-z, 0-9, - and _, and is not store, outbox or node: found \"{}\"", actor);
    Err(CliError::Settings { message })
}

/// Asks at the terminal, without echo.
///
/// # Errors
/// [`CliError::Settings`] where there is no terminal.
pub(super) fn ask(what: &str, setting: Setting) -> Result<Zeroizing<String>, CliError> {
    if !std::io::stdin().is_terminal() {
        let Row { name, variable, .. } = setting.row();
        let message = format!("no {what}: set {name} ({variable}) to a file that holds it");
        return Err(CliError::Settings { message });
    }
    let prompt = format!("{what}: ");
    let passphrase = rpassword::prompt_password(prompt).map(Zeroizing::new);
    passphrase.map_err(|error| CliError::Settings { message: format!("no {what}: {error}") })
}

/// The chain of the only deployment file in a folder, if there is exactly one.
fn only_deployed_chain(folder: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut chains = entries.filter_map(|entry| entry.path().file_stem()?.to_str()?.parse().ok());
    chains.next().filter(|_| chains.next().is_none())
}
