//! What the look at an image's stored bytes came to.

use super::values::{Checksummed, Decimal};
use crate::pipeline::Recorded;
use alloy::primitives::{Address, B256};
use serde::Serialize;

/// A verification.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationView {
    pub(crate) image_id: B256,
    pub(crate) verdict: &'static str,
    pub(crate) expected_hash: B256,
    pub(crate) observed_hash: B256,
    pub(crate) cid: String,
    /// Null where it was not logged on chain.
    pub(crate) recorded: Option<RecordedView>,
}

/// Its entry in the log on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedView {
    number: u64,
    by: Checksummed,
    relayer: Option<Checksummed>,
    valid: bool,
    /// The flag that it raised.
    flag: Option<u64>,
    transaction: B256,
    gas: Decimal<u64>,
}

impl RecordedView {
    /// The entry of the verifier `by`.
    pub fn new(recorded: &Recorded, by: Address, relayer: Option<Address>) -> Self {
        Self {
            number: recorded.number,
            by: by.into(),
            relayer: relayer.map(Checksummed),
            valid: recorded.valid,
            flag: recorded.flag,
            transaction: recorded.receipt.transaction,
            gas: Decimal(recorded.receipt.gas_used),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::super::transaction::tests::RECEIPT;
    use super::*;

    #[test]
    fn a_verification_looks_as_it_always_did() {
        let recorded = Recorded { valid: false, number: 4, flag: Some(2), receipt: RECEIPT };
        let (by, relayer) = (Address::repeat_byte(0xc3), Address::repeat_byte(0xe5));
        let view = |recorded| VerificationView {
            image_id: B256::repeat_byte(1),
            verdict: "invalid",
            expected_hash: B256::repeat_byte(3),
            observed_hash: B256::repeat_byte(9),
            cid: "bafy-sealed".to_owned(),
            recorded,
        };
        assert_eq!(
            json(view(None)).to_string(),
            concat!(
                r#"{"cid":"bafy-sealed","#,
                r#""expectedHash":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""observedHash":"0x0909090909090909090909090909090909090909090909090909090909090909","#,
                r#""recorded":null,"verdict":"invalid"}"#,
            )
        );
        let relayed = view(Some(RecordedView::new(&recorded, by, Some(relayer))));
        assert_eq!(
            json(relayed).to_string(),
            concat!(
                r#"{"cid":"bafy-sealed","#,
                r#""expectedHash":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""observedHash":"0x0909090909090909090909090909090909090909090909090909090909090909","#,
                r#""recorded":{"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","flag":2,"gas":"54321","number":4,"#,
                r#""relayer":"0xE5e5E5E5e5e5E5E5E5E5e5E5e5e5e5E5e5e5e5e5","#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""valid":false},"verdict":"invalid"}"#,
            )
        );
        let recorded = Recorded { valid: true, flag: None, ..recorded };
        assert_eq!(
            json(RecordedView::new(&recorded, by, None)).to_string(),
            concat!(
                r#"{"by":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","flag":null,"gas":"54321","number":4,"#,
                r#""relayer":null,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","valid":true}"#,
            )
        );
    }
}
