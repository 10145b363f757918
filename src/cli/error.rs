//! Why a command failed, and its code and exit code.

use super::exit;
use crate::audit::{AuditError, SourceError};
use crate::chain::{ChainError, DeploymentError, NodeError, OutboxError, RelayError, WalletError};
use crate::contract::{CallError, Revert};
use crate::evaluation::figures::FigureError;
use crate::evidence::{CollectError, EvidenceError};
use crate::keygen::KeygenError;
use crate::kgc::{BackupError, KeyFileError, KgcError, LogFault, MAX_EPOCHS};
use crate::metrics::MetricsError;
use crate::notify::NotifyError;
use crate::pipeline::PipelineError;
use crate::server::TlsError;
use crate::storage::StoreError;
use crate::view::{Code, Problem};
use crate::watch::WatchError;
use alloy::primitives::B256;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum CliError {
    /// A setting is missing, unknown or wrong.
    #[error("{message}")]
    Settings {
        /// What is wrong with it.
        message: String,
    },
    /// Nothing can be listened for at an address.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A key center's log is not what it was.
    #[error("the log {} is not whole: {fault}{}", path.display(), and_more(*more))]
    KgcLog {
        /// The log.
        path: PathBuf,
        /// What is wrong first.
        fault: Box<LogFault>,
        /// How much more is wrong.
        more: usize,
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
    /// A contract that is already deployed lacks a role that was asked for.
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
    /// A file with a secret cannot be read. Its name is not repeated: it may be the secret itself,
    /// put where its file's name belongs.
    #[error("cannot read the file that {named_by} names, which takes a file's path and not the secret itself")]
    SecretFile {
        /// The setting or flag.
        named_by: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is to be read is too large, or no text.
    #[error("{} is not a request, a transaction or call data: {reason}", path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The result cannot be printed.
    #[error("cannot write to stdout")]
    Output {
        /// Why.
        source: std::io::Error,
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
    /// Nobody named scans for the demo, and none were fetched.
    #[error(
        "the demo has no scans: --scans DIR names a folder with three DICOM files or more; scripts/setup fetches some into a checkout"
    )]
    NoScans,
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
    Relay(#[from] RelayError),
    /// Bytes are no call of the registry.
    #[error(transparent)]
    Call(#[from] CallError),
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
    /// The backup cannot be made, or gives no keys.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The KGC has as many keys as are kept.
    #[error("the key file has keys of {MAX_EPOCHS} epochs, and no room for another")]
    TooManyEpochs,
    /// There is no earlier epoch of this number.
    #[error("the key file has no keys of an earlier epoch {epoch}")]
    NoSuchEpoch {
        /// The number.
        epoch: u32,
    },
    /// Images would be lost without the keys of this epoch.
    #[error("{images} images open only with the keys of epoch {epoch}")]
    EpochNeeded {
        /// The epoch.
        epoch: u32,
        /// How many.
        images: usize,
    },
    /// The images cannot be compared.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The picture cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The log is not whole, or its end is not proven.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The contract's sources give another contract, or none.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No evidence could be collected.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// Evidence is refused.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The watch does not go on.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// A webhook or program cannot be notified as asked.
    #[error(transparent)]
    Notify(#[from] NotifyError),
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

impl CliError {
    /// The stable name in `--json`.
    pub(super) fn code(&self) -> Code {
        self.problem().code
    }

    /// The exit code.
    pub(super) fn exit(&self) -> u8 {
        exit::of(self.problem().meaning)
    }

    /// The code, and what it means.
    pub(super) fn problem(&self) -> Problem {
        let code = match self {
            Self::Settings { .. } => Code::Settings,
            Self::KgcLog { .. } => Code::KgcLog,
            Self::Listen { .. } => Code::Listen,
            Self::Tls(_) => Code::Tls,
            Self::NoWallet { .. } => Code::NoWallet,
            Self::NotDeployed { .. } => Code::NotDeployed,
            Self::AnchoredOnly { .. } => Code::AnchoredOnly,
            Self::ReaderKey { .. } => Code::ReaderKey,
            Self::RoleMissing { .. } => Code::RoleMissing,
            Self::File { source, .. } | Self::SecretFile { source, .. } => return Problem::of_file(source),
            Self::NotText { .. } => Code::NotARequest,
            Self::Output { .. } => Code::Output,
            Self::OutputExists { .. } => Code::OutputExists,
            Self::NothingStored => Code::NothingStored,
            Self::NothingToSeal { .. } | Self::NoScans => Code::NothingToSeal,
            Self::TooFewImages { .. } => Code::TooFewImages,
            Self::NotComparable { .. } => Code::NotComparable,
            Self::NotDelivered { .. } => Code::NotDelivered,
            Self::Pipeline(error) => return error.into(),
            Self::Relay(error) => return error.into(),
            Self::Call(error) => return error.into(),
            Self::Chain(error) => return error.into(),
            Self::Outbox(error) => return error.into(),
            Self::Deployment(error) => return error.into(),
            Self::Wallet(error) => return error.into(),
            Self::Node(error) => return error.into(),
            Self::Store(error) => return error.into(),
            Self::Keygen(error) => return error.into(),
            Self::Kgc(error) => return error.into(),
            Self::KeyFile(error) => return error.into(),
            Self::Backup(error) => return error.into(),
            Self::TooManyEpochs | Self::NoSuchEpoch { .. } | Self::EpochNeeded { .. } => Code::KgcEpoch,
            Self::Metrics(error) => return error.into(),
            Self::Figure(error) => return error.into(),
            Self::Audit(error) => return error.into(),
            Self::Source(error) => return error.into(),
            Self::Collect(error) => return error.into(),
            Self::Evidence(error) => return error.into(),
            Self::Watch(error) => return error.into(),
            Self::Notify(error) => return error.into(),
        };
        code.into()
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

fn revert_of(error: &PipelineError) -> Option<&Revert> {
    match error {
        PipelineError::Chain(error) => error.revert(),
        PipelineError::Outbox(error) => error.revert(),
        PipelineError::Together { source, .. } => revert_of(source),
        _ => None,
    }
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(", and {more} faults more") }
}
