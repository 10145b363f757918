//! The vision transformer, eq. (1)-(4): an ONNX model, embedded and pinned, run by tract or by ONNX Runtime.
//!
//! Float results differ between engines in the last bits, so a logit near 0 may take either sign. That is why `Ke` is
//! carried by capsules and never derived twice, and why `Tout` is only one part of it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use alloy::primitives::{B256, b256};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Fold, KeygenError};

/// Logits of the decoder, one for each bit of [`Tout`].
pub const LOGITS: usize = 256;

/// SHA-256 of the embedded model, the `model digest` of `FORMAT.md`, section 2. `onnx/README.md` is its model card.
pub const MODEL_DIGEST: B256 = b256!("68d54ff62e5e56f317472e198be18d5570754f4d14bf4a147ddf60af827ceb21");

static MODEL: &[u8] = include_bytes!("../../onnx/vit_keygen.onnx");

/// `Tout`: the signs of the decoder's logits, 32 bytes. Derived from the image: wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Tout([u8; 32]);

impl std::fmt::Debug for Tout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tout(..)")
    }
}

impl Tout {
    /// Returns the packed signs: bit `j`, counted from the most significant bit of byte 0, is 1 exactly where logit `j > 0`.
    pub fn from_logits(logits: &[f32; LOGITS]) -> Self {
        let mut bytes = [0; 32];
        for (j, logit) in logits.iter().enumerate() {
            if *logit > 0.0 {
                bytes[j / 8] |= 0x80 >> (j % 8);
            }
        }
        Self(bytes)
    }

    /// Wraps 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The loaded model. Loading costs more than a run: keep it for many images.
#[derive(Debug)]
pub struct Vit {
    session: Session,
}

impl Vit {
    /// Returns the embedded model on the built-in engine, tract.
    ///
    /// # Errors
    /// As [`Vit::with_runtime`].
    pub fn embedded() -> Result<Self, KeygenError> {
        Self::with_runtime(None)
    }

    /// Returns the embedded model on ONNX Runtime's shared library at this absolute path, or on the built-in engine for `None`.
    ///
    /// One process has one engine: the first that loads. The library runs as part of this program, so its path must come from
    /// whoever runs it, never from a file that is opened; no environment variable or search path is consulted.
    ///
    /// # Errors
    /// [`KeygenError::RelativeLibrary`], [`KeygenError::Library`], [`KeygenError::EngineChosen`] or [`KeygenError::Load`].
    ///
    /// # Example
    /// ```
    /// use medseal::keygen::{KeygenError, Vit};
    ///
    /// let missing = std::path::Path::new("/nonexistent/libonnxruntime.so");
    /// assert!(matches!(Vit::with_runtime(Some(missing)), Err(KeygenError::Library { .. })));
    /// Vit::with_runtime(None)?; // what failed to load was not chosen
    /// # Ok::<(), KeygenError>(())
    /// ```
    pub fn with_runtime(library: Option<&Path>) -> Result<Self, KeygenError> {
        Self::load(MODEL, library)
    }

    /// Returns the model in these bytes on the built-in engine: the pinned one or none.
    ///
    /// # Errors
    /// [`KeygenError::ModelDigest`] for any other model; else as [`Vit::with_runtime`].
    pub fn from_bytes(model: &[u8]) -> Result<Self, KeygenError> {
        Self::load(model, None)
    }

    fn load(model: &[u8], library: Option<&Path>) -> Result<Self, KeygenError> {
        let found = B256::from(<[u8; 32]>::from(Sha256::digest(model)));
        if found != MODEL_DIGEST {
            return Err(KeygenError::ModelDigest { expected: MODEL_DIGEST, found });
        }
        let environment = environment(library)?;
        let session = Session::builder(&environment)
            .and_then(|builder| Ok(builder.with_optimization_level(GraphOptimizationLevel::Level3)?))
            .and_then(|builder| Ok(builder.with_intra_threads(1)?))
            .and_then(|mut builder| builder.commit_from_memory(model))
            .map_err(KeygenError::Load)?;
        Ok(Self { session })
    }

    /// Returns the decoder's 256 logits for this fold. The engine does not wipe the memory that it works in.
    ///
    /// # Errors
    /// [`KeygenError::Run`], [`KeygenError::LogitShape`] or [`KeygenError::NotFinite`].
    pub fn logits(&mut self, fold: &Fold) -> Result<[f32; LOGITS], KeygenError> {
        let mut tokens = fold.to_tokens();
        let logits = run(&mut self.session, tokens.view());
        tokens.iter_mut().for_each(|value| value.zeroize());
        logits.and_then(finite)
    }

    /// Returns `Tout` for this fold.
    ///
    /// # Errors
    /// As [`Vit::logits`].
    pub fn tout(&mut self, fold: &Fold) -> Result<Tout, KeygenError> {
        self.logits(fold).map(|logits| Tout::from_logits(&logits))
    }
}

/// Refuses logits whose sign says nothing about the image.
fn finite(logits: [f32; LOGITS]) -> Result<[f32; LOGITS], KeygenError> {
    match logits.iter().position(|logit| !logit.is_finite()) {
        Some(index) => Err(KeygenError::NotFinite { index }),
        None => Ok(logits),
    }
}

/// Runs the model on tokens `(1, 64, 128)`.
fn run(session: &mut Session, tokens: ndarray::ArrayView3<'_, f32>) -> Result<[f32; LOGITS], KeygenError> {
    let tokens = TensorRef::from_array_view(tokens).map_err(KeygenError::Run)?;
    let outputs = session.run(ort::inputs!["tokens" => tokens]).map_err(KeygenError::Run)?;
    let (shape, logits) = outputs["logits"].try_extract_tensor::<f32>().map_err(KeygenError::Run)?;
    let wrong_shape = || KeygenError::LogitShape { found: shape.to_vec() };
    if shape[..] != [1, 256] {
        return Err(wrong_shape());
    }
    logits.try_into().map_err(|_| wrong_shape())
}

/// The engine of this process, and the library that it was loaded from. `ort` keeps one for the whole process and would look
/// for a library by itself at the first use; this is the only place that starts it.
static ENGINE: Mutex<Option<(Option<PathBuf>, Environment)>> = Mutex::new(None);

fn environment(library: Option<&Path>) -> Result<Environment, KeygenError> {
    let mut engine = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((chosen, environment)) = &*engine {
        if chosen.as_deref() != library {
            return Err(KeygenError::EngineChosen { chosen: chosen.clone(), asked: library.map(Path::to_owned) });
        }
        return Ok(environment.clone());
    }
    let builder = match library {
        None => {
            ort::set_api(ort_tract::api());
            ort::init()
        }
        // `ort` would look for a relative path beside the program, then wherever the system's loader looks.
        Some(path) if path.is_relative() => return Err(KeygenError::RelativeLibrary(path.to_owned())),
        Some(path) => ort::init_from(path).map_err(|source| KeygenError::Library { path: path.to_owned(), source })?,
    };
    let environment = builder.with_telemetry(false).build().map_err(KeygenError::Load)?;
    *engine = Some((library.map(Path::to_owned), environment.clone()));
    Ok(environment)
}

#[cfg(test)]
mod tests;
