//! Several nodes, none of which is believed alone.
//!
//! A block counts that `quorum` of them have under one hash; the header hashes to it, and what the
//! contract holds in it is proven from its state root, so that it does not matter which node says
//! so.

mod agree;
mod error;
mod nodes;

pub use error::QuorumError;

use crate::chain::error::ChainError;
use crate::chain::head::{Head, Profile};
use crate::chain::registry::Registry;
use crate::contract::prove_slots;
use crate::contract::slots::SlotKey;
use agree::{Counted, Search, Step, Vote, count, fault_of, safe};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::Header;
use nodes::Nodes;
use std::time::Duration;

/// How far a node may be from the others before it is named.
const MOST_APART: u64 = 2;
/// Deadline of each call to a node alone, which may be to read a log.
const ALONE: Duration = Duration::from_secs(5);
/// How often nodes are asked again that agree on a block older than one before, and the pause
/// between.
const ASKED: usize = 5;
const PAUSE: Duration = Duration::from_millis(200);
/// So many blocks before the newest one nodes should still prove what the contract held.
const OLD_PROOF: u64 = 16;

/// A block that enough nodes have.
#[derive(Debug, Clone)]
pub struct AgreedBlock {
    /// Its header, which hashes to its hash.
    pub header: Header,
    /// The block up to which grants count; none where too few nodes have named one so far.
    pub safe: Option<u64>,
    /// Our clock when the nodes were asked, unix seconds.
    asked_at: u64,
    /// The nodes that have it.
    by: Vec<usize>,
}

impl AgreedBlock {
    /// The same for the rules on how old it may be.
    pub fn head(&self) -> Head {
        let Header { hash, inner, .. } = &self.header;
        Head { number: inner.number, hash: *hash, timestamp: inner.timestamp, answered_at: self.asked_at }
    }
}

/// What a node says of its newest blocks.
struct Newest {
    latest: Header,
    safe: Option<u64>,
}

/// The registry as several nodes show it, `quorum` of which must agree.
#[derive(Debug)]
pub struct Quorum {
    nodes: Nodes,
    quorum: usize,
    profile: Profile,
    contract: (Address, B256),
    first_block: u64,
}

impl Quorum {
    /// The nodes of this client, of which `quorum` must agree. One that is named twice counts once.
    ///
    /// # Errors
    /// [`QuorumError::TooFew`], [`QuorumError::Alone`].
    pub fn new(registry: &Registry, quorum: usize) -> Result<Self, QuorumError> {
        let nodes = Nodes::of(registry);
        match (quorum, nodes.len()) {
            (0, nodes) | (1, nodes @ 2..) => Err(QuorumError::Alone { quorum, nodes }),
            (quorum, found) if found < quorum => Err(QuorumError::TooFew { quorum, nodes: nodes.names() }),
            _ => Ok(Self {
                nodes,
                quorum,
                profile: registry.profile(),
                contract: (registry.address(), registry.code_hash()),
                first_block: registry.first_block(),
            }),
        }
    }

    /// How many of how many nodes must agree.
    pub fn size(&self) -> (usize, usize) {
        (self.quorum, self.nodes.len())
    }

    /// Scheme, host and port of each node.
    pub fn names(&self) -> Vec<String> {
        self.nodes.names()
    }

    /// What is wrong with single nodes, each by its name.
    pub fn faults(&self) -> Vec<String> {
        self.nodes.faults()
    }

