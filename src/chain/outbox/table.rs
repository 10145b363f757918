//! The outbox on disk: every change is one transaction that is synced before it counts.

use super::error::OutboxError;
use super::job::{Job, MinedTransaction, SignedTransaction, State};
use crate::contract::Transaction;
use alloy::primitives::B256;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

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
    /// Opens the database and returns it with the genesis hash it is pinned to: `genesis` where it
    /// is new.
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
            signed.push(SignedTransaction { hash: bytes(&hash)?, nonce: unsigned(nonce)?, raw: raw.into() });
        }
        found.into_job(signed).map(Some)
    }

    /// Ids of every job, oldest first.
    pub(super) fn all(&self) -> Result<Vec<String>, OutboxError> {
        let mut query = self.0.prepare_cached("SELECT id FROM job ORDER BY number")?;
        let ids = query.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
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

    /// Forgets a job of which nothing was ever signed; another one has failed for this reason.
    pub(super) fn forget(&mut self, id: &str, reason: &str) -> Result<(), OutboxError> {
        let query = "DELETE FROM job WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM signed WHERE job = ?1)";
        if self.0.execute(query, [id])? == 0 {
            self.set_state(id, State::Failed, Some(reason))?;
        }
        Ok(())
    }

    pub(super) fn signed(&mut self, id: &str, signed: &SignedTransaction) -> Result<(), OutboxError> {
        let both = self.0.transaction()?;
        // The same bytes may have been signed before: they are the newest again.
        both.execute(
            "INSERT OR REPLACE INTO signed (hash, job, nonce, raw) VALUES (?1, ?2, ?3, ?4)",
            params![signed.hash.as_slice(), id, signed_integer(signed.nonce)?, signed.raw.as_ref()],
        )?;
        both.execute("UPDATE job SET state = 'signed' WHERE id = ?1", [id])?;
        Ok(both.commit()?)
    }

    pub(super) fn set_state(&mut self, id: &str, state: State, reason: Option<&str>) -> Result<(), OutboxError> {
        self.0.execute("UPDATE job SET state = ?2, reason = ?3 WHERE id = ?1", params![id, state.name(), reason])?;
        Ok(())
    }

    pub(super) fn mined(&mut self, id: &str, receipt: &MinedTransaction) -> Result<(), OutboxError> {
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

    /// How many transactions of the sender are in the chain at least, by what was seen mined.
    pub(super) fn mined_count(&self) -> Result<u64, OutboxError> {
        let query = "SELECT coalesce(max(nonce) + 1, 0) FROM signed JOIN job ON hash = transaction_hash
                     WHERE state IN ('final', 'failed')";
        unsigned(self.0.query_row(query, [], |row| row.get(0))?)
    }

    /// Ids of the jobs that were seen mined for good with a number from `count` on, lowest first.
    pub(super) fn done_from(&self, count: u64) -> Result<Vec<String>, OutboxError> {
        let mut query = self.0.prepare_cached(
            "SELECT job.id FROM signed JOIN job ON hash = transaction_hash
             WHERE state IN ('final', 'failed') AND nonce >= ?1 ORDER BY nonce",
        )?;
        let ids = query.query_map([signed_integer(count)?], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Forgets where a job was mined. One that was done is sent again; one that failed stays so.
    pub(super) fn not_mined(&mut self, id: &str) -> Result<(), OutboxError> {
        self.0.execute(
            "UPDATE job SET state = CASE state WHEN 'final' THEN 'signed' ELSE state END, transaction_hash = NULL,
             block_hash = NULL, block_number = NULL, gas_used = NULL, contract = NULL WHERE id = ?1",
            [id],
        )?;
        Ok(())
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

    fn into_job(self, signed: Vec<SignedTransaction>) -> Result<Job, OutboxError> {
        let receipt = match (self.transaction, self.block_hash, self.block_number, self.gas_used) {
            (None, None, None, None) => None,
            (Some(transaction), Some(block_hash), Some(block_number), Some(gas_used)) => Some(MinedTransaction {
                transaction: bytes(&transaction)?,
                block_hash: bytes(&block_hash)?,
                block_number: unsigned(block_number)?,
                gas_used: unsigned(gas_used)?,
                contract: self.contract.as_deref().map(bytes).transpose()?,
            }),
            _ => return Err(damaged("a whole receipt", "a part of one")),
        };
        let transaction = Transaction { to: self.recipient.as_deref().map(bytes).transpose()?, data: self.data.into() };
        let state = State::from_name(&self.state).ok_or_else(|| damaged("a state", &self.state))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Bytes;

    fn open(folder: &Path) -> Table {
        Table::open(&folder.join("outbox.sqlite"), B256::ZERO).expect("a table").0
    }

    fn signed(nonce: u8) -> SignedTransaction {
        SignedTransaction { hash: B256::repeat_byte(nonce), nonce: nonce.into(), raw: Bytes::from(vec![nonce]) }
    }

    fn is_damaged(result: Result<impl Sized, OutboxError>) -> bool {
        matches!(result, Err(OutboxError::Damaged { .. }))
    }

    #[test]
    fn commits_are_synced() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = open(folder.path());
        let pragma = |name| table.0.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        assert_eq!(pragma("synchronous").expect("asked"), rusqlite::types::Value::Integer(2));
        assert_eq!(pragma("journal_mode").expect("asked"), rusqlite::types::Value::Text("wal".into()));
    }

    #[test]
    fn what_was_written_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = open(folder.path());
        let transaction = Transaction { to: None, data: Bytes::from_static(b"code") };
        assert_eq!(table.job("job").expect("read"), None);
        assert_eq!(table.mined_count().expect("read"), 0);
        table.prepare("job", &transaction).expect("written");
        table.signed("job", &signed(4)).expect("written");
        let receipt = MinedTransaction {
            transaction: signed(4).hash,
            block_hash: B256::repeat_byte(1),
            block_number: 7,
            gas_used: 8,
            contract: Some(alloy::primitives::Address::repeat_byte(2)),
        };
        table.mined("job", &receipt).expect("written");
        drop(table);

        let (mut table, genesis) =
            Table::open(&folder.path().join("outbox.sqlite"), B256::repeat_byte(9)).expect("a table");
        assert_eq!(genesis, B256::ZERO, "the pin is that of the first time");
        let job = table.job("job").expect("read").expect("there");
        assert_eq!((job.state, job.signed, job.receipt), (State::Mined, vec![signed(4)], Some(receipt)));
        assert_eq!((job.transaction, table.pending().expect("read")), (transaction.clone(), vec!["job".to_owned()]));
        assert_eq!(table.mined_count().expect("read"), 0);
        table.set_state("job", State::Failed, Some("why")).expect("written");
        assert_eq!((table.pending().expect("read"), table.mined_count().expect("read")), (vec![], 5));

        assert_eq!(table.done_from(4).expect("read"), ["job"]);
        assert!(table.done_from(5).expect("read").is_empty());
        table.not_mined("job").expect("written");
        let job = table.job("job").expect("read").expect("there");
        assert_eq!((job.state, job.receipt, table.mined_count().expect("read")), (State::Failed, None, 0));
        table.mined("job", &receipt).expect("written");
        table.set_state("job", State::Final, None).expect("written");
        table.not_mined("job").expect("written");
        assert_eq!(table.job("job").expect("read").expect("there").state, State::Signed);

        // Anew: what was signed before is not this attempt's.
        table.prepare("job", &transaction).expect("written");
        let job = table.job("job").expect("read").expect("there");
        assert_eq!((job.state, job.signed, job.receipt, job.reason), (State::Prepared, vec![], None, None));
    }

    #[test]
    fn a_job_of_which_nothing_was_signed_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = open(folder.path());
        for id in ["new", "signed"] {
            table.prepare(id, &Transaction { to: None, data: Bytes::new() }).expect("written");
        }
        table.signed("signed", &signed(1)).expect("written");
        // The same bytes once more are the same.
        table.signed("signed", &signed(1)).expect("written");
        table.forget("new", "why").expect("written");
        table.forget("signed", "why").expect("written");
        assert_eq!(table.job("new").expect("read"), None);
        let kept = table.job("signed").expect("read").expect("there");
        assert_eq!((kept.state, kept.reason.as_deref(), kept.signed.len()), (State::Failed, Some("why"), 1));
    }

    #[test]
    fn damage_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = open(folder.path());
        table.prepare("job", &Transaction { to: None, data: Bytes::new() }).expect("written");
        for state in ["signed", "final", "sent", ""] {
            table.0.execute("UPDATE job SET state = ?1", [state]).expect("written");
            assert!(is_damaged(table.job("job")), "{state}");
        }
        table.0.execute("UPDATE job SET state = 'prepared', recipient = x'0102'", []).expect("written");
        assert!(is_damaged(table.job("job")));
        table.0.execute("UPDATE job SET recipient = NULL, gas_used = 1", []).expect("written");
        assert!(is_damaged(table.job("job")));
        table.0.pragma_update(None, "user_version", 2).expect("written");
        drop(table);
        assert!(is_damaged(Table::open(&folder.path().join("outbox.sqlite"), B256::ZERO)));
    }

    #[test]
    fn every_state_has_its_name() {
        for state in [State::Prepared, State::Signed, State::Broadcast, State::Mined, State::Final, State::Failed] {
            assert_eq!(State::from_name(state.name()), Some(state));
        }
    }
}
