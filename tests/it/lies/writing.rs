//! Nodes that lie to whoever sends: about fees, gas, numbers, receipts, the chain. Nothing is
//! signed above the ceiling, and after each lie an honest node serves the same wallet: what was
//! asked for is done once, and nothing has to be moved away.

use crate::chain::proxy::{Fault, proxy};
use crate::chain::{World, wallet};
use alloy::consensus::{TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::{B256, U256};
use medseal::chain::outbox::{FEE_CEILING, SignedTransaction, State};
use medseal::chain::{ChainError, Outbox, OutboxError, Profile, Rpc, Wallet};
use medseal::contract::ErrorKind;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ETHER: u64 = 1_000_000_000_000_000_000;
/// More than a registration costs on a chain of 2 gwei, and a hundredth of the ceiling.
const USUAL: u64 = ETHER / 100;

type Rule = Box<dyn FnMut(&Value) -> Fault + Send>;

fn alter(change: impl FnOnce(&mut Value) + Send + 'static) -> Fault {
    Fault::Alter(Box::new(change))
}

/// Answers every question of this method with the same.
fn always(method: &'static str, answer: Value) -> Rule {
    Box::new(move |request| if request["method"] == method { Fault::Answer(answer.clone()) } else { Fault::None })
}

/// Takes signed bytes and drops them, and does this to every other answer.
fn dropping(mut rule: impl FnMut(&Value) -> Fault + Send + 'static) -> Rule {
    Box::new(move |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") => Fault::Answer(json!(B256::repeat_byte(1))),
        _ => rule(request),
    })
}

/// Every block, and the history, have this base fee.
fn base_fee(request: &Value, wei: &str) -> Fault {
    let wei = wei.to_owned();
    match request["method"].as_str() {
        Some("eth_feeHistory") => alter(move |history| {
            for base in history["baseFeePerGas"].as_array_mut().expect("a list") {
                *base = json!(wei);
            }
        }),
        Some("eth_getBlockByNumber") => alter(move |block| block["baseFeePerGas"] = json!(wei)),
        _ => Fault::None,
    }
}

/// The history shows this tip in every block.
fn rewards(request: &Value, wei: &'static str) -> Fault {
    match request["method"].as_str() {
        Some("eth_feeHistory") => alter(move |history| {
            let blocks = history["baseFeePerGas"].as_array().expect("a list").len() - 1;
            history["reward"] = json!(vec![[wei]; blocks]);
        }),
        _ => Fault::None,
    }
}

/// Counts of the sender's transactions, of the chain or the pool alone where `block` says so.
fn counts(block: Option<&'static str>, count: &'static str) -> Rule {
    Box::new(move |request| {
        let is_asked = block.is_none_or(|block| request["params"][1] == block);
        match request["method"] == "eth_getTransactionCount" && is_asked {
            true => Fault::Answer(json!(count)),
            false => Fault::None,
        }
    })
}

fn refusing(code: i64, message: &'static str) -> Rule {
    Box::new(move |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") => Fault::Refuse(code, message),
        _ => Fault::None,
    })
}

/// A receipt for whatever is asked.
fn receipts(status: &'static str) -> Rule {
    dropping(move |request| match request["method"].as_str() {
        Some("eth_getTransactionReceipt") => Fault::Answer(json!({
            "transactionHash": request["params"][0], "transactionIndex": "0x0", "status": status, "type": "0x2",
            "blockHash": B256::repeat_byte(0xbb), "blockNumber": "0x2", "from": format!("0x{}", "11".repeat(20)),
            "to": null, "contractAddress": null, "cumulativeGasUsed": "0x1", "gasUsed": "0x1",
            "effectiveGasPrice": "0x1", "logs": [], "logsBloom": format!("0x{}", "00".repeat(256)),
        })),
        _ => Fault::None,
    })
}

