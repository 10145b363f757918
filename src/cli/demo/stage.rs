//! Where the demo plays: a chain of its own, the contract, the KGC, and a state folder for each
//! actor.

use crate::chain::{DevNode, NodeOptions, Outbox, Registry, Wallet};
use crate::cli::actors::DEVELOPMENT_CHAIN_ID;
use crate::cli::error::CliError;
use crate::cli::key_center::KeyCenter;
use crate::cli::output::{address, write_file};
use crate::cli::session::Session;
use crate::cli::settings::{Setting, Settings};
use crate::cli::{deploy, kgc, kgc_published, nodes};
use crate::contract::bindings::IImageRegistry::registerCall;
use crate::kgc::KeyCenters;
use crate::storage::LocalStore;
use std::path::Path;

/// The stage; the chain ends with it.
pub(super) struct Stage {
    settings: Settings,
    node: DevNode,
    registry: Registry,
    key_centers: KeyCenters<KeyCenter>,
}

/// Somebody with a state folder and a wallet.
pub(super) struct Actor {
    pub(super) session: Session,
    pub(super) wallet: Wallet,
    pub(super) outbox: Outbox,
}

impl Stage {
    /// Starts the chain, deploys, makes the KGC and publishes its key.
    pub(super) async fn set(settings: &Settings, out: &Path) -> Result<Self, CliError> {
        let options =
            NodeOptions { binary: settings.anvil(), chain_id: DEVELOPMENT_CHAIN_ID, ..NodeOptions::default() };
        let node = DevNode::start(&options).await?;
        let path = |name: &str| out.join(name).display().to_string();
        let mut settings = settings.clone();
        // Its store is its own: one of its acts is to change a byte on the disk.
        use Setting::{Actor, ChainId, DevAccount, IpfsApi, Keystore, PasswordFile, Profile, Replicas};
        for own in [Actor, ChainId, Profile, Keystore, PasswordFile, DevAccount, IpfsApi, Replicas] {
            settings = settings.without(own);
        }
        let settings = settings
            .with(Setting::RpcUrl, node.rpc_url())
            .with(Setting::Home, path("state"))
            .with(Setting::Deployments, path("deployments"))
            .with(Setting::KgcPasswordFile, path("kgc-passphrase"));
        write_passphrase(&settings)?;
        deploy::run(&deploy::Args::default(), &settings).await?;
        let keys = kgc::init(&settings, false)?;
        kgc_published::publish(&Session::connect(&settings, "kgc").await?, &keys.identity()).await?;
        let session = Session::connect(&settings, "kgc").await?;
        let registry = session.registry().await?;
        let key_centers = session.key_centers(&registry, None).await?;
        Ok(Self { settings, node, registry, key_centers })
    }

    pub(super) fn rpc_url(&self) -> String {
        self.node.rpc_url()
    }

    pub(super) fn registry_address(&self) -> String {
        address(self.registry.address())
    }

    /// The KGC: a process of its own in life, here asked by nothing but signed requests too.
    pub(super) fn key_centers(&self) -> &KeyCenters<KeyCenter> {
        &self.key_centers
    }

    /// An actor, with its own folder and wallet.
    pub(super) async fn actor(&self, name: &str) -> Result<Actor, CliError> {
        let session = Session::connect(&self.settings.clone().with(Setting::Actor, name), name).await?;
        let wallet = session.wallet()?;
        let outbox = session.outbox(&wallet).await?;
        Ok(Actor { session, wallet, outbox })
    }

    /// Chain and store, read afresh: nothing that an earlier act remembers is used.
    pub(super) async fn afresh(&self) -> Result<(Registry, LocalStore), CliError> {
        let session = Session::connect(&self.settings, "verifier").await?;
        Ok((session.registry().await?, nodes::local(&self.settings)?))
    }

    /// Sends a registration as it is given.
    pub(super) async fn register(&self, actor: &mut Actor, job: &str, call: &registerCall) -> Result<(), CliError> {
        let transaction = self.registry.transaction(call);
        actor.outbox.send(self.registry.rpc(), &actor.wallet, job, &transaction).await?;
        Ok(())
    }
}

/// A passphrase for the demo's KGC: 32 random bytes in hex.
fn write_passphrase(settings: &Settings) -> Result<(), CliError> {
    let path = settings.kgc_password_file().expect("set above");
    let mut random = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut()).expect("the operating system gives randomness");
    let text = zeroize::Zeroizing::new(alloy::hex::encode(*random));
    write_file(&path, text.as_bytes(), false)
}
