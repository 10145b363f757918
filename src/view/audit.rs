//! A log that was proved complete, and what it says.

use super::described::{about, describe};
use super::event::EventView;
use super::values::Checksummed;
use crate::audit::{Audited, Listed, Summary};
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
    pub fn new((chain_id, registry): (u64, Address), audited: &'a Audited, listed: Option<u64>) -> Self {
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
}

impl From<&Listed<'_>> for ListedView {
    fn from(listed: &Listed<'_>) -> Self {
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
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::event::tests::{TRAIL, samples};
    use super::super::json;
    use super::*;
    use crate::audit::{FlagOpen, Proven, Storage, Tally};
    use crate::contract::{RegistryEvent, Trail};

    const HOME: (u64, Address) = (31337, Address::repeat_byte(0xde));

    pub(in crate::view) fn audited() -> Audited {
        let mut summary =
            Summary { confirmed_flags: 1, dismissed_flags: 2, first_at: 100, last_at: 200, ..Default::default() };
        summary.events = [("Verified".to_owned(), 5), ("Registered".to_owned(), 3)].into();
        let tally = Tally { registered: 3, anchored: 4, valid: 2, invalid: 1, ..Default::default() };
        let verifier = Address::repeat_byte(0xc3);
        let deciding = Tally { flags_raised: 5, flags_decided: 6, access: 7, ..Default::default() };
        summary.wallets = [(verifier, tally), (Address::repeat_byte(0xa1), deciding)].into();
        summary.open_flags = [(B256::repeat_byte(1), FlagOpen { flag: 2, verifier, raised_at: 150 })].into();
        let proven = Proven {
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
        Audited { proven, seq: 7, read: 4, after_block: 9, before, summary, slots: 40, storage_proven: true }
    }

    #[test]
    fn an_audit_looks_as_it_always_did() {
        let mut audited = audited();
        assert_eq!(json(AuditView::new(HOME, &audited, Some(3))).to_string(), r#"@audit@"#);
        (audited.before, audited.summary) = (None, Summary::default());
        assert_eq!(json(AuditView::new(HOME, &audited, None)).to_string(), r#"@audit_empty@"#);
    }

    pub(in crate::view) fn listed<'a>(event: &'a RegistryEvent, storage: &'a Storage) -> Listed<'a> {
        Listed { event, time: 150, storage, is_new: true }
    }

    #[test]
    fn a_listed_event_looks_as_it_always_did() {
        let (storage, events) = (Storage::new(), samples());
        assert_eq!(json(ListedView::from(&listed(&events[0], &storage))).to_string(), r#"@listed_registered@"#);
        assert_eq!(json(ListedView::from(&listed(&events[2], &storage))).to_string(), r#"@listed_verified@"#);
        let mut storage = storage;
        storage.apply(&events[0].event, 12, 150);
        assert_eq!(json(ListedView::from(&listed(&events[3], &storage))).to_string(), r#"@listed_of_sender@"#);
    }
}
