//! What a KGC says on chain: its key, and the head of its log.

use super::PipelineError;
use crate::chain::Registry;
use crate::contract::ErrorKind;
use crate::contract::bindings::IImageRegistry::{KgcKey, anchorLogCall, publishKgcKeyCall};
use crate::kgc::{KgcError, KgcIdentity, KgcKeys, LogHead, ReleaseLog};
use alloy::primitives::{Address, B256};

/// A call that is to be sent, under the name by which the outbox knows it.
#[derive(Debug, Clone)]
pub struct NamedCall<C> {
    /// Name of the outbox's job.
    pub job: String,
    /// The call.
    pub call: C,
}

/// Returns the call that publishes a KGC's key; none where the chain has that very key.
///
/// # Errors
/// [`PipelineError::KgcKey`] where the chain has another key of this KGC and epoch; the node does
/// not answer.
pub async fn kgc_key_to_publish(
    registry: &Registry,
    identity: &KgcIdentity,
) -> Result<Option<NamedCall<publishKgcKeyCall>>, PipelineError> {
    match registry.kgc_key(identity.id, identity.epoch).await {
        Ok(key) if is_own(&key, identity) => return Ok(None),
        Ok(_) => return Err(PipelineError::KgcKey { id: identity.id, state: "another than the KGC's own" }),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let call = publishKgcKeyCall {
        kgcId: identity.id,
        epoch: identity.epoch,
        x25519: identity.public.as_bytes().into(),
        receiptSigner: identity.receipt_signer,
    };
    let job = format!("kgc:{}:{}:{}", identity.id, identity.epoch, registry.address());
    Ok(Some(NamedCall { job, call }))
}

/// Checks that senders seal to this very key of a KGC: another one here would open nothing of
/// theirs.
///
/// # Errors
/// [`PipelineError::KgcKey`]; the KGC is not known on chain, or the node does not answer.
pub async fn check_kgc_key(registry: &Registry, identity: &KgcIdentity) -> Result<(), PipelineError> {
    let published = registry.current_kgc_key(identity.id).await?;
    let state = match (is_own(&published, identity) && published.epoch == identity.epoch, published.retired) {
        (true, false) => return Ok(()),
        (true, true) => "retired",
        (false, _) => "another than the KGC's own",
    };
    Err(PipelineError::KgcKey { id: identity.id, state })
}

/// What is next on the way to a key of a new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The chain has the newest key of the file: the next one is to be made.
    Make,
    /// The file has the next key: it is to be published.
    Publish,
}

/// Compares a KGC's keys with the chain before its key is made anew.
///
/// # Errors
/// [`PipelineError::KgcKey`] where the chain has another or a later key than the file; the KGC is
/// not known on chain, or the node does not answer.
pub async fn next_rotation(registry: &Registry, keys: &KgcKeys) -> Result<Rotation, PipelineError> {
    let (id, newest) = (keys.identity().id, keys.identity().epoch);
    let published = registry.current_kgc_key(id).await?;
    if published.epoch > newest {
        let state = "newer than any in the key file: restore the newest backup";
        return Err(PipelineError::KgcKey { id, state });
    }
    let same = |identity: &KgcIdentity| identity.epoch == published.epoch && is_own(&published, identity);
    match keys.identities().iter().any(same) {
        false => Err(PipelineError::KgcKey { id, state: "another than the KGC's own" }),
        true if published.epoch == newest => Ok(Rotation::Make),
        true => Ok(Rotation::Publish),
    }
}

/// Returns the keys without those that are not published yet: nobody seals to them, and receipts
/// that they sign prove nothing.
///
/// # Errors
/// The node does not answer.
pub async fn published_keys(registry: &Registry, keys: KgcKeys) -> Result<KgcKeys, PipelineError> {
    if keys.identities().len() == 1 {
        return Ok(keys);
    }
    match registry.current_kgc_key(keys.identity().id).await {
        Ok(published) => Ok(keys.up_to(published.epoch).unwrap_or(keys)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(keys),
        Err(error) => Err(error.into()),
    }
}

fn is_own(key: &KgcKey, identity: &KgcIdentity) -> bool {
    key.x25519.0 == *identity.public.as_bytes() && key.receiptSigner == identity.receipt_signer
}

/// The head of a KGC's log, and the call that anchors it, if it is not on chain yet.
#[derive(Debug, Clone)]
pub struct LogToAnchor {
    /// The newest head.
    pub newest: LogHead,
    /// What anchors it.
    pub call: Option<NamedCall<anchorLogCall>>,
}

/// Compares the log of a KGC with the head that `wallet` anchored last, and returns what is to be
/// anchored.
///
/// # Errors
/// [`KgcError::Log`] where the log is shorter than that head or has other entries; the node does
/// not answer.
pub async fn log_to_anchor(
    registry: &Registry,
    log: &ReleaseLog,
    log_id: B256,
    wallet: Address,
) -> Result<LogToAnchor, PipelineError> {
    let on_chain = registry.log_head(wallet, log_id).await?;
    let anchored = LogHead { seq: on_chain.seq, head: on_chain.head };
    let newest = log.head_after(anchored).map_err(KgcError::from)?;
    let call = (newest != anchored).then(|| NamedCall {
        job: format!("log:{}:{log_id}:{}", registry.address(), newest.seq),
        call: anchorLogCall { logId: log_id, logSeq: newest.seq, logHead: newest.head },
    });
    Ok(LogToAnchor { newest, call })
}
