//! What a node says to a key center to have it give a key to a wallet that may not have one.

use super::rules::{Rule, alter, always};
use crate::chain::proxy::{Fault, proxy};
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::{Block, Header};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A door to a node, whose rule can be changed.
pub(crate) struct LyingDoor {
    pub(crate) url: String,
    rule: Arc<Mutex<Rule>>,
}

impl LyingDoor {
    pub(crate) fn to(node: &str) -> Self {
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(self::rule(|_| Fault::None)));
        let now = Arc::clone(&rule);
        let url = proxy(node, move |request| now.lock().expect("no rule panics")(request));
        Self { url, rule }
    }

    pub(crate) fn now(&self, rule: Rule) {
        *self.rule.lock().expect("no rule panics") = rule;
    }

    pub(crate) fn honest(&self) {
        self.now(rule(|_| Fault::None));
    }
}

/// What a lie is about: the wallet that wants a key, and one that may have it.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) stranger: Address,
    pub(crate) reader: Address,
}

fn rule(rule: impl FnMut(&Value) -> Fault + Send + 'static) -> Rule {
    Box::new(rule)
}

/// Alters what comes back to questions of this method.
fn to(method: &'static str, change: impl Fn(&mut Value) + Send + Sync + Clone + 'static) -> Rule {
    rule(move |request| match request["method"] == method {
        true => alter(change.clone()),
        false => Fault::None,
    })
}

/// Alters the newest block.
fn latest(change: impl Fn(&mut Value) + Send + Sync + Clone + 'static) -> Rule {
    rule(move |request| match request["method"] == "eth_getBlockByNumber" && request["params"][0] == "latest" {
        true => alter(change.clone()),
        false => Fault::None,
    })
}

/// Alters the newest block's header, which then hashes to its name.
fn forged(change: impl Fn(&mut alloy::consensus::Header) + Send + Sync + Clone + 'static) -> Rule {
    latest(move |value| {
        let mut block: Block = serde_json::from_value(value.clone()).expect("a block");
        let mut inner = block.header.inner.clone();
        change(&mut inner);
        block.header = Header::new(inner);
        *value = serde_json::to_value(block).expect("JSON");
    })
}

/// Shows a chain of its own: every block but the first is another one.
pub(crate) fn of_its_own(name: u8) -> Rule {
    rule(move |request| match request["method"] == "eth_getBlockByNumber" && request["params"][0] != "0x0" {
        true => alter(move |value| {
            let Ok(mut block) = serde_json::from_value::<Block>(value.clone()) else { return };
            let mut inner = block.header.inner.clone();
            inner.extra_data = vec![name].into();
            block.header = Header::new(inner);
            *value = serde_json::to_value(block).expect("JSON");
        }),
        false => Fault::None,
    })
}

/// Alters the proofs of the slots that decide about an image; those of other questions are fewer.
fn slots(change: impl Fn(&mut Value, &mut Vec<Value>) + Send + Sync + Clone + 'static) -> Rule {
    to("eth_getProof", move |answer| {
        let Some(mut slots) = answer["storageProof"].as_array().cloned().filter(|slots| slots.len() == 6) else {
            return;
        };
        change(answer, &mut slots);
        answer["storageProof"] = json!(slots);
    })
}

/// The places of the words among the slots that are asked for.
const CONTENT: usize = 0;
const SENDER: usize = 1;
const ACCESS: usize = 2;

/// The word of an access without end, written in block 1.
fn granted() -> Value {
    let word = (U256::from(1) << 192) | (U256::from(1) << 64) | U256::from(u64::MAX);
    json!(format!("{word:#x}"))
}

/// Every lie by its name.
pub(crate) fn lies(scene: Scene) -> Vec<(&'static str, Rule)> {
    [about_blocks(), about_slots(scene), about_accounts(scene), about_events(scene)].into_iter().flatten().collect()
}

