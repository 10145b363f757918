//! What a KGC decides by: the chain as it is when the decision is made.

use super::proxy::{Fault, proxy};
use super::{World, wallet};
use medseal::chain::{Profile, Registry, Rpc};
use medseal::clock::SystemClock;
use medseal::contract::bindings::IImageRegistry::{grantCall, revokeCall};
use medseal::kgc::{ChainView, KgcKeys, os_random};
use medseal::pipeline::RegistryView;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Waits, at most 10 s, until a flag is set.
fn is_set(flag: &AtomicBool) -> bool {
    let start = Instant::now();
    while !flag.load(Ordering::SeqCst) && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(5));
    }
    flag.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_revocation_that_comes_while_the_log_is_read_counts() {
    let (world, sender, reader) = (World::start().await, wallet(1), wallet(2).address());
    let id = world.register(&sender, 7).await;
    let grant = grantCall { imageId: id, wallet: reader, expiry: u64::MAX };
    world.send(&sender, "grant", &grant).await.expect("granted");
    let (asked, revoked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let url = proxy(&world.node.rpc_url(), {
        let (asked, revoked) = (asked.clone(), revoked.clone());
        move |request| {
            if request["method"] == "eth_getLogs" {
                asked.store(true, Ordering::SeqCst);
                assert!(is_set(&revoked), "nobody revokes");
            }
            Fault::None
        }
    });
    let rpc = Rpc::new(&url).unwrap();
    let registry = Registry::connect(rpc, &world.deployment, Profile::Development).await.expect("connected");
    let view = RegistryView::new(registry, SystemClock);
    let revoking = async {
        while !asked.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.send(&sender, "revoke", &revokeCall { imageId: id, wallet: reader }).await.expect("revoked");
        revoked.store(true, Ordering::SeqCst);
    };
    let kgc = KgcKeys::generate(&mut os_random()).identity();
    let (standing, ()) = tokio::join!(view.access_state(id, reader, &kgc, None), revoking);
    let standing = standing.expect("an answer").expect("a plain wallet");
    assert_eq!(standing.access_expiry, 0);
    assert_eq!(standing.registration.expect("registered").sender, sender.address());
}
