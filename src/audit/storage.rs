//! The contract's whole storage, computed from its events: the same slots and the same root as on
//! chain.
//!
//! One account proof then shows that the contract's state agrees with its log. The slot numbers are
//! those of `ImageRegistry` and its base contracts; a contract with another layout would never
//! match.

use crate::contract::Trail;
use crate::contract::bindings::IImageRegistry::{
    AdminPlan, AdminPlanned, FlagJoined, FlagRaised, IImageRegistryEvents as Event, KgcKeyPublished, LogAnchored,
    RoleChanged,
};
use crate::contract::slots::{ADDRESS, SlotKey, TIME, bits, slot};
use alloy::primitives::map::B256HashMap;
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy_trie::root::storage_root;

/// Seconds from the start of a hand-over to its acceptance, as the constructor sets them.
const ADMIN_DELAY: u64 = 24 * 60 * 60;
/// Seconds of the longest pause.
const MAX_PAUSE: u64 = 7 * 24 * 60 * 60;

/// The slots that are not zero, by keccak256 of their key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storage {
    slots: B256HashMap<U256>,
}

fn with_bits(word: U256, from: usize, width: usize, value: U256) -> U256 {
    (word & !(((U256::from(1) << width) - U256::from(1)) << from)) | (value << from)
}

fn number(address: Address) -> U256 {
    U256::from_be_bytes(address.into_word().0)
}

/// Values side by side in one slot, the first in the lowest bits.
fn packed<const N: usize>(parts: [(U256, usize); N]) -> U256 {
    let mut at = 0;
    parts.into_iter().fold(U256::ZERO, |word, (value, width)| {
        let word = word | (value << at);
        at += width;
        word
    })
}

/// The word of the pause with its last second, and when a whole one may follow.
fn paused(word: U256, until: U256, rested: U256) -> U256 {
    with_bits(with_bits(word, 0, TIME, until), TIME + ADDRESS, TIME, rested)
}

impl Storage {
    /// The storage before the contract's first event.
    pub fn new() -> Self {
        let mut storage = Self::default();
        storage.set(SlotKey::plain(slot::PENDING_ADMIN), U256::from(ADMIN_DELAY) << (ADDRESS + TIME));
        storage
    }

    /// Number of slots that are not zero.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether every slot is zero.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The storage root with `trail` in slot 0: the `storageHash` of the contract's account.
    pub fn root(&self, trail: Trail) -> B256 {
        let first = keccak256(B256::ZERO);
        let mut slots: Vec<(B256, U256)> = Vec::with_capacity(self.slots.len() + 1);
        slots.push((first, U256::from_be_bytes(trail.word().0)));
        slots.extend(self.slots.iter().map(|(place, value)| (*place, *value)));
        slots.sort_unstable_by_key(|(place, _)| *place);
        storage_root(slots)
    }

    /// The wallet that registered an image; `None` if none did.
    pub fn sender_of(&self, image: B256) -> Option<Address> {
        let sender = bits(self.get(SlotKey::of_record(image).next()), 0, ADDRESS);
        (!sender.is_zero()).then(|| Address::from_word(sender.into()))
    }

