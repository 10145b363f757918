//! The watch: reports each event of the registry once, in order, across restarts of the node and of
//! the watcher. The audit trail proves that none is missing. If the chain drops a block whose
//! events were reported, each of them is retracted.

mod error;
mod id;
mod memory;
mod read;
mod watcher;

pub use error::WatchError;
pub use memory::{DeliveryCounts, Memory};
pub use watcher::{Round, Start, Watcher};

use crate::contract::{RegistryEvent, Trail};
use alloy::primitives::B256;

/// How far the watch came: a block up to which every event was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Number of the block.
    pub block: u64,
    /// Hash of the block.
    pub hash: B256,
    /// The audit trail after the last event in or before the block.
    pub trail: Trail,
}

/// An event with its time, proven: it follows from all events before it.
#[derive(Debug, Clone)]
pub struct TimedEvent {
    /// The event as logged.
    pub event: RegistryEvent,
    /// Time of its block, unix seconds.
    pub time: u64,
    /// Its number in the registry, from 1 on; an item of a batch has the number of its batch.
    pub seq: u64,
}

/// What the watch reports.
#[derive(Debug)]
pub enum Notification<'a> {
    /// A new event.
    Event {
        /// The event's id: the same for everyone who sees this event in this block of this chain.
        id: B256,
        /// The event.
        timed: &'a TimedEvent,
    },
    /// The chain dropped the block of an event that was reported.
    Retracted {
        /// The retraction's own id.
        id: B256,
        /// Id of the retracted event.
        retracts: B256,
        /// The line of the [`Message`] that reported it.
        line: &'a str,
    },
}

/// The text of one notification, and who is to receive it.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// The notification as text; kept, and handed back if the event is retracted.
    pub line: String,
    /// Names of the receivers that the line is to be delivered to.
    pub recipients: Vec<&'static str>,
}

/// Prints a notification and returns its message. Once it succeeds the notification is not reported
/// again, unless the process dies before the message is stored.
pub type Reporter<'a> = dyn FnMut(Notification<'_>) -> std::io::Result<Message> + 'a;
