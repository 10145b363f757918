//! A receiver of webhooks that behaves as it is told.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the receiver does with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reply {
    /// Answers with this status.
    Status(u16),
    /// Answers with this status and asks to be left alone for a second.
    Later(u16),
    /// Sends the sender elsewhere.
    Redirect,
    /// Says nothing, and keeps the connection.
    Hang,
    /// Closes the connection in the midst of the answer.
    Cut,
}

/// A request that came whole.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    pub(super) taken: bool,
}

impl Request {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(super) fn id(&self) -> String {
        self.headers["medseal-id"].clone()
    }

    /// Checks the signature as a receiver does: HMAC-SHA256 over `t.body`, and a time that is now.
    pub(super) fn check_signature(&self, secret: &[u8]) {
        let header = &self.headers["medseal-signature"];
        let (time, signature) = header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("t=..,v1=..");
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key");
        mac.update(format!("{time}.{}", self.body).as_bytes());
        assert_eq!(alloy::hex::encode(mac.finalize().into_bytes()), signature, "{header}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        assert!(now.abs_diff(time.parse().expect("seconds")) < 300, "{header}");
    }
}

/// It lives as long as the test does.
#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    /// `rule` says what to do with the request of this number, from 0 on.
    pub(super) fn start(mut rule: impl FnMut(usize, &Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://user:pass@{}/hook?token=secret", listener.local_addr().expect("an address"));
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (kept, at) = (Arc::clone(&requests), url.clone());
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                // A sender that was killed leaves a request half said.
                let Some(mut request) = read(&stream) else { continue };
                let number = kept.lock().expect("whole").len();
                let reply = rule(number, &request);
                request.taken = matches!(reply, Reply::Status(200..=299));
                kept.lock().expect("whole").push(request);
                let (status, more) = match reply {
                    Reply::Status(status) => (status, String::new()),
                    Reply::Later(status) => (status, "retry-after: 1\r\n".to_owned()),
                    Reply::Redirect => (302, format!("location: {at}&elsewhere\r\n")),
                    Reply::Hang => {
                        open.push(stream);
                        continue;
                    }
                    Reply::Cut => {
                        let _ = stream.write_all(b"HTTP/1.1 2");
                        continue;
                    }
                };
                let answer = format!("HTTP/1.1 {status} X\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { url, requests }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("whole").clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Request { path, headers, body: String::from_utf8(body).ok()?, taken: false })
}
