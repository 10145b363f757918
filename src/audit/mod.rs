//! The audit: recomputes the hash chain over the registry's events (the audit trail) from its log,
//! and compares it with what the contract holds. An event that is missing, added or changed is
//! found.
//!
//! 'Word' is the audit trail's value after an event: the 32 bytes in the contract's storage slot 0.

mod checkpoint;
mod error;
mod follower;
mod kgc_log;
mod proof;
mod read;
mod run;
mod source;
mod storage;
mod summary;

pub use error::AuditError;
pub use follower::Follower;
pub use kgc_log::{AnchoredLogs, KgcLogReport};
pub use proof::{ProvenBlock, prove};
pub use read::{headers_to, log_ranges, logs_of};
pub use run::{
    AuditOptions, AuditProgress, AuditReport, AuditState, AuditedEvent, RestsOn, WINDOW_BLOCKS, audit, target,
};
pub use source::{SourceError, build};
pub use storage::Storage;
pub use summary::{OpenFlag, Summary, Tally, TimeLine};

#[cfg(test)]
mod tests;
