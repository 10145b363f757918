//! What goes wrong in the outbox.

use crate::chain::error::ChainError;
use crate::chain::head::Wait;
use crate::contract::ErrorKind;
use crate::contract::RequestError;
use crate::contract::Revert;
use alloy::primitives::utils::format_ether;
use alloy::primitives::{Address, B256, U256};
use std::path::PathBuf;
use std::time::Duration;

/// Why a job did not end as a mined transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The node did not answer, or the contract refused before anything was sent.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The node serves another chain of the same id than when the outbox was opened.
    #[error("the node changed its chain: expected block 0 {expected}, found {found}")]
    ChainReset {
        /// Block 0 of the chain that the outbox is of.
        expected: B256,
        /// Block 0 of the chain that is there.
        found: B256,
    },
    /// The node counts fewer transactions of the wallet than it has receipts for.
    #[error(
        "the node contradicts itself: it counts {found} transactions of {sender}, and has the receipt of number {nonce}"
    )]
    Contradiction {
        /// Whose transactions.
        sender: Address,
        /// So many are there, it says.
        found: u64,
        /// A number that was used up.
        nonce: u64,
    },
    /// The transaction may cost more than its owner is ready to pay; nothing was signed.
    #[error(
        "job {job} may cost {} ETH ({gas} gas), at most {} ETH are allowed; nothing was signed",
        format_ether(*cost), format_ether(*ceiling)
    )]
    TooDear {
        /// The job.
        job: String,
        /// Wei that it may cost.
        cost: U256,
        /// Most wei that it may.
        ceiling: U256,
        /// Its gas.
        gas: u64,
    },
    /// The transaction takes more gas than its relayer is ready to pay; nothing was signed.
    #[error("job {job} may take {gas} gas, at most {cap} are allowed; nothing was signed")]
    TooMuchGas {
        /// The job.
        job: String,
        /// What it may take.
        gas: u64,
        /// Most that it may.
        cap: u64,
    },
    /// Another program sent a transaction of the same wallet, which waits in the node's pool.
    #[error(
        "transaction {nonce} of {sender}{} waits in the node's pool and is not from here: job {job} waited {} s for it and was not sent",
        transaction.map(|hash| format!(" ({hash})")).unwrap_or_default(), after.as_secs_f32()
    )]
    ForeignPending {
        /// Whose wallet.
        sender: Address,
        /// The job that waits.
        job: String,
        /// The number of the other transaction.
        nonce: u64,
        /// Its hash, where the node shows it.
        transaction: Option<B256>,
        /// The deadline.
        after: Duration,
    },
    /// The owner cancelled the job.
    #[error("job {job} was cancelled{}", transaction.map(|hash| format!(" by transaction {hash}")).unwrap_or_default())]
    Cancelled {
        /// The job.
        job: String,
        /// What took its number; none where it had none.
        transaction: Option<B256>,
    },
    /// The job is done, or failed: there is nothing to cancel and no price to change.
    #[error("job {job} is {state}: nothing of it waits for a block")]
    NotWaiting {
        /// The job.
        job: String,
        /// How far it has come.
        state: &'static str,
    },
    /// Another process writes with this wallet.
    #[error("outbox {} is in use by another process", path.display())]
    Busy {
        /// The outbox.
        path: PathBuf,
    },
    /// The outbox is of another wallet.
    #[error("this outbox is of {expected}, not of {found}")]
    WrongSender {
        /// Whose it is.
        expected: Address,
        /// Whose wallet was given.
        found: Address,
    },
    /// A transaction was to be sent with a wallet whose transactions are only printed.
    #[error("transactions of {wallet} are printed and never sent from here")]
    PrintsOnly {
        /// The wallet.
        wallet: Address,
    },
    /// A signature was given for an act that takes none.
    #[error("job {job} takes no signature: only a transaction of the one who acts does it")]
    NotSignable {
        /// The job.
        job: String,
    },
    /// A signature was given for an act of which no typed data was printed, or other typed data.
    #[error("no typed data was printed for {job} as things stand now")]
    NotPrinted {
        /// The job.
        job: String,
    },
    /// The signature that was given, or what it was to sign, is not taken.
    #[error(transparent)]
    Request(Box<RequestError>),
    /// The job was accepted before, with another transaction.
    #[error("job {job} was accepted before with another transaction")]
    JobConflict {
        /// The job.
        job: String,
    },
    /// There is no such job.
    #[error("no job {job}")]
    NoSuchJob {
        /// The job.
        job: String,
    },
    /// The transaction was mined and changed nothing.
    #[error("transaction {transaction} was reverted: {reason}")]
    Reverted {
        /// Its hash.
        transaction: B256,
        /// Why, as far as the node says.
        reason: Box<Revert>,
    },
    /// The job ended before, and changed nothing.
    #[error("job {job} failed: {reason}")]
    Failed {
        /// The job.
        job: String,
        /// Why.
        reason: String,
    },
    /// Twice somebody else sent a transaction with the number that was to be ours.
    #[error("transaction number {nonce} of {sender} was taken by another program that uses the same key")]
    NonceTaken {
        /// Whose key.
        sender: Address,
        /// Which number.
        nonce: u64,
    },
    /// The node does not take the transaction, at higher fees neither; the same job again tries it
    /// again.
    #[error(
        "the node refused transaction {transaction} (number {nonce}, signed {signings} times) of job {job}: {message} ({code})"
    )]
    Refused {
        /// The job.
        job: String,
        /// Hash of what was signed last.
        transaction: B256,
        /// Its number, which no other job can use.
        nonce: u64,
        /// So often the number was signed.
        signings: usize,
        /// JSON-RPC error code.
        code: i64,
        /// The node's words.
        message: String,
    },
    /// The wallet can't pay; the same job again goes on once it can.
    #[error(
        "{address} can't pay for job {job}{}: {message}", needed.map(|wei| format!(", which may cost {wei} wei")).unwrap_or_default()
    )]
    NoFunds {
        /// Whose money.
        address: Address,
        /// The job.
        job: String,
        /// Wei that it costs at most; not known before it is signed.
        needed: Option<U256>,
        /// The node's words.
        message: String,
    },
    /// An older job of the same wallet can't be sent, and transactions are mined in the order of
    /// their numbers.
    #[error("job {job} can't be mined before job {before} (transaction number {nonce})")]
    Behind {
        /// The job.
        job: String,
        /// The one that stands in front of it.
        before: String,
        /// Its number.
        nonce: u64,
        /// Why it can't be sent.
        source: Box<OutboxError>,
    },
    /// The transaction was sent and is not in a block yet; `resume` goes on.
    #[error(
        "transaction {transaction} of job {job} was sent and not mined within {} s{}", after.as_secs_f32(),
        before.as_ref().map(|before| format!("; job {before} stands in front of it")).unwrap_or_default()
    )]
    NotMined {
        /// The job.
        job: String,
        /// Its hash.
        transaction: B256,
        /// The job that must be mined before it.
        before: Option<String>,
        /// The deadline.
        after: Duration,
    },
    /// The transaction is in a block, which is not as deep in the chain as was waited for; `resume`
    /// goes on.
    #[error(
        "transaction {transaction} of job {job} is in block {block}, which is not {} after {} s: the newest that is so is {}",
        wanted.name(), after.as_secs_f32(), if *reached == 0 { "none".to_owned() } else { format!("block {reached}") }
    )]
    NotFinal {
        /// The job.
        job: String,
        /// Its hash.
        transaction: B256,
        /// Number of its block.
        block: u64,
        /// What was waited for.
        wanted: Wait,
        /// Number of the newest block that is so deep; 0 if none is.
        reached: u64,
        /// The deadline.
        after: Duration,
    },
    /// A file or folder can't be made.
    #[error("outbox {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database fails.
    #[error("the outbox's database")]
    Database(#[from] rusqlite::Error),
    /// The database holds what was never written.
    #[error("the outbox's database is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
}

impl OutboxError {
    /// What it means to whoever called.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Chain(error) => error.kind(),
            Self::Request(error) => error.kind(),
            Self::ChainReset { .. } => ErrorKind::WrongChain,
            Self::NotMined { .. } | Self::NotFinal { .. } | Self::ForeignPending { .. } => ErrorKind::Unreachable,
            Self::NoSuchJob { .. } => ErrorKind::NotFound,
            Self::Reverted { reason, .. } => reason.kind(),
            Self::Behind { source, .. } => source.kind(),
            _ => ErrorKind::Failure,
        }
    }

    /// The typed revert, before sending or in the block, if that is what it is.
    pub fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Chain(error) => error.revert(),
            Self::Reverted { reason, .. } => Some(reason),
            _ => None,
        }
    }
}
