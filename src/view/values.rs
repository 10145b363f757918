//! How single values are written.

use crate::contract::bindings::IImageRegistry::{FlagState, RecordState};
use alloy::primitives::Address;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt::Display;

/// Names the form of an answer: of what `--json` prints, and of what webhooks are given.
pub const SCHEMA: &str = "medseal/cli/v1";

/// An address as EIP-55 writes it.
pub fn address(address: Address) -> String {
    address.to_checksum(None)
}

/// A view as a JSON value.
pub fn json(view: impl Serialize) -> Value {
    serde_json::to_value(view).expect("a view is plain JSON")
}

/// An address that is written with its EIP-55 checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Checksummed(#[serde(serialize_with = "crate::checksummed::serialize")] pub Address);

impl From<Address> for Checksummed {
    fn from(address: Address) -> Self {
        Self(address)
    }
}

/// A whole number as decimal text: numbers of JavaScript are exact up to 2^53 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal<N>(pub N);

impl<N: Display> Serialize for Decimal<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The name of a record's state.
pub fn state_name(state: RecordState) -> &'static str {
    match state {
        RecordState::Registered => "registered",
        RecordState::Flagged => "flagged",
        RecordState::Tampered => "tampered",
        _ => "absent",
    }
}

/// The name of a flag's state.
pub fn flag_name(state: FlagState) -> &'static str {
    match state {
        FlagState::Open => "open",
        FlagState::Confirmed => "confirmed",
        FlagState::Dismissed => "dismissed",
        FlagState::DismissedBySender => "dismissed-by-sender",
        _ => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U256;

    #[test]
    fn addresses_have_their_checksum_and_large_numbers_are_text() {
        let wallet = Address::repeat_byte(0xab);
        assert_eq!(json(Checksummed(wallet)), "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB");
        assert_eq!(json(Checksummed(wallet)), address(wallet));
        assert_eq!(json(Decimal(u64::MAX)), "18446744073709551615");
        let nonce = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(json(Decimal(U256::MAX)), nonce);
    }
}
