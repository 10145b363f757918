//! The chain: nodes, wallets, the outbox that sends transactions, the client of `ImageRegistry` and
//! the development chain.
//!
//! Nodes are not trusted: the chain id and the hash of the contract's code are pinned, every call
//! has a deadline, and an answer that does not decode is an error. Transactions are only sent
//! through the [`Outbox`], which has their signed bytes on disk first.

mod deployed;
mod deployment;
mod error;
mod head;
mod keystore;
pub mod node;
mod node_state;
pub mod outbox;
mod quorum;
mod registry;
mod relay;
mod request_state;
mod rpc;
mod wallet;

pub use deployed::deployed_codes;
pub use deployment::{Deployment, DeploymentError, Schema, adopt, deploy};
pub use error::{ChainError, NodeFailure};
pub use head::{BLOCK_TIME_SECS, Head, Profile, Wait};
pub use keystore::BadParameter;
pub use node::{DevNode, NodeError, NodeOptions};
pub use outbox::{MinedTransaction, Outbox, OutboxError, Submitted, Unsent};
pub use quorum::{AgreedBlock, Quorum, QuorumError};
pub use registry::{BlockTimes, LogRange, LogRanges, READ_TIME, ReadBudget, ReadObserver, Reading, Registry};
pub use relay::{CheckedSignature, Payer, RelayError};
pub use request_state::RequestState;
pub use rpc::Rpc;
pub use wallet::{Passphrase, Wallet, WalletError, is_development_chain, sign};
