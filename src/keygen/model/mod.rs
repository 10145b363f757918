//! A model file: pinned by its SHA-256, and checked before any engine loads it.
//!
//! An ONNX file is a program. Engines follow paths in it, compute what it asks for while they load
//! it, and take as much memory as its shapes say. So a model is first known by its digest, which
//! the operator lists; and then it must be what the image key needs and nothing else: a few
//! operations on finite weights that stand in the file, with every tensor and all work within
//! bounds.

mod error;
mod graph;
mod protobuf;
mod shapes;

use std::borrow::Cow;

use alloy::primitives::{B256, b256};
use sha2::{Digest, Sha256};

pub use error::ModelError;
use graph::{Graph, Interface};

/// SHA-256 of the embedded model, the `model digest` of `FORMAT.md`, section 2. `onnx/README.md` is
/// its model card.
pub const MODEL_DIGEST: B256 = b256!("68d54ff62e5e56f317472e198be18d5570754f4d14bf4a147ddf60af827ceb21");

/// Logits of the embedded model's decoder, one for each bit of [`Tout`](super::Tout). Another model
/// may have more or fewer.
pub const LOGITS: usize = 768;

/// Most bytes of a model file.
pub const MAX_BYTES: usize = 4 << 20;

/// What a model may be made of.
pub const OPERATIONS: [&str; 12] =
    ["MatMul", "Add", "Sub", "Mul", "Div", "Floor", "Sin", "Tanh", "Relu", "Softmax", "Reshape", "Transpose"];

/// Most logits of a model.
const MAX_LOGITS: u64 = 8192;
/// Type code of 32-bit floats in ONNX.
const FLOAT: u64 = 1;

/// Most folds in one run of the model: with more, a run per image takes no less time.
pub(super) const BATCH: usize = 32;
static EMBEDDED: &[u8] = include_bytes!("../../../onnx/vit_keygen.onnx");

/// A model that may be run.
#[derive(Debug, Clone)]
pub struct Model {
    bytes: Cow<'static, [u8]>,
    digest: B256,
    logits: usize,
}

impl Model {
    /// Returns the model that is part of this program.
    ///
    /// # Errors
    /// [`ModelError`] if this program is damaged.
    pub fn embedded() -> Result<Self, ModelError> {
        Self::of(Cow::Borrowed(EMBEDDED), &[])
    }

    /// Returns the model in `bytes`: the embedded one, or one whose SHA-256 is `listed`.
    ///
    /// # Errors
    /// [`ModelError`]; the first that stands in the order size, digest, file, weights, operations,
    /// interface.
    ///
    /// # Example
    /// ```
    /// use medseal::keygen::{Model, ModelError};
    ///
    /// let refused = Model::from_bytes(b"ONNX?".to_vec(), &[]);
    /// assert!(matches!(refused, Err(ModelError::NotListed { listed: 0, .. })));
    /// ```
    pub fn from_bytes(bytes: Vec<u8>, listed: &[B256]) -> Result<Self, ModelError> {
        Self::of(Cow::Owned(bytes), listed)
    }

    fn of(bytes: Cow<'static, [u8]>, listed: &[B256]) -> Result<Self, ModelError> {
        if bytes.len() > MAX_BYTES {
            return Err(ModelError::TooLarge { found: bytes.len(), limit: MAX_BYTES });
        }
        let digest = B256::from_slice(&Sha256::digest(&bytes));
        if digest != MODEL_DIGEST && !listed.contains(&digest) {
            return Err(ModelError::NotListed { found: digest, listed: listed.len() });
        }
        let logits = logits_of(&bytes)?;
        Ok(Self { bytes, digest, logits })
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> B256 {
        self.digest
    }

    /// How many logits it gives for an image: a multiple of 8.
    pub fn logits(&self) -> usize {
        self.logits
    }

    /// The file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Checks a model and returns how many logits it gives.
fn logits_of(model: &[u8]) -> Result<usize, ModelError> {
    let graph = Graph::read(model)?;
    let other = |expected, found: &[Interface<'_>]| {
        let found = format!("{found:?}").chars().take(200).collect();
        ModelError::Interface { expected, found }
    };
    const INPUT: &str = "one input \"tokens\", f32 (N, 64, 128)";
    match &graph.inputs[..] {
        [Interface { name: "tokens", kind: FLOAT, shape }] if shape[..] == [None, Some(64), Some(128)] => {}
        others => return Err(other(INPUT, others)),
    }
    const OUTPUT: &str = "one output \"logits\", f32 (N, L), L a multiple of 8, at most 8192";
    let logits = match &graph.outputs[..] {
        [Interface { name: "logits", kind: FLOAT, shape }] => match shape[..] {
            [None, Some(logits)] if (8..=MAX_LOGITS).contains(&logits) && logits % 8 == 0 => logits,
            _ => return Err(other(OUTPUT, &graph.outputs)),
        },
        others => return Err(other(OUTPUT, others)),
    };
    // One image, and more: what a model makes of an image must not depend on the others beside it.
    for images in [1, BATCH as u64] {
        let found = graph.output_shape("tokens", &[images, 64, 128], "logits")?;
        if found != [images, logits] {
            let found = format!("{found:?} for {images} images");
            return Err(ModelError::Interface { expected: OUTPUT, found });
        }
    }
    usize::try_from(logits).map_err(|_| other(OUTPUT, &graph.outputs))
}

#[cfg(test)]
mod tests;
