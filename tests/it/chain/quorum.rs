//! A key center's view through several nodes, one of which lies, is dead or is behind. They are
//! doors to one anvil.

use super::proxy::Fault;
use super::{World, wallet};
use crate::lies::views::{LyingDoor, Scene, lies, of_its_own};
use alloy::primitives::{Address, B256};
use medseal::chain::{Profile, QuorumError, Registry, Rpc};
use medseal::clock::SystemClock;
use medseal::contract::bindings::IImageRegistry::{grantCall, revokeCall};
use medseal::kgc::{AccessState, ChainView, ChainViewError, ContractSignature, KgcIdentity, KgcKeys, os_random};
use medseal::pipeline::QuorumView;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const NETWORK: Profile = Profile::Network { block_time_secs: 600 };

struct Nodes {
    world: World,
    doors: Vec<LyingDoor>,
    kgc: KgcIdentity,
    image: B256,
}

impl Nodes {
    async fn new(count: usize) -> Self {
        let world = World::start().await;
        let image = world.register(&wallet(1), 7).await;
        let doors = (0..count).map(|_| LyingDoor::to(&world.node.rpc_url())).collect();
        Self { world, doors, kgc: KgcKeys::generate(&mut os_random()).identity(), image }
    }

    async fn view(&self, quorum: usize, profile: Profile) -> QuorumView<SystemClock> {
        let urls: Vec<&str> = self.doors.iter().map(|door| door.url.as_str()).collect();
        self.of(&urls.join(","), quorum, profile).await.expect("enough nodes")
    }

    /// The nodes are known by an honest one's word; they are asked for everything after that.
    async fn of(&self, urls: &str, quorum: usize, profile: Profile) -> Result<QuorumView<SystemClock>, QuorumError> {
        let rpc = Rpc::new(urls).unwrap();
        let registry = Registry::connect(rpc, &self.world.deployment, profile).await.expect("connected");
        QuorumView::new(&registry, quorum, SystemClock)
    }

    async fn state(&self, view: &QuorumView<SystemClock>, wallet: Address) -> Result<AccessState, ChainViewError> {
        Ok(view.access_state(self.image, wallet, &self.kgc, None).await?.expect("a plain wallet"))
    }

    async fn grant(&self, to: Address, expiry: u64) -> u64 {
        let call = grantCall { imageId: self.image, wallet: to, expiry };
        let job = format!("grant {}", B256::random());
        self.world.send(&wallet(1), &job, &call).await.expect("granted").block_number
    }

    async fn revoke(&self, from: Address) -> u64 {
        let call = revokeCall { imageId: self.image, wallet: from };
        let job = format!("revoke {}", B256::random());
        self.world.send(&wallet(1), &job, &call).await.expect("revoked").block_number
    }

    async fn mine(&self, blocks: u64) {
        self.world.raw("anvil_mine", json!([format!("{blocks:#x}")])).await;
    }
}

