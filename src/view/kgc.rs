//! A Key Generation Center, and what the chain says of it.

use super::values::{Checksummed, Decimal};
use crate::audit::KgcLogReport;
use crate::chain::MinedTransaction;
use crate::contract::bindings::IImageRegistry::KgcKey;
use crate::kgc::{KgcIdentity, LogHead};
use alloy::primitives::B256;
use serde::Serialize;

/// A Key Generation Center.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KgcView {
    kgc_id: B256,
    epoch: u32,
    x25519: B256,
    receipt_signer: Checksummed,
    key_file: String,
    /// Null where the chain was not asked.
    pub(crate) on_chain: Option<OnChainView>,
}

impl KgcView {
    /// The KGC whose secrets are in `key_file`.
    pub fn new(identity: &KgcIdentity, key_file: String, on_chain: Option<OnChainView>) -> Self {
        Self {
            kgc_id: identity.id,
            epoch: identity.epoch,
            x25519: identity.public.as_bytes().into(),
            receipt_signer: identity.receipt_signer.into(),
            key_file,
            on_chain,
        }
    }
}

/// Its key on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)] // fields of one line each
pub enum OnChainView {
    /// The newest key there, and whether it is the one in the file.
    Found { epoch: u32, retired: bool, same: bool },
    /// It was published before.
    Already { epoch: u32, already: bool },
    /// It was published now.
    Published { epoch: u32, already: bool, transaction: B256, gas: Decimal<u64> },
}

impl OnChainView {
    /// The newest key on chain beside the KGC's own.
    pub fn found(key: &KgcKey, identity: &KgcIdentity) -> Self {
        let same = key.x25519.0 == *identity.public.as_bytes() && key.epoch == identity.epoch;
        Self::Found { epoch: key.epoch, retired: key.retired, same }
    }

    /// The key of this epoch is on chain: by this transaction, or by an earlier one.
    pub fn published(epoch: u32, receipt: Option<&MinedTransaction>) -> Self {
        match receipt {
            None => Self::Already { epoch, already: true },
            Some(receipt) => Self::Published {
                epoch,
                already: false,
                transaction: receipt.transaction,
                gas: Decimal(receipt.gas_used),
            },
        }
    }
}

/// The keys of one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EpochView {
    epoch: u32,
    x25519: B256,
    receipt_signer: Checksummed,
    /// `published`, `retired`, `other` where the chain has another key of this epoch, or `none`.
    on_chain: &'static str,
}

impl EpochView {
    /// Keys beside those that the chain has of this epoch, if any.
    pub fn new(identity: &KgcIdentity, on_chain: Option<&KgcKey>) -> Self {
        let x25519 = B256::from(identity.public.as_bytes());
        let on_chain = match on_chain {
            None => "none",
            Some(key) if key.x25519 != x25519 || key.receiptSigner != identity.receipt_signer => "other",
            Some(key) if key.retired => "retired",
            Some(_) => "published",
        };
        Self { epoch: identity.epoch, x25519, receipt_signer: identity.receipt_signer.into(), on_chain }
    }

    /// The same as a row of a table.
    pub fn row(&self) -> Vec<String> {
        vec![self.epoch.to_string(), self.on_chain.to_owned(), self.receipt_signer.0.to_string()]
    }
}

/// The head of the log of what was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogAnchorView {
    kgc_id: B256,
    log_id: B256,
    seq: u64,
    head: B256,
    /// Whether the chain had it.
    already: bool,
}

impl LogAnchorView {
    /// The head of this KGC's log.
    pub fn new(kgc_id: B256, log_id: B256, LogHead { seq, head }: LogHead, already: bool) -> Self {
        Self { kgc_id, log_id, seq, head, already }
    }
}

/// A key center's log that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KgcLogView {
    log_id: B256,
    lines: u64,
    head: B256,
    /// How many heads of it stand on chain, each of them its own.
    anchored: usize,
    anchored_by: Vec<Checksummed>,
}

