//! Nodes that lie to whoever sends: about fees, gas, numbers, receipts, the chain. Nothing is
//! signed above the ceiling, and after each lie an honest node serves the same wallet: what was
//! asked for is done once, and nothing has to be moved away.

use super::rules::{Rule, base_fee, dropping, lies, rewards};
use crate::chain::proxy::proxy;
use crate::chain::{World, wallet};
use alloy::consensus::{TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::U256;
use medseal::chain::outbox::{FEE_CEILING, SignedTransaction, State};
use medseal::chain::{ChainError, Outbox, OutboxError, Rpc, Wallet};
use medseal::contract::ErrorKind;
use medseal::contract::bindings::IImageRegistry::setOperatorCall;
use std::time::Duration;

const ETHER: u64 = 1_000_000_000_000_000_000;
/// More than a registration costs on a chain of 2 gwei, and a hundredth of the ceiling.
const USUAL: u64 = ETHER / 100;

pub(super) fn decoded(signed: &SignedTransaction) -> TxEip1559 {
    TxEnvelope::decode_2718_exact(&signed.raw).unwrap().as_eip1559().expect("EIP-1559").tx().clone()
}

pub(super) fn cost(transaction: &TxEip1559) -> U256 {
    U256::from(transaction.gas_limit) * U256::from(transaction.max_fee_per_gas)
}

/// The outbox as a node shows it, with little patience.
pub(super) async fn outbox(world: &World, rpc: &Rpc, sender: &Wallet) -> Result<Outbox, OutboxError> {
    let outbox = crate::chain::opened(world.folder.path(), sender.address(), rpc).await?;
    Ok(outbox.with_mining_deadline(Duration::from_millis(50)))
}

/// Sends a registration through a node that lies; what is left of the job.
pub(super) async fn lied_to(
    world: &World,
    rule: Rule,
    sender: &Wallet,
    salt: u8,
) -> (Result<(), OutboxError>, Vec<SignedTransaction>) {
    let rpc = Rpc::new(&proxy(&world.node.rpc_url(), rule)).unwrap();
    let transaction = world.register_transaction(sender, salt);
    let mut outbox = match outbox(world, &rpc, sender).await {
        Ok(outbox) => outbox,
        Err(error) => return (Err(error), vec![]),
    };
    let sent = outbox.send(&rpc, sender, &format!("job {salt}"), &transaction).await;
    let signed = outbox.job(&format!("job {salt}")).unwrap().map_or_else(Vec::new, |job| job.signed);
    (sent.map(drop), signed)
}

/// The same job at the honest node: it is done, once.
pub(super) async fn served(world: &World, sender: &Wallet, salt: u8, lie: &str) {
    let transaction = world.register_transaction(sender, salt);
    let mut outbox = world.outbox(sender).await;
    for _ in 0..2 {
        // What the lie made of it may be told first.
        outbox.resume(&world.rpc, sender).await.unwrap_or_else(|error| panic!("{lie}: {error}"));
    }
    let sent = outbox.send(&world.rpc, sender, &format!("job {salt}"), &transaction).await;
    let receipt = sent.unwrap_or_else(|error| panic!("{lie}: {error}"));
    let events = world.registry.events(world.image_id(sender, salt)).await.unwrap();
    assert_eq!(events.len(), 1, "{lie}");
    let job = outbox.job(&format!("job {salt}")).unwrap().expect("known");
    assert_eq!((job.state, job.receipt), (State::Final, Some(receipt)), "{lie}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_lie_an_honest_node_serves_the_same_wallet() {
    let (world, sender) = (World::start().await, wallet(1));
    for (salt, (lie, rule)) in (1..).zip(lies()) {
        let before = world.rpc.balance(sender.address()).await.unwrap();
        let (told, signed) = lied_to(&world, rule, &sender, salt).await;
        for signed in &signed {
            assert!(cost(&decoded(signed)) <= FEE_CEILING, "{lie}: {signed:?}");
        }
        served(&world, &sender, salt, lie).await;
        let paid = before - world.rpc.balance(sender.address()).await.unwrap();
        assert!(paid < U256::from(USUAL), "{lie}: paid {paid} wei; {told:?}");
    }
    let open = world.outbox(&sender).await.jobs(false).unwrap();
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn a_price_that_the_chain_does_not_bear_out_is_not_signed() {
    let (world, sender) = (World::start().await, wallet(1));
    let lies = lies().into_iter().filter(|(lie, _)| {
        ["gas 0", "gas 2^64 - 1", "tip 0.1 ETH", "tip 2^128 - 1", "base fee 10^18"].contains(lie)
            || lie.ends_with("in the history") && !lie.contains("gwei")
    });
    for (salt, (lie, rule)) in (1..).zip(lies) {
        let (told, signed) = lied_to(&world, rule, &sender, salt).await;
        let told = told.expect_err(lie);
        let is_refused = match lie {
            "gas 0" | "gas 2^64 - 1" => {
                matches!(told, OutboxError::Chain(ChainError::BadAnswer { method: "eth_estimateGas", .. }))
            }
            "base fee 10^18" | "tip of 2^128 - 1 in the history" => {
                matches!(told, OutboxError::TooDear { ceiling, cost, .. } if ceiling == FEE_CEILING && cost > ceiling)
            }
            _ => matches!(told, OutboxError::Chain(ChainError::Fees { .. })),
        };
        assert!(is_refused, "{lie}: {told:?}");
        assert_eq!((told.kind(), signed), (ErrorKind::Failure, vec![]), "{lie}");
    }
    assert_eq!(world.count(&sender).await, 0);
}

#[tokio::test]
async fn the_ceiling_is_the_owners() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_fee_ceiling(U256::from(1));
    let dear = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
    let OutboxError::TooDear { cost, .. } = dear else { panic!("{dear}") };
    assert_eq!(outbox.job("job").unwrap(), None, "nothing is kept of it");
    outbox = outbox.with_fee_ceiling(cost - U256::from(1));
    let dear = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
    assert!(matches!(dear, OutboxError::TooDear { .. }), "{dear}");
    outbox.with_fee_ceiling(cost).send(&world.rpc, &sender, "job", &transaction).await.expect("it is enough");
}

/// A job waits for those with lower numbers, and for none behind it.
#[tokio::test]
async fn what_comes_after_a_job_does_not_hold_it_up() {
    let (world, sender) = (World::start().await, wallet(1));
    let call = setOperatorCall { operator: wallet(3).address(), allowed: false };
    let jobs = [("cheap", world.registry.transaction(&call)), ("dear", world.register_transaction(&sender, 7))];
    let mut outbox = world.outbox(&sender).await;
    let mut costs = vec![];
    for (job, transaction) in &jobs {
        costs.push(outbox.quote(&world.rpc, job, transaction).await.unwrap().1);
        outbox.prepare(job, transaction).unwrap();
        outbox.step(&world.rpc, &sender, job).await.unwrap();
    }
    assert!(costs[0] < costs[1], "{costs:?}");
    outbox = outbox.with_fee_ceiling(costs[0]);
    outbox.send(&world.rpc, &sender, "cheap", &jobs[0].1).await.expect("its own cost is below the ceiling");
    let dear = outbox.send(&world.rpc, &sender, "dear", &jobs[1].1).await.unwrap_err();
    assert!(matches!(dear, OutboxError::TooDear { .. }), "{dear}");
    assert_eq!(world.count(&sender).await, 1);
}

/// What an owner without a ceiling signed by a liar's word is not sent to an honest node as it is.
#[tokio::test]
async fn what_was_signed_under_a_lie_is_signed_anew() {
    let (world, sender) = (World::start().await, wallet(1));
    let lies = [
        ("base fee 10^18", dropping(|request| base_fee(request, "0xde0b6b3a7640000"))),
        ("tip 1 ETH in the history", dropping(|request| rewards(request, "0xde0b6b3a7640000"))),
        ("gas above every block", lies().into_iter().find(|(lie, _)| *lie == "gas above every block").unwrap().1),
    ];
    for (salt, (lie, rule)) in (1..).zip(lies) {
        let rpc = Rpc::new(&proxy(&world.node.rpc_url(), rule)).unwrap();
        let mut rich = outbox(&world, &rpc, &sender).await.unwrap().with_fee_ceiling(U256::MAX);
        let job = format!("job {salt}");
        let late = rich.send(&rpc, &sender, &job, &world.register_transaction(&sender, salt)).await.unwrap_err();
        assert!(matches!(late, OutboxError::NotMined { .. }), "{lie}: {late}");
        drop(rich);
        served(&world, &sender, salt, lie).await;
        let signed = world.outbox(&sender).await.job(&job).unwrap().expect("known").signed;
        let (first, last) = (decoded(&signed[0]), decoded(signed.last().unwrap()));
        assert!(cost(&first) > FEE_CEILING && cost(&last) < U256::from(USUAL), "{lie}: {signed:?}");
        assert_eq!(first.nonce, last.nonce, "{lie}: the chain takes one of them");
    }
}
