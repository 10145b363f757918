//! The registry as a whole: where it is, how it stands, who has which role in it.

use super::values::Checksummed;
use crate::chain::Deployment;
use crate::contract::AuditHead;
use crate::contract::bindings::Role;
use alloy::primitives::{Address, B256, FixedBytes};
use serde::Serialize;

/// How a registry stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryStandingView {
    chain_id: u64,
    registry: Checksummed,
    head: FixedBytes<26>,
    seq: u64,
    /// Unix seconds; null where it is not paused.
    paused_until: Option<u64>,
    /// Where new images go, if not here.
    successor: Option<Checksummed>,
}

impl RegistryStandingView {
    /// The registry at this address of a chain.
    pub fn new(
        (chain_id, registry): (u64, Address),
        AuditHead { head, seq }: AuditHead,
        paused_until: Option<u64>,
        successor: Option<Address>,
    ) -> Self {
        let (registry, successor) = (registry.into(), successor.map(Checksummed));
        Self { chain_id, registry, head, seq, paused_until, successor }
    }
}

/// A wallet with a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleView {
    role: &'static str,
    wallet: Checksummed,
}

impl From<(Role, Address)> for RoleView {
    fn from((role, wallet): (Role, Address)) -> Self {
        Self { role: role.name(), wallet: wallet.into() }
    }
}

/// Who has which role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RolesView {
    pub(crate) roles: Vec<RoleView>,
    pub(crate) administration: AdministrationView,
}

/// Who administers, and who is to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdministrationView {
    admin: Checksummed,
    /// Null, as the schedule is, where nothing is handed over.
    next: Option<Checksummed>,
    /// After which second the next one may accept.
    schedule: Option<u64>,
}

impl AdministrationView {
    /// The administrator, and the next one with the second after which it may accept.
    pub fn new(admin: Address, next: Option<(Address, u64)>) -> Self {
        let (next, schedule) = next.unzip();
        Self { admin: admin.into(), next: next.map(Checksummed), schedule }
    }
}

/// The administration after a step of its hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdministeredView {
    pub(crate) administration: AdministrationView,
}

/// A role that was given or taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleChangeView {
    #[serde(flatten)]
    pub(crate) role: RoleView,
    pub(crate) given: bool,
    /// Whether it stood so before.
    pub(crate) already: bool,
}

/// A registry that is deployed, with what its constructor was given.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentView {
    chain_id: u64,
    address: Checksummed,
    block: u64,
    transaction: B256,
    code_hash: B256,
    /// Whether it was there before.
    already: bool,
    admin: Checksummed,
    roles: Vec<RoleView>,
    file: String,
}

impl DeploymentView {
    /// The deployment that `file` describes.
    pub fn new(deployment: &Deployment, already: bool, file: String) -> Self {
        let given = &deployment.arguments;
        Self {
            chain_id: deployment.chain_id,
            address: deployment.address.into(),
            block: deployment.block,
            transaction: deployment.transaction,
            code_hash: deployment.code_hash,
            already,
            admin: given.admin.into(),
            roles: given.roles.iter().map(|given| RoleView::from((given.role, given.wallet))).collect(),
            file,
        }
    }
}