/// Every lie, by name.
fn lies() -> Vec<(&'static str, Rule)> {
    let estimate = |gas: &str| always("eth_estimateGas", json!(gas));
    let tip = |wei: &str| always("eth_maxPriorityFeePerGas", json!(wei));
    let huge = "0xffffffffffffffffffffffffffffffff";
    vec![
        ("gas 0", estimate("0x0")),
        ("gas 21000", estimate("0x5208")),
        (
            "gas that runs out",
            dropping(|request| match request["method"].as_str() {
                Some("eth_estimateGas") => Fault::Answer(json!("0xc350")),
                _ => Fault::None,
            }),
        ),
        ("gas 2^64 - 1", estimate("0xffffffffffffffff")),
        ("gas 2^64", estimate("0x10000000000000000")),
        ("gas of a whole block", estimate("0x1c9c380")),
        (
            "gas above every block",
            dropping(|request| match request["method"].as_str() {
                Some("eth_estimateGas") => Fault::Answer(json!("0x3b9aca00")),
                Some("eth_getBlockByNumber") => alter(|block| block["gasLimit"] = json!("0xffffffffffffffff")),
                _ => Fault::None,
            }),
        ),
        (
            "base fee 10^18 in the history",
            Box::new(|request| match request["method"].as_str() {
                Some("eth_feeHistory") => base_fee(request, "0xde0b6b3a7640000"),
                _ => Fault::None,
            }),
        ),
        ("base fee 10^18", Box::new(|request| base_fee(request, "0xde0b6b3a7640000"))),
        ("base fee 2^64 - 1", Box::new(|request| base_fee(request, "0xffffffffffffffff"))),
        ("base fee 2^128 - 1", Box::new(move |request| base_fee(request, huge))),
        ("base fee 0", Box::new(|request| base_fee(request, "0x0"))),
        ("base fee 300 gwei", dropping(|request| base_fee(request, "0x45d964b800"))),
        (
            "no base fee",
            Box::new(|request| match request["method"].as_str() {
                Some("eth_feeHistory") => alter(|history| history["baseFeePerGas"] = json!([])),
                _ => Fault::None,
            }),
        ),
        ("tip 0.1 ETH", tip("0x16345785d8a0000")),
        ("tip 2^128 - 1", tip(huge)),
        ("tip 0", tip("0x0")),
        ("tip of 1000 gwei in the history", dropping(|request| rewards(request, "0xe8d4a51000"))),
        ("tip of 2^128 - 1 in the history", Box::new(move |request| rewards(request, huge))),
        ("number 5000", counts(None, "0x1388")),
        (
            "number 5000, then nothing",
            dropping({
                let mut counts = counts(None, "0x1388");
                move |request| counts(request)
            }),
        ),
        ("number 2^63", counts(None, "0x8000000000000000")),
        ("number 2^64 - 1", counts(None, "0xffffffffffffffff")),
        ("number 2^64 - 1 in the pool", counts(Some("pending"), "0xffffffffffffffff")),
        ("number 5000 in the pool", counts(Some("pending"), "0x1388")),
        ("number 0", counts(None, "0x0")),
        ("a made-up receipt", receipts("0x1")),
        ("a made-up receipt of a failure", receipts("0x0")),
        ("sent, and dropped", dropping(|_| Fault::None)),
        ("already known", refusing(-32000, "already known")),
        ("number too low", refusing(-32000, "nonce too low")),
        (
            "number too low, and used up",
            Box::new({
                let (mut sent, mut rule) = (false, refusing(-32000, "nonce too low"));
                move |request| match request["method"].as_str() {
                    Some("eth_getTransactionCount") if sent => Fault::Answer(json!("0x2328")),
                    Some(method) => {
                        sent |= method == "eth_sendRawTransaction";
                        rule(request)
                    }
                    None => Fault::None,
                }
            }),
        ),
        ("no money", refusing(-32000, "insufficient funds for gas * price + value")),
        ("too cheap", refusing(-32000, "transaction underpriced")),
        ("too little gas", refusing(-32000, "intrinsic gas too low")),
        (
            "taken, and called refused",
            Box::new(|request| match request["method"].as_str() {
                Some("eth_sendRawTransaction") => Fault::LoseAnswer,
                _ => Fault::None,
            }),
        ),
        (
            "another block 0",
            Box::new(|request| match request["params"][0].as_str() {
                Some("earliest") => alter(|block| block["hash"] = json!(B256::repeat_byte(9))),
                _ => Fault::None,
            }),
        ),
        ("another chain", always("eth_chainId", json!("0x1"))),
        (
            "a head of 2^64 - 1",
            Box::new(|request| match request["method"].as_str() {
                Some("eth_getBlockByNumber") => alter(|block| block["number"] = json!("0xffffffffffffffff")),
                _ => Fault::None,
            }),
        ),
    ]
}

