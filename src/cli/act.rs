//! An act on chain: by a transaction of the acting wallet, or by a signature that a
//! relayer submits.

use super::error::CliError;
use super::output::Outcome;
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use crate::chain::{MinedTransaction, Outbox, Registry, Submitted, Unsent, Wait};
use crate::clock::{Clock, SystemClock};
use crate::contract::typed_data::{RELAY_SECS, Signable};
use crate::pipeline::{Signers, submit_once, submit_or_sign};
use crate::view::{self, ActView};
use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;
use serde::Serialize;
use serde_json::Value;

/// Somebody who acts on the registry.
pub(super) struct Act {
    pub(super) registry: Registry,
    session: Session,
    signers: Signers,
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

    /// The same for an act that counts before it is final: it must be as deep in the chain as
    /// `wait`, unless the settings say otherwise.
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
        let signers = session.signers(relay.relayer.as_deref())?;
        let outbox = session.outbox(&signers.payer).await?;
        Ok(Self { registry, session, signers, outbox })
    }

    /// Who acts.
    pub(super) fn by(&self) -> Address {
        self.signers.signer.address()
    }

    /// When the deadline of a request that is signed now ends, in unix seconds.
    ///
    /// # Errors
    /// [`CliError::Chain`] where this machine's clock and the chain's are too far apart.
    pub(super) async fn deadline(&self) -> Result<u64, CliError> {
        Ok(self.time().await? + RELAY_SECS)
    }

    /// The time for what is signed now, unix seconds.
    ///
    /// # Errors
    /// As [`Act::deadline`].
    pub(super) async fn time(&self) -> Result<u64, CliError> {
        Ok(self.registry.checked_time(SystemClock.unix_secs()).await?)
    }

    /// Makes `direct` a transaction of the acting wallet. `job` names the act: where an earlier run
    /// accepted it, that is finished.
    ///
    /// # Errors
    /// [`CliError::Outbox`].
    pub(super) async fn submit(&mut self, job: &str, direct: &impl SolCall) -> Result<Submitted, CliError> {
        let Self { registry, signers, outbox, .. } = self;
        Ok(submit_once(registry, outbox, &signers.payer, job, || registry.transaction(direct)).await?)
    }

    /// The same, or where there is a relayer: has `message` signed and `relayed` submitted with the
    /// signature.
    ///
    /// # Errors
    /// [`CliError::Outbox`].
    pub(super) async fn submit_or_sign<M: Signable, R: SolCall>(
        &mut self,
        job: &str,
        direct: &impl SolCall,
        message: M,
        relayed: impl FnOnce(M, Bytes) -> R,
    ) -> Result<Submitted, CliError> {
        let Self { registry, signers, outbox, .. } = self;
        Ok(submit_or_sign(registry, outbox, signers, job, direct, message, relayed).await?)
    }

    /// What `--print` prints of the act.
    ///
    /// # Errors
    /// As [`Session::print`].
    pub(super) fn print(&self, unsent: Unsent) -> Result<Outcome, CliError> {
        self.session.print([unsent])
    }

    /// What `--json` says of the act: what it was `about`, who acted, who submitted and the
    /// transaction.
    pub(super) fn json(&self, about: impl Serialize, receipt: Option<&MinedTransaction>) -> Value {
        view::json(ActView::new(about, self.by(), self.signers.payer.address(), receipt))
    }
}
