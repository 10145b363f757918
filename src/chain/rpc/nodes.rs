//! Chooses the node that is asked. Of several, one is used as long as it answers, serves the pinned
//! chain and keeps up with the others; then the next one. No answer is used that is older than a
//! block that was seen already.

use super::super::error::{ChainError, NodeFailure};
use super::super::head::{AHEAD_SECS, most_blocks};
use super::node::{Node, NodeStatus, PinnedChain};
use crate::clock::{Clock, SystemClock};
use alloy::primitives::{Address, B256, Bytes};
use alloy::rpc::json_rpc::{RpcRecv, RpcSend};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Blocks that a node may be behind the best one.
const MOST_BEHIND: u64 = 3;
/// The heads of all nodes are compared this often.
const COMPARE: Duration = Duration::from_secs(3);
/// How long a node that failed is not used again.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// Deadline of each call of a comparison, shorter than that of other calls: dead nodes should not
/// delay it.
const STATUS_DEADLINE: Duration = Duration::from_secs(3);
/// Pause before nodes that are all a little behind are compared again.
const PAUSE: Duration = Duration::from_millis(200);
/// Once the node in use accepted a transaction, the others have this long to accept it too.
const SPREAD: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct NodePool {
    all: Vec<Node>,
    view: Mutex<PoolState>,
}

#[derive(Debug, Default)]
struct PoolState {
    pins: PinnedChain,
    /// The highest block number that an answer belonged to.
    seen: u64,
    /// Which node is asked.
    current: usize,
    compared: Option<Instant>,
    /// Why and when each node was given up, where it was.
    left: Vec<Option<(Instant, NodeFailure)>>,
}

/// The result of a comparison.
enum Choice {
    Node(usize),
    /// All are a little behind what was seen: the highest head among them.
    Behind(u64),
    None,
}

impl NodePool {
    pub(super) fn new(all: Vec<Node>) -> Self {
        let view = PoolState { left: vec![None; all.len()], ..PoolState::default() };
        Self { all, view: Mutex::new(view) }
    }

    pub(super) fn all(&self) -> &[Node] {
        &self.all
    }

    fn view(&self) -> MutexGuard<'_, PoolState> {
        // The state is consistent after each statement, so a panic elsewhere did not break it.
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nodes of other chains are not used.
    pub(super) fn pin_chain(&self, chain_id: u64) {
        let mut view = self.view();
        (view.pins.chain_id, view.compared) = (Some(chain_id), None);
    }

    /// From now on nodes whose block 0 is another are not used.
    pub(super) fn pin_genesis(&self, hash: B256) {
        let mut view = self.view();
        (view.pins.genesis, view.compared) = (Some(hash), None);
    }

    /// From now on nodes without this contract are not used.
    pub(super) fn pin_code(&self, address: Address, code_hash: B256) {
        let mut view = self.view();
        (view.pins.code, view.compared) = (Some((address, code_hash)), None);
    }

    /// Records the block that an answer belongs to. Returns `false` if the answer is older than an
    /// earlier one and must not be used.
    pub(super) fn saw(&self, number: u64) -> bool {
        if self.all.len() == 1 {
            return true;
        }
        let mut view = self.view();
        let goes_on = number >= view.seen;
        if goes_on {
            view.seen = number;
        } else {
            view.compared = None;
        }
        goes_on
    }

    /// The highest block number that an answer belonged to.
    pub(super) fn seen(&self) -> u64 {
        self.view().seen
    }

    pub(super) async fn ask<P: RpcSend, R: RpcRecv>(
        &self,
        deadline: Duration,
        method: &'static str,
        params: P,
    ) -> Result<R, ChainError> {
        if let [only] = &self.all[..] {
            return only.ask(deadline, method, params).await;
        }
        // Each round gives up a node, and one that was given up comes back at most a few times.
        for _ in 0..3 * self.all.len() {
            let index = self.choose(deadline).await?;
            match self.all[index].ask(deadline, method, params.clone()).await {
                Err(error) if is_the_nodes_fault(&error) => self.leave(index, &error),
                answer => return answer,
            }
        }
        Err(self.failures())
    }

