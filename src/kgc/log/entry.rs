//! What stands in the log: one JSON object a line.

use alloy::primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

use crate::kgc::names::{BootId, Decision};

/// How many entries a log has, and the head of the hash chain over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// How many.
    pub seq: u64,
    /// Zero before the first; then keccak256 of the head before and the keccak256 of the entry's
    /// line, without its end.
    pub head: B256,
}

impl LogHead {
    /// The head of a log without entries.
    pub const EMPTY: Self = Self { seq: 0, head: B256::ZERO };

    /// The head after one more line, without its end.
    pub fn after(self, line: &[u8]) -> Self {
        Self { seq: self.seq + 1, head: keccak256([self.head, keccak256(line)].concat()) }
    }
}

/// The name on chain of the log of one instance of a KGC; the empty name is that of the only one.
pub fn release_log_id(kgc_id: B256, instance: &str) -> B256 {
    keccak256([b"medseal/v1/release-log", kgc_id.as_slice(), instance.as_bytes()].concat())
}

/// One line: its place, and what it says.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    /// Its position, from 1.
    pub seq: u64,
    /// The head before it.
    pub prev: B256,
    /// Random: wallets and image ids are public, so a line's hash could be guessed without it.
    pub salt: String,
    #[serde(flatten)]
    pub entry: &'a LogEntry,
}

/// One entry. It holds no secret and no patient data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LogEntry {
    /// A process began to answer from this log.
    Opened {
        /// When, unix seconds.
        at: u64,
        /// Its name until it stops.
        boot: BootId,
        /// Version of the program.
        version: String,
        /// The KGC.
        kgc_id: B256,
        /// This log.
        log_id: B256,
        /// Id of the chain.
        chain_id: u64,
        /// The registry on it.
        registry: Address,
    },
    /// A process stopped as it should.
    Stopped {
        /// When, unix seconds.
        at: u64,
        /// Its name.
        boot: BootId,
    },
    /// A sender asked for a partial.
    Issue(Answered),
    /// A wallet asked for a key.
    Release(Answered),
}

/// What was asked, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// When, unix seconds.
    pub at: u64,
    /// Wallet that signed the request.
    pub wallet: Address,
    /// Image that it was about.
    pub image_id: B256,
    /// The request's EIP-712 digest.
    pub request_digest: B256,
    /// What came of it.
    pub decision: Decision,
    /// Why it was refused; empty where it was not.
    pub reason: String,
    /// Block by which it was decided; 0 where the chain gave none.
    pub block_number: u64,
    /// Hash of that block; 0 where the chain gave none.
    pub block_hash: B256,
    /// keccak256 of the sealed answer; 0 for a refusal.
    pub answer_hash: B256,
    /// The KGCs that were asked.
    pub kgc_set_hash: B256,
    /// The KGC that answered.
    pub kgc_id: B256,
    /// Epoch of its key.
    pub epoch: u32,
    /// Whether a contract said that the signature counts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub contract_wallet: bool,
    /// The process that answered.
    pub boot: BootId,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The first line of a log that begins anew, because the one before it was lost.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Continuation {
    /// When, unix seconds.
    pub at: u64,
    /// `continued`.
    pub kind: String,
    /// How many entries were there before it.
    pub seq: u64,
    /// Their head.
    pub head: B256,
}

impl Continuation {
    pub(super) const KIND: &'static str = "continued";

    /// Whether a log begins anew with this line.
    pub(super) fn is_one(line: &[u8]) -> bool {
        serde_json::from_slice::<Self>(line).is_ok_and(|line| line.kind == Self::KIND)
    }

    /// The head before a log whose first line this is.
    pub(super) fn before(line: &[u8]) -> LogHead {
        match serde_json::from_slice::<Self>(line) {
            Ok(Self { kind, seq, head, .. }) if kind == Self::KIND => LogHead { seq, head },
            _ => LogHead::EMPTY,
        }
    }
}
