//! What a Key Generation Center needs from outside: its view of the chain, and randomness.

use std::future::Future;

use alloy::primitives::{Address, B256};
use hpke::rand_core::UnwrapErr;

use super::{ChainViewError, KgcIdentity, LogHead};
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

/// What the chain says about an image and a wallet's access to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessState {
    /// Time of the newest block that was read, unix seconds.
    pub block_time: u64,
    /// The image's record, if there is one.
    pub registration: Option<RegisteredImage>,
    /// Last second of the wallet's access, inclusive, unix seconds; 0 for none. Says nothing about
    /// the sender.
    pub access_expiry: u64,
}

/// The registry as a KGC sees it. Every method fails closed: without a fresh answer there is no
/// answer.
///
/// The implementation decides what is fresh, by its chain profile. A grant counts once it is
/// confirmed and a revocation as soon as it is seen, so where two blocks are read, `access_expiry`
/// is the smaller of the two.
pub trait ChainView: Send + Sync {
    /// Returns the time of the newest block, unix seconds.
    fn block_time(&self) -> impl Future<Output = Result<u64, ChainViewError>> + Send;

    /// Returns the newest head of this KGC's log that was anchored by the wallet that published its
    /// key; an empty one where none was.
    fn anchored_log(&self, kgc_id: B256) -> impl Future<Output = Result<LogHead, ChainViewError>> + Send;

    /// Returns record and access, read from one block, as they are for this KGC.
    fn access_state(
        &self,
        image_id: B256,
        wallet: Address,
        kgc: &KgcIdentity,
    ) -> impl Future<Output = Result<AccessState, ChainViewError>> + Send;
}

/// Returns the operating system's random generator. It panics where the system has none: no key may
/// be made then.
pub fn os_random() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}
