//! The nodes themselves: asking them all at once, and what is known of each.

use crate::chain::error::ChainError;
use crate::chain::registry::Registry;
use crate::http::is_this_machine;
use alloy::transports::http::reqwest::Url;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long one call may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// A node that was too slow last time is asked again, and waited for so long after the others.
const GRACE: Duration = Duration::from_millis(100);
/// How long a proof that does not hold is told of.
const TOLD: Duration = Duration::from_secs(60);

/// Nodes that differ, and what is known of each.
#[derive(Debug)]
pub(super) struct Nodes {
    all: Vec<Registry>,
    names: Vec<String>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The highest block that they agreed on.
    seen: u64,
    /// The last block that enough of them called safe.
    safe: Option<u64>,
    /// Which one is asked first for a proof.
    first: usize,
    each: Vec<NodeKnown>,
}

#[derive(Debug, Clone, Default)]
struct NodeKnown {
    /// Why it was of no use the last time, or how it differs from the others.
    fault: Option<String>,
    /// What was wrong with its last proof, and when.
    proof: Option<(Instant, String)>,
    slow: bool,
}

impl Nodes {
    pub(super) fn of(registry: &Registry) -> Self {
        let mut places: Vec<String> = Vec::new();
        let (mut all, mut names) = (Vec::new(), Vec::new());
        for node in registry.each() {
            let name = node.rpc().endpoint().to_owned();
            let place = place_of(&name);
            if !places.contains(&place) {
                places.push(place);
                names.push(name);
                all.push(node.with_deadline(DEADLINE));
            }
        }
        let known = Known { each: vec![NodeKnown::default(); all.len()], ..Known::default() };
        Self { all, names, known: Mutex::new(known) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What is known is whole after each statement, so a panic elsewhere did not break it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    pub(super) fn name(&self, node: usize) -> &str {
        &self.names[node]
    }

    pub(super) fn at(&self, node: usize) -> &Registry {
        &self.all[node]
    }

    /// All of them: these first, and of each the one whose last proof held before the others.
    pub(super) fn in_order(&self, before: &[usize]) -> Vec<usize> {
        let first = self.known().first;
        let mut order: Vec<usize> = (0..self.len()).map(|place| (first + place) % self.len()).collect();
        order.sort_by_key(|node| !before.contains(node));
        order
    }

    pub(super) fn seen(&self) -> u64 {
        self.known().seen
    }

    pub(super) fn saw(&self, number: u64) {
        let mut known = self.known();
        known.seen = known.seen.max(number);
    }

    /// Keeps the block that is called safe now; the last one, where none is.
    pub(super) fn remember_safe(&self, safe: Option<u64>) -> Option<u64> {
        let mut known = self.known();
        known.safe = safe.or(known.safe);
        known.safe
    }

    pub(super) fn is_well(&self, node: usize) {
        self.known().each[node].fault = None;
    }

    pub(super) fn is_at_fault(&self, node: usize, reason: String) {
        self.known().each[node].fault = Some(reason);
    }

    /// It answers, and yet it differs from the others.
    pub(super) fn is_apart(&self, node: usize, reason: String) {
        self.known().each[node].fault.get_or_insert(reason);
    }

    /// Its proof did not hold: the next one is asked first from now on. Returns what is said of it.
    pub(super) fn gave_no_proof(&self, node: usize, reason: String) -> String {
        let said = self.named(node, &reason);
        let mut known = self.known();
        known.each[node].proof = Some((Instant::now(), reason));
        known.first = (node + 1) % self.len();
        said
    }

    fn named(&self, node: usize, reason: &str) -> String {
        // Some reasons name the node themselves.
        let name = &self.names[node];
        if reason.contains(name) { reason.to_owned() } else { format!("{name}: {reason}") }
    }

    /// What is wrong with each, by its name.
    pub(super) fn faults(&self) -> Vec<String> {
        let known = self.known();
        let faults = known.each.iter().enumerate().flat_map(|(node, known)| {
            let proof = known.proof.as_ref().filter(|(at, _)| at.elapsed() < TOLD).map(|(_, reason)| reason);
            known.fault.iter().chain(proof).map(move |reason| self.named(node, reason))
        });
        faults.collect()
    }

    /// Asks these nodes at once, and waits for each that was in time the last time, or until
    /// `enough` of them have answered.
    pub(super) async fn ask<T: Send + 'static, F>(
        &self,
        nodes: &[usize],
        enough: usize,
        ask: impl Fn(Registry) -> F,
    ) -> Vec<(usize, Result<T, ChainError>)>
    where
        F: Future<Output = Result<T, ChainError>> + Send + 'static,
    {
        let slow: Vec<usize> = nodes.iter().copied().filter(|node| self.known().each[*node].slow).collect();
        let mut asking = JoinSet::new();
        for node in nodes.iter().copied() {
            let answer = ask(self.all[node].clone());
            asking.spawn(async move { (node, answer.await) });
        }
        let mut answers: Vec<(usize, Result<T, ChainError>)> = Vec::new();
        loop {
            let waiting = nodes.iter().filter(|node| !slow.contains(node) && !answers.iter().any(|at| at.0 == **node));
            let given = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
            let patience = if waiting.count() == 0 && given >= enough { GRACE } else { 2 * DEADLINE };
            let Ok(Some(next)) = tokio::time::timeout(patience, asking.join_next()).await else { break };
            // A question that panics is one without an answer.
            let Ok((node, answer)) = next else { continue };
            let is_slow = matches!(answer, Err(ChainError::Timeout { .. } | ChainError::Unreachable { .. }));
            self.known().each[node].slow = is_slow;
            answers.push((node, answer));
        }
        for node in nodes.iter().copied() {
            if !answers.iter().any(|(answered, _)| *answered == node) {
                let endpoint = self.names[node].clone();
                answers.push((node, Err(ChainError::Timeout { endpoint, method: "in time", after: DEADLINE })));
            }
        }
        answers
    }
}

/// What two names of one node have in common: host and port, this machine's names being one.
fn place_of(endpoint: &str) -> String {
    let Ok(url) = endpoint.parse::<Url>() else { return endpoint.to_owned() };
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    format!(
        "{}:{}",
        if is_this_machine(host) { "this machine" } else { host },
        url.port_or_known_default().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_is_known_by_all_its_names() {
        let same = [
            ("http://127.0.0.1:8545", "http://localhost:8545"),
            ("http://127.0.0.1:8545", "http://[::1]:8545"),
            ("https://node.example", "https://node.example:443"),
            ("https://node.example", "https://node.example."),
            ("http://node.example:443", "https://node.example"),
        ];
        for (one, other) in same {
            assert_eq!(place_of(one), place_of(other), "{one} {other}");
        }
        let different = [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8546"),
            ("https://a.example", "https://b.example"),
            ("http://10.0.0.1:8545", "http://127.0.0.1:8545"),
        ];
        for (one, other) in different {
            assert_ne!(place_of(one), place_of(other), "{one} {other}");
        }
        assert_eq!(same.len() + different.len(), 8);
    }
}
