//! The chain: the client of `ImageRegistry`, its typed data, wallets, the outbox and the development chain.
//!
//! Nothing here trusts a node's silence: the chain id and the hash of the contract's code are pinned, every call has a
//! deadline, and an answer that does not decode is an error. Transactions are only sent through the [`Outbox`], which
//! has their signed bytes on disk first.

mod artifact;
mod audit;
pub mod bindings;
mod calls;
mod deployment;
mod error;
mod events;
pub mod evidence;
mod head;
mod logged;
pub mod node;
pub mod outbox;
mod registry;
mod relay;
mod request;
mod revert;
mod rpc;
mod standing;
pub mod typed_data;
mod wallet;
pub mod watch;

pub use artifact::{Artifact, ArtifactError};
pub use audit::{
    Audit, AuditError, Audited, FlagOpen, Follower, Listed, Options as AuditOptions, Proven, Replayed,
    Step as AuditStep, Storage, Summary, Tally, TimeLine, Trail, WINDOW_BLOCKS, audit, replay,
};
pub use calls::{ABI_JSON, Call, CallError};
pub use deployment::{Arguments, Deployment, DeploymentError, InitialRole, Schema, adopt, deploy};
pub use error::{ChainError, ErrorKind, NodeFailure};
pub use events::{EventPlace, RegistryEvent};
pub use head::{BLOCK_TIME_SECS, Head, Profile, Wait};
pub use logged::{LoggedImage, Way, shortened, spelled_out};
pub use node::{DevNode, NodeError, NodeOptions};
pub use outbox::{Outbox, OutboxError, Receipt, Transaction};
pub use registry::Registry;
pub use relay::RelayError;
pub use request::{Request, RequestError, check_domain};
pub use revert::Revert;
pub use rpc::Rpc;
pub use standing::Standing;
pub use wallet::{Passphrase, Wallet, WalletError, is_development_chain};
