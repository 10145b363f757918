//! The development chain: anvil, started and stopped by us (`anvil/README.md`).

use super::error::ChainError;
use super::node_state::StateFile;
use super::rpc::Rpc;
use crate::clock::{Clock, SystemClock};
use crate::contract::ErrorKind;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How the chain is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeOptions {
    /// Anvil's native file; looked for by [`find_binary`] where it is `None`.
    pub binary: Option<PathBuf>,
    /// Port on 127.0.0.1; 0 is any free one.
    pub port: u16,
    /// File that keeps the chain from one start to the next.
    pub state: Option<PathBuf>,
    /// Its chain id.
    pub chain_id: u64,
    /// Seconds from block to block; `None` makes a block for each transaction.
    pub block_time_secs: Option<u64>,
    /// How long the start may take.
    pub start_deadline: Duration,
}

impl Default for NodeOptions {
    /// A chain 31337 that is gone afterwards, at a free port, ready within 20 s.
    fn default() -> Self {
        let start_deadline = Duration::from_secs(20);
        Self { binary: None, port: 0, state: None, chain_id: 31337, block_time_secs: None, start_deadline }
    }
}

/// Why there is no development chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// No native anvil anywhere.
    #[error("no anvil found: it is neither on the PATH nor in this program's checkout")]
    NoBinary,
    /// The file that was named is not there, or no program.
    #[error("{} is not the anvil program", file.display())]
    NotNative {
        /// Which file.
        file: PathBuf,
    },
    /// The file can't be run.
    #[error("cannot run {}", binary.display())]
    NotStarted {
        /// Which file.
        binary: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another program listens there.
    #[error("port {port} is in use")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The chain cannot be kept.
    #[error("cannot keep the chain in {}", path.display())]
    State {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended before it listened.
    #[error("anvil ended at once ({status}): {output}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// Its last lines.
        output: String,
    },
    /// It did not listen in time.
    #[error("anvil was not ready within {} s: {output}", .after.as_secs_f32())]
    NotReady {
        /// The deadline.
        after: Duration,
        /// Its last lines.
        output: String,
    },
    /// It listens, and its answers are not valid.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl NodeError {
    /// The kind of failure, which decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoBinary | Self::NotNative { .. } => ErrorKind::NotFound,
            Self::NotReady { .. } => ErrorKind::Unreachable,
            Self::Chain(error) => error.kind(),
            _ => ErrorKind::Failure,
        }
    }
}

/// Returns anvil's native file: `explicit`, else one on the PATH, else the one that `scripts/setup`
/// fetches into the checkout whose `target` folder this program lies in. The working folder is
/// never looked into: whoever fills it would choose what runs. Scripts that start anvil (npm's) are
/// passed over: stopping them stops nothing.
///
/// # Errors
/// [`NodeError::NoBinary`].
pub fn find_binary(explicit: Option<&Path>) -> Result<PathBuf, NodeError> {
    if let Some(explicit) = explicit {
        let found = is_native(explicit);
        return if found { Ok(explicit.into()) } else { Err(NodeError::NotNative { file: explicit.into() }) };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_default();
    candidates(&path, &program).into_iter().find(|file| is_native(file)).ok_or(NodeError::NoBinary)
}

/// Where anvil may be, for a `PATH` and where this program lies.
fn candidates(path: &OsStr, program: &Path) -> Vec<PathBuf> {
    // An empty or relative entry of the PATH is the working folder, or in it.
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    let target = program.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "target"));
    folders.chain(target.map(|target| target.join("tools/bin"))).map(|folder| folder.join("anvil")).collect()
}

fn is_native(file: &Path) -> bool {
    let mut start = [0; 2];
    std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start != *b"#!"
}

/// Anvil's output so far.
#[derive(Default)]
struct Output {
    port: Option<u16>,
    last: VecDeque<String>,
}

impl Output {
    const LINES: usize = 8;

    fn add(&mut self, line: String) {
        if let Some(address) = line.strip_prefix("Listening on ") {
            self.port = address.rsplit(':').next().and_then(|port| port.trim().parse().ok());
        }
        if !line.trim().is_empty() {
            if self.last.len() == Self::LINES {
                self.last.pop_front();
            }
            self.last.push_back(line);
        }
    }
}

/// A development chain that runs as long as this value lives.
#[derive(Debug)]
pub struct DevNode {
    child: Child,
    port: u16,
    state: Option<StateFile>,
    restored: bool,
}

