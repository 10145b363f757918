//! A server that speaks as a Kubo node with one object would, and lies where it is told to.

use medseal::storage::blocks;
use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An answer, right or wrong.
#[derive(Clone)]
pub(super) enum Answer {
    /// This status and body, whole.
    Whole(u16, Vec<u8>),
    /// 200, this body, and a trailer that takes it back.
    TakenBack(Vec<u8>, &'static str),
    /// 200 and this much of a longer body; then the connection ends.
    Cut(Vec<u8>),
    /// 200 and this much of a longer body; then nothing more, for ever.
    Stalls(Vec<u8>),
    /// 200 and then a byte now and again, for ever.
    Drips,
    /// 200 and then bytes without end.
    Endless(u8),
    /// Nothing at all.
    Silent,
    /// Not even the question is read.
    Deaf,
    /// Another address.
    Redirect(String),
}

/// The server; it lives as long as the test does.
pub(super) struct Liar {
    pub(super) url: String,
    /// How many questions were asked.
    pub(super) asked: Arc<AtomicUsize>,
}

impl Liar {
    /// A server with the object `bytes`, which is right in everything that `rule` says nothing
    /// about. A rule sees the call and its `arg`.
    pub(super) fn with(bytes: &[u8], rule: impl Fn(&str, &str) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let blocks: BTreeMap<String, Vec<u8>> =
            blocks(bytes).into_iter().map(|(cid, block)| (cid.to_string(), block)).collect();
        let root = medseal::storage::Cid::of(bytes).to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, rule) = (Arc::clone(&asked), Arc::new(rule));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (blocks, root, rule) = (blocks.clone(), root.clone(), Arc::clone(&rule));
                count.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let stream = stream.expect("a connection");
                    let (call, arg, length) = read_head(&stream);
                    let answer = rule(&call, &arg).unwrap_or_else(|| honest(&call, &arg, &root, &blocks));
                    // Who hangs up first is right to do so.
                    let _ = answer_with(stream, &answer, length);
                });
            }
        });
        Self { url, asked }
    }
}

/// What a node with this object and no other answers.
fn honest(call: &str, arg: &str, root: &str, blocks: &BTreeMap<String, Vec<u8>>) -> Answer {
    let error = |message: &str| {
        Answer::Whole(500, format!(r#"{{"Message":"{message}","Code":0,"Type":"error"}}"#).into_bytes())
    };
    match call {
        "add" => {
            Answer::Whole(200, format!("{{\"Name\":\"object\",\"Hash\":\"{root}\",\"Size\":\"1\"}}\n").into_bytes())
        }
        "pin/ls" if arg == root => Answer::Whole(
            200,
            format!(r#"{{"Keys":{{"{root}":{{"Type":"recursive","Name":"medseal"}}}}}}"#).into_bytes(),
        ),
        "pin/ls" => error(&format!("path '/ipfs/{arg}' is not pinned")),
        "pin/add" | "pin/rm" => Answer::Whole(200, format!(r#"{{"Pins":["{root}"]}}"#).into_bytes()),
        "block/rm" => Answer::Whole(200, format!(r#"{{"Hash":"{arg}"}}"#).into_bytes()),
        "swarm/peers" => Answer::Whole(200, br#"{"Peers":null}"#.to_vec()),
        "block/get" => match blocks.get(arg) {
            Some(block) => Answer::Whole(200, block.clone()),
            None => error(&format!("block was not found locally (offline): ipld: could not find {arg}")),
        },
        other => panic!("no call {other} is known here"),
    }
}

/// The call, its first `arg`, and the bytes of its body.
fn read_head(stream: &TcpStream) -> (String, String, usize) {
    let mut reader = Unbuffered(stream);
    let first = reader.line();
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let arg = query.split('&').find_map(|pair| pair.strip_prefix("arg=")).unwrap_or_default();
    let mut length = 0;
    loop {
        let line = reader.line().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line.is_empty() {
            return (path.trim_start_matches("/api/v0/").to_owned(), arg.to_owned(), length);
        }
    }
}

/// Reads no byte more than it returns, so that a body stays unread where that is wanted.
struct Unbuffered<'a>(&'a TcpStream);

impl Unbuffered<'_> {
    fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while self.0.read(&mut byte).unwrap_or(0) == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        String::from_utf8(line).expect("text").trim_end().to_owned()
    }
}

fn answer_with(mut stream: TcpStream, answer: &Answer, length: usize) -> std::io::Result<()> {
    if let Answer::Deaf = answer {
        std::thread::park();
    }
    std::io::copy(&mut BufReader::new(&stream).take(length as u64), &mut std::io::sink())?;
    let head = |status: u16, more: &str| format!("HTTP/1.1 {status} Whatever\r\nconnection: close\r\n{more}\r\n\r\n");
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let chunked = "transfer-encoding: chunked\r\ntrailer: X-Stream-Error";
    match answer {
        Answer::Whole(status, body) => {
            stream.write_all(head(*status, &format!("content-length: {}", body.len())).as_bytes())?;
            stream.write_all(body)
        }
        Answer::TakenBack(body, error) => {
            stream.write_all(head(200, chunked).as_bytes())?;
            stream.write_all(&chunk(body))?;
            stream.write_all(format!("0\r\nX-Stream-Error: {error}\r\n\r\n").as_bytes())
        }
        Answer::Cut(body) => {
            stream.write_all(head(200, &format!("content-length: {}", body.len() + 1)).as_bytes())?;
            stream.write_all(body)
        }
        Answer::Stalls(body) => {
            stream.write_all(head(200, chunked).as_bytes())?;
            stream.write_all(&chunk(body))?;
            loop {
                std::thread::park();
            }
        }
        Answer::Drips => {
            stream.write_all(head(200, chunked).as_bytes())?;
            loop {
                stream.write_all(&chunk(b" "))?;
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        Answer::Endless(byte) => {
            stream.write_all(head(200, chunked).as_bytes())?;
            let piece = chunk(&vec![*byte; 1 << 16]);
            loop {
                stream.write_all(&piece)?;
            }
        }
        Answer::Silent | Answer::Deaf => loop {
            std::thread::park();
        },
        Answer::Redirect(target) => {
            stream.write_all(head(307, &format!("location: {target}\r\ncontent-length: 0")).as_bytes())
        }
    }
}
