//! The chain on a real Geth: `geth --dev`, one node that makes its blocks alone.
//! `scripts/setup --nodes` builds it; a test that has no Geth fails, unless
//! `MEDSEAL_TEST_WITHOUT_NODES=1` says that it may be left out.

mod audit;
mod evidence;
mod main_path;
mod profiles;
mod watch;

use medseal::chain::{Rpc, Wallet};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Chain id of `geth --dev`.
const CHAIN_ID: u64 = 1337;

/// The program: `MEDSEAL_GETH`, or where the scripts put it. None where tests without nodes were
/// asked for and there is none.
fn binary() -> Option<PathBuf> {
    let named = std::env::var_os("MEDSEAL_GETH").map(PathBuf::from);
    let path = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/geth"));
    if path.is_file() {
        return Some(path);
    }
    let missing = format!("no geth at {}: scripts/setup --nodes builds it, MEDSEAL_GETH names another", path.display());
    assert!(std::env::var_os("MEDSEAL_TEST_WITHOUT_NODES").is_some_and(|value| value == "1"), "{missing}");
    eprintln!("LEFT OUT, {}: {missing}", std::thread::current().name().unwrap_or("a test"));
    None
}

/// A node of its own, gone with the test.
struct Geth {
    process: Child,
    url: String,
    rpc: Rpc,
    runtime: Runtime,
    folder: tempfile::TempDir,
    binary: PathBuf,
    port: u16,
    more: &'static [&'static str],
}

fn spawn(binary: &Path, folder: &Path, port: u16, more: &[&str]) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("geth.log")).expect("a log");
    Command::new(binary)
        .args(["--dev", "--dev.period", "1", "--nodiscover", "--maxpeers", "0", "--port", "0", "--ipcdisable"])
        .args(["--nat", "none", "--authrpc.port", "0", "--http", "--http.addr", "127.0.0.1"])
        .args(["--http.port", &port.to_string(), "--http.api", "eth,net,web3"])
        .args(more)
        .arg("--datadir")
        .arg(folder.join("geth"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("geth starts")
}

impl Geth {
    /// Starts `geth --dev` with a block a second, and gives ether to the development wallets.
    fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same, and it can be killed and lose nothing: the state of every block is written at
    /// once.
    fn start_to_be_killed() -> Option<Self> {
        Self::start_with(&["--gcmode", "archive", "--state.scheme", "hash"])
    }

    fn start_with(more: &'static [&'static str]) -> Option<Self> {
        let binary = binary()?;
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let process = spawn(&binary, folder.path(), port, more);
        let url = format!("http://127.0.0.1:{port}");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let rpc = Rpc::new(&url).expect("a URL");
        let mut geth = Self { process, url, rpc, runtime, folder, binary, port, more };
        geth.wait_until_ready();
        for index in 0..8 {
            geth.fund(index);
        }
        Some(geth)
    }

    /// Starts it again in its folder and at its port.
    fn spawn(&self) -> Child {
        spawn(&self.binary, self.folder.path(), self.port, self.more)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("geth.log")).unwrap_or_default()
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.runtime.block_on(self.rpc.chain_id()).is_err() {
            let ended = self.process.try_wait().expect("asked");
            assert!(ended.is_none() && Instant::now() < deadline, "geth is not ready ({ended:?}): {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(self.runtime.block_on(self.rpc.chain_id()).expect("an id"), CHAIN_ID);
    }

    fn ask(&self, method: &'static str, params: Vec<Value>) -> Value {
        let answer = self.runtime.block_on(self.rpc.raw(method, params));
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Ten ether from the node's own account.
    fn fund(&self, index: usize) {
        let rich = self.ask("eth_accounts", vec![])[0].clone();
        let sent = json!({ "from": rich, "to": wallet(index).address(), "value": "0x8ac7230489e80000" });
        let hash = self.ask("eth_sendTransaction", vec![sent]);
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.ask("eth_getTransactionReceipt", vec![hash.clone()]).is_null() {
            assert!(Instant::now() < deadline, "no block took {hash}: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Geth {
    fn drop(&mut self) {
        // It ends by itself or not; it must be gone with the test.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn wallet(index: usize) -> Wallet {
    Wallet::development(index, CHAIN_ID).expect("a development key")
}
