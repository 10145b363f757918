//! The paper's 'notify the user or administrator': what a watch saw is brought to a webhook or a command, in order, under its id, until it
//! is taken.

mod command;
mod courier;
mod signature;
mod webhook;

pub use command::Command;
pub use courier::{Courier, MOST_REFUSALS, Pace, Step};
pub use signature::Secret;
pub use webhook::Webhook;

use alloy::primitives::B256;
use std::path::PathBuf;
use std::time::Duration;

/// Why something cannot be delivered as it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// The text is no URL that is posted to.
    #[error("not an http or https URL of a webhook: {reason}")]
    InvalidUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// What is posted could be read on its way.
    #[error("{endpoint} is plain http to another machine")]
    Open {
        /// Scheme, host and port.
        endpoint: String,
    },
    /// The secret cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than the owner may read the secret.
    #[error("{} may be read by others than its owner: mode {mode:o}", path.display())]
    Permissions {
        /// Its file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The secret is too short to keep anybody out.
    #[error("the secret in {} has {found} bytes, at least {least} are needed", path.display())]
    ShortSecret {
        /// Its file.
        path: PathBuf,
        /// Its length.
        found: usize,
        /// The least.
        least: usize,
    },
}

/// Why one attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub reason: String,
    /// Whether the receiver refuses this very delivery: after a few more attempts it is given up.
    pub refused: bool,
    /// How long the receiver asks to be left alone.
    pub after: Option<Duration>,
}

impl Failure {
    /// The receiver is away or unwell: it is tried until it is well.
    fn away(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), refused: false, after: None }
    }
}

/// Who is to be told.
#[derive(Debug)]
pub enum Receiver {
    /// By POST.
    Webhook(Webhook),
    /// By a program that is run.
    Command(Command),
}

impl Receiver {
    /// By what name its deliveries are remembered.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Command(_) => "command",
        }
    }

    /// One attempt, within the receiver's deadline.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn deliver(&self, id: B256, body: &str, now_unix_secs: u64) -> Result<(), Failure> {
        match self {
            Self::Webhook(webhook) => webhook.post(id, body, now_unix_secs).await,
            Self::Command(command) => command.run(id, body).await,
        }
    }
}
