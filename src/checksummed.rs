//! Addresses in JSON as EIP-55 writes them; a wrong checksum is refused. For
//! `#[serde(with = "checksummed")]`.

use alloy::primitives::Address;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(crate) fn serialize<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&address.to_checksum(None))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    let text = String::deserialize(deserializer)?;
    Address::parse_checksummed(text, None).map_err(D::Error::custom)
}
