//! An HTTP answer that is read no further than a bound, whoever sends it.

use reqwest::{Error, Response};

/// The body of an answer; `None` where it has more than `most` bytes.
///
/// # Errors
/// The connection ends before the answer does.
pub(crate) async fn body_of(answer: &mut Response, most: usize) -> Result<Option<Vec<u8>>, Error> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if body.len() + piece.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body))
}
