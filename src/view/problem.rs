//! Which code each error of the parts has. A new variant does not compile here, or falls to the
//! general code of its part.

use super::code::{Code, Meaning};
use crate::audit::{AuditError, SourceError};
use crate::chain::{ChainError, DeploymentError, NodeError, OutboxError, RelayError, WalletError};
use crate::contract::bindings::IImageRegistry::IImageRegistryErrors;
use crate::contract::{CallError, ErrorKind, RequestError, Revert};
use crate::envelope::capsules::CapsuleError;
use crate::evaluation::figures::FigureError;
use crate::evidence::{CollectError, EvidenceError};
use crate::keygen::KeygenError;
use crate::kgc::{BackupError, ChainViewError, KeyFileError, KgcError, KgcSetError, LogError, Reason};
use crate::metrics::MetricsError;
use crate::notify::NotifyError;
use crate::pipeline::PipelineError;
use crate::storage::{Failures, IpfsError, StoreError};
use crate::watch::WatchError;
use alloy::primitives::Bytes;

/// An error's code, and what it means: the code's own meaning, or where that is none, the error's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// The stable name.
    pub code: Code,
    /// What it means to whoever asked.
    pub meaning: Meaning,
}

impl Problem {
    fn new(code: Code, kind: ErrorKind) -> Self {
        Self { code, meaning: code.meaning().unwrap_or(kind.into()) }
    }

    /// What went wrong with a file that was to be read or written.
    pub fn of_file(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Code::FileNotFound.into(),
            _ => Code::File.into(),
        }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code, ErrorKind::Failure)
    }
}

impl From<&Revert> for Problem {
    fn from(revert: &Revert) -> Self {
        let code = match revert {
            Revert::Registry(IImageRegistryErrors::UnknownKgcKey(_)) => Code::UnknownKgcKey,
            Revert::Registry(IImageRegistryErrors::NoSuchFlag(_)) => Code::UnknownFlag,
            Revert::Registry(IImageRegistryErrors::UnknownAnchor(_)) => Code::UnknownAnchor,
            Revert::Registry(IImageRegistryErrors::RegistryPaused(_)) => Code::Paused,
            _ => Code::Reverted,
        };
        Self::new(code, revert.kind())
    }
}

impl From<&CallError> for Problem {
    fn from(_: &CallError) -> Self {
        Code::NotACall.into()
    }
}

impl From<&RequestError> for Problem {
    fn from(error: &RequestError) -> Self {
        use RequestError as E;
        let code = match error {
            E::OtherDomain { .. } => Code::OtherRegistry,
            E::Signature { .. } | E::SignatureLength { .. } | E::UpperS { .. } => Code::Signature,
            E::Expired { .. } | E::TooFar { .. } => Code::Deadline,
            E::Nonce { .. } => Code::Nonce,
            E::Overtaken { .. } => Code::Overtaken,
            E::Malformed { .. } | E::OtherType { .. } => Code::NotARequest,
        };
        Self::new(code, error.kind())
    }
}

impl From<&RelayError> for Problem {
    fn from(error: &RelayError) -> Self {
        match error {
            RelayError::Chain(error) => error.into(),
            RelayError::Request(error) => error.into(),
            RelayError::TooMuchGas { .. } => Code::GasCap.into(),
        }
    }
}

impl From<&ChainError> for Problem {
    fn from(error: &ChainError) -> Self {
        let code = match (error, error.kind()) {
            (ChainError::UnknownImage { .. }, _) => Code::UnknownImage,
            (ChainError::Revert(revert), _) => return (&**revert).into(),
            (ChainError::InvalidUrl { .. }, _) => Code::Settings,
            (ChainError::NoFinality { .. }, _) => Code::NoFinality,
            (ChainError::Busy { .. }, _) => Code::NodeBusy,
            (ChainError::Fees { .. }, _) => Code::Fees,
            (ChainError::Clock { .. }, _) => Code::Clock,
            (ChainError::OutOfBudget { .. }, _) => Code::ReadLimit,
            (ChainError::Contradicts { .. }, _) => Code::LogIncomplete,
            (_, ErrorKind::Unreachable) => Code::Unreachable,
            (_, ErrorKind::WrongChain) => Code::WrongChain,
            _ => Code::Chain,
        };
        code.into()
    }
}

