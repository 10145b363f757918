//! One question of JSON-RPC 2.0 over HTTP. The client library's own transport reads an answer to
//! its end, however long it is, and compares no ids; this one has a bound for both.

use crate::chain::error::ChainError;
use crate::http::body_of;
use crate::words::{one_line, root_cause};
use alloy::primitives::Bytes;
use alloy::rpc::json_rpc::{ErrorPayload, Id, Request, Response, ResponsePayload, RpcRecv, RpcSend};
use alloy::transports::http::reqwest::{self, StatusCode, Url, header::RETRY_AFTER};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longest answer that is read; ranges of logs that would be longer are asked for in parts.
pub(super) const MOST_ANSWER_BYTES: usize = 8 << 20;

/// A node's URL, and the questions that were asked there.
#[derive(Debug, Clone)]
pub(super) struct Door {
    client: reqwest::Client,
    url: Url,
    /// Scheme, host and port, for errors.
    endpoint: String,
    asked: Arc<AtomicU64>,
}

impl Door {
    pub(super) fn new(client: reqwest::Client, url: Url, endpoint: String) -> Self {
        Self { client, url, endpoint, asked: Arc::default() }
    }

    /// Scheme, host and port.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Asks once; has no deadline of its own.
    pub(super) async fn ask<P: RpcSend, R: RpcRecv>(&self, method: &'static str, params: P) -> Result<R, ChainError> {
        let id = Id::Number(self.asked.fetch_add(1, Ordering::Relaxed));
        let question = Request::new(method, id.clone(), params);
        let sent = self.client.post(self.url.clone()).json(&question).send().await;
        let mut answer = sent.map_err(|error| self.unreachable(&error))?;
        let (status, pause) = (answer.status(), retry_after(&answer));
        let body = body_of(&mut answer, MOST_ANSWER_BYTES).await.map_err(|error| self.unreachable(&error))?;
        let body = body.ok_or(ChainError::TooLong { method, limit: MOST_ANSWER_BYTES })?;
        match serde_json::from_slice::<Response>(&body) {
            Ok(answer) if answer.id == id => read(method, answer.payload),
            Ok(answer) => Err(bad(method, format_args!("it is an answer to question {}, not {id}", answer.id))),
            Err(_) if !status.is_success() => Err(self.refused(method, status, pause)),
            Err(error) => Err(bad(method, error)),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> ChainError {
        ChainError::Unreachable { endpoint: self.endpoint.clone(), reason: root_cause(error) }
    }

    /// What an HTTP error means: that the node is busy, or that this is no node.
    fn refused(&self, method: &'static str, status: StatusCode, pause: Option<Duration>) -> ChainError {
        let endpoint = self.endpoint.clone();
        match status.as_u16() {
            status @ (429 | 502..=504) => ChainError::Busy { endpoint, method, status, pause },
            _ => ChainError::Unreachable { endpoint, reason: format!("it answers with HTTP status {status}") },
        }
    }
}

/// How long the node wants to be let alone (RFC 9110, 10.2.3; only seconds are understood).
fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn read<R: RpcRecv>(method: &'static str, payload: ResponsePayload) -> Result<R, ChainError> {
    match payload {
        ResponsePayload::Success(result) => serde_json::from_str(result.get()).map_err(|error| bad(method, error)),
        ResponsePayload::Failure(error) => Err(failure(method, &error)),
    }
}

fn failure(method: &'static str, error: &ErrorPayload<Box<RawValue>>) -> ChainError {
    match error.as_revert_data() {
        Some(data) => ChainError::from_revert(data),
        // A bare `revert()` has no data; nodes say so in words, with code 3.
        None if error.code == 3 => ChainError::from_revert(Bytes::new()),
        None => ChainError::Refused { method, code: error.code, message: one_line(&error.message) },
    }
}

fn bad(method: &'static str, reason: impl ToString) -> ChainError {
    ChainError::BadAnswer { method, reason: one_line(&reason.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U64;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A node that answers the first question with these bytes.
    async fn answering(answer: Vec<u8>) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a question");
            let mut question = [0; 4096];
            let _ = stream.read(&mut question).await;
            let _ = stream.write_all(&answer).await;
        });
        Door::new(reqwest::Client::new(), endpoint.parse().expect("a URL"), endpoint)
    }

    fn http(status: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nretry-after: 2\r\n\r\n{body}", body.len()).into_bytes()
    }

    async fn ask(answer: Vec<u8>) -> Result<U64, ChainError> {
        answering(answer).await.ask("eth_chainId", ()).await
    }

    #[tokio::test]
    async fn an_answer_is_taken_to_its_own_question_alone() {
        let good = |id: u64| http("200 OK", &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"0x7"}}"#));
        assert_eq!(ask(good(0)).await.expect("the first question has id 0"), U64::from(7));
        assert!(matches!(ask(good(1)).await, Err(ChainError::BadAnswer { method: "eth_chainId", .. })));
        let cut = http("200 OK", r#"{"jsonrpc":"2.0","id":0,"result":"0x"#);
        assert!(matches!(ask(cut).await, Err(ChainError::BadAnswer { .. })));
        let deep = format!(r#"{{"jsonrpc":"2.0","id":0,"result":{}"#, "[".repeat(1 << 20));
        assert!(matches!(ask(http("200 OK", &deep)).await, Err(ChainError::BadAnswer { .. })));
    }

    #[tokio::test]
    async fn an_answer_without_end_is_left_at_the_bound() {
        let mut flood = b"HTTP/1.1 200 OK\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":\"0x".to_vec();
        flood.resize(MOST_ANSWER_BYTES + (1 << 20), b'0');
        let refused = ask(flood).await.expect_err("longer than the bound");
        assert!(
            matches!(refused, ChainError::TooLong { method: "eth_chainId", limit: MOST_ANSWER_BYTES }),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn a_busy_node_is_told_from_one_that_is_none() {
        for status in ["429 Too Many Requests", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"] {
            let busy = ask(http(status, "<html>")).await.expect_err("busy");
            let expected: u16 = status[..3].parse().expect("a number");
            assert!(matches!(busy, ChainError::Busy { status, pause: Some(_), .. } if status == expected), "{busy}");
        }
        assert!(matches!(ask(http("404 Not Found", "no")).await, Err(ChainError::Unreachable { .. })));
    }

    #[tokio::test]
    async fn what_a_node_says_is_one_short_line() {
        let words = format!(r"\u001b[2Jvalid\n{}", "x".repeat(1 << 20));
        let body = format!(r#"{{"jsonrpc":"2.0","id":0,"error":{{"code":-32000,"message":"{words}"}}}}"#);
        let refused = ask(http("200 OK", &body)).await.expect_err("refused");
        let ChainError::Refused { message, code: -32000, .. } = &refused else { panic!("{refused}") };
        assert!(message.starts_with(r"\u{1b}[2Jvalid\nxx") && message.len() < 300, "{message}");
    }
}
