//! The doors of a Key Generation Center: the chain as it sees it, randomness.

use std::future::Future;

use alloy::primitives::{Address, B256};
use hpke::rand_core::UnwrapErr;

use super::{ChainViewError, LogHead};
use crate::envelope::capsules::CryptoRng;

/// What a KGC takes from an image's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// Wallet that registered the image.
    pub sender: Address,
    /// SHA-256 of the sealed image's magic, version, header length and header.
    pub header_hash: B256,
    /// SHA-256 of the newest key capsules: those of the registration, or those that replaced them.
    pub capsules_hash: B256,
}

/// How an image and a wallet stand on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Time of the newest block that was looked at, unix seconds.
    pub block_time: u64,
    /// The image's record, if there is one.
    pub registration: Option<Registration>,
    /// Last second of the wallet's access, inclusive, unix seconds; 0 for none. Says nothing about the sender.
    pub access_expiry: u64,
}

/// The registry as a KGC sees it. Every method fails closed: without a fresh answer there is no answer.
///
/// Freshness is the implementation's to judge, by its chain profile. A grant counts once it is confirmed and a revocation as
/// soon as it is seen, so where two blocks are looked at, `access_expiry` is the smaller of the two.
pub trait ChainView: Send + Sync {
    /// Returns the time of the newest block, unix seconds.
    fn block_time(&self) -> impl Future<Output = Result<u64, ChainViewError>> + Send;

    /// Returns the newest head of this KGC's log that was anchored by the wallet that published its key; an empty one where none was.
    fn anchored_log(&self, kgc_id: B256) -> impl Future<Output = Result<LogHead, ChainViewError>> + Send;

    /// Returns how image and wallet stand, all of it taken from one block.
    fn standing(
        &self,
        image_id: B256,
        wallet: Address,
    ) -> impl Future<Output = Result<Standing, ChainViewError>> + Send;
}

/// Returns the operating system's randomness. It panics where the system has none: there is no going on without it.
pub fn os_random() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}
