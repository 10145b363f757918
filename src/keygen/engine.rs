//! What runs the model: tract, which is built in, or ONNX Runtime's shared library.

use std::fmt;
use std::path::{Path, PathBuf};

/// What runs the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// tract, in pure Rust, part of this program.
    BuiltIn,
    /// ONNX Runtime, from this shared library.
    OnnxRuntime(PathBuf),
}

impl Engine {
    /// The engine of a library, or the built-in one.
    pub(super) fn of(library: Option<&Path>) -> Self {
        library.map_or(Self::BuiltIn, |path| Self::OnnxRuntime(path.to_owned()))
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("tract, built in"),
            Self::OnnxRuntime(path) => write!(f, "ONNX Runtime from {}", path.display()),
        }
    }
}
