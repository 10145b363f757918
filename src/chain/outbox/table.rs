//! The outbox on disk: every change is one transaction that is synced before it counts.

use super::error::OutboxError;
use alloy::primitives::{Address, B256, Bytes};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Accepted; nothing is signed.
    Prepared,
    /// The signed bytes are on disk; whether they were sent is not known.
    Signed,
    /// A node has taken them.
    Broadcast,
    /// In a block.
    Mined,
    /// In a block that stays: done.
    Final,
    /// It changed nothing and never will: done.
    Failed,
}

impl State {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Prepared, "prepared"),
        (Self::Signed, "signed"),
        (Self::Broadcast, "broadcast"),
        (Self::Mined, "mined"),
        (Self::Final, "final"),
        (Self::Failed, "failed"),
    ];

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    fn from_name(name: &str) -> Result<Self, OutboxError> {
        let found = Self::ALL.into_iter().find(|(_, known)| *known == name);
        found.map(|(state, _)| state).ok_or_else(|| damaged("a state", name))
    }

    /// Whether nothing more will happen.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Final | Self::Failed)
    }
}

/// What is to be sent: no value, ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The contract; `None` makes one.
    pub to: Option<Address>,
    /// Call data, or init code and arguments.
    pub data: Bytes,
}

/// Signed bytes of a job; it has several where the number was taken by somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Hash of the transaction.
    pub hash: B256,
    /// The sender's number of it.
    pub nonce: u64,
    /// What `eth_sendRawTransaction` takes.
    pub raw: Bytes,
}

/// A transaction in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Hash of the transaction.
    pub transaction: B256,
    /// Hash of its block.
    pub block_hash: B256,
    /// Number of its block.
    pub block_number: u64,
    /// Gas it cost.
    pub gas_used: u64,
    /// The contract it made.
    pub contract: Option<Address>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The caller's name for it.
    pub id: String,
    /// What it is to send.
    pub transaction: Transaction,
    /// How far it has come.
    pub state: State,
    /// Why it failed.
    pub reason: Option<String>,
    /// What was signed for it since it was last accepted, newest last.
    pub signed: Vec<Signed>,
    /// Where it was mined.
    pub receipt: Option<Receipt>,
}

const SCHEMA: &str = "
    CREATE TABLE chain (genesis BLOB NOT NULL) STRICT;
    CREATE TABLE job (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, recipient BLOB, data BLOB NOT NULL, state TEXT NOT NULL, reason TEXT,
        transaction_hash BLOB, block_hash BLOB, block_number INTEGER, gas_used INTEGER, contract BLOB
    ) STRICT;
    CREATE TABLE signed (
        number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, job TEXT NOT NULL REFERENCES job (id), nonce INTEGER NOT NULL, raw BLOB NOT NULL,
        live INTEGER NOT NULL DEFAULT 1 -- 0: of an attempt that failed
    ) STRICT;
    PRAGMA user_version = 1;
";

pub(super) struct Table(Connection);

