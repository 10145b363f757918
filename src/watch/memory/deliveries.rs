//! The queue of deliveries: to each recipient in order, each under its id, until it is accepted or
//! given up.

use super::{Memory, WatchError, signed, unsigned, word};
use crate::notify::{Delivery, Mailbox};
use crate::watch::Message;
use alloy::primitives::B256;
use rusqlite::{OptionalExtension, Transaction, params};

/// How many deliveries wait, and how many were given up, of all recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryCounts {
    /// Deliveries that will be tried.
    pub waiting: u64,
    /// Deliveries that were given up.
    pub dead: u64,
}

pub(super) fn add(all: &Transaction<'_>, id: B256, message: &Message) -> Result<(), WatchError> {
    for recipient in &message.recipients {
        all.prepare_cached("INSERT INTO delivery (recipient, id, body) VALUES (?1, ?2, ?3)")?.execute(params![
            recipient,
            id.as_slice(),
            message.line
        ])?;
    }
    Ok(())
}

impl Mailbox for Memory {
    type Error = WatchError;

    fn next_delivery(&self, recipient: &str) -> Result<Option<Delivery>, WatchError> {
        let mut query = self.database.prepare_cached(
            "SELECT number, id, body, tries FROM delivery WHERE recipient = ?1 AND dead = 0 ORDER BY number LIMIT 1",
        )?;
        let row = query.query_row([recipient], |row| {
            Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?, row.get::<_, i64>(3)?))
        });
        let Some((number, id, body, tries)) = row.optional()? else { return Ok(None) };
        Ok(Some(Delivery { number, id: word(&id)?, body, tries: unsigned(tries)? }))
    }

    fn delivered(&mut self, delivery: &Delivery) -> Result<(), WatchError> {
        self.database.execute("DELETE FROM delivery WHERE number = ?1", [delivery.number])?;
        Ok(())
    }

    fn not_delivered(&mut self, delivery: &Delivery, reason: &str, give_up: bool) -> Result<(), WatchError> {
        let tries = signed(delivery.tries + 1)?;
        self.database.execute(
            "UPDATE delivery SET tries = ?2, reason = ?3, dead = ?4 WHERE number = ?1",
            params![delivery.number, tries, reason, give_up],
        )?;
        Ok(())
    }
}

impl Memory {
    /// Queues the deliveries that were given up again; returns how many they are.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn revive(&mut self) -> Result<usize, WatchError> {
        Ok(self.database.execute("UPDATE delivery SET dead = 0, tries = 0 WHERE dead = 1", [])?)
    }

    /// How many deliveries wait and how many were given up, of all recipients.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn delivery_counts(&self) -> Result<DeliveryCounts, WatchError> {
        let count = |dead: bool| -> Result<u64, WatchError> {
            let query = "SELECT count(*) FROM delivery WHERE dead = ?1";
            unsigned(self.database.query_row(query, [dead], |row| row.get(0))?)
        };
        Ok(DeliveryCounts { waiting: count(false)?, dead: count(true)? })
    }
}
