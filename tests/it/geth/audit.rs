//! An audit on Geth, whose storage roots are Ethereum's: the whole of the contract's storage
//! follows from its log.

use super::{CHAIN_ID, Geth, wallet};
use crate::chain::history::{Chain, history};
use crate::cli::program;
use alloy::sol_types::SolEventInterface;
use medseal::audit::{AuditOptions, audit};
use medseal::chain::{Outbox, Profile, Registry, deploy};
use medseal::contract::ConstructorArguments;
use medseal::contract::bindings::IImageRegistry::IImageRegistryEvents;
use serde_json::Value;

/// Events of the history at least, items included.
const EVENTS: u64 = 600;

#[test]
fn the_whole_storage_follows_from_the_log() {
    let Some(geth) = Geth::start() else { return };
    let (rpc, admin) = (&geth.rpc, wallet(0));
    let (deployment, audited, made) = geth.runtime.block_on(async {
        let mut outbox = Outbox::open(geth.folder.path(), admin.address(), rpc, Profile::Development).await.unwrap();
        let arguments = ConstructorArguments { admin: admin.address(), roles: vec![] };
        let deployment = deploy(rpc, &mut outbox, &admin, arguments).await.expect("deployed").mined().expect("sent");
        let registry = Registry::connect(rpc.clone(), &deployment, Profile::Development).await.expect("connected");
        let made = history(&registry, &geth.url, Chain::Geth, 0x6765_7468, EVENTS).await;
        let audited = audit(&registry, &AuditOptions::default(), |_| Ok(())).await.expect("complete");
        (deployment, audited, made)
    });
    assert!(audited.storage_proven, "{audited:?}");
    assert_eq!(audited.summary.total(), made);
    assert_eq!(audited.summary.events.len(), IImageRegistryEvents::COUNT, "{:?}", audited.summary.events);
    eprintln!("on geth: {made} events of all kinds, the storage root over all {} slots is the chain's", audited.slots);

    deployment.save(&geth.path("deployments")).expect("saved");
    let mut command = program(geth.folder.path());
    let run = command.env("ETH_RPC_URL", &geth.url).args(["audit", "--json"]).output().expect("it runs");
    let printed: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!(printed["result"]["storageProven"], true, "{printed}");
    assert_eq!((&printed["result"]["chainId"], &printed["result"]["seq"]), (&CHAIN_ID.into(), &audited.seq.into()));
}
