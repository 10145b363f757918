//! What an external wallet must sign or send, printed.

use super::error::CliError;
use super::output::Outcome;
use super::session::Session;
use super::signers::Print;
use crate::chain::Unsent;
use crate::contract::{Call, Request};
use crate::envelope::signing_domain;
use crate::view::{self, PrintedView, RequestView, TransactionView};
use serde_json::Value;

impl Session {
    /// What `--print` prints of all that one command would send, each transaction once: without
    /// `--json` the bare object, as wallets take it, or a list of them. Typed data of one alone,
    /// for a signature has no place to say what it is of.
    ///
    /// # Errors
    /// [`CliError::Settings`] for typed data of several transactions, or of a call that takes no
    /// signature.
    pub(super) fn print(&self, unsent: impl IntoIterator<Item = Unsent>) -> Result<Outcome, CliError> {
        let mut all: Vec<Unsent> = Vec::new();
        for one in unsent {
            if !all.contains(&one) {
                all.push(one);
            }
        }
        let print = self.external_signer().print;
        if all.len() > 1 && !matches!(print, Some(Print::Tx)) {
            let message = format!(
                "{} things must be signed: --print tx prints them all; typed data is printed only where a command needs one signature",
                all.len()
            );
            return Err(CliError::Settings { message });
        }
        let all: Result<Vec<Value>, CliError> = all.iter().map(|one| bare(self.chain_id(), one, print)).collect();
        let mut all = all?;
        let bare = if all.len() == 1 { all.remove(0) } else { Value::Array(all) };
        let text = serde_json::to_string_pretty(&bare).expect("it is JSON");
        Ok(Outcome::new(PrintedView { printed: bare }, text))
    }
}

/// What is printed of a transaction.
fn bare(chain_id: u64, unsent: &Unsent, print: Option<Print>) -> Result<Value, CliError> {
    let Unsent { from, transaction } = unsent;
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
        Some(Print::Tx) | None => view::json(TransactionView::new(chain_id, *from, transaction)),
    })
}
