//! From samples to the image key: fold, vision transformer, derivation (`FORMAT.md`, section 4; the
//! paper's 4.2.1).
//!
//! ```text
//! samples -> Fold (integers) -> patches, ViT (ONNX) -> Tout
//! Ke = HKDF(partials, r, Fold, Tout; context)
//! ```
//!
//! Secrecy rests on the partials and `r`; the fold binds the key to the image, identically on every
//! machine, and `Tout` is the paper's learned part. `Ke` is derived once, at sealing, and then
//! carried by the capsules.

mod derive;
mod engine;
mod error;
mod fold;
mod model;
mod runtime;
mod vit;

pub use derive::{DeriveInputs, Partial, SenderSecret, derive};
pub use engine::Engine;
pub use error::KeygenError;
pub use fold::{Fold, fold_bytes, fold_image};
pub use model::{LOGITS, MAX_BYTES, MODEL_DIGEST, Model, ModelError, OPERATIONS};
pub use vit::{Tout, Vit};
