//! A node that is killed again and again under a watch.

use super::acts::Acts;
use super::lines;
use super::notified::Running;
use crate::cli::program;
use alloy::rpc::types::Header;
use medseal::chain::node::find_binary;
use medseal::chain::{Outbox, Profile, Registry, Rpc, Wallet, deploy};
use medseal::contract::ConstructorArguments;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A node that can be killed and started anew on what it kept.
pub(crate) trait Mortal {
    /// Waits until what was mined up to the transaction with this hash will outlive it.
    fn keep(&mut self, last: &Value);

    /// Kills it by SIGKILL and starts it again; the last transaction that was mined has this hash.
    /// Returns whether it may have lost blocks.
    fn kill_and_start(&mut self, round: usize, last: &Value) -> bool;
}

/// Calls before a kill whose blocks it may cost: fewer than a watch goes back (64).
const MAY_BE_LOST: usize = 40;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) kills: usize,
    /// Events in the chain at the end, items included.
    pub(crate) events: usize,
    pub(crate) told: usize,
    pub(crate) retracted: usize,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kills, events, told, retracted } = self;
        let standing = told - retracted;
        write!(f, "{kills} kills; {events} events in the chain, {standing} told and standing: 0 missed, 0 repeated; ")?;
        write!(f, "{retracted} more told and taken back")
    }
}

