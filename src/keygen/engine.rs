//! What runs the model: tract, which is built in, or ONNX Runtime's shared library.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::KeygenError;

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

/// The engine of this process. `ort` keeps one for the whole process and would look for a library by itself at the first use;
/// this is the only place that starts it.
static ENGINE: Mutex<Option<(Engine, Environment)>> = Mutex::new(None);

/// Starts this engine, or gives it again.
///
/// # Errors
/// [`KeygenError::RelativeLibrary`], [`KeygenError::Library`], [`KeygenError::EngineChosen`] or [`KeygenError::Load`].
pub(super) fn start(asked: &Engine) -> Result<Environment, KeygenError> {
    let mut engine = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((chosen, environment)) = &*engine {
        if chosen != asked {
            return Err(KeygenError::EngineChosen { chosen: chosen.clone(), asked: asked.clone() });
        }
        return Ok(environment.clone());
    }
    let builder = match asked {
        Engine::BuiltIn => {
            ort::set_api(ort_tract::api());
            ort::init()
        }
        // `ort` would look for a relative path beside the program, then wherever the system's loader looks.
        Engine::OnnxRuntime(path) if path.is_relative() => return Err(KeygenError::RelativeLibrary(path.clone())),
        Engine::OnnxRuntime(path) => {
            ort::init_from(path).map_err(|source| KeygenError::Library { path: path.clone(), source })?
        }
    };
    let environment = builder.with_telemetry(false).build().map_err(KeygenError::Load)?;
    *engine = Some((asked.clone(), environment.clone()));
    Ok(environment)
}