    /// Sends a signed transaction to every usable node. The answer of the node in use counts; where
    /// it fails, another's.
    pub(super) async fn send(&self, deadline: Duration, raw: &[u8]) -> Result<(), ChainError> {
        let current = if self.all.len() == 1 { 0 } else { self.choose(deadline).await? };
        let usable: Vec<usize> = {
            let view = self.view();
            (0..self.all.len()).filter(|index| *index == current || view.left[*index].is_none()).collect()
        };
        let mut sending = JoinSet::new();
        for index in usable {
            let (node, raw) = (self.all[index].clone(), Bytes::copy_from_slice(raw));
            sending.spawn(async move {
                (index, node.ask::<_, B256>(deadline, "eth_sendRawTransaction", (raw,)).await.map(drop))
            });
        }
        let (mut word, mut taken) = (None, false);
        loop {
            let next = match tokio::time::timeout(if taken { SPREAD } else { 2 * deadline }, sending.join_next()).await
            {
                Ok(Some(next)) => next.expect("sending does not panic"),
                Ok(None) | Err(_) => break,
            };
            match next {
                (_, Ok(())) => taken = true,
                (index, Err(error)) => {
                    let faulty = is_the_nodes_fault(&error);
                    if faulty && self.all.len() > 1 {
                        self.leave(index, &error);
                    }
                    // The verdict of a node that read the transaction tells more than the failure
                    // of one that cannot be reached.
                    let better = match &word {
                        None => true,
                        Some((_, known_faulty)) => !faulty && (index == current || *known_faulty),
                    };
                    if better {
                        word = Some((error, faulty));
                    }
                }
            }
        }
        match word {
            _ if taken => Ok(()),
            Some((error, false)) => Err(error),
            Some((error, true)) if self.all.len() == 1 => Err(error),
            _ => Err(self.failures()),
        }
    }

    /// The node to be asked now.
    async fn choose(&self, deadline: Duration) -> Result<usize, ChainError> {
        let start = Instant::now();
        loop {
            {
                let view = self.view();
                if view.compared.is_some_and(|at| at.elapsed() < COMPARE) && view.left[view.current].is_none() {
                    return Ok(view.current);
                }
            }
            match self.compare(deadline).await {
                Choice::Node(index) => return Ok(index),
                Choice::Behind(found) if start.elapsed() >= deadline => {
                    return Err(ChainError::Behind { found, expected: self.view().seen });
                }
                Choice::Behind(_) => tokio::time::sleep(PAUSE).await,
                Choice::None => return Err(self.failures()),
            }
        }
    }

    /// Asks all nodes that were not given up just now, gives up those that do not answer, serve
    /// another chain or are far behind, and chooses one.
    async fn compare(&self, deadline: Duration) -> Choice {
        let pins = self.view().pins;
        let mut looking = JoinSet::new();
        for (index, node) in self.all.iter().enumerate() {
            let rests = |left: &(Instant, NodeFailure)| left.0.elapsed() < COOL_DOWN;
            if !self.view().left[index].as_ref().is_some_and(rests) {
                let (node, deadline) = (node.clone(), deadline.min(STATUS_DEADLINE));
                looking.spawn(async move { (index, node.status(deadline, pins).await) });
            }
        }
        let mut statuses: Vec<(usize, Result<NodeStatus, ChainError>)> = looking.join_all().await;
        statuses.sort_by_key(|(index, _)| *index);
        self.judge(statuses)
    }

    fn judge(&self, statuses: Vec<(usize, Result<NodeStatus, ChainError>)>) -> Choice {
        let mut view = self.view();
        let mut heads = Vec::new();
        for (index, status) in statuses {
            // Where nothing is pinned, the first node that answers sets what the others are
            // compared with.
            match status.and_then(|status| view.pins.admit(&status).map(|()| (status.head, status.time))) {
                Ok(head) => heads.push((index, head)),
                Err(error) => view.left[index] = Some((Instant::now(), self.failure(index, &error))),
            }
        }
        // A head that no chain reaches from that of another node would make that one seem behind.
        let lowest = heads.iter().map(|(_, head)| *head).min();
        heads.retain(|(index, (head, time))| {
            let now = SystemClock.unix_secs().saturating_add(AHEAD_SECS);
            let most = lowest.map_or(u64::MAX, |lowest| most_blocks(lowest, (*time).min(now)));
            let leaps = || ChainError::BadAnswer {
                method: "eth_getBlockByNumber",
                reason: format!("block {head} of time {time}: by another node there can be no block after {most}"),
            };
            if *head > most {
                view.left[*index] = Some((Instant::now(), self.failure(*index, &leaps())));
            }
            *head <= most
        });
        let mut heads: Vec<(usize, u64)> = heads.into_iter().map(|(index, (head, _))| (index, head)).collect();
        let Some(best) = heads.iter().map(|(_, head)| *head).max() else { return Choice::None };
        heads.retain(|(index, head)| {
            let keeps_up = head.saturating_add(MOST_BEHIND) >= best;
            let behind = || ChainError::Behind { found: *head, expected: best };
            view.left[*index] = (!keeps_up).then(|| (Instant::now(), self.failure(*index, &behind())));
            keeps_up
        });
        heads.retain(|(_, head)| *head >= view.seen);
        let chosen = heads.iter().find(|(index, _)| *index == view.current).or(heads.first()).copied();
        let Some((index, head)) = chosen else { return Choice::Behind(best) };
        (view.current, view.seen, view.compared) = (index, head, Some(Instant::now()));
        Choice::Node(index)
    }

