//! What the outbox knows of a job.

use super::error::OutboxError;
use crate::contract::Transaction;
use alloy::primitives::{Address, B256, Bytes};

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

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(state, _)| state)
    }
}

/// Signed bytes of a job; it has several where a node refused them or the number was taken by
/// somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// Hash of the transaction.
    pub hash: B256,
    /// The sender's number of it.
    pub nonce: u64,
    /// What `eth_sendRawTransaction` takes.
    pub raw: Bytes,
}

/// A transaction in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinedTransaction {
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
    pub signed: Vec<SignedTransaction>,
    /// Where it was mined.
    pub receipt: Option<MinedTransaction>,
}

impl Job {
    /// What was signed last.
    pub(super) fn newest(&self) -> Result<&SignedTransaction, OutboxError> {
        let damaged = || OutboxError::Damaged { what: format!("job {} has no signed bytes", self.id) };
        self.signed.last().ok_or_else(damaged)
    }
}
