//! The history of one image, built from its events, and the check that none of them is missing.

use super::EvidenceError;
use super::file::{BatchItem, Evidence, OwnEvent};
use super::signatures::{SignedBy, signed_by};
use crate::audit::Storage;
use crate::contract::bindings::IImageRegistry::{
    Anchored, BatchRegistered, IImageRegistryEvents as Event, RegisteredInBatch, Verified,
};
use crate::contract::{EventPlace, RegistryEvent, decode_data};
use crate::contract::{LoggedImage, RegistrationKind};
use crate::contract::{Trail, flag_number, foreign_part, item_hash};
use crate::envelope::{image_id, signing_domain};
use alloy::primitives::{Address, B256, LogData, U256, keccak256};

/// A verification that is proven.
#[derive(Debug, Clone)]
pub struct ProvenVerification {
    /// The event as logged.
    pub event: Verified,
    /// How it is known that it is the verifier's.
    pub signed_by: SignedBy,
    /// Number of its block.
    pub block: u64,
    /// Time of its block, unix seconds.
    pub time: u64,
}

/// A flag that is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenFlag {
    /// Its number.
    pub id: u64,
    /// Whose invalid verification raised it.
    pub verifier: Address,
    /// When it was raised, unix seconds.
    pub raised_at: u64,
    /// Whether it was confirmed, by whom and when (unix seconds); `None` while it is open.
    pub decided: Option<(bool, Address, u64)>,
}

/// The proven history of an image.
#[derive(Debug, Clone)]
pub struct ImageHistory {
    /// Its registration. Of its place in the chain only the number of the block is known.
    pub image: LoggedImage,
    /// How it is known that the registration is the sender's.
    pub signed_by: SignedBy,
    /// Time of registration in the record, unix seconds: its block's, or that of its anchor.
    pub registered_at: u64,
    /// Oldest first.
    pub verifications: Vec<ProvenVerification>,
    /// Oldest first.
    pub flags: Vec<ProvenFlag>,
    /// How often the capsules were replaced.
    pub capsules_version: u64,
    /// SHA-256 of the capsules.
    pub capsules_hash: B256,
}

/// Builds the history, one event after the other.
pub(super) struct HistoryBuilder<'a> {
    evidence: &'a Evidence,
    storage: Storage,
    anchored: Option<(Anchored, u64, SignedBy)>,
    history: Option<ImageHistory>,
}

impl<'a> HistoryBuilder<'a> {
    pub(super) fn new(evidence: &'a Evidence) -> Self {
        Self { evidence, storage: Storage::default(), anchored: None, history: None }
    }

    /// Takes the next event of the image; for a batch, returns the log of its item.
    pub(super) fn take(&mut self, event: &Event, own: &OwnEvent) -> Result<Option<LogData>, EvidenceError> {
        let seq = Trail::of(event).map_or(0, |trail| trail.seq());
        let image_id = self.evidence.image_id;
        let wrong = |reason: &str| EvidenceError::Event { seq, reason: reason.to_owned() };
        if own.item.is_some() != matches!(event, Event::BatchRegistered(_)) {
            return Err(wrong("expected an item beside a batch, and beside no other event"));
        }
        let mut item_log = None;
        match (event, &mut self.history) {
            (Event::Anchored(e), None) if self.anchored.is_none() => {
                let domain = signing_domain(self.evidence.chain_id, self.evidence.registry);
                self.anchored = Some((e.clone(), own.time, signed_by(event, &domain).unwrap_or(SignedBy::Transaction)));
            }
            (Event::Registered(_) | Event::Materialized(_), None) => self.register(event.clone(), None, own)?,
            (Event::BatchRegistered(batch), None) => {
                let item = own.item.as_ref().expect("looked at above");
                let (found, log) = self.item(item, batch, seq)?;
                self.register(Event::RegisteredInBatch(found), Some(batch.clone()), own)?;
                item_log = Some(log);
            }
            (_, None) => return Err(EvidenceError::NoRegistration { image_id }),
            (Event::Verified(e), Some(history)) if e.imageId == image_id => {
                gap(seq, "verification", history.verifications.len() as u64 + 1, e.number.to())?;
                if e.valid != (e.observedHash == history.image.content_hash) {
                    return Err(wrong("its verdict contradicts its hashes"));
                }
                let domain = signing_domain(self.evidence.chain_id, self.evidence.registry);
                let signed_by = signed_by(event, &domain).unwrap_or(SignedBy::Transaction);
                let (block, time) = (own.block, own.time);
                history.verifications.push(ProvenVerification { event: e.clone(), signed_by, block, time });
            }
            (Event::FlagRaised(e), Some(history)) if e.imageId == image_id => {
                gap(seq, "flag", history.flags.len() as u64 + 1, flag_number(e.flagId))?;
                if history.flags.last().is_some_and(|flag| !matches!(flag.decided, Some((false, ..)))) {
                    return Err(wrong("it raises a flag, and the one before it was not dismissed"));
                }
                let (id, verifier, raised_at) = (flag_number(e.flagId), e.verifier, own.time);
                history.flags.push(ProvenFlag { id, verifier, raised_at, decided: None });
            }
            (Event::FlagJoined(e), Some(history)) if e.imageId == image_id => {
                gap(seq, "flag", history.flags.len() as u64, flag_number(e.flagId))?;
                if history.flags.last().is_none_or(|flag| flag.decided.is_some()) {
                    return Err(wrong("a verifier joins a flag, and none is open"));
                }
            }
            (Event::FlagConfirmed(e), Some(history)) if e.imageId == image_id => {
                decide(history, seq, flag_number(e.flagId), (true, e.by, own.time))?;
            }
            (Event::FlagDismissed(e), Some(history)) if e.imageId == image_id => {
                decide(history, seq, flag_number(e.flagId), (false, e.by, own.time))?;
            }
            (Event::CapsulesUpdated(e), Some(history)) if e.imageId == image_id => {
                gap(seq, "version of the capsules", history.capsules_version + 1, e.version)?;
                (history.capsules_version, history.capsules_hash) = (e.version, e.capsulesHash);
            }
            (_, Some(_)) => return Err(wrong("it does not concern the image")),
        }
        if item_log.is_none() {
            self.storage.apply(event, own.block, own.time);
        }
        Ok(item_log)
    }