fn about_blocks() -> Vec<(&'static str, Rule)> {
    let word = |byte: u8| json!(B256::repeat_byte(byte));
    vec![
        ("another state root under the block's name", latest(move |block| block["stateRoot"] = word(1))),
        ("another state root", forged(|header| header.state_root = B256::repeat_byte(1))),
        ("a block of its own", forged(|header| header.extra_data = b"mine".to_vec().into())),
        ("another time under the block's name", latest(|block| block["timestamp"] = json!("0x7fffffff"))),
        ("a time to come", forged(|header| header.timestamp += 1_000_000)),
        ("a time long ago", forged(|header| header.timestamp = 1)),
        ("a number far ahead", forged(|header| header.number += 5_000)),
        ("a number that no chain has", forged(|header| header.number = u64::MAX)),
        ("a number that goes down", forged(|header| header.number -= 1)),
        ("another number under the block's name", latest(|block| block["number"] = json!("0xffff"))),
        ("another name", latest(move |block| block["hash"] = word(2))),
        ("no block", latest(|block| *block = Value::Null)),
        (
            "block 0 for the newest",
            rule(|request| match request["method"] == "eth_getBlockByNumber" && request["params"][0] == "latest" {
                true => Fault::Ask(json!({"method": "eth_getBlockByNumber", "params": ["0x0", false]})),
                false => Fault::None,
            }),
        ),
        (
            "other blocks below the newest",
            rule(|request| {
                let number = request["params"][0].as_str().unwrap_or_default();
                match request["method"] == "eth_getBlockByNumber" && number.starts_with("0x") {
                    true => alter(|block| block["receiptsRoot"] = json!(B256::repeat_byte(3))),
                    false => Fault::None,
                }
            }),
        ),
    ]
}

fn about_slots(scene: Scene) -> Vec<(&'static str, Rule)> {
    let other_slot = move |request: &Value| {
        let slots = request["params"][1].as_array().cloned().unwrap_or_default();
        if request["method"] != "eth_getProof" || slots.len() != 6 {
            return Fault::None;
        }
        // The reader's access in the place of the stranger's: what is proven stands elsewhere.
        let mut params = request["params"].clone();
        params[1][ACCESS] = params[1][SENDER].clone();
        Fault::Ask(json!({"method": "eth_getProof", "params": params}))
    };
    let sender = json!(format!("{:#x}", U256::from_be_bytes(scene.stranger.into_word().0)));
    vec![
        ("an access that is not there", slots(|_, slots| slots[ACCESS]["value"] = granted())),
        (
            "an access without a proof",
            slots(|_, slots| {
                slots[ACCESS]["value"] = granted();
                slots[ACCESS]["proof"] = json!([]);
            }),
        ),
        (
            "an access by the proof of another slot",
            slots(|_, slots| {
                let of_sender = slots[SENDER].clone();
                slots[ACCESS]["value"] = of_sender["value"].clone();
                slots[ACCESS]["proof"] = of_sender["proof"].clone();
            }),
        ),
        ("another slot than the one that is asked for", rule(other_slot)),
        ("another sender", slots(move |_, slots| slots[SENDER]["value"] = sender.clone())),
        ("another content", slots(|_, slots| slots[CONTENT]["value"] = json!("0x1"))),
        ("no record where there is one", slots(|_, slots| slots[SENDER]["value"] = json!("0x0"))),
        (
            "no record, and no proof of that",
            slots(|_, slots| {
                for slot in [CONTENT, SENDER] {
                    slots[slot]["value"] = json!("0x0");
                    slots[slot]["proof"] = json!([]);
                }
            }),
        ),
        ("slots in another order", slots(|_, slots| slots.reverse())),
        ("a slot less", slots(|_, slots| drop(slots.pop()))),
        ("a slot more", slots(|_, slots| slots.push(slots[0].clone()))),
        (
            "a node more in a proof",
            slots(|_, slots| {
                let more = slots[SENDER]["proof"][0].clone();
                slots[SENDER]["proof"].as_array_mut().expect("nodes").push(more);
            }),
        ),
        (
            "a node less in a proof",
            slots(|_, slots| {
                drop(slots[SENDER]["proof"].as_array_mut().expect("nodes").pop());
            }),
        ),
        (
            "a bit of a node",
            slots(|_, slots| {
                let node = slots[SENDER]["proof"][0].as_str().expect("bytes").to_owned();
                let last = if node.ends_with('0') { "1" } else { "0" };
                slots[SENDER]["proof"][0] = json!(format!("{}{last}", &node[..node.len() - 1]));
            }),
        ),
    ]
}

