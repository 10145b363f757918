//! A request on its way to a decision.

use super::error::KeyRequestError;
use super::inputs::{BlockSeen, ContractSignature};
use super::log::LogHead;
use super::requests::{CheckedRequest, RequestKind, Terms};

/// A request on its way to a decision.
pub(super) struct Case {
    pub(super) checked: CheckedRequest,
    pub(super) terms: Terms,
    pub(super) kind: RequestKind,
    /// Whether its signature counts.
    pub(super) signed: bool,
    /// What is wrong with it as a plain wallet's: a contract may take it.
    pub(super) fault: Option<KeyRequestError>,
    /// The block by which it is decided.
    pub(super) block: Option<BlockSeen>,
    /// The head on chain with which the log is compared, where it was read.
    pub(super) anchored: Option<LogHead>,
}

impl Case {
    /// What a contract is to be asked about the signature, where no plain wallet made it.
    pub(super) fn contract_signature<'a>(&self, signature: &'a [u8]) -> Option<ContractSignature<'a>> {
        self.fault.as_ref().map(|_| ContractSignature { digest: self.checked.digest, signature })
    }
}
