//! The context that every key and capsule is bound to: which image, of which sender, on which
//! chain.

use alloy::primitives::{Address, B256, keccak256};
use alloy::sol_types::{Eip712Domain, eip712_domain};

/// Chain, registry, sender and id of an image; bound into its key and its capsules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageContext {
    /// Id of the chain with the image's record.
    pub chain_id: u64,
    /// Address of the `ImageRegistry` on that chain.
    pub registry: Address,
    /// Wallet that seals and registers.
    pub sender: Address,
    /// [`image_id`] of the above and the salt.
    pub image_id: B256,
}

impl ImageContext {
    /// Returns the context of the image that `sender` seals with `salt`.
    pub fn new(chain_id: u64, registry: Address, sender: Address, salt: B256) -> Self {
        Self { chain_id, registry, sender, image_id: image_id(chain_id, registry, sender, salt) }
    }

    /// The `context` of `FORMAT.md`, section 4.3.
    pub fn to_bytes(&self) -> [u8; 80] {
        let mut bytes = [0; 80];
        bytes[..8].copy_from_slice(&self.chain_id.to_be_bytes());
        bytes[8..28].copy_from_slice(self.registry.as_slice());
        bytes[28..60].copy_from_slice(self.image_id.as_slice());
        bytes[60..].copy_from_slice(self.sender.as_slice());
        bytes
    }
}

/// Returns `keccak256(abi.encode(chain id, registry, sender, salt))` (`FORMAT.md`, section 2).
pub fn image_id(chain_id: u64, registry: Address, sender: Address, salt: B256) -> B256 {
    let mut encoded = [0; 128];
    encoded[24..32].copy_from_slice(&chain_id.to_be_bytes());
    encoded[44..64].copy_from_slice(registry.as_slice());
    encoded[76..96].copy_from_slice(sender.as_slice());
    encoded[96..].copy_from_slice(salt.as_slice());
    keccak256(encoded)
}

/// Returns the EIP-712 domain of every MedSeal signature: name `MedSeal`, version `1`, this chain,
/// this contract (`FORMAT.md`, section 8).
pub fn signing_domain(chain_id: u64, registry: Address) -> Eip712Domain {
    eip712_domain! { name: "MedSeal", version: "1", chain_id: chain_id, verifying_contract: registry, }
}
