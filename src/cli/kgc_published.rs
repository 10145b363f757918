//! A KGC's key on chain: published, and what is said of it.

use super::error::CliError;
use super::key_center::kgc_key_file;
use super::output::Outcome;
use super::session::Session;
use super::settings::Settings;
use super::stdio::shown_path;
use crate::chain::Submitted;
use crate::kgc::KgcIdentity;
use crate::pipeline::{NamedCall, kgc_key_to_publish};
use crate::view::{KgcView, OnChainView};

pub(super) async fn connect(settings: &Settings) -> Result<Session, CliError> {
    let session = Session::connect(settings, "kgc").await?;
    session.registry().await?;
    Ok(session)
}

/// Publishes a KGC's key; `None` where the chain has it already.
pub(super) async fn publish(session: &Session, identity: &KgcIdentity) -> Result<Option<Submitted>, CliError> {
    let registry = session.registry().await?;
    let Some(NamedCall { job, call }) = kgc_key_to_publish(&registry, identity).await? else { return Ok(None) };
    let payer = session.signers(None)?.payer;
    let mut outbox = session.outbox(&payer).await?;
    Ok(Some(outbox.submit(registry.rpc(), &payer, &job, &registry.transaction(&call)).await?))
}

pub(super) fn outcome(identity: &KgcIdentity, settings: &Settings, on_chain: Option<OnChainView>) -> Outcome {
    let file = kgc_key_file(settings);
    let chain = match &on_chain {
        None => "not published".to_owned(),
        Some(OnChainView::Found { same: false, .. }) => "on chain: another key".to_owned(),
        Some(OnChainView::Found { retired: true, epoch, .. }) => format!("on chain: retired, epoch {epoch}"),
        Some(
            OnChainView::Found { epoch, .. }
            | OnChainView::Already { epoch, .. }
            | OnChainView::Published { epoch, .. },
        ) => format!("on chain: this key, epoch {epoch}"),
    };
    let text = format!(
        "KGC {}, epoch {}\nkey file {}: keep a backup, without it no sealed image opens\n{chain}",
        identity.id,
        identity.epoch,
        shown_path(&file)
    );
    Outcome::new(KgcView::new(identity, file.display().to_string(), on_chain), text)
}
