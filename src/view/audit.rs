//! A log that was proved complete, and what it says.

use super::described::{about, describe};
use super::event::EventView;
use super::values::Checksummed;
use crate::audit::{AuditReport, AuditedEvent, RestsOn, Summary};
use crate::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use alloy::primitives::{Address, B256, FixedBytes};
use serde::Serialize;
use std::collections::BTreeMap;

/// What an audit came to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditView<'a> {
    /// Always true: what is not complete is an error.
    complete: bool,
    chain_id: u64,
    registry: Checksummed,
    block: u64,
    block_hash: B256,
    block_time: u64,
    head: FixedBytes<26>,
    seq: u64,
    storage_root: B256,
    slots: usize,
    storage_proven: bool,
    /// Whose word it is that the block is the chain's.
    rests_on: &'static str,
    witnesses: &'a [String],
    silent: &'a [String],
    after_block: u64,
    read: u64,
    before: Option<LastAuditView>,
    summary: SummaryView<'a>,
    /// Null where no list was asked for.
    listed: Option<u64>,
}

impl<'a> AuditView<'a> {
    /// The audit of the registry at this address of a chain, of which so many events were listed.
    pub fn new((chain_id, registry): (u64, Address), audited: &'a AuditReport, listed: Option<u64>) -> Self {
        let proven = &audited.proven;
        let before = audited.before.map(|(block, block_hash, gone)| LastAuditView { block, block_hash, gone });
        Self {
            complete: true,
            chain_id,
            registry: registry.into(),
            block: proven.block,
            block_hash: proven.hash,
            block_time: proven.time,
            head: proven.trail.head(),
            seq: audited.seq,
            storage_root: proven.storage_root,
            slots: audited.slots,
            storage_proven: audited.storage_proven,
            rests_on: match audited.rests_on {
                RestsOn::TrustedHash => "blockHash",
                RestsOn::Nodes => "nodes",
                RestsOn::OneNode => "oneNode",
            },
            witnesses: &proven.witnesses,
            silent: &proven.silent,
            after_block: audited.after_block,
            read: audited.read,
            before,
            summary: SummaryView::from(&audited.summary),
            listed,
        }
    }
}

/// How far the audit before had come.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct LastAuditView {
    block: u64,
    block_hash: B256,
    /// Whether a reorganisation took the block away.
    gone: bool,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryView<'a> {
    events: &'a BTreeMap<String, u64>,
    images: u64,
    valid: u64,
    invalid: u64,
    flags: FlagCountsView,
    first_at: u64,
    last_at: u64,
    wallets: Vec<WalletView>,
    open_flags: Vec<OpenFlagView>,
}

#[derive(Debug, Clone, Serialize)]
struct FlagCountsView {
    open: usize,
    confirmed: u64,
    dismissed: u64,
}

/// What a wallet did, in numbers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct WalletView {
    wallet: Checksummed,
    registered: u64,
    anchored: u64,
    valid: u64,
    invalid: u64,
    flags_raised: u64,
    flags_decided: u64,
    access: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct OpenFlagView {
    image_id: B256,
    flag: u64,
    verifier: Checksummed,
    raised_at: u64,
}

impl<'a> From<&'a Summary> for SummaryView<'a> {
    fn from(summary: &'a Summary) -> Self {
        let (valid, invalid) = summary.verifications();
        let wallets = summary.wallets.iter().map(|(wallet, tally)| WalletView {
            wallet: (*wallet).into(),
            registered: tally.registered,
            anchored: tally.anchored,
            valid: tally.valid,
            invalid: tally.invalid,
            flags_raised: tally.flags_raised,
            flags_decided: tally.flags_decided,
            access: tally.access,
        });
        let open_flags = summary.open_flags.iter().map(|(image, flag)| OpenFlagView {
            image_id: *image,
            flag: flag.flag,
            verifier: flag.verifier.into(),
            raised_at: flag.raised_at,
        });
        Self {
            events: &summary.events,
            images: summary.images(),
            valid,
            invalid,
            flags: FlagCountsView {
                open: summary.open_flags.len(),
                confirmed: summary.confirmed_flags,
                dismissed: summary.dismissed_flags,
            },
            first_at: summary.first_at,
            last_at: summary.last_at,
            wallets: wallets.collect(),
            open_flags: open_flags.collect(),
        }
    }
}

