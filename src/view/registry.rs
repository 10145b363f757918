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

/// The sources of the contract, compiled, are what is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceView {
    /// Null where no chain was asked.
    chain_id: Option<u64>,
    registry: Option<Checksummed>,
    /// Version of the compiler.
    solc: String,
    /// How many files were compiled.
    files: usize,
}

impl SourceView {
    /// So many files, compiled by `solc`, and the registry that runs them.
    pub fn new(solc: &str, files: usize, registry: Option<(u64, Address)>) -> Self {
        let (chain_id, registry) = registry.map(|(chain, address)| (chain, address.into())).unzip();
        Self { chain_id, registry, solc: solc.to_owned(), files }
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::{ActView, json};
    use super::*;
    use crate::contract::{ConstructorArguments, InitialRole};

    const HOME: (u64, Address) = (31337, Address::repeat_byte(0xde));

    pub(in crate::view) fn deployment() -> Deployment {
        let role = |role, byte| InitialRole { role, wallet: Address::repeat_byte(byte) };
        Deployment {
            schema: Default::default(),
            chain_id: 31337,
            address: Address::repeat_byte(0xde),
            genesis: Some(B256::repeat_byte(0x9e)),
            block: 3,
            block_hash: Some(B256::repeat_byte(0xb1)),
            transaction: B256::repeat_byte(0x7a),
            code_hash: B256::repeat_byte(0xc0),
            deployer: Address::repeat_byte(0xa1),
            arguments: ConstructorArguments {
                admin: Address::repeat_byte(0xad),
                roles: vec![role(Role::Verifier, 0xb2), role(Role::Kgc, 0xc3)],
            },
        }
    }

    #[test]
    fn the_registry_looks_as_it_always_did() {
        let audit = AuditHead { head: FixedBytes::repeat_byte(0xaa), seq: 7 };
        let successor = Address::repeat_byte(0xab);
        assert_eq!(
            json(RegistryStandingView::new(HOME, audit, None, None)).to_string(),
            concat!(
                r#"{"chainId":31337,"head":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","#,
                r#""pausedUntil":null,"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","seq":7,"#,
                r#""successor":null}"#,
            )
        );
        assert_eq!(
            json(RegistryStandingView::new(HOME, audit, Some(1_700_000_000), Some(successor))).to_string(),
            concat!(
                r#"{"chainId":31337,"head":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","#,
                r#""pausedUntil":1700000000,"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","seq":7,"#,
                r#""successor":"0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"}"#,
            )
        );
        assert_eq!(
            json(DeploymentView::new(&deployment(), true, "home/31337.json".to_owned())).to_string(),
            concat!(
                r#"{"address":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","#,
                r#""admin":"0xadADADadAdADAdadADADADadadADAdAdadaDAdAD","already":true,"block":3,"chainId":31337,"#,
                r#""codeHash":"0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","#,
                r#""file":"home/31337.json","roles":[{"role":"VERIFIER_ROLE","#,
                r#""wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"},{"role":"KGC_ROLE","#,
                r#""wallet":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"}],"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a"}"#,
            )
        );
    }

    #[test]
    fn roles_look_as_they_always_did() {
        let (admin, wallet) = (Address::repeat_byte(0xad), Address::repeat_byte(0xb2));
        let administration = AdministrationView::new(admin, Some((wallet, 1_700_000_000)));
        let roles = vec![RoleView::from((Role::Verifier, wallet)), RoleView::from((Role::Pauser, admin))];
        assert_eq!(
            json(RolesView { roles, administration }).to_string(),
            concat!(
                r#"{"administration":{"admin":"0xadADADadAdADAdadADADADadadADAdAdadaDAdAD","#,
                r#""next":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2","schedule":1700000000},"#,
                r#""roles":[{"role":"VERIFIER_ROLE","wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"},"#,
                r#"{"role":"PAUSER_ROLE","wallet":"0xadADADadAdADAdadADADADadadADAdAdadaDAdAD"}]}"#,
            )
        );
        let view = AdministeredView { administration: AdministrationView::new(admin, None) };
        assert_eq!(
            json(view).to_string(),
            concat!(
                r#"{"administration":{"admin":"0xadADADadAdADAdadADADADadadADAdAdadaDAdAD","next":null,"#,
                r#""schedule":null}}"#,
            )
        );
        let change = RoleChangeView { role: RoleView::from((Role::Arbiter, wallet)), given: false, already: true };
        assert_eq!(
            json(ActView::new(change, admin, admin, None)).to_string(),
            concat!(
                r#"{"already":true,"by":"0xadADADadAdADAdadADADADadadADAdAdadaDAdAD","gas":null,"given":false,"#,
                r#""relayer":null,"role":"ARBITER_ROLE","transaction":null,"#,
                r#""wallet":"0xb2b2b2b2b2B2b2B2B2b2b2B2B2b2B2B2b2b2b2b2"}"#,
            )
        );
    }
}
