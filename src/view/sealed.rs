//! What was sealed, made a record, or opened.

use super::answer::ErrorView;
use super::values::{Checksummed, Decimal, state_name};
use crate::chain::MinedTransaction;
use crate::envelope::Layout;
use crate::pipeline::{Anchored, OpenedImage, Sealed};
use alloy::primitives::B256;
use serde::Serialize;

/// Everything that one run sealed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedListView {
    pub(crate) sender: Checksummed,
    pub(crate) images: Vec<SealedView>,
    pub(crate) failed: Vec<FailedFileView>,
    pub(crate) left_out: Vec<LeftOutView>,
}

/// What lies in a folder that was to be sealed, and is no file.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOutView {
    pub(crate) path: String,
    /// What it is.
    pub(crate) reason: String,
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
            plain_bytes_reason: sealed.whole.as_ref().map(ToString::to_string),
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
    pub fn new(id: B256, made: Option<(B256, &MinedTransaction)>) -> Self {
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
    /// As whoever sealed it called it; never to be used as a name.
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
            file_name: description.file_name.clone(),
            format: description.format.to_string(),
            byte_for_byte: !matches!(description.layout, Layout::Pixels { .. }),
            state: state_name(opened.stored.record.state),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::record::tests::stored;
    use super::super::transaction::tests::RECEIPT;
    use super::super::{Code, json};
    use super::*;
    use crate::contract::RegistrationKind;
    use crate::envelope::Description;
    use crate::imaging::{Format, WholeReason};
    use crate::pipeline::{Registered, SealingJob, Timings};
    use alloy::primitives::Address;

    pub(in crate::view) fn sealed(anchor: Option<Anchored>) -> Sealed {
        let job = SealingJob {
            image_id: B256::repeat_byte(1),
            salt: B256::repeat_byte(2),
            content_hash: B256::repeat_byte(3),
            header_hash: B256::repeat_byte(4),
            size: 70_000,
            cid: "bafy-sealed".to_owned(),
            capsules_hash: B256::repeat_byte(5),
            capsules_cid: "bafy-capsules".to_owned(),
            registered: None,
        };
        let (renewed, whole) = match anchor {
            Some(_) => (Some("the chain forgot it"), Some(WholeReason::Compressed)),
            None => (None, None),
        };
        let registered = Registered { transaction: B256::repeat_byte(0x7a), block: 12, gas: 54_321, images: 2, anchor };
        Sealed { job, registered, already: false, renewed, whole, timings: Timings::default() }
    }

    pub(in crate::view) fn anchor() -> Anchored {
        Anchored { root: B256::repeat_byte(8), leaves_cid: "bafy-leaves".to_owned() }
    }

    pub(in crate::view) fn opened() -> OpenedImage {
        let description = Description {
            format: Format::Png,
            file_name: "a\nscan.png".to_owned(),
            layout: Layout::Bytes { length: 5 },
        };
        let stored = stored(RegistrationKind::Leaf { root: B256::ZERO });
        OpenedImage { file: vec![1, 2, 3, 4, 5].into(), description, image: None, stored, unusable_capsules: None }
    }

    #[test]
    fn what_was_sealed_looks_as_it_always_did() {
        let images = vec![SealedView::new("a.png", &sealed(None)), SealedView::new("b.dcm", &sealed(Some(anchor())))];
        let failed = |file: &str, hint: Option<&str>| FailedFileView {
            file: file.to_owned(),
            error: ErrorView { code: Code::File, message: "cannot read it".to_owned(), hint: hint.map(str::to_owned) },
        };
        let failed = vec![failed("c.png", Some("look")), failed("d.png", None)];
        let left_out = vec![LeftOutView { path: "scans/lost".to_owned(), reason: "a FIFO".to_owned() }];
        assert_eq!(
            json(SealedListView { sender: Address::repeat_byte(0xa1).into(), images, failed, left_out }).to_string(),
            concat!(
                r#"{"failed":[{"code":"FILE","file":"c.png","hint":"look","message":"cannot read it"},"#,
                r#"{"code":"FILE","file":"d.png","hint":null,"message":"cannot read it"}],"#,
                r#""images":[{"already":false,"anchor":null,"block":12,"capsulesCid":"bafy-capsules","#,
                r#""capsulesHash":"0x0505050505050505050505050505050505050505050505050505050505050505","#,
                r#""cid":"bafy-sealed","#,
                r#""contentHash":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
                r#""file":"a.png","gas":"54321","#,
                r#""headerHash":"0x0404040404040404040404040404040404040404040404040404040404040404","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","images":2,"#,
                r#""plainBytesReason":null,"renewedBecause":null,"#,
                r#""salt":"0x0202020202020202020202020202020202020202020202020202020202020202","size":70000,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"},"#,
                r#"{"already":false,"anchor":{"leavesCid":"bafy-leaves","#,
                r#""root":"0x0808080808080808080808080808080808080808080808080808080808080808"},"block":12,"#,
                r#""capsulesCid":"bafy-capsules","#,
                r#""capsulesHash":"0x0505050505050505050505050505050505050505050505050505050505050505","#,
                r#""cid":"bafy-sealed","#,
                r#""contentHash":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
                r#""file":"b.dcm","gas":"54321","#,
                r#""headerHash":"0x0404040404040404040404040404040404040404040404040404040404040404","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","images":2,"#,
                r#""plainBytesReason":"its samples are compressed","renewedBecause":"the chain forgot it","#,
                r#""salt":"0x0202020202020202020202020202020202020202020202020202020202020202","size":70000,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"}],"#,
                r#""leftOut":[{"path":"scans/lost","reason":"a FIFO"}],"#,
                r#""sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1"}"#,
            )
        );
    }

    #[test]
    fn what_was_materialized_looks_as_it_always_did() {
        let made = Some((B256::repeat_byte(8), &RECEIPT));
        let images =
            vec![MaterializedView::new(B256::repeat_byte(1), made), MaterializedView::new(B256::repeat_byte(2), None)];
        assert_eq!(
            json(MaterializedListView { by: Address::repeat_byte(0xa1).into(), images }).to_string(),
            concat!(
                r#"{"by":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","images":[{"already":false,"gas":"54321","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""root":"0x0808080808080808080808080808080808080808080808080808080808080808","#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"},"#,
                r#"{"already":true,"gas":null,"#,
                r#""imageId":"0x0202020202020202020202020202020202020202020202020202020202020202","root":null,"#,
                r#""transaction":null}]}"#,
            )
        );
    }

    #[test]
    fn what_was_opened_looks_as_it_always_did() {
        let view = OpenedView::new(B256::repeat_byte(1), "out/scan.png".to_owned(), &opened());
        assert_eq!(
            json(view).to_string(),
            concat!(
                r#"{"byteForByte":true,"bytes":5,"fileName":"a\nscan.png","format":"PNG","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""output":"out/scan.png","state":"flagged"}"#,
            )
        );
    }
}
