//! What the command line says when something fails: code, exit code, hint.

use super::refusal;
use crate::audit::AuditError;
use crate::chain::{ChainError, DeploymentError, NodeError, OutboxError, WalletError};
use crate::contract::{ErrorKind, RequestError, Revert};
use crate::envelope::capsules::CapsuleError;
use crate::evaluation::figures::FigureError;
use crate::evidence::{CollectError, EvidenceError};
use crate::keygen::KeygenError;
use crate::kgc::{ChainViewError, KeyFileError, KgcError, LogError};
use crate::metrics::MetricsError;
use crate::pipeline::PipelineError;
use crate::storage::{Failures, IpfsError, StoreError};
use alloy::primitives::{B256, Bytes};
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum CliError {
    /// A setting is missing or no setting.
    #[error("{message}")]
    Settings {
        /// What is wrong with it.
        message: String,
    },
    /// Nobody to act as.
    #[error("no wallet for \"{actor}\" on chain {chain_id}")]
    NoWallet {
        /// Who was to act.
        actor: String,
        /// Where.
        chain_id: u64,
    },
    /// No deployment file for this chain.
    #[error("no contract is known on chain {chain_id}: {} has no file for it", folder.display())]
    NotDeployed {
        /// The node's chain.
        chain_id: u64,
        /// Folder of the deployment files.
        folder: PathBuf,
    },
    /// A contract that stands already lacks a role that was asked for.
    #[error("{registry} is deployed already, and {wallet} has no {role} there")]
    RoleMissing {
        /// The contract.
        registry: String,
        /// Which role.
        role: &'static str,
        /// Whose.
        wallet: String,
    },
    /// The image stands under an anchor, and has no record.
    #[error("image {image_id} is anchored under {root}, and has no record yet")]
    AnchoredOnly {
        /// The image.
        image_id: B256,
        /// The anchor's root.
        root: B256,
    },
    /// Something is no X25519 public key.
    #[error("not an X25519 public key: {text}")]
    ReaderKey {
        /// What was given.
        text: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {act} {}", path.display())]
    File {
        /// What was tried.
        act: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is to be read is too large, or no text.
    #[error("{} is no text of a request, a transaction or call data: {reason}", path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The output is there already.
    #[error("{} exists", path.display())]
    OutputExists {
        /// Which file.
        path: PathBuf,
    },
    /// Nothing is stored that could be moved.
    #[error("nothing is stored")]
    NothingStored,
    /// A folder without files, or a path that is neither.
    #[error("nothing to seal in {}", path.display())]
    NothingToSeal {
        /// Which path.
        path: PathBuf,
    },
    /// Too few images to compare.
    #[error("expected at least 2 unlike images in {place}, found {found}{passed_over}")]
    TooFewImages {
        /// Where they were looked for.
        place: String,
        /// How many there are.
        found: usize,
        /// Which files count as none, and why.
        passed_over: String,
    },
    /// Sealing, opening or verifying failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A signed request is not taken.
    #[error(transparent)]
    Relay(#[from] crate::chain::RelayError),
    /// Bytes are no call of the registry.
    #[error(transparent)]
    Call(#[from] crate::contract::CallError),
    /// The chain failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A transaction failed.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The deployment failed.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The wallet cannot be used.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The development chain does not run.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The transformer failed.
    #[error(transparent)]
    Keygen(#[from] KeygenError),
    /// The KGC refused.
    #[error("the Key Generation Center refused")]
    Kgc(#[from] KgcError),
    /// The KGC's key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The images cannot be compared.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The picture cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The log is not whole, or its end is not proven.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// No evidence could be collected.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// Evidence is refused.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The watch does not go on.
    #[error(transparent)]
    Watch(#[from] crate::watch::WatchError),
    /// Nobody can be told as it was asked for.
    #[error(transparent)]
    Notify(#[from] crate::notify::NotifyError),
    /// Something waits to be delivered still.
    #[error("{waiting} deliveries wait: {reason}")]
    NotDelivered {
        /// How many.
        waiting: u64,
        /// What happened to the first.
        reason: String,
    },
    /// The pairs that were to be measured have no samples in common.
    #[error("{what}")]
    NotComparable {
        /// What is in the way.
        what: String,
    },
}

/// Exit codes of `medseal` (README, "Exit codes").
pub(super) mod exit {
    /// It failed, and none of the others says how.
    pub(in crate::cli) const FAILURE: u8 = 1;
    /// The command line or a setting makes no sense.
    pub(in crate::cli) const USAGE: u8 = 2;
    /// Stored or given bytes are not what was registered.
    pub(in crate::cli) const INVALID: u8 = 3;
    /// This wallet may not.
    pub(in crate::cli) const NOT_AUTHORIZED: u8 = 4;
    /// No such image, file or key.
    pub(in crate::cli) const NOT_FOUND: u8 = 5;
    /// The node does not answer, or answers from the past.
    pub(in crate::cli) const UNREACHABLE: u8 = 6;
    /// Another chain, another contract, or none.
    pub(in crate::cli) const WRONG_CHAIN: u8 = 7;
    /// The output is there already.
    pub(in crate::cli) const OUTPUT_EXISTS: u8 = 8;
}

/// A stable name, and the exit code.
type Class = (&'static str, u8);

impl CliError {
    /// The stable name in `--json`, and the exit code.
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Settings { .. } => ("SETTINGS", exit::USAGE),
            Self::NoWallet { .. } => ("NO_WALLET", exit::USAGE),
            Self::NotDeployed { .. } => ("NOT_DEPLOYED", exit::WRONG_CHAIN),
            Self::AnchoredOnly { .. } => ("ANCHORED_ONLY", exit::NOT_FOUND),
            Self::ReaderKey { .. } => ("READER_KEY", exit::USAGE),
            Self::RoleMissing { .. } => ("ROLE_MISSING", exit::FAILURE),
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ("FILE_NOT_FOUND", exit::NOT_FOUND)
            }
            Self::File { .. } => ("FILE", exit::FAILURE),
            Self::NotText { .. } => ("NOT_A_REQUEST", exit::FAILURE),
            Self::OutputExists { .. } => ("OUTPUT_EXISTS", exit::OUTPUT_EXISTS),
            Self::NothingStored => ("NOTHING_STORED", exit::NOT_FOUND),
            Self::NothingToSeal { .. } => ("NOTHING_TO_SEAL", exit::FAILURE),
            Self::TooFewImages { .. } => ("TOO_FEW_IMAGES", exit::FAILURE),
            Self::Pipeline(error) => of_pipeline(error),
            Self::Relay(crate::chain::RelayError::Chain(error)) => of_chain(error),
            Self::Relay(crate::chain::RelayError::Request(error)) => of_request(error),
            Self::Call(_) => ("NOT_A_CALL", exit::FAILURE),
            Self::Chain(error) => of_chain(error),
            Self::Outbox(error) | Self::Deployment(DeploymentError::Outbox(error)) => of_outbox(error),
            Self::Deployment(DeploymentError::Chain(error)) => of_chain(error),
            Self::Deployment(error @ DeploymentError::NotADeployment { .. }) => {
                ("NOT_A_DEPLOYMENT", of_kind(error.kind()))
            }
            Self::Deployment(error) => ("DEPLOYMENT", of_kind(error.kind())),
            Self::Wallet(error) => ("WALLET", of_kind(error.kind())),
            Self::Node(error) => ("NODE", of_kind(error.kind())),
            Self::Store(error) => of_store(error),
            Self::Keygen(error) => of_keygen(error),
            Self::Kgc(error) => of_kgc(error),
            Self::KeyFile(KeyFileError::Missing { .. }) => ("KGC_MISSING", exit::NOT_FOUND),
            Self::KeyFile(KeyFileError::Exists { .. }) => ("KGC_EXISTS", exit::OUTPUT_EXISTS),
            Self::KeyFile(KeyFileError::WrongPassphrase | KeyFileError::PassphraseNeeded) => {
                ("KGC_PASSPHRASE", exit::NOT_AUTHORIZED)
            }
            Self::KeyFile(_) => ("KGC_KEY_FILE", exit::FAILURE),
            Self::Metrics(_) | Self::NotComparable { .. } => ("NOT_COMPARABLE", exit::FAILURE),
            Self::Figure(_) => ("FIGURE", exit::FAILURE),
            Self::Audit(error) | Self::Collect(CollectError::Audit(error)) => of_audit(error),
            Self::Collect(CollectError::Chain(error)) => of_chain(error),
            Self::Collect(CollectError::NotYet { .. }) => ("NO_BLOCK", exit::NOT_FOUND),
            Self::Collect(_) => ("UNPROVEN", exit::INVALID),
            Self::Evidence(error) => of_evidence(error),
            Self::Watch(error) => of_watch(error),
            Self::Notify(crate::notify::NotifyError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                ("FILE_NOT_FOUND", exit::NOT_FOUND)
            }
            Self::Notify(crate::notify::NotifyError::Io { .. }) => ("FILE", exit::FAILURE),
            Self::Notify(_) => ("WEBHOOK", exit::USAGE),
            Self::NotDelivered { .. } => ("NOT_DELIVERED", exit::UNREACHABLE),
        }
    }

    /// Why the contract refused, where that is what it is.
    pub(super) fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Chain(error) | Self::Deployment(DeploymentError::Chain(error)) => error.revert(),
            Self::Outbox(error) | Self::Deployment(DeploymentError::Outbox(error)) => error.revert(),
            Self::Pipeline(error) => revert_of(error),
            _ => None,
        }
    }

    /// The image that the chain does not know, where that is what went wrong.
    pub(super) fn unknown_image(&self) -> Option<B256> {
        match self {
            Self::Chain(ChainError::UnknownImage { image_id })
            | Self::Collect(CollectError::Chain(ChainError::UnknownImage { image_id }))
            | Self::Pipeline(PipelineError::Chain(ChainError::UnknownImage { image_id })) => Some(*image_id),
            _ => None,
        }
    }
}

fn of_kind(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::NotAuthorized => exit::NOT_AUTHORIZED,
        ErrorKind::NotFound => exit::NOT_FOUND,
        ErrorKind::Unreachable => exit::UNREACHABLE,
        ErrorKind::WrongChain => exit::WRONG_CHAIN,
        _ => exit::FAILURE,
    }
}

fn of_request(error: &RequestError) -> Class {
    let code = match error {
        RequestError::OtherDomain { .. } => "OTHER_REGISTRY",
        RequestError::Signature { .. } | RequestError::SignatureLength { .. } | RequestError::UpperS { .. } => {
            "SIGNATURE"
        }
        RequestError::Expired { .. } | RequestError::TooFar { .. } => "DEADLINE",
        RequestError::Nonce { .. } => "NONCE",
        RequestError::Overtaken { .. } => "OVERTAKEN",
        _ => "NOT_A_REQUEST",
    };
    (code, of_kind(error.kind()))
}

fn of_chain(error: &ChainError) -> Class {
    let code = match (error, error.kind()) {
        (ChainError::UnknownImage { .. }, _) => "UNKNOWN_IMAGE",
        (ChainError::Revert(revert), _) => refusal::code(revert),
        (ChainError::InvalidUrl { .. }, _) => return ("SETTINGS", exit::USAGE),
        (ChainError::NoFinality { .. }, _) => "NO_FINALITY",
        (_, ErrorKind::Unreachable) => "UNREACHABLE",
        (_, ErrorKind::WrongChain) => "WRONG_CHAIN",
        _ => "CHAIN",
    };
    (code, of_kind(error.kind()))
}

fn of_audit(error: &AuditError) -> Class {
    match error {
        AuditError::Chain(error) => of_chain(error),
        AuditError::OtherStorage { .. } | AuditError::Unproven { .. } => ("UNPROVEN", exit::INVALID),
        AuditError::OtherBlock { .. } => ("OTHER_BLOCK", exit::INVALID),
        AuditError::ReorgTooDeep { .. } => ("REORG_TOO_DEEP", exit::FAILURE),
        AuditError::Moved { .. } => ("CHAIN_MOVED", exit::UNREACHABLE),
        AuditError::NoBlock { .. } => ("NO_BLOCK", exit::NOT_FOUND),
        AuditError::OtherCode { .. } => ("WRONG_CHAIN", exit::WRONG_CHAIN),
        AuditError::Io { .. } => ("STATE", exit::FAILURE),
        _ => ("LOG_INCOMPLETE", exit::INVALID),
    }
}

/// What is refused is invalid, whatever is wrong with it; only another registry than the one that was asked for is no fault of the file.
fn of_evidence(error: &EvidenceError) -> Class {
    match error {
        EvidenceError::TooLarge { .. } | EvidenceError::Malformed { .. } | EvidenceError::Schema { .. } => {
            ("NOT_EVIDENCE", exit::INVALID)
        }
        EvidenceError::OtherBlock { .. } => ("OTHER_BLOCK", exit::INVALID),
        EvidenceError::OtherRegistry { .. } => ("WRONG_CHAIN", exit::WRONG_CHAIN),
        EvidenceError::Sealed { .. } => ("OTHER_FILE", exit::INVALID),
        _ => ("EVIDENCE_INVALID", exit::INVALID),
    }
}

fn of_watch(error: &crate::watch::WatchError) -> Class {
    use crate::watch::WatchError;
    let code = match error {
        WatchError::Log(error) => return of_audit(error),
        WatchError::ChainReset { .. } => "CHAIN_RESET",
        WatchError::TooDeep { .. } => "REORG_TOO_DEEP",
        WatchError::Busy { .. } => "WATCH_BUSY",
        WatchError::Untold(_) => "UNTOLD",
        _ => "STATE",
    };
    (code, of_kind(error.kind()))
}

fn of_outbox(error: &OutboxError) -> Class {
    let code = match error {
        OutboxError::Chain(error) => return of_chain(error),
        OutboxError::Request(error) => return of_request(error),
        OutboxError::Reverted { reason, .. } if **reason != Revert::Unknown(Bytes::new()) => refusal::code(reason),
        OutboxError::ChainReset { .. } | OutboxError::ChainWentBack { .. } => "CHAIN_RESET",
        OutboxError::Busy { .. } => "OUTBOX_BUSY",
        OutboxError::NotMined { .. } => "NOT_MINED",
        OutboxError::NotFinal { .. } => "NOT_FINAL",
        OutboxError::NoFunds { .. } => "NO_FUNDS",
        OutboxError::Refused { .. } | OutboxError::Behind { .. } => "REFUSED",
        OutboxError::NotSignable { .. } => "NOT_SIGNABLE",
        OutboxError::NotPrinted { .. } => "NOT_PRINTED",
        OutboxError::Io { .. } => "STATE",
        _ => "TRANSACTION",
    };
    (code, of_kind(error.kind()))
}

fn of_store(error: &StoreError) -> Class {
    match error {
        StoreError::BlockAltered { .. } | StoreError::ContentMismatch { .. } => ("TAMPERED", exit::INVALID),
        StoreError::Size { .. } => ("OTHER_SIZE", exit::INVALID),
        StoreError::NotFound { .. } => ("NOT_STORED", exit::NOT_FOUND),
        StoreError::Unavailable { .. } => ("STORE_UNAVAILABLE", exit::UNREACHABLE),
        StoreError::Node { source, .. } => of_node(source),
        StoreError::NoNode { failures, .. } => of_failures(failures).unwrap_or(("IPFS_UNREACHABLE", exit::UNREACHABLE)),
        StoreError::TooFewReplicas(_) => ("TOO_FEW_REPLICAS", exit::UNREACHABLE),
        StoreError::Car(_) => ("CAR", exit::FAILURE),
        _ => ("STORE", exit::FAILURE),
    }
}

fn of_keygen(error: &KeygenError) -> Class {
    match error {
        KeygenError::Model(_) | KeygenError::NotFinite { .. } => ("MODEL", exit::INVALID),
        KeygenError::RelativeLibrary(_) => ("SETTINGS", exit::USAGE),
        KeygenError::Library { .. } | KeygenError::Load(_) | KeygenError::Run(_) => ("ENGINE", exit::FAILURE),
        _ => ("KEYGEN", exit::FAILURE),
    }
}

fn of_node(error: &IpfsError) -> Class {
    match error {
        IpfsError::Unreachable(_) | IpfsError::Timeout { .. } | IpfsError::Cut(_) => {
            ("IPFS_UNREACHABLE", exit::UNREACHABLE)
        }
        IpfsError::NotAuthorized { .. } => ("IPFS_TOKEN", exit::NOT_AUTHORIZED),
        IpfsError::Full { .. } => ("IPFS_FULL", exit::FAILURE),
        IpfsError::Refused { .. } | IpfsError::InAnswer { .. } | IpfsError::NotPinned { .. } => {
            ("IPFS_REFUSED", exit::FAILURE)
        }
        _ => ("IPFS_WRONG", exit::FAILURE),
    }
}

/// What several nodes have in common, if they all failed in one way.
fn of_failures(failures: &Failures) -> Option<Class> {
    let mut classes = failures.iter().map(|(_, error)| of_store(error));
    let first = classes.next()?;
    classes.all(|class| class == first).then_some(first)
}

fn of_kgc(error: &KgcError) -> Class {
    match error {
        KgcError::NotAuthorized { .. } => ("NOT_AUTHORIZED", exit::NOT_AUTHORIZED),
        KgcError::UnknownImage { .. } => ("UNKNOWN_IMAGE", exit::NOT_FOUND),
        KgcError::RecordMismatch { .. } => ("TAMPERED", exit::INVALID),
        KgcError::Capsules(CapsuleError::NoMatchingStanza { .. }) => ("KGC", exit::FAILURE),
        KgcError::Header(_) | KgcError::Capsules(_) => ("CAPSULE", exit::INVALID),
        KgcError::Chain(ChainViewError::Unreachable { source }) => match source.downcast_ref() {
            Some(error) => of_chain(error),
            None => ("UNREACHABLE", exit::UNREACHABLE),
        },
        KgcError::Chain(_) => ("UNREACHABLE", exit::UNREACHABLE),
        KgcError::Log(LogError::Io { .. }) => ("KGC", exit::FAILURE),
        KgcError::Log(_) => ("KGC_LOG", exit::INVALID),
        _ => ("KGC", exit::FAILURE),
    }
}

fn revert_of(error: &PipelineError) -> Option<&Revert> {
    match error {
        PipelineError::Chain(error) => error.revert(),
        PipelineError::Outbox(error) => error.revert(),
        PipelineError::Together { source, .. } => revert_of(source),
        _ => None,
    }
}

fn of_pipeline(error: &PipelineError) -> Class {
    match error {
        PipelineError::Imaging(_) | PipelineError::NoPixels { .. } => ("IMAGE", exit::FAILURE),
        PipelineError::Envelope(_) | PipelineError::RecordMismatch { .. } => ("TAMPERED", exit::INVALID),
        PipelineError::Capsule(CapsuleError::NoMatchingStanza { .. }) => ("NO_CAPSULE", exit::NOT_AUTHORIZED),
        PipelineError::Capsule(_) => ("CAPSULE", exit::INVALID),
        PipelineError::Kgc(error) => of_kgc(error),
        PipelineError::Store(error) => of_store(error),
        PipelineError::Chain(error) => of_chain(error),
        PipelineError::Outbox(error) => of_outbox(error),
        PipelineError::KgcKey { .. } => ("KGC_KEY", exit::FAILURE),
        PipelineError::Keygen(error) => of_keygen(error),
        PipelineError::JobBusy { .. } => ("JOB_BUSY", exit::FAILURE),
        PipelineError::NotSealable(_) => ("IMAGE", exit::FAILURE),
        PipelineError::DoesNotComeBack | PipelineError::StoredElsewhere { .. } => ("FAULT", exit::FAILURE),
        PipelineError::JobFile { .. } | PipelineError::JobDescription { .. } => ("STATE", exit::FAILURE),
        PipelineError::Together { source, .. } => of_pipeline(source),
        PipelineError::Leaves(_) => ("LEAVES", exit::FAILURE),
        PipelineError::Request(_) | PipelineError::Cid(_) => ("REQUEST", exit::FAILURE),
    }
}
