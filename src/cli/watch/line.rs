//! How a notification is written: a line for people, or a JSON object, which is also what is
//! delivered.

use super::kinds::{Kind, of_kinds};
use crate::chain::Registry;
use crate::cli::audit::spelled;
use crate::cli::stdio::{json_line, text_line};
use crate::view::{self, AnswerView, WatchedView};
use crate::watch::{Message, Notification};
use alloy::primitives::{Address, B256};
use serde_json::Value;
use std::cell::Cell;
use std::io::{Error, ErrorKind, Result};

/// Prints notifications on stdout, and queues those that are to be delivered.
pub(super) struct Lines {
    chain_id: u64,
    registry: Address,
    json: bool,
    /// Kinds that are printed; none for all.
    printed: Option<Vec<&'static str>>,
    /// Kinds that are delivered; none for all.
    delivered: Option<Vec<&'static str>>,
    receivers: Vec<&'static str>,
    counts: Cell<(u64, u64)>,
}

impl Lines {
    pub(super) fn new(
        registry: &Registry,
        json: bool,
        only: &[Kind],
        delivered: Option<Vec<&'static str>>,
        receivers: Vec<&'static str>,
    ) -> Self {
        let (chain_id, registry, printed) = (registry.chain_id(), registry.address(), of_kinds(only));
        Self { chain_id, registry, json, printed, delivered, receivers, counts: Cell::default() }
    }

    /// How many events were printed, and how many taken back.
    pub(super) fn counts(&self) -> (u64, u64) {
        self.counts.get()
    }

    pub(super) fn tell(&self, notification: Notification<'_>) -> Result<Message> {
        let result = match notification {
            Notification::Event { id, timed } => {
                let home = (self.chain_id, self.registry);
                view::json(WatchedView::new(home, id, &timed.event, (timed.seq, timed.time)))
            }
            Notification::Retracted { id, retracts, line } => retracted(id, retracts, line)?,
        };
        let (kind, back) = (result["kind"].as_str().unwrap_or_default(), result["type"] == "retracted");
        let is_in = |kinds: &Option<Vec<&str>>| kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        let recipients = if is_in(&self.delivered) { self.receivers.clone() } else { Vec::new() };
        let (shown, text) = (is_in(&self.printed), text(&result));
        let object = view::json(AnswerView::new("watch", result));
        let line = object.to_string();
        if shown {
            if self.json { json_line(&object) } else { text_line(&text) }?;
        }
        let (events, retracted) = self.counts.get();
        self.counts.set(if back { (events, retracted + 1) } else { (events + 1, retracted) });
        Ok(Message { line, recipients })
    }
}

/// The object of an event that is taken back.
fn retracted(id: B256, retracts: B256, line: &str) -> Result<Value> {
    let result = view::retracted(id, retracts, line)?;
    result.ok_or_else(|| Error::new(ErrorKind::InvalidData, "a line that is no object"))
}

/// Time, block, number, event, image, and what timed.
fn text(result: &Value) -> String {
    let text = |name: &str| result[name].as_str().unwrap_or_default();
    let number = |name: &str| result[name].as_u64().unwrap_or_default();
    let back = if text("type") == "retracted" { "RETRACTED " } else { "" };
    let image = if text("imageId").is_empty() { String::new() } else { format!("{}  ", text("imageId")) };
    format!(
        "{:<20}  {:>8}  {:>7}  {:<17}  {image}{back}{}",
        spelled(number("time")),
        number("block"),
        number("seq"),
        text("event"),
        text("what")
    )
}
