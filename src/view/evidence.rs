//! A file of evidence, and what it proves.

use super::values::{Checksummed, state_name};
use crate::contract::bindings::IImageRegistry::RecordState;
use crate::evidence::{Checked, Evidence, ProvenFlag, ProvenVerification};
use crate::storage::Cid;
use alloy::primitives::B256;
use serde::Serialize;

/// Evidence that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceView {
    image_id: B256,
    output: String,
    bytes: usize,
    chain_id: u64,
    registry: Checksummed,
    block: u64,
    /// To be kept apart from the file.
    block_hash: B256,
    events: usize,
    receipts: usize,
    linked: bool,
}

impl EvidenceView {
    /// The evidence, so many bytes in `output`.
    pub fn new(evidence: &Evidence, checked: &Checked, output: String, bytes: usize) -> Self {
        Self {
            image_id: evidence.image_id,
            output,
            bytes,
            chain_id: evidence.chain_id,
            registry: evidence.registry.into(),
            block: checked.block,
            block_hash: checked.hash,
            events: checked.followed,
            receipts: checked.receipts,
            linked: checked.linked,
        }
    }
}

/// What a file of evidence proves, and what has to be trusted for it.
#[derive(Debug, Clone, Serialize)]
pub struct CheckView {
    trusts: TrustsView,
    proves: ProvesView,
    /// The sealed image that is the registered one; null where none was named.
    sealed: Option<String>,
}

impl CheckView {
    /// The check; `named` says whether the registry was named by who asked.
    pub fn new(evidence: &Evidence, checked: &Checked, named: bool, sealed: Option<String>) -> Self {
        let trusts = TrustsView {
            block_hash: checked.hash,
            registry: evidence.registry.into(),
            registry_was_named: named,
            hashes: ["keccak256", "sha-256"],
            signatures: "ecdsa-secp256k1",
        };
        Self { trusts, proves: ProvesView::new(evidence, checked), sealed }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct TrustsView {
    block_hash: B256,
    registry: Checksummed,
    registry_was_named: bool,
    hashes: [&'static str; 2],
    signatures: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProvesView {
    chain_id: u64,
    registry: Checksummed,
    code_hash: B256,
    block: u64,
    block_time: u64,
    image_id: B256,
    record: ProvenRecordView,
    capsules: ProvenCapsulesView,
    verifications: Vec<ProvenVerificationView>,
    flags: Vec<ProvenFlagView>,
    seq: u64,
    followed: usize,
    receipts: usize,
    linked: bool,
    blocks: Vec<BlockView>,
}

impl ProvesView {
    fn new(evidence: &Evidence, checked: &Checked) -> Self {
        let story = &checked.story;
        let blocks = checked.blocks.iter().map(|&(block, block_hash)| BlockView { block, block_hash });
        Self {
            chain_id: evidence.chain_id,
            registry: evidence.registry.into(),
            code_hash: checked.code_hash,
            block: checked.block,
            block_time: checked.time,
            image_id: evidence.image_id,
            record: ProvenRecordView::from(checked),
            capsules: ProvenCapsulesView { version: story.capsules_version, hash: story.capsules_hash },
            verifications: story.verifications.iter().map(ProvenVerificationView::from).collect(),
            flags: story.flags.iter().map(ProvenFlagView::from).collect(),
            seq: checked.seq,
            followed: checked.followed,
            receipts: checked.receipts,
            linked: checked.linked,
            blocks: blocks.collect(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProvenRecordView {
    content_hash: B256,
    header_hash: B256,
    size: u64,
    /// Null where the log holds a CID that is none.
    cid: Option<String>,
    sender: Checksummed,
    registered_at: u64,
    way: &'static str,
    block: u64,
    signed: &'static str,
    state: &'static str,
}

impl From<&Checked> for ProvenRecordView {
    fn from(checked: &Checked) -> Self {
        let (story, image) = (&checked.story, &checked.story.image);
        Self {
            content_hash: image.content_hash,
            header_hash: image.header_hash,
            size: image.size,
            cid: Cid::from_bytes(&image.cid).ok().map(|cid| cid.to_string()),
            sender: image.sender.into(),
            registered_at: story.registered_at,
            way: image.way.name(),
            block: image.place.block_number,
            signed: story.signed.name(),
            state: state_of(checked),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
struct ProvenCapsulesView {
    version: u64,
    hash: B256,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProvenVerificationView {
    number: u64,
    verifier: Checksummed,
    valid: bool,
    observed_hash: B256,
    observed_at: u64,
    block: u64,
    time: u64,
    signed: &'static str,
}

impl From<&ProvenVerification> for ProvenVerificationView {
    fn from(one: &ProvenVerification) -> Self {
        Self {
            number: one.event.number.to(),
            verifier: one.event.verifier.into(),
            valid: one.event.valid,
            observed_hash: one.event.observedHash,
            observed_at: one.event.observedAt,
            block: one.block,
            time: one.time,
            signed: one.signed.name(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProvenFlagView {
    id: u64,
    state: &'static str,
    verifier: Checksummed,
    raised_at: u64,
    /// Null, as the time is, while it is open.
    decided_by: Option<Checksummed>,
    decided_at: Option<u64>,
}

impl From<&ProvenFlag> for ProvenFlagView {
    fn from(flag: &ProvenFlag) -> Self {
        let (by, at) = flag.decided.map(|(_, by, at)| (Checksummed(by), at)).unzip();
        Self {
            id: flag.id,
            state: flag_state(flag),
            verifier: flag.verifier.into(),
            raised_at: flag.raised_at,
            decided_by: by,
            decided_at: at,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockView {
    block: u64,
    block_hash: B256,
}

/// The name of the state of a proven record.
pub fn state_of(checked: &Checked) -> &'static str {
    state_name(match checked.story.flags.last() {
        Some(ProvenFlag { decided: None, .. }) => RecordState::Flagged,
        Some(ProvenFlag { decided: Some((true, ..)), .. }) => RecordState::Tampered,
        _ => RecordState::Registered,
    })
}

/// The name of the state of a proven flag.
pub fn flag_state(flag: &ProvenFlag) -> &'static str {
    match flag.decided {
        None => "open",
        Some((true, ..)) => "confirmed",
        Some((false, ..)) => "dismissed",
    }
}
