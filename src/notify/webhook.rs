//! A webhook: each delivery is a signed POST of one JSON object.

use super::{DeliveryFailure, NotifyError, Secret};
use crate::http::is_this_machine;
use alloy::primitives::B256;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Longest pause that a receiver may ask for with `Retry-After`.
const MOST_PAUSE: Duration = Duration::from_secs(300);

/// An HTTP endpoint, and the secret that signs what is posted to it.
#[derive(Debug)]
pub struct Webhook {
    client: Client,
    url: Url,
    secret: Secret,
    endpoint: String,
}

impl Webhook {
    /// The webhook at `url`, each attempt within `deadline`. Plain http is for this machine alone,
    /// unless `insecure`.
    ///
    /// # Errors
    /// [`NotifyError::InvalidUrl`], [`NotifyError::Open`]; neither repeats more of the URL than
    /// scheme, host and port.
    pub fn new(url: &str, secret: Secret, deadline: Duration, insecure: bool) -> Result<Self, NotifyError> {
        let invalid = |reason: String| NotifyError::InvalidUrl { reason };
        let url: Url = url.parse().map_err(|error| invalid(format!("{error}")))?;
        let host = url.host_str().ok_or_else(|| invalid("found no host".to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("found scheme {}", url.scheme())));
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let endpoint = format!("{}://{host}{port}", url.scheme());
        let local = is_this_machine(host);
        if url.scheme() == "http" && !local && !insecure {
            return Err(NotifyError::Open { endpoint });
        }
        // A redirect would take what is signed to somebody else.
        let mut client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_DEADLINE.min(deadline))
            .timeout(deadline)
            .user_agent(concat!("medseal/", env!("CARGO_PKG_VERSION")));
        if local {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| invalid(format!("{error}")))?;
        Ok(Self { client, url, secret, endpoint })
    }

    /// Scheme, host and port; user, password, path and query may be secrets.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) async fn post(&self, id: B256, body: &str, now_unix_secs: u64) -> Result<(), DeliveryFailure> {
        let answer = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Medseal-Id", id.to_string())
            .header("Medseal-Signature", self.secret.sign(now_unix_secs, body))
            .body(body.to_owned())
            .send()
            .await
            .map_err(|error| DeliveryFailure::unreachable(format!("{}: {}", self.endpoint, cause(&error))))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Err(DeliveryFailure {
            reason: format!("{}: status {}", self.endpoint, status.as_u16()),
            refused: is_refusal(status),
            after: seconds.map(|seconds| Duration::from_secs(seconds).min(MOST_PAUSE)),
        })
    }
}

/// Whether another attempt would get the same answer: every status below 500 but 408 (timeout) and
/// 429 (too many).
fn is_refusal(status: StatusCode) -> bool {
    status.as_u16() < 500 && status != StatusCode::REQUEST_TIMEOUT && status != StatusCode::TOO_MANY_REQUESTS
}

/// The innermost cause, which never repeats the URL.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.is::<reqwest::Error>() {
        true => "the request failed".to_owned(),
        false => innermost.to_string().chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, insecure: bool) -> Result<Webhook, NotifyError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        crate::files::write_whole(&path, &[7; 32], crate::files::Existing::Keep).expect("written");
        Webhook::new(url, Secret::read(&path).expect("a secret"), Duration::from_secs(1), insecure)
    }

    #[test]
    fn plain_http_is_for_this_machine_and_secrets_stay_out_of_sight() {
        for good in ["https://a.example/x", "http://127.0.0.1:1/x", "http://[::1]/", "http://localhost/"] {
            webhook(good, false).expect(good);
        }
        assert!(matches!(webhook("http://10.0.0.2/x", false), Err(NotifyError::Open { .. })));
        webhook("http://10.0.0.2/x", true).expect("asked for");
        for bad in ["", "a.example", "ftp://a.example", "file:///x"] {
            assert!(matches!(webhook(bad, false), Err(NotifyError::InvalidUrl { .. })), "{bad}");
        }
        let webhook = webhook("https://user:secret@a.example:8443/secret?key=secret", false).expect("a URL");
        assert_eq!(webhook.endpoint(), "https://a.example:8443");
    }

    #[test]
    fn what_the_receiver_will_say_again_is_a_refusal() {
        for (status, refusal) in
            [(301, true), (400, true), (404, true), (410, true), (408, false), (429, false), (500, false), (503, false)]
        {
            assert_eq!(is_refusal(StatusCode::from_u16(status).expect("a status")), refusal, "{status}");
        }
    }
}
