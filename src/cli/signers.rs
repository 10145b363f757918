//! Who signs, who pays, and whether a transaction is sent or printed: the flags that say so, and
//! whether they make sense together.

use super::error::CliError;
use crate::chain::Wallet;
use crate::pipeline::{Parties, Printing};
use alloy::primitives::{Address, Bytes};

/// The form of a signed request, as `medseal relay` takes it.
pub(super) const REQUEST_SCHEMA: &str = "medseal/request/v1";

/// What is printed instead of sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Print {
    /// EIP-712 typed data for the one who acts to sign (eth_signTypedData_v4)
    TypedData,
    /// The transaction for the one who acts to send (eth_sendTransaction)
    Tx,
    /// Typed data with its --signature: what medseal relay takes
    Request,
}

/// For commands that change something on chain.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "A wallet whose key is not here (for commands that change something on chain)")]
pub(super) struct ExternalSigner {
    /// Print what is to be signed or sent elsewhere (typed-data, tx, request), and send nothing
    #[arg(long, global = true, value_name = "WHAT", value_enum, hide_possible_values = true)]
    pub(super) print: Option<Print>,
    /// Who acts: a wallet or a wallet contract whose key is not here (medseal seal asks the KGC
    /// with the key that is)
    #[arg(long, global = true, value_name = "WALLET")]
    pub(super) from: Option<Address>,
    /// What it signed of what --print typed-data gave; the wallet of the settings, or of --relayer,
    /// pays
    #[arg(long, global = true, value_name = "HEX")]
    pub(super) signature: Option<Bytes>,
}

/// Who submits, for acts that take a signature.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Relay {
    /// Let this actor submit the transaction: the one who acts only signs [development chains:
    /// "relayer"]
    #[arg(long, value_name = "ACTOR")]
    pub(super) relayer: Option<String>,
}

impl ExternalSigner {
    /// What who signs and who pays is decided from: these flags, the wallet that is here and the
    /// relayer that was named.
    pub(super) fn parties(&self, own: Option<Wallet>, relayer: Option<Wallet>) -> Parties {
        let printing = self.print.map(|print| match print {
            Print::Tx => Printing::Transaction,
            Print::TypedData | Print::Request => Printing::TypedData,
        });
        Parties { own, from: self.from, relayer, is_signed: self.signature.is_some(), printing }
    }

    /// Checks that the flags make sense together, and for this command.
    ///
    /// # Errors
    /// [`CliError::Settings`].
    pub(super) fn check(&self, command: &str) -> Result<(), CliError> {
        let (print, from, signature) = (self.print, self.from.is_some(), self.signature.is_some());
        let relay = command == "relay";
        let signed = !["materialize", "role", "registry", "kgc", "deploy"].contains(&command);
        let sends = ["seal", "materialize", "verify", "grant", "revoke", "operator", "capsules", "flag", "role"]
            .into_iter()
            .chain(["registry", "kgc", "deploy"])
            .any(|name| name == command);
        let wrong = if !sends && !relay && (print.is_some() || from || signature) {
            "--print, --from and --signature are for commands that change something on chain"
        } else if !signed && (signature || matches!(print, Some(Print::TypedData | Print::Request))) {
            "this command takes no signature: --print tx prints the transaction for the wallet to send"
        } else if relay && (from || matches!(print, Some(Print::TypedData))) {
            "medseal relay takes --signature and --print tx alone: the request names its signer"
        } else if !relay && signature && !from {
            "--signature needs --from: who signed"
        } else if signature && matches!(print, Some(Print::TypedData)) {
            "--signature is for what --print typed-data gave: --print request prints both together"
        } else if !relay && print == Some(Print::Request) && !signature {
            "--print request needs --signature"
        } else if !relay && from && print.is_none() && !signature {
            "--from needs --print or --signature: the wallet's key is not here"
        } else {
            return Ok(());
        };
        Err(CliError::Settings { message: wrong.to_owned() })
    }
}
