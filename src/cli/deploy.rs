//! `medseal deploy`.

use super::output::{Outcome, address, say};
use super::session::{Session, development_account};
use super::{CliError, Settings, Talk, node};
use crate::chain::bindings::{IOpenZeppelin::grantRoleCall, Role};
use crate::chain::{Deployment, Outbox, Profile, Registry, Wallet, deploy, is_development_chain};
use alloy::primitives::Address;
use serde_json::json;

/// Roles are given in the same step. On chain 31337, the development chain, without any of these flags, "verifier", "kgc" and "admin" get them.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// First administrator [default: the deploying wallet]
    #[arg(long, value_name = "WALLET")]
    admin: Option<Address>,
    /// Wallets whose invalid verifications raise flags
    #[arg(long, value_name = "WALLET")]
    verifier: Vec<Address>,
    /// Wallets that confirm and dismiss flags
    #[arg(long, value_name = "WALLET")]
    arbiter: Vec<Address>,
    /// Wallets that publish keys of Key Generation Centers
    #[arg(long, value_name = "WALLET")]
    kgc: Vec<Address>,
    /// Replace a deployment file whose contract is not on this chain
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "admin").await?;
    let wallet = session.wallet()?;
    let roles = args.roles(session.chain_id(), wallet.address())?;
    let mut outbox = session.outbox(&wallet).await?;
    let folder = session.deployments();
    let path = Deployment::path(&folder, session.chain_id());
    let (deployment, already) = match existing(&session, args.force).await? {
        Some(deployment) => (deployment, true),
        None => {
            if talk.verbose {
                say(&format!("deploying from {}", address(wallet.address())));
            }
            let admin = args.admin.unwrap_or(wallet.address());
            let deployment = deploy(session.rpc(), &mut outbox, &wallet, admin).await?;
            deployment.save(&folder)?;
            (deployment, false)
        }
    };
    let registry = Registry::connect(session.rpc().clone(), &deployment, Profile::of(session.chain_id())).await?;
    let mut granted = Vec::new();
    for (role, account) in roles {
        if grant_role(&registry, &mut outbox, &wallet, role, account).await? {
            granted.push(json!({ "role": role.name(), "wallet": address(account) }));
        }
    }
    let json = json!({
        "chainId": deployment.chain_id,
        "address": address(deployment.address),
        "block": deployment.block,
        "transaction": deployment.transaction,
        "codeHash": deployment.code_hash,
        "already": already,
        "rolesGranted": granted,
        "file": path.display().to_string(),
    });
    let verb = if already { "is already" } else { "was" };
    let text = format!(
        "ImageRegistry {verb} deployed at {} on chain {} (block {}); {} roles given; written to {}",
        address(deployment.address),
        deployment.chain_id,
        deployment.block,
        granted.len(),
        path.display()
    );
    Ok(Outcome::new(json, text))
}

/// The deployment that stands already. A file without its contract is in the way, but for development chains, which come and go.
async fn existing(session: &Session, force: bool) -> Result<Option<Deployment>, CliError> {
    let folder = session.deployments();
    let path = Deployment::path(&folder, session.chain_id());
    if !path.exists() {
        return Ok(None);
    }
    let deployment = Deployment::load(&folder, session.chain_id())?;
    match Registry::connect(session.rpc().clone(), &deployment, Profile::of(session.chain_id())).await {
        Ok(_) => Ok(Some(deployment)),
        Err(crate::chain::ChainError::NoContract { .. }) if force || is_development_chain(session.chain_id()) => {
            Ok(None)
        }
        Err(crate::chain::ChainError::NoContract { .. }) => Err(CliError::OutputExists { path }),
        Err(error) => Err(error.into()),
    }
}

impl Args {
    /// The roles to give. Only the administrator can: asked for, when another wallet is to be that, they are refused before anything is deployed.
    fn roles(&self, chain_id: u64, deployer: Address) -> Result<Vec<(Role, Address)>, CliError> {
        let named = [(Role::Verifier, &self.verifier), (Role::Arbiter, &self.arbiter), (Role::Kgc, &self.kgc)];
        let roles: Vec<_> =
            named.into_iter().flat_map(|(role, wallets)| wallets.iter().map(move |wallet| (role, *wallet))).collect();
        let foreign = self.admin.filter(|admin| *admin != deployer);
        if let (Some(admin), false) = (foreign, roles.is_empty()) {
            let message = format!("only {} can give roles: leave them out, or deploy with its wallet", address(admin));
            return Err(CliError::Settings { message });
        }
        // As for wallets: other development chains have the id of many a private network, where no public key may get a role unasked.
        if foreign.is_some() || !roles.is_empty() || chain_id != node::CHAIN_ID {
            return Ok(roles);
        }
        let account = |actor| Wallet::development(development_account(actor)?, chain_id).ok();
        Ok([(Role::Verifier, "verifier"), (Role::Arbiter, "admin"), (Role::Kgc, "kgc")]
            .into_iter()
            .filter_map(|(role, actor)| Some((role, account(actor)?.address())))
            .collect())
    }
}

/// Gives a role, unless the account has it; returns whether it did.
async fn grant_role(
    registry: &Registry,
    outbox: &mut Outbox,
    admin: &Wallet,
    role: Role,
    account: Address,
) -> Result<bool, CliError> {
    if registry.has_role(role, account).await? {
        return Ok(false);
    }
    let call = grantRoleCall { role: role.id(), account };
    // A role may be given again after it was taken away: the number of events so far makes the job another one.
    let (_, seq) = registry.audit().await?;
    let job = format!("role:{}:{account}:{seq}:{}", role.name(), registry.address());
    outbox.submit(registry.rpc(), admin, &job, &registry.transaction(&call)).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_get_roles_unasked_on_the_development_chain_alone() {
        let (deployer, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let roles = |args: &Args, chain_id| args.roles(chain_id, deployer).expect("no roles of another administrator");
        assert_eq!(roles(&Args::default(), 31337).len(), 3);
        for chain_id in [1337, 1, 12345] {
            assert_eq!(roles(&Args::default(), chain_id), [], "chain {chain_id}");
        }
        assert_eq!(roles(&Args { admin: Some(other), ..Args::default() }, 31337), [], "only the administrator can");
        let asked = Args { kgc: vec![other], ..Args::default() };
        assert_eq!(roles(&asked, 1337), [(Role::Kgc, other)]);
        let refused = Args { admin: Some(other), ..asked }.roles(1337, deployer);
        assert!(matches!(refused, Err(CliError::Settings { .. })));
    }
}