fn decoded(signed: &SignedTransaction) -> TxEip1559 {
    TxEnvelope::decode_2718_exact(&signed.raw).unwrap().as_eip1559().expect("EIP-1559").tx().clone()
}

fn cost(transaction: &TxEip1559) -> U256 {
    U256::from(transaction.gas_limit) * U256::from(transaction.max_fee_per_gas)
}

/// The outbox as a node shows it, with little patience.
async fn outbox(world: &World, rpc: &Rpc, sender: &Wallet) -> Result<Outbox, OutboxError> {
    let outbox = Outbox::open(world.folder.path(), sender.address(), rpc, Profile::Development).await?;
    Ok(outbox.with_mining_deadline(Duration::from_millis(50)))
}

/// Sends a registration through a node that lies; what is left of the job.
async fn lied_to(
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
async fn served(world: &World, sender: &Wallet, salt: u8, lie: &str) {
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
    assert_eq!(outbox.job("job").unwrap().expect("known").signed, []);
    outbox = outbox.with_fee_ceiling(cost - U256::from(1));
    let dear = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
    assert!(matches!(dear, OutboxError::TooDear { .. }), "{dear}");
    outbox.with_fee_ceiling(cost).send(&world.rpc, &sender, "job", &transaction).await.expect("it is enough");
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

#[tokio::test]
async fn a_job_with_a_number_far_ahead_gets_the_free_one() {
    let (world, sender) = (World::start().await, wallet(1));
    let (_, signed) = lied_to(&world, counts(None, "0x1388"), &sender, 1).await;
    assert_eq!(signed.iter().map(|signed| signed.nonce).collect::<Vec<_>>(), [5000]);
    // Another job first: it waits for the older one, which gets its number before.
    let transaction = world.register_transaction(&sender, 2);
    let mut outbox = world.outbox(&sender).await;
    outbox.send(&world.rpc, &sender, "job 2", &transaction).await.expect("sent");
    served_numbers(&world, &outbox, &sender, [0, 1]).await;
}

async fn served_numbers(world: &World, outbox: &Outbox, sender: &Wallet, numbers: [u64; 2]) {
    let last = |job: &str| outbox.job(job).unwrap().expect("known").signed.last().expect("signed").nonce;
    assert_eq!([last("job 1"), last("job 2")], numbers);
    assert_eq!(world.count(sender).await, 2);
}

/// Receipts come late: one act is logged once.
#[tokio::test]
async fn a_late_receipt_is_not_somebody_elses_transaction() {
    let (world, sender) = (World::start().await, wallet(1));
    let hidden = Arc::new(AtomicBool::new(true));
    let is_hidden = Arc::clone(&hidden);
    let url = proxy(&world.node.rpc_url(), move |request| match request["method"].as_str() {
        Some("eth_getTransactionReceipt") if is_hidden.load(Ordering::SeqCst) => Fault::Answer(Value::Null),
        _ => Fault::None,
    });
    let rpc = Rpc::new(&url).unwrap();
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(300));
    // Blocks go on over it.
    for _ in 0..3 {
        let late = outbox.send(&rpc, &sender, "job", &transaction).await.unwrap_err();
        assert!(matches!(late, OutboxError::NotMined { .. }), "{late}");
        let job = outbox.job("job").unwrap().expect("known");
        assert_eq!((job.state, job.signed.len()), (State::Broadcast, 1));
        world.raw("anvil_mine", json!(["0x5"])).await;
        // Sent again, the node says that its number is used up.
        let state = outbox.step(&rpc, &sender, "job").await;
        assert!(matches!(state, Ok(State::Broadcast) | Err(OutboxError::NotMined { .. })), "{state:?}");
    }
    hidden.store(false, Ordering::SeqCst);
    outbox.send(&rpc, &sender, "job", &transaction).await.expect("mined long ago");
    assert_eq!((world.count(&sender).await, outbox.job("job").unwrap().expect("known").signed.len()), (1, 1));
}

/// Where the chain shows nothing under the number, nothing is taken for granted.
#[tokio::test]
async fn a_number_of_which_the_chain_shows_nothing_is_kept() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(100));
    outbox.prepare("job", &transaction).unwrap();
    outbox.step(&world.rpc, &sender, "job").await.unwrap();
    world.spend_number(&sender).await;
    // A node that has forgotten the older states.
    let url = proxy(&world.node.rpc_url(), |request| {
        let block = request["params"][1].as_str().unwrap_or_default();
        match request["method"] == "eth_getTransactionCount" && block.starts_with("0x") {
            true => Fault::Refuse(-32000, "missing trie node"),
            false => Fault::None,
        }
    });
    let late = outbox.send(&Rpc::new(&url).unwrap(), &sender, "job", &transaction).await.unwrap_err();
    assert!(matches!(late, OutboxError::NotMined { .. }), "{late}");
    assert_eq!(outbox.job("job").unwrap().expect("known").signed.len(), 1);
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("with the next number");
    assert_eq!(world.count(&sender).await, 2);
}

