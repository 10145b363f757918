//! Files that other programs wrote: small, and text.

use super::error::CliError;
use std::io::Read;
use std::path::Path;

/// Largest file of a request, a transaction or call data: the largest batch is a tenth of it.
pub(super) const MAX_INPUT_BYTES: u64 = 1 << 20;

/// Text of a small file, or of stdin for `-`.
///
/// # Errors
/// [`CliError::File`], [`CliError::NotText`] where it is too large or not UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String, CliError> {
    let failed = |source| CliError::File { act: "read", path: path.to_owned(), source };
    let not_text = |reason: String| CliError::NotText { path: path.to_owned(), reason };
    let mut bytes = Vec::new();
    let limit = MAX_INPUT_BYTES + 1;
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
        false => std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    if read.map_err(failed)? as u64 == limit {
        return Err(not_text(format!("it has more than {MAX_INPUT_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| not_text(error.utf8_error().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_up_to_the_limit_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |bytes: &[u8]| {
            let path = folder.path().join("file");
            std::fs::write(&path, bytes).expect("written");
            read_text(&path)
        };
        let limit = usize::try_from(MAX_INPUT_BYTES).expect("it fits");
        assert_eq!(read("prüfen".as_bytes()).expect("text"), "prüfen");
        assert_eq!(read(&vec![b' '; limit]).expect("just not too large").len(), limit);
        for bad in [vec![b' '; limit + 1], vec![b'{', 0xff, b'}']] {
            assert!(matches!(read(&bad), Err(CliError::NotText { .. })), "{} bytes", bad.len());
        }
        assert!(matches!(read_text(&folder.path().join("none")), Err(CliError::File { .. })));
        assert!(matches!(read_text(folder.path()), Err(CliError::File { .. })), "a folder");
    }
}
