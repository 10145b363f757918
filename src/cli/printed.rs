//! What a wallet elsewhere is to sign or send, printed; and who signs and who pays.

use super::error::CliError;
use super::external_signer::Print;
use super::output::Outcome;
use super::session::Session;
use super::settings::Settings;
use crate::chain::{Outbox, OutboxError, Wallet};
use crate::contract::{Call, Request, Transaction};
use crate::envelope::signing_domain;
use crate::pipeline::PipelineError;
use crate::view::{self, PrintedView, RequestView, TransactionView};
use alloy::primitives::Address;
use serde_json::Value;

impl Session {
    /// Who acts: the wallet of the settings, or the one of `--from`.
    ///
    /// # Errors
    /// As [`Session::wallet`].
    pub(super) fn acting_wallet(&self) -> Result<Wallet, CliError> {
        let external = self.external_signer();
        let local = match (self.wallet(), external.from) {
            (Err(CliError::NoWallet { .. }), Some(from)) => return Ok(Wallet::elsewhere(from, None)),
            (local, _) => local?,
        };
        Ok(match external.from {
            Some(from) if from != local.address() => Wallet::elsewhere(from, Some(local)),
            _ if external.print == Some(Print::Tx) => local.held(),
            _ => local,
        })
    }

    /// Who submits where no relayer is named.
    ///
    /// # Errors
    /// As [`Session::wallet`].
    pub(super) fn submitting_wallet(&self, acting: &Wallet) -> Result<Wallet, CliError> {
        match (self.external_signer().print, &self.external_signer().signature) {
            (Some(Print::TypedData | Print::Request), _) => Ok(Wallet::elsewhere(Address::ZERO, None)),
            (print, Some(_)) => {
                let pays = self.wallet()?;
                Ok(if print == Some(Print::Tx) { pays.held() } else { pays })
            }
            (_, None) => Ok(acting.clone()),
        }
    }

    /// The outbox with the signature that came back, if one did.
    pub(super) fn with_signature(&self, outbox: Outbox) -> Outbox {
        match &self.external_signer().signature {
            Some(signature) => outbox.with_signature(signature.clone()),
            None => outbox,
        }
    }
}

/// What was handed out instead of sent, where that is what "went wrong".
pub(super) fn held(error: &CliError) -> Option<(Address, &Transaction)> {
    fn of_pipeline(error: &PipelineError) -> Option<&OutboxError> {
        match error {
            PipelineError::Outbox(error) => Some(error),
            PipelineError::Together { source, .. } => of_pipeline(source),
            _ => None,
        }
    }
    let error = match error {
        CliError::Outbox(error) | CliError::Deployment(crate::chain::DeploymentError::Outbox(error)) => error,
        CliError::Pipeline(error) => of_pipeline(error)?,
        _ => return None,
    };
    match error {
        OutboxError::Held { from, transaction } => Some((*from, transaction)),
        _ => None,
    }
}

/// What `--print` prints of a transaction: without `--json` the bare object, as wallets take it.
///
/// # Errors
/// [`CliError::Settings`] for typed data of a call that takes no signature.
pub(super) async fn print(from: Address, transaction: &Transaction, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let bare = bare(session.chain_id(), from, transaction, settings.external_signer.print)?;
    Ok(outcome(bare))
}

/// The same of all that one command would send; typed data of one alone, for a signature has no place to say what it is of.
///
/// # Errors
/// [`CliError::Settings`].
pub(super) fn print_all(session: &Session, all: &[(Address, &Transaction)]) -> Result<Outcome, CliError> {
    let print = session.external_signer().print;
    if all.len() > 1 && !matches!(print, Some(Print::Tx)) {
        let message = format!(
            "{} things are to be signed: --print tx prints them all; typed data is printed where one command comes to one signature",
            all.len()
        );
        return Err(CliError::Settings { message });
    }
    let all: Result<Vec<Value>, CliError> =
        all.iter().map(|(from, transaction)| bare(session.chain_id(), *from, transaction, print)).collect();
    let mut all = all?;
    Ok(outcome(if all.len() == 1 { all.remove(0) } else { Value::Array(all) }))
}

/// Adds what an error hands out to what was handed out before, each transaction once.
pub(super) fn collect<'a>(all: &mut Vec<(Address, &'a Transaction)>, error: &'a CliError) {
    if let Some(found) = held(error).filter(|found| !all.contains(found)) {
        all.push(found);
    }
}

fn outcome(bare: Value) -> Outcome {
    let text = serde_json::to_string_pretty(&bare).expect("it is JSON");
    Outcome::new(PrintedView { printed: bare }, text)
}

/// What is printed of a transaction.
fn bare(chain_id: u64, from: Address, transaction: &Transaction, print: Option<Print>) -> Result<Value, CliError> {
    Ok(match print {
        Some(Print::TypedData | Print::Request) => {
            let request = Call::decode(&transaction.data).ok().as_ref().and_then(Request::of_call);
            let Some((request, signature)) =
                request.zip(transaction.to).map(|((request, signature), _)| (request, signature))
            else {
                let message = "the registry takes no signature for this: --print tx prints the transaction".to_owned();
                return Err(CliError::Settings { message });
            };
            let typed = request.typed_data(&signing_domain(chain_id, transaction.to.unwrap_or_default()));
            match print {
                Some(Print::Request) => view::json(RequestView::new(&typed, &signature)),
                _ => typed,
            }
        }
        Some(Print::Tx) | None => view::json(TransactionView::new(chain_id, from, transaction)),
    })
}
