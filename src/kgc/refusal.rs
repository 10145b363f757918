//! What a KGC says where it gives nothing.

use super::error::{ChainViewError, KeyRequestError, KgcError};
use super::names::Reason;
use super::receipt::SignedReceipt;
use crate::envelope::capsules::CapsuleError;

/// A request that was refused, with the KGC's receipt for it where it gave one.
#[derive(Debug, thiserror::Error)]
#[error("the key center refused")]
pub struct Refusal {
    /// Why.
    #[source]
    pub error: KgcError,
    /// What proves that it was refused, and why.
    pub receipt: Option<Box<SignedReceipt>>,
}

impl<E: Into<KgcError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self { error: error.into(), receipt: None }
    }
}

impl KgcError {
    /// The name under which it is refused.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Request(error) => error.reason(),
            Self::ChallengeUnknown { .. } => Reason::ChallengeInvalid,
            Self::OtherInstance { .. } => Reason::OtherInstance,
            Self::RequestUsed { .. } => Reason::RequestUsed,
            Self::Busy => Reason::Busy,
            Self::RateLimited { .. } => Reason::RateLimited,
            Self::Chain(error) => error.reason(),
            Self::UnknownImage { .. } => Reason::UnknownImage,
            Self::NotAuthorized { .. } => Reason::NotAuthorized,
            Self::SenderNotAdmitted { .. } => Reason::SenderNotAdmitted,
            Self::Capsules(CapsuleError::ShareMismatch { .. }) => Reason::ShareMismatch,
            Self::RecordMismatch { .. } | Self::Header(_) | Self::Capsules(_) => Reason::RecordMismatch,
            Self::EpochUnknown { .. } => Reason::EpochUnknown,
            Self::Log(_) => Reason::LogUnavailable,
            Self::Refused { reason, .. } => *reason,
            Self::AnswerNotAuthentic
            | Self::Receipt(_)
            | Self::Url { .. }
            | Self::NoAnswer { .. }
            | Self::OtherHome { .. }
            | Self::BadAnswer { .. }
            | Self::ShareWrong(_)
            | Self::ReceiptNotKept { .. } => Reason::Internal,
        }
    }
}

impl KeyRequestError {
    fn reason(&self) -> Reason {
        match self {
            Self::SetSize { .. }
            | Self::SetOrder
            | Self::SetHash { .. }
            | Self::NotInSet { .. }
            | Self::ChallengesHash { .. }
            | Self::Challenge { .. } => Reason::SetMismatch,
            Self::RecipientKey(_) => Reason::RecipientKey,
            Self::Signature { .. } | Self::Signer(_) => Reason::SignatureInvalid,
            Self::IssuedInFuture { .. } | Self::Expired { .. } | Self::Lifetime { .. } => Reason::RequestTime,
        }
    }
}

impl ChainViewError {
    fn reason(&self) -> Reason {
        match self {
            Self::Unreachable { .. } => Reason::ChainUnreachable,
            Self::Stale { .. } => Reason::ChainStale,
            Self::Disagree { .. } | Self::WrongDeployment { .. } => Reason::ChainDisagrees,
        }
    }
}
