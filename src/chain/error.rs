//! Errors of the chain and its nodes.

use crate::contract::bindings::IImageRegistry::IImageRegistryErrors as RegistryErrors;
use crate::contract::{ErrorKind, EventError, Revert};
use alloy::primitives::{Address, B256, Bytes};
use std::time::Duration;

/// Why one of several nodes is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFailure {
    /// Scheme, host and port.
    pub endpoint: String,
    /// Which kind of failure it is.
    pub kind: ErrorKind,
    /// The error's message.
    pub reason: String,
}

impl std::fmt::Display for NodeFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Some reasons name the node themselves.
        match self.reason.contains(&self.endpoint) {
            true => f.write_str(&self.reason),
            false => write!(f, "{}: {}", self.endpoint, self.reason),
        }
    }
}

/// Why there is no valid answer from the chain. Addresses of nodes are shown without user, password
/// and path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The text is not an HTTP URL.
    #[error("expected the http or https URL of a node: {reason}")]
    InvalidUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// No connection, or an HTTP error status.
    #[error("no node reachable at {endpoint}: {reason}")]
    Unreachable {
        /// Scheme, host and port.
        endpoint: String,
        /// What the transport says.
        reason: String,
    },
    /// The node took longer than the deadline of one call.
    #[error("the node at {endpoint} did not answer {method} within {} s", .after.as_secs_f32())]
    Timeout {
        /// Scheme, host and port.
        endpoint: String,
        /// What was asked.
        method: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// The node, or what stands before it, has no time now: HTTP status 429, 502, 503 or 504.
    #[error("the node at {endpoint} has no time for {method}: HTTP status {status}")]
    Busy {
        /// Scheme, host and port.
        endpoint: String,
        /// What was asked.
        method: &'static str,
        /// The HTTP status.
        status: u16,
        /// How long it wants to be let alone, if it says so.
        pause: Option<Duration>,
    },
    /// The answer is longer than any that we ask for.
    #[error("the node's answer to {method} is longer than {limit} bytes")]
    TooLong {
        /// What was asked.
        method: &'static str,
        /// Most bytes that are read.
        limit: usize,
    },
    /// None of several nodes can be used.
    #[error("no node can be used: {}", failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NoNode {
        /// Each node that was given up, and why.
        failures: Vec<NodeFailure>,
    },
    /// The node is behind a block that was seen before.
    #[error("the node is behind: its newest block is {found}, and block {expected} was seen before")]
    Behind {
        /// Its newest block.
        found: u64,
        /// The block that it should have.
        expected: u64,
    },
    /// The chain has made many blocks and calls none of them safe or final.
    #[error("the chain has no {tag} block at block {head}: {reason}")]
    NoFinality {
        /// `safe` or `finalized`.
        tag: String,
        /// Its newest block.
        head: u64,
        /// What the node says.
        reason: String,
    },
    /// The newest block, or the node's last answer, is too old to decide by.
    #[error("the node's view of the chain is {age_secs} s old, at most {allowed_secs} s are allowed")]
    Stale {
        /// Its age in seconds.
        age_secs: u64,
        /// Most seconds that the chain's profile allows.
        allowed_secs: u64,
    },
    /// The node serves another chain.
    #[error("expected chain id {expected}, found {found}")]
    WrongChain {
        /// The pinned id.
        expected: u64,
        /// The node's.
        found: u64,
    },
    /// The node serves a chain with the same id that began otherwise.
    #[error("another chain of the same id: expected block 0 {expected}, found {found}")]
    WrongGenesis {
        /// Hash of block 0 at the first node.
        expected: B256,
        /// This node's.
        found: B256,
    },
    /// The chain has another block where the deployment file has this one.
    #[error("another chain of the same id: expected block {block} to be {expected}, found {found}")]
    WrongBlock {
        /// Number of the block in which the contract was made.
        block: u64,
        /// Its hash, as pinned.
        expected: B256,
        /// Its hash at the node.
        found: B256,
    },
    /// The transaction that made the contract is not where the deployment file says.
    #[error("another chain of the same id: transaction {transaction} is not in block {block}")]
    NoDeployment {
        /// The transaction, as pinned.
        transaction: B256,
        /// The block, as pinned.
        block: u64,
    },
    /// The node's log is not of what the node says of the contract: something is kept back, or made
    /// up.
    #[error("the node contradicts itself about {what}: the contract says {contract}, the log {log}")]
    Contradicts {
        /// What of.
        what: &'static str,
        /// As the contract says.
        contract: u64,
        /// As follows from the log.
        log: u64,
    },
    /// The log is longer than what is read of one.
    #[error(
        "the log up to block {last} was given up at block {block}, after {requests} requests in {secs} s: that is no log of a registry, or a node without haste"
    )]
    OutOfBudget {
        /// The first block that was not read.
        block: u64,
        /// The last one that was to be read.
        last: u64,
        /// Requests until then.
        requests: u64,
        /// Seconds until then.
        secs: u64,
    },
    /// Nothing is deployed at the address.
    #[error("no contract at {address} on chain {chain_id}")]
    NoContract {
        /// Where it was expected.
        address: Address,
        /// On which chain.
        chain_id: u64,
    },
    /// Another contract is deployed at the address.
    #[error("contract at {address}: expected code hash {expected}, found {found}")]
    WrongContract {
        /// Where.
        address: Address,
        /// keccak256 of the code as pinned.
        expected: B256,
        /// keccak256 of the code that is there.
        found: B256,
    },
    /// The node asks for more than its own blocks bear out.
    #[error("the node asks for a {what} of {found} wei; its own blocks bear out {most} wei at most")]
    Fees {
        /// `base fee` or `tip`.
        what: &'static str,
        /// What the node says.
        found: u128,
        /// The most that is believed.
        most: u128,
    },
    /// This machine's clock and the chain's are too far apart to sign a time.
    #[error(
        "this machine's clock is {} s {} the chain: it says {local}, the newest block {block} (unix seconds), and at most {allowed_secs} s are allowed",
        local.abs_diff(*block), if local > block { "ahead of" } else { "behind" }
    )]
    Clock {
        /// This machine's time, unix seconds.
        local: u64,
        /// The chain's, unix seconds.
        block: u64,
        /// Most seconds between the two.
        allowed_secs: u64,
    },
    /// No such image in this registry.
    #[error("unknown image {image_id}")]
    UnknownImage {
        /// Its id.
        image_id: B256,
    },
    /// The contract refused.
    #[error("the contract refused: {0}")]
    Revert(Box<Revert>),
    /// The node answered with a JSON-RPC error that is not a revert.
    #[error("the node refused {method}: {message} ({code})")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// JSON-RPC error code.
        code: i64,
        /// The node's error message.
        message: String,
    },
    /// The node's answer does not decode, or contradicts the question.
    #[error("the node's answer to {method} is not valid: {reason}")]
    BadAnswer {
        /// What was asked.
        method: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
}

