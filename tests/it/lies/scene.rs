//! A chain with an image that has a history, and the program before a node that lies about it.

use crate::chain::proxy::{Fault, proxy};
use crate::cli::{Run, png, program};
use medseal::chain::{DevNode, NodeOptions};
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// A chain, and a folder with two sealed images: the first was verified twice and opened to a
/// reader.
pub(super) struct Scene {
    pub(super) node: DevNode,
    runtime: Runtime,
    pub(super) folder: tempfile::TempDir,
    pub(super) id: String,
}

impl Scene {
    pub(super) fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let binary = std::env::var_os("MEDSEAL_ANVIL").map(PathBuf::from);
        let node = runtime.block_on(DevNode::start(&NodeOptions { binary, ..Default::default() })).expect("anvil");
        let folder = tempfile::tempdir().expect("a folder");
        let mut scene = Self { node, runtime, folder, id: String::new() };
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
