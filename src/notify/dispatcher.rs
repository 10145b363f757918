//! Delivers to one receiver what waits for it, oldest first, and tries again after a failure.

use super::{DeliveryFailure, Mailbox, Receiver};
use crate::clock::Clock;
use std::cell::RefCell;
use std::time::Duration;

/// A delivery that the receiver refused this many times is given up.
pub const MOST_REFUSALS: u64 = 5;

/// The pauses between attempts.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The pause after the first failure; each further one doubles it.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Backoff {
    /// The pause after the given number of failures, from 1 on.
    pub fn after(&self, failures: u64) -> Duration {
        let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(20);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

/// The result of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing waits for the receiver.
    Idle,
    /// The receiver accepted it.
    Delivered,
    /// It was refused [`MOST_REFUSALS`] times and is not tried again; says which and why.
    GivenUp(String),
    /// It was not accepted: the same delivery is tried again after a pause.
    Failed {
        /// Why.
        reason: String,
        /// How often this delivery has failed.
        tries: u64,
        /// How long to wait.
        pause: Duration,
    },
}

/// Delivers to one receiver.
#[derive(Debug)]
pub struct Dispatcher<'a, M> {
    receiver: Receiver,
    mailbox: &'a RefCell<M>,
    backoff: Backoff,
}

impl<'a, M: Mailbox> Dispatcher<'a, M> {
    /// A dispatcher that takes the deliveries of `receiver` from `mailbox`.
    pub fn new(receiver: Receiver, mailbox: &'a RefCell<M>, backoff: Backoff) -> Self {
        Self { receiver, mailbox, backoff }
    }

    /// The receiver that it delivers to.
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// One attempt to deliver what waits longest. A process that dies during it delivers the same
    /// again under the same id.
    ///
    /// # Errors
    /// [`Mailbox::Error`].
    pub async fn attempt(&self, clock: &dyn Clock) -> Result<Attempt, M::Error> {
        let next = self.mailbox.borrow().next_delivery(self.receiver.name())?;
        let Some(next) = next else { return Ok(Attempt::Idle) };
        match self.receiver.deliver(next.id, &next.body, clock.unix_secs()).await {
            Ok(()) => {
                self.mailbox.borrow_mut().delivered(&next)?;
                Ok(Attempt::Delivered)
            }
            Err(DeliveryFailure { reason, refused, after }) => {
                let tries = next.tries + 1;
                let give_up = refused && tries >= MOST_REFUSALS;
                self.mailbox.borrow_mut().not_delivered(&next, &reason, give_up)?;
                if give_up {
                    return Ok(Attempt::GivenUp(format!("{} was refused {tries} times: {reason}", next.id)));
                }
                Ok(Attempt::Failed { reason, tries, pause: after.unwrap_or_default().max(self.backoff.after(tries)) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(300) };
        let seconds: Vec<u64> = [1, 2, 3, 9, 10, 1000].map(|failures| backoff.after(failures).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
    }
}