/// A payment of the same wallet, sent by another program, that waits for its block.
async fn foreign(world: &World, sender: &Wallet, nonce: u64) -> B256 {
    let payment = json!([{
        "from": sender.address(), "to": wallet(9).address(), "value": "0x1", "gas": "0x5208",
        "nonce": format!("{nonce:#x}"), "maxFeePerGas": "0xb2d05e00", "maxPriorityFeePerGas": "0x1",
    }]);
    world.raw("eth_sendTransaction", payment).await.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn another_programs_pending_transaction_is_named_and_not_overbid() {
    let (world, sender) = (World::start().await, wallet(1));
    world.automine(false).await;
    let payment = foreign(&world, &sender, 0).await;
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(100));
    let told = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&told);
    outbox = outbox.observed_by(Arc::new(move |waiting| said.lock().unwrap().push(format!("{waiting:?}"))));
    let waiting = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
    assert!(
        matches!(waiting, OutboxError::ForeignPending { nonce: 0, transaction: Some(hash), .. } if hash == payment),
        "{waiting:?}"
    );
    assert_eq!(waiting.kind(), ErrorKind::Unreachable);
    assert_eq!(outbox.job("job").unwrap().expect("known").signed, []);
    assert!(told.lock().unwrap()[0].starts_with("Foreign"), "{told:?}");

    // Once it is mined the job goes on.
    world.mine().await;
    world.automine(true).await;
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("behind it");
    assert!(!world.raw("eth_getTransactionReceipt", json!([payment])).await.is_null());
    assert_eq!(world.count(&sender).await, 2);
}

#[tokio::test]
async fn another_programs_pending_transaction_is_passed_over_when_asked() {
    let (world, sender) = (World::start().await, wallet(1));
    world.automine(false).await;
    let payment = foreign(&world, &sender, 0).await;
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(100)).after_pending();
    let late = outbox.send(&world.rpc, &sender, "job", &world.register_transaction(&sender, 7)).await.unwrap_err();
    assert!(matches!(late, OutboxError::NotMined { .. }), "{late}");
    world.mine().await;
    assert!(outbox.resume(&world.rpc, &sender).await.unwrap().iter().all(|(_, end)| end.is_ok()));
    assert!(!world.raw("eth_getTransactionReceipt", json!([payment])).await.is_null());
    assert_eq!((world.count(&sender).await, outbox.job("job").unwrap().expect("known").signed[0].nonce), (2, 1));
}

#[tokio::test]
async fn signed_bytes_do_not_overbid_what_took_their_number_in_the_pool() {
    let (world, sender) = (World::start().await, wallet(1));
    let transaction = world.register_transaction(&sender, 7);
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(100));
    outbox.prepare("job", &transaction).unwrap();
    outbox.step(&world.rpc, &sender, "job").await.unwrap();
    world.automine(false).await;
    let payment = foreign(&world, &sender, 0).await;
    let waiting = outbox.send(&world.rpc, &sender, "job", &transaction).await.unwrap_err();
    assert!(
        matches!(waiting, OutboxError::ForeignPending { nonce: 0, transaction: Some(hash), .. } if hash == payment),
        "{waiting:?}"
    );
    assert_eq!(outbox.job("job").unwrap().expect("known").signed.len(), 1);
    world.mine().await;
    world.automine(true).await;
    outbox.send(&world.rpc, &sender, "job", &transaction).await.expect("with the next number");
    assert!(!world.raw("eth_getTransactionReceipt", json!([payment])).await.is_null(), "it was overbid");
    assert_eq!(world.count(&sender).await, 2);
}

