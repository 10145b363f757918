//! What happened to an image: its events, compared with what the contract says of it in the same
//! block. A node that keeps some of them back contradicts itself.

use super::{PipelineError, Stored};
use crate::chain::{ChainError, Registry};
use crate::contract::bindings::IImageRegistry::{Access, Capsules, Flag, IImageRegistryEvents as Event, Record};
use crate::contract::{RegistryEvent, flag_number, seq_parts};
use alloy::primitives::Address;

/// An image's events, and what the contract says of it in the block up to which they were read.
#[derive(Debug, Clone)]
pub struct History {
    /// Its record.
    pub record: Record,
    /// Its newest flag; id 0 where there was none.
    pub flag: Flag,
    /// Oldest first.
    pub events: Vec<RegistryEvent>,
    /// The access of the wallet that was asked about.
    pub access: Option<Access>,
}

/// Returns the history of an image, up to the newest block.
///
/// # Errors
/// [`ChainError::Contradicts`] if events and record are not of one another, or the node does not
/// answer.
pub async fn history(registry: &Registry, stored: &Stored, wallet: Option<Address>) -> Result<History, PipelineError> {
    let (id, head) = (stored.logged.image_id, registry.newest().await?);
    let record = registry.record_in(head.hash, id).await?;
    let flag = registry.flag_in(head.hash, id).await?;
    let capsules = registry.capsules_in(head.hash, id).await?;
    let access = match wallet {
        Some(wallet) => Some(registry.access_in(head.hash, id, wallet).await?),
        None => None,
    };
    let events = registry.events_to(id, head.number).await?;
    let mut counts = Counts::default();
    for event in &events {
        counts.take(&event.event, wallet)?;
    }
    counts.check(&record, &flag, &capsules, access.as_ref())?;
    Ok(History { record, flag, events, access })
}

const ACCESSES: &str = "the number of changes of the wallet's access";

/// What the events of an image come to.
#[derive(Debug, Default)]
struct Counts {
    registrations: u64,
    verifications: u64,
    flags: u64,
    /// As the contract numbers the states of a record: registered, flagged, tampered.
    state: u64,
    versions: u64,
    /// The wallet's entry: revocations, what the last of them drew, grants since.
    access: [u64; 3],
    expiry: u64,
}

impl Counts {
    fn take(&mut self, event: &Event, wallet: Option<Address>) -> Result<(), ChainError> {
        match event {
            Event::Registered(_) | Event::RegisteredInBatch(_) | Event::Materialized(_) => {
                (self.registrations, self.state) = (self.registrations + 1, 1);
            }
            Event::Verified(e) => count("the number of verifications", &mut self.verifications, e.number.to())?,
            Event::FlagRaised(e) => {
                count("the number of flags", &mut self.flags, flag_number(e.flagId))?;
                self.state = 2;
            }
            Event::FlagConfirmed(_) => self.state = 3,
            Event::FlagDismissed(_) => self.state = 1,
            Event::CapsulesUpdated(e) => count("the version of the capsules", &mut self.versions, e.version)?,
            Event::AccessGranted(e) if Some(e.wallet) == wallet => {
                self.access = [self.access[0], self.access[1], self.access[2] + 1];
                self.numbered(e.accessSeq)?;
                self.expiry = e.expiry;
            }
            Event::AccessRevoked(e) if Some(e.wallet) == wallet => {
                let [_, drawn, _] = seq_parts(e.accessSeq);
                self.access = [self.access[0] + 1, drawn, 0];
                self.numbered(e.accessSeq)?;
                self.expiry = 0;
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares the number of the wallet's access entry with what was counted.
    fn numbered(&self, seq: u128) -> Result<(), ChainError> {
        for (contract, log) in seq_parts(seq).into_iter().zip(self.access) {
            ChainError::check_same(ACCESSES, contract, log)?;
        }
        Ok(())
    }

    fn check(
        &self,
        record: &Record,
        flag: &Flag,
        capsules: &Capsules,
        access: Option<&Access>,
    ) -> Result<(), ChainError> {
        ChainError::check_same("the image's registration", 1, self.registrations)?;
        ChainError::check_same("the number of verifications", record.verifications.to(), self.verifications)?;
        ChainError::check_same("the number of flags", flag_number(flag.id), self.flags)?;
        ChainError::check_same("the record's state", record.state as u64, self.state)?;
        ChainError::check_same("the version of the capsules", capsules.version, self.versions)?;
        let Some(access) = access else { return Ok(()) };
        self.numbered(access.seq)?;
        ChainError::check_same("the wallet's access", access.expiry, self.expiry)
    }
}

/// Counts what has this number.
fn count(what: &'static str, so_far: &mut u64, number: u64) -> Result<(), ChainError> {
    *so_far += 1;
    ChainError::check_same(what, number, *so_far)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::bindings::IImageRegistry::{self as registry, FlagState, RecordState};
    use alloy::primitives::B256;
    use alloy::primitives::aliases::{U40, U48};

    /// A registration, three verifications of which the last raised a flag, new capsules, a grant.
    fn events() -> Vec<Event> {
        let verified = |number| registry::Verified { number: U40::from(number), ..Default::default() };
        let raised = registry::FlagRaised { flagId: (1 << 32) + 77, ..Default::default() };
        let updated = registry::CapsulesUpdated { version: 1, ..Default::default() };
        let granted = registry::AccessGranted { expiry: 900, accessSeq: 1, ..Default::default() };
        vec![
            Event::Registered(registry::Registered::default()),
            Event::Verified(verified(1)),
            Event::Verified(verified(2)),
            Event::CapsulesUpdated(updated),
            Event::AccessGranted(granted),
            Event::Verified(verified(3)),
            Event::FlagRaised(raised),
        ]
    }

    fn judge(events: &[Event]) -> Result<(), ChainError> {
        let record = Record {
            contentHash: B256::ZERO,
            sender: Address::ZERO,
            registeredAt: U48::from(1),
            state: RecordState::Flagged,
            verifications: U40::from(3),
        };
        let (verifier, raised_at) = (Address::ZERO, U48::from(1));
        let flag = Flag { id: (1 << 32) + 77, state: FlagState::Open, verifier, raisedAt: raised_at, verifiers: 1 };
        let capsules = Capsules { version: 1, ..Default::default() };
        let access = Access { expiry: 900, seq: 1, ..Default::default() };
        let mut counts = Counts::default();
        events.iter().try_for_each(|event| counts.take(event, Some(Address::ZERO)))?;
        counts.check(&record, &flag, &capsules, Some(&access))
    }

    #[test]
    fn an_event_that_is_missing_or_doubled_contradicts_the_record() {
        judge(&events()).expect("all of them");
        for at in 0..events().len() {
            let (mut fewer, mut more) = (events(), events());
            fewer.remove(at);
            assert!(matches!(judge(&fewer), Err(ChainError::Contradicts { .. })), "without {at}");
            more.insert(at, more[at].clone());
            assert!(matches!(judge(&more), Err(ChainError::Contradicts { .. })), "{at} doubled");
        }
        let cut = judge(&events()[..2]).expect_err("cut off");
        assert!(matches!(cut, ChainError::Contradicts { what: "the number of verifications", contract: 3, log: 1 }));
    }
}