/// An event of the list: as of an image, with its time and what events have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedView {
    #[serde(flatten)]
    pub(crate) event: EventView,
    pub(crate) time: u64,
    pub(crate) image_id: Option<B256>,
    /// Whose image it is, or who did what is of no one image.
    pub(crate) sender: Option<Checksummed>,
    actor: Option<Checksummed>,
    pub(crate) outcome: Option<&'static str>,
    /// What happened, in words.
    pub(crate) what: String,
    /// Fields that are the node's word: nothing proves them.
    unproven: [&'static str; 2],
}

/// What no hash of ours covers: the trail takes in number, block and time of an event, and what it
/// says, but not which transaction made it.
const UNPROVEN: [&str; 2] = ["transaction", "logIndex"];

impl From<&AuditedEvent<'_>> for ListedView {
    fn from(listed: &AuditedEvent<'_>) -> Self {
        let event = &listed.event.event;
        let (image, actor, outcome) = about(event);
        let sender = match (event, image) {
            (_, Some(image)) => listed.storage.sender_of(image),
            (Event::BatchRegistered(_) | Event::Anchored(_) | Event::OperatorSet(_), None) => actor,
            _ => None,
        };
        Self {
            event: EventView::from(listed.event),
            time: listed.time,
            image_id: image,
            sender: sender.map(Checksummed),
            actor: actor.map(Checksummed),
            outcome,
            what: describe(event).1,
            unproven: UNPROVEN,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::event::tests::{TRAIL, samples};
    use super::super::json;
    use super::*;
    use crate::audit::{OpenFlag, ProvenBlock, Storage, Tally};
    use crate::contract::{RegistryEvent, Trail};

    const HOME: (u64, Address) = (31337, Address::repeat_byte(0xde));

    pub(in crate::view) fn audited() -> AuditReport {
        let mut summary =
            Summary { confirmed_flags: 1, dismissed_flags: 2, first_at: 100, last_at: 200, ..Default::default() };
        summary.events = [("Verified".to_owned(), 5), ("Registered".to_owned(), 3)].into();
        let tally = Tally { registered: 3, anchored: 4, valid: 2, invalid: 1, ..Default::default() };
        let verifier = Address::repeat_byte(0xc3);
        let deciding = Tally { flags_raised: 5, flags_decided: 6, access: 7, ..Default::default() };
        summary.wallets = [(verifier, tally), (Address::repeat_byte(0xa1), deciding)].into();
        summary.open_flags = [(B256::repeat_byte(1), OpenFlag { flag: 2, verifier, raised_at: 150 })].into();
        let proven = ProvenBlock {
            block: 12,
            hash: B256::repeat_byte(0xb1),
            parent: B256::repeat_byte(0xb0),
            time: 200,
            trail: Trail::from(TRAIL),
            storage_root: B256::repeat_byte(0x50),
            witnesses: vec!["http://127.0.0.1:8545".to_owned()],
            silent: vec!["http://127.0.0.1:8546: away".to_owned()],
        };
        let before = Some((9, B256::repeat_byte(0xb9), true));
        let rests_on = RestsOn::OneNode;
        AuditReport {
            rests_on,
            proven,
            seq: 7,
            read: 4,
            after_block: 9,
            before,
            summary,
            slots: 40,
            storage_proven: true,
        }
    }

    #[test]
    fn an_audit_looks_as_it_always_did() {
        let mut audited = audited();
        assert_eq!(
            json(AuditView::new(HOME, &audited, Some(3))).to_string(),
            concat!(
                r#"{"afterBlock":9,"before":{"block":9,"#,
                r#""blockHash":"0xb9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9b9","gone":true},"#,
                r#""block":12,"blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1","#,
                r#""blockTime":200,"chainId":31337,"complete":true,"#,
                r#""head":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","listed":3,"read":4,"#,
                r#""registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","restsOn":"oneNode","seq":7,"#,
                r#""silent":["http://127.0.0.1:8546: away"],"slots":40,"storageProven":true,"#,
                r#""storageRoot":"0x5050505050505050505050505050505050505050505050505050505050505050","#,
                r#""summary":{"events":{"Registered":3,"Verified":5},"firstAt":100,"flags":{"confirmed":1,"#,
                r#""dismissed":2,"open":1},"images":3,"invalid":1,"lastAt":200,"openFlags":[{"flag":2,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","raisedAt":150,"#,
                r#""verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}],"valid":2,"wallets":[{"access":7,"#,
                r#""anchored":0,"flagsDecided":6,"flagsRaised":5,"invalid":0,"registered":0,"valid":0,"#,
                r#""wallet":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1"},{"access":0,"anchored":4,"#,
                r#""flagsDecided":0,"flagsRaised":0,"invalid":1,"registered":3,"valid":2,"#,
                r#""wallet":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}]},"witnesses":["http://127.0.0.1:8545"]}"#,
            )
        );
        (audited.before, audited.summary) = (None, Summary::default());
        assert_eq!(
            json(AuditView::new(HOME, &audited, None)).to_string(),
            concat!(
                r#"{"afterBlock":9,"before":null,"block":12,"#,
                r#""blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1","#,
                r#""blockTime":200,"chainId":31337,"complete":true,"#,
                r#""head":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","listed":null,"read":4,"#,
                r#""registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","restsOn":"oneNode","seq":7,"#,
                r#""silent":["http://127.0.0.1:8546: away"],"slots":40,"storageProven":true,"#,
                r#""storageRoot":"0x5050505050505050505050505050505050505050505050505050505050505050","#,
                r#""summary":{"events":{},"firstAt":0,"flags":{"confirmed":0,"dismissed":0,"open":0},"images":0,"#,
                r#""invalid":0,"lastAt":0,"openFlags":[],"valid":0,"wallets":[]},"#,
                r#""witnesses":["http://127.0.0.1:8545"]}"#,
            )
        );
    }

    pub(in crate::view) fn listed<'a>(event: &'a RegistryEvent, storage: &'a Storage) -> AuditedEvent<'a> {
        AuditedEvent { event, time: 150, storage, is_new: true }
    }

    #[test]
    fn a_listed_event_looks_as_it_always_did() {
        let (storage, events) = (Storage::new(), samples());
        assert_eq!(
            json(ListedView::from(&listed(&events[0], &storage))).to_string(),
            concat!(
                r#"{"actor":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","block":12,"event":"Registered","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","logIndex":3,"#,
                r#""outcome":null,"sender":null,"seq":7,"time":150,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""unproven":["transaction","logIndex"],"#,
                r#""what":"by 0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1"}"#,
            )
        );
        assert_eq!(
            json(ListedView::from(&listed(&events[2], &storage))).to_string(),
            concat!(
                r#"{"actor":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","block":12,"deadline":1700000600,"#,
                r#""event":"Verified","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","logIndex":3,"#,
                r#""nonce":"115792089237316195423570985008687907853269984665640564039457584007913129639935","#,
                r#""number":4,"observedAt":1700000000,"#,
                r#""observedHash":"0x0909090909090909090909090909090909090909090909090909090909090909","#,
                r#""outcome":"invalid","sender":null,"seq":7,"signature":"0x0102ff","time":150,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""unproven":["transaction","logIndex"],"valid":false,"verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","what":"INVALID,"#,
                r#" number 4 by 0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}"#,
            )
        );
        let mut storage = storage;
        storage.apply(&events[0].event, 12, 150);
        assert_eq!(
            json(ListedView::from(&listed(&events[3], &storage))).to_string(),
            concat!(
                r#"{"actor":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","block":12,"event":"FlagRaised","flag":2,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","logIndex":3,"#,
                r#""outcome":"raised","sender":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","seq":7,"time":150,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""unproven":["transaction","logIndex"],"#,
                r#""verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","#,
                r#""what":"flag 2 by 0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}"#,
            )
        );
    }
}