impl From<&OutboxError> for Problem {
    fn from(error: &OutboxError) -> Self {
        let code = match error {
            OutboxError::Chain(error) => return error.into(),
            OutboxError::Request(error) => return (&**error).into(),
            // Without a reason there is nothing to say of the contract.
            OutboxError::Reverted { reason, .. } if **reason != Revert::Unknown(Bytes::new()) => {
                return (&**reason).into();
            }
            OutboxError::ChainReset { .. } => Code::ChainReset,
            OutboxError::Contradiction { .. } => Code::Chain,
            OutboxError::TooDear { .. } => Code::FeeCeiling,
            OutboxError::TooMuchGas { .. } => Code::GasCap,
            OutboxError::ForeignPending { .. } => Code::ForeignPending,
            OutboxError::NoSuchJob { .. } => Code::UnknownJob,
            OutboxError::NotWaiting { .. } => Code::NotWaiting,
            OutboxError::Cancelled { .. } => Code::Cancelled,
            OutboxError::Busy { .. } => Code::OutboxBusy,
            OutboxError::NotMined { .. } => Code::NotMined,
            OutboxError::NotFinal { .. } => Code::NotFinal,
            OutboxError::NoFunds { .. } => Code::NoFunds,
            OutboxError::Refused { .. } | OutboxError::Behind { .. } => Code::Refused,
            OutboxError::NotSignable { .. } => Code::NotSignable,
            OutboxError::NotPrinted { .. } => Code::NotPrinted,
            OutboxError::Io { .. } => Code::State,
            _ => Code::Transaction,
        };
        Self::new(code, error.kind())
    }
}

impl From<&DeploymentError> for Problem {
    fn from(error: &DeploymentError) -> Self {
        match error {
            DeploymentError::Outbox(error) => error.into(),
            DeploymentError::Chain(error) => error.into(),
            DeploymentError::NotADeployment { .. } => Code::NotADeployment.into(),
            _ => Self::new(Code::Deployment, error.kind()),
        }
    }
}

impl From<&WalletError> for Problem {
    fn from(error: &WalletError) -> Self {
        Self::new(Code::Wallet, error.kind())
    }
}

impl From<&NodeError> for Problem {
    fn from(error: &NodeError) -> Self {
        Self::new(Code::Node, error.kind())
    }
}

impl From<&AuditError> for Problem {
    fn from(error: &AuditError) -> Self {
        let code = match error {
            AuditError::Chain(error) => return error.into(),
            AuditError::OtherStorage { .. } | AuditError::Unproven { .. } => Code::Unproven,
            AuditError::OtherBlock { .. } => Code::OtherBlock,
            AuditError::ReorgTooDeep { .. } => Code::ReorgTooDeep,
            AuditError::Moved { .. } => Code::ChainMoved,
            AuditError::NoBlock { .. } | AuditError::UnknownBlock { .. } => Code::NoBlock,
            AuditError::OtherCode { .. } => Code::WrongChain,
            AuditError::Io { .. } => Code::State,
            AuditError::Unlisted(_) => Code::Output,
            _ => Code::LogIncomplete,
        };
        code.into()
    }
}

impl From<&SourceError> for Problem {
    fn from(error: &SourceError) -> Self {
        match error {
            SourceError::File { source, .. } => Self::of_file(source),
            SourceError::Differs(_) => Code::SourceDiffers.into(),
            _ => Code::Sources.into(),
        }
    }
}

impl From<&CollectError> for Problem {
    fn from(error: &CollectError) -> Self {
        match error {
            CollectError::Chain(error) => error.into(),
            CollectError::Audit(error) => error.into(),
            CollectError::NotYet { .. } => Code::NoBlock.into(),
            CollectError::Receipts { .. } | CollectError::Unproven(_) => Code::Unproven.into(),
        }
    }
}

