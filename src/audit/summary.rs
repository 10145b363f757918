//! Totals of a log: what each wallet did and when, in bounded size however long the log is.

use crate::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use crate::contract::flag_number;
use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most steps of a time line; with more, the steps are made twice as long.
const MOST_STEPS: usize = 96;
/// Seconds of its first steps.
const FIRST_STEP_SECS: u64 = 60;

/// Totals of one wallet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Images that it registered.
    pub registered: u64,
    /// Images that it anchored, by its own count.
    pub anchored: u64,
    /// Its verifications that were valid.
    pub valid: u64,
    /// Its verifications that were invalid.
    pub invalid: u64,
    /// Flags that its invalid verifications raised.
    pub flags_raised: u64,
    /// Flags that it confirmed or dismissed.
    pub flags_decided: u64,
    /// Grants and revocations that it made.
    pub access: u64,
}

/// A flag that is neither confirmed nor dismissed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenFlag {
    /// Its number.
    pub flag: u64,
    /// The wallet whose verification raised it.
    pub verifier: Address,
    /// When it was raised, unix seconds.
    pub raised_at: u64,
}

/// Events by time: steps of one length, with how many registrations, valid entries, invalid ones,
/// and others each has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeLine {
    /// Seconds of a step.
    pub step_secs: u64,
    /// By the start of the step, unix seconds; steps without events are left out.
    pub steps: BTreeMap<u64, [u64; 4]>,
}

impl Default for TimeLine {
    fn default() -> Self {
        Self { step_secs: FIRST_STEP_SECS, steps: BTreeMap::new() }
    }
}

impl TimeLine {
    fn add(&mut self, time: u64, kind: usize) {
        self.steps.entry(time - time % self.step_secs).or_default()[kind] += 1;
        while self.count() > MOST_STEPS as u64 {
            self.step_secs *= 2;
            let steps = std::mem::take(&mut self.steps);
            for (start, counts) in steps {
                let step = self.steps.entry(start - start % self.step_secs).or_default();
                step.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
    }

    /// How many steps there are from the first to the last, those without events included.
    pub fn count(&self) -> u64 {
        match (self.steps.first_key_value(), self.steps.last_key_value()) {
            (Some((first, _)), Some((last, _))) => (last - first) / self.step_secs + 1,
            _ => 0,
        }
    }
}

/// Totals of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How many events of each name.
    pub events: BTreeMap<String, u64>,
    /// What each wallet did.
    pub wallets: BTreeMap<Address, Tally>,
    /// The flags that are open, by their image.
    pub open_flags: BTreeMap<B256, OpenFlag>,
    /// Flags that were confirmed.
    pub confirmed_flags: u64,
    /// Flags that were dismissed.
    pub dismissed_flags: u64,
    /// Time of the first event, unix seconds; 0 where there is none.
    pub first_at: u64,
    /// Time of the last event, unix seconds; 0 where there is none.
    pub last_at: u64,
    /// Events by time.
    pub time_line: TimeLine,
}

impl Summary {
    /// How many images are registered.
    pub fn images(&self) -> u64 {
        self.wallets.values().map(|tally| tally.registered).sum()
    }

    /// Number of verifications: valid, invalid.
    pub fn verifications(&self) -> (u64, u64) {
        let sum = |of: fn(&Tally) -> u64| self.wallets.values().map(of).sum();
        (sum(|tally| tally.valid), sum(|tally| tally.invalid))
    }

    /// How many events the log has, the items of batches included.
    pub fn total(&self) -> u64 {
        self.events.values().sum()
    }

    /// Counts an event.
    pub fn add(&mut self, event: &Event, time: u64) {
        match self.events.get_mut(name(event)) {
            Some(count) => *count += 1,
            None => drop(self.events.insert(name(event).to_owned(), 1)),
        }
        if self.first_at == 0 {
            self.first_at = time;
        }
        self.last_at = time;
        let kind = match event {
            Event::Registered(_) | Event::RegisteredInBatch(_) | Event::Materialized(_) => 0,
            Event::Verified(e) => {
                if e.valid {
                    1
                } else {
                    2
                }
            }
            _ => 3,
        };
        self.time_line.add(time, kind);
        self.add_to_wallets(event, time);
    }

    fn of(&mut self, wallet: Address) -> &mut Tally {
        self.wallets.entry(wallet).or_default()
    }

