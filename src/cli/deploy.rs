//! `medseal deploy`.

use super::actors::{DEVELOPMENT_CHAIN_ID, development_account};
use super::error::CliError;
use super::output::{Outcome, address};
use super::session::Session;
use super::settings::Settings;
use super::stdio::shown_path;
use crate::chain::{ChainError, Deployment, Profile, Registry, Submitted, Wallet, adopt, deploy};
use crate::contract::bindings::Role;
use crate::contract::{ConstructorArguments, InitialRole};
use crate::view::DeploymentView;
use alloy::primitives::{Address, B256};

/// Roles are given in the same transaction. On chain 31337, the development chain, without any of
/// these flags, "verifier", "kgc" and "admin" get them.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// First administrator, who gives and takes roles; may be a cold wallet [default: the deploying
    /// wallet]
    #[arg(long, value_name = "WALLET")]
    admin: Option<Address>,
    /// Wallets whose invalid verifications raise flags
    #[arg(long, value_name = "WALLET")]
    verifier: Vec<Address>,
    /// Wallets that confirm and dismiss flags
    #[arg(long, value_name = "WALLET")]
    arbiter: Vec<Address>,
    /// Wallets that can pause the registry
    #[arg(long, value_name = "WALLET")]
    pauser: Vec<Address>,
    /// Wallets that publish keys of Key Generation Centers
    #[arg(long, value_name = "WALLET")]
    kgc: Vec<Address>,
    /// Deploy nothing: write the deployment file of the contract that another tool (forge script, a
    /// wallet) deployed in this transaction
    #[arg(long, value_name = "HASH", conflicts_with_all = ["admin", "verifier", "arbiter", "pauser", "kgc"])]
    adopt: Option<B256>,
    /// Replace a deployment file whose contract is not on this chain
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "admin").await?;
    let path = Deployment::path(&session.deployments(), session.chain_id());
    let (deployment, already) = match args.adopt {
        Some(transaction) => (args.take_over(&session, transaction).await?, true),
        None => match args.deploy(&session).await? {
            Submitted::Mined(deployed) => deployed,
            Submitted::Printed(unsent) => return session.print([unsent]),
        },
    };
    let given = &deployment.arguments;
    let verb = if already { "is already" } else { "was" };
    let text = format!(
        "ImageRegistry {verb} deployed at {} on chain {} (block {}); administrator {}, {} roles given; written to {}",
        address(deployment.address),
        deployment.chain_id,
        deployment.block,
        address(given.admin),
        given.roles.len(),
        shown_path(&path)
    );
    Ok(Outcome::new(DeploymentView::new(&deployment, already, path.display().to_string()), text))
}

/// The deployment that stands already. A file without its contract is in the way, but for
/// development chains, which come and go.
async fn existing(session: &Session, force: bool) -> Result<Option<Deployment>, CliError> {
    let folder = session.deployments();
    let path = Deployment::path(&folder, session.chain_id());
    if !path.exists() {
        return Ok(None);
    }
    let deployment = Deployment::load(&folder, session.chain_id())?;
    match Registry::connect(session.rpc().clone(), &deployment, session.profile()).await {
        Ok(_) if !deployment.pins_blocks() => {
            let deployment = deployment.with_pins(session.rpc()).await?;
            deployment.save(&folder)?;
            Ok(Some(deployment))
        }
        Ok(_) => Ok(Some(deployment)),
        Err(error) if is_of_another_chain(&error) && (force || session.profile() == Profile::Development) => Ok(None),
        Err(error) if is_of_another_chain(&error) => Err(CliError::OutputExists { path }),
        Err(error) => Err(error.into()),
    }
}

/// Whether the contract of a deployment file was never made on this chain.
fn is_of_another_chain(error: &ChainError) -> bool {
    matches!(
        error,
        ChainError::NoContract { .. }
            | ChainError::WrongGenesis { .. }
            | ChainError::WrongBlock { .. }
            | ChainError::NoDeployment { .. }
    )
}

impl Args {
    /// The existing deployment, or a new one; whether it existed already.
    async fn deploy(&self, session: &Session) -> Result<Submitted<(Deployment, bool)>, CliError> {
        let wallet = session.signers(None)?.payer;
        let arguments = self.arguments(session.chain_id(), session.profile(), wallet.address());
        let mut outbox = session.outbox(&wallet).await?;
        if let Some(deployment) = existing(session, self.force).await? {
            self.check_given(session, &deployment).await?;
            return Ok(Submitted::Mined((deployment, true)));
        }
        tracing::info!("deploying from {}", address(wallet.address()));
        let deployed = deploy(session.rpc(), &mut outbox, &wallet, arguments).await?;
        if let Submitted::Mined(deployment) = &deployed {
            deployment.save(&session.deployments())?;
        }
        Ok(deployed.map(|deployment| (deployment, false)))
    }

