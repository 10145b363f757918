//! What long work says on stderr meanwhile.

use super::output::say;
use crate::chain::outbox::{Confirmation, Observer, Waiting};
use crate::chain::{ReadObserver, Reading};
use std::time::Duration;

/// Says what the command waits for, at the start and every half minute.
pub(super) fn waiting_is_said() -> Observer {
    let said = std::sync::Mutex::new(None);
    std::sync::Arc::new(move |waiting: &Waiting<'_>| {
        const EVERY_SECS: u64 = 30;
        let (job, at, since) = match waiting {
            Waiting::Depth(Confirmation { job, block, since, .. }) => (job, block, since),
            Waiting::Foreign { job, nonce, since, .. } => (job, nonce, since),
        };
        let now = Some(((*job).to_owned(), *at, since.as_secs() / EVERY_SECS));
        let mut said = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *said != now {
            say(&said_of(waiting));
            *said = now;
        }
    })
}

fn said_of(waiting: &Waiting<'_>) -> String {
    match waiting {
        Waiting::Depth(Confirmation { block, wanted, reached, .. }) => {
            let wanted = wanted.name();
            let reached = if *reached == 0 { "none".to_owned() } else { format!("block {reached}") };
            format!("mined in block {block}; waiting until it is {wanted} (so far {reached} is)")
        }
        Waiting::Foreign { nonce, transaction, .. } => {
            let hash = transaction.map(|hash| format!(" ({hash})")).unwrap_or_default();
            format!(
                "transaction {nonce} of this wallet{hash} waits in the node's pool and is not from here: waiting for its block (--after-pending does not wait)"
            )
        }
    }
}

/// Says how far the reading of a log has come, once it takes long.
pub(super) fn reading_is_said() -> ReadObserver {
    /// Said after so long or so many requests, and then again after so long.
    const FIRST: Duration = Duration::from_secs(3);
    const REQUESTS: u64 = 500;
    const EVERY: Duration = Duration::from_secs(15);
    let said = std::sync::Mutex::new(None);
    std::sync::Arc::new(move |reading: &Reading| {
        let Reading { block, last, requests, since } = *reading;
        let mut said = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = match *said {
            None => since >= FIRST || requests >= REQUESTS,
            Some(before) => since >= EVERY + before,
        };
        if due {
            say(&format!("reading the log: block {block} of {last}, {requests} requests in {} s", since.as_secs()));
            *said = Some(since);
        }
    })
}
