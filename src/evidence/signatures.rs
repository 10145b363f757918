//! Signatures in events: whose they are is computed anew.

use crate::contract::bindings::IImageRegistry::{
    Anchor, Batch, IImageRegistryEvents as Event, Registration, Verification,
};
use crate::contract::check_signature;
use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::sol_types::{Eip712Domain, SolStruct, SolValue};

/// Who vouches that an act is of the one whom it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedBy {
    /// The transaction itself: the contract takes an empty signature from nobody else.
    Transaction,
    /// A wallet's signature, checked here.
    Wallet,
    /// The signature of a wallet that is a contract (ERC-1271): the registry asked that contract then; it cannot be checked here.
    Contract,
}

impl SignedBy {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Wallet => "wallet",
            Self::Contract => "contract",
        }
    }
}

/// Who vouches for an event; none where events of its kind have no signature.
pub(super) fn signed_by(event: &Event, domain: &Eip712Domain) -> Option<SignedBy> {
    let (signer, signature, digest) = digest(event, domain)?;
    Some(match signature {
        signature if signature.is_empty() => SignedBy::Transaction,
        signature if check_signature(signature, &digest, signer).is_ok() => SignedBy::Wallet,
        _ => SignedBy::Contract,
    })
}

fn digest<'a>(event: &'a Event, domain: &Eip712Domain) -> Option<(Address, &'a Bytes, B256)> {
    Some(match event {
        Event::Registered(e) => {
            let signed = Registration {
                sender: e.sender,
                salt: e.salt,
                contentHash: e.contentHash,
                headerHash: e.headerHash,
                size: e.size,
                cid: e.cid.clone(),
                capsulesHash: e.capsulesHash,
                capsulesCid: e.capsulesCid.clone(),
                deadline: e.deadline,
            };
            (e.sender, &e.signature, signed.eip712_signing_hash(domain))
        }
        Event::BatchRegistered(e) => {
            // The event has the hash of the items, which is all that the signed struct's hash is made of.
            let kind = Batch { sender: e.sender, items: vec![], deadline: e.deadline }.eip712_type_hash();
            let hash = keccak256((kind, e.sender, e.itemsHash, e.deadline).abi_encode());
            let digest = keccak256([&[0x19, 0x01], domain.separator().as_slice(), hash.as_slice()].concat());
            (e.sender, &e.signature, digest)
        }
        Event::Anchored(e) => {
            let (sender, root, count, deadline) = (e.sender, e.root, e.count, e.deadline);
            let signed = Anchor { sender, root, count, leavesCid: e.leavesCid.clone(), deadline };
            (e.sender, &e.signature, signed.eip712_signing_hash(domain))
        }
        Event::Verified(e) => {
            let signed = Verification {
                imageId: e.imageId,
                verifier: e.verifier,
                observedHash: e.observedHash,
                observedAt: e.observedAt,
                nonce: e.nonce,
                deadline: e.deadline,
            };
            (e.verifier, &e.signature, signed.eip712_signing_hash(domain))
        }
        _ => return None,
    })
}
