//! Round after round, and what is done when one fails.

use super::line::Lines;
use crate::audit::AuditError;
use crate::chain::{ChainError, Profile};
use crate::cli::error::CliError;
use crate::cli::output::{chain_of, say};
use crate::contract::ErrorKind;
use crate::watch::{Round, WatchError, Watcher};
use std::time::Duration;

/// The first pause after a round that failed; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// So often in a row a node may give an answer that makes no sense or is of another chain: it may
/// be starting.
const MOST_FAILURES: u32 = 6;

/// Prints what comes; ends with an error, or with `--once` when everything is printed.
pub(super) async fn follow(watcher: &mut Watcher<'_>, args: &super::Args, lines: &Lines) -> Result<(), CliError> {
    let every = Duration::from_secs(args.every.unwrap_or(match watcher.profile() {
        Profile::Network { block_time_secs } => block_time_secs.div_ceil(3).max(1),
        _ => 1,
    }));
    let mut trouble = Trouble::default();
    loop {
        let checked = if trouble.failures == 0 { Ok(()) } else { watcher.check().await };
        let round = match checked {
            Ok(()) => watcher.round(&mut |notification| lines.tell(notification)).await,
            Err(error) => Err(error),
        };
        match round {
            Ok(Round::UpTo(position)) => {
                trouble.is_over(position.block);
                if args.once {
                    return Ok(());
                }
                tokio::time::sleep(every).await;
            }
            Ok(Round::Moved) => tokio::time::sleep(FIRST_PAUSE).await,
            Ok(Round::Behind { found, expected }) => {
                let error = ChainError::Behind { found, expected };
                if args.once {
                    return Err(error.into());
                }
                trouble.say_once(&error.to_string());
                tokio::time::sleep(every).await;
            }
            Ok(_) => {
                if args.once {
                    return Ok(());
                }
                trouble.say_once("the chain has not settled a block with the registry yet");
                tokio::time::sleep(every).await;
            }
            Err(error) => {
                let pause = trouble.take(error, args.once)?;
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// What goes wrong, and has been said.
#[derive(Debug, Default)]
struct Trouble {
    /// Rounds that failed, one after the other.
    failures: u32,
    /// Those of them that cannot fail for long.
    grave: u32,
    said: Option<String>,
}

impl Trouble {
    /// Says what is wrong unless that was the last that was said.
    fn say_once(&mut self, what: &str) {
        if self.said.as_deref() != Some(what) {
            say(&format!("{what}; trying again"));
            self.said = Some(what.to_owned());
        }
    }

    fn is_over(&mut self, block: u64) {
        if self.said.is_some() {
            say(&format!("going on: no event is missing up to block {block}"));
        }
        *self = Self::default();
    }

    /// How long to wait before the next round, if there is to be one.
    fn take(&mut self, error: WatchError, once: bool) -> Result<Duration, CliError> {
        let away = error.kind() == ErrorKind::Unreachable;
        let lasting = !away && !is_worth_another_look(&error);
        self.failures += 1;
        self.grave = if away { 0 } else { self.grave + 1 };
        if lasting || (away && once) || self.grave >= MOST_FAILURES {
            return Err(error.into());
        }
        // How a node that is away fails may change from one time to the next.
        match (away, &self.said) {
            (true, Some(_)) => {}
            _ => self.say_once(&chain_of(&error)),
        }
        Ok(FIRST_PAUSE.saturating_mul(1 << (self.failures - 1).min(10)).min(LONGEST_PAUSE))
    }
}

/// Whether it may be better the next time: a node that starts knows neither chain nor contract, and
/// one that was asked in haste forgets.
fn is_worth_another_look(error: &WatchError) -> bool {
    match error {
        WatchError::Log(AuditError::ReorgTooDeep { .. }) => false,
        WatchError::Log(_) | WatchError::ChainReset { .. } => true,
        _ => false,
    }
}
