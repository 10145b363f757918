//! What a watch remembers, on disk: how far it came, what it told of blocks that may yet be taken back, and what is still to be delivered.
//! Each change is one transaction that is synced before it counts.

mod deliveries;

pub use deliveries::{Delivery, Standing};

use super::read::Block;
use super::{Mark, Note, WatchError};
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
    // Held as long as this lives; the system lets go of it when the process dies.
    _lock: File,
}

/// An event that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) id: B256,
    pub(super) line: String,
}

impl Memory {
    /// Opens the memory at `path`, made where it is absent; it is pinned to this chain, whose block 0 has the hash `genesis`.
    ///
    /// # Errors
    /// [`WatchError::Busy`], [`WatchError::ChainReset`], [`WatchError::Damaged`], [`WatchError::Io`], [`WatchError::Memory`].
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
            return Err(damaged(format!("chain {}, registry {}", home.0, home.1), format!("another of chain {chain}")));
        }
        let memory = Self { path: path.to_owned(), database, genesis: word(&pinned)?, _lock: lock };
        memory.check_genesis(genesis)?;
        Ok(memory)
    }

    /// Checks that the chain is still the one that it was.
    pub(super) fn check_genesis(&self, found: B256) -> Result<(), WatchError> {
        let (path, expected) = (self.path.clone(), self.genesis);
        if expected == found { Ok(()) } else { Err(WatchError::ChainReset { path, expected, found }) }
    }

    /// Forgets how far the watch came; what waits to be delivered is kept.
    ///
    /// # Errors
    /// [`WatchError::Memory`].
    pub fn forget(&mut self) -> Result<(), WatchError> {
        self.database.execute_batch("BEGIN; DELETE FROM begun; DELETE FROM mark; DELETE FROM told; COMMIT")?;
        Ok(())
    }

    /// The marks, oldest first, and the block from which on events are told; none before the first round.
    pub(super) fn marks(&self) -> Result<Option<(Vec<Mark>, u64)>, WatchError> {
        let from: Option<i64> = self.database.query_row("SELECT * FROM begun", [], |row| row.get(0)).optional()?;
        let Some(from) = from else { return Ok(None) };
        let mut query = self.database.prepare("SELECT block, hash, trail FROM mark ORDER BY block")?;
        let rows = query
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?)))?;
        let mut marks = Vec::new();
        for row in rows {
            let (block, hash, trail) = row?;
            marks.push(Mark { block: unsigned(block)?, hash: word(&hash)?, trail: Trail::from(word(&trail)?) });
        }
        if marks.is_empty() { Err(damaged("a mark", "none")) } else { Ok(Some((marks, unsigned(from)?))) }
    }

    /// Begins at a mark; events are told from block `tell_from` on.
    pub(super) fn begin(&mut self, mark: &Mark, tell_from: u64) -> Result<(), WatchError> {
        let both = self.database.transaction()?;
        both.execute("INSERT INTO begun VALUES (?1)", [signed(tell_from.min(i64::MAX as u64))?])?;
        add_mark(&both, mark)?;
        Ok(both.commit()?)
    }

    /// How often the event at this place was told and retracted.
    pub(super) fn turn(&self, place: &EventPlace) -> Result<u64, WatchError> {
        let mut query =
            self.database.prepare_cached("SELECT times FROM retracted WHERE block_hash = ?1 AND log_index = ?2")?;
        let key = params![place.block_hash.as_slice(), signed(place.log_index)?];
        let times: Option<i64> = query.query_row(key, |row| row.get(0)).optional()?;
        unsigned(times.unwrap_or(0))
    }

    /// Takes note of blocks, and of what was told of them; blocks before `keep_from` will not be taken back any more.
    pub(super) fn advance(
        &mut self,
        blocks: &[Block],
        told: &[(EventPlace, B256, Note)],
        keep_from: u64,
    ) -> Result<(), WatchError> {
        let all = self.database.transaction()?;
        for block in blocks {
            add_mark(&all, &block.mark)?;
        }
        for (place, id, note) in told {
            deliveries::add(&all, *id, note)?;
            if place.block_number < keep_from {
                continue;
            }
            let row = params![
                signed(place.block_number)?,
                signed(place.log_index)?,
                place.block_hash.as_slice(),
                id.as_slice(),
                note.line
            ];
            all.prepare_cached("INSERT INTO told VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(row)?;
        }
        // One mark is kept further back, where the window begins.
        let keep_from = signed(keep_from)?;
        let oldest = "DELETE FROM mark WHERE block < (SELECT max(block) FROM mark WHERE block <= ?1)";
        all.execute(oldest, [keep_from])?;
        all.execute("DELETE FROM told WHERE block < ?1", [keep_from])?;
        Ok(all.commit()?)
    }

    /// What was told of the blocks after `block`, newest first.
    pub(super) fn told_after(&self, block: u64) -> Result<Vec<Told>, WatchError> {
        let mut query =
            self.database.prepare("SELECT id, line FROM told WHERE block > ?1 ORDER BY block DESC, log_index DESC")?;
        let rows = query.query_map([signed(block)?], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))?;
        let read = |row: rusqlite::Result<(Vec<u8>, String)>| -> Result<Told, WatchError> {
            let (id, line) = row?;
            Ok(Told { id: word(&id)?, line })
        };
        rows.map(read).collect()
    }

    /// Goes back to `block`, with what was told of that; events are told from the next block on, if they were not before.
    pub(super) fn go_back(&mut self, block: u64, retractions: &[(B256, Note)]) -> Result<(), WatchError> {
        let block = signed(block)?;
        let all = self.database.transaction()?;
        for (id, note) in retractions {
            deliveries::add(&all, *id, note)?;
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

fn add_mark(all: &Transaction<'_>, mark: &Mark) -> Result<(), WatchError> {
    let trail = mark.trail.word();
    let row = params![signed(mark.block)?, mark.hash.as_slice(), trail.as_slice()];
    all.prepare_cached("INSERT INTO mark VALUES (?1, ?2, ?3)")?.execute(row)?;
    Ok(())
}

fn damaged(expected: impl ToString, found: impl ToString) -> WatchError {
    WatchError::Damaged { expected: expected.to_string(), found: found.to_string() }
}

/// As SQLite stores it.
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
