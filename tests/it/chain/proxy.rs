//! Stands between us and a node and spoils what it is told to spoil.

use alloy::providers::{Provider, ProviderBuilder};
use alloy::transports::RpcError;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// What becomes of a request.
pub(crate) enum Fault {
    /// It reaches the node, and the answer comes back.
    None,
    /// It is answered with this JSON-RPC error and does not reach the node.
    Refuse(i64, &'static str),
    /// It reaches the node, and the answer is HTTP 500.
    LoseAnswer,
    /// It reaches the node, and the list that comes back lacks this entry.
    DropResult(usize),
    /// It reaches the node, and this is done to the result.
    Alter(Box<dyn FnOnce(&mut Value) + Send>),
    /// It does not reach the node, and this comes back as the result.
    Answer(Value),
    /// It does not reach the node, and the connection is closed.
    Close,
    /// The node is asked this instead.
    Ask(Value),
    /// It does not reach the node, and this comes back as the whole body.
    Body(String),
}

/// Returns the URL of a proxy in front of `node`; it lives as long as the test does.
pub(crate) fn proxy(node: &str, mut rule: impl FnMut(&Value) -> Fault + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let node = node.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for stream in listener.incoming() {
            runtime.block_on(serve(stream.unwrap(), &node, &mut rule));
        }
    });
    url
}

async fn serve(mut stream: TcpStream, node: &str, rule: &mut impl FnMut(&Value) -> Fault) {
    let request = read_body(&stream);
    let fault = rule(&request);
    let (status, answer) = match fault {
        Fault::Close => return,
        Fault::Answer(result) => ("200 OK", json!({ "result": result })),
        Fault::Body(body) => return send(&mut stream, "200 OK", &body),
        Fault::Ask(other) => ("200 OK", forward(node, &other).await),
        Fault::Refuse(code, message) => ("200 OK", json!({ "error": { "code": code, "message": message } })),
        Fault::None => ("200 OK", forward(node, &request).await),
        Fault::DropResult(index) => {
            let mut answer = forward(node, &request).await;
            answer["result"].as_array_mut().unwrap().remove(index);
            ("200 OK", answer)
        }
        Fault::Alter(alter) => {
            let mut answer = forward(node, &request).await;
            alter(&mut answer["result"]);
            ("200 OK", answer)
        }
        Fault::LoseAnswer => {
            forward(node, &request).await;
            ("500 Internal Server Error", json!({}))
        }
    };
    let mut answer = answer;
    answer["jsonrpc"] = json!("2.0");
    answer["id"] = request["id"].clone();
    send(&mut stream, status, &answer.to_string());
}

fn send(stream: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    // Who does not want the answer any more has closed the connection.
    let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
}

async fn forward(node: &str, request: &Value) -> Value {
    let provider = ProviderBuilder::new().disable_recommended_fillers().connect_http(node.parse().unwrap());
    let method = request["method"].as_str().unwrap().to_owned();
    match provider.raw_request::<_, Value>(method.into(), request["params"].clone()).await {
        Ok(result) => json!({ "result": result }),
        Err(RpcError::ErrorResp(refusal)) => json!({ "error": refusal }),
        Err(error) => panic!("the node refused {request}: {error}"),
    }
}

fn read_body(stream: &TcpStream) -> Value {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}