impl ChainError {
    /// The kind of failure, which decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Busy { .. } => ErrorKind::Unreachable,
            Self::Stale { .. } | Self::Behind { .. } => ErrorKind::Unreachable,
            Self::WrongChain { .. } | Self::NoContract { .. } | Self::WrongContract { .. } => ErrorKind::WrongChain,
            Self::WrongGenesis { .. } | Self::WrongBlock { .. } | Self::NoDeployment { .. } => ErrorKind::WrongChain,
            Self::OutOfBudget { .. } => ErrorKind::Unreachable,
            Self::NoNode { failures } => match failures.iter().any(|failure| failure.kind == ErrorKind::Unreachable) {
                false if !failures.is_empty() => ErrorKind::WrongChain,
                _ => ErrorKind::Unreachable,
            },
            Self::UnknownImage { .. } => ErrorKind::NotFound,
            Self::Revert(revert) => revert.kind(),
            Self::InvalidUrl { .. } | Self::Refused { .. } | Self::BadAnswer { .. } => ErrorKind::Failure,
            Self::NoFinality { .. } | Self::TooLong { .. } | Self::Contradicts { .. } => ErrorKind::Failure,
            Self::Fees { .. } | Self::Clock { .. } => ErrorKind::Failure,
        }
    }

    /// Whether the same question about fewer blocks may be answered: too many logs, or too long a
    /// wait for them. Nodes have no common word for it.
    pub(crate) fn asks_for_too_much(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Timeout { .. } | Self::TooLong { .. })
    }

    /// Compares what the contract says with what follows from its log.
    ///
    /// # Errors
    /// [`ChainError::Contradicts`].
    pub fn check_same(what: &'static str, contract: u64, log: u64) -> Result<(), Self> {
        if contract == log { Ok(()) } else { Err(Self::Contradicts { what, contract, log }) }
    }

    /// Whether the contract refused.
    pub(crate) fn is_revert(&self) -> bool {
        matches!(self, Self::Revert(_) | Self::UnknownImage { .. })
    }

    /// Whether the node tried a call that ran out of gas, or can't have as much.
    pub(crate) fn is_about_gas(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.to_lowercase().contains("gas"))
    }

    /// The typed revert, if that is what it is.
    pub fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Revert(revert) => Some(revert),
            _ => None,
        }
    }

    pub(super) fn from_revert(data: Bytes) -> Self {
        match Revert::decode(data) {
            Revert::Registry(RegistryErrors::UnknownImage(unknown)) => Self::UnknownImage { image_id: unknown.imageId },
            revert => Self::Revert(Box::new(revert)),
        }
    }
}

/// A node's log that is no event of the registry: its answer makes no sense.
impl From<EventError> for ChainError {
    fn from(error: EventError) -> Self {
        Self::BadAnswer { method: "eth_getLogs", reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::bindings::IImageRegistry::{NotSender, UnknownImage};
    use alloy::sol_types::SolError;

    #[test]
    fn kinds_follow_the_cause() {
        let image_id = B256::repeat_byte(1);
        let unknown = ChainError::from_revert(UnknownImage { imageId: image_id }.abi_encode().into());
        assert!(matches!(unknown, ChainError::UnknownImage { image_id: id } if id == image_id));
        assert_eq!(unknown.kind(), ErrorKind::NotFound);
        let not_sender = NotSender { imageId: image_id, caller: Address::ZERO };
        assert_eq!(ChainError::from_revert(not_sender.abi_encode().into()).kind(), ErrorKind::NotAuthorized);
        assert_eq!(ChainError::from_revert(Bytes::new()).kind(), ErrorKind::Failure);
    }
}
