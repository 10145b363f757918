//! Why a Key Generation Center refuses a request.

use std::path::PathBuf;

use alloy::primitives::{Address, B256};

use super::log::LogError;
use super::names::{BootId, Reason};

use crate::contract::SignatureFault;
use crate::envelope::EnvelopeError;
use crate::envelope::capsules::CapsuleError;

/// Why a Key Generation Center gives no partial and no image key, or why its answer cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KgcError {
    /// The request itself is not valid.
    #[error("the request is not valid")]
    Request(#[from] KeyRequestError),
    /// The challenge is not one of this KGC's, or is older than
    /// [`CHALLENGE_SECS`](super::CHALLENGE_SECS).
    #[error("challenge {challenge} was not given out by this key center, or has expired")]
    ChallengeUnknown {
        /// The challenge in the request.
        challenge: B256,
    },
    /// The challenge was given by another instance of this KGC, or before a restart.
    #[error("the challenge was given out by instance {found}, this is {own}: fetch a new one here")]
    OtherInstance {
        /// The boot of this instance.
        own: BootId,
        /// The boot that gave the challenge.
        found: BootId,
    },
    /// The wallet has used this challenge before.
    #[error("challenge {challenge} was used before: each works once")]
    RequestUsed {
        /// The challenge in the request.
        challenge: B256,
    },
    /// More requests than this key center keeps apart were answered in the last minutes.
    #[error("the key center has no room for another request within the next minutes")]
    Busy,
    /// This wallet has asked too often.
    #[error("the wallet has asked too often: again in {retry_after} s")]
    RateLimited {
        /// In how many seconds it may ask again.
        retry_after: u64,
    },
    /// The chain cannot be asked, or its answer is too old: no key is given out.
    #[error("the chain does not say who is authorised now")]
    Chain(#[from] ChainViewError),
    /// No record of the image is on chain.
    #[error("no record of image {image_id} is on chain")]
    UnknownImage {
        /// The image asked for.
        image_id: B256,
    },
    /// The wallet is not authorised now.
    #[error(
        "wallet {wallet} is not authorised for image {image_id} at {now}: its access ends at {expiry} (0: it has none)"
    )]
    NotAuthorized {
        /// The image asked for.
        image_id: B256,
        /// The wallet that asks.
        wallet: Address,
        /// Last second of its access, unix seconds; 0 for none.
        expiry: u64,
        /// When it was checked, unix seconds.
        now: u64,
    },
    /// This KGC issues nothing to this wallet: its operator has a list of senders.
    #[error("wallet {wallet} is not one of the senders to which this key center issues")]
    SenderNotAdmitted {
        /// The wallet that asks.
        wallet: Address,
    },
    /// Header or capsules are not those of the record on chain.
    #[error("{what} is not that of the record on chain: expected {expected}, found {found}")]
    RecordMismatch {
        /// What differs.
        what: &'static str,
        /// What the chain says.
        expected: String,
        /// What came with the request.
        found: String,
    },
    /// The header is not a sealed image's.
    #[error("the sealed image's header cannot be read")]
    Header(#[from] EnvelopeError),
    /// The capsules do not parse, or give no key.
    #[error("the key capsules give no image key")]
    Capsules(#[from] CapsuleError),
    /// The capsule was sealed to a key that the key center does not have any more, or not yet.
    #[error(
        "the image key is sealed to epoch {found} of this key center, which has no key of it; its newest is {newest}"
    )]
    EpochUnknown {
        /// The newest epoch of the key center's keys.
        newest: u32,
        /// The epoch of the capsule.
        found: u32,
    },
    /// The entry could not be written to the log, so no key is given out.
    #[error("the answer cannot be logged, so no key is given out")]
    Log(#[from] LogError),
    /// The answer was not made for this request, or was changed.
    #[error("the key center's answer does not open with this request and this key")]
    AnswerNotAuthentic,
    /// The URL of a KGC cannot be used.
    #[error("{url} cannot be used as a key center's address: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// Why not.
        reason: String,
    },
    /// No KGC answers there.
    #[error("the key center at {url} does not answer: {reason}")]
    NoAnswer {
        /// Where it was asked.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The KGC serves another registry.
    #[error("the key center at {url} serves {found}, expected {expected}")]
    OtherHome {
        /// Where it was asked.
        url: String,
        /// The registry that is asked about.
        expected: String,
        /// The one that it serves.
        found: String,
    },
    /// What answers there is no KGC, or a broken one.
    #[error("what answers at {url} is not a key center's answer: {reason}")]
    BadAnswer {
        /// Where it was asked.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A receipt cannot be written to disk.
    #[error("the key center's receipt cannot be kept in {}", folder.display())]
    ReceiptNotKept {
        /// Where receipts are kept.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The receipt of an answer is not the KGC's, or is for something else.
    #[error("the key center's receipt proves nothing")]
    Receipt(#[from] ReceiptError),
    /// What a KGC gave is not its share of this image's key, or not the key.
    #[error("what the key center gave is not what the image's sender committed to")]
    ShareWrong(#[source] CapsuleError),
    /// A KGC on the network refused.
    #[error("the key center at {url} refuses ({}): {detail}", reason.name())]
    Refused {
        /// Where it was asked.
        url: String,
        /// Under which name it refuses.
        reason: Reason,
        /// Its own words, on one line.
        detail: String,
        /// After how many seconds it may be asked again, if it said so.
        retry_after: Option<u64>,
    },
}

/// What is wrong with a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRequestError {
    /// No key centers, too many, or not as many challenges.
    #[error("expected 1 to {limit} key centers and as many challenges, found {kgcs} and {challenges}")]
    SetSize {
        /// The most key centers in a set.
        limit: usize,
        /// Number of key centers.
        kgcs: usize,
        /// Number of challenges.
        challenges: usize,
    },
    /// The ids of the key centers are not in ascending order.
    #[error("expected the ids of the key centers in ascending order")]
    SetOrder,
    /// The request was signed for another set of key centers.
    #[error("the request is signed for another set of key centers: expected {expected}, found {found}")]
    SetHash {
        /// Hash of the ids that came with the request.
        expected: B256,
        /// The signed hash.
        found: B256,
    },
    /// This key center is not in the set.
    #[error("the request is not for key center {id}")]
    NotInSet {
        /// Id of the key center that was asked.
        id: B256,
    },
    /// The request was signed for other challenges.
    #[error("the request is signed for other challenges: expected {expected}, found {found}")]
    ChallengesHash {
        /// Hash of the challenges that came with the request.
        expected: B256,
        /// The signed hash.
        found: B256,
    },
    /// The challenge that came with the request is not the one whose hash stands for this KGC.
    #[error("the challenge is not this key center's in the signed set: expected hash {expected}, found {found}")]
    Challenge {
        /// The hash in the set.
        expected: B256,
        /// The hash of the challenge.
        found: B256,
    },
    /// The recipient's key is not a usable X25519 key.
    #[error("the recipient's key cannot be used")]
    RecipientKey(#[source] CapsuleError),
    /// The signature is not that wallet's for this request, chain and registry.
    #[error("not a signature of {wallet} for this request, chain and registry")]
    Signature {
        /// The wallet that the request names.
        wallet: Address,
        /// What is wrong with it.
        source: SignatureFault,
    },
    /// The request was issued in the future.
    #[error("the request was issued at {issued_at}, it is {now} now")]
    IssuedInFuture {
        /// When it says that it was issued, unix seconds.
        issued_at: u64,
        /// The time, unix seconds.
        now: u64,
    },
    /// The deadline has passed.
    #[error("the request expired at {deadline}, it is {now} now")]
    Expired {
        /// Last second in which it acts, unix seconds.
        deadline: u64,
        /// The time, unix seconds.
        now: u64,
    },
    /// The deadline is before the issue, or too long after it.
    #[error("expected a deadline at most {limit} s after the issue at {issued_at}, found {deadline}")]
    Lifetime {
        /// The longest life in seconds.
        limit: u64,
        /// When it says that it was issued, unix seconds.
        issued_at: u64,
        /// Last second in which it acts, unix seconds.
        deadline: u64,
    },
    /// The wallet could not sign.
    #[error("the wallet cannot sign the request")]
    Signer(#[source] alloy::signers::Error),
}

/// Why a receipt proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It was not signed by the KGC's receipt signer.
    #[error("the receipt is not signed by the key center's receipt signer {signer}")]
    Signature {
        /// The receipt signer on chain.
        signer: Address,
        /// What is wrong with the signature.
        source: SignatureFault,
    },
    /// It is about something else.
    #[error("the receipt is for another {what}: expected {expected}, found {found}")]
    Other {
        /// What differs.
        what: &'static str,
        /// What was asked.
        expected: String,
        /// What the receipt says.
        found: String,
    },
}

/// Why the KGC does not know who is authorised.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainViewError {
    /// The node does not answer, or its answer is not valid.
    #[error("the node does not answer")]
    Unreachable {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The node's newest block is too old.
    #[error("the newest block is {age_secs} s old, at most {limit_secs} s are allowed")]
    Stale {
        /// Its age in seconds.
        age_secs: u64,
        /// The chain profile's limit in seconds.
        limit_secs: u64,
    },
    /// Several nodes are asked, and too few of them say the same.
    #[error("the nodes do not agree")]
    Disagree {
        /// What each says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another chain or another contract answers.
    #[error("another chain or contract answers: expected {expected}, found {found}")]
    WrongDeployment {
        /// What was pinned.
        expected: String,
        /// What was found.
        found: String,
    },
}
