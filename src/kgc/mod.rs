//! Key Generation Center (section 4.1 of the paper): issues partials to senders, releases image
//! keys to authorised wallets.
//!
//! Both acts speak one protocol (`FORMAT.md`, section 8). The wallet fetches a challenge from each
//! KGC, makes a fresh X25519 key and signs an EIP-712 request that names both; the KGC checks it,
//! writes its decision into its log, and answers with 32 secret bytes, HPKE-sealed to that key and
//! bound to that request, and with a signed receipt of what it decided.
//!
//! A request is checked in this order: the set of KGCs, the challenges, the recipient's key, the
//! challenge's MAC and age, the signature, how often the wallet asks; then the wallet has used its
//! challenge up, so that a validly signed request can be used once, whatever the outcome; then the
//! chain, where no answer means refusal; then times, by the later of block time and own clock. A
//! release also checks: record, access (the sender always, others while `now <= expiry`), hashes of
//! header and capsules against the record, header, capsule, key commitment. A contract wallet's
//! signature is asked about at the block that decides. The capsules are the newest on chain, or
//! those of the registration, unless the KGC's key was retired since (README.md beside this file,
//! "Which capsules it opens").
//!
//! Several KGCs may hold an image's key together ([`KeyCenters`]): each gives its own share, which
//! is checked against the commitment to it before and after.

mod any;
mod backup;
mod backup_error;
mod case;
mod challenges;
mod error;
mod inputs;
mod key_file;
mod keys;
mod limits;
mod local;
mod log;
mod names;
mod passphrase;
mod policy;
mod receipt;
mod refusal;
mod remote;
mod requests;
mod rewrap;
mod set;
#[cfg(test)]
mod tests;
pub mod wire;

use std::future::Future;

use alloy::primitives::{Address, B256};
use zeroize::Zeroizing;

pub use any::AnyKeyCenter;
pub use backup::{Backup, BackupLock, BackupNeeds, Unlock, check_backup, make_backup};
pub use backup_error::BackupError;
pub use challenges::CHALLENGE_SECS;
pub use error::{ChainViewError, KeyRequestError, KgcError, ReceiptError};
pub use inputs::{AccessState, BlockSeen, ChainView, ContractSignature, RegisteredImage, os_random};
pub use key_file::{KeyFileError, Protection, create_key_file, file_before, open_key_file, replace_key_file};
pub use keys::{KgcKeys, MAX_EPOCHS};
pub use limits::{Limiter, Rate};
pub use local::LocalKeyCenter;
pub use log::{
    Answered, Known, LogCheck, LogEntry, LogError, LogFault, LogHead, LogWriter, ReleaseLog, check_log, release_log_id,
};
pub use names::{BootId, Decision, Reason};
pub use passphrase::PassphraseCost;
pub use policy::{Policy, WalletRates};
pub use receipt::{Asked, KeyReceipt, SignedReceipt};
pub use refusal::Refusal;
pub use remote::{KgcDoor, RemoteKeyCenter};
pub use requests::{
    CLOCK_TOLERANCE_SECS, CheckedRequest, Home, IssueRequest, KeyRequest, KgcRequest, MAX_KGCS, REQUEST_SECS,
    RequestKind, SignedRequest, Terms, UnsignedRequest, challenges_hash, kgc_set_hash,
};
pub use rewrap::Rewrapped;

pub use set::{Asking, Given, How, KeyCenters, KgcOutcome, KgcSetError, Member, SetNote};

use crate::cipher::ImageKey;
use crate::envelope::ImageContext;
use crate::envelope::capsules::{SealedSecret, X25519Public, X25519Secret, check_commitment, open_secret, seal_secret};

/// The public half of a KGC, as it publishes it on chain. Senders take it from there and nowhere
/// else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KgcIdentity {
    /// Its id on chain.
    pub id: B256,
    /// Counts its keys from 1.
    pub epoch: u32,
    /// Key to which capsules are sealed.
    pub public: X25519Public,
    /// Its wallet.
    pub receipt_signer: Address,
}

/// A Key Generation Center: [`LocalKeyCenter`] in this process, [`RemoteKeyCenter`] on the network.
pub trait KeyCenter: Send + Sync {
    /// What it publishes on chain.
    fn identity(&self) -> KgcIdentity;

    /// Returns a fresh challenge, to be used once and within [`CHALLENGE_SECS`].
    fn challenge(&self) -> impl Future<Output = Result<B256, KgcError>> + Send;

    /// Returns the partial for (sender, image id), sealed to the request's key: the KGC's part of
    /// the image key.
    fn issue(&self, request: &SignedRequest<IssueRequest>) -> impl Future<Output = Result<Answer, Refusal>> + Send;

    /// Returns the image key, or the KGC's share of it, sealed to the request's key, if the wallet
    /// is authorised on chain now.
    ///
    /// `header` is the sealed image's bytes `0 .. 14 + H`, `capsules` its key capsules as
    /// registered.
    fn release(
        &self,
        request: &SignedRequest<KeyRequest>,
        header: &[u8],
        capsules: &[u8],
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// What a KGC gives, and the receipt for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What is given.
    pub sealed: SealedAnswer,
    /// What proves that it was.
    pub receipt: SignedReceipt,
}

/// A KGC's answer: 32 secret bytes that only the request's key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedAnswer(pub SealedSecret);

impl SealedAnswer {
    fn seal(secret: &[u8; 32], to: &CheckedRequest) -> Self {
        Self(seal_secret(secret, &to.recipient, to.digest.as_slice(), &mut os_random()))
    }

    /// Returns the partial in the answer to the `IssueRequest` with this digest.
    ///
    /// # Errors
    /// [`KgcError::AnswerNotAuthentic`].
    pub fn open_partial(&self, secret: &X25519Secret, digest: &B256) -> Result<Zeroizing<[u8; 32]>, KgcError> {
        open_secret(&self.0, secret, digest.as_slice()).ok_or(KgcError::AnswerNotAuthentic)
    }

    /// Returns the image key in the answer to the `KeyRequest` with this digest, checked against
    /// the header's key commitment.
    ///
    /// # Errors
    /// [`KgcError::AnswerNotAuthentic`]; `WrongKey` where the KGC gave another key than the sender
    /// committed to.
    pub fn open_image_key(
        &self,
        secret: &X25519Secret,
        digest: &B256,
        context: &ImageContext,
        commitment: &[u8; 32],
    ) -> Result<ImageKey, KgcError> {
        let key = ImageKey::from_bytes(*self.open_partial(secret, digest)?);
        check_commitment(&key, context, commitment)?;
        Ok(key)
    }
}
