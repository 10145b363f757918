//! Who may have an image's key, and who may say so.

use super::values::{Checksummed, Decimal};
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
    /// What a signed grant or revocation names: counts grants, and is drawn by each revocation.
    seq: Decimal<u128>,
    /// Where it was changed last.
    block: u64,
}

impl AccessView {
    /// The access of `wallet`, and whether it may have the key now.
    pub fn new(wallet: Address, access: &Access, authorized: bool) -> Self {
        let Access { expiry, seq, blockNumber: block } = *access;
        Self { wallet: wallet.into(), authorized, expiry, seq: Decimal(seq), block }
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
    /// What a signed change names, and what the operator signs: counted, and drawn by each removal.
    pub(crate) seq: Decimal<u128>,
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

#[cfg(test)]
mod tests {
    use super::super::{ActView, json};
    use super::*;
    use crate::chain::MinedTransaction;

    #[test]
    fn grants_and_operators_look_as_they_always_did() {
        let (sender, wallet, relayer) =
            (Address::repeat_byte(0xa1), Address::repeat_byte(0xb2), Address::repeat_byte(0xc3));
        let (image_id, receipt) = (
            B256::repeat_byte(1),
            MinedTransaction {
                transaction: B256::repeat_byte(0x7a),
                block_hash: B256::repeat_byte(0xb1),
                block_number: 12,
                gas_used: 54_321,
                contract: None,
            },
        );
        let grant = GrantView { image_id, wallet: wallet.into(), expiry: 1_800_000_000 };
        assert_eq!(
            json(ActView::new(grant, sender, relayer, Some(&receipt))).to_string(),
            concat!(
                r#"{"by":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","expiry":1800000000,"gas":"54321","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""relayer":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"}"#,
            )
        );
        let revocation = RevocationView { image_id, wallet: wallet.into() };
        assert_eq!(
            json(ActView::new(revocation, sender, sender, Some(&receipt))).to_string(),
            concat!(
                r#"{"by":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","gas":"54321","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","relayer":null,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"}"#,
            )
        );
        let (sender_view, operator) = (sender.into(), wallet.into());
        let change = OperatorChangeView { sender: sender_view, operator, allowed: true, already: true };
        assert_eq!(
            json(ActView::new(change, sender, sender, None)).to_string(),
            concat!(
                r#"{"allowed":true,"already":true,"by":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","gas":null,"#,
                r#""operator":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2","relayer":null,"#,
                r#""sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","transaction":null}"#,
            )
        );
        assert_eq!(
            json(OperatorView { sender: sender_view, operator, allowed: false, seq: Decimal(6) }).to_string(),
            concat!(
                r#"{"allowed":false,"operator":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2","#,
                r#""sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","seq":"6"}"#,
            )
        );
    }
}
