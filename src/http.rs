//! What all who speak HTTP need: an answer that is read no further than a bound, and whether a host
//! is this machine.

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

/// Whether a URL's host is this machine, so that the traffic never leaves it.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
