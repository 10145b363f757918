//! What long work says on stderr meanwhile.

use super::output::say;
use crate::chain::outbox::{Confirmation, Observer};
use crate::chain::{ReadObserver, Reading};
use std::time::Duration;

/// Says what the command waits for, at the start and every half minute.
pub(super) fn waiting_is_said() -> Observer {
    let said = std::sync::Mutex::new(None);
    std::sync::Arc::new(move |waiting: &Confirmation<'_>| {
        const EVERY_SECS: u64 = 30;
        let now = Some((waiting.job.to_owned(), waiting.block, waiting.since.as_secs() / EVERY_SECS));
        let mut said = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *said != now {
            let wanted = waiting.wanted.name();
            let reached = if waiting.reached == 0 { "none".to_owned() } else { format!("block {}", waiting.reached) };
            say(&format!("mined in block {}; waiting until it is {wanted} (so far {reached} is)", waiting.block));
            *said = now;
        }
    })
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
