//! The watch's memory, an SQLite file: how far it came, which events of the newest blocks it
//! reported (the chain may still drop those blocks), and what is still to be delivered. Each change
//! is one transaction, synced to disk.

mod deliveries;

pub use deliveries::DeliveryCounts;

use super::read::Block;
use super::{Message, Position, WatchError};
use crate::contract::EventPlace;
use crate::contract::Trail;
use alloy::primitives::{Address, B256};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

const SCHEMA: &str = "
    CREATE TABLE home (chain_id INTEGER NOT NULL, registry BLOB NOT NULL, genesis BLOB NOT NULL) STRICT;
    CREATE TABLE begun (tell_from INTEGER NOT NULL) STRICT;
    CREATE TABLE mark (block INTEGER PRIMARY KEY, hash BLOB NOT NULL, trail BLOB NOT NULL) STRICT;
    CREATE TABLE told (
        block INTEGER NOT NULL, log_index INTEGER NOT NULL, block_hash BLOB NOT NULL, id BLOB NOT NULL, line TEXT NOT NULL,
        PRIMARY KEY (block, log_index)
    ) STRICT;
    CREATE TABLE retracted (
        block_hash BLOB NOT NULL, log_index INTEGER NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (block_hash, log_index)
    ) STRICT;
    CREATE TABLE delivery (
        number INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT NOT NULL, id BLOB NOT NULL, body TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0, reason TEXT, dead INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX next_delivery ON delivery (recipient, dead, number);
    PRAGMA user_version = 1;
";

/// The memory of one watch of one registry.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    database: Connection,
    genesis: B256,
    // Locks out a second process; the system releases it when this one dies.
    _lock: File,
}

/// An event that was reported and may still be retracted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportedEvent {
    pub(super) id: B256,
    pub(super) line: String,
}