    fn add_to_wallets(&mut self, event: &Event, time: u64) {
        match event {
            Event::Registered(e) => self.of(e.sender).registered += 1,
            Event::RegisteredInBatch(e) => self.of(e.sender).registered += 1,
            Event::Materialized(e) => self.of(e.sender).registered += 1,
            Event::Anchored(e) => self.of(e.sender).anchored += u64::from(e.count),
            Event::Verified(e) if e.valid => self.of(e.verifier).valid += 1,
            Event::Verified(e) => self.of(e.verifier).invalid += 1,
            Event::AccessGranted(e) => self.of(e.by).access += 1,
            Event::AccessRevoked(e) => self.of(e.by).access += 1,
            Event::FlagRaised(e) => {
                self.of(e.verifier).flags_raised += 1;
                let open = OpenFlag { flag: flag_number(e.flagId), verifier: e.verifier, raised_at: time };
                self.open_flags.insert(e.imageId, open);
            }
            Event::FlagConfirmed(e) => {
                self.of(e.by).flags_decided += 1;
                self.confirmed_flags += 1;
                self.open_flags.remove(&e.imageId);
            }
            Event::FlagDismissed(e) => {
                self.of(e.by).flags_decided += 1;
                self.dismissed_flags += 1;
                self.open_flags.remove(&e.imageId);
            }
            _ => {}
        }
    }
}

/// An event's name.
fn name(event: &Event) -> &'static str {
    match event {
        Event::Registered(_) => "Registered",
        Event::RegisteredInBatch(_) => "RegisteredInBatch",
        Event::BatchRegistered(_) => "BatchRegistered",
        Event::Anchored(_) => "Anchored",
        Event::Materialized(_) => "Materialized",
        Event::Verified(_) => "Verified",
        Event::FlagRaised(_) => "FlagRaised",
        Event::FlagJoined(_) => "FlagJoined",
        Event::FlagConfirmed(_) => "FlagConfirmed",
        Event::FlagDismissed(_) => "FlagDismissed",
        Event::AccessGranted(_) => "AccessGranted",
        Event::AccessRevoked(_) => "AccessRevoked",
        Event::OperatorSet(_) => "OperatorSet",
        Event::CapsulesUpdated(_) => "CapsulesUpdated",
        Event::KgcKeyPublished(_) => "KgcKeyPublished",
        Event::KgcKeyRetired(_) => "KgcKeyRetired",
        Event::LogAnchored(_) => "LogAnchored",
        Event::CapsulesAnchored(_) => "CapsulesAnchored",
        Event::RoleChanged(_) => "RoleChanged",
        Event::AdminPlanned(_) => "AdminPlanned",
        Event::Paused(_) => "Paused",
        Event::Unpaused(_) => "Unpaused",
        Event::Superseded(_) => "Superseded",
        Event::NonceInvalidated(_) => "NonceInvalidated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::bindings::IImageRegistry::{FlagConfirmed, FlagRaised, Verified};

    #[test]
    fn a_time_line_grows_coarse_and_forgets_nothing() {
        let mut line = TimeLine::default();
        for minute in 0..100_000 {
            line.add(60 * minute, usize::try_from(minute % 4).expect("small"));
        }
        assert!(line.count() <= 96 && line.count() > 48, "{}", line.count());
        let sums =
            line.steps.values().fold([0; 4], |sums: [u64; 4], step| std::array::from_fn(|at| sums[at] + step[at]));
        assert_eq!(sums, [25_000; 4]);
    }

    #[test]
    fn an_open_flag_is_open_until_it_is_decided() {
        let (image, verifier) = (B256::repeat_byte(1), Address::repeat_byte(2));
        let mut summary = Summary::default();
        summary.add(&Event::Verified(Verified { imageId: image, verifier, valid: false, ..Default::default() }), 5);
        summary.add(&Event::FlagRaised(FlagRaised { imageId: image, verifier, ..Default::default() }), 5);
        assert_eq!(summary.open_flags[&image].raised_at, 5);
        summary.add(&Event::FlagConfirmed(FlagConfirmed { imageId: image, ..Default::default() }), 6);
        assert!(summary.open_flags.is_empty());
        assert_eq!((summary.confirmed_flags, summary.verifications(), summary.total()), (1, (0, 1), 3));
        assert_eq!((summary.first_at, summary.last_at, summary.events["FlagRaised"]), (5, 6, 1));
    }
}
