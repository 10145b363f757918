//! Why several nodes together say nothing.

use crate::chain::ChainError;

/// Why several nodes together say nothing that can be gone by.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// The settings name too few nodes that differ.
    #[error("expected {quorum} different nodes or more, found {}: {}", nodes.len(), nodes.join(", "))]
    TooFew {
        /// How many must agree.
        quorum: usize,
        /// Those that differ.
        nodes: Vec<String>,
    },
    /// One node's word would be enough, or none's.
    #[error("expected a quorum of 2 or more of {nodes} nodes, found {quorum}: one node's word is not to be enough")]
    Alone {
        /// How many must agree.
        quorum: usize,
        /// How many there are.
        nodes: usize,
    },
    /// Too few nodes answered.
    #[error("{answered} of {quorum} nodes that must agree answer: {}", nodes.join("; "))]
    Silent {
        /// How many must agree.
        quorum: usize,
        /// How many answered.
        answered: usize,
        /// What each says.
        nodes: Vec<String>,
    },
    /// Not enough of them say the same.
    #[error("no {quorum} nodes say the same: {}", nodes.join("; "))]
    Differ {
        /// How many must agree.
        quorum: usize,
        /// What each says.
        nodes: Vec<String>,
    },
    /// The block that they agree on is older than one before.
    #[error("the nodes agree on block {found}, and they had agreed on block {expected} before")]
    Behind {
        /// The number of the block that they agree on.
        found: u64,
        /// The number of one before.
        expected: u64,
    },
    /// No node proves what it says.
    #[error("no node proves what the chain holds in block {block}: {}", nodes.join("; "))]
    Unproven {
        /// The block's number.
        block: u64,
        /// What is wrong with each.
        nodes: Vec<String>,
    },
    /// The block is too old.
    #[error(transparent)]
    Chain(#[from] ChainError),
}
