//! Checks the signatures in events.

use crate::contract::bindings::IImageRegistry::{
    Anchor, Batch, IImageRegistryEvents as Event, Registration, Verification,
};
use crate::contract::check_signature;
use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::sol_types::{Eip712Domain, SolStruct, SolValue};

/// How it is known that the named wallet made an entry itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedBy {
    /// It sent the transaction: the contract accepts an empty signature from the named wallet only.
    Transaction,
    /// Its signature is in the event, and was checked here.
    Wallet,
    /// It is a contract wallet (ERC-1271): the registry asked it when the entry was made; its
    /// signature cannot be checked here.
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

/// How an event was signed; `None` where events of its kind have no signature.
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
            // The event holds the hash of the items, which the signed struct's hash is made of.
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
