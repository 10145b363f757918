//! A key center's log against the chain: each line against the next, and all of them against every
//! head of it that was anchored.

use crate::contract::bindings::IImageRegistry::{IImageRegistryEvents as Event, LogAnchored};
use crate::kgc::{LogCheck, LogHead, check_log, release_log_id};
use alloy::primitives::{Address, B256};
use serde::Deserialize;

/// The heads of logs that were anchored on chain, in the order of their events.
#[derive(Debug, Default)]
pub struct AnchoredLogs(Vec<(B256, Address, LogHead)>);

/// What a log came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KgcLogReport {
    /// The log's name on chain.
    pub log_id: B256,
    /// The wallets that anchored it.
    pub anchored_by: Vec<Address>,
    /// How many heads of it were anchored.
    pub anchored: usize,
    /// What it holds, and what is wrong with it.
    pub check: LogCheck,
}

/// What a line says of its log.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    kgc_id: B256,
    log_id: Option<B256>,
}

impl AnchoredLogs {
    /// Takes note of an event of the registry.
    pub fn take(&mut self, event: &Event) {
        if let Event::LogAnchored(LogAnchored { kgc, logId, logSeq, logHead, .. }) = event {
            self.0.push((*logId, *kgc, LogHead { seq: *logSeq, head: *logHead }));
        }
    }

    /// Checks the text of a log; `None` where no line says whose log it is.
    pub fn check(&self, text: &[u8]) -> Option<KgcLogReport> {
        let lines = text.split(|byte| *byte == b'\n');
        let names: Vec<Names> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let log_id = names.iter().find_map(|names| names.log_id);
        let log_id = log_id.or_else(|| Some(release_log_id(names.first()?.kgc_id, "")))?;
        let own = || self.0.iter().filter(|(id, ..)| *id == log_id);
        // Each wallet's heads rise; those of several wallets are one log's as well.
        let mut anchors: Vec<LogHead> = own().map(|(.., head)| *head).collect();
        anchors.sort_by_key(|head| head.seq);
        let mut anchored_by: Vec<Address> = own().map(|(_, wallet, _)| *wallet).collect();
        anchored_by.sort_unstable();
        anchored_by.dedup();
        Some(KgcLogReport { log_id, anchored_by, anchored: anchors.len(), check: check_log(text, &anchors) })
    }
}
