//! Errors of sealing, opening and verifying.

use crate::chain::{ChainError, OutboxError, RelayError};
use crate::envelope::EnvelopeError;
use crate::envelope::capsules::CapsuleError;
use crate::envelope::leaves::LeavesError;
use crate::imaging::{Format, ImagingError};
use crate::keygen::KeygenError;
use crate::kgc::{KeyRequestError, KgcError, KgcSetError, Refusal};
use crate::storage::{Cid, CidError, StoreError};
use alloy::primitives::B256;
use std::path::PathBuf;
use std::sync::Arc;

/// Why an image was not sealed, opened or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The file cannot be read as what it is.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
    /// Decoded samples were asked for, and none can be had.
    #[error("no samples were decoded from this {format} file")]
    NoPixels {
        /// The format, by content.
        format: Format,
    },
    /// No key could be derived.
    #[error(transparent)]
    Keygen(#[from] KeygenError),
    /// The sealed image does not open, or cannot be made.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The capsules do not open, or cannot be made.
    #[error(transparent)]
    Capsule(#[from] CapsuleError),
    /// The KGC refused.
    #[error("the Key Generation Center refused")]
    Kgc(#[from] KgcError),
    /// Several KGCs did not give enough together.
    #[error(transparent)]
    KgcSet(#[from] KgcSetError),
    /// The request to the KGC could not be signed.
    #[error(transparent)]
    Request(#[from] KeyRequestError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record's CID does not parse.
    #[error("the record's CID cannot be used")]
    Cid(#[from] CidError),
    /// The chain failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The transaction failed.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// A signed request is not relayed.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The sealed image is not the one of the record.
    #[error("the sealed image's {what} is not that of the record: expected {expected}, found {found}")]
    RecordMismatch {
        /// Which part.
        what: &'static str,
        /// What the record says.
        expected: B256,
        /// What the sealed image has.
        found: B256,
    },
    /// The KGC's key on chain is not the one that it has, or is retired: nobody could open an image
    /// that is sealed to it.
    #[error("the key of KGC {id} on chain is {state}")]
    KgcKey {
        /// Which KGC.
        id: B256,
        /// What is wrong.
        state: &'static str,
    },
    /// No reader would accept this file's sealed image: one of its parts is too large.
    #[error("the file cannot be sealed in this form")]
    NotSealable(#[source] EnvelopeError),
    /// Nobody whom a KGC serves could open the image with such capsules.
    #[error("the key capsules hold no capsule for a Key Generation Center of this registry")]
    NoKgcStanza,
    /// There are no such capsules to go back to.
    #[error("there are no earlier capsules of image {image_id} by that number: its newest are version {newest}")]
    NoEarlierCapsules {
        /// The image.
        image_id: B256,
        /// The newest version.
        newest: u64,
    },
    /// The sealed image, opened as a test, is not the original. Nothing was stored.
    #[error(
        "the sealed image does not open to the original: this machine or this program is at fault, nothing was stored"
    )]
    DoesNotComeBack,
    /// The store returned another CID than the bytes have.
    #[error("expected the store to return CID {expected}, found {found}")]
    StoredElsewhere {
        /// The address that was computed here.
        expected: Cid,
        /// The store's.
        found: Cid,
    },
    /// These images were to be registered together, and none was.
    #[error("{images} images were not registered: {source}")]
    Together {
        /// How many.
        images: usize,
        /// Why.
        source: Arc<PipelineError>,
    },
    /// A list of leaves cannot be made.
    #[error(transparent)]
    Leaves(#[from] LeavesError),
    /// Another process seals the same file.
    #[error("another process is sealing the same file: {}", path.display())]
    JobBusy {
        /// The job's folder.
        path: PathBuf,
    },
    /// The capsules that a KGC wrapped anew cannot be read or written.
    #[error("the capsules that were sealed anew cannot be kept")]
    Rewrapped(#[source] std::io::Error),
    /// A job's files cannot be read or written.
    #[error("{}", path.display())]
    JobFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A job's description does not parse.
    #[error("{} does not describe a job", path.display())]
    JobDescription {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl From<Refusal> for PipelineError {
    fn from(refusal: Refusal) -> Self {
        refusal.error.into()
    }
}