/// What is refused is invalid, whatever is wrong with it; only another registry than the one that
/// was asked for is no fault of the file.
impl From<&EvidenceError> for Problem {
    fn from(error: &EvidenceError) -> Self {
        use EvidenceError as E;
        let code = match error {
            E::TooLarge { .. } | E::Malformed { .. } | E::Schema { .. } => Code::NotEvidence,
            E::OtherBlock { .. } => Code::OtherBlock,
            E::OtherRegistry { .. } => Code::WrongChain,
            E::Sealed { .. } => Code::OtherFile,
            _ => Code::EvidenceInvalid,
        };
        code.into()
    }
}

impl From<&WatchError> for Problem {
    fn from(error: &WatchError) -> Self {
        let code = match error {
            WatchError::Log(error) => return error.into(),
            WatchError::ChainReset { .. } => Code::ChainReset,
            WatchError::TooDeep { .. } => Code::ReorgTooDeep,
            WatchError::Busy { .. } => Code::WatchBusy,
            WatchError::Untold(_) => Code::Untold,
            WatchError::Io { .. } | WatchError::Memory(_) | WatchError::Damaged { .. } => Code::State,
        };
        code.into()
    }
}

impl From<&NotifyError> for Problem {
    fn from(error: &NotifyError) -> Self {
        match error {
            NotifyError::Io { source, .. } => Self::of_file(source),
            _ => Code::Webhook.into(),
        }
    }
}

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        let code = match error {
            StoreError::BlockAltered { .. } | StoreError::ContentMismatch { .. } => Code::Tampered,
            StoreError::Size { .. } => Code::OtherSize,
            StoreError::NotFound { .. } => Code::NotStored,
            StoreError::Unavailable { .. } => Code::StoreUnavailable,
            StoreError::Node { source, .. } => return source.into(),
            StoreError::NoNode { failures, .. } => return in_common(failures).unwrap_or(Code::IpfsUnreachable.into()),
            StoreError::TooFewReplicas(_) => Code::TooFewReplicas,
            StoreError::Car(_) => Code::Car,
            StoreError::TooLarge { .. } => Code::Image,
            _ => Code::Store,
        };
        code.into()
    }
}

/// What several nodes have in common, if they all failed in one way.
fn in_common(failures: &Failures) -> Option<Problem> {
    let mut problems = failures.iter().map(|(_, error)| Problem::from(error));
    let first = problems.next()?;
    problems.all(|problem| problem == first).then_some(first)
}

impl From<&IpfsError> for Problem {
    fn from(error: &IpfsError) -> Self {
        use IpfsError as E;
        let code = match error {
            E::Unreachable(_) | E::Timeout { .. } | E::Cut(_) => Code::IpfsUnreachable,
            E::NotAuthorized { .. } => Code::IpfsToken,
            E::Full { .. } => Code::IpfsFull,
            E::Refused { .. } | E::InAnswer { .. } | E::NotPinned { .. } => Code::IpfsRefused,
            _ => Code::IpfsWrong,
        };
        code.into()
    }
}

impl From<&KeygenError> for Problem {
    fn from(error: &KeygenError) -> Self {
        let code = match error {
            KeygenError::Model(_) | KeygenError::NotFinite { .. } => Code::Model,
            KeygenError::RelativeLibrary(_) => Code::Settings,
            KeygenError::Library { .. } | KeygenError::Load(_) | KeygenError::Run(_) => Code::Engine,
            _ => Code::Keygen,
        };
        code.into()
    }
}

