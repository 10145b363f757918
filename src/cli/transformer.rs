//! The transformer that the settings ask for: which model, on which engine.

use super::error::CliError;
use super::settings::Settings;
use crate::keygen::{MAX_BYTES, Model, Vit};
use alloy::primitives::B256;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Loads the model on the engine.
///
/// # Errors
/// [`CliError::Settings`] if the list of models is none, [`CliError::File`] if the model cannot be
/// read, [`CliError::Keygen`] if it may not or cannot be run.
pub(super) fn load(settings: &Settings) -> Result<Vit, CliError> {
    let library = settings.onnx_runtime();
    let listed = listed(settings.models())?;
    let model = match settings.model() {
        Some(path) => Model::from_bytes(read(&path)?, &listed).map_err(crate::keygen::KeygenError::from)?,
        None => Model::embedded().map_err(crate::keygen::KeygenError::from)?,
    };
    Ok(Vit::load(&model, library.as_deref())?)
}

/// At most one byte more than a model may have: what is larger is refused as that.
fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::File { act: "read", path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(std::io::Error::other("it is no file")));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

/// The digests in a list, separated by commas or blanks; in `medseal.toml` also an array.
fn listed(text: &str) -> Result<Vec<B256>, CliError> {
    let separator = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '"' | '\'');
    let words = text.split(separator).filter(|word| !word.is_empty());
    words
        .map(|word| {
            word.parse().map_err(|_| {
                let message = format!("expected SHA-256 digests for models, 64 hex digits each, found \"{}\"", word);
                CliError::Settings { message }
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_they_are_written() {
        let (one, two) = (B256::repeat_byte(0x11), B256::repeat_byte(0xab));
        for text in [format!("{one:x},{two:x}"), format!(" {one} \n{two:x} "), format!("[\"{one:x}\", '{two}']")] {
            assert_eq!(listed(&text).expect("a list"), [one, two], "{text}");
        }
        assert_eq!(listed("").expect("an empty list"), [] as [B256; 0]);
        for text in ["11", &format!("{one:x}1"), "sha256", &format!("{one:x};{two:x}")] {
            assert!(matches!(listed(text), Err(CliError::Settings { .. })), "{text}");
        }
    }
}
