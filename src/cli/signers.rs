//! Who signs, who pays, and whether a transaction is sent or printed: the flags that say so, and
//! whether they make sense together.

use super::error::CliError;
use crate::chain::Wallet;
use crate::pipeline::{Parties, Printing};
use alloy::primitives::{Address, Bytes};

/// What is printed instead of being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Print {
    /// EIP-712 typed data for the acting wallet to sign (eth_signTypedData_v4)
    TypedData,
    /// The transaction for the acting wallet to send (eth_sendTransaction)
    Tx,
    /// Typed data with its --signature: what medseal relay takes
    Request,
}

/// For commands that change something on chain.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "External signer (for commands that change something on chain)")]
pub(super) struct ExternalSigner {
    /// Print what an external wallet must sign or send (typed-data, tx, request), and send nothing
    #[arg(long, global = true, value_name = "WHAT", value_enum, hide_possible_values = true)]
    pub(super) print: Option<Print>,
    /// The acting wallet or wallet contract; its key is not on this machine (medseal seal asks the
    /// KGC with the key that is)
    #[arg(long, global = true, value_name = "WALLET")]
    pub(super) from: Option<Address>,
    /// Its signature over the output of --print typed-data; the wallet of the settings, or of
    /// --relayer, pays
    #[arg(long, global = true, value_name = "HEX")]
    pub(super) signature: Option<Bytes>,
}

/// Who submits, for acts that take a signature.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Relay {
    /// Let this actor submit the transaction and pay; the acting wallet only signs [development
    /// chains: "relayer"]
    #[arg(long, value_name = "ACTOR")]
    pub(super) relayer: Option<String>,
}

impl ExternalSigner {
    /// What decides who signs and who pays: these flags, the wallet on this machine and the named
    /// relayer.
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
            "medseal relay takes only --signature and --print tx: the request names its signer"
        } else if !relay && signature && !from {
            "--signature needs --from: who signed"
        } else if signature && matches!(print, Some(Print::TypedData)) {
            "--signature is the signature over the output of --print typed-data: --print request prints both together"
        } else if !relay && print == Some(Print::Request) && !signature {
            "--print request needs --signature"
        } else if !relay && from && print.is_none() && !signature {
            "--from needs --print or --signature: the wallet's key is not on this machine"
        } else {
            return Ok(());
        };
        Err(CliError::Settings { message: wrong.to_owned() })
    }
}
