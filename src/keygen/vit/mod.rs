//! The vision transformer: a checked ONNX model, run by tract or by ONNX Runtime.
//!
//! - eq. (1), patches: the 64 tokens of the fold, the model's input.
//! - eq. (2), embedding and positions, and eq. (3), multi-head self-attention: inside the model, as
//!   `onnx/network.py` defines it.
//! - eq. (4), the decoder: the model's logits, whose signs are [`Tout`]; `Ke` is then derived by
//!   [`super::derive()`].
//!
//! Float results differ between engines in the last bits, so a logit near 0 may take either sign.
//! That is why `Ke` is carried by capsules and never derived twice, and why `Tout` is only one part
//! of it.

use std::path::Path;

use alloy::primitives::B256;
use ndarray::{ArrayView3, Axis};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::fold::{fold_bytes, tokens};
use super::model::BATCH;
use super::{Engine, Fold, KeygenError, Model, runtime};

/// `Tout`: the signs of the decoder's logits, 96 bytes of the embedded model. Derived from the
/// image: wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Tout(Box<[u8]>);

impl std::fmt::Debug for Tout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tout(..)")
    }
}

impl Tout {
    /// Returns the packed signs: bit `j`, counted from the most significant bit of byte 0, is 1
    /// exactly where logit `j > 0`.
    ///
    /// Bits of the last byte that have no logit are 0; a model has a multiple of 8.
    pub fn from_logits(logits: &[f32]) -> Self {
        let byte =
            |logits: &[f32]| (0..).zip(logits).fold(0, |byte, (j, logit)| byte | u8::from(*logit > 0.0) << (7 - j));
        Self(logits.chunks(8).map(byte).collect())
    }

    /// Wraps bytes.
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The loaded model. Loading costs more than a run: keep it for many images.
#[derive(Debug)]
pub struct Vit {
    session: Session,
    engine: Engine,
    model_digest: B256,
    logits: usize,
}

impl Vit {
    /// Returns the embedded model on the built-in engine.
    ///
    /// # Errors
    /// As [`Vit::load`].
    pub fn embedded() -> Result<Self, KeygenError> {
        Self::with_runtime(None)
    }

    /// Returns the embedded model on ONNX Runtime's shared library at this absolute path, or on the
    /// built-in engine for `None`.
    ///
    /// # Errors
    /// As [`Vit::load`].
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
        Self::load(&Model::embedded()?, library)
    }

    /// Returns this model on ONNX Runtime's shared library at this absolute path, or on the
    /// built-in engine for `None`. It was run once: a model whose logits are not finite for a blank
    /// input is refused here.
    ///
    /// One process has one engine: the first that loads. The library runs as part of this program,
    /// so its path must come from whoever runs it, never from a file that is opened; no environment
    /// variable or search path is consulted.
    ///
    /// # Errors
    /// [`KeygenError::RelativeLibrary`], [`KeygenError::Library`], [`KeygenError::EngineChosen`] or
    /// [`KeygenError::Load`]; or as [`Vit::logits`].
    pub fn load(model: &Model, library: Option<&Path>) -> Result<Self, KeygenError> {
        let engine = Engine::of(library);
        let environment = runtime::start(&engine)?;
        let session = Session::builder(&environment)
            .and_then(|builder| Ok(builder.with_optimization_level(GraphOptimizationLevel::Level3)?))
            .and_then(|builder| Ok(builder.with_intra_threads(1)?))
            .and_then(|mut builder| builder.commit_from_memory(model.bytes()))
            .map_err(KeygenError::Load)?;
        let mut vit = Self { session, engine, model_digest: model.digest(), logits: model.logits() };
        vit.logits(&fold_bytes(&[]))?;
        Ok(vit)
    }

    /// What runs it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Name and version of the engine.
    pub fn engine_version(&self) -> &'static str {
        ort::info()
    }

    /// SHA-256 of the model, for [`DeriveInputs`](super::DeriveInputs) and the header.
    pub fn model_digest(&self) -> B256 {
        self.model_digest
    }

    /// Returns the decoder's logits for this fold. The engine does not wipe the memory that it
    /// works in.
    ///
    /// # Errors
    /// [`KeygenError::Run`], [`KeygenError::LogitShape`] or [`KeygenError::NotFinite`].
    pub fn logits(&mut self, fold: &Fold) -> Result<Zeroizing<Vec<f32>>, KeygenError> {
        self.run(std::slice::from_ref(fold))
    }

    /// Returns `Tout` for this fold.
    ///
    /// # Errors
    /// As [`Vit::logits`].
    pub fn tout(&mut self, fold: &Fold) -> Result<Tout, KeygenError> {
        self.logits(fold).map(|logits| Tout::from_logits(&logits))
    }

    /// Returns `Tout` for each of these folds, in their order: as one by one, but up to 32 of them
    /// in one run of the model.
    ///
    /// # Errors
    /// As [`Vit::logits`].
    pub fn touts(&mut self, folds: &[Fold]) -> Result<Vec<Tout>, KeygenError> {
        let mut touts = Vec::with_capacity(folds.len());
        for batch in folds.chunks(BATCH) {
            let logits = self.run(batch)?;
            touts.extend(logits.chunks(self.logits).map(Tout::from_logits));
        }
        Ok(touts)
    }

    /// Returns the logits of these folds, (N, L) as (image, logit).
    fn run(&mut self, folds: &[Fold]) -> Result<Zeroizing<Vec<f32>>, KeygenError> {
        let mut tokens = tokens(folds);
        let logits = run_on(&mut self.session, tokens.view(), self.logits);
        tokens.iter_mut().for_each(|value| value.zeroize());
        logits.and_then(finite)
    }
}

/// Refuses logits whose sign says nothing about the image.
fn finite(logits: Zeroizing<Vec<f32>>) -> Result<Zeroizing<Vec<f32>>, KeygenError> {
    match logits.iter().position(|logit| !logit.is_finite()) {
        Some(index) => Err(KeygenError::NotFinite { index }),
        None => Ok(logits),
    }
}

/// Runs the model on tokens (N, 64, 128).
fn run_on(
    session: &mut Session,
    tokens: ArrayView3<'_, f32>,
    logits_each: usize,
) -> Result<Zeroizing<Vec<f32>>, KeygenError> {
    let images = tokens.len_of(Axis(0));
    let tokens = TensorRef::from_array_view(tokens).map_err(KeygenError::Run)?;
    let outputs = session.run(ort::inputs!["tokens" => tokens]).map_err(KeygenError::Run)?;
    let (shape, logits) = outputs["logits"].try_extract_tensor::<f32>().map_err(KeygenError::Run)?;
    if shape[..] != [images as i64, logits_each as i64] || logits.len() != images * logits_each {
        return Err(KeygenError::LogitShape { images, logits: logits_each, found: shape.to_vec() });
    }
    Ok(Zeroizing::new(logits.to_vec()))
}

#[cfg(test)]
mod tests;