impl DevNode {
    /// Starts anvil on Prague rules and returns it once it answers.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn start(options: &NodeOptions) -> Result<Self, NodeError> {
        let binary = find_binary(options.binary.as_deref())?;
        if TcpListener::bind(("127.0.0.1", options.port)).is_err() {
            return Err(NodeError::PortTaken { port: options.port });
        }
        let state = options.state.clone().map(StateFile::new);
        let restored = match &state {
            Some(state) => {
                state.restore().map_err(|source| NodeError::State { path: state.path().to_owned(), source })?
            }
            None => false,
        };
        let mut child = command(&binary, options)
            .spawn()
            .map_err(|source| NodeError::NotStarted { binary: binary.clone(), source })?;
        let output = Arc::new(Mutex::new(Output::default()));
        // Both pipes are read to their end: a full one would stop anvil.
        if let Some(stdout) = child.stdout.take() {
            drain(stdout, &output);
        }
        if let Some(stderr) = child.stderr.take() {
            drain(stderr, &output);
        }
        let mut node = Self { child, port: 0, state, restored };
        node.port = node.wait_for_port(&output, options.start_deadline).await?;
        let rpc = Rpc::new(&node.rpc_url())?;
        rpc.check_chain_id(options.chain_id).await?;
        if node.state.is_some() {
            rpc.raw("evm_setTime", vec![SystemClock.unix_secs().into()]).await?;
        }
        Ok(node)
    }

    async fn wait_for_port(&mut self, output: &Mutex<Output>, deadline: Duration) -> Result<u16, NodeError> {
        let start = Instant::now();
        let said = || {
            let output = output.lock().unwrap_or_else(PoisonError::into_inner);
            (output.port, output.last.iter().cloned().collect::<Vec<_>>().join(" | "))
        };
        loop {
            if let (Some(port), _) = said() {
                return Ok(port);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                // The threads may still be reading its last output.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Err(NodeError::Ended { status, output: said().1 });
            }
            if start.elapsed() >= deadline {
                return Err(NodeError::NotReady { after: deadline, output: said().1 });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its URL.
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether its state file was cut short, and the last whole one was taken.
    pub fn was_restored(&self) -> bool {
        self.restored
    }

    /// Keeps the newest state that anvil wrote whole. To be called again and again.
    ///
    /// # Errors
    /// [`NodeError::State`].
    pub fn keep_state(&mut self) -> Result<(), NodeError> {
        let Some(state) = &mut self.state else { return Ok(()) };
        state.keep().map_err(|source| NodeError::State { path: state.whole(), source })
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Stops it, after it wrote its state file, if it has one; the same happens on drop.
    pub fn stop(self) {}
}

impl Drop for DevNode {
    fn drop(&mut self) {
        // Anvil writes its state when it is asked to end, not when it is killed. The standard
        // library can only kill.
        if self.state.is_some() && self.ended().is_none() {
            let ask = format!("kill -TERM {}", self.child.id());
            let asked = Command::new("sh").args(["-c", &ask]).status().is_ok_and(|status| status.success());
            let start = Instant::now();
            while asked && self.ended().is_none() && start.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // Both calls fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Of chains that are kept: 2020-01-01.
const FIRST_BLOCK_TIME: u64 = 1_577_836_800;

fn command(binary: &Path, options: &NodeOptions) -> Command {
    let mut command = Command::new(binary);
    // Never `--quiet`: the line that names the port would be missing.
    command.args(["--host", "127.0.0.1", "--hardfork", "prague"]);
    command.args(["--port", &options.port.to_string(), "--chain-id", &options.chain_id.to_string()]);
    if let Some(state) = &options.state {
        command.arg("--state").arg(state).args(["--state-interval", &StateFile::EVERY_SECS.to_string()]);
        // Anvil makes block 0 anew at each start, beside the one in the file, and then takes the
        // one or the other: they must be equal.
        command.args(["--timestamp", &FIRST_BLOCK_TIME.to_string()]);
    }
    if let Some(seconds) = options.block_time_secs {
        command.args(["--block-time", &seconds.to_string()]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn drain(pipe: impl Read + Send + 'static, output: &Arc<Mutex<Output>>) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            output.lock().unwrap_or_else(PoisonError::into_inner).add(line);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_what_anvil_says() {
        let mut output = Output::default();
        for line in ["", "Chain ID", "31337", "Listening on 127.0.0.1:35929"] {
            output.add(line.to_owned());
        }
        assert_eq!(output.port, Some(35929));
        for number in 0..20 {
            output.add(format!("line {number}"));
        }
        assert_eq!(output.last.len(), 8);
        assert_eq!(output.last.back().map(String::as_str), Some("line 19"));
    }

    #[test]
    fn scripts_and_missing_files_are_no_anvil() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("anvil");
        assert!(matches!(find_binary(Some(&file)), Err(NodeError::NotNative { .. })));
        std::fs::write(&file, "#!/usr/bin/env node\n").expect("written");
        assert!(matches!(find_binary(Some(&file)), Err(NodeError::NotNative { .. })));
        std::fs::write(&file, b"\x7fELF").expect("written");
        assert_eq!(find_binary(Some(&file)).expect("found"), file);
    }
    #[test]
    fn anvil_is_taken_from_the_path_or_the_checkout_and_never_from_the_working_folder() {
        let found = |path: &str, program: &str| candidates(path.as_ref(), program.as_ref());
        let (first, last) = (PathBuf::from("/a/anvil"), PathBuf::from("/code/target/tools/bin/anvil"));
        for program in ["/code/target/debug/medseal", "/code/target/release/medseal", "/code/target/debug/deps/it-1"] {
            assert_eq!(found("/a:.::target/tools/bin", program), [first.clone(), last.clone()]);
        }
        assert_eq!(found("/a", "/home/me/.cargo/bin/medseal"), [first]);
        assert!(found("", "medseal").is_empty());
    }
}
