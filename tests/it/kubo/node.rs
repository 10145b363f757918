//! A real Kubo node of a test's own.

use crate::common::root;
use medseal::storage::Cid;
use medseal::storage::kubo::{Deadlines, Endpoint, KuboOptions, KuboStore, Token};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The `ipfs` program, which `scripts/setup --nodes` builds.
///
/// Without it the test fails, unless `MEDSEAL_TEST_WITHOUT_NODES=1` says that it is to be left out,
/// which is then said aloud.
pub(crate) fn binary() -> Option<PathBuf> {
    let path = root("target/tools/bin/ipfs");
    if path.is_file() {
        return Some(path);
    }
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let left_out = std::env::var("MEDSEAL_TEST_WITHOUT_NODES").is_ok_and(|value| value == "1");
    assert!(
        left_out,
        "no {}: scripts/setup --nodes builds it; MEDSEAL_TEST_WITHOUT_NODES=1 leaves {name} out",
        path.display()
    );
    eprintln!("LEFT OUT: {name} needs a real IPFS node (scripts/setup --nodes)");
    None
}

/// A node in a folder of its own: on this machine alone, without peers. It is killed when it is
/// dropped.
pub(crate) struct Node {
    binary: PathBuf,
    folder: tempfile::TempDir,
    daemon: Option<Child>,
    port: u16,
    options: Vec<&'static str>,
    /// Mebibytes of a disk of its own for the blocks.
    disk: Option<u32>,
}

impl Node {
    /// Starts a node; `None` where the test is left out.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[], |_| {})
    }

    /// Starts a node whose daemon gets `options`, after `configure` changed its configuration.
    pub(crate) fn start_with(options: &[&'static str], configure: impl FnOnce(&mut serde_json::Value)) -> Option<Self> {
        Self::start_on(None, options, configure)
    }

    /// The same with a disk of so many mebibytes for its blocks: a file system in memory that only
    /// the daemon sees.
    pub(crate) fn start_on(
        disk: Option<u32>,
        options: &[&'static str],
        configure: impl FnOnce(&mut serde_json::Value),
    ) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut node = Self { binary: binary()?, folder, daemon: None, port: 0, options: options.to_vec(), disk };
        node.ipfs(&["init", "--profile", "test"]);
        let path = node.repo().join("config");
        let text = std::fs::read(&path).expect("a configuration");
        let mut config: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        config["Routing"]["Type"] = "none".into();
        config["Addresses"]["Swarm"] = serde_json::json!(["/ip4/127.0.0.1/tcp/0"]);
        configure(&mut config);
        std::fs::write(&path, config.to_string()).expect("written");
        node.run();
        Some(node)
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn command(&self) -> Command {
        self.command_of(&self.binary)
    }

    fn command_of(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("IPFS_PATH", self.repo()).env("HOME", self.folder.path()).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// The daemon's command line, which takes further arguments.
    fn daemon_command(&self) -> Command {
        let Some(mebibytes) = self.disk else { return self.command() };
        let mut command = self.command_of("unshare");
        let script = format!(
            "cp -a \"$IPFS_PATH/blocks\" \"$IPFS_PATH/seed\" && mount -t tmpfs -o size={mebibytes}m none \"$IPFS_PATH/blocks\" && \
             cp -a \"$IPFS_PATH/seed/.\" \"$IPFS_PATH/blocks/\" && exec \"$0\" \"$@\""
        );
        command.args(["-rm", "sh", "-c", &script]).arg(&self.binary);
        command
    }

    /// Runs `ipfs` on this node and returns what it prints.
    #[track_caller]
    pub(crate) fn ipfs(&self, args: &[&str]) -> Vec<u8> {
        let output = self.command().args(args).output().expect("ipfs starts");
        assert!(output.status.success(), "ipfs {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Starts the daemon, at the port that it had before, and waits until it answers.
    pub(crate) fn run(&mut self) {
        let log = self.folder.path().join("log");
        let file = std::fs::File::create(&log).expect("a log");
        let api = format!("--api=/ip4/127.0.0.1/tcp/{}", self.port);
        let mut command = self.daemon_command();
        command.args(["daemon", &api]).args(&self.options).stdout(file.try_clone().expect("a log")).stderr(file);
        self.daemon = Some(command.spawn().expect("ipfs starts"));
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let listens = text.split_once("RPC API server listening on /ip4/127.0.0.1/tcp/");
            if let Some((_, rest)) = listens.filter(|(_, rest)| rest.contains("Daemon is ready")) {
                self.port = rest.split_whitespace().next().expect("a port").parse().expect("a number");
                return;
            }
            let ended = self.daemon.as_mut().expect("started").try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < deadline, "the IPFS node does not come up: {text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the daemon with SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            daemon.wait().expect("it ends");
            // What it was killed with in its hands is no longer in anybody's.
            let _ = std::fs::remove_file(self.repo().join("repo.lock"));
        }
    }

    /// Stops the daemon, which may finish what it does.
    pub(crate) fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            self.ipfs(&["shutdown"]);
            daemon.wait().expect("it ends");
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.url().parse().expect("a URL")
    }

    /// Where the node's flatfs keeps a block: in base 32, upper case, of the multihash alone.
    pub(crate) fn block_path(&self, cid: &Cid) -> PathBuf {
        let name = String::from_utf8(self.ipfs(&["cid", "format", "-b", "base32upper", "-f", "%M", &cid.to_string()]));
        let name = name.expect("text").trim().trim_start_matches('B').to_owned();
        let shard = &name[name.len() - 3..name.len() - 1];
        let path = self.repo().join("blocks").join(shard).join(format!("{name}.data"));
        assert!(path.is_file(), "no block at {}", path.display());
        path
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a store said about its nodes while it went on with others.
#[derive(Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<Vec<String>>>);

impl Notices {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }

    /// Whether one of them names this node.
    pub(crate) fn name(&self, url: &str) -> bool {
        self.all().iter().any(|notice| notice.contains(url))
    }
}

/// The store at `nodes`, of which each object lies at `replicas`, and what it says.
pub(crate) fn store(nodes: &[&Node], replicas: usize) -> (KuboStore, Notices) {
    store_at(nodes.iter().map(|node| (node.endpoint(), None)).collect(), replicas, Deadlines::default())
}

pub(crate) fn store_at(
    nodes: Vec<(Endpoint, Option<Token>)>,
    replicas: usize,
    deadlines: Deadlines,
) -> (KuboStore, Notices) {
    let notices = Notices::default();
    let said = notices.clone();
    let notice = Arc::new(move |text: &str| said.0.lock().expect("not poisoned").push(text.to_owned()));
    let store = KuboStore::new(KuboOptions { nodes, replicas, deadlines, notice }).expect("options that fit");
    (store, notices)
}

/// Flips one bit of a file.
pub(crate) fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("a file");
    bytes[at] ^= 1;
    // The file is made read-only by the node; a new one takes its place, as a hostile disk would do
    // it.
    std::fs::remove_file(path).expect("removed");
    std::fs::write(path, bytes).expect("altered");
}
