//! A command that is run for each delivery: never by a shell.

use super::Failure;
use alloy::primitives::B256;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// A program, and what it is called with.
#[derive(Debug)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<String>,
    deadline: Duration,
}

impl Command {
    /// The program with these arguments; each run within `deadline`, after which it is killed.
    pub fn new(program: PathBuf, arguments: Vec<String>, deadline: Duration) -> Self {
        Self { program, arguments, deadline }
    }

    /// Runs it: the body on its stdin, the id in `MEDSEAL_EVENT_ID`. What it prints on stdout is nobody's; stderr is ours.
    pub(super) async fn run(&self, id: B256, body: &str) -> Result<(), Failure> {
        let failed = |what: String| Failure::away(format!("{}: {what}", self.program.display()));
        let mut child = tokio::process::Command::new(&self.program)
            .args(&self.arguments)
            .env("MEDSEAL_EVENT_ID", id.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let mut stdin = child.stdin.take().expect("piped");
        let both = async {
            // Who does not read its stdin to the end has its reasons; the exit code says whether it is done.
            let _ = stdin.write_all(body.as_bytes()).await;
            let _ = stdin.write_all(b"\n").await;
            drop(stdin);
            child.wait().await
        };
        match tokio::time::timeout(self.deadline, both).await {
            Err(_) => Err(failed(format!("not done within {} s", self.deadline.as_secs_f32()))),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(failed(status.to_string())),
        }
    }
}