    /// The highest block that enough nodes have; never an older one than before. `now` is our
    /// clock, unix seconds.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn newest(&self, now: u64) -> Result<AgreedBlock, QuorumError> {
        let mut behind = (0, 0);
        for asked in 0..ASKED {
            if asked > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            // What another question finds meanwhile may be newer than what this one does.
            let expected = self.nodes.seen();
            let found = self.look(now).await?;
            if found.header.number >= expected {
                self.nodes.saw(found.header.number);
                return Ok(found);
            }
            behind = (found.header.number, expected);
            for node in found.by {
                self.nodes.is_apart(node, format!("it goes back to block {}, from {expected}", behind.0));
            }
        }
        Err(QuorumError::Behind { found: behind.0, expected: behind.1 })
    }

    async fn look(&self, asked_at: u64) -> Result<AgreedBlock, QuorumError> {
        let newest = self.ask_newest().await;
        let named: Vec<u64> = newest.iter().filter_map(|(_, newest)| newest.safe).collect();
        let heads: Vec<(usize, Header)> = newest.into_iter().map(|(node, newest)| (node, newest.latest)).collect();
        let silent = || QuorumError::Silent { quorum: self.quorum, answered: heads.len(), nodes: self.said(&heads) };
        let mut search = Search::new(heads.clone(), self.nodes.len(), self.quorum).ok_or_else(silent)?;
        let vote = loop {
            let number = search.number();
            let asked = self.blocks_of(number, &search.to_ask()).await;
            match search.take(&asked) {
                Step::Found(vote) => break *vote,
                Step::Lower(lower) => search = lower,
                Step::Nowhere => {
                    for (node, Header { hash, inner, .. }) in &heads {
                        self.nodes.is_apart(*node, format!("its newest block is {}, {hash}", inner.number));
                    }
                    return Err(QuorumError::Differ { quorum: self.quorum, nodes: self.said(&heads) });
                }
            }
        };
        self.name_those_apart(&vote, &heads);
        let number = vote.header.number;
        let safe =
            self.nodes.remember_safe(safe(named, self.quorum, number, self.profile)).filter(|safe| *safe <= number);
        Ok(AgreedBlock { header: vote.header, safe, asked_at, by: vote.by })
    }

    /// The newest block of each node that answers with one that can be.
    async fn ask_newest(&self) -> Vec<(usize, Newest)> {
        let is_network = self.profile != Profile::Development;
        let ask = move |node: Registry| async move {
            let latest = node.rpc().block(BlockNumberOrTag::Latest);
            if !is_network {
                return Ok(Newest { latest: latest.await?.header, safe: None });
            }
            let (latest, safe) = tokio::join!(latest, node.rpc().named(BlockNumberOrTag::Safe));
            let genuine = safe.ok().flatten().filter(|safe| fault_of(safe).is_none());
            Ok(Newest { latest: latest?.header, safe: genuine.map(|safe| safe.number) })
        };
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        let mut found = Vec::new();
        for (node, answer) in self.nodes.ask(&all, self.quorum, ask).await {
            let checked = answer.map_err(|error| error.to_string()).and_then(|newest| {
                let reach = self.nodes.at(node).check_reach(&newest.latest).map_err(|error| error.to_string());
                fault_of(&newest.latest).map_or(reach, Err).map(|()| newest)
            });
            match checked {
                Ok(newest) => {
                    self.nodes.is_well(node);
                    found.push((node, newest));
                }
                Err(reason) => self.nodes.is_at_fault(node, reason),
            }
        }
        found.sort_unstable_by_key(|(node, _)| *node);
        found
    }

    /// The blocks of this number that these nodes have in their chain.
    async fn blocks_of(&self, number: u64, nodes: &[usize]) -> Vec<(usize, Header)> {
        let ask = move |node: Registry| async move { node.rpc().named(BlockNumberOrTag::Number(number)).await };
        let answers = self.nodes.ask(nodes, self.quorum, ask).await;
        answers.into_iter().filter_map(|(node, answer)| Some((node, answer.ok().flatten()?))).collect()
    }

    /// What each node says, by its name.
    fn said(&self, heads: &[(usize, Header)]) -> Vec<String> {
        let faults = self.nodes.faults();
        let heads = heads
            .iter()
            .map(|(node, header)| format!("{}: block {} is {}", self.nodes.name(*node), header.number, header.hash));
        heads.chain(faults).collect()
    }

    fn name_those_apart(&self, vote: &Vote, heads: &[(usize, Header)]) {
        let (number, hash) = (vote.header.number, vote.header.hash);
        for (node, other) in &vote.others {
            self.nodes.is_apart(*node, format!("block {number} is {other} there, {hash} at the others"));
        }
        for (node, head) in heads.iter().filter(|(_, head)| head.number.abs_diff(number) > MOST_APART) {
            self.nodes.is_apart(*node, format!("its newest block is {}, that of the others {number}", head.number));
        }
    }

    /// The block of this number that enough nodes have.
    ///
    /// # Errors
    /// [`QuorumError::Differ`].
    pub async fn block(&self, number: u64) -> Result<AgreedBlock, QuorumError> {
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        let blocks = self.blocks_of(number, &all).await;
        match count(number, &blocks, self.quorum) {
            Counted::Block(vote) => Ok(AgreedBlock { header: vote.header, safe: None, asked_at: 0, by: vote.by }),
            Counted::None | Counted::Split => {
                Err(QuorumError::Differ { quorum: self.quorum, nodes: self.said(&blocks) })
            }
        }
    }

    /// The words that the contract's storage holds in these slots in this block, proven from its
    /// state root. Any node may say it.
    ///
    /// # Errors
    /// [`QuorumError::Unproven`].
    pub async fn words(&self, block: &AgreedBlock, slots: &[SlotKey]) -> Result<Vec<U256>, QuorumError> {
        let keys: Vec<B256> = slots.iter().map(|slot| slot.key()).collect();
        let mut wrong = Vec::new();
        for node in self.nodes.in_order(&block.by) {
            match self.words_of(node, &block.header, keys.clone()).await {
                Ok(words) => return Ok(words),
                Err(reason) => wrong.push(self.nodes.gave_no_proof(node, reason)),
            }
        }
        Err(QuorumError::Unproven { block: block.header.number, nodes: wrong })
    }

    async fn words_of(&self, node: usize, block: &Header, slots: Vec<B256>) -> Result<Vec<U256>, String> {
        let of = |reason: String| format!("its proof in block {}: {reason}", block.number);
        let rpc = self.nodes.at(node).rpc();
        let said =
            rpc.proof(self.contract.0, slots.clone(), block.hash).await.map_err(|error| of(error.to_string()))?;
        prove_slots(block.state_root, self.contract, &slots, &said).map_err(of)
    }

    /// The nodes that do not prove what the contract holds, each with the reason: in the newest
    /// block, and some blocks before.
    ///
    /// # Errors
    /// [`QuorumError`] if they do not agree on a block.
    pub async fn without_proofs(&self, now: u64) -> Result<Vec<String>, QuorumError> {
        let newest = self.newest(now).await?;
        let mut blocks = vec![newest];
        if let Some(older) = blocks[0].header.number.checked_sub(OLD_PROOF).filter(|older| *older > self.first_block) {
            blocks.push(self.block(older).await?);
        }
        let mut without = Vec::new();
        for node in 0..self.nodes.len() {
            for block in &blocks {
                if let Err(reason) = self.words_of(node, &block.header, vec![B256::ZERO]).await {
                    without.push(format!("{}: {reason}", self.nodes.name(node)));
                    break;
                }
            }
        }
        Ok(without)
    }

    /// Whether the contract at `wallet` takes the signature (ERC-1271) in the block with this hash,
    /// as enough nodes say.
    ///
    /// # Errors
    /// [`QuorumError::Differ`].
    pub async fn contract_takes(
        &self,
        block: B256,
        wallet: Address,
        digest: B256,
        signature: &[u8],
    ) -> Result<bool, QuorumError> {
        let signature = signature.to_vec();
        let ask = move |node: Registry| {
            let signature = signature.clone();
            async move { node.contract_takes(block, wallet, digest, &signature).await }
        };
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        let answers = self.nodes.ask(&all, self.quorum, ask).await;
        let say = |word: bool| answers.iter().filter(|(_, answer)| matches!(answer, Ok(said) if *said == word)).count();
        match (say(true) >= self.quorum, say(false) >= self.quorum) {
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            _ => Err(QuorumError::Differ { quorum: self.quorum, nodes: self.answers(&answers) }),
        }
    }

    fn answers(&self, answers: &[(usize, Result<bool, ChainError>)]) -> Vec<String> {
        let said = |(node, answer): &(usize, Result<bool, ChainError>)| match answer {
            Ok(taken) => {
                format!("{}: a signature is {}", self.nodes.name(*node), if *taken { "taken" } else { "refused" })
            }
            Err(error) => format!("{}: {error}", self.nodes.name(*node)),
        };
        answers.iter().map(said).collect()
    }

    /// The registry as each node alone shows it, one after the other, each with its place: where to
    /// look for what is then proven.
    pub fn alone(&self) -> Vec<(usize, Registry)> {
        let at = |node| (node, self.nodes.at(node).clone().with_deadline(ALONE));
        self.nodes.in_order(&[]).into_iter().map(at).collect()
    }

    /// Keeps in mind that what the node at this place said is not proven; returns what is told of
    /// it.
    pub fn is_unproven(&self, node: usize, reason: String) -> String {
        self.nodes.gave_no_proof(node, reason)
    }
}
