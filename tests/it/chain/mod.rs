//! The chain against a real anvil (`MEDSEAL_ANVIL`, the `PATH`, or where the scripts put it).

mod audit;
mod audit_lies;
mod audit_speed;
mod evidence;
mod failover;
mod faults;
pub(crate) mod history;
mod node;
mod outbox;
pub(crate) mod proxy;
mod quorum;
mod recovery;
mod refused;
mod registry;
mod release;
mod reorg;
mod ways;

use alloy::primitives::{Address, B256, Bytes};
use alloy::providers::{Provider, ProviderBuilder, RootProvider};
use alloy::sol_types::SolCall;
use std::path::Path;

use medseal::chain::{
    Deployment, DevNode, MinedTransaction, NodeOptions, Outbox, OutboxError, Profile, Registry, Rpc, Wallet, deploy,
};
use medseal::contract::bindings::IImageRegistry::{Registration, registerCall};
use medseal::contract::bindings::{IOpenZeppelin, Role};
use medseal::contract::{ConstructorArguments, Transaction};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const CHAIN_ID: u64 = 31337;

fn options() -> NodeOptions {
    NodeOptions { binary: std::env::var_os("MEDSEAL_ANVIL").map(PathBuf::from), ..Default::default() }
}

/// Wallet 0 deploys and is the administrator; the others are senders, readers and strangers.
pub(crate) fn wallet(index: usize) -> Wallet {
    Wallet::development(index, CHAIN_ID).expect("a development key")
}

/// A wallet's outbox. A process that another test starts holds every lock of this one for a moment:
/// until it is the program that it is to be.
pub(crate) async fn opened(folder: &Path, sender: Address, rpc: &Rpc) -> Result<Outbox, OutboxError> {
    for _ in 0..100 {
        match Outbox::open(folder, sender, rpc, Profile::Development).await {
            Err(OutboxError::Busy { .. }) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            opened => return opened,
        }
    }
    Outbox::open(folder, sender, rpc, Profile::Development).await
}

/// A node with the registry on it, and a folder for outboxes.
pub(crate) struct World {
    pub(crate) node: DevNode,
    pub(crate) rpc: Rpc,
    pub(crate) folder: tempfile::TempDir,
    deployment: Deployment,
    pub(crate) registry: Registry,
}

impl World {
    pub(crate) async fn start() -> Self {
        let node = DevNode::start(&options()).await.expect("anvil");
        let rpc = Rpc::new(&node.rpc_url()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let admin = wallet(0);
        let mut outbox = Outbox::open(folder.path(), admin.address(), &rpc, Profile::Development).await.unwrap();
        let arguments = ConstructorArguments { admin: admin.address(), roles: vec![] };
        let deployment = deploy(&rpc, &mut outbox, &admin, arguments).await.expect("deployed").mined().expect("sent");
        let registry = Registry::connect(rpc.clone(), &deployment, Profile::Development).await.expect("connected");
        Self { node, rpc, folder, deployment, registry }
    }

    pub(crate) async fn outbox(&self, wallet: &Wallet) -> Outbox {
        opened(self.folder.path(), wallet.address(), &self.rpc).await.expect("an outbox")
    }

    pub(crate) async fn send(
        &self,
        by: &Wallet,
        job: &str,
        call: &impl SolCall,
    ) -> Result<MinedTransaction, OutboxError> {
        self.outbox(by).await.send(&self.rpc, by, job, &self.registry.transaction(call)).await
    }

    async fn grant_role(&self, role: Role, account: Address) {
        let call = IOpenZeppelin::grantRoleCall { role: role.id(), account };
        self.send(&wallet(0), &format!("role:{role:?}:{account}"), &call).await.expect("role granted");
    }

    /// Registers an image of `sender` and returns its id.
    async fn register(&self, sender: &Wallet, salt: u8) -> B256 {
        let registration = registration(sender, salt);
        let call = registerCall { registration, signature: Bytes::new() };
        self.send(sender, &format!("register:{salt}"), &call).await.expect("registered");
        self.image_id(sender, salt)
    }

    pub(crate) fn image_id(&self, sender: &Wallet, salt: u8) -> B256 {
        medseal::envelope::image_id(CHAIN_ID, self.deployment.address, sender.address(), B256::repeat_byte(salt))
    }

    pub(crate) fn register_transaction(&self, sender: &Wallet, salt: u8) -> Transaction {
        self.registry.transaction(&registerCall { registration: registration(sender, salt), signature: Bytes::new() })
    }

    /// Asks the node something that the library has no need of.
    pub(crate) async fn raw(&self, method: &'static str, params: Value) -> Value {
        let provider: RootProvider =
            ProviderBuilder::new().disable_recommended_fillers().connect_http(self.node.rpc_url().parse().unwrap());
        provider.raw_request(method.into(), params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub(crate) async fn automine(&self, on: bool) {
        self.raw("evm_setAutomine", json!([on])).await;
    }

    pub(crate) async fn mine(&self) {
        self.raw("evm_mine", json!([])).await;
    }

    /// Transactions of `wallet` in the chain.
    pub(crate) async fn count(&self, wallet: &Wallet) -> u64 {
        let count = self.raw("eth_getTransactionCount", json!([wallet.address(), "latest"])).await;
        u64::from_str_radix(count.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    /// Anvil answers before it has mined what it was sent.
    pub(crate) async fn wait_for_count(&self, wallet: &Wallet, count: u64) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.count(wallet).await < count {
            assert!(Instant::now() < deadline, "{} has not sent {count} transactions", wallet.address());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Another program sends something with the same key.
    pub(crate) async fn spend_number(&self, wallet: &Wallet) {
        let sent = json!([{ "from": wallet.address(), "to": wallet.address(), "value": "0x1" }]);
        let before = self.count(wallet).await;
        self.raw("eth_sendTransaction", sent).await;
        self.wait_for_count(wallet, before + 1).await;
    }
}

/// A registration that the sender sends itself; `salt` tells one from another.
pub(crate) fn registration(sender: &Wallet, salt: u8) -> Registration {
    Registration {
        sender: sender.address(),
        salt: B256::repeat_byte(salt),
        contentHash: B256::repeat_byte(0xc0),
        headerHash: B256::repeat_byte(0x4e),
        size: 1000,
        cid: Bytes::from_static(&[1, 0x55, 0x12, 0x20]),
        capsulesHash: B256::repeat_byte(0xca),
        capsulesCid: Bytes::from_static(&[1, 0x55]),
        deadline: 0,
    }
}

/// The block time, for deadlines and expiries.
pub(crate) async fn block_time(registry: &Registry) -> u64 {
    registry.head(&medseal::clock::SystemClock).await.expect("a head").timestamp
}