impl KgcLogView {
    /// What an audit found of a log.
    pub fn new(report: &KgcLogReport) -> Self {
        Self {
            log_id: report.log_id,
            lines: report.check.head.seq,
            head: report.check.head.head,
            anchored: report.anchored,
            anchored_by: report.anchored_by.iter().copied().map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::super::transaction::tests::RECEIPT;
    use super::*;
    use crate::envelope::capsules::X25519Public;
    use alloy::primitives::Address;

    #[test]
    fn a_key_generation_center_looks_as_it_always_did() {
        let public = X25519Public::from_bytes([9; 32]).expect("a key");
        let identity =
            KgcIdentity { id: B256::repeat_byte(0x0c), epoch: 1, public, receipt_signer: Address::repeat_byte(0xd4) };
        let view = |on_chain| json(KgcView::new(&identity, "home/kgc.key".to_owned(), on_chain)).to_string();
        assert_eq!(
            view(None),
            concat!(
                r#"{"epoch":1,"keyFile":"home/kgc.key","#,
                r#""kgcId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c","onChain":null,"#,
                r#""receiptSigner":"0xd4d4d4D4D4d4d4d4d4D4d4D4d4d4d4d4d4d4D4d4","#,
                r#""x25519":"0x0909090909090909090909090909090909090909090909090909090909090909"}"#,
            )
        );
        let mut key = KgcKey { x25519: B256::new([9; 32]), epoch: 1, retired: false, ..Default::default() };
        assert_eq!(
            view(Some(OnChainView::found(&key, &identity))),
            concat!(
                r#"{"epoch":1,"keyFile":"home/kgc.key","#,
                r#""kgcId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c","#,
                r#""onChain":{"epoch":1,"retired":false,"same":true},"#,
                r#""receiptSigner":"0xd4d4d4D4D4d4d4d4d4D4d4D4d4d4d4d4d4d4D4d4","#,
                r#""x25519":"0x0909090909090909090909090909090909090909090909090909090909090909"}"#,
            )
        );
        (key.epoch, key.retired) = (2, true);
        assert_eq!(
            view(Some(OnChainView::found(&key, &identity))),
            concat!(
                r#"{"epoch":1,"keyFile":"home/kgc.key","#,
                r#""kgcId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c","#,
                r#""onChain":{"epoch":2,"retired":true,"same":false},"#,
                r#""receiptSigner":"0xd4d4d4D4D4d4d4d4d4D4d4D4d4d4d4d4d4d4D4d4","#,
                r#""x25519":"0x0909090909090909090909090909090909090909090909090909090909090909"}"#,
            )
        );
        assert_eq!(
            view(Some(OnChainView::published(1, None))),
            concat!(
                r#"{"epoch":1,"keyFile":"home/kgc.key","#,
                r#""kgcId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c","#,
                r#""onChain":{"already":true,"epoch":1},"#,
                r#""receiptSigner":"0xd4d4d4D4D4d4d4d4d4D4d4D4d4d4d4d4d4d4D4d4","#,
                r#""x25519":"0x0909090909090909090909090909090909090909090909090909090909090909"}"#,
            )
        );
        assert_eq!(
            view(Some(OnChainView::published(1, Some(&RECEIPT)))),
            concat!(
                r#"{"epoch":1,"keyFile":"home/kgc.key","#,
                r#""kgcId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c","#,
                r#""onChain":{"already":false,"epoch":1,"gas":"54321","#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"},"#,
                r#""receiptSigner":"0xd4d4d4D4D4d4d4d4d4D4d4D4d4d4d4d4d4d4D4d4","#,
                r#""x25519":"0x0909090909090909090909090909090909090909090909090909090909090909"}"#,
            )
        );
        let head = LogHead { seq: 17, head: B256::repeat_byte(0x1f) };
        assert_eq!(
            json(LogAnchorView::new(identity.id, B256::repeat_byte(0x1d), head, true)).to_string(),
            concat!(
                r#"{"already":true,"head":"0x1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f","#,
                r#""kgcId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c","#,
                r#""logId":"0x1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d","seq":17}"#,
            )
        );
    }
}