/// Watches while the node is killed so many times and makes events between, `calls` transactions
/// each time; what was told and not taken back must be the chain's own log, each event once and in
/// its order.
pub(crate) async fn watched(
    folder: &Path,
    registry: &Registry,
    node: &mut impl Mortal,
    kills: usize,
    calls: usize,
) -> Counts {
    let (rpc, printed, errors) = (registry.rpc(), folder.join("printed"), folder.join("errors"));
    let mut command = program(folder);
    command.env("ETH_RPC_URL", rpc.endpoint()).args(["--json", "watch", "--from-start", "--every", "1"]);
    let file = |path: &PathBuf| std::fs::File::create(path).expect("a file");
    let watch = command.stdin(Stdio::null()).stdout(file(&printed)).stderr(file(&errors)).spawn();
    let mut watch = Running(watch.expect("it starts"));
    let mut acts = Acts::new(registry);
    let mut told_before_a_loss = 0;
    for round in 0..kills {
        let last = acts.mixed(calls - MAY_BE_LOST).await;
        node.keep(&last);
        let last = acts.mixed(MAY_BE_LOST).await;
        let head = rpc.latest().await.expect("a head");
        let may_have_lost = node.kill_and_start(round, &last);
        let deadline = Instant::now() + Duration::from_secs(30);
        while rpc.latest().await.is_err() {
            assert!(Instant::now() < deadline, "the node does not come back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // A node that says it keeps every block may lose its newest one to a kill all the same.
        if may_have_lost || !has(rpc, &head).await {
            told_before_a_loss += 1;
        }
    }
    acts.mixed(calls).await;
    let said = || std::fs::read_to_string(&errors).unwrap_or_default();
    let seq = registry.audit().await.expect("the contract's number").seq;
    let deadline = Instant::now() + Duration::from_secs(60);
    let text = || std::fs::read_to_string(&printed).expect("text");
    while lines(&text()).last().is_none_or(|last| last["seq"] != seq || last["type"] != "event") {
        let ended = watch.0.try_wait().expect("asked");
        assert!(ended.is_none() && Instant::now() < deadline, "{ended:?} {} {}", text().len(), said());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let stop = Command::new("kill").args(["-INT", &watch.0.id().to_string()]).status().expect("kill");
    assert!(stop.success() && watch.0.wait().expect("it ends").success(), "{}", said());
    let mut told = lines(&text());
    let end = told.pop().expect("the end");
    let events = compare(&told, registry, &said()).await;

    let ids: BTreeSet<&str> = told.iter().filter_map(|line| line["id"].as_str()).collect();
    assert_eq!(ids.len(), told.len(), "nothing is told twice");
    let retracted = told.iter().filter(|line| line["type"] == "retracted").count();
    assert_eq!((&end["events"], &end["retracted"]), (&Value::from(told.len() - retracted), &Value::from(retracted)));
    assert!(told_before_a_loss > 0 || retracted == 0, "nothing was lost, and something was taken back");
    let back = said().matches("going on: no event is missing").count();
    assert!(back > 0, "the watch did not notice any of it: {}", said());
    Counts { kills, events, told: told.len() - retracted, retracted }
}

/// Whether the chain still has this block.
async fn has(rpc: &Rpc, head: &Header) -> bool {
    let number = format!("0x{:x}", head.number);
    let asked = vec![Value::from(number), Value::from(false)];
    let found = rpc.raw("eth_getBlockByNumber", asked).await.expect("an answer");
    found["hash"] == head.hash.to_string()
}

/// Compares what was told and not taken back with the chain's own log; returns how many events that
/// has.
async fn compare(told: &[Value], registry: &Registry, said: &str) -> usize {
    let head = registry.rpc().latest().await.expect("a head");
    let truth = registry.log(head.number).await.expect("the log");
    let mut standing: Vec<&Value> = Vec::new();
    for line in told {
        match line["type"].as_str() {
            Some("event") => standing.push(line),
            _ => assert_eq!(standing.pop().expect("told before")["id"], line["retracts"], "newest first"),
        }
    }
    let place = |line: &&Value| (line["block"].as_u64(), line["logIndex"].as_u64(), line["blockHash"].clone());
    let places: Vec<_> = standing.iter().map(place).collect();
    let expected: Vec<_> = truth
        .iter()
        .map(|event| {
            let place = event.place;
            (Some(place.block_number), Some(place.log_index), Value::from(place.block_hash.to_string()))
        })
        .collect();
    assert_eq!(places, expected, "{said}");
    truth.len()
}

/// Deploys, with the verifier's role, and leaves the deployment file for the program.
pub(crate) async fn deployed(folder: &Path, rpc: &Rpc, chain_id: u64) -> Registry {
    let wallet = |index| Wallet::development(index, chain_id).expect("a development key");
    let admin = wallet(0);
    let mut outbox = Outbox::open(folder, admin.address(), rpc, Profile::Development).await.expect("an outbox");
    let roles = vec![medseal::contract::InitialRole {
        role: medseal::contract::bindings::Role::Verifier,
        wallet: wallet(5).address(),
    }];
    let arguments = ConstructorArguments { admin: admin.address(), roles };
    let deployment = deploy(rpc, &mut outbox, &admin, arguments).await.expect("deployed").mined().expect("sent");
    deployment.save(&folder.join("deployments")).expect("saved");
    Registry::connect(rpc.clone(), &deployment, Profile::Development).await.expect("connected")
}

/// Anvil, which writes its chain to a file each second.
struct Anvil {
    binary: PathBuf,
    port: u16,
    state: PathBuf,
    process: Child,
}

impl Anvil {
    fn start(folder: &Path) -> Self {
        let binary = find_binary(std::env::var_os("MEDSEAL_ANVIL").map(PathBuf::from).as_deref()).expect("anvil");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let state = folder.join("state.json");
        let process = Self::spawn(&binary, port, &state);
        Self { binary, port, state, process }
    }

    fn spawn(binary: &Path, port: u16, state: &Path) -> Child {
        let mut command = Command::new(binary);
        // Else it has another block 0 after some starts.
        command.args(["--hardfork", "prague", "--timestamp", "1700000000"]);
        command.args(["--port", &port.to_string(), "--state-interval", "1", "--state"]);
        command.arg(state).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("anvil")
    }

    /// The file, once it is whole and has this transaction.
    fn wait_for(&self, transaction: &Value) {
        let hash = transaction.as_str().expect("a hash");
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let text = std::fs::read_to_string(&self.state).unwrap_or_default();
            if text.contains(hash) && serde_json::from_str::<Value>(&text).is_ok() {
                return std::fs::write(self.state.with_extension("good"), text).expect("written");
            }
            assert!(Instant::now() < deadline, "no state with {hash}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Mortal for Anvil {
    fn keep(&mut self, last: &Value) {
        self.wait_for(last);
    }

    /// Every third time it is not waited until all is in the file: its newest blocks are lost, and
    /// others come in their place.
    fn kill_and_start(&mut self, round: usize, last: &Value) -> bool {
        let loses = round % 3 == 2;
        if loses {
            // So long that the watch saw them, and not so long that the file has them.
            std::thread::sleep(Duration::from_millis(300));
        } else {
            self.wait_for(last);
        }
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
        let text = std::fs::read_to_string(&self.state).unwrap_or_default();
        if serde_json::from_str::<Value>(&text).is_err() {
            // Killed in the midst of writing.
            std::fs::copy(self.state.with_extension("good"), &self.state).expect("copied");
        }
        std::thread::sleep(Duration::from_millis(400));
        self.process = Self::spawn(&self.binary, self.port, &self.state);
        loses
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn anvil_is_killed_ten_times_and_nothing_is_missed_or_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut anvil = Anvil::start(folder.path());
    let rpc = Rpc::new(&format!("http://127.0.0.1:{}", anvil.port)).expect("a URL");
    let counts = runtime.block_on(async {
        let deadline = Instant::now() + Duration::from_secs(20);
        while rpc.chain_id().await.is_err() {
            assert!(Instant::now() < deadline, "anvil is not ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let registry = deployed(folder.path(), &rpc, 31337).await;
        watched(folder.path(), &registry, &mut anvil, 10, 100).await
    });
    eprintln!("watch on anvil: {counts}");
    assert!(counts.events >= 1000 && counts.kills == 10, "{counts:?}");
}
