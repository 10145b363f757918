//! What a Key Generation Center needs from outside: its view of the chain, and randomness.

use std::future::Future;

use alloy::primitives::{Address, B256};
use hpke::rand_core::UnwrapErr;

use super::KgcIdentity;
use super::error::ChainViewError;
use super::log::LogHead;
use crate::envelope::capsules::CryptoRng;

/// The fields of an image's record that a KGC checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisteredImage {
    /// Wallet that registered the image.
    pub sender: Address,
    /// SHA-256 of the sealed image's magic, version, header length and header.
    pub header_hash: B256,
    /// SHA-256 of the newest key capsules: those of the registration, or those that replaced them.
    pub capsules_hash: B256,
    /// SHA-256 of the registration's key capsules, where others replaced them, and the KGC's key
    /// that they are sealed to is not retired.
    pub registered_capsules: Option<B256>,
}

/// A block by which a request is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSeen {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time, unix seconds.
    pub time: u64,
}

/// What the chain says about an image and a wallet's access to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessState {
    /// The newest block that was read.
    pub block: BlockSeen,
    /// The image's record, if there is one.
    pub registration: Option<RegisteredImage>,
    /// Last second of the wallet's access, inclusive, unix seconds; 0 for none. Says nothing about
    /// the sender.
    pub access_expiry: u64,
}

/// A signature that no plain wallet made: whether it counts is for the contract at the wallet's
/// address to say (ERC-1271).
#[derive(Debug, Clone, Copy)]
pub struct ContractSignature<'a> {
    /// What is signed.
    pub digest: B256,
    /// The bytes.
    pub signature: &'a [u8],
}

/// The registry as a KGC sees it. Every method fails closed: without a fresh answer there is no
/// answer.
///
/// The implementation decides what is fresh, by its chain profile. A grant counts once it is
/// confirmed and a revocation as soon as it is seen, so where two blocks are read, `access_expiry`
/// is the smaller of the two.
pub trait ChainView: Send + Sync {
    /// Returns the newest block; `None` where a signature was asked about that the wallet's
    /// contract does not take in that very block.
    fn block(
        &self,
        wallet: Address,
        signature: Option<ContractSignature<'_>>,
    ) -> impl Future<Output = Result<Option<BlockSeen>, ChainViewError>> + Send;

    /// Returns the newest head of one of this KGC's logs that was anchored by a wallet that may; an
    /// empty one where none was.
    fn anchored_log(&self, kgc_id: B256, log_id: B256) -> impl Future<Output = Result<LogHead, ChainViewError>> + Send;

    /// Returns record and access, read from one block, as they are for this KGC; `None` where a
    /// signature was asked about that the wallet's contract does not take in that very block.
    fn access_state(
        &self,
        image_id: B256,
        wallet: Address,
        kgc: &KgcIdentity,
        signature: Option<ContractSignature<'_>>,
    ) -> impl Future<Output = Result<Option<AccessState>, ChainViewError>> + Send;

    /// What is wrong with single nodes, each by its name, for whoever runs the KGC: it may go on
    /// without them.
    fn faults(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Returns the operating system's random generator. It panics where the system has none: no key may
/// be made then.
pub fn os_random() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}
