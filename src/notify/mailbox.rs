//! What the dispatcher needs of whoever keeps the deliveries.

use alloy::primitives::B256;

/// A delivery that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// By which the mailbox knows it.
    pub number: i64,
    /// The id of the event, or of its retraction.
    pub id: B256,
    /// The line of the message: one JSON object.
    pub body: String,
    /// Attempts that failed so far.
    pub tries: u64,
}

/// A queue of deliveries on disk: to each recipient in order, each until it is accepted or given
/// up.
pub trait Mailbox {
    /// Why the queue cannot be read or written.
    type Error;

    /// The oldest delivery that waits for `recipient`.
    ///
    /// # Errors
    /// [`Mailbox::Error`].
    fn next_delivery(&self, recipient: &str) -> Result<Option<Delivery>, Self::Error>;

    /// Removes a delivery that was accepted.
    ///
    /// # Errors
    /// [`Mailbox::Error`].
    fn delivered(&mut self, delivery: &Delivery) -> Result<(), Self::Error>;

    /// Stores that an attempt failed, and why; with `give_up` it is not tried again.
    ///
    /// # Errors
    /// [`Mailbox::Error`].
    fn not_delivered(&mut self, delivery: &Delivery, reason: &str, give_up: bool) -> Result<(), Self::Error>;
}