#[tokio::test]
async fn a_job_that_waits_is_repriced_or_cancelled_by_its_owner() {
    let (world, sender) = (World::start().await, wallet(1));
    world.automine(false).await;
    let mut outbox = world.outbox(&sender).await.with_mining_deadline(Duration::from_millis(50));
    for salt in [1, 2] {
        let (job, transaction) = (format!("job {salt}"), world.register_transaction(&sender, salt));
        let late = outbox.send(&world.rpc, &sender, &job, &transaction).await.unwrap_err();
        assert!(matches!(late, OutboxError::NotMined { .. }), "{late}");
    }
    assert_eq!(outbox.named("1").unwrap().id, "job 2", "by its number");
    assert!(matches!(outbox.named("7"), Err(OutboxError::NoSuchJob { .. })));
    // Same number, dearer.
    outbox.reprice(&world.rpc, &sender, "job 1").await.expect_err("no block yet");
    let signed = outbox.job("job 1").unwrap().expect("known").signed;
    let (first, last) = (decoded(&signed[0]), decoded(&signed[1]));
    assert_eq!((signed.len(), first.nonce, last.nonce), (2, 0, 0));
    assert!(last.max_fee_per_gas * 8 >= first.max_fee_per_gas * 9);
    // A payment of nothing to the own address.
    outbox.cancel(&world.rpc, &sender, "job 2").await.expect_err("no block yet");
    let offer = outbox.job("job 2").unwrap().expect("known").offer().unwrap().expect("signed");
    assert!(offer.cancels && offer.nonce == 1 && offer.gas_limit == 21_000);
    world.mine().await;
    let ended = outbox.resume(&world.rpc, &sender).await.unwrap();
    assert!(
        matches!(&ended[..], [(_, Ok(_)), (_, Err(OutboxError::Cancelled { transaction: Some(hash), .. }))]
            if *hash == offer.transaction),
        "{ended:?}"
    );
    assert_eq!(world.count(&sender).await, 2);
    let events = async |salt| world.registry.events(world.image_id(&sender, salt)).await.unwrap().len();
    assert_eq!((events(1).await, events(2).await), (1, 0));
    for done in [outbox.cancel(&world.rpc, &sender, "job 1").await, outbox.cancel(&world.rpc, &sender, "job 2").await] {
        assert!(matches!(done, Err(OutboxError::NotWaiting { .. })), "{done:?}");
    }
    // It can be asked for again.
    world.automine(true).await;
    outbox.send(&world.rpc, &sender, "job 2", &world.register_transaction(&sender, 2)).await.expect("anew");
    assert_eq!((events(2).await, world.count(&sender).await), (1, 3));
}

#[tokio::test]
async fn a_job_without_a_reachable_number_is_cancelled_at_once() {
    let (world, sender) = (World::start().await, wallet(1));
    let (_, signed) = lied_to(&world, counts(None, "0x1388"), &sender, 1).await;
    assert_eq!(signed[0].nonce, 5000);
    let mut outbox = world.outbox(&sender).await;
    assert_eq!(outbox.cancel(&world.rpc, &sender, "job 1").await.unwrap(), None);
    outbox.prepare("job 2", &world.register_transaction(&sender, 2)).unwrap();
    assert_eq!(outbox.cancel(&world.rpc, &sender, "job 2").await.unwrap(), None);
    assert!(outbox.jobs(false).unwrap().is_empty());
    assert_eq!(world.count(&sender).await, 0);
}

#[tokio::test]
async fn a_node_that_counts_too_few_is_caught_by_its_receipts() {
    let (world, sender) = (World::start().await, wallet(1));
    served(&world, &sender, 1, "no lie").await;
    let (told, signed) = lied_to(&world, counts(None, "0x0"), &sender, 2).await;
    let told = told.expect_err("a contradiction");
    assert!(matches!(told, OutboxError::Contradiction { found: 0, nonce: 0, .. }), "{told:?}");
    assert_eq!(signed, []);
    assert_eq!(world.outbox(&sender).await.job("job 1").unwrap().expect("known").state, State::Final);
}
