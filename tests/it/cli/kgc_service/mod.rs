//! The key center as a service: people on other machines seal and open with it.

mod disk;
mod http;
mod nodes;
mod people;
mod set;

use super::{World, copy_folder, program};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a process may take to say what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A `medseal kgc serve` that runs.
pub(super) struct Serving {
    child: Child,
    lines: Receiver<String>,
    pub(super) url: String,
    /// Where operators look.
    operators: String,
}

impl Serving {
    /// Serves with the KGC of this world, at ports that are free.
    pub(super) fn start(world: &World, more: &[&str]) -> Self {
        let mut command = world.command(&["kgc", "serve", "--listen", "127.0.0.1:0", "--operators", "127.0.0.1:0"]);
        Self::of(command.args(more))
    }

    pub(super) fn of(command: &mut Command) -> Self {
        let mut this = Self::begin(command);
        let metrics = this.hear("metrics at ");
        this.operators = metrics.trim_end_matches("/metrics").to_owned();
        this.url = this.hear("listens at ");
        this
    }

    /// Runs, and has said nothing yet.
    fn begin(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
        let (said, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Whoever does not listen any more has what it wanted.
                let _ = said.send(line);
            }
        });
        Self { child, lines, url: String::new(), operators: String::new() }
    }

    /// What follows these words in a line that it says.
    fn hear(&self, words: &str) -> String {
        let mut before = String::new();
        loop {
            let line =
                self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it never said \"{words}\": {before}"));
            if let Some((_, rest)) = line.split_once(words) {
                return rest.to_owned();
            }
            before += &format!("{line}\n");
        }
    }

    /// Has it stop as it should, and returns what it said since it listens.
    pub(super) fn end(mut self) -> String {
        self.terminate();
        self.lines.iter().collect::<Vec<_>>().join("\n")
    }

    /// Has it stop as it should.
    pub(super) fn stop(mut self) {
        self.terminate();
    }

    fn terminate(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}: {:?}", self.lines.try_iter().collect::<Vec<_>>());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Another machine: a folder with nothing of the world's but its deployment file, and its own
/// copy of what is stored.
pub(super) struct Elsewhere {
    pub(super) folder: tempfile::TempDir,
    rpc_url: String,
}

impl Elsewhere {
    pub(super) fn of(world: &World) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        copy_folder(&world.path("deployments"), &folder.path().join("deployments"));
        Self { folder, rpc_url: world.node.rpc_url() }
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = program(self.folder.path());
        command.env("ETH_RPC_URL", &self.rpc_url).args(args);
        command
    }

    pub(super) fn medseal(&self, args: &[&str]) -> super::Run {
        super::Run::of(self.command(args).arg("--json"))
    }

    /// Fetches what the other machine has stored.
    pub(super) fn fetch_from(&self, other: &std::path::Path) {
        copy_folder(&other.join(".medseal/store"), &self.folder.path().join(".medseal/store"));
    }

    /// The receipts that an actor keeps here.
    fn receipts(&self, actor: &str) -> Vec<serde_json::Value> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join(".medseal").join(actor).join("receipts")) else {
            return Vec::new();
        };
        let receipt =
            |path: std::path::PathBuf| serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
        entries.map(|entry| receipt(entry.expect("an entry").path())).collect()
    }
}
