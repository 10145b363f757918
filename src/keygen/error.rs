//! What can go wrong between samples and the image key.

use std::path::PathBuf;

use alloy::primitives::B256;

/// Why no image key was derived.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeygenError {
    /// The model is not the one this version was built with.
    #[error("expected the model with SHA-256 {expected:x}, found {found:x}")]
    ModelDigest {
        /// [`MODEL_DIGEST`](super::MODEL_DIGEST).
        expected: B256,
        /// SHA-256 of the bytes given.
        found: B256,
    },
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
    #[error("expected the engine chosen first, {}, found {}", engine(.chosen), engine(.asked))]
    EngineChosen {
        /// Library chosen first; `None` is the built-in engine.
        chosen: Option<PathBuf>,
        /// Library asked for now; `None` is the built-in engine.
        asked: Option<PathBuf>,
    },
    /// The engine refuses to start or to load the model.
    #[error("cannot load the model")]
    Load(#[source] ort::Error),
    /// The engine fails to run the model.
    #[error("cannot run the model")]
    Run(#[source] ort::Error),
    /// The engine gives something else than `(1, 256)` logits.
    #[error("expected logits of shape [1, 256], found {found:?}")]
    LogitShape {
        /// Shape of the output.
        found: Vec<i64>,
    },
    /// A logit is infinite or no number: its sign says nothing about the image.
    #[error("expected finite logits, found one that is not at position {index}")]
    NotFinite {
        /// The first such logit, `0 ..= 255`.
        index: usize,
    },
    /// There is no partial: the key would lack the KGC's part.
    #[error("expected a partial from at least one KGC, found none")]
    NoPartials,
    /// A KGC gave two partials: which one belongs into the key is open.
    #[error("expected one partial from each KGC, found two from {kgc_id}")]
    DuplicateKgc {
        /// Id of the KGC on chain.
        kgc_id: B256,
    },
}

fn engine(library: &Option<PathBuf>) -> String {
    library.as_ref().map_or_else(|| "the built-in one".to_owned(), |path| path.display().to_string())
}
