//! A program that is run once for each delivery, without a shell.

use super::DeliveryFailure;
use alloy::primitives::B256;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// A program and its arguments.
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

    /// Runs it: the body on its stdin, the id in `MEDSEAL_EVENT_ID`. Its stdout is dropped, its
    /// stderr is this program's.
    pub(super) async fn run(&self, id: B256, body: &str) -> Result<(), DeliveryFailure> {
        let failed = |what: String| DeliveryFailure::unreachable(format!("{}: {what}", self.program.display()));
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
            // A program need not read its stdin to the end: its exit code alone says whether it
            // succeeded.
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
