//! Webhooks and programs that are notified, besides stdout.

use super::kinds::Kind;
use crate::cli::error::CliError;
use crate::cli::output::say;
use crate::clock::SystemClock;
use crate::files::read_secret;
use crate::notify::{Attempt, Backoff, Command, Dispatcher, NotifyError, Receiver, Secret, Webhook};
use crate::watch::Memory;
use futures_util::future::try_join_all;
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// Seconds that an attempt may take.
const WEBHOOK_SECS: u64 = 10;
const COMMAND_SECS: u64 = 60;
/// Attempts at one delivery with `--once`.
const TRIES_AT_ONCE: u64 = 5;
/// Pause between two looks whether a delivery waits.
const IDLE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Who is notified, and of what.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Deliveries to a webhook or a program")]
pub(super) struct HookArgs {
    /// POST each event as signed JSON to this URL, again and again until it is accepted
    #[arg(long, value_name = "URL", group = "receiver", requires = "webhook_secret_file")]
    webhook: Option<String>,
    /// The same, with the URL in a file that its owner alone may read: others see the arguments of
    /// a running program
    #[arg(long, value_name = "FILE", group = "receiver", requires = "webhook_secret_file")]
    webhook_url_file: Option<PathBuf>,
    /// File with the secret that the deliveries are signed with: 16 bytes or more, readable by its
    /// owner alone
    #[arg(long, value_name = "FILE", requires = "receiver")]
    webhook_secret_file: Option<PathBuf>,
    /// Allow a webhook over plain http on another machine
    #[arg(long, requires = "receiver")]
    insecure: bool,
    /// Run this program for each event, again and again until it exits with 0: without a shell, the
    /// JSON on its stdin, the id in MEDSEAL_EVENT_ID
    #[arg(long, value_name = "PROGRAM")]
    exec: Option<PathBuf>,
    /// An argument of the program; repeat the flag for more
    #[arg(long, value_name = "ARGUMENT", requires = "exec", allow_hyphen_values = true)]
    exec_arg: Vec<String>,
    /// Deliver only events of these kinds, separated by commas
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = "flags")]
    pub(super) on: Vec<Kind>,
    /// Seconds that one attempt may take [default: 10 for the webhook, 60 for the program]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: Option<u64>,
    /// Milliseconds to wait after the first attempt that failed; each further one doubles it, up to
    /// 5 minutes
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=300_000))]
    backoff_ms: u64,
    /// Try deliveries again that were given up
    #[arg(long)]
    retry_dead: bool,
}

impl HookArgs {
    /// The receivers that the flags name.
    ///
    /// # Errors
    /// [`CliError::Notify`].
    pub(super) fn receivers(&self) -> Result<Vec<Receiver>, CliError> {
        let within = |default| Duration::from_secs(self.deadline.unwrap_or(default));
        let mut receivers = Vec::new();
        let url = match (&self.webhook, &self.webhook_url_file) {
            (Some(url), _) => Some(Zeroizing::new(url.clone())),
            (None, Some(file)) => Some(read_secret(file).map_err(|source| NotifyError::Io { what: "URL", source })?),
            (None, None) => None,
        };
        if let (Some(url), Some(path)) = (url, &self.webhook_secret_file) {
            let webhook = Webhook::new(url.trim(), Secret::read(path)?, within(WEBHOOK_SECS), self.insecure)?;
            receivers.push(Receiver::Webhook(webhook));
        }
        if let Some(program) = &self.exec {
            let command = Command::new(program.clone(), self.exec_arg.clone(), within(COMMAND_SECS));
            receivers.push(Receiver::Command(command));
        }
        Ok(receivers)
    }
}

/// Those who bring it.
pub(super) struct Hooks<'a> {
    dispatchers: Vec<Dispatcher<'a, Memory>>,
    memory: &'a RefCell<Memory>,
}

impl<'a> Hooks<'a> {
    pub(super) fn new(
        receivers: Vec<Receiver>,
        args: &HookArgs,
        memory: &'a RefCell<Memory>,
    ) -> Result<Self, CliError> {
        if args.retry_dead {
            say(&format!("{} deliveries that were given up are tried again", memory.borrow_mut().revive()?));
        }
        let backoff = Backoff { first: Duration::from_millis(args.backoff_ms), longest: LONGEST_PAUSE };
        let dispatchers = receivers.into_iter().map(|receiver| Dispatcher::new(receiver, memory, backoff)).collect();
        Ok(Self { dispatchers, memory })
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.dispatchers.iter().map(|dispatcher| dispatcher.receiver().name()).collect()
    }

    /// Delivers what comes; ends only with an error.
    pub(super) async fn keep_bringing(&self) -> Result<(), CliError> {
        if self.dispatchers.is_empty() {
            std::future::pending::<()>().await;
        }
        let each = self.dispatchers.iter().map(|dispatcher| async move {
            loop {
                match self.attempt(dispatcher).await? {
                    None => tokio::time::sleep(IDLE).await,
                    Some(failed) => tokio::time::sleep(failed.map_or(Duration::ZERO, |(_, pause)| pause)).await,
                }
            }
        });
        try_join_all(each).await.map(|_: Vec<()>| ())
    }

    /// Delivers all that waits.
    ///
    /// # Errors
    /// [`CliError::NotDelivered`] where a receiver keeps refusing.
    pub(super) async fn bring_all(&self) -> Result<(), CliError> {
        let each = self.dispatchers.iter().map(|dispatcher| async move {
            let mut failures = 0;
            while let Some(failed) = self.attempt(dispatcher).await? {
                failures = if failed.is_some() { failures + 1 } else { 0 };
                match failed {
                    Some((reason, _)) if failures >= TRIES_AT_ONCE => return Ok(Some(reason)),
                    Some((_, pause)) => tokio::time::sleep(pause).await,
                    None => {}
                }
            }
            Ok::<_, CliError>(None)
        });
        // A receiver that fails must not keep the others waiting.
        match try_join_all(each).await?.into_iter().flatten().next() {
            None => Ok(()),
            Some(reason) => {
                Err(CliError::NotDelivered { waiting: self.memory.borrow().delivery_counts()?.waiting, reason })
            }
        }
    }

    /// One attempt; why it failed and how long to wait, if it did; nothing where nothing waits.
    async fn attempt(
        &self,
        dispatcher: &Dispatcher<'_, Memory>,
    ) -> Result<Option<Option<(String, Duration)>>, CliError> {
        let name = dispatcher.receiver().name();
        Ok(match dispatcher.attempt(&SystemClock).await? {
            Attempt::Idle => None,
            Attempt::Delivered => Some(None),
            Attempt::GivenUp(what) => {
                say(&format!("GIVEN UP, {name}: {what}; --retry-dead tries it again"));
                Some(None)
            }
            Attempt::Failed { reason, tries, pause } => {
                // Said the first time, and then ever more rarely.
                if tries.is_power_of_two() {
                    say(&format!("{name}, attempt {tries}: {reason}; trying again, under the same id"));
                }
                Some(Some((reason, pause)))
            }
        })
    }
}
