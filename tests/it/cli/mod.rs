//! The `medseal` program as people and programs use it: each test starts a chain of its own and
//! works in a folder of its own.

mod access;
mod adopted;
mod agreement;
mod anchors;
mod audit;
mod bad_chain;
mod bad_input;
mod bad_settings;
mod bad_store;
mod batches;
mod capsules;
mod demo;
mod evidence;
mod external_signer;
mod governance;
mod keygen_report;
mod kgc_life;
mod kgc_service;
mod kubo;
mod main_path;
mod manual;
mod models;
mod network;
mod operators;
mod outbox;
mod output;
mod renewed;
mod requests;
mod resume;
mod schema;
mod sessions;
mod settings;
mod signers;
mod sources;
pub(crate) mod watch;

use alloy::providers::{Provider, ProviderBuilder, RootProvider};
use medseal::chain::{Deployment, DevNode, NodeOptions, Profile, Registry, Rpc, Wallet};
use medseal::contract::AuditHead;
use medseal::imaging::{Format, encode, phantom};
use medseal::storage::{Cid, LocalStore};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::runtime::Runtime;

const CHAIN_ID: u64 = 31337;

/// What the program came to.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The `error` of a `--json` object.
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().expect("medseal starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let code = output.status.code().expect("it ends by itself");
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The one object on stdout, checked against its schema.
    fn json(&self) -> Value {
        let value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in \"{}\" (stderr: {})", self.stdout, self.stderr));
        schema::check(&value);
        value
    }

    /// The `result` of a run that ended with `code`.
    pub(crate) fn result_with(&self, code: i32) -> Value {
        let mut json = self.json();
        assert_eq!(self.code, code, "{json} {}", self.stderr);
        json["result"].take()
    }

    pub(crate) fn result(&self) -> Value {
        self.result_with(0)
    }

    /// The `error` of a run that ended with exit code `exit` and this error code; every one has a
    /// hint.
    pub(crate) fn refusal(&self, exit: i32, code: &str) -> Refusal {
        let json = self.json();
        let error = &json["error"];
        assert_eq!((self.code, error["code"].as_str()), (exit, Some(code)), "{json} {}", self.stderr);
        let text = |name: &str| error[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned();
        Refusal { message: text("message"), hint: text("hint") }
    }
}

/// `medseal` in `folder`, with no setting from outside.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medseal"));
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // Not the configuration of whoever runs the tests.
    command.env("XDG_CONFIG_HOME", folder.join(".config"));
    command
}

/// Everything that a refused command must leave as it was: the files, and the head and number of
/// the chain's events.
type State = (BTreeMap<PathBuf, Vec<u8>>, (String, u64));

/// A chain and a folder to work in.
struct World {
    node: DevNode,
    registry: Option<Registry>,
    runtime: Runtime,
    folder: tempfile::TempDir,
}

impl World {
    /// A chain without the contract.
    fn bare() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let node = runtime.block_on(DevNode::start(&node_options())).expect("anvil");
        Self { node, registry: None, runtime, folder: tempfile::tempdir().expect("a folder") }
    }

    /// A chain with the contract and a published KGC.
    fn new() -> Self {
        let mut world = Self::bare();
        world.medseal(&["deploy"]).result();
        world.medseal(&["kgc", "init", "--no-passphrase"]).result();
        let deployment = Deployment::load(&world.path("deployments"), CHAIN_ID).expect("a deployment file");
        let connected = Registry::connect(world.rpc(), &deployment, Profile::Development);
        world.registry = Some(world.runtime.block_on(connected).expect("the contract"));
        world
    }

    fn rpc(&self) -> Rpc {
        Rpc::new(&self.node.rpc_url()).expect("a URL")
    }

    fn registry(&self) -> &Registry {
        self.registry.as_ref().expect("deployed")
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        // As of a password file: others cannot read it.
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program in this folder, at this node.
    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = program(self.folder.path());
        command.env("ETH_RPC_URL", self.node.rpc_url()).args(args);
        command
    }

    /// Runs with `--json`.
    fn medseal<S: AsRef<OsStr>>(&self, args: &[S]) -> Run {
        Run::of(self.command(args).arg("--json"))
    }

    /// Runs for people.
    fn talk<S: AsRef<OsStr>>(&self, args: &[S]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// Runs what must be refused, and checks that files and chain are as before.
    fn refused(&self, args: &[&str], exit: i32, code: &str) -> Refusal {
        let before = self.state();
        let refusal = self.medseal(args).refusal(exit, code);
        let after = self.state();
        assert_eq!(before.1, after.1, "{args:?} logged something on chain");
        assert_eq!(before.0.keys().collect::<Vec<_>>(), after.0.keys().collect::<Vec<_>>(), "{args:?} left files");
        assert!(before.0 == after.0, "{args:?} changed a file");
        refusal
    }

    /// Seals one file and returns what `--json` says of it.
    fn seal(&self, file: &str, more: &[&str]) -> Value {
        let mut result = self.medseal(&[&["seal", file], more].concat()).result();
        assert_eq!(result["images"].as_array().map(Vec::len), Some(1), "{result}");
        result["images"][0].take()
    }

    /// Where the sealed image of `image` lies in the store: one block.
    fn block(&self, image: &Value) -> PathBuf {
        let store = LocalStore::open(self.path(".medseal/store")).expect("the store");
        let cid: Cid = image["cid"].as_str().expect("a CID").parse().expect("a CID");
        let path = store.block_path(&cid);
        assert!(path.is_file(), "no block at {}", path.display());
        path
    }

    fn records(&self) -> u64 {
        self.runtime.block_on(self.registry().image_count()).expect("a count") as u64
    }

    fn state(&self) -> State {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        let AuditHead { head, seq } = self.runtime.block_on(self.registry().audit()).expect("the audit head");
        (files, (head.to_string(), seq))
    }

    /// Asks the node something that the library has no need of.
    fn ask(&self, method: &'static str, params: Value) -> Value {
        let url = self.node.rpc_url().parse().expect("a URL");
        let provider: RootProvider = ProviderBuilder::new().disable_recommended_fillers().connect_http(url);
        let answer = self.runtime.block_on(provider.raw_request(method.into(), params));
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}

fn node_options() -> NodeOptions {
    NodeOptions { binary: std::env::var_os("MEDSEAL_ANVIL").map(PathBuf::from), ..Default::default() }
}

/// Reads every file below `folder`, but for databases, their locks, the key of jobs' names, and the
/// KGC's log of what it was asked.
fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, files);
        } else if !name.starts_with("outbox-")
            && !name.starts_with("release.log")
            && !["lock", "jobs.key"].contains(&name.as_str())
        {
            let bytes = std::fs::read(&path).expect("a file");
            files.insert(path, bytes);
        }
    }
}

/// Copies a folder with all that is in it.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}

/// The address of a development wallet, as the command line takes it.
fn wallet(index: usize) -> String {
    Wallet::development(index, CHAIN_ID).expect("a development key").address().to_checksum(None)
}

/// A committed sample.
fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A phantom as PNG: another one for each seed.
pub(crate) fn png(height: u32, width: u32, seed: u64) -> Vec<u8> {
    encode(&phantom(height, width, 8, seed), Format::Png).expect("encoded")
}

/// Something that scripts/setup fetches.
pub(crate) fn fetched(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(name);
    assert!(path.exists(), "no {}: scripts/setup fetches it", path.display());
    path
}
