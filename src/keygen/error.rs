//! Errors of deriving an image key.

use std::path::PathBuf;

use alloy::primitives::B256;

use super::ModelError;
use super::engine::Engine;

/// Why no image key was derived.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeygenError {
    /// The model is not one that may be run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The path of ONNX Runtime's library depends on where the program runs.
    #[error("expected an absolute path to ONNX Runtime's library, found {}", .0.display())]
    RelativeLibrary(PathBuf),
    /// ONNX Runtime's library is missing, too old, or something else.
    #[error("cannot load ONNX Runtime from {}", .path.display())]
    Library {
        /// Where it was looked for.
        path: PathBuf,
        /// What the loader says.
        source: ort::LoadDynamicError,
    },
    /// This process already runs models with another engine, and cannot change it.
    #[error("expected the engine chosen first, {chosen}, found {asked}")]
    EngineChosen {
        /// The one that runs.
        chosen: Engine,
        /// The one asked for now.
        asked: Engine,
    },
    /// The engine refuses to start or to load the model.
    #[error("cannot load the model")]
    Load(#[source] ort::Error),
    /// The engine fails to run the model.
    #[error("cannot run the model")]
    Run(#[source] ort::Error),
    /// The engine gives something else than so many logits for each image.
    #[error("expected logits of shape [{images}, {logits}], found {found:?}")]
    LogitShape {
        /// Images of the run.
        images: usize,
        /// Logits of the model.
        logits: usize,
        /// Shape of the output.
        found: Vec<i64>,
    },
    /// A logit is infinite or no number: its sign says nothing about the image.
    #[error("expected finite logits, found one that is not at position {index}")]
    NotFinite {
        /// The first such logit, counted through all images of the run.
        index: usize,
    },
    /// There is no partial: the key would lack the KGC's part.
    #[error("expected a partial from at least one KGC, found none")]
    NoPartials,
    /// A KGC gave two partials: it is not known which one belongs in the key.
    #[error("expected one partial from each KGC, found two from {kgc_id}")]
    DuplicateKgc {
        /// Id of the KGC on chain.
        kgc_id: B256,
    },
}
