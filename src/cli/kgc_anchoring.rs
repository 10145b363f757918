//! A KGC's log: anchored once, or now and then while it serves; begun anew where it was lost.

use super::error::CliError;
use super::key_center::{Instance, open_keys, release_log_of};
use super::output::{Outcome, chain_of};
use super::session::Session;
use super::settings::Settings;
use crate::chain::{Outbox, Registry, Submitted, Wallet};
use crate::clock::{Clock, SystemClock};
use crate::kgc::{ChainView, KgcError, LogError, LogHead, ReleaseLog};
use crate::pipeline::{LogToAnchor, NamedCall, RegistryView, Signers, log_to_anchor, submit_once};
use crate::view::{ActView, LogAnchorView};
use alloy::primitives::B256;
use serde_json::json;
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
    /// [`CliError::NoWallet`]; [`CliError::Settings`] for a wallet that only prints.
    pub(super) fn begin(session: Session, registry: Registry, every: Duration) -> Result<Option<Self>, CliError> {
        if every.is_zero() {
            return Ok(None);
        }
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

/// Begins a new release log, unless the one that is there has all that it had.
pub(super) async fn new_log(instance: &Instance, settings: &Settings) -> Result<Outcome, CliError> {
    let registry = Session::connect(settings, "kgc").await?.registry().await?;
    let identity = open_keys(settings)?.identity();
    let (view, log_id) = (RegistryView::new(registry, SystemClock), instance.log_id(identity.id));
    let anchored = view.anchored_log(identity.id, log_id).await.map_err(KgcError::from)?;
    let path = instance.log_file(settings);
    let whole = ReleaseLog::open(&path).and_then(|log| log.head_after(anchored));
    let already = whole.is_ok();
    let LogHead { seq, head } = match whole {
        Ok(head) => head,
        Err(LogError::Io { path, source }) => return Err(KgcError::from(LogError::Io { path, source }).into()),
        Err(_) => ReleaseLog::begin_anew(&path, anchored, SystemClock.unix_secs())
            .and_then(|log| log.head_after(anchored))
            .map_err(KgcError::from)?,
    };
    let json = json!({"kgcId": identity.id, "logId": log_id, "seq": seq, "head": head, "already": already});
    let text = match already {
        true => format!("the log has all of its {seq} entries: it goes on as it is"),
        false => format!("a new log goes on after entry {}; anchor it: medseal kgc anchor", anchored.seq),
    };
    Ok(Outcome::new(json, text))
}

/// Anchors the head of the release log, unless the chain has it already.
pub(super) async fn anchor(instance: &Instance, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "kgc").await?;
    let (registry, Signers { signer, payer }) = (session.registry().await?, session.signers(None)?);
    let mut outbox = session.outbox(&payer).await?;
    let identity = open_keys(settings)?.identity();
    let (log, log_id) = (release_log_of(settings, instance)?, instance.log_id(identity.id));
    let (newest, receipt) = match anchor_head(&registry, &mut outbox, &payer, &log, log_id).await? {
        (newest, None) => (newest, None),
        (newest, Some(Submitted::Mined(receipt))) => (newest, Some(receipt)),
        (_, Some(Submitted::Printed(unsent))) => return session.print([unsent]),
    };
    let LogHead { seq, head } = newest;
    let object = LogAnchorView::new(identity.id, log_id, newest, receipt.is_none());
    let verb = if receipt.is_some() { "is anchored now" } else { "was anchored before" };
    let text = format!("head {head} of {seq} entries of the log {verb}");
    let view = ActView::new(object, signer.address(), payer.address(), receipt.as_ref());
    Ok(Outcome::new(view, text))
}
