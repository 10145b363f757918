//! The address of a node's RPC, and its access token.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;
use zeroize::Zeroizing;

/// The address of a node's RPC: `http://127.0.0.1:5001`, or as a multiaddr
/// `/ip4/127.0.0.1/tcp/5001`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

/// Why something is no [`Endpoint`]. The text itself is not in it: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Neither a URL nor a multiaddr.
    #[error("expected http://HOST:PORT, https://HOST:PORT or /ip4/ADDRESS/tcp/PORT")]
    Malformed,
    /// A user name or password in the URL.
    #[error("expected no user name or password in the address: the token has a file of its own")]
    Credentials,
    /// A query or fragment.
    #[error("expected nothing after the address's path")]
    Query,
}

impl Endpoint {
    /// The URL of a call.
    pub(super) fn call(&self, call: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/api/v0/{call}", self.url.path().trim_end_matches('/')));
        url
    }

    /// Whether what is said there stays on this machine or is encrypted.
    pub fn is_private(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host.parse::<IpAddr>().map_or(host == "localhost", |address| address.is_loopback());
        loopback || self.url.scheme() == "https"
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let text = if text.starts_with('/') { &from_multiaddr(text)? } else { text };
        let url: Url = text.parse().map_err(|_| EndpointError::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(EndpointError::Malformed);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Query);
        }
        Ok(Self { url })
    }
}

/// The URL that a multiaddr of an RPC means.
fn from_multiaddr(text: &str) -> Result<String, EndpointError> {
    let parts: Vec<&str> = text.trim_matches('/').split('/').collect();
    let (host, port, rest) = match parts.as_slice() {
        ["ip6", host, "tcp", port, rest @ ..] => (format!("[{host}]"), port, rest),
        ["ip4" | "dns" | "dns4" | "dns6", host, "tcp", port, rest @ ..] => ((*host).to_owned(), port, rest),
        _ => return Err(EndpointError::Malformed),
    };
    let scheme = match rest {
        [] | ["http"] => "http",
        ["https"] | ["tls", "http"] => "https",
        _ => return Err(EndpointError::Malformed),
    };
    Ok(format!("{scheme}://{host}:{port}"))
}

/// Scheme, host, port and path, without a slash at the end.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

/// What a node's `API.Authorizations` asks for. It prints as `Token(..)`.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Returns the token, unless it holds what no header can: anything but printable ASCII, or
    /// nothing.
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Deadlines of calls to a node.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer, once the question was sent.
    pub answer: Duration,
    /// For the next bytes, in either direction.
    pub stall: Duration,
    /// For a block that the node itself has not, and may get from its peers.
    pub peers: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self { connect: secs(5), answer: secs(60), stall: secs(20), peers: secs(10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_multiaddrs_are_taken() {
        for (text, shown) in [
            ("http://127.0.0.1:5001", "http://127.0.0.1:5001"),
            ("http://localhost:5001/", "http://localhost:5001"),
            ("https://ipfs.example/node1/", "https://ipfs.example/node1"),
            ("/ip4/127.0.0.1/tcp/5001", "http://127.0.0.1:5001"),
            ("/ip4/127.0.0.1/tcp/5001/http", "http://127.0.0.1:5001"),
            ("/ip6/::1/tcp/5001", "http://[::1]:5001"),
            ("/dns4/ipfs.example/tcp/8443/https", "https://ipfs.example:8443"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(endpoint.to_string(), shown, "{text}");
            assert_eq!(endpoint.call("version").as_str(), format!("{shown}/api/v0/version"), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, error) in [
            ("", EndpointError::Malformed),
            ("127.0.0.1:5001", EndpointError::Malformed),
            ("ftp://127.0.0.1", EndpointError::Malformed),
            ("/ip4/127.0.0.1/udp/5001", EndpointError::Malformed),
            ("/ip4/127.0.0.1/tcp/5001/p2p/12D3", EndpointError::Malformed),
            ("/ip4/127.0.0.1/tcp/no", EndpointError::Malformed),
            ("http://me:secret@127.0.0.1:5001", EndpointError::Credentials),
            ("http://me@127.0.0.1:5001", EndpointError::Credentials),
            ("http://127.0.0.1:5001/?key=secret", EndpointError::Query),
            ("http://127.0.0.1:5001/#a", EndpointError::Query),
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(error), "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn what_leaves_the_machine_in_clear_is_known() {
        for (text, private) in [
            ("http://127.0.0.1:5001", true),
            ("http://127.8.0.1:5001", true),
            ("http://[::1]:5001", true),
            ("http://localhost:5001", true),
            ("https://ipfs.example", true),
            ("http://ipfs.example:5001", false),
            ("http://10.0.0.1:5001", false),
        ] {
            assert_eq!(text.parse::<Endpoint>().expect("an endpoint").is_private(), private, "{text}");
        }
    }

    #[test]
    fn a_token_is_one_word_and_never_printed() {
        let token = Token::new("abc.DEF-123").expect("a token");
        assert_eq!((token.secret(), format!("{token:?}").as_str()), ("abc.DEF-123", "Token(..)"));
        for text in ["", "two words", "line\n", "tab\t", "\u{e9}"] {
            assert!(Token::new(text).is_none(), "{text:?}");
        }
    }
}