    /// What another tool's transaction deployed, never over the file of another contract that
    /// stands.
    async fn take_over(&self, session: &Session, transaction: B256) -> Result<Deployment, CliError> {
        match existing(session, self.force).await? {
            Some(deployment) if deployment.transaction == transaction => return Ok(deployment),
            Some(_) => {
                let path = Deployment::path(&session.deployments(), session.chain_id());
                return Err(CliError::OutputExists { path });
            }
            None => {}
        }
        let deployment = adopt(session.rpc(), transaction).await?;
        deployment.save(&session.deployments())?;
        Ok(deployment)
    }

    /// The roles that were asked for.
    fn asked(&self) -> Vec<InitialRole> {
        let named = [
            (Role::Verifier, &self.verifier),
            (Role::Arbiter, &self.arbiter),
            (Role::Pauser, &self.pauser),
            (Role::Kgc, &self.kgc),
        ];
        let given = |(role, wallets)| {
            let wallets: &Vec<Address> = wallets;
            wallets.iter().map(move |wallet| InitialRole { role, wallet: *wallet }).collect::<Vec<_>>()
        };
        named.into_iter().flat_map(given).collect()
    }

    /// What the constructor is given.
    fn arguments(&self, chain_id: u64, profile: Profile, deployer: Address) -> ConstructorArguments {
        let (admin, roles) = (self.admin.unwrap_or(deployer), self.asked());
        // As for wallets: other development chains have the id of many a private network, where no
        // public key may get a role unasked.
        let is_ours = chain_id == DEVELOPMENT_CHAIN_ID && profile == Profile::Development;
        if self.admin.is_some() || !roles.is_empty() || !is_ours {
            return ConstructorArguments { admin, roles };
        }
        let account = |actor| Wallet::development(development_account(actor)?, chain_id).ok();
        let roles =
            [(Role::Verifier, "verifier"), (Role::Arbiter, "admin"), (Role::Pauser, "admin"), (Role::Kgc, "kgc")]
                .into_iter()
                .filter_map(|(role, actor)| Some(InitialRole { role, wallet: account(actor)?.address() }))
                .collect();
        ConstructorArguments { admin, roles }
    }

    /// A contract that is already deployed must have what was asked for: nothing of it is given
    /// silently, and nothing is left out.
    async fn check_given(&self, session: &Session, deployment: &Deployment) -> Result<(), CliError> {
        let registry = session.registry().await?;
        let address_of = address(deployment.address);
        if let Some(admin) = self.admin.filter(|admin| *admin != deployment.arguments.admin) {
            let found = address(deployment.arguments.admin);
            let message = format!("{address_of} was deployed with administrator {found}, not {}", address(admin));
            return Err(CliError::Settings { message });
        }
        for InitialRole { role, wallet } in self.asked() {
            if !registry.has_role(role, wallet).await? {
                let (role, wallet) = (role.name(), address(wallet));
                return Err(CliError::RoleMissing { registry: address_of, role, wallet });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_get_roles_unasked_on_the_development_chain_alone() {
        let (deployer, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let roles = |args: &Args, chain_id| args.arguments(chain_id, Profile::of(chain_id), deployer).roles;
        assert_eq!(roles(&Args::default(), 31337).len(), 4);
        for chain_id in [1337, 1, 12345] {
            assert_eq!(roles(&Args::default(), chain_id), [], "chain {chain_id}");
        }
        let network = Profile::Network { block_time_secs: 2 };
        assert_eq!(Args::default().arguments(31337, network, deployer).roles, [], "a network of the same id");
        assert_eq!(roles(&Args { admin: Some(other), ..Args::default() }, 31337), [], "somebody decides");
        let asked = Args { kgc: vec![other], ..Args::default() };
        assert_eq!(roles(&asked, 1337), [InitialRole { role: Role::Kgc, wallet: other }]);
        // A cold administrator and roles go together: the deployer gives them and keeps nothing.
        let cold = Args { admin: Some(other), ..asked }.arguments(1337, Profile::Development, deployer);
        assert_eq!((cold.admin, cold.roles.len()), (other, 1));
    }
}