    fn leave(&self, index: usize, error: &ChainError) {
        let failure = self.failure(index, error);
        self.view().left[index] = Some((Instant::now(), failure));
    }

    fn failure(&self, index: usize, error: &ChainError) -> NodeFailure {
        NodeFailure { endpoint: self.all[index].endpoint().to_owned(), kind: error.kind(), reason: error.to_string() }
    }

    /// Why no node can be used.
    fn failures(&self) -> ChainError {
        let left = &self.view().left;
        ChainError::NoNode { failures: left.iter().flatten().map(|(_, failure)| failure.clone()).collect() }
    }
}

/// Whether the fault is the node's, so that another node may succeed.
fn is_the_nodes_fault(error: &ChainError) -> bool {
    matches!(
        error,
        ChainError::Unreachable { .. }
            | ChainError::Timeout { .. }
            | ChainError::Busy { .. }
            | ChainError::BadAnswer { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(count: usize) -> NodePool {
        let url = |index| format!("http://127.0.0.1:{}", 1000 + index);
        NodePool::new((0..count).map(|index| Node::new(&url(index)).expect("a URL")).collect())
    }

    fn status(head: u64) -> Result<NodeStatus, ChainError> {
        Ok(NodeStatus { chain_id: 5, genesis: B256::ZERO, code_hash: None, head, time: 5 })
    }

    fn away() -> Result<NodeStatus, ChainError> {
        Err(ChainError::Unreachable { endpoint: "x".into(), reason: "connection refused".into() })
    }

    /// What is chosen: the number of a node; below zero, that they are all behind; nothing, if
    /// there is none.
    fn choice(nodes: &NodePool, statuses: Vec<Result<NodeStatus, ChainError>>) -> Option<i64> {
        match nodes.judge(statuses.into_iter().enumerate().collect()) {
            Choice::Node(index) => Some(i64::try_from(index).expect("small")),
            Choice::Behind(_) => Some(-1),
            Choice::None => None,
        }
    }

    #[test]
    fn the_first_that_keeps_up_is_asked_and_stays() {
        let nodes = nodes(3);
        assert_eq!(
            choice(&nodes, vec![status(96), status(97), status(100)]),
            Some(1),
            "3 blocks behind is near enough"
        );
        assert_eq!(
            choice(&nodes, vec![status(105), status(104), status(104)]),
            Some(1),
            "there is no reason to change"
        );
        assert_eq!(choice(&nodes, vec![status(109), status(105), status(104)]), Some(0), "it is 4 behind");
        assert_eq!(choice(&nodes, vec![away(), status(109), status(110)]), Some(1));
    }

    #[test]
    fn a_head_that_leaps_makes_nobody_seem_behind() {
        let nodes = nodes(3);
        for leap in [1_000_100, 1 << 47] {
            assert_eq!(choice(&nodes, vec![status(leap), status(100), status(101)]), Some(1), "{leap}");
        }
        let ChainError::NoNode { failures } = nodes.failures() else { panic!("another error") };
        assert!(failures[0].reason.contains("there can be no block after"), "{failures:?}");
        // In a hundred days a chain comes far: the others are behind.
        let later = |head| status(head).map(|status| NodeStatus { time: 5 + 8_640_000, ..status });
        assert_eq!(choice(&nodes, vec![status(100), later(1_000_100), status(101)]), Some(1));
    }

    #[test]
    fn answers_never_go_back() {
        let nodes = nodes(2);
        assert_eq!(choice(&nodes, vec![status(100), status(99)]), Some(0));
        assert!(nodes.saw(101));
        assert!(!nodes.saw(100), "an answer of an older block is not used");
        assert_eq!(choice(&nodes, vec![away(), status(100)]), Some(-1), "the other one must come so far first");
        assert_eq!(choice(&nodes, vec![away(), status(101)]), Some(1));
        assert_eq!(choice(&nodes, vec![away(), away()]), None);
    }

    #[test]
    fn a_node_of_another_chain_is_left_and_named() {
        let nodes = nodes(3);
        let other = |chain_id| status(500).map(|status| NodeStatus { chain_id, ..status });
        assert_eq!(choice(&nodes, vec![status(7), other(6), away()]), Some(0), "its height says nothing");
        let ChainError::NoNode { failures } = nodes.failures() else { panic!("another error") };
        let text: Vec<String> = failures.iter().map(ToString::to_string).collect();
        assert_eq!(text[0], "http://127.0.0.1:1001: expected chain id 5, found 6");
        assert!(text[1].starts_with("http://127.0.0.1:1002: no node reachable"), "{text:?}");
        let pinned = super::tests::nodes(2);
        pinned.pin_chain(6);
        assert_eq!(choice(&pinned, vec![status(7), other(6)]), Some(1), "the settings decide, not the order");
    }

    #[test]
    fn one_node_is_asked_whatever_it_says() {
        let only = nodes(1);
        assert!(only.saw(100) && only.saw(1));
    }
}