impl Table {
    /// Opens the database and returns it with the genesis hash it is pinned to: `genesis` where it is new.
    pub(super) fn open(path: &Path, genesis: B256) -> Result<(Self, B256), OutboxError> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Signed bytes must be on disk, not in a cache, before they are sent.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            let first = connection.transaction()?;
            first.execute_batch(SCHEMA)?;
            first.execute("INSERT INTO chain (genesis) VALUES (?1)", [genesis.as_slice()])?;
            first.commit()?;
        } else if version != 1 {
            return Err(damaged("version 1", version));
        }
        let pinned: Vec<u8> = connection.query_row("SELECT genesis FROM chain", [], |row| row.get(0))?;
        Ok((Self(connection), bytes(&pinned)?))
    }

    pub(super) fn job(&self, id: &str) -> Result<Option<Job>, OutboxError> {
        let Some(found) = self.0.query_row("SELECT * FROM job WHERE id = ?1", [id], JobRow::read).optional()? else {
            return Ok(None);
        };
        let mut query =
            self.0.prepare_cached("SELECT hash, nonce, raw FROM signed WHERE job = ?1 AND live ORDER BY number")?;
        let rows = query
            .query_map([id], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?)))?;
        let mut signed = Vec::new();
        for row in rows {
            let (hash, nonce, raw) = row?;
            signed.push(Signed { hash: bytes(&hash)?, nonce: unsigned(nonce)?, raw: raw.into() });
        }
        found.into_job(signed).map(Some)
    }

    /// Ids of the jobs that are not done, oldest first.
    pub(super) fn pending(&self) -> Result<Vec<String>, OutboxError> {
        let mut query =
            self.0.prepare_cached("SELECT id FROM job WHERE state NOT IN ('final', 'failed') ORDER BY number")?;
        let ids = query.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Writes a new job, or a failed one anew.
    pub(super) fn prepare(&mut self, id: &str, transaction: &Transaction) -> Result<(), OutboxError> {
        let both = self.0.transaction()?;
        both.execute("UPDATE signed SET live = 0 WHERE job = ?1", [id])?;
        both.execute(
            "INSERT INTO job (id, recipient, data, state) VALUES (?1, ?2, ?3, 'prepared') ON CONFLICT (id) DO UPDATE SET
             recipient = ?2, data = ?3, state = 'prepared', reason = NULL,
             transaction_hash = NULL, block_hash = NULL, block_number = NULL, gas_used = NULL, contract = NULL",
            params![id, transaction.to.as_ref().map(|to| to.as_slice()), transaction.data.as_ref()],
        )?;
        Ok(both.commit()?)
    }

    pub(super) fn signed(&mut self, id: &str, signed: &Signed) -> Result<(), OutboxError> {
        let both = self.0.transaction()?;
        both.execute(
            "INSERT INTO signed (hash, job, nonce, raw) VALUES (?1, ?2, ?3, ?4)",
            params![signed.hash.as_slice(), id, signed_integer(signed.nonce)?, signed.raw.as_ref()],
        )?;
        both.execute("UPDATE job SET state = 'signed' WHERE id = ?1", [id])?;
        Ok(both.commit()?)
    }

    pub(super) fn set_state(&mut self, id: &str, state: State, reason: Option<&str>) -> Result<(), OutboxError> {
        self.0.execute("UPDATE job SET state = ?2, reason = ?3 WHERE id = ?1", params![id, state.name(), reason])?;
        Ok(())
    }

    pub(super) fn mined(&mut self, id: &str, receipt: &Receipt) -> Result<(), OutboxError> {
        self.0.execute(
            "UPDATE job SET state = 'mined', transaction_hash = ?2, block_hash = ?3, block_number = ?4, gas_used = ?5,
             contract = ?6 WHERE id = ?1",
            params![
                id,
                receipt.transaction.as_slice(),
                receipt.block_hash.as_slice(),
                signed_integer(receipt.block_number)?,
                signed_integer(receipt.gas_used)?,
                receipt.contract.as_ref().map(|contract| contract.as_slice()),
            ],
        )?;
        Ok(())
    }

    /// The number after the highest that was ever signed; 0 where none was.
    pub(super) fn next_nonce(&self) -> Result<u64, OutboxError> {
        let next: i64 = self.0.query_row("SELECT coalesce(max(nonce) + 1, 0) FROM signed", [], |row| row.get(0))?;
        unsigned(next)
    }

    /// How many transactions of the sender are in the chain at least, by what was seen mined.
    pub(super) fn mined_count(&self) -> Result<u64, OutboxError> {
        let query = "SELECT coalesce(max(nonce) + 1, 0) FROM signed JOIN job ON hash = transaction_hash
                     WHERE state IN ('final', 'failed')";
        unsigned(self.0.query_row(query, [], |row| row.get(0))?)
    }
}

/// A row as SQLite has it.
struct JobRow {
    id: String,
    recipient: Option<Vec<u8>>,
    data: Vec<u8>,
    state: String,
    reason: Option<String>,
    transaction: Option<Vec<u8>>,
    block_hash: Option<Vec<u8>>,
    block_number: Option<i64>,
    gas_used: Option<i64>,
    contract: Option<Vec<u8>>,
}

impl JobRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            recipient: row.get("recipient")?,
            data: row.get("data")?,
            state: row.get("state")?,
            reason: row.get("reason")?,
            transaction: row.get("transaction_hash")?,
            block_hash: row.get("block_hash")?,
            block_number: row.get("block_number")?,
            gas_used: row.get("gas_used")?,
            contract: row.get("contract")?,
        })
    }

    fn into_job(self, signed: Vec<Signed>) -> Result<Job, OutboxError> {
        let receipt = match (self.transaction, self.block_hash, self.block_number, self.gas_used) {
            (None, None, None, None) => None,
            (Some(transaction), Some(block_hash), Some(block_number), Some(gas_used)) => Some(Receipt {
                transaction: bytes(&transaction)?,
                block_hash: bytes(&block_hash)?,
                block_number: unsigned(block_number)?,
                gas_used: unsigned(gas_used)?,
                contract: self.contract.as_deref().map(bytes).transpose()?,
            }),
            _ => return Err(damaged("a whole receipt", "a part of one")),
        };
        let transaction = Transaction { to: self.recipient.as_deref().map(bytes).transpose()?, data: self.data.into() };
        let state = State::from_name(&self.state)?;
        if signed.is_empty() && matches!(state, State::Signed | State::Broadcast | State::Mined | State::Final) {
            return Err(damaged("signed bytes", "none"));
        }
        if receipt.is_none() && matches!(state, State::Mined | State::Final) {
            return Err(damaged("a receipt", "none"));
        }
        Ok(Job { id: self.id, transaction, state, reason: self.reason, signed, receipt })
    }
}

fn damaged(expected: &str, found: impl ToString) -> OutboxError {
    OutboxError::Damaged { what: format!("expected {expected}, found {}", found.to_string()) }
}

/// A fixed number of bytes: an address or a hash.
fn bytes<T: for<'a> TryFrom<&'a [u8]>>(stored: &[u8]) -> Result<T, OutboxError> {
    T::try_from(stored).map_err(|_| damaged("an address or a hash", format!("{} bytes", stored.len())))
}

fn unsigned(stored: i64) -> Result<u64, OutboxError> {
    u64::try_from(stored).map_err(|_| damaged("a number from 0 on", stored))
}

fn signed_integer(value: u64) -> Result<i64, OutboxError> {
    i64::try_from(value).map_err(|_| damaged("a number below 2^63", value))
}
