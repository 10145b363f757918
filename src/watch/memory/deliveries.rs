//! What is still to be delivered: to each recipient in order, each under its id, until it is taken or given up.

use super::{Memory, WatchError, signed, unsigned, word};
use crate::watch::Note;
use alloy::primitives::B256;
use rusqlite::{OptionalExtension, Transaction, params};

/// Something that waits to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    number: i64,
    /// The id of the event, or of its retraction.
    pub id: B256,
    /// What is said.
    pub body: String,
    /// How often it was tried and failed.
    pub tries: u64,
}

/// How many deliveries of a recipient wait, and how many were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Those that wait.
    pub waiting: u64,
    /// Those that were given up.
    pub dead: u64,
}

pub(super) fn add(all: &Transaction<'_>, id: B256, note: &Note) -> Result<(), WatchError> {
    for to in &note.to {
        all.prepare_cached("INSERT INTO delivery (recipient, id, body) VALUES (?1, ?2, ?3)")?.execute(params![
            to,
            id.as_slice(),
            note.line
        ])?;
    }
    Ok(())
}

impl Memory {
    /// What `recipient` is to have next.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn next_delivery(&self, recipient: &str) -> Result<Option<Delivery>, WatchError> {
        let mut query = self.database.prepare_cached(
            "SELECT number, id, body, tries FROM delivery WHERE recipient = ?1 AND dead = 0 ORDER BY number LIMIT 1",
        )?;
        let row = query.query_row([recipient], |row| {
            Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?, row.get::<_, i64>(3)?))
        });
        let Some((number, id, body, tries)) = row.optional()? else { return Ok(None) };
        Ok(Some(Delivery { number, id: word(&id)?, body, tries: unsigned(tries)? }))
    }

    /// Takes note that it was taken.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn delivered(&mut self, delivery: &Delivery) -> Result<(), WatchError> {
        self.database.execute("DELETE FROM delivery WHERE number = ?1", [delivery.number])?;
        Ok(())
    }

    /// Takes note that it was not taken; `give_up` makes it one of the dead.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn not_delivered(&mut self, delivery: &Delivery, reason: &str, give_up: bool) -> Result<(), WatchError> {
        let tries = signed(delivery.tries + 1)?;
        self.database.execute(
            "UPDATE delivery SET tries = ?2, reason = ?3, dead = ?4 WHERE number = ?1",
            params![delivery.number, tries, reason, give_up],
        )?;
        Ok(())
    }

    /// Brings back what was given up, to be tried anew; returns how many.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn revive(&mut self) -> Result<usize, WatchError> {
        Ok(self.database.execute("UPDATE delivery SET dead = 0, tries = 0 WHERE dead = 1", [])?)
    }

    /// How many deliveries there are, of all recipients.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn standing(&self) -> Result<Standing, WatchError> {
        let count = |dead: bool| -> Result<u64, WatchError> {
            let query = "SELECT count(*) FROM delivery WHERE dead = ?1";
            unsigned(self.database.query_row(query, [dead], |row| row.get(0))?)
        };
        Ok(Standing { waiting: count(false)?, dead: count(true)? })
    }
}
