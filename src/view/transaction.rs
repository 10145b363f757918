//! Transactions: one that was made, one that is handed out to be signed or sent elsewhere, one that is explained.

use super::values::{Checksummed, Decimal};
use crate::chain::Receipt;
use crate::contract::{Call, Request, Transaction};
use alloy::primitives::{Address, B256, Bytes};
use serde::Serialize;
use serde_json::Value;

/// The form of a signed request, as `medseal relay` takes it.
pub const REQUEST_SCHEMA: &str = "medseal/request/v1";

/// An act on chain: what it was about, who acted, who submitted, and the transaction.
#[derive(Debug, Clone, Serialize)]
pub struct ActView<T> {
    #[serde(flatten)]
    about: T,
    by: Checksummed,
    /// Null where the one who acted submitted.
    relayer: Option<Checksummed>,
    /// Null where nothing had to be done.
    transaction: Option<B256>,
    gas: Option<Decimal<u64>>,
}

impl<T> ActView<T> {
    /// The act of `by` that `submitter` submitted; there is no receipt where nothing had to be done.
    pub fn new(about: T, by: Address, submitter: Address, receipt: Option<&Receipt>) -> Self {
        Self {
            about,
            by: by.into(),
            relayer: (submitter != by).then_some(submitter.into()),
            transaction: receipt.map(|receipt| receipt.transaction),
            gas: receipt.map(|receipt| Decimal(receipt.gas_used)),
        }
    }
}

/// A transaction as wallets take it (`eth_sendTransaction`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionView {
    from: Checksummed,
    /// Null makes a contract.
    to: Option<Checksummed>,
    value: &'static str,
    data: Bytes,
    chain_id: String,
}

impl TransactionView {
    /// What `from` is to send on this chain.
    pub fn new(chain_id: u64, from: Address, transaction: &Transaction) -> Self {
        Self {
            from: from.into(),
            to: transaction.to.map(Checksummed),
            value: "0x0",
            data: transaction.data.clone(),
            chain_id: format!("0x{chain_id:x}"),
        }
    }
}

/// A signed request, as `medseal relay` takes it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestView<'a> {
    schema: &'static str,
    typed_data: &'a Value,
    signature: &'a Bytes,
}

impl<'a> RequestView<'a> {
    /// This typed data with its signature.
    pub fn new(typed_data: &'a Value, signature: &'a Bytes) -> Self {
        Self { schema: REQUEST_SCHEMA, typed_data, signature }
    }
}

/// What is handed out instead of sent: one transaction, several in a list, or typed data.
#[derive(Debug, Clone, Serialize)]
pub struct PrintedView {
    pub(crate) printed: Value,
}

/// Somebody else's signed request, sent.
#[derive(Debug, Clone, Serialize)]
pub struct RelayedView {
    act: &'static str,
    r#type: String,
    by: Checksummed,
    /// Null where nothing was sent.
    relayer: Option<Checksummed>,
    digest: B256,
    message: Value,
    /// Whether what it asks for was on chain before.
    already: bool,
    transaction: Option<B256>,
    gas: Option<Decimal<u64>>,
}

impl RelayedView {
    /// The request with this EIP-712 digest, which `relayer` sent; there is no receipt where nothing was sent.
    pub fn new(request: &Request, digest: B256, relayer: Address, receipt: Option<&Receipt>) -> Self {
        Self {
            act: request.function_name(),
            r#type: request.primary_type(),
            by: request.signer().into(),
            relayer: receipt.map(|_| relayer.into()),
            digest,
            message: request.message(),
            already: receipt.is_none(),
            transaction: receipt.map(|receipt| receipt.transaction),
            gas: receipt.map(|receipt| Decimal(receipt.gas_used)),
        }
    }
}

/// What a call or typed data asks of the registry.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedView {
    kind: &'static str,
    act: String,
    r#type: String,
    /// Whether it only reads.
    view: bool,
    signer: Option<Checksummed>,
    deadline: Option<u64>,
    digest: Option<B256>,
    /// Null for bytes that do not say on which chain they are to act.
    chain_id: Option<u64>,
    registry: Option<Checksummed>,
    arguments: Value,
}

impl ExplainedView {
    /// A call, of the registry at this address of a chain where one is known.
    pub fn call(call: &Call, at: Option<(u64, Address)>) -> Self {
        let (chain_id, registry) = at.unzip();
        Self {
            kind: "call",
            act: call.name().to_owned(),
            r#type: call.signature(),
            view: call.is_view(),
            signer: None,
            deadline: None,
            digest: None,
            chain_id,
            registry: registry.map(Checksummed),
            arguments: call.arguments(),
        }
    }

    /// Typed data with this digest, for the registry at this address of a chain.
    pub fn typed_data(request: &Request, digest: B256, (chain_id, registry): (u64, Address)) -> Self {
        Self {
            kind: "typed data",
            act: request.function_name().to_owned(),
            r#type: request.primary_type(),
            view: false,
            signer: Some(request.signer().into()),
            deadline: Some(request.deadline()),
            digest: Some(digest),
            chain_id: Some(chain_id),
            registry: Some(registry.into()),
            arguments: request.message(),
        }
    }
}