impl Memory {
    /// Opens the memory at `path`, or creates it for the chain id and registry `home` and the hash
    /// of block 0, `genesis`.
    ///
    /// # Errors
    /// [`WatchError::Busy`], [`WatchError::ChainReset`], [`WatchError::Damaged`],
    /// [`WatchError::Io`], [`WatchError::Memory`].
    pub fn open(path: &Path, home: (u64, Address), genesis: B256) -> Result<Self, WatchError> {
        let io = |source| WatchError::Io { path: path.to_owned(), source };
        let lock = File::create(path.with_extension("lock")).map_err(io)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => WatchError::Busy { path: path.to_owned() },
            TryLockError::Error(source) => io(source),
        })?;
        let mut database = Connection::open(path)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            let first = database.transaction()?;
            first.execute_batch(SCHEMA)?;
            let values = params![signed(home.0)?, home.1.as_slice(), genesis.as_slice()];
            first.execute("INSERT INTO home VALUES (?1, ?2, ?3)", values)?;
            first.commit()?;
        } else if version != 1 {
            return Err(damaged("version 1", version));
        }
        let (chain, registry, pinned): (i64, Vec<u8>, Vec<u8>) =
            database.query_row("SELECT * FROM home", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        if (unsigned(chain)?, registry.as_slice()) != (home.0, home.1.as_slice()) {
            return Err(damaged(
                format!("chain {}, registry {}", home.0, home.1),
                format!("another registry, of chain {chain}"),
            ));
        }
        let memory = Self { path: path.to_owned(), database, genesis: word(&pinned)?, _lock: lock };
        memory.check_genesis(genesis)?;
        Ok(memory)
    }

    /// Checks that block 0 of the chain still has the hash with which this memory was made.
    pub(super) fn check_genesis(&self, found: B256) -> Result<(), WatchError> {
        let (path, expected) = (self.path.clone(), self.genesis);
        if expected == found { Ok(()) } else { Err(WatchError::ChainReset { path, expected, found }) }
    }

    /// Forgets how far the watch came; deliveries that wait are kept.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn forget(&mut self) -> Result<(), WatchError> {
        self.database.execute_batch("BEGIN; DELETE FROM begun; DELETE FROM mark; DELETE FROM told; COMMIT")?;
        Ok(())
    }

    /// The stored positions, oldest first, and the block from which on events are reported; `None`
    /// before the first round.
    pub(super) fn positions(&self) -> Result<Option<(Vec<Position>, u64)>, WatchError> {
        let from: Option<i64> = self.database.query_row("SELECT * FROM begun", [], |row| row.get(0)).optional()?;
        let Some(from) = from else { return Ok(None) };
        let mut query = self.database.prepare("SELECT block, hash, trail FROM mark ORDER BY block")?;
        let rows = query
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?)))?;
        let mut positions = Vec::new();
        for row in rows {
            let (block, hash, trail) = row?;
            positions.push(Position { block: unsigned(block)?, hash: word(&hash)?, trail: Trail::from(word(&trail)?) });
        }
        if positions.is_empty() { Err(damaged("a position", "none")) } else { Ok(Some((positions, unsigned(from)?))) }
    }

    /// Stores the first position; events are reported from block `report_from` on.
    pub(super) fn begin(&mut self, position: &Position, report_from: u64) -> Result<(), WatchError> {
        let both = self.database.transaction()?;
        both.execute("INSERT INTO begun VALUES (?1)", [signed(report_from.min(i64::MAX as u64))?])?;
        add_position(&both, position)?;
        Ok(both.commit()?)
    }

    /// How often the event at this place was retracted.
    pub(super) fn times_retracted(&self, place: &EventPlace) -> Result<u64, WatchError> {
        let mut query =
            self.database.prepare_cached("SELECT times FROM retracted WHERE block_hash = ?1 AND log_index = ?2")?;
        let key = params![place.block_hash.as_slice(), signed(place.log_index)?];
        let times: Option<i64> = query.query_row(key, |row| row.get(0)).optional()?;
        unsigned(times.unwrap_or(0))
    }

    /// Stores these blocks as read, and the messages that reported their events. Events before
    /// block `keep_from` are not kept: the chain drops no block that old.
    pub(super) fn advance(
        &mut self,
        blocks: &[Block],
        reported: &[(EventPlace, B256, Message)],
        keep_from: u64,
    ) -> Result<(), WatchError> {
        let all = self.database.transaction()?;
        for block in blocks {
            add_position(&all, &block.position)?;
        }
        for (place, id, message) in reported {
            deliveries::add(&all, *id, message)?;
            if place.block_number < keep_from {
                continue;
            }
            let row = params![
                signed(place.block_number)?,
                signed(place.log_index)?,
                place.block_hash.as_slice(),
                id.as_slice(),
                message.line
            ];
            all.prepare_cached("INSERT INTO told VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(row)?;
        }
        // The newest position at or before the window is kept too: a reorganisation goes back to it
        // at most.
        let keep_from = signed(keep_from)?;
        let oldest = "DELETE FROM mark WHERE block < (SELECT max(block) FROM mark WHERE block <= ?1)";
        all.execute(oldest, [keep_from])?;
        all.execute("DELETE FROM told WHERE block < ?1", [keep_from])?;
        Ok(all.commit()?)
    }

    /// The reported events of blocks after `block`, newest first.
    pub(super) fn reported_after(&self, block: u64) -> Result<Vec<ReportedEvent>, WatchError> {
        let mut query =
            self.database.prepare("SELECT id, line FROM told WHERE block > ?1 ORDER BY block DESC, log_index DESC")?;
        let rows = query.query_map([signed(block)?], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))?;
        let read = |row: rusqlite::Result<(Vec<u8>, String)>| -> Result<ReportedEvent, WatchError> {
            let (id, line) = row?;
            Ok(ReportedEvent { id: word(&id)?, line })
        };
        rows.map(read).collect()
    }

    /// Goes back to `block`: its later positions and events are deleted, and `retractions` are
    /// queued for delivery. Events of the blocks after it are reported again.
    pub(super) fn go_back(&mut self, block: u64, retractions: &[(B256, Message)]) -> Result<(), WatchError> {
        let block = signed(block)?;
        let all = self.database.transaction()?;
        for (id, message) in retractions {
            deliveries::add(&all, *id, message)?;
        }
        all.execute(
            "INSERT INTO retracted SELECT block_hash, log_index, 1 FROM told WHERE block > ?1
             ON CONFLICT DO UPDATE SET times = times + 1",
            [block],
        )?;
        all.execute("DELETE FROM told WHERE block > ?1", [block])?;
        all.execute("DELETE FROM mark WHERE block > ?1", [block])?;
        all.execute("UPDATE begun SET tell_from = min(tell_from, ?1 + 1)", [block])?;
        Ok(all.commit()?)
    }
}

fn add_position(all: &Transaction<'_>, position: &Position) -> Result<(), WatchError> {
    let trail = position.trail.word();
    let row = params![signed(position.block)?, position.hash.as_slice(), trail.as_slice()];
    all.prepare_cached("INSERT INTO mark VALUES (?1, ?2, ?3)")?.execute(row)?;
    Ok(())
}

fn damaged(expected: impl ToString, found: impl ToString) -> WatchError {
    WatchError::Damaged { expected: expected.to_string(), found: found.to_string() }
}

/// SQLite has signed numbers only.
fn signed(number: u64) -> Result<i64, WatchError> {
    i64::try_from(number).map_err(|_| damaged("a number below 2^63", number))
}

fn unsigned(number: i64) -> Result<u64, WatchError> {
    u64::try_from(number).map_err(|_| damaged("a number from 0 on", number))
}

fn word(bytes: &[u8]) -> Result<B256, WatchError> {
    B256::try_from(bytes).map_err(|_| damaged("32 bytes", bytes.len()))
}

#[cfg(test)]
mod tests;
