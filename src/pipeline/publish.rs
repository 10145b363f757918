//! What a Key Generation Center puts on chain: its key, and the head of its release log.

use super::PipelineError;
use super::submit::{Change, submit_once};
use crate::chain::{Outbox, Registry, Wallet};
use crate::contract::ErrorKind;
use crate::contract::bindings::IImageRegistry::{anchorLogCall, publishKgcKeyCall};
use crate::kgc::{KgcIdentity, LogHead, ReleaseLog, release_log_id};

/// Whether the chain has this key; another one under the same id and epoch is an error.
///
/// # Errors
/// [`PipelineError::KgcKey`], [`PipelineError::Chain`].
pub async fn is_published(registry: &Registry, identity: &KgcIdentity) -> Result<bool, PipelineError> {
    match registry.kgc_key(identity.id, identity.epoch).await {
        Ok(key) if key.x25519.0 == *identity.public.as_bytes() && key.receiptSigner == identity.receipt_signer => {
            Ok(true)
        }
        Ok(_) => Err(PipelineError::KgcKey { id: identity.id, state: "another than the KGC's own" }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Publishes a KGC's key, unless the chain has it. The outbox is the payer's, who needs `KGC_ROLE`.
///
/// # Errors
/// [`PipelineError::KgcKey`] where the chain has another key under the same id and epoch; [`PipelineError::Outbox`].
pub async fn publish_key(
    registry: &Registry,
    outbox: &mut Outbox,
    payer: &Wallet,
    identity: &KgcIdentity,
) -> Result<Change, PipelineError> {
    if is_published(registry, identity).await? {
        return Ok(Change::Already);
    }
    let call = publishKgcKeyCall {
        kgcId: identity.id,
        epoch: identity.epoch,
        x25519: identity.public.as_bytes().into(),
        receiptSigner: identity.receipt_signer,
    };
    let job = format!("kgc:{}:{}:{}", identity.id, identity.epoch, registry.address());
    let transaction = registry.transaction(&call);
    Ok(Change::Submitted(outbox.submit(registry.rpc(), payer, &job, &transaction).await?))
}

/// Anchors the newest head of the release log, unless the chain has it, and returns the head. What the chain has must
/// be part of the log. The outbox is the payer's, who needs `KGC_ROLE`.
///
/// # Errors
/// [`PipelineError::Log`] where the log does not go on from the head on chain; [`PipelineError::Outbox`].
pub async fn anchor_log(
    registry: &Registry,
    outbox: &mut Outbox,
    payer: &Wallet,
    identity: &KgcIdentity,
    log: &ReleaseLog,
) -> Result<(LogHead, Change), PipelineError> {
    let log_id = release_log_id(identity.id);
    let on_chain = registry.log_head(payer.address(), log_id).await?;
    let anchored = LogHead { seq: on_chain.seq, head: on_chain.head };
    let newest = log.head_after(anchored)?;
    if newest == anchored {
        return Ok((newest, Change::Already));
    }
    let call = anchorLogCall { logId: log_id, logSeq: newest.seq, logHead: newest.head };
    let job = format!("log:{}:{log_id}:{}", registry.address(), newest.seq);
    let submitted = submit_once(registry, outbox, payer, &job, || registry.transaction(&call)).await?;
    Ok((newest, Change::Submitted(submitted)))
}
