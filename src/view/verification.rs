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
