//! Sealing many files in one run: each is stored as it comes, and registered together with others.

use super::batch::{MAX_BATCH, each_failed};
use super::sealed::{Sealed, Stage, StoredFile, Unregistered};
use super::{PipelineError, Sender, Source};
use crate::chain::Submitted;
use crate::imaging::WholeReason;
use crate::kgc::KeyCenter;
use crate::storage::Store;

/// Most images of one anchor: each holds its job's lock open until it is anchored, and processes
/// may often open no more than 1024 files.
const MAX_ANCHOR: usize = 512;

/// How the images of a run come onto the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Records: at most so many in one transaction; an image of more than one block has a
    /// transaction of its own.
    Batches(usize),
    /// A Merkle root for each 512 images, and no records yet.
    Anchors,
}

impl Grouping {
    /// So many images wait at most.
    fn most(self) -> usize {
        match self {
            Self::Batches(most) => most.clamp(1, MAX_BATCH),
            Self::Anchors => MAX_ANCHOR,
        }
    }
}

/// The files of one run.
pub struct Run<'s, K, S> {
    sender: Sender<'s, K, S>,
    grouping: Grouping,
    /// What is to be registered, and its place among the results.
    waiting: Vec<(usize, Unregistered)>,
    results: Vec<Option<RunResult>>,
    damaged: Vec<(usize, WholeReason)>,
    transactions: usize,
}

/// What came of one file of a run.
pub type RunResult = Result<Submitted<Sealed>, PipelineError>;

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    /// What came of each file, in the order in which they were added.
    pub files: Vec<RunResult>,
    /// Which files are sealed as plain bytes because they are damaged, whatever came of them, and
    /// why.
    pub damaged: Vec<(usize, WholeReason)>,
    /// How often images were registered or anchored, each time in one transaction at most.
    pub transactions: usize,
}

impl<'s, K: KeyCenter, S: Store> Run<'s, K, S> {
    /// A run of this sender.
    pub fn new(sender: Sender<'s, K, S>, grouping: Grouping) -> Self {
        Self { sender, grouping, waiting: Vec::new(), results: Vec::new(), damaged: Vec::new(), transactions: 0 }
    }

    /// Seals and stores a file; registers it with those that wait, once they are enough. What fails
    /// is in the results.
    pub async fn add(&mut self, source: &Source<'_>, progress: &(dyn Fn(Stage) + Sync)) {
        let place = self.results.len();
        let stored = self.store(source, progress).await;
        if let Ok(StoredFile::Unregistered(image)) = &stored {
            let reason = image.whole.clone().filter(WholeReason::is_damage);
            self.damaged.extend(reason.map(|reason| (place, reason)));
        }
        let result = match stored {
            Ok(StoredFile::Registered(sealed)) => Some(Ok(Submitted::Mined(*sealed))),
            Ok(StoredFile::Unregistered(image)) if self.waits(&image) => {
                self.waiting.push((place, *image));
                None
            }
            Ok(StoredFile::Unregistered(image)) => {
                self.transactions += 1;
                Some(self.sender.register(*image).await)
            }
            Err(error) => Some(Err(error)),
        };
        self.results.push(result);
        if self.waiting.len() >= self.grouping.most() {
            progress(Stage::Chain);
            self.register().await;
        }
    }

    /// Registers what still waits, and returns what came of each file.
    pub async fn finish(mut self) -> Finished {
        self.register().await;
        let files = self.results.into_iter().map(|result| result.expect("it is registered, or it failed"));
        Finished { files: files.collect(), damaged: self.damaged, transactions: self.transactions }
    }

    /// Whether an image is registered together with others.
    fn waits(&self, image: &Unregistered) -> bool {
        self.grouping == Grouping::Anchors || image.is_one_block().unwrap_or(false)
    }

    async fn store(
        &mut self,
        source: &Source<'_>,
        progress: &(dyn Fn(Stage) + Sync),
    ) -> Result<StoredFile, PipelineError> {
        match self.sender.store(source, progress).await {
            // The same file again: its first sealing waits here to be registered.
            Err(PipelineError::JobBusy { .. }) if !self.waiting.is_empty() => {
                self.register().await;
                self.sender.store(source, progress).await
            }
            other => other,
        }
    }

    /// Registers or anchors all that wait.
    async fn register(&mut self) {
        let (places, mut images): (Vec<usize>, Vec<Unregistered>) =
            std::mem::take(&mut self.waiting).into_iter().unzip();
        let count = images.len();
        if count == 0 {
            return;
        }
        self.transactions += 1;
        let done = match self.grouping {
            Grouping::Anchors => self.sender.anchor(images).await,
            Grouping::Batches(_) if count == 1 => {
                self.sender.register(images.remove(0)).await.map(|done| done.map(|sealed| vec![sealed]))
            }
            Grouping::Batches(_) => self.sender.register_batch(images).await,
        };
        let results: Vec<RunResult> = match done {
            Ok(Submitted::Mined(sealed)) => sealed.into_iter().map(|sealed| Ok(Submitted::Mined(sealed))).collect(),
            Ok(Submitted::Printed(unsent)) => (0..count).map(|_| Ok(Submitted::Printed(unsent.clone()))).collect(),
            Err(error) if count == 1 => vec![Err(error)],
            Err(error) => each_failed(count, error).map(Err).collect(),
        };
        for (place, result) in places.into_iter().zip(results) {
            self.results[place] = Some(result);
        }
    }
}
