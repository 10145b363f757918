//! Brings to one receiver what waits for it, oldest first.

use super::{Failure, Receiver};
use crate::clock::Clock;
use crate::watch::{Memory, WatchError};
use std::cell::RefCell;
use std::time::Duration;

/// A delivery that is refused so often is given up.
pub const MOST_REFUSALS: u64 = 5;

/// How fast it is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The pause after the first failure; each further one doubles it.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Pace {
    /// The pause after so many failures, from 1 on.
    pub fn after(&self, failures: u64) -> Duration {
        let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(20);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

/// What came of a step.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing waits.
    Idle,
    /// It was taken.
    Delivered,
    /// It was refused for the last time, and is one of the dead now.
    GivenUp(String),
    /// It was not taken: the same again after a pause.
    Failed {
        /// Why.
        reason: String,
        /// How often this one has failed.
        tries: u64,
        /// How long to wait.
        pause: Duration,
    },
}

/// Who brings it.
#[derive(Debug)]
pub struct Courier<'a> {
    receiver: Receiver,
    memory: &'a RefCell<Memory>,
    pace: Pace,
}

impl<'a> Courier<'a> {
    /// The courier of one receiver.
    pub fn new(receiver: Receiver, memory: &'a RefCell<Memory>, pace: Pace) -> Self {
        Self { receiver, memory, pace }
    }

    /// To whom it goes.
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// One attempt with what waits longest. Killed in the midst of it, the same goes out again, under the same id.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub async fn step(&self, clock: &dyn Clock) -> Result<Step, WatchError> {
        let next = self.memory.borrow().next_delivery(self.receiver.name())?;
        let Some(next) = next else { return Ok(Step::Idle) };
        match self.receiver.deliver(next.id, &next.body, clock.unix_secs()).await {
            Ok(()) => {
                self.memory.borrow_mut().delivered(&next)?;
                Ok(Step::Delivered)
            }
            Err(Failure { reason, refused, after }) => {
                let tries = next.tries + 1;
                let give_up = refused && tries >= MOST_REFUSALS;
                self.memory.borrow_mut().not_delivered(&next, &reason, give_up)?;
                if give_up {
                    return Ok(Step::GivenUp(format!("{} was refused {tries} times: {reason}", next.id)));
                }
                Ok(Step::Failed { reason, tries, pause: after.unwrap_or_default().max(self.pace.after(tries)) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pace = Pace { first: Duration::from_secs(1), longest: Duration::from_secs(300) };
        let seconds: Vec<u64> = [1, 2, 3, 9, 10, 1000].map(|failures| pace.after(failures).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
    }
}
