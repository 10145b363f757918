//! One call to a node: HTTP with deadlines on everything, and a limit on every answer's length.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http_body_util::BodyExt;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client, RequestBuilder, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::endpoint::{Deadlines, Endpoint, Token};
use super::error::{IpfsError, words};

/// Most bytes of an answer in JSON; the pins of a node are read line by line.
pub(super) const MAX_JSON_BYTES: u64 = 1 << 20;
/// Most bytes of an error that are read.
const MAX_ERROR_BYTES: u64 = 64 << 10;
/// Bytes that are handed to the connection at once. What is sent is never copied as a whole.
const PIECE_BYTES: usize = 256 << 10;
/// Least bytes a second, over a whole answer; a slower one fails.
const LEAST_BYTES_PER_SEC: u64 = 16 << 10;
/// The trailer of an answer that failed after it had begun.
const ERROR_TRAILER: &str = "x-stream-error";

/// HTTP client of one node.
#[derive(Debug)]
pub(super) struct KuboRpc {
    endpoint: Endpoint,
    token: Option<Token>,
    deadlines: Deadlines,
    client: Client,
    /// For requests that cannot be repeated: it never reuses a connection, which the node may have
    /// closed meanwhile.
    upload_client: Client,
}

impl KuboRpc {
    pub(super) fn new(endpoint: Endpoint, token: Option<Token>, deadlines: Deadlines) -> Self {
        let client = |idle| {
            Client::builder()
                .user_agent(concat!("medseal/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(deadlines.connect)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .pool_max_idle_per_host(idle)
                .build()
                .expect("settings that are always the same, and worked")
        };
        Self { endpoint, token, deadlines, client: client(8), upload_client: client(0) }
    }

    pub(super) fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    fn request(&self, client: &Client, call: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let request = client.post(self.endpoint.call(call)).query(query);
        match &self.token {
            Some(token) => request.bearer_auth(token.secret()),
            None => request,
        }
    }

    /// Returns the answer to a call, its body still to be read.
    ///
    /// # Errors
    /// [`IpfsError`].
    pub(super) async fn call(&self, call: &str, query: &[(&str, &str)]) -> Result<Answer, IpfsError> {
        self.call_within(call, query, self.deadlines.answer).await
    }

    /// The same with another deadline for the first byte.
    pub(super) async fn call_within(
        &self,
        call: &str,
        query: &[(&str, &str)],
        first: Duration,
    ) -> Result<Answer, IpfsError> {
        let once = async || {
            let sent = self.request(&self.client, call, query).send();
            let late = |_| IpfsError::Timeout { what: "answer", after: first };
            self.answer(timeout(first, sent).await.map_err(late)?).await
        };
        match once().await {
            // A connection from before the node was restarted. Every call may be made twice.
            Err(IpfsError::Cut(_)) => once().await,
            other => other,
        }
    }

    /// Returns the answer to a call that takes a file: `pieces` are its parts in order, `length`
    /// their bytes together.
    ///
    /// # Errors
    /// [`IpfsError`]; one that `pieces` ends with is a caller's own, for which the connection is
    /// dropped.
    pub(super) async fn upload<E: From<IpfsError>>(
        &self,
        call: &str,
        query: &[(&str, &str)],
        length: u64,
        mut pieces: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<Answer, E> {
        let Deadlines { answer, stall, .. } = self.deadlines;
        let (sender, receiver) = mpsc::channel(1);
        let part = Part::stream_with_length(Body::wrap_stream(received(receiver)), length).file_name("object");
        let mut sent =
            pin!(self.request(&self.upload_client, call, query).multipart(Form::new().part("file", part)).send());
        let feed = async {
            while let Some(piece) = pieces.try_next().await? {
                match timeout(stall, sender.send(Ok::<_, std::convert::Infallible>(piece))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => break, // the node answers already, which cannot be a yes
                    Err(_) => return Err(IpfsError::Timeout { what: "progress while sending", after: stall }.into()),
                }
            }
            drop(sender);
            Ok::<(), E>(())
        };
        tokio::select! {
            biased;
            response = &mut sent => return Ok(self.answer(response).await?),
            fed = feed => fed?,
        }
        let late = |_| IpfsError::Timeout { what: "answer", after: answer };
        Ok(self.answer(timeout(answer, sent).await.map_err(late)?).await?)
    }

    /// Looks at the status of a response.
    async fn answer(&self, response: Result<Response, reqwest::Error>) -> Result<Answer, IpfsError> {
        let response = response.map_err(|error| failed(error.without_url(), self.deadlines.connect))?;
        let status = response.status();
        let answer = Answer::new(response, self.deadlines.stall);
        match status {
            StatusCode::OK => Ok(answer),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(IpfsError::NotAuthorized { status: status.as_u16(), token: self.token.is_some() })
            }
            status if status.is_redirection() => Err(IpfsError::Redirected { status: status.as_u16() }),
            status => {
                let text = answer.first(MAX_ERROR_BYTES).await?;
                let message = serde_json::from_slice::<ErrorAnswer>(&text).ok().map(|failure| failure.message);
                Err(match message {
                    Some(message) => IpfsError::refused(&message),
                    None => IpfsError::Http { status: status.as_u16() },
                })
            }
        }
    }
}

/// Kubo's error answer.
#[derive(serde::Deserialize)]
struct ErrorAnswer {
    #[serde(rename = "Message")]
    message: String,
}

/// Why a request got no response at all.
fn failed(error: reqwest::Error, connect: Duration) -> IpfsError {
    match error {
        error if error.is_timeout() => IpfsError::Timeout { what: "connection", after: connect },
        error if error.is_connect() => IpfsError::Unreachable(error),
        error => IpfsError::Cut(error),
    }
}

fn received<E: Send>(receiver: mpsc::Receiver<Result<Bytes, E>>) -> impl Stream<Item = Result<Bytes, E>> + Send {
    futures_util::stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) })
}

