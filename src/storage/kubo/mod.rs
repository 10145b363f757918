//! IPFS nodes (Kubo) as a store: the same objects under the same addresses as in a folder.
//!
//! ```text
//! endpoint   a node's address, its token, the deadlines
//! rpc        one call: HTTP with deadlines, limits on answers, errors wherever Kubo puts them
//! calls      add, block/get, pin/.. and what they answer
//! node       one node: put and check, read block by block
//! reading    one object from the first node that has it right
//! replicas   how many nodes have it, and repairing that
//! moving     objects in and out as CAR files
//! health     what `medseal doctor` asks a node
//! ```
//! Nodes are not trusted: an object's address is computed here before it is sent, every block is
//! hashed after it came, and a node that put an object is asked for all of it before that counts.
//! An object lies at K nodes of N, each of which got it from us: they need not know each other.

mod calls;
mod endpoint;
mod error;
mod health;
mod moving;
mod node;
mod reading;
mod replicas;
mod rpc;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

pub use endpoint::{Deadlines, Endpoint, EndpointError, Token};
pub use error::IpfsError;
pub use health::Health;
pub use replicas::{Held, Repaired, Replica};

use self::node::{KuboNode, Object};
use super::unixfs::BlockWalk;
use super::{Cid, Digested, Length, MAX_OBJECT_BYTES, Observed, PinState, Store, StoreError};

/// How long a node that did not answer is asked last.
const AWAY: Duration = Duration::from_secs(30);

/// Called with warnings about nodes while the work goes on with others.
pub type Notice = Arc<dyn Fn(&str) + Send + Sync>;

/// Options of a store at IPFS nodes.
#[derive(Clone)]
pub struct KuboOptions {
    /// Where each one listens, and its token.
    pub nodes: Vec<(Endpoint, Option<Token>)>,
    /// At how many of them an object is kept.
    pub replicas: usize,
    /// How long they are waited for.
    pub deadlines: Deadlines,
    /// Called with warnings about nodes that do not answer or answer wrongly.
    pub notice: Notice,
}

impl fmt::Debug for KuboOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KuboOptions").field("nodes", &self.nodes).field("replicas", &self.replicas).finish()
    }
}

/// Why nodes cannot be a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KuboOptionsError {
    /// More replicas than nodes, or none.
    #[error("expected 1 to {nodes} replicas at {nodes} nodes, found {found}")]
    Replicas {
        /// How many nodes there are.
        nodes: usize,
        /// What was asked for.
        found: usize,
    },
    /// A node twice: two replicas there would be one.
    #[error("expected each node once, found one twice")]
    Twice,
}

/// Objects at IPFS nodes. A clone is the same store.
#[derive(Clone)]
pub struct KuboStore {
    nodes: Arc<KuboNodes>,
    /// Most bytes of an object that is put; a field so that tests need no 4 GiB.
    object_limit: u64,
}

struct KuboNodes {
    nodes: Vec<KuboNode>,
    replicas: usize,
    notice: Notice,
    /// Warnings that were given already: each is given once.
    said: Mutex<BTreeSet<String>>,
    /// Until when a node is asked last, by its number.
    away: Mutex<HashMap<usize, Instant>>,
}

impl KuboStore {
    /// Returns the store; asks no node anything yet.
    ///
    /// # Errors
    /// [`KuboOptionsError`].
    pub fn new(options: KuboOptions) -> Result<Self, KuboOptionsError> {
        let KuboOptions { nodes, replicas, deadlines, notice } = options;
        if replicas == 0 || replicas > nodes.len() {
            return Err(KuboOptionsError::Replicas { nodes: nodes.len(), found: replicas });
        }
        let names: BTreeSet<String> = nodes.iter().map(|(endpoint, _)| endpoint.to_string()).collect();
        if names.len() < nodes.len() {
            return Err(KuboOptionsError::Twice);
        }
        let nodes = nodes.into_iter().map(|(endpoint, token)| KuboNode::new(endpoint, token, deadlines)).collect();
        let nodes = KuboNodes { nodes, replicas, notice, said: Mutex::default(), away: Mutex::default() };
        Ok(Self { nodes: Arc::new(nodes), object_limit: MAX_OBJECT_BYTES })
    }

