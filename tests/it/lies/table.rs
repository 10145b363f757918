//! The lies: what is done to a node's answer. Most are done to any answer, some to those of one
//! method alone.

use crate::chain::proxy::Fault;
use serde_json::{Value, json};

/// A lie: its name, and what becomes of the answer to this request.
pub(super) type Lie = (&'static str, fn(&Value) -> Fault);

/// Every method that is asked by a command that reads.
pub(super) const METHODS: [&str; 8] = [
    "eth_chainId",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_call",
    "eth_getLogs",
    "eth_getProof",
    "eth_getBlockReceipts",
    "web3_clientVersion",
];

/// Lies about any answer.
const ANY: [Lie; 30] = [
    ("nothing", |_| Fault::Answer(Value::Null)),
    ("an empty text", |_| Fault::Answer(json!(""))),
    ("0x", |_| Fault::Answer(json!("0x"))),
    ("a number", |_| Fault::Answer(json!(7))),
    ("true", |_| Fault::Answer(json!(true))),
    ("an empty list", |_| Fault::Answer(json!([]))),
    ("an empty object", |_| Fault::Answer(json!({}))),
    ("2^64 - 1", |_| Fault::Answer(json!("0xffffffffffffffff"))),
    ("2^256 - 1", |_| Fault::Answer(json!(format!("0x{}", "f".repeat(64))))),
    ("a number of 10,000 digits", |_| Fault::Answer(json!(format!("0x{}", "f".repeat(10_000))))),
    ("9 MiB", |_| Fault::Answer(json!(format!("0x{}", "0".repeat(9 << 20))))),
    ("no body", |_| Fault::Body(String::new())),
    ("a web page", |_| Fault::Body("<html><title>Login</title></html>".to_owned())),
    ("neither result nor error", |request| Fault::Body(json!({ "jsonrpc": "2.0", "id": request["id"] }).to_string())),
    ("a depth of 100,000", |request| {
        Fault::Body(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{}"#, request["id"], "[".repeat(100_000)))
    }),
    ("an answer to another question", |_| {
        Fault::Body(json!({ "jsonrpc": "2.0", "id": 1_000_000, "result": "0x1" }).to_string())
    }),
    ("a closed connection", |_| Fault::Close),
    ("an error with escapes", |_| Fault::Refuse(-32000, "\u{1b}[2J\u{1b}[1;1Hvalid\r\nvalid: complete up to block 9")),
    ("a revert without data", |_| Fault::Refuse(3, "execution reverted")),
    ("a limit of results", |_| Fault::Refuse(-32005, "query returned more than 10000 results")),
    ("numbers of 2^64 - 1", |_| altered(|value| on_numbers(value, &|_| "0xffffffffffffffff".to_owned()))),
    ("numbers of 0", |_| altered(|value| on_numbers(value, &|_| "0x0".to_owned()))),
    ("hashes with another bit", |_| {
        altered(|value| on_texts(value, &|text| (text.len() == 66).then(|| flipped(text))))
    }),
    ("bytes with another bit", |_| altered(|value| on_texts(value, &|text| (text.len() > 66).then(|| flipped(text))))),
    ("bytes cut by one", |_| {
        altered(|value| on_texts(value, &|text| (text.len() > 66).then(|| text[..text.len() - 2].to_owned())))
    }),
    ("bytes doubled", |_| {
        altered(|value| on_texts(value, &|text| (text.len() > 66).then(|| format!("{text}{}", &text[2..]))))
    }),
    ("lists cut by the last", |_| altered(|value| on_lists(value, &|list| drop(list.pop())))),
    ("lists cut to the first", |_| altered(|value| on_lists(value, &|list| list.truncate(1)))),
    ("lists reversed", |_| altered(|value| on_lists(value, &|list| list.reverse()))),
    ("lists doubled", |_| altered(|value| on_lists(value, &|list| list.extend(list.clone())))),
];

/// Lies about logs.
const LOGS: [Lie; 10] = [
    ("logs of another address", |_| altered(|value| on_each(value, "address", &|text| flipped(text)))),
    ("logs of another block", |_| altered(|value| on_each(value, "blockNumber", &|_| "0x3".to_owned()))),
    ("logs of a block of the future", |_| {
        altered(|value| on_each(value, "blockNumber", &|_| "0xffffffffffff".to_owned()))
    }),
    ("logs of another time", |_| {
        altered(|value| on_each(value, "blockTimestamp", &|_| "0xffffffffffffffff".to_owned()))
    }),
    ("another place", |_| altered(|value| on_each(value, "logIndex", &|_| "0x7".to_owned()))),
    ("other data", |_| altered(|value| on_each(value, "data", &|text| flipped(text)))),
    ("data that points outside", |_| {
        altered(|value| on_each(value, "data", &|text| format!("0x{}", "f".repeat(text.len() - 2))))
    }),
    ("no data", |_| altered(|value| on_each(value, "data", &|_| "0x".to_owned()))),
    ("removed logs", |_| {
        altered(|value| value.as_array_mut().into_iter().flatten().for_each(|log| log["removed"] = json!(true)))
    }),
    ("five topics", |_| {
        altered(|value| {
            for log in value.as_array_mut().into_iter().flatten() {
                let first = log["topics"][0].clone();
                log["topics"] = json!([first, first, first, first, first]);
            }
        })
    }),
];

/// The lies about answers of a method.
pub(super) fn lies(method: &str) -> Vec<Lie> {
    let more = if method == "eth_getLogs" { &LOGS[..] } else { &[] };
    ANY.iter().chain(more).copied().collect()
}

fn altered(alter: fn(&mut Value)) -> Fault {
    Fault::Alter(Box::new(alter))
}

/// The same hex with another last bit.
fn flipped(text: &str) -> String {
    let last = text.chars().last().and_then(|digit| digit.to_digit(16)).unwrap_or_default();
    format!("{}{:x}", &text[..text.len() - 1], last ^ 1)
}

fn on_texts(value: &mut Value, change: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => *text = change(text).unwrap_or_else(|| text.clone()),
        Value::Array(list) => list.iter_mut().for_each(|value| on_texts(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| on_texts(value, change)),
        _ => {}
    }
}

/// Numbers are texts of 16 digits at most.
fn on_numbers(value: &mut Value, change: &dyn Fn(&str) -> String) {
    on_texts(value, &|text| (text.starts_with("0x") && (3..=18).contains(&text.len())).then(|| change(text)));
}

fn on_lists(value: &mut Value, change: &dyn Fn(&mut Vec<Value>)) {
    match value {
        Value::Array(list) => {
            list.iter_mut().for_each(|value| on_lists(value, change));
            change(list);
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| on_lists(value, change)),
        _ => {}
    }
}

/// A field of each log.
fn on_each(value: &mut Value, field: &str, change: &dyn Fn(&str) -> String) {
    for log in value.as_array_mut().into_iter().flatten() {
        let text = log[field].as_str().map(change);
        if let Some(text) = text {
            log[field] = json!(text);
        }
    }
}
