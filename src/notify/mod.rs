//! The paper's 'notify the user or administrator': delivers what the watch reports to a webhook or
//! a program, in order, each under its id, until it is accepted.

mod command;
mod dispatcher;
mod mailbox;
mod signature;
mod webhook;

pub use command::Command;
pub use dispatcher::{Attempt, Backoff, Dispatcher, MOST_REFUSALS};
pub use mailbox::{Delivery, Mailbox};
pub use signature::Secret;
pub use webhook::Webhook;

use alloy::primitives::B256;
use std::path::PathBuf;
use std::time::Duration;

/// Why a receiver cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// The text is no URL of a webhook.
    #[error("expected an http or https URL of a webhook: {reason}")]
    InvalidUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// Anyone on the network between could read what is posted.
    #[error("the webhook {endpoint} is plain http to another machine: expected https")]
    Open {
        /// Scheme, host and port.
        endpoint: String,
    },
    /// The secret's file cannot be read.
    #[error("cannot read the file of the webhook's {what}, which is named by its path")]
    Io {
        /// Whether it is that of the secret or of the URL. Its name is not repeated: it may be what
        /// belongs into the file.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Others than the owner may read the secret.
    #[error("expected {} to be readable by its owner alone, found mode {mode:o}", path.display())]
    Permissions {
        /// The secret's file.
        path: PathBuf,
        /// The file's mode.
        mode: u32,
    },
    /// The secret is too short to keep anybody out.
    #[error("expected a secret of at least {least} bytes in {}, found {found}", path.display())]
    ShortSecret {
        /// The secret's file.
        path: PathBuf,
        /// Its length in bytes.
        found: usize,
        /// The least length in bytes.
        least: usize,
    },
}

/// Why one attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// What happened.
    pub reason: String,
    /// Whether the receiver refuses this very delivery: it is given up after [`MOST_REFUSALS`]
    /// attempts.
    pub refused: bool,
    /// How long the receiver asks to be left alone.
    pub after: Option<Duration>,
}

impl DeliveryFailure {
    /// The receiver cannot be reached or has an error of its own: the delivery is tried until it
    /// succeeds.
    fn unreachable(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), refused: false, after: None }
    }
}

/// Where deliveries go.
#[derive(Debug)]
pub enum Receiver {
    /// An HTTP endpoint, by POST.
    Webhook(Webhook),
    /// A program, run once for each delivery.
    Command(Command),
}

impl Receiver {
    /// The name under which its deliveries are stored.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Command(_) => "command",
        }
    }

    /// One attempt, within the receiver's deadline.
    ///
    /// # Errors
    /// [`DeliveryFailure`].
    pub async fn deliver(&self, id: B256, body: &str, now_unix_secs: u64) -> Result<(), DeliveryFailure> {
        match self {
            Self::Webhook(webhook) => webhook.post(id, body, now_unix_secs).await,
            Self::Command(command) => command.run(id, body).await,
        }
    }
}
