//! The watch: the registry's events as they come, each once, proved whole by the audit trail, across restarts of the node and of the
//! watcher. What was told of a block that the chain took back is taken back as well.

mod error;
mod id;
mod memory;
mod read;
mod watcher;

pub use error::WatchError;
pub use memory::{Delivery, Memory, Standing};
pub use watcher::{Round, Start, Watcher};

use crate::contract::{RegistryEvent, Trail};
use alloy::primitives::B256;

/// A block up to which everything was told, and the audit trail's word after its last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its number.
    pub block: u64,
    /// Its hash.
    pub hash: B256,
    /// The word.
    pub trail: Trail,
}

/// An event that followed from all before it, and after which nothing is missing.
#[derive(Debug, Clone)]
pub struct Happened {
    /// The event.
    pub event: RegistryEvent,
    /// Time of its block, unix seconds.
    pub time: u64,
    /// Its number; of an item of a batch, the number of its batch.
    pub seq: u64,
}

/// Something to tell.
#[derive(Debug)]
pub enum News<'a> {
    /// An event came.
    Event {
        /// Its id: the same for whoever sees this event in this block of this chain.
        id: B256,
        /// The event.
        happened: &'a Happened,
    },
    /// The chain took back the block of an event that was told.
    Retracted {
        /// An id of its own.
        id: B256,
        /// The event's id.
        retracts: B256,
        /// As it was noted when it was told.
        line: &'a str,
    },
}

/// What came of telling: what is remembered of it, and to whom it is still to be delivered.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// The event in the caller's words; they come back if it is retracted.
    pub line: String,
    /// Names of those who are to have the line.
    pub to: Vec<&'static str>,
}

/// Tells: on success the news is out, and will not be told again unless this process dies before it is noted.
pub type Tell<'a> = dyn FnMut(News<'_>) -> std::io::Result<Note> + 'a;
