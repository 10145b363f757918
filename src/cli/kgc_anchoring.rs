//! Anchoring of a KGC's log: once, or now and then while it serves.

use super::error::CliError;
use super::output::chain_of;
use super::session::Session;
use super::settings::Settings;
use crate::chain::{Outbox, Registry, Submitted, Wallet};
use crate::kgc::{LogHead, ReleaseLog};
use crate::pipeline::{LogToAnchor, NamedCall, log_to_anchor, submit_once};
use alloy::primitives::B256;
use std::time::Duration;

/// Anchors a log's head by a wallet; nothing is submitted where the chain has it.
///
/// # Errors
/// [`CliError::Kgc`] where the log is not what was anchored; [`CliError::Outbox`].
pub(super) async fn anchor_head(
    registry: &Registry,
    outbox: &mut Outbox,
    payer: &Wallet,
    log: &ReleaseLog,
    log_id: B256,
) -> Result<(LogHead, Option<Submitted>), CliError> {
    let LogToAnchor { newest, call } = log_to_anchor(registry, log, log_id, payer.address()).await?;
    let submitted = match call {
        Some(NamedCall { job, call }) => {
            Some(submit_once(registry, outbox, payer, &job, || registry.transaction(&call)).await?)
        }
        None => None,
    };
    Ok((newest, submitted))
}

/// The wallet that anchors a service's log, opened once.
#[derive(Debug)]
pub(super) struct Anchoring {
    session: Session,
    registry: Registry,
    payer: Wallet,
    every: Duration,
}

impl Anchoring {
    /// Finds the wallet of the settings, so that a missing one is noticed at the start; none where
    /// nothing is to be anchored.
    ///
    /// # Errors
    /// [`CliError::NoWallet`]; [`CliError::Settings`] for a wallet that only prints; as
    /// [`Session::connect`].
    pub(super) async fn begin(settings: &Settings, every: Duration) -> Result<Option<Self>, CliError> {
        if every.is_zero() {
            return Ok(None);
        }
        let session = Session::connect(settings, "kgc").await?;
        let registry = session.registry().await?;
        let payer = session.signers(None)?.payer;
        if payer.prints_only() {
            let message = "kgc serve anchors its log by a wallet of this machine, and can't print for another: \
                           leave out --print and --from, or say --anchor-every 0";
            return Err(CliError::Settings { message: message.to_owned() });
        }
        Ok(Some(Self { session, registry, payer, every }))
    }

    /// Anchors the log's newest head, unless the chain has it. The outbox is free in between.
    ///
    /// # Errors
    /// As [`anchor_head`].
    pub(super) async fn anchor(&self, log: &ReleaseLog, log_id: B256) -> Result<(), CliError> {
        let mut outbox = self.session.outbox(&self.payer).await?;
        let (newest, submitted) = anchor_head(&self.registry, &mut outbox, &self.payer, log, log_id).await?;
        if submitted.is_some() {
            tracing::info!("anchored the log's head: {} lines", newest.seq);
        }
        Ok(())
    }

    /// Anchors again and again. What fails is tried again the next time.
    pub(super) async fn now_and_then(&self, log: &ReleaseLog, log_id: B256) {
        loop {
            if let Err(error) = self.anchor(log, log_id).await {
                tracing::warn!("the log's head was not anchored: {}", chain_of(&error));
            }
            tokio::time::sleep(self.every).await;
        }
    }
}
