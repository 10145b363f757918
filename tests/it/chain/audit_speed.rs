//! What an audit costs beyond reading the logs:
//! `cargo test --test it chain::audit_speed -- --ignored --nocapture`.

use super::World;
use super::history::{Chain, history};
use super::proxy::{Fault, proxy};
use alloy::providers::{Provider, ProviderBuilder, RootProvider};
use alloy::rpc::types::{Filter, Log};
use medseal::audit::{AuditOptions, audit};
use medseal::chain::{Profile, Registry, Rpc};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const EVENTS: u64 = 10_000;
const ROUNDS: usize = 15;

async fn audited(registry: &Registry) -> u64 {
    audit(registry, &AuditOptions::default(), |_| Ok(())).await.expect("complete").read
}

/// The questions for logs that an audit asks.
async fn questions(world: &World) -> Vec<Filter> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    let url = proxy(&world.node.rpc_url(), move |request| {
        if request["method"] == "eth_getLogs" {
            heard.lock().unwrap().push(serde_json::from_value(request["params"][0].clone()).unwrap());
        }
        Fault::None
    });
    let registry = Registry::connect(Rpc::new(&url).unwrap(), &world.deployment, Profile::Development).await.unwrap();
    audited(&registry).await;
    asked.lock().unwrap().clone()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn an_audit_takes_little_more_than_its_logs() {
    let world = World::start().await;
    let made = history(&world.registry, &world.node.rpc_url(), Chain::Anvil, 7, EVENTS).await;
    for blocks in [0_u64, 1_000] {
        // First with most events in the blocks that are read one by one, then with all of them
        // behind those.
        world.raw("anvil_mine", json!([format!("{blocks:#x}")])).await;
        let filters = questions(&world).await;
        let node: RootProvider =
            ProviderBuilder::new().disable_recommended_fillers().connect_http(world.node.rpc_url().parse().unwrap());
        let (mut alone, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let mut logs = 0;
            for filter in &filters {
                let found: Vec<Log> = node.get_logs(filter).await.unwrap();
                logs += found.len() as u64;
            }
            alone.push(start.elapsed());
            let start = Instant::now();
            let read = audited(&world.registry).await;
            whole.push(start.elapsed());
            assert_eq!((logs, read), (made, made));
        }
        let (alone, whole) = (median(alone), median(whole));
        eprintln!(
            "{made} events, {} questions for logs: the logs alone {} ms, the audit {} ms, {:.2} times as long (medians of {ROUNDS})",
            filters.len(),
            alone.as_millis(),
            whole.as_millis(),
            whole.as_secs_f64() / alone.as_secs_f64()
        );
    }
}
