//! Names that stand in answers, logs and receipts: of runs, decisions and reasons.

use alloy::primitives::FixedBytes;
use serde::{Deserialize, Serialize};

/// Names one run of a KGC's process.
pub type BootId = FixedBytes<7>;

macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident $name:literal;)*) => {
        /// Why a KGC refuses a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $reason,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$reason),*];

            /// Its name, in lower case.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// The body cannot be read as a request.
    Malformed "malformed";
    /// A body, a header or the capsules are longer than this KGC reads.
    TooLarge "too-large";
    /// The body came too slowly.
    TooSlow "too-slow";
    /// The body is not JSON by its own account.
    MediaType "media-type";
    /// The challenge is not this KGC's, or has expired.
    ChallengeInvalid "challenge-invalid";
    /// Another run of this KGC gave the challenge: fetch one here.
    OtherInstance "other-instance";
    /// The wallet did not sign this request.
    SignatureInvalid "signature-invalid";
    /// The wallet has used this challenge before.
    RequestUsed "request-used";
    /// Issued in the future, expired, or too long-lived.
    RequestTime "request-time";
    /// The recipient's key cannot be used.
    RecipientKey "recipient-key";
    /// The set of KGCs or challenges is not the signed one.
    SetMismatch "set-mismatch";
    /// No record of the image is on chain.
    UnknownImage "unknown-image";
    /// The wallet is not authorised now.
    NotAuthorized "not-authorised";
    /// The KGC issues nothing to this sender.
    SenderNotAdmitted "sender-not-admitted";
    /// Header or capsules are not those of the record, or give no key.
    RecordMismatch "record-mismatch";
    /// The capsule is for a key that this KGC does not hold.
    EpochUnknown "epoch-unknown";
    /// The share in the capsule is not the one that the sender committed to.
    ShareMismatch "share-mismatch";
    /// Too many requests of this wallet or address.
    RateLimited "rate-limited";
    /// The newest block is too old.
    ChainStale "chain-stale";
    /// No node answers.
    ChainUnreachable "chain-unreachable";
    /// Nodes contradict each other, or serve another chain.
    ChainDisagrees "chain-disagrees";
    /// The answer cannot be logged.
    LogUnavailable "log-unavailable";
    /// No room for another request.
    Busy "busy";
    /// A fault of the program.
    Internal "internal";
}

impl Reason {
    /// The reason with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.name() == name)
    }
}

/// How a request was decided; in the log by its name in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// A partial was given.
    Issued,
    /// A key, or a share of one, was given.
    Released,
    /// Nothing was given.
    Refused,
}

impl Decision {
    /// Its number in a receipt.
    pub fn code(self) -> u8 {
        match self {
            Self::Issued => 1,
            Self::Released => 2,
            Self::Refused => 3,
        }
    }

    /// The decision with this number.
    pub fn of_code(code: u8) -> Option<Self> {
        [Self::Issued, Self::Released, Self::Refused].into_iter().find(|decision| decision.code() == code)
    }
}