    /// Takes the event that registers the image.
    fn register(&mut self, event: Event, batch: Option<BatchRegistered>, own: &OwnEvent) -> Result<(), EvidenceError> {
        let seq = Trail::of(&event).map_or(0, |trail| trail.seq());
        let Evidence { chain_id, registry, image_id: expected, .. } = *self.evidence;
        let place =
            EventPlace { block_number: own.block, block_hash: B256::ZERO, transaction: B256::ZERO, log_index: 0 };
        let domain = signing_domain(chain_id, registry);
        let by = match &batch {
            Some(batch) => signed_by(&Event::BatchRegistered(batch.clone()), &domain),
            None => signed_by(&event, &domain),
        };
        self.storage.apply(&event, own.block, own.time);
        let image = LoggedImage::new(RegistryEvent { event, place }, batch)
            .map_err(|error| EvidenceError::Event { seq, reason: error.to_string() })?;
        let found = image_id(chain_id, registry, image.sender, image.salt);
        if found != expected || image.image_id != expected {
            return Err(EvidenceError::OtherImage { expected, found });
        }
        let (signed_by, registered_at) = match (&image.kind, self.anchored.take()) {
            (RegistrationKind::Leaf { root }, Some((anchored, time, signed_by)))
                if (anchored.sender, anchored.root) == (image.sender, *root) =>
            {
                (signed_by, time)
            }
            (RegistrationKind::Alone { .. } | RegistrationKind::Batch { .. }, None) => {
                (by.unwrap_or(SignedBy::Transaction), own.time)
            }
            _ => {
                let reason = "expected an anchor before a leaf, and before no other registration".to_owned();
                return Err(EvidenceError::Event { seq, reason });
            }
        };
        let (verifications, flags, capsules_hash) = (vec![], vec![], image.capsules_hash);
        let capsules_version = 0;
        let history =
            ImageHistory { image, signed_by, registered_at, verifications, flags, capsules_version, capsules_hash };
        self.history = Some(history);
        Ok(())
    }

    /// Checks an item against its batch, whose event covers its salt, hashes and size; image id and
    /// sender must follow from them.
    fn item(
        &self,
        item: &BatchItem,
        batch: &BatchRegistered,
        seq: u64,
    ) -> Result<(RegisteredInBatch, LogData), EvidenceError> {
        let wrong = |reason| EvidenceError::Item { seq, reason };
        let (event, log) = decode_data(&item.topics, &item.data)
            .map_err(|error| EvidenceError::Event { seq, reason: error.to_string() })?;
        let Event::RegisteredInBatch(found) = event else { return Err(wrong("its log is another event")) };
        if U256::from(item.hashes.len()) != batch.count || item.hashes.len() > 256 {
            return Err(wrong("the batch has another number of items"));
        }
        let skipped = |(place, hash): (usize, &B256)| batch.skipped.bit(place) != hash.is_zero();
        let concatenated: Vec<u8> = item.hashes.iter().flat_map(|hash| hash.0).collect();
        if item.hashes.iter().enumerate().any(skipped) || keccak256(concatenated) != batch.recordedHash {
            return Err(wrong("the items' hashes are not those that the batch covers"));
        }
        if item.hashes.get(item.place) != Some(&item_hash(&found)) {
            return Err(wrong("its hash is not the one in its place"));
        }
        let Evidence { chain_id, registry, .. } = *self.evidence;
        if foreign_part(chain_id, registry, batch, &found).is_some() {
            return Err(wrong("the batch is of another sender"));
        }
        Ok((found, log))
    }

    /// Returns the history, after a check that the contract's slots agree with it: an event that is
    /// left out makes them differ.
    pub(super) fn end(self) -> Result<ImageHistory, EvidenceError> {
        let image_id = self.evidence.image_id;
        let history = self.history.ok_or(EvidenceError::NoRegistration { image_id })?;
        let slots = &self.evidence.slots.named()[1..];
        for ((slot, proven), (_, found)) in slots.iter().zip(self.storage.of_image(image_id)) {
            if proven.value != found {
                return Err(EvidenceError::OtherState { slot, expected: proven.value, found });
            }
        }
        Ok(history)
    }
}

fn gap(seq: u64, what: &'static str, expected: u64, found: u64) -> Result<(), EvidenceError> {
    if found == expected { Ok(()) } else { Err(EvidenceError::Gap { seq, what, expected, found }) }
}

fn decide(history: &mut ImageHistory, seq: u64, id: u64, decision: (bool, Address, u64)) -> Result<(), EvidenceError> {
    gap(seq, "flag", history.flags.len() as u64, id)?;
    match history.flags.last_mut() {
        Some(flag) if flag.decided.is_none() => flag.decided = Some(decision),
        _ => return Err(EvidenceError::Event { seq, reason: "it decides a flag, and none is open".to_owned() }),
    }
    Ok(())
}