/// Shows the chain up to this block and nothing after it.
fn up_to(last: &Arc<AtomicU64>) -> Box<dyn FnMut(&Value) -> Fault + Send> {
    let last = Arc::clone(last);
    Box::new(move |request| {
        let last = last.load(Ordering::SeqCst);
        if request["method"] != "eth_getBlockByNumber" {
            return Fault::None;
        }
        match request["params"][0].as_str() {
            Some("latest") => {
                Fault::Ask(json!({"method": "eth_getBlockByNumber", "params": [format!("{last:#x}"), false]}))
            }
            Some(number) if number.starts_with("0x") && u64::from_str_radix(&number[2..], 16).unwrap() > last => {
                Fault::Answer(Value::Null)
            }
            _ => Fault::None,
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_lies_and_nobody_gets_what_is_not_his() {
    let nodes = Nodes::new(3).await;
    let (reader, stranger) = (wallet(2).address(), wallet(3).address());
    nodes.grant(reader, u64::MAX).await;
    let (mut told, mut alone, mut named) = (0, 0, 0);
    for (lie, rule) in lies(Scene { stranger, reader }) {
        // One of three: it is the first that is asked for a proof.
        nodes.doors[0].honest();
        let view = nodes.view(2, Profile::Development).await;
        nodes.doors[0].now(rule);
        for wallet in [stranger, reader] {
            let state = nodes.state(&view, wallet).await.unwrap_or_else(|error| panic!("{lie}: {error:?}"));
            let registered = state.registration.unwrap_or_else(|| panic!("{lie}: no record"));
            let (sender, expiry) = (registered.sender, state.access_expiry);
            assert_eq!((sender, expiry > 0), (super::wallet(1).address(), wallet == reader), "{lie}: {state:?}");
            assert_eq!(
                (registered.header_hash, registered.capsules_hash),
                (B256::repeat_byte(0x4e), B256::repeat_byte(0xca)),
                "{lie}"
            );
        }
        let faults = view.faults();
        named += usize::from(faults.iter().any(|fault| fault.contains(&nodes.doors[0].url)));
        assert!(faults.iter().all(|fault| fault.contains(&nodes.doors[0].url)), "{lie}: {faults:?}");
        told += 1;
    }
    for (lie, rule) in lies(Scene { stranger, reader }) {
        // Alone: it can keep everybody from a key, and give nobody one.
        nodes.doors[0].honest();
        let view = nodes.of(&nodes.doors[0].url, 1, Profile::Development).await.expect("one node");
        nodes.doors[0].now(rule);
        if let Ok(state) = nodes.state(&view, stranger).await {
            assert_eq!(state.access_expiry, 0, "{lie}");
            let sender = state.registration.map(|registered| registered.sender);
            assert_ne!(sender, Some(stranger), "{lie}");
        }
        alone += 1;
    }
    eprintln!("{told} lies of one of three, {alone} of one alone, 0 releases; the node was named in {named}");
    assert!(told >= 25 && alone == told && named >= 25, "{told} {alone} {named}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_node_is_named_and_two_end_the_answers() {
    let nodes = Nodes::new(3).await;
    let reader = wallet(2).address();
    nodes.grant(reader, u64::MAX).await;
    let view = nodes.view(2, Profile::Development).await;
    assert!(nodes.state(&view, reader).await.expect("three of three").access_expiry > 0);
    assert_eq!(view.faults(), Vec::<String>::new());
    nodes.doors[1].now(Box::new(|_| Fault::Close));
    assert!(nodes.state(&view, reader).await.expect("two of three").access_expiry > 0);
    assert!(view.faults().iter().any(|fault| fault.contains(&nodes.doors[1].url)), "{:?}", view.faults());
    nodes.doors[2].now(Box::new(|_| Fault::Close));
    let silent = nodes.state(&view, reader).await.expect_err("one of three");
    assert!(matches!(silent, ChainViewError::Unreachable { .. }), "{silent:?}");
    nodes.doors[1].honest();
    assert!(nodes.state(&view, reader).await.expect("two of three").access_expiry > 0);
    nodes.doors[2].honest();
    for _ in 0..50 {
        nodes.state(&view, reader).await.expect("two or three of three");
    }
    assert_eq!(view.faults(), Vec::<String>::new(), "all are well again");
    // One that is far behind, and one that never answers: two agree, and are not kept waiting.
    let last = Arc::new(AtomicU64::new(2));
    nodes.doors[1].now(up_to(&last));
    nodes.mine(4).await;
    nodes.state(&view, reader).await.expect("two of three");
    assert!(view.faults()[0].contains("its newest block is 2"), "{:?}", view.faults());
}

/// Three chains: none is gone by, and each node is named with what it says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_three_chains_are_named() {
    let nodes = Nodes::new(3).await;
    let reader = wallet(2).address();
    nodes.grant(reader, u64::MAX).await;
    nodes.mine(20).await;
    let view = nodes.view(2, Profile::Development).await;
    for (door, name) in nodes.doors.iter().zip(1..) {
        door.now(of_its_own(name));
    }
    let differ = nodes.state(&view, reader).await.expect_err("three chains");
    let ChainViewError::Disagree { source } = differ else { panic!("{differ:?}") };
    let newest = nodes.world.registry.newest().await.expect("a block").number;
    for door in &nodes.doors {
        let is_named = |said: &String| said.contains(&door.url) && said.contains(&newest.to_string());
        assert!(is_named(&source.to_string()), "{source}");
        assert!(view.faults().iter().any(is_named), "{:?}", view.faults());
    }
    // Two that lie together have a block, and no state that fits it.
    nodes.doors[1].now(of_its_own(1));
    let unproven = nodes.state(&view, reader).await.expect_err("a made-up chain has no proofs");
    assert!(matches!(unproven, ChainViewError::Unreachable { .. }), "{unproven:?}");
    nodes.doors[1].honest();
    nodes.doors[2].honest();
    assert!(nodes.state(&view, reader).await.expect("two of three").access_expiry > 0);
}

#[tokio::test]
async fn too_few_nodes_are_refused_by_name() {
    let nodes = Nodes::new(2).await;
    let [a, b] = [&nodes.doors[0].url, &nodes.doors[1].url];
    let port = a.rsplit(':').next().unwrap();
    let same = format!("{a},{a}/,http://localhost:{port}");
    let refused = nodes.of(&same, 2, Profile::Development).await.expect_err("one node by three names");
    assert!(matches!(&refused, QuorumError::TooFew { quorum: 2, nodes } if nodes.len() == 1), "{refused}");
    let two = format!("{a},{b}");
    for quorum in [0, 1] {
        let refused = nodes.of(&two, quorum, Profile::Development).await.expect_err("one node's word");
        assert!(matches!(refused, QuorumError::Alone { .. }), "{refused}");
    }
    let refused = nodes.of(&two, 3, Profile::Development).await.expect_err("two nodes");
    assert!(matches!(refused, QuorumError::TooFew { quorum: 3, .. }), "{refused}");
    let view = nodes.of(&two, 2, Profile::Development).await.expect("two nodes");
    assert_eq!(view.without_proofs().await.expect("they agree"), Vec::<String>::new());
    nodes.doors[1].now(Box::new(|request| match request["method"] == "eth_getProof" {
        true => Fault::Refuse(-32601, "the method does not exist"),
        false => Fault::None,
    }));
    let without = view.without_proofs().await.expect("they agree");
    assert!(without.len() == 1 && without[0].contains(b), "{without:?}");
}

/// Each node is up to three blocks before or after the revocation's: 343 placings of three nodes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_after_a_revocation_that_two_of_three_have() {
    let rounds = if std::env::var("MEDSEAL_LIES").is_ok_and(|all| all == "all") { 3 } else { 1 };
    let nodes = Nodes::new(3).await;
    let reader = wallet(2).address();
    let (mut runs, mut given, mut late) = (0, 0, 0);
    for _ in 0..rounds {
        nodes.grant(reader, u64::MAX).await;
        nodes.mine(4).await;
        let revoked = nodes.revoke(reader).await;
        nodes.mine(6).await;
        let lasts: Vec<Arc<AtomicU64>> = nodes.doors.iter().map(|_| Arc::new(AtomicU64::new(revoked + 3))).collect();
        let view = nodes.view(2, Profile::Development).await;
        for (door, last) in nodes.doors.iter().zip(&lasts) {
            door.now(up_to(last));
        }
        let mut placings: Vec<[u64; 3]> =
            (0..343).map(|at| [at % 7, at / 7 % 7, at / 49].map(|offset| revoked + offset - 3)).collect();
        let agreed = |placing: &[u64; 3]| {
            let mut sorted = *placing;
            sorted.sort_unstable();
            sorted[1]
        };
        // What they agree on never goes back.
        placings.sort_by_key(agreed);
        for placing in placings {
            for (last, number) in lasts.iter().zip(placing) {
                last.store(number, Ordering::SeqCst);
            }
            let state = nodes.state(&view, reader).await.unwrap_or_else(|error| panic!("{placing:?}: {error:?}"));
            assert_eq!(state.block.number, agreed(&placing), "{placing:?} around {revoked}");
            let is_given = state.access_expiry > 0;
            given += u64::from(is_given);
            late += u64::from(is_given && state.block.number >= revoked);
            assert_eq!(is_given, state.block.number < revoked, "{placing:?} around {revoked}");
            runs += 1;
        }
        // All of them go back.
        lasts.iter().for_each(|last| last.store(revoked - 3, Ordering::SeqCst));
        let back = nodes.state(&view, reader).await.expect_err("older than before");
        assert!(matches!(back, ChainViewError::Disagree { .. }), "{back:?}");
        nodes.doors.iter().for_each(LyingDoor::honest);
    }
    eprintln!("{runs} requests around a revocation: {given} before it, {late} late");
    assert_eq!((runs, late), (343 * rounds, 0));
    assert!(given > 0 && given < runs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_that_comes_while_the_registration_is_read_counts() {
    let nodes = Nodes::new(2).await;
    let reader = wallet(2).address();
    nodes.grant(reader, u64::MAX).await;
    let view = nodes.view(2, Profile::Development).await;
    let (asked, revoked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    for door in &nodes.doors {
        let (asked, revoked) = (asked.clone(), revoked.clone());
        door.now(Box::new(move |request| {
            if request["method"] == "eth_getLogs" {
                asked.store(true, Ordering::SeqCst);
                let start = Instant::now();
                while !revoked.load(Ordering::SeqCst) && start.elapsed() < Duration::from_secs(4) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            Fault::None
        }));
    }
    let revoking = async {
        while !asked.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        nodes.revoke(reader).await;
        revoked.store(true, Ordering::SeqCst);
    };
    let (state, ()) = tokio::join!(nodes.state(&view, reader), revoking);
    assert_eq!(state.expect("an answer").access_expiry, 0);
}

/// On a network a grant counts from the safe block on, a revocation at once; one node's word makes
/// nothing safe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_counts_once_it_is_safe_and_a_revocation_at_once() {
    let nodes = Nodes::new(3).await;
    let (reader, sender) = (wallet(2).address(), wallet(1).address());
    nodes.mine(40).await;
    let view = nodes.view(2, NETWORK).await;
    let expiry = async |what: &str| {
        let state = nodes.state(&view, reader).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(state.registration.expect("registered").sender, sender, "{what}");
        state.access_expiry
    };
    assert_eq!(expiry("nothing granted").await, 0);
    nodes.grant(reader, 9_000_000_000).await;
    assert_eq!(expiry("just granted").await, 0);
    // A node whose `safe` jumps to the newest block, as after a restart.
    nodes.doors[0].now(Box::new(|request| match request["params"][0] == "safe" {
        true => Fault::Ask(json!({"method": "eth_getBlockByNumber", "params": ["latest", false]})),
        false => Fault::None,
    }));
    assert_eq!(expiry("safe by one node").await, 0);
    nodes.doors[1].now(Box::new(|request| match request["params"][0] == "safe" {
        true => Fault::Ask(json!({"method": "eth_getBlockByNumber", "params": ["latest", false]})),
        false => Fault::None,
    }));
    assert_eq!(expiry("two say so of the newest block").await, 0);
    nodes.doors.iter().for_each(LyingDoor::honest);
    nodes.mine(31).await;
    assert_eq!(expiry("31 blocks later").await, 0);
    nodes.mine(1).await;
    assert_eq!(expiry("32 blocks later").await, 9_000_000_000);
    // Prolonged: what was granted goes on until the longer one is safe.
    nodes.grant(reader, 9_500_000_000).await;
    assert_eq!(expiry("prolonged").await, 9_000_000_000);
    // Nodes that do not know what is safe: what was safe goes on.
    for door in &nodes.doors {
        door.now(Box::new(|request| match request["params"][0] == "safe" {
            true => Fault::Answer(Value::Null),
            false => Fault::None,
        }));
    }
    assert_eq!(expiry("nothing is called safe").await, 9_000_000_000);
    nodes.doors.iter().for_each(LyingDoor::honest);
    nodes.mine(40).await;
    assert_eq!(expiry("the longer one is safe").await, 9_500_000_000);
    nodes.revoke(reader).await;
    assert_eq!(expiry("revoked").await, 0);
    nodes.grant(reader, 9_700_000_000).await;
    assert_eq!(expiry("granted again").await, 0, "the old grant is in the safe block, and was revoked since");
    nodes.mine(32).await;
    assert_eq!(expiry("granted again, and safe").await, 9_700_000_000);
}

/// The code of a wallet that takes every signature (ERC-1271).
const TAKES_ALL: &str = "0x7f1626ba7e0000000000000000000000000000000000000000000000000000000060005260206000f3";

/// A contract wallet's signature counts by the word of as many nodes, and on a network in the safe
/// block too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contract_wallet_is_asked_at_as_many_nodes() {
    let nodes = Nodes::new(3).await;
    let wallet = Address::repeat_byte(0x51);
    let asked = || Some(ContractSignature { digest: B256::repeat_byte(1), signature: &[7] });
    let code = async |code: &str| {
        nodes.world.raw("anvil_setCode", json!([wallet, code])).await;
        nodes.mine(1).await;
    };
    let say = |door: usize, answer: Value| {
        nodes.doors[door].now(Box::new(move |request| match request["method"] == "eth_call" {
            true => Fault::Answer(answer.clone()),
            false => Fault::None,
        }));
    };
    let (yes, no) = (json!(format!("0x1626ba7e{}", "00".repeat(28))), json!("0x"));
    let view = nodes.view(2, Profile::Development).await;
    let takes = async |view: &QuorumView<SystemClock>| view.block(wallet, asked()).await.map(|block| block.is_some());
    assert!(!takes(&view).await.expect("no code"), "a wallet without code takes nothing");
    say(0, yes.clone());
    assert!(!takes(&view).await.expect("two say no"), "one node's yes");
    code(TAKES_ALL).await;
    say(0, no.clone());
    assert!(takes(&view).await.expect("two say yes"), "one node's no");
    nodes.doors[1].now(Box::new(|request| match request["method"] == "eth_call" {
        true => Fault::Refuse(-32000, "out of service"),
        false => Fault::None,
    }));
    let differ = takes(&view).await.expect_err("a yes, a no and nothing");
    assert!(matches!(differ, ChainViewError::Disagree { .. }), "{differ:?}");
    nodes.doors.iter().for_each(LyingDoor::honest);

    let view = nodes.view(2, NETWORK).await;
    assert!(!takes(&view).await.expect("an answer"), "nothing is safe yet");
    nodes.mine(30).await;
    assert!(!takes(&view).await.expect("an answer"), "no code in the safe block");
    nodes.mine(10).await;
    assert!(takes(&view).await.expect("an answer"), "code in both blocks");
    code("0x").await;
    assert!(!takes(&view).await.expect("an answer"), "no code in the newest block");
}
