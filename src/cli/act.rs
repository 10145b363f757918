//! An act on chain: by a transaction of the one who acts, or by a signature that a relayer submits.

use super::error::CliError;
use super::session::Session;
use super::settings::Settings;
use crate::chain::sign;
use crate::chain::{Outbox, Receipt, Registry, Wait, Wallet};
use crate::clock::{Clock, SystemClock};
use crate::contract::typed_data::{RELAY_SECS, Signable};
use crate::pipeline::submit_once;
use crate::view::{self, ActView};
use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;
use serde::Serialize;
use serde_json::Value;

/// Who submits, for acts that take a signature.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Relay {
    /// Let this actor submit the transaction: the one who acts only signs [development chains: "relayer"]
    #[arg(long, value_name = "ACTOR")]
    pub(super) relayer: Option<String>,
}

impl Relay {
    /// The wallet that submits.
    ///
    /// # Errors
    /// [`CliError::Settings`] where the settings name a keystore; [`CliError::NoWallet`] for an unknown actor.
    pub(super) fn submitter(
        &self,
        settings: &Settings,
        session: &Session,
        wallet: &Wallet,
    ) -> Result<Wallet, CliError> {
        match &self.relayer {
            None => session.submitting_wallet(wallet),
            // The relayer's wallet is that of its name: the keystore or account of the one who acts is not its own.
            Some(_) if settings.keystore().is_some() => {
                let message =
                    "--relayer takes development accounts: with keystores, give what was signed to the relayer";
                Err(CliError::Settings { message: message.to_owned() })
            }
            Some(actor) => session.development_wallet(actor),
        }
    }
}

/// Somebody who acts on the registry.
pub(super) struct Act {
    pub(super) registry: Registry,
    wallet: Wallet,
    submitter: Wallet,
    outbox: Outbox,
}

impl Act {
    /// Connects as `actor`, unless the settings name another.
    ///
    /// # Errors
    /// [`CliError`] if there is no node, registry or wallet.
    pub(super) async fn begin(settings: &Settings, actor: &str, relay: &Relay) -> Result<Self, CliError> {
        Self::waiting_for(settings, actor, relay, Wait::Finalized).await
    }

    /// The same for an act that counts before it is final: it is waited for as deep as `wait`, unless the settings say otherwise.
    ///
    /// # Errors
    /// [`CliError`] if there is no node, registry or wallet.
    pub(super) async fn waiting_for(
        settings: &Settings,
        actor: &str,
        relay: &Relay,
        wait: Wait,
    ) -> Result<Self, CliError> {
        let session = Session::connect(settings, actor).await?.waiting_for(wait)?;
        let registry = session.registry().await?;
        let wallet = session.acting_wallet()?;
        let submitter = relay.submitter(settings, &session, &wallet)?;
        let outbox = session.outbox(&submitter).await?;
        Ok(Self { registry, wallet, submitter, outbox })
    }

    /// Who acts.
    pub(super) fn by(&self) -> Address {
        self.wallet.address()
    }

    /// Until when what is signed now may be submitted.
    pub(super) fn deadline(&self) -> u64 {
        SystemClock.unix_secs() + RELAY_SECS
    }

    fn is_relayed(&self) -> bool {
        self.submitter.address() != self.wallet.address()
    }

    /// Makes `direct` a transaction of the one who acts. `job` names the act: where an earlier run accepted it, that is finished.
    ///
    /// # Errors
    /// [`CliError::Outbox`].
    pub(super) async fn submit(&mut self, job: &str, direct: &impl SolCall) -> Result<Receipt, CliError> {
        let Self { registry, submitter, outbox, .. } = self;
        Ok(submit_once(registry, outbox, submitter, job, || registry.transaction(direct)).await?)
    }

    /// The same, or where there is a relayer: has `message` signed and `relayed` submitted with the signature.
    ///
    /// # Errors
    /// [`CliError::Outbox`].
    pub(super) async fn submit_or_sign<M: Signable, R: SolCall>(
        &mut self,
        job: &str,
        direct: &impl SolCall,
        message: M,
        relayed: impl FnOnce(M, Bytes) -> R,
    ) -> Result<Receipt, CliError> {
        if !self.is_relayed() {
            return self.submit(job, direct).await;
        }
        let Self { registry, wallet, submitter, outbox } = self;
        let make = || {
            let signature = sign(&message, &registry.domain(), wallet);
            registry.transaction(&relayed(message, signature))
        };
        Ok(submit_once(registry, outbox, submitter, job, make).await?)
    }

    /// What `--json` says of the act: what it was `about`, who acted, who submitted and the transaction.
    pub(super) fn json(&self, about: impl Serialize, receipt: Option<&Receipt>) -> Value {
        view::json(ActView::new(about, self.by(), self.submitter.address(), receipt))
    }
}
