//! What was sealed, made a record, or opened.

use super::answer::ErrorView;
use super::values::{Checksummed, Decimal, state_name};
use crate::chain::Receipt;
use crate::envelope::Layout;
use crate::pipeline::{Anchored, OpenedImage, Sealed};
use alloy::primitives::B256;
use serde::Serialize;

/// Everything that one run sealed.
#[derive(Debug, Clone, Serialize)]
pub struct SealedListView {
    pub(crate) sender: Checksummed,
    pub(crate) images: Vec<SealedView>,
    pub(crate) failed: Vec<FailedFileView>,
}

/// A file that is sealed, stored, and registered or anchored.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedView {
    file: String,
    image_id: B256,
    content_hash: B256,
    header_hash: B256,
    /// Bytes of the sealed image.
    size: u64,
    cid: String,
    capsules_hash: B256,
    capsules_cid: String,
    salt: B256,
    transaction: B256,
    block: u64,
    /// Of a transaction that registered several images, an equal share.
    gas: Decimal<u64>,
    /// How many images the transaction registered or anchored.
    images: u64,
    /// Null where it has a record.
    anchor: Option<Anchored>,
    /// Whether an earlier run had done it.
    already: bool,
    renewed_because: Option<&'static str>,
    plain_bytes_reason: Option<String>,
}

impl SealedView {
    /// What came of the file of this name.
    pub fn new(file: &str, sealed: &Sealed) -> Self {
        let (job, registered) = (&sealed.job, &sealed.registered);
        Self {
            file: file.to_owned(),
            image_id: job.image_id,
            content_hash: job.content_hash,
            header_hash: job.header_hash,
            size: job.size,
            cid: job.cid.clone(),
            capsules_hash: job.capsules_hash,
            capsules_cid: job.capsules_cid.clone(),
            salt: job.salt,
            transaction: registered.transaction,
            block: registered.block,
            gas: Decimal(registered.gas),
            images: registered.images,
            anchor: registered.anchor.clone(),
            already: sealed.already,
            renewed_because: sealed.renewed,
            plain_bytes_reason: sealed.whole.map(|reason| reason.to_string()),
        }
    }
}

/// A file that could not be sealed.
#[derive(Debug, Clone, Serialize)]
pub struct FailedFileView {
    pub(crate) file: String,
    #[serde(flatten)]
    pub(crate) error: ErrorView,
}

/// Anchored images that were made records.
#[derive(Debug, Clone, Serialize)]
pub struct MaterializedListView {
    pub(crate) by: Checksummed,
    pub(crate) images: Vec<MaterializedView>,
}

/// One of them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MaterializedView {
    image_id: B256,
    /// Of the anchor; null, as transaction and gas are, where it had a record before.
    root: Option<B256>,
    already: bool,
    transaction: Option<B256>,
    gas: Option<Decimal<u64>>,
}

impl MaterializedView {
    /// The image `id`, with the anchor's root and the receipt where it was made a record now.
    pub fn new(id: B256, made: Option<(B256, &Receipt)>) -> Self {
        Self {
            image_id: id,
            root: made.map(|(root, _)| root),
            already: made.is_none(),
            transaction: made.map(|(_, receipt)| receipt.transaction),
            gas: made.map(|(_, receipt)| Decimal(receipt.gas_used)),
        }
    }
}

/// An image that was opened into a file.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenedView {
    image_id: B256,
    output: String,
    bytes: usize,
    /// As whoever sealed it called it: escaped, and never to be used as a name.
    pub(crate) file_name: String,
    format: String,
    /// Whether the file is the one that was sealed, not a re-encoding of its samples.
    pub(crate) byte_for_byte: bool,
    state: &'static str,
}

impl OpenedView {
    /// The image `id`, written to `output`.
    pub fn new(id: B256, output: String, opened: &OpenedImage) -> Self {
        let description = &opened.description;
        Self {
            image_id: id,
            output,
            bytes: opened.file.len(),
            file_name: description.file_name.escape_debug().to_string(),
            format: description.format.to_string(),
            byte_for_byte: !matches!(description.layout, Layout::Pixels { .. }),
            state: state_name(opened.stored.record.state),
        }
    }
}