    /// The slots of an image, and what they hold: content hash; sender, time, state and number of
    /// verifications; newest flag; hash of the capsules that replaced those of the registration;
    /// their version.
    pub fn of_image(&self, image: B256) -> [(B256, U256); 5] {
        let (record, capsules) = (SlotKey::of_record(image), SlotKey::plain(slot::CAPSULES).at(image));
        let flag = SlotKey::plain(slot::FLAGS).at(image);
        [record, record.next(), flag, capsules, capsules.next()].map(|place| (place.key(), self.get(place)))
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = (&B256, &U256)> {
        self.slots.iter()
    }

    pub(super) fn insert_hashed(&mut self, place: B256, value: U256) {
        self.slots.insert(place, value);
    }

    fn get(&self, place: SlotKey) -> U256 {
        self.slots.get(&place.hashed()).copied().unwrap_or_default()
    }

    fn set(&mut self, place: SlotKey, value: U256) {
        let place = place.hashed();
        if value.is_zero() {
            self.slots.remove(&place);
        } else {
            self.slots.insert(place, value);
        }
    }

    fn change(&mut self, place: SlotKey, change: impl FnOnce(U256) -> U256) {
        self.set(place, change(self.get(place)));
    }

    /// Applies an event in the block with this number and time.
    pub fn apply(&mut self, event: &Event, block: u64, time: u64) {
        let (now, place) = (U256::from(time), SlotKey::plain);
        match event {
            Event::Registered(e) => self.record(e.imageId, e.sender, e.contentHash, now),
            Event::RegisteredInBatch(e) => self.record(e.imageId, e.sender, e.contentHash, now),
            Event::Materialized(e) => {
                let anchor = self.get(place(slot::ANCHORS).at(e.sender.into_word()).at(e.root));
                self.record(e.imageId, e.sender, e.contentHash, bits(anchor, 32, TIME));
            }
            // Its items' events changed the slots already.
            Event::BatchRegistered(_) => {}
            Event::Anchored(e) => {
                let anchor = packed([(U256::from(e.count), 32), (now, TIME)]);
                self.set(place(slot::ANCHORS).at(e.sender.into_word()).at(e.root), anchor);
            }
            Event::CapsulesAnchored(e) => {
                let anchor = packed([(U256::from(e.count), 32), (now, TIME)]);
                self.set(place(slot::CAPSULE_ANCHORS).at(e.kgc.into_word()).at(e.root), anchor);
            }
            Event::Verified(e) => {
                let verifications = U256::from(e.number);
                self.change(SlotKey::of_record(e.imageId).next(), |word| with_bits(word, 216, 40, verifications));
                // Only a relayed verification uses a nonce.
                if !e.signature.is_empty() {
                    self.set(place(slot::NONCES).at(e.verifier.into_word()), e.nonce + U256::from(1));
                }
            }
            Event::NonceInvalidated(e) => self.set(place(slot::NONCES).at(e.wallet.into_word()), e.nonce),
            Event::FlagRaised(e) => self.raise_flag(e, now),
            Event::FlagJoined(e) => self.join_flag(e),
            Event::FlagConfirmed(e) => self.decide(e.imageId, 2, 3),
            Event::FlagDismissed(e) => {
                let by_sender = self.sender_of(e.imageId) == Some(e.by);
                self.decide(e.imageId, if by_sender { 4 } else { 3 }, 1);
            }
            Event::AccessGranted(e) => self.set_access(e.imageId, e.wallet, e.expiry, e.accessSeq, block),
            Event::AccessRevoked(e) => self.set_access(e.imageId, e.wallet, 0, e.accessSeq, block),
            Event::OperatorSet(e) => {
                let operator = packed([(U256::from(u8::from(e.allowed)), 8), (U256::from(e.operatorSeq), 128)]);
                self.set(place(slot::OPERATORS).at(e.sender.into_word()).at(e.operator.into_word()), operator);
            }
            Event::CapsulesUpdated(e) => {
                let capsules = place(slot::CAPSULES).at(e.imageId);
                self.set(capsules, e.capsulesHash.into());
                self.set(capsules.next(), U256::from(e.version));
            }
            Event::KgcKeyPublished(e) => self.publish_key(e),
            Event::KgcKeyRetired(e) => {
                let key = place(slot::KGC_KEYS).at(e.kgcId).at(U256::from(e.epoch)).next();
                self.change(key, |word| with_bits(word, ADDRESS + 32, 8, U256::from(1)));
            }
            Event::LogAnchored(e) => self.anchor_log(e, now),
            Event::RoleChanged(e) => self.change_role(e),
            Event::AdminPlanned(e) => self.plan(e, now),
            Event::Paused(e) => {
                let until = U256::from(e.until);
                self.change(place(slot::PAUSE), |word| paused(word, until, until + U256::from(MAX_PAUSE)));
            }
            Event::Unpaused(_) => self.change(place(slot::PAUSE), |word| {
                let (until, rested) = (bits(word, 0, TIME), bits(word, TIME + ADDRESS, TIME));
                match now < until {
                    // What is left of the pause was not used up, and need not be given back.
                    true => paused(word, now, rested - (until - now) * U256::from(2)),
                    false => word,
                }
            }),
            Event::Superseded(e) => self.supersede(e.successor),
        }
    }

    fn supersede(&mut self, successor: Address) {
        self.change(SlotKey::plain(slot::PAUSE), |word| with_bits(word, TIME, ADDRESS, number(successor)));
    }

    fn raise_flag(&mut self, e: &FlagRaised, now: U256) {
        let id = U256::from(e.flagId);
        let word = packed([(id, 64), (U256::from(1), 8), (now, TIME), (U256::from(1), 32)]);
        let flag = SlotKey::plain(slot::FLAGS).at(e.imageId);
        self.set(flag, word);
        self.set(flag.next(), number(e.verifier));
        self.set_state(e.imageId, 2);
    }

    fn join_flag(&mut self, e: &FlagJoined) {
        let count = |word| with_bits(word, 72 + TIME, 32, bits(word, 72 + TIME, 32) + U256::from(1));
        self.change(SlotKey::plain(slot::FLAGS).at(e.imageId), count);
        let joined = SlotKey::plain(slot::JOINED).at(e.imageId).at(U256::from(e.flagId)).at(e.verifier.into_word());
        self.set(joined, U256::from(1));
    }

    fn publish_key(&mut self, e: &KgcKeyPublished) {
        let (publisher, epoch) = (number(e.publisher), U256::from(e.epoch));
        self.set(SlotKey::plain(slot::LINES).at(e.kgcId), packed([(publisher, ADDRESS), (epoch, 32)]));
        let key = SlotKey::plain(slot::KGC_KEYS).at(e.kgcId).at(epoch);
        self.set(key, e.x25519.into());
        self.set(key.next(), packed([(number(e.receiptSigner), ADDRESS), (epoch, 32)]));
    }

    fn anchor_log(&mut self, e: &LogAnchored, now: U256) {
        let log = SlotKey::plain(slot::LOGS).at(e.kgc.into_word()).at(e.logId);
        self.set(log, e.logHead.into());
        self.set(log.next(), packed([(U256::from(e.logSeq), 64), (now, TIME)]));
    }

    fn record(&mut self, image: B256, sender: Address, content: B256, registered_at: U256) {
        let record = SlotKey::of_record(image);
        self.set(record, content.into());
        self.set(record.next(), packed([(number(sender), ADDRESS), (registered_at, TIME), (U256::from(1), 8)]));
    }

    fn set_state(&mut self, image: B256, state: u8) {
        self.change(SlotKey::of_record(image).next(), |word| with_bits(word, ADDRESS + TIME, 8, U256::from(state)));
    }

    fn decide(&mut self, image: B256, flag: u8, record: u8) {
        self.change(SlotKey::plain(slot::FLAGS).at(image), |word| with_bits(word, 64, 8, U256::from(flag)));
        self.set_state(image, record);
    }

    fn set_access(&mut self, image: B256, wallet: Address, expiry: u64, seq: u128, block: u64) {
        let word = packed([(U256::from(expiry), 64), (U256::from(seq), 128), (U256::from(block), 64)]);
        self.set(SlotKey::plain(slot::ACCESS).at(image).at(wallet.into_word()), word);
    }

    /// OpenZeppelin's rules: one wallet is the administrator, and accepting a hand-over ends it.
    fn change_role(&mut self, e: &RoleChanged) {
        let role = SlotKey::plain(slot::ROLES).at(e.role).at(e.account.into_word());
        self.set(role, U256::from(u8::from(e.granted)));
        if !e.role.is_zero() {
            return;
        }
        let admin = bits(self.get(SlotKey::plain(slot::ADMIN)), 0, ADDRESS);
        let next = if e.granted { number(e.account) } else { U256::ZERO };
        if e.granted || admin == number(e.account) {
            self.change(SlotKey::plain(slot::ADMIN), |word| with_bits(word, 0, ADDRESS, next));
            // Accepted or renounced: no hand-over is pending any more.
            self.change(SlotKey::plain(slot::PENDING_ADMIN), |word| with_bits(word, 0, ADDRESS + TIME, U256::ZERO));
        }
    }

    fn plan(&mut self, e: &AdminPlanned, now: U256) {
        let schedule = U256::from(e.schedule);
        match e.plan {
            AdminPlan::TransferBegun | AdminPlan::TransferCancelled => {
                let pending = packed([(number(e.newAdmin), ADDRESS), (schedule, TIME)]);
                let place = SlotKey::plain(slot::PENDING_ADMIN);
                self.change(place, |word| with_bits(word, 0, ADDRESS + TIME, pending));
            }
            _ => {
                let word = self.get(SlotKey::plain(slot::ADMIN));
                let (delay, due) = (bits(word, ADDRESS, TIME), bits(word, ADDRESS + TIME, TIME));
                if !due.is_zero() && due < now {
                    let place = SlotKey::plain(slot::PENDING_ADMIN);
                    self.change(place, |word| with_bits(word, ADDRESS + TIME, TIME, delay));
                }
                let pending = packed([(U256::from(e.newDelay), TIME), (schedule, TIME)]);
                self.change(SlotKey::plain(slot::ADMIN), |word| with_bits(word, ADDRESS, 2 * TIME, pending));
            }
        }
    }
}
