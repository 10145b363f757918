//! What a result looks like to a program, the same for `--json`, for webhooks and over HTTP.
//!
//! Made from the library's types by pure functions. Field names are camelCase. Addresses have their
//! EIP-55 checksum, hashes and bytes are 0x-hex, gas and 256-bit numbers are decimal text. What is
//! not there is null, never left out.

mod access;
mod answer;
mod audit;
mod capsules;
mod code;
mod described;
mod event;
mod evidence;
mod flag;
mod kgc;
mod kind;
mod measure;
mod outbox;
mod pins;
mod problem;
mod record;
mod registry;
mod sealed;
#[cfg(test)]
mod tests;
mod transaction;
mod values;
mod verification;
mod watch;

pub use access::{AccessView, GrantView, OperatorChangeView, OperatorView, RevocationView};
pub use answer::{AnswerView, ErrorView, RefusalView};
pub use audit::{AuditView, ListedView};
pub use capsules::{CapsulesAddedView, CapsulesRestoredView, CapsulesView, HolderView, ReaderKeyView};
pub use code::{Code, Meaning};
pub use described::{about, describe};
pub use event::{EventDetails, EventView};
pub use evidence::{CheckView, EvidenceView, flag_state, state_of};
pub use flag::{FlagDecisionView, FlagView, FlaggedView};
pub use kgc::{EpochView, KgcLogView, KgcView, LogAnchorView, OnChainView};
pub use kind::EventKind;
pub use measure::{KeyFiguresView, KeyReportView, MeasureView, PassedOverView};
pub use outbox::{JobEndView, OutboxView};
pub use pins::{FailureView, PinnedView, PinsView, RepairedView, ReplicaView, held};
pub use problem::Problem;
pub use record::{AnchoredView, ImageView};
pub use registry::{
    AdministeredView, AdministrationView, DeploymentView, RegistryStandingView, RoleChangeView, RoleView, RolesView,
    SourceView,
};
pub use sealed::{
    FailedFileView, LeftOutView, MaterializedListView, MaterializedView, OpenedView, SealedListView, SealedView,
};
pub use transaction::{ActView, ExplainedView, PrintedView, REQUEST_SCHEMA, RelayedView, RequestView, TransactionView};
pub use values::{Checksummed, Decimal, SCHEMA, address, flag_name, json, state_name};
pub use verification::{RecordedView, VerificationView};
pub use watch::{WatchEndView, WatchedView, retracted};
