//! A file of evidence, and what it proves.

use super::values::{Checksummed, state_name};
use crate::contract::bindings::IImageRegistry::RecordState;
use crate::evidence::{CheckedEvidence, Evidence, ProvenFlag, ProvenVerification};
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
    pub fn new(evidence: &Evidence, checked: &CheckedEvidence, output: String, bytes: usize) -> Self {
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
    pub fn new(evidence: &Evidence, checked: &CheckedEvidence, named: bool, sealed: Option<String>) -> Self {
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
    fn new(evidence: &Evidence, checked: &CheckedEvidence) -> Self {
        let history = &checked.history;
        let blocks = checked.blocks.iter().map(|&(block, block_hash)| BlockView { block, block_hash });
        Self {
            chain_id: evidence.chain_id,
            registry: evidence.registry.into(),
            code_hash: checked.code_hash,
            block: checked.block,
            block_time: checked.time,
            image_id: evidence.image_id,
            record: ProvenRecordView::from(checked),
            capsules: ProvenCapsulesView { version: history.capsules_version, hash: history.capsules_hash },
            verifications: history.verifications.iter().map(ProvenVerificationView::from).collect(),
            flags: history.flags.iter().map(ProvenFlagView::from).collect(),
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

impl From<&CheckedEvidence> for ProvenRecordView {
    fn from(checked: &CheckedEvidence) -> Self {
        let (history, image) = (&checked.history, &checked.history.image);
        Self {
            content_hash: image.content_hash,
            header_hash: image.header_hash,
            size: image.size,
            cid: Cid::from_bytes(&image.cid).ok().map(|cid| cid.to_string()),
            sender: image.sender.into(),
            registered_at: history.registered_at,
            way: image.kind.name(),
            block: image.place.block_number,
            signed: history.signed_by.name(),
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
            signed: one.signed_by.name(),
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
pub fn state_of(checked: &CheckedEvidence) -> &'static str {
    state_name(match checked.history.flags.last() {
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::json;
    use super::super::record::tests::logged;
    use super::*;
    use crate::contract::RegistrationKind;
    use crate::contract::bindings::IImageRegistry::Verified;
    use crate::evidence::{Account, BlockHeaders, ImageHistory, SignedBy, Slot, Slots};
    use alloy::primitives::aliases::U40;
    use alloy::primitives::{Address, Bytes, U256};

    pub(in crate::view) fn evidence() -> Evidence {
        let slot = || Slot { value: U256::ZERO, proof: vec![] };
        Evidence {
            schema: crate::evidence::SCHEMA.to_owned(),
            chain_id: 31337,
            registry: Address::repeat_byte(0xde),
            image_id: B256::repeat_byte(1),
            header: Bytes::new(),
            account: Account {
                nonce: 1,
                balance: U256::ZERO,
                storage_root: B256::ZERO,
                code_hash: B256::ZERO,
                code: Bytes::new(),
                proof: vec![],
            },
            slots: Slots {
                trail: slot(),
                content_hash: slot(),
                record: slot(),
                flag: slot(),
                capsules_hash: slot(),
                capsules_version: slot(),
            },
            before: B256::ZERO,
            events: vec![],
            blocks: BlockHeaders { linked: true, headers: vec![] },
        }
    }

    pub(in crate::view) fn checked() -> CheckedEvidence {
        let (verifier, arbiter) = (Address::repeat_byte(0xc3), Address::repeat_byte(0xa4));
        let event = Verified {
            verifier,
            valid: false,
            observedHash: B256::repeat_byte(9),
            observedAt: 140,
            number: U40::from(4),
            ..Default::default()
        };
        let flag = |id, decided| ProvenFlag { id, verifier, raised_at: 150, decided };
        let history = ImageHistory {
            image: logged(RegistrationKind::Leaf { root: B256::repeat_byte(8) }),
            signed_by: SignedBy::Wallet,
            registered_at: 100,
            verifications: vec![ProvenVerification { event, signed_by: SignedBy::Transaction, block: 13, time: 150 }],
            flags: vec![flag(1, Some((false, arbiter, 160))), flag(2, Some((true, arbiter, 170))), flag(3, None)],
            capsules_version: 2,
            capsules_hash: B256::repeat_byte(6),
        };
        CheckedEvidence {
            block: 20,
            hash: B256::repeat_byte(0xb2),
            time: 200,
            code_hash: B256::repeat_byte(0xc0),
            history,
            seq: 9,
            followed: 8,
            receipts: 1,
            blocks: vec![(12, B256::repeat_byte(0xb1))],
            linked: true,
        }
    }

    #[test]
    fn evidence_looks_as_it_always_did() {
        let view = EvidenceView::new(&evidence(), &checked(), "image.evidence".to_owned(), 12_345);
        assert_eq!(
            json(view).to_string(),
            concat!(
                r#"{"block":20,"blockHash":"0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2","#,
                r#""bytes":12345,"chainId":31337,"events":8,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","linked":true,"#,
                r#""output":"image.evidence","receipts":1,"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE"}"#,
            )
        );
    }

    #[test]
    fn a_check_looks_as_it_always_did() {
        let (evidence, mut checked) = (evidence(), checked());
        let view = CheckView::new(&evidence, &checked, true, Some("image.msl".to_owned()));
        assert_eq!(
            json(view).to_string(),
            concat!(
                r#"{"proves":{"block":20,"blockTime":200,"blocks":[{"block":12,"#,
                r#""blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"}],"#,
                r#""capsules":{"hash":"0x0606060606060606060606060606060606060606060606060606060606060606","#,
                r#""version":2},"chainId":31337,"#,
                r#""codeHash":"0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","#,
                r#""flags":[{"decidedAt":160,"decidedBy":"0xA4a4A4A4A4a4a4a4a4a4a4A4a4a4a4a4A4a4A4A4","id":1,"#,
                r#""raisedAt":150,"state":"dismissed","verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"},"#,
                r#"{"decidedAt":170,"decidedBy":"0xA4a4A4A4A4a4a4a4a4a4a4A4a4a4a4a4A4a4A4A4","id":2,"raisedAt":150,"#,
                r#""state":"confirmed","verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"},{"decidedAt":null,"#,
                r#""decidedBy":null,"id":3,"raisedAt":150,"state":"open","#,
                r#""verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}],"followed":8,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","linked":true,"#,
                r#""receipts":1,"record":{"block":12,"#,
                r#""cid":"bafkreigj2abwx3lhis6n62jpzganq4l5pzpvut2oqjtljkcjqjqc7monbe","#,
                r#""contentHash":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
                r#""headerHash":"0x0404040404040404040404040404040404040404040404040404040404040404","#,
                r#""registeredAt":100,"sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","signed":"wallet","#,
                r#""size":70000,"state":"flagged","way":"leaf"},"#,
                r#""registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","seq":9,"verifications":[{"block":13,"#,
                r#""number":4,"observedAt":140,"#,
                r#""observedHash":"0x0909090909090909090909090909090909090909090909090909090909090909","#,
                r#""signed":"transaction","time":150,"valid":false,"#,
                r#""verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}]},"sealed":"image.msl","#,
                r#""trusts":{"blockHash":"0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2","#,
                r#""hashes":["keccak256","sha-256"],"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","#,
                r#""registryWasNamed":true,"signatures":"ecdsa-secp256k1"}}"#,
            )
        );
        checked.history.flags.pop();
        assert_eq!((state_of(&checked), flag_state(&checked.history.flags[0])), ("tampered", "dismissed"));
        checked.history.image.cid = Bytes::from_static(&[1]);
        (checked.history.flags, checked.history.verifications, checked.blocks) = (vec![], vec![], vec![]);
        let view = CheckView::new(&evidence, &checked, false, None);
        assert_eq!(
            json(view).to_string(),
            concat!(
                r#"{"proves":{"block":20,"blockTime":200,"blocks":[],"#,
                r#""capsules":{"hash":"0x0606060606060606060606060606060606060606060606060606060606060606","#,
                r#""version":2},"chainId":31337,"#,
                r#""codeHash":"0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","flags":[],"#,
                r#""followed":8,"imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""linked":true,"receipts":1,"record":{"block":12,"cid":null,"#,
                r#""contentHash":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
                r#""headerHash":"0x0404040404040404040404040404040404040404040404040404040404040404","#,
                r#""registeredAt":100,"sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","signed":"wallet","#,
                r#""size":70000,"state":"registered","way":"leaf"},"#,
                r#""registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","seq":9,"verifications":[]},"#,
                r#""sealed":null,"#,
                r#""trusts":{"blockHash":"0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2","#,
                r#""hashes":["keccak256","sha-256"],"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","#,
                r#""registryWasNamed":false,"signatures":"ecdsa-secp256k1"}}"#,
            )
        );
    }
}
