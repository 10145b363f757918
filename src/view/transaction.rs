//! Transactions: made, handed out to be signed or sent elsewhere, or explained.

use super::values::{Checksummed, Decimal};
use crate::chain::MinedTransaction;
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
    /// The act of `by` that `submitter` submitted; there is no receipt where nothing had to be
    /// done.
    pub fn new(about: T, by: Address, submitter: Address, receipt: Option<&MinedTransaction>) -> Self {
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
    /// The request with this EIP-712 digest, which `relayer` sent. Where nothing was sent there is
    /// no receipt.
    pub fn new(request: &Request, digest: B256, relayer: Address, receipt: Option<&MinedTransaction>) -> Self {
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::json;
    use super::*;
    use crate::contract::bindings::IImageRegistry::{Grant, grantForCall, supersedeCall};
    use alloy::sol_types::SolCall;
    use serde_json::json as value;

    pub(in crate::view) const RECEIPT: MinedTransaction = MinedTransaction {
        transaction: B256::repeat_byte(0x7a),
        block_hash: B256::repeat_byte(0xb1),
        block_number: 12,
        gas_used: 54_321,
        contract: None,
    };

    pub(in crate::view) fn request() -> Request {
        let (wallet, by) = (Address::repeat_byte(0xb2), Address::repeat_byte(0xc3));
        let grant = Grant {
            imageId: B256::repeat_byte(1),
            wallet,
            expiry: 1_800_000_000,
            accessSeq: 1,
            by,
            operatorSeq: 0,
            deadline: 9,
        };
        let call = grantForCall { grant, signature: Bytes::from_static(&[7]) }.abi_encode();
        Request::of_call(&Call::decode(&call).expect("ours")).expect("it takes a signature").0
    }

    pub(in crate::view) fn call() -> Call {
        Call::decode(&supersedeCall { successor: Address::repeat_byte(0xab) }.abi_encode()).expect("ours")
    }

    #[test]
    fn what_is_handed_out_looks_as_it_always_did() {
        let (from, to) = (Address::repeat_byte(0xa1), Some(Address::repeat_byte(0xde)));
        let data = Bytes::from_static(&[1, 2, 3]);
        let transaction = Transaction { to, data: data.clone() };
        assert_eq!(
            json(TransactionView::new(31337, from, &transaction)).to_string(),
            concat!(
                r#"{"chainId":"0x7a69","data":"0x010203","from":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","#,
                r#""to":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","value":"0x0"}"#,
            )
        );
        assert_eq!(
            json(TransactionView::new(1, from, &Transaction { to: None, data })).to_string(),
            concat!(
                r#"{"chainId":"0x1","data":"0x010203","from":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","#,
                r#""to":null,"value":"0x0"}"#,
            )
        );
        let (typed_data, signature) = (value!({ "types": {}, "message": { "b": 1, "a": 2 } }), Bytes::new());
        assert_eq!(
            json(PrintedView { printed: json(RequestView::new(&typed_data, &signature)) }).to_string(),
            concat!(
                r#"{"printed":{"schema":"medseal/request/v1","signature":"0x","typedData":{"message":{"a":2,"b":1},"#,
                r#""types":{}}}}"#,
            )
        );
    }

    #[test]
    fn a_relayed_request_looks_as_it_always_did() {
        let (digest, relayer) = (B256::repeat_byte(0xd1), Address::repeat_byte(0xe5));
        assert_eq!(
            json(RelayedView::new(&request(), digest, relayer, Some(&RECEIPT))).to_string(),
            concat!(
                r#"{"act":"grantFor","already":false,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","#,
                r#""digest":"0xd1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","gas":"54321","#,
                r#""message":{"accessSeq":1,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","deadline":9,"#,
                r#""expiry":1800000000,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""operatorSeq":0,"wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"},"#,
                r#""relayer":"0xE5e5E5E5e5e5E5E5E5E5e5E5e5e5e5E5e5e5e5e5","#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""type":"Grant"}"#,
            )
        );
        assert_eq!(
            json(RelayedView::new(&request(), digest, relayer, None)).to_string(),
            concat!(
                r#"{"act":"grantFor","already":true,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","#,
                r#""digest":"0xd1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","gas":null,"#,
                r#""message":{"accessSeq":1,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","deadline":9,"#,
                r#""expiry":1800000000,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""operatorSeq":0,"wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"},"relayer":null,"transaction":null,"#,
                r#""type":"Grant"}"#,
            )
        );
    }

    #[test]
    fn what_is_explained_looks_as_it_always_did() {
        let (digest, home) = (B256::repeat_byte(0xd1), (31337, Address::repeat_byte(0xde)));
        assert_eq!(
            json(ExplainedView::call(&call(), Some(home))).to_string(),
            concat!(
                r#"{"act":"supersede","arguments":{"successor":"0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"},"#,
                r#""chainId":31337,"deadline":null,"digest":null,"kind":"call","#,
                r#""registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","signer":null,"#,
                r#""type":"supersede(address)","view":false}"#,
            )
        );
        assert_eq!(
            json(ExplainedView::call(&call(), None)).to_string(),
            concat!(
                r#"{"act":"supersede","arguments":{"successor":"0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"},"#,
                r#""chainId":null,"deadline":null,"digest":null,"kind":"call","registry":null,"signer":null,"#,
                r#""type":"supersede(address)","view":false}"#,
            )
        );
        assert_eq!(
            json(ExplainedView::typed_data(&request(), digest, home)).to_string(),
            concat!(
                r#"{"act":"grantFor","arguments":{"accessSeq":1,"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","#,
                r#""deadline":9,"expiry":1800000000,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""operatorSeq":0,"wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"},"chainId":31337,"deadline":9,"#,
                r#""digest":"0xd1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","#,
                r#""kind":"typed data","registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","#,
                r#""signer":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","type":"Grant","view":false}"#,
            )
        );
    }
}
