//! Why a Key Generation Center refuses a request.

use std::path::PathBuf;

use alloy::primitives::{Address, B256};

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
    /// The challenge was never given, or is older than [`CHALLENGE_SECS`](super::CHALLENGE_SECS).
    #[error("challenge {challenge} was never given out by this key center, or has expired")]
    ChallengeUnknown {
        /// The challenge in the request.
        challenge: B256,
    },
    /// The challenge was used by an earlier request.
    #[error("challenge {challenge} was used before: each works once")]
    RequestUsed {
        /// The challenge in the request.
        challenge: B256,
    },
    /// More challenges are open than this key center remembers.
    #[error("{limit} challenges are open, no more are given until some expire")]
    TooManyChallenges {
        /// The most that are remembered.
        limit: usize,
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
    /// The capsule was sealed to a key of another epoch.
    #[error("the image key is sealed to epoch {found} of this key center, which holds epoch {expected}")]
    EpochUnknown {
        /// The epoch of the key center's key.
        expected: u32,
        /// The epoch of the capsule.
        found: u32,
    },
    /// The entry could not be written to the log, so no key is given out.
    #[error("the answer cannot be logged, so no key is given out")]
    Log(#[from] LogError),
    /// The answer was not made for this request, or was changed.
    #[error("the key center's answer does not open with this request and this key")]
    AnswerNotAuthentic,
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
    /// Another chain or another contract answers.
    #[error("another chain or contract answers: expected {expected}, found {found}")]
    WrongDeployment {
        /// What was pinned.
        expected: String,
        /// What was found.
        found: String,
    },
}

/// Why the log does not take an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be opened, written, or brought to the disk.
    #[error("the log {} cannot be written", path.display())]
    Io {
        /// The log.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It has fewer entries than it had.
    #[error("the log {} has {found} entries, {expected} were {known}", path.display())]
    Shorter {
        /// The log.
        path: PathBuf,
        /// As many were anchored or written.
        expected: u64,
        /// As many are there.
        found: u64,
        /// How that is known.
        known: Known,
    },
    /// Its entries are not those that it had.
    #[error("the first {seq} entries of the log {} have head {found}, {expected} was {known}", path.display())]
    Altered {
        /// The log.
        path: PathBuf,
        /// How many were anchored or written.
        seq: u64,
        /// Their head then.
        expected: B256,
        /// Theirs now.
        found: B256,
        /// How that is known.
        known: Known,
    },
    /// Another file, or none, is under its name since it was opened.
    #[error("the log {} was removed or replaced while it was in use", path.display())]
    Replaced {
        /// The log.
        path: PathBuf,
    },
    /// What was noted of its last state is not readable as that.
    #[error("{} does not say how many entries the log had", path.display())]
    State {
        /// The file beside the log.
        path: PathBuf,
    },
}

/// From where a head is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was anchored on chain.
    Anchored,
    /// It was written here.
    Written,
}

impl std::fmt::Display for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Anchored => "anchored",
            Self::Written => "written",
        })
    }
}
