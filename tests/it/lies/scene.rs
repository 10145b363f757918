//! A chain with an image that has a history, and the program before a node that lies about it.

use crate::chain::proxy::{Fault, proxy};
use crate::cli::{Run, png, program};
use medseal::chain::{DevNode, NodeOptions};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// A chain, and a folder with two sealed images: the first was verified twice and opened to a
/// reader.
pub(super) struct Scene {
    pub(super) node: DevNode,
    runtime: Runtime,
    pub(super) folder: tempfile::TempDir,
    pub(super) id: String,
    /// The second image, once it is tampered with.
    pub(super) tampered: String,
}

/// How the program ended.
pub(super) struct Ended {
    /// None if a signal ended it, ours after three minutes too.
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// Most memory that it had, as was seen now and then.
    pub(super) most_kib: u64,
}

impl Scene {
    pub(super) fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let binary = std::env::var_os("MEDSEAL_ANVIL").map(PathBuf::from);
        let node = runtime.block_on(DevNode::start(&NodeOptions { binary, ..Default::default() })).expect("anvil");
        let folder = tempfile::tempdir().expect("a folder");
        let mut scene = Self { node, runtime, folder, id: String::new(), tampered: String::new() };
        scene.honest(&["deploy"]).result();
        scene.honest(&["kgc", "init", "--no-passphrase"]).result();
        for name in ["a.png", "b.png"] {
            std::fs::write(scene.path(name), png(9, 9, u64::from(name.as_bytes()[0]))).expect("written");
            let sealed = scene.honest(&["seal", name]).result();
            if scene.id.is_empty() {
                scene.id = sealed["images"][0]["imageId"].as_str().expect("an id").to_owned();
            }
        }
        let id = scene.id.clone();
        scene.honest(&["verify", &id, "--record"]).result();
        scene.honest(&["verify", &id, "--record", "--as", "stranger"]).result();
        scene.honest(&["grant", &id, "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"]).result();
        scene
    }

    /// The same, with the second image tampered with and flagged.
    pub(super) fn with_tampered() -> Self {
        let mut scene = Self::new();
        scene.tamper();
        scene
    }

    /// Seals a second image and tampers with it; its verifier says so, in the transaction with this
    /// hash.
    pub(super) fn tamper(&mut self) -> String {
        let sealed = self.honest(&["seal", "b.png"]).result();
        let (id, cid) = (&sealed["images"][0]["imageId"], sealed["images"][0]["cid"].as_str().expect("a CID"));
        let store = medseal::storage::LocalStore::open(self.path(".medseal/store")).expect("the store");
        let block = store.block_path(&cid.parse().expect("a CID"));
        let mut bytes = std::fs::read(&block).expect("a block");
        bytes[99] ^= 1;
        std::fs::write(&block, bytes).expect("written");
        self.tampered = id.as_str().expect("an id").to_owned();
        let invalid = self.honest(&["verify", &self.tampered, "--record"]).result_with(3);
        invalid["recorded"]["transaction"].as_str().expect("a transaction").to_owned()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs with `--json` at the chain itself.
    pub(super) fn honest(&self, args: &[&str]) -> Run {
        self.at(&self.node.rpc_url(), args)
    }

    /// Runs with `--json` at this URL.
    pub(super) fn at(&self, url: &str, args: &[&str]) -> Run {
        let mut command = program(self.folder.path());
        command.env("ETH_RPC_URL", url).env("MEDSEAL_READ_TIME", "6").args(args).arg("--json");
        Run::of(&mut command)
    }

    /// Runs at this URL, ended after three minutes.
    pub(super) fn ended(&self, url: &str, args: &[String]) -> Ended {
        let mut command = program(self.folder.path());
        command.env("ETH_RPC_URL", url).env("MEDSEAL_READ_TIME", "6").args(args).arg("--json");
        let (out, err) = (self.path("lied.stdout"), self.path("lied.stderr"));
        let file = |path| std::fs::File::create(path).expect("a file");
        let mut child = command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err)).spawn().expect("started");
        let (began, mut most_kib) = (Instant::now(), 0);
        let status = loop {
            if let Some(status) = child.try_wait().expect("waited for") {
                break status;
            }
            most_kib = most_kib.max(peak_kib(child.id()));
            if began.elapsed() > Duration::from_secs(180) {
                child.kill().expect("killed");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let text = |path| String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned();
        Ended { code: status.code(), stdout: text(&out), stderr: text(&err), most_kib }
    }

    /// A node that answers as this chain does, but for what `rule` does to it.
    pub(super) fn liar(&self, rule: impl FnMut(&Value) -> Fault + Send + 'static) -> String {
        proxy(&self.node.rpc_url(), rule)
    }

    /// Asks the chain itself.
    pub(super) fn ask(&self, method: &'static str, params: Value) -> Value {
        let rpc = medseal::chain::Rpc::new(&self.node.rpc_url()).expect("a URL");
        let Value::Array(params) = params else { panic!("a list of parameters") };
        self.runtime.block_on(rpc.raw(method, params)).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The newest block.
    pub(super) fn newest(&self) -> Value {
        self.ask("eth_getBlockByNumber", json!(["latest", false]))
    }
}

/// Most memory that `medseal` had so far, in KiB; 0 once it is gone, and before it has begun: until
/// then the process is a copy of this one.
fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    if !status.starts_with("Name:\tmedseal\n") {
        return 0;
    }
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}
