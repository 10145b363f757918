//! The engine of this process, started once.

use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::engine::Engine;
use super::error::KeygenError;

/// The engine of this process. `ort` keeps one for the whole process and would look for a library
/// by itself at the first use; this is the only place that starts it.
static ENGINE: Mutex<Option<(Engine, Environment)>> = Mutex::new(None);

/// Starts this engine, or gives it again.
///
/// # Errors
/// [`KeygenError::RelativeLibrary`], [`KeygenError::Library`], [`KeygenError::EngineChosen`] or
/// [`KeygenError::Load`].
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
        // `ort` would look for a relative path beside the program, then wherever the system's
        // loader looks.
        Engine::OnnxRuntime(path) if path.is_relative() => return Err(KeygenError::RelativeLibrary(path.clone())),
        Engine::OnnxRuntime(path) => {
            ort::init_from(path).map_err(|source| KeygenError::Library { path: path.clone(), source })?
        }
    };
    let environment = builder.with_telemetry(false).build().map_err(KeygenError::Load)?;
    *engine = Some((asked.clone(), environment.clone()));
    Ok(environment)
}