fn about_accounts(scene: Scene) -> Vec<(&'static str, Rule)> {
    let word = json!(B256::repeat_byte(4));
    let (storage, code) = (word.clone(), word);
    let of_another = move |request: &Value| match request["method"] == "eth_getProof" {
        true => {
            let mut params = request["params"].clone();
            params[0] = json!(scene.reader);
            Fault::Ask(json!({"method": "eth_getProof", "params": params}))
        }
        false => Fault::None,
    };
    let of_an_old_block = |request: &Value| match request["method"] == "eth_getProof" {
        true => {
            let mut params = request["params"].clone();
            params[2] = json!("0x2");
            Fault::Ask(json!({"method": "eth_getProof", "params": params}))
        }
        false => Fault::None,
    };
    vec![
        ("another account", rule(of_another)),
        ("the account as it was", rule(of_an_old_block)),
        ("another storage root", to("eth_getProof", move |answer| answer["storageHash"] = storage.clone())),
        ("another code", to("eth_getProof", move |answer| answer["codeHash"] = code.clone())),
        ("an account without a proof", to("eth_getProof", |answer| answer["accountProof"] = json!([]))),
        (
            "a node more of the account",
            to("eth_getProof", |answer| {
                let more = answer["accountProof"][0].clone();
                answer["accountProof"].as_array_mut().expect("nodes").push(more);
            }),
        ),
        (
            "no proofs",
            rule(|request| match request["method"] == "eth_getProof" {
                true => Fault::Refuse(-32000, "distance to target block exceeds maximum proof window"),
                false => Fault::None,
            }),
        ),
        (
            "nodes of no trie",
            to("eth_getProof", |answer| {
                answer["accountProof"] = json!([format!("0xf8{}", "20".repeat(70)), "0xc0", "0x"]);
            }),
        ),
        (
            "rubbish",
            rule(|request| match request["method"] == "eth_getProof" {
                true => Fault::Body("{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":".to_owned()),
                false => Fault::None,
            }),
        ),
        ("nothing at all", rule(|_| Fault::Close)),
    ]
}

fn about_events(scene: Scene) -> Vec<(&'static str, Rule)> {
    let stranger = json!(scene.stranger.into_word());
    let receipts = |change: fn(&mut Value)| to("eth_getBlockReceipts", change);
    let data = |log: &mut Value| {
        let data = log["data"].as_str().expect("bytes").to_owned();
        // Two words from the front lie the hashes.
        log["data"] = json!(format!("0x{}{}", "77".repeat(64), &data[2 + 128..]));
    };
    vec![
        ("no registration", always("eth_getLogs", json!([]))),
        (
            "a registration by somebody else",
            to("eth_getLogs", move |logs| {
                for log in logs.as_array_mut().into_iter().flatten() {
                    log["topics"][2] = stranger.clone();
                }
            }),
        ),
        (
            "a registration of other bytes",
            to("eth_getLogs", move |logs| {
                logs.as_array_mut().into_iter().flatten().for_each(data);
            }),
        ),
        (
            "a registration in another block",
            to("eth_getLogs", |logs| {
                for log in logs.as_array_mut().into_iter().flatten() {
                    log["blockNumber"] = json!("0x1");
                }
            }),
        ),
        (
            "receipts of other bytes",
            receipts(|receipts| {
                for log in receipts[0]["logs"].as_array_mut().into_iter().flatten() {
                    let data = log["data"].as_str().expect("bytes").to_owned();
                    log["data"] = json!(format!("0x{}{}", "77".repeat(64), &data[2 + 128..]));
                }
            }),
        ),
        (
            "receipts of another header and other capsules",
            receipts(|receipts| {
                // The third word is the header's hash, the sixth that of the capsules.
                for log in receipts[0]["logs"].as_array_mut().into_iter().flatten() {
                    let data = log["data"].as_str().expect("bytes").to_owned();
                    let word = |at: usize| data.get(2 + 64 * at..2 + 64 * (at + 1)).unwrap_or_default();
                    let other = "77".repeat(32);
                    let words = [word(0), word(1), &other, word(3), word(4), &other];
                    let rest = data.get(2 + 64 * words.len()..).unwrap_or_default();
                    log["data"] = json!(format!("0x{}{rest}", words.concat()));
                }
            }),
        ),
        ("no receipts", receipts(|receipts| *receipts = json!([]))),
        ("receipts of no block", receipts(|receipts| *receipts = Value::Null)),
        ("a yes to every call", always("eth_call", json!(format!("0x1626ba7e{}", "00".repeat(28))))),
    ]
}
