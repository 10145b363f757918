//! An image as the chain knows it: its record, how it was registered, its flag and its events.

use super::access::AccessView;
use super::event::EventView;
use super::flag::FlagView;
use super::values::{Checksummed, state_name};
use crate::contract::bindings::IImageRegistry::{Flag, Record};
use crate::contract::{RegistrationKind, RegistryEvent, spelled_out};
use crate::pipeline::{AnchoredImage, Stored};
use crate::storage::{Cid, CidError};
use alloy::primitives::{Address, B256, Bytes, FixedBytes};
use serde::Serialize;

/// An image with a record.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageView {
    image_id: B256,
    chain_id: u64,
    registry: Checksummed,
    record: RecordView,
    registration: RegistrationView,
    capsules: CapsulesAtView,
    /// Null where none was ever raised.
    flag: Option<FlagView>,
    /// Of the wallet that was asked about.
    access: Option<AccessView>,
    /// Null where the store does not say.
    pinned: Option<bool>,
    events: Vec<EventView>,
}

impl ImageView {
    /// The image `id` of the registry at this address of a chain.
    ///
    /// # Errors
    /// [`CidError`] where the log holds a CID that is none.
    pub fn new(
        (chain_id, registry): (u64, Address),
        (id, stored): (B256, &Stored),
        flag: &Flag,
        access: Option<AccessView>,
        pinned: Option<bool>,
        events: &[RegistryEvent],
    ) -> Result<Self, CidError> {
        let at = stored.capsules;
        Ok(Self {
            image_id: id,
            chain_id,
            registry: registry.into(),
            record: RecordView::from(&stored.record),
            registration: RegistrationView::new(stored)?,
            capsules: CapsulesAtView { version: at.version, hash: at.hash, cid: at.cid.to_string() },
            flag: FlagView::of(flag),
            access,
            pinned,
            events: events.iter().map(EventView::from).collect(),
        })
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordView {
    content_hash: B256,
    sender: Checksummed,
    registered_at: u64,
    state: &'static str,
    verifications: u64,
}

impl From<&Record> for RecordView {
    fn from(record: &Record) -> Self {
        Self {
            content_hash: record.contentHash,
            sender: record.sender.into(),
            registered_at: record.registeredAt.to(),
            state: state_name(record.state),
            verifications: record.verifications.to(),
        }
    }
}

/// What was registered, and where it is logged.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationView {
    way: &'static str,
    /// Of the anchor that held it.
    root: Option<B256>,
    salt: B256,
    header_hash: B256,
    size: u64,
    cid: String,
    capsules_hash: B256,
    capsules_cid: String,
    deadline: Option<u64>,
    signature: Option<Bytes>,
    seq: u64,
    head: FixedBytes<26>,
    block: u64,
    block_hash: B256,
    transaction: B256,
}

impl RegistrationView {
    fn new(stored: &Stored) -> Result<Self, CidError> {
        let (logged, place) = (&stored.logged, &stored.logged.place);
        let (signature, deadline) = logged.kind.signature().unzip();
        Ok(Self {
            way: logged.kind.name(),
            root: match logged.kind {
                RegistrationKind::Leaf { root } => Some(root),
                RegistrationKind::Alone { .. } | RegistrationKind::Batch { .. } => None,
            },
            salt: logged.salt,
            header_hash: logged.header_hash,
            size: logged.size,
            cid: stored.cid.to_string(),
            capsules_hash: logged.capsules_hash,
            capsules_cid: Cid::from_bytes(&logged.capsules_cid)?.to_string(),
            deadline,
            signature: signature.cloned(),
            seq: logged.trail.seq(),
            head: logged.trail.head(),
            block: place.block_number,
            block_hash: place.block_hash,
            transaction: place.transaction,
        })
    }
}

#[derive(Debug, Clone, Serialize)]
struct CapsulesAtView {
    version: u64,
    hash: B256,
    cid: String,
}

/// An image that an anchor holds, and that has no record yet.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnchoredView {
    image_id: B256,
    chain_id: u64,
    registry: Checksummed,
    /// Always null.
    record: (),
    anchor: AnchorView,
    pinned: bool,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct AnchorView {
    root: B256,
    /// Leaves of the anchor.
    count: u32,
    leaves_cid: String,
    sender: Checksummed,
    salt: B256,
    content_hash: B256,
    header_hash: B256,
    capsules_hash: B256,
    size: u64,
    cid: String,
    block: u64,
    transaction: B256,
}

impl AnchoredView {
    /// The image `id` of the registry at this address of a chain.
    ///
    /// # Errors
    /// [`CidError`] where the leaf holds a CID that is none.
    pub fn new(
        (chain_id, registry): (u64, Address),
        id: B256,
        image: &AnchoredImage,
        pinned: bool,
    ) -> Result<Self, CidError> {
        let (list, leaf) = (&image.list, image.leaf());
        let anchor = AnchorView {
            root: list.root,
            count: list.leaves.count(),
            leaves_cid: list.leaves_cid.to_string(),
            sender: list.sender.into(),
            salt: leaf.salt,
            content_hash: leaf.content_hash,
            header_hash: leaf.header_hash,
            capsules_hash: leaf.capsules_hash,
            size: leaf.size,
            cid: Cid::from_bytes(&spelled_out(leaf.cid.clone().into(), leaf.content_hash))?.to_string(),
            block: list.place.block_number,
            transaction: list.place.transaction,
        };
        Ok(Self { image_id: id, chain_id, registry: registry.into(), record: (), anchor, pinned })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::event::tests::{TRAIL, samples};
    use super::super::json;
    use super::*;
    use crate::contract::bindings::IImageRegistry::{Access, FlagState, RecordState};
    use crate::contract::{EventPlace, LoggedImage, Trail};
    use crate::envelope::leaves::{Leaf, Leaves};
    use crate::pipeline::{AnchoredList, CapsulesAt};
    use alloy::primitives::aliases::{U40, U48};

    const HOME: (u64, Address) = (31337, Address::repeat_byte(0xde));

    pub(in crate::view) const PLACE: EventPlace = EventPlace {
        block_number: 12,
        block_hash: B256::repeat_byte(0xb1),
        transaction: B256::repeat_byte(0x7a),
        log_index: 3,
    };

    pub(in crate::view) fn logged(kind: RegistrationKind) -> LoggedImage {
        LoggedImage {
            image_id: B256::repeat_byte(1),
            sender: Address::repeat_byte(0xa1),
            salt: B256::repeat_byte(2),
            content_hash: B256::repeat_byte(3),
            header_hash: B256::repeat_byte(4),
            size: 70_000,
            cid: Cid::of(b"sealed").to_bytes().into(),
            capsules_hash: B256::repeat_byte(5),
            capsules_cid: Cid::of(b"capsules").to_bytes().into(),
            kind,
            place: PLACE,
            trail: Trail::from(TRAIL),
        }
    }

    pub(in crate::view) fn stored(kind: RegistrationKind) -> Stored {
        let (sender, registered_at) = (Address::repeat_byte(0xa1), U48::from(1_700_000_000));
        let record = Record {
            contentHash: B256::repeat_byte(3),
            sender,
            registeredAt: registered_at,
            state: RecordState::Flagged,
            verifications: U40::from(4),
        };
        let capsules = CapsulesAt { version: 2, hash: B256::repeat_byte(6), cid: Cid::of(b"newer capsules") };
        Stored { record, logged: logged(kind), cid: Cid::of(b"sealed"), capsules }
    }

    pub(in crate::view) fn flag() -> Flag {
        let (id, raised_at) = (2 << 32 | 77, U48::from(1_700_000_100));
        let verifier = Address::repeat_byte(0xc3);
        Flag { id, state: FlagState::Open, raisedAt: raised_at, verifiers: 2, verifier }
    }

    pub(in crate::view) fn no_flag() -> Flag {
        Flag { id: 0, state: FlagState::None, raisedAt: U48::ZERO, verifiers: 0, verifier: Address::ZERO }
    }

    pub(in crate::view) fn anchored() -> AnchoredImage {
        let leaf = |byte: u8, cid: Vec<u8>| Leaf {
            salt: B256::repeat_byte(byte),
            content_hash: B256::repeat_byte(3),
            capsules_hash: B256::repeat_byte(5),
            header_hash: B256::repeat_byte(4),
            size: 70_000,
            cid,
        };
        let leaves = Leaves::new(vec![leaf(1, vec![]), leaf(2, vec![])]).expect("two leaves");
        let (sender, root) = (Address::repeat_byte(0xa1), leaves.root());
        AnchoredImage {
            list: AnchoredList { sender, root, leaves, leaves_cid: Cid::of(b"leaves"), place: PLACE },
            index: 1,
        }
    }

    pub(in crate::view) fn access() -> AccessView {
        let access = Access { expiry: 1_800_000_000, seq: 3, blockNumber: 11 };
        AccessView::new(Address::repeat_byte(0xb2), &access, true)
    }

    #[test]
    fn an_image_looks_as_it_always_did() {
        let id = B256::repeat_byte(1);
        let alone = RegistrationKind::Alone { deadline: 1_700_000_600, signature: Bytes::from_static(&[7; 3]) };
        let [registered, ..] = samples();
        let view = ImageView::new(HOME, (id, &stored(alone)), &flag(), Some(access()), Some(true), &[registered]);
        assert_eq!(
            json(view.expect("good CIDs")).to_string(),
            concat!(
                r#"{"access":{"authorized":true,"block":11,"expiry":1800000000,"seq":"3","#,
                r#""wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"},"#,
                r#""capsules":{"cid":"bafkreibakr5mhzxulfb3qgmyk6tzhhmdxeip5pzgbotglbw3ssnrg5inkm","#,
                r#""hash":"0x0606060606060606060606060606060606060606060606060606060606060606","version":2},"#,
                r#""chainId":31337,"events":[{"block":12,"event":"Registered","logIndex":3,"seq":7,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"}],"#,
                r#""flag":{"id":2,"raisedAt":1700000100,"state":"open","#,
                r#""verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","verifiers":2},"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","pinned":true,"#,
                r#""record":{"contentHash":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
                r#""registeredAt":1700000000,"sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","#,
                r#""state":"flagged","verifications":4},"registration":{"block":12,"#,
                r#""blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1","#,
                r#""capsulesCid":"bafkreifes2sbtjull5hbzc3k7gnc7g2ztwl4tjmkb6tcmxfhr5m3ux2fki","#,
                r#""capsulesHash":"0x0505050505050505050505050505050505050505050505050505050505050505","#,
                r#""cid":"bafkreigj2abwx3lhis6n62jpzganq4l5pzpvut2oqjtljkcjqjqc7monbe","deadline":1700000600,"#,
                r#""head":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","#,
                r#""headerHash":"0x0404040404040404040404040404040404040404040404040404040404040404","root":null,"#,
                r#""salt":"0x0202020202020202020202020202020202020202020202020202020202020202","seq":7,"#,
                r#""signature":"0x070707","size":70000,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""way":"alone"},"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE"}"#,
            )
        );
        let leaf = stored(RegistrationKind::Leaf { root: B256::repeat_byte(8) });
        let view = ImageView::new(HOME, (id, &leaf), &no_flag(), None, Some(false), &[]);
        assert_eq!(
            json(view.expect("good CIDs")).to_string(),
            concat!(
                r#"{"access":null,"capsules":{"cid":"bafkreibakr5mhzxulfb3qgmyk6tzhhmdxeip5pzgbotglbw3ssnrg5inkm","#,
                r#""hash":"0x0606060606060606060606060606060606060606060606060606060606060606","version":2},"#,
                r#""chainId":31337,"events":[],"flag":null,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","pinned":false,"#,
                r#""record":{"contentHash":"0x0303030303030303030303030303030303030303030303030303030303030303","#,
                r#""registeredAt":1700000000,"sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","#,
                r#""state":"flagged","verifications":4},"registration":{"block":12,"#,
                r#""blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1","#,
                r#""capsulesCid":"bafkreifes2sbtjull5hbzc3k7gnc7g2ztwl4tjmkb6tcmxfhr5m3ux2fki","#,
                r#""capsulesHash":"0x0505050505050505050505050505050505050505050505050505050505050505","#,
                r#""cid":"bafkreigj2abwx3lhis6n62jpzganq4l5pzpvut2oqjtljkcjqjqc7monbe","deadline":null,"#,
                r#""head":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","#,
                r#""headerHash":"0x0404040404040404040404040404040404040404040404040404040404040404","#,
                r#""root":"0x0808080808080808080808080808080808080808080808080808080808080808","#,
                r#""salt":"0x0202020202020202020202020202020202020202020202020202020202020202","seq":7,"#,
                r#""signature":null,"size":70000,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""way":"leaf"},"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE"}"#,
            )
        );
        let mut bad = leaf;
        bad.logged.capsules_cid = Bytes::from_static(&[1]);
        assert!(ImageView::new(HOME, (id, &bad), &no_flag(), None, Some(false), &[]).is_err());
    }

    #[test]
    fn an_anchored_image_looks_as_it_always_did() {
        let view = AnchoredView::new(HOME, B256::repeat_byte(1), &anchored(), true);
        assert_eq!(
            json(view.expect("good CIDs")).to_string(),
            concat!(
                r#"{"anchor":{"block":12,"#,
                r#""capsulesHash":"0x0505050505050505050505050505050505050505050505050505050505050505","#,
                r#""cid":"bafkreiadambqgaydambqgaydambqgaydambqgaydambqgaydambqgaydam","#,
                r#""contentHash":"0x0303030303030303030303030303030303030303030303030303030303030303","count":2,"#,
                r#""headerHash":"0x0404040404040404040404040404040404040404040404040404040404040404","#,
                r#""leavesCid":"bafkreic62cqqxfi37yksyt5m3fci22dkdvfh3r467xwthiytfhvzroc4qu","#,
                r#""root":"0x9dd40cca83ef5cede86612aa93c8e54ba90599c140465ca9b190e81469046c32","#,
                r#""salt":"0x0202020202020202020202020202020202020202020202020202020202020202","#,
                r#""sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","size":70000,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"},"#,
                r#""chainId":31337,"imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""pinned":true,"record":null,"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE"}"#,
            )
        );
    }
}