/// `bytes` in pieces, each copied when it is its turn.
pub(super) fn pieces<E: Send>(bytes: &[u8]) -> impl Stream<Item = Result<Bytes, E>> + Send + Unpin {
    futures_util::stream::iter(bytes.chunks(PIECE_BYTES).map(|piece| Ok(Bytes::copy_from_slice(piece))))
}

/// The body of an answer.
pub(super) struct Answer {
    body: Body,
    stall: Duration,
    begun: Instant,
    bytes: u64,
}

impl Answer {
    fn new(response: Response, stall: Duration) -> Self {
        let body = reqwest::Body::from(response);
        Self { body, stall, begun: Instant::now(), bytes: 0 }
    }

    /// The next bytes; `None` after the last. A failure in the trailer is an error.
    async fn next(&mut self) -> Result<Option<Bytes>, IpfsError> {
        loop {
            let slow = self.begun + self.stall + Duration::from_secs(self.bytes / LEAST_BYTES_PER_SEC);
            let until = slow.min(Instant::now() + self.stall);
            let late = |_| IpfsError::Timeout { what: "progress", after: self.stall };
            let frame = match timeout_at(until, self.body.frame()).await.map_err(late)? {
                None => return Ok(None),
                Some(frame) => frame.map_err(|error| IpfsError::Cut(error.without_url()))?,
            };
            match frame.into_data() {
                Ok(data) => {
                    self.bytes += data.len() as u64;
                    return Ok(Some(data));
                }
                Err(frame) => {
                    if let Some(message) = frame.trailers_ref().and_then(|trailers| trailers.get(ERROR_TRAILER)) {
                        let message = words(&String::from_utf8_lossy(message.as_bytes()));
                        return Err(IpfsError::InAnswer { message });
                    }
                }
            }
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// [`IpfsError::TooLong`] for more than `limit` bytes, [`IpfsError`].
    pub(super) async fn whole(mut self, limit: u64) -> Result<Vec<u8>, IpfsError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.next().await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > limit {
                return Err(IpfsError::TooLong { limit });
            }
        }
        Ok(bytes)
    }

    /// The first `limit` bytes of it, or all; what comes after them is not waited for.
    pub(super) async fn first(self, limit: u64) -> Result<Vec<u8>, IpfsError> {
        let mut bytes = Vec::new();
        self.each_part(limit, |part| {
            bytes.extend_from_slice(part);
            true
        })
        .await?;
        Ok(bytes)
    }

    /// Hands its first `limit` bytes, or all, to `take`, until it wants no more.
    pub(super) async fn each_part(mut self, limit: u64, mut take: impl FnMut(&[u8]) -> bool) -> Result<(), IpfsError> {
        let mut room = usize::try_from(limit).unwrap_or(usize::MAX);
        while let Some(piece) = self.next().await? {
            let length = piece.len().min(room);
            if !take(&piece[..length]) || length == room {
                break;
            }
            room -= length;
        }
        Ok(())
    }

    /// Hands each line to `take`; the node's own error among them ends it.
    ///
    /// # Errors
    /// [`IpfsError::TooLong`] for a line of more than `MAX_JSON_BYTES`, [`IpfsError::InAnswer`],
    /// [`IpfsError`].
    pub(super) async fn lines(mut self, mut take: impl FnMut(&[u8]) -> Result<(), IpfsError>) -> Result<(), IpfsError> {
        let mut rest = Vec::new();
        loop {
            let piece = self.next().await?;
            rest.extend_from_slice(piece.as_deref().unwrap_or(b"\n"));
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                match serde_json::from_slice::<ErrorAnswer>(&line) {
                    Ok(failure) => return Err(in_answer(&failure.message)),
                    Err(_) if line.trim_ascii().is_empty() => {}
                    Err(_) => take(&line)?,
                }
            }
            if piece.is_none() {
                return Ok(());
            }
            if rest.len() as u64 > MAX_JSON_BYTES {
                return Err(IpfsError::TooLong { limit: MAX_JSON_BYTES });
            }
        }
    }
}

/// An error that stands in an answer that began well; a full disk is one wherever it is said.
fn in_answer(message: &str) -> IpfsError {
    match IpfsError::refused(message) {
        IpfsError::Refused { message } => IpfsError::InAnswer { message },
        full => full,
    }
}