    /// At how many nodes an object is kept.
    pub fn replicas_wanted(&self) -> usize {
        self.nodes.replicas
    }

    /// The nodes' names, in the order of the settings.
    pub fn node_names(&self) -> Vec<String> {
        self.nodes.nodes.iter().map(|node| node.name().to_owned()).collect()
    }
}

impl fmt::Debug for KuboStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KuboStore")
            .field("nodes", &self.node_names())
            .field("replicas", &self.nodes.replicas)
            .finish_non_exhaustive()
    }
}

impl KuboNodes {
    /// All nodes in the order in which they are asked for an object: the same for the same object,
    /// so that objects are spread and found again; those that were away a moment ago come last.
    fn in_order(&self, cid: &Cid) -> Vec<(usize, &KuboNode)> {
        let (count, first) = (self.nodes.len(), usize::from(cid.digest()[0]));
        let mut nodes: Vec<_> = (0..count).map(|at| (first + at) % count).map(|at| (at, &self.nodes[at])).collect();
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.sort_by_key(|(at, _)| away.get(at).is_some_and(|until| *until > Instant::now()));
        nodes
    }

    /// Records whether a node failed, and warns of failures that others make up for.
    fn note(&self, at: usize, error: Option<&StoreError>) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(StoreError::Node { source, .. }) if source.is_away() => away.insert(at, Instant::now() + AWAY),
            _ => away.remove(&at),
        };
        drop(away);
        let Some(error) = error.filter(|error| self.nodes.len() > 1 && !matches!(error, StoreError::NotFound { .. }))
        else {
            return;
        };
        let text = self.nodes[at].describe(error);
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
            (self.notice)(&text);
        }
    }

    /// Puts an object at K nodes; for each that fails, at the next one.
    async fn place(&self, object: &Object<'_>) -> Result<(), StoreError> {
        let mut candidates = self.in_order(&object.cid).into_iter();
        let mut running = FuturesUnordered::new();
        running.extend(candidates.by_ref().take(self.replicas).map(|node| put(node, object)));
        let (mut held, mut failures) = (0, Failures::default());
        while let Some((at, node, result)) = running.next().await {
            self.note(at, result.as_ref().err());
            match result {
                Ok(()) => held += 1,
                Err(error) => {
                    failures.push(node, error);
                    running.extend(candidates.next().map(|node| put(node, object)));
                }
            }
        }
        self.enough(&object.cid, held, failures)
    }

    /// Says whether so many replicas are as many as wanted.
    fn enough(&self, cid: &Cid, held: usize, failures: Failures) -> Result<(), StoreError> {
        if held >= self.replicas {
            return Ok(());
        }
        let replicas = Box::new(TooFew { cid: *cid, wanted: self.replicas, found: held, failures });
        Err(match self.nodes.len() {
            1 => replicas.failures.into_first().unwrap_or(StoreError::NotFound { cid: *cid, block: *cid }),
            _ => StoreError::TooFewReplicas(replicas),
        })
    }
}

/// Puts an object at a node, and says which one that was.
async fn put<'n>(
    (at, node): (usize, &'n KuboNode),
    object: &Object<'_>,
) -> (usize, &'n KuboNode, Result<(), StoreError>) {
    (at, node, node.put(object).await)
}

impl Store for KuboStore {
    async fn put(&self, bytes: &[u8]) -> Result<Cid, StoreError> {
        let (limit, found) = (self.object_limit, bytes.len() as u64);
        if found > limit {
            return Err(StoreError::TooLarge { limit, found });
        }
        let object = Object::of(bytes);
        self.nodes.place(&object).await?;
        Ok(object.cid)
    }

