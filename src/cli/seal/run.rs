//! The files of one run of `medseal seal`, stored one by one and registered together.

use super::{Args, Attempt, read};
use crate::cli::error::CliError;
use crate::imaging::WholeReason;
use crate::kgc::KeyCenter;
use crate::pipeline::{Mode, PipelineError, Sealed, Sender, Source, Stage, Step, Waiting, each_failed};
use crate::storage::Store;
use std::path::{Path, PathBuf};

/// Most images of one anchor: each holds its job's lock open until it is anchored, and processes
/// may often open no more than 1024 files.
const MAX_ANCHOR: usize = 512;

/// The files of one run: each is stored as it comes, and registered with others.
pub(super) struct Run<'a, 's, K, S> {
    sender: Sender<'s, K, S>,
    args: &'a Args,
    /// What is to be registered, and its place among the results.
    waiting: Vec<(usize, Waiting)>,
    results: Vec<(PathBuf, Option<Result<Sealed, CliError>>)>,
    /// What is sealed as plain bytes because it is damaged, and why: said whatever comes of it.
    damaged: Vec<(PathBuf, WholeReason)>,
}

impl<'a, 's, K: KeyCenter, S: Store> Run<'a, 's, K, S> {
    pub(super) fn new(sender: Sender<'s, K, S>, args: &'a Args) -> Self {
        Self { sender, args, waiting: Vec::new(), results: Vec::new(), damaged: Vec::new() }
    }

    /// Registers what still waits, and returns what came of each file, and which are damaged.
    pub(super) async fn finish(mut self) -> (Vec<Attempt>, Vec<(PathBuf, WholeReason)>) {
        self.register().await;
        let all = self.results.into_iter();
        let all = all.map(|(path, result)| (path, result.expect("it is registered, or it failed")));
        (all.collect(), self.damaged)
    }

    /// Seals and stores a file; registers it with those that wait, once they are enough.
    pub(super) async fn add(&mut self, path: &Path, name: &str, mode: Mode, say_stage: &(dyn Fn(Stage) + Sync)) {
        let place = self.results.len();
        let stored = self.store(path, name, mode, say_stage).await;
        if let Ok(Step::Waiting(waiting)) = &stored {
            let reason = waiting.whole().filter(|reason| reason.is_damage());
            self.damaged.extend(reason.map(|reason| (path.to_owned(), reason.clone())));
        }
        let result = match stored {
            Ok(Step::Done(sealed)) => Some(Ok(*sealed)),
            Ok(Step::Waiting(waiting)) => match self.args.anchor || waiting.is_one_block().unwrap_or(false) {
                true => {
                    self.waiting.push((place, *waiting));
                    None
                }
                false => Some(self.sender.register(*waiting).await.map_err(CliError::from)),
            },
            Err(error) => Some(Err(error)),
        };
        self.results.push((path.to_owned(), result));
        let enough = if self.args.anchor { MAX_ANCHOR } else { self.args.batch.into() };
        if self.waiting.len() >= enough {
            say_stage(Stage::Chain);
            self.register().await;
        }
    }

    async fn store(
        &mut self,
        path: &Path,
        name: &str,
        mode: Mode,
        say_stage: &(dyn Fn(Stage) + Sync),
    ) -> Result<Step, CliError> {
        let bytes = read(path)?;
        let source = Source { name, bytes: &bytes, mode, again: self.args.again };
        match self.sender.store(&source, say_stage).await {
            // The same file again: its first sealing waits here to be registered.
            Err(PipelineError::JobBusy { .. }) if !self.waiting.is_empty() => {
                self.register().await;
                Ok(self.sender.store(&source, say_stage).await?)
            }
            other => Ok(other?),
        }
    }

    /// Registers or anchors all that wait.
    async fn register(&mut self) {
        let (places, mut waiting): (Vec<usize>, Vec<Waiting>) = std::mem::take(&mut self.waiting).into_iter().unzip();
        let count = waiting.len();
        let done = match (self.args.anchor, count) {
            (_, 0) => return,
            (true, _) => self.sender.anchor(waiting).await,
            (false, 1) => self.sender.register(waiting.remove(0)).await.map(|sealed| vec![sealed]),
            (false, _) => self.sender.register_batch(waiting).await,
        };
        let results: Vec<Result<Sealed, CliError>> = match done {
            Ok(sealed) => sealed.into_iter().map(Ok).collect(),
            Err(error) if count == 1 => vec![Err(error.into())],
            Err(error) => each_failed(count, error).map(|error| Err(error.into())).collect(),
        };
        for (place, result) in places.into_iter().zip(results) {
            self.results[place].1 = Some(result);
        }
    }
}