impl From<&KgcError> for Problem {
    fn from(error: &KgcError) -> Self {
        let code = match error {
            KgcError::NotAuthorized { .. } => Code::NotAuthorized,
            KgcError::UnknownImage { .. } => Code::UnknownImage,
            KgcError::RecordMismatch { .. } => Code::Tampered,
            KgcError::Capsules(CapsuleError::NoMatchingStanza { .. }) => Code::Kgc,
            KgcError::Header(_) | KgcError::Capsules(_) => Code::Capsule,
            KgcError::Chain(ChainViewError::Unreachable { source }) => match source.downcast_ref::<ChainError>() {
                Some(error) => return error.into(),
                None => Code::Unreachable,
            },
            KgcError::Chain(_) => Code::Unreachable,
            KgcError::Log(LogError::Io { .. }) => Code::Kgc,
            KgcError::Log(_) => Code::KgcLog,
            KgcError::Refused { reason, .. } => match reason {
                Reason::NotAuthorized => Code::NotAuthorized,
                Reason::UnknownImage => Code::UnknownImage,
                Reason::RecordMismatch => Code::Tampered,
                Reason::ChainStale
                | Reason::ChainUnreachable
                | Reason::ChainDisagrees
                | Reason::LogUnavailable
                | Reason::RateLimited
                | Reason::Busy => Code::KgcNotReady,
                _ => Code::Kgc,
            },
            KgcError::NoAnswer { .. } => Code::KgcUnreachable,
            KgcError::BadAnswer { .. } | KgcError::OtherHome { .. } | KgcError::Receipt(_) => Code::KgcAnswer,
            KgcError::Url { .. } => Code::Settings,
            KgcError::ReceiptNotKept { .. } => Code::State,
            _ => Code::Kgc,
        };
        code.into()
    }
}

impl From<&BackupError> for Problem {
    fn from(error: &BackupError) -> Self {
        match error {
            BackupError::File(error) => error.into(),
            BackupError::Shares(_) => Code::Settings.into(),
            _ => Code::KgcBackup.into(),
        }
    }
}

impl From<&KeyFileError> for Problem {
    fn from(error: &KeyFileError) -> Self {
        let code = match error {
            KeyFileError::Missing { .. } => Code::KgcMissing,
            KeyFileError::Exists { .. } => Code::KgcExists,
            KeyFileError::WrongPassphrase | KeyFileError::PassphraseNeeded => Code::KgcPassphrase,
            _ => Code::KgcKeyFile,
        };
        code.into()
    }
}

impl From<&PipelineError> for Problem {
    fn from(error: &PipelineError) -> Self {
        use PipelineError as E;
        let code = match error {
            E::Imaging(_) | E::NoPixels { .. } | E::NotSealable(_) => Code::Image,
            E::Envelope(_) | E::RecordMismatch { .. } => Code::Tampered,
            E::Capsule(CapsuleError::NoMatchingStanza { .. }) => Code::NoCapsule,
            E::Capsule(_) | E::NoKgcStanza => Code::Capsule,
            E::NoEarlierCapsules { .. } => Code::NoEarlierCapsules,
            E::Kgc(error) => return error.into(),
            E::KgcSet(KgcSetError::Capsules(_) | KgcSetError::SenderAtFault) => Code::Capsule,
            E::KgcSet(KgcSetError::Threshold { .. } | KgcSetError::NoThreshold { .. }) => Code::Usage,
            E::KgcSet(KgcSetError::Request(_)) => Code::Request,
            E::KgcSet(_) => Code::KgcSet,
            E::Store(error) => return error.into(),
            E::Chain(error) => return error.into(),
            E::Outbox(error) => return error.into(),
            E::Relay(error) => return error.into(),
            E::Keygen(error) => return error.into(),
            E::Together { source, .. } => return (&**source).into(),
            E::KgcKey { .. } => Code::KgcKey,
            E::JobBusy { .. } => Code::JobBusy,
            E::JobFile { .. } | E::JobDescription { .. } => Code::State,
            E::DoesNotComeBack | E::StoredElsewhere { .. } => Code::Fault,
            E::Leaves(_) => Code::Leaves,
            E::Rewrapped(_) => Code::State,
            E::Request(_) | E::Cid(_) => Code::Request,
        };
        code.into()
    }
}

impl From<&MetricsError> for Problem {
    fn from(_: &MetricsError) -> Self {
        Code::NotComparable.into()
    }
}

impl From<&FigureError> for Problem {
    fn from(_: &FigureError) -> Self {
        Code::Figure.into()
    }
}