    async fn get_of_length(&self, cid: &Cid, sha256: &[u8; 32], length: Length) -> Result<Vec<u8>, StoreError> {
        self.nodes.read(cid, Some(sha256), length).await
    }

    async fn get_by_address(&self, cid: &Cid, length: Length) -> Result<Vec<u8>, StoreError> {
        self.nodes.read(cid, None, length).await
    }

    async fn fetch_observed(&self, cid: &Cid) -> Result<Observed, StoreError> {
        let walk = self.nodes.observe(cid, || BlockWalk::observed(*cid), || BlockWalk::looking(*cid)).await?;
        Ok(walk.into_observed())
    }

    async fn digest_observed(&self, cid: &Cid, most: u64) -> Result<Digested, StoreError> {
        // Of the other nodes, too, no more is read than shows which of them are wrong.
        let look = || BlockWalk::looking(*cid).of_length(Length::AtMost(most));
        self.nodes.observe(cid, || BlockWalk::digesting(*cid, most), look).await?.into_digested()
    }

    async fn pin_state(&self, cid: &Cid) -> Result<PinState, StoreError> {
        let asked = self.nodes.nodes.iter().map(|node| node.is_pinned(cid));
        let (mut found, mut failures) = (0, Failures::default());
        for ((at, node), answer) in self.nodes.nodes.iter().enumerate().zip(join_all(asked).await) {
            self.nodes.note(at, answer.as_ref().err());
            match answer {
                Ok(pinned) => found += usize::from(pinned),
                Err(error) => failures.push(node, error),
            }
        }
        match found {
            0 if failures.is_empty() => Ok(PinState::Unpinned),
            0 => Err(failures.into_error(cid)),
            found if found >= self.nodes.replicas => Ok(PinState::Pinned),
            found => Ok(PinState::TooFew { found, wanted: self.nodes.replicas }),
        }
    }

    async fn remove(&self, cid: &Cid) -> Result<(), StoreError> {
        let asked = self.nodes.nodes.iter().map(|node| node.unpin(cid));
        let (mut removed, mut failures) = (false, Failures::default());
        for ((at, node), answer) in self.nodes.nodes.iter().enumerate().zip(join_all(asked).await) {
            self.nodes.note(at, answer.as_ref().err());
            match answer {
                Ok(pinned) => removed |= pinned,
                Err(error) => failures.push(node, error),
            }
        }
        match (failures.is_empty(), removed) {
            (false, _) => Err(failures.into_error(cid)),
            (true, false) => Err(StoreError::NotFound { cid: *cid, block: *cid }),
            (true, true) => Ok(()),
        }
    }
}

/// What went wrong at each node, by its name.
#[derive(Debug, Default)]
pub struct Failures(Vec<(String, StoreError)>);

impl Failures {
    fn push(&mut self, node: &KuboNode, error: StoreError) {
        self.0.push((node.name().to_owned(), error));
    }

    /// Whether nothing went wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each node that failed, and how.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &StoreError)> {
        self.0.iter().map(|(node, error)| (node.as_str(), error))
    }

    fn into_first(self) -> Option<StoreError> {
        self.0.into_iter().next().map(|(_, error)| error)
    }

    /// Several failures as one; the only one is itself.
    fn into_error(self, cid: &Cid) -> StoreError {
        match self.0.len() {
            1 => self.into_first().expect("one"),
            _ => StoreError::NoNode { cid: *cid, failures: self },
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (node, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}", node::describe(node, error))?;
        }
        Ok(())
    }
}

/// An object that lies at fewer nodes than it should.
#[derive(Debug)]
pub struct TooFew {
    /// The object.
    pub cid: Cid,
    /// At how many nodes it should lie.
    pub wanted: usize,
    /// At how many it lies, whole and pinned.
    pub found: usize,
    /// What went wrong at the others.
    pub failures: Failures,
}

impl fmt::Display for TooFew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cid, wanted, found, failures } = self;
        write!(f, "expected {cid} at {wanted} nodes, found it at {found}: {failures}")
    }
}
