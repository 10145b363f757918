//! Who may have an image's key, and who may say so.

use super::values::Checksummed;
use crate::contract::bindings::IImageRegistry::Access;
use alloy::primitives::{Address, B256};
use serde::Serialize;

/// A wallet's access to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessView {
    wallet: Checksummed,
    authorized: bool,
    /// Last second, inclusive; 0 where there is no grant.
    expiry: u64,
    /// Counts grants and revocations.
    seq: u64,
    /// Where it was changed last.
    block: u64,
}

impl AccessView {
    /// The access of `wallet`, and whether it may have the key now.
    pub fn new(wallet: Address, access: &Access, authorized: bool) -> Self {
        let Access { expiry, seq, blockNumber: block } = *access;
        Self { wallet: wallet.into(), authorized, expiry, seq, block }
    }
}

/// A wallet that may have a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantView {
    pub(crate) image_id: B256,
    pub(crate) wallet: Checksummed,
    /// Last second, inclusive.
    pub(crate) expiry: u64,
}

/// A wallet that may no longer have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevocationView {
    pub(crate) image_id: B256,
    pub(crate) wallet: Checksummed,
}

/// Whether a wallet may grant, revoke and update capsules for a sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorView {
    pub(crate) sender: Checksummed,
    pub(crate) operator: Checksummed,
    pub(crate) allowed: bool,
    /// Counts the changes.
    pub(crate) seq: u64,
}

/// A change of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorChangeView {
    pub(crate) sender: Checksummed,
    pub(crate) operator: Checksummed,
    pub(crate) allowed: bool,
    /// Whether nothing had to be changed.
    pub(crate) already: bool,
}
