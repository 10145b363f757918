//! Everything that can be changed in a file of evidence, and how each change must be refused.

use super::super::history::Random;
use super::*;

/// A changed file: how, and which errors are right.
pub(super) struct Change {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) trusted: B256,
    pub(super) right: Right,
}

fn flip(value: &mut Value, at: usize) {
    let text = value.as_str().expect("hex").to_owned();
    let at = 2 + at % (text.len() - 2);
    let digit = if &text[at..=at] == "1" { "2" } else { "1" };
    *value = json!(format!("{}{digit}{}", &text[..at], &text[at + 1..]));
}

fn more(value: &mut Value) {
    *value = json!(value.as_u64().expect("a number") + 1);
}

type Right = fn(&Error) -> bool;

const ALTERED: Right = |error| matches!(error, Error::Altered { .. } | Error::Event { .. });
const TRAIL: Right = |error| {
    matches!(
        error,
        Error::Altered { .. } | Error::OtherTrail { .. } | Error::NoRegistration { .. } | Error::Event { .. }
    )
};
const ACCOUNT: Right = |error| matches!(error, Error::Account { .. });
const SLOT: Right = |error| matches!(error, Error::Slot { .. });
const RECEIPT: Right = |error| matches!(error, Error::Receipt { .. });
const HEADERS: Right = |error| matches!(error, Error::Headers { .. });

/// Every change of one file that can be made to it.
pub(super) fn changes(evidence: &Evidence, trusted: B256, random: &mut Random) -> Vec<Change> {
    let good = serde_json::to_value(evidence).unwrap();
    let entries = evidence.events.len();
    let own: Vec<usize> = (0..entries).filter(|at| matches!(evidence.events[*at], Entry::Own(_))).collect();
    let (one, at) = (own[random.below(own.len())], random.below(1 << 20));
    let mut changes = Changes { evidence, trusted, good, own, one, at, found: Vec::new() };
    changes.of_header_and_account();
    changes.of_slots();
    changes.of_events(random);
    changes.of_receipts();
    changes.of_headers(random);
    for at in changes.own.clone() {
        changes.of_kind(at);
    }
    changes.of_bytes();
    changes.found
}

/// The changes of one file, as they are collected.
struct Changes<'a> {
    evidence: &'a Evidence,
    trusted: B256,
    good: Value,
    /// The image's own events.
    own: Vec<usize>,
    /// One of them.
    one: usize,
    /// Where in a text it is changed.
    at: usize,
    found: Vec<Change>,
}

impl Changes<'_> {
    fn add(&mut self, name: &'static str, right: Right, change: &mut dyn FnMut(&mut Value)) {
        let mut changed = self.good.clone();
        change(&mut changed);
        assert_ne!(changed, self.good, "{name}");
        let (bytes, trusted) = (changed.to_string().into_bytes(), self.trusted);
        self.found.push(Change { name, bytes, trusted, right });
    }

    fn of_header_and_account(&mut self) {
        let at = self.at;
        self.add("schema", |error| matches!(error, Error::Schema { .. }), &mut |v| {
            v["schema"] = json!("medseal/evidence/v2")
        });
        self.add("unknown field", |error| matches!(error, Error::Malformed { .. }), &mut |v| v["more"] = json!(1));
        self.add("header", |error| matches!(error, Error::OtherBlock { .. }), &mut |v| flip(&mut v["header"], at));
        self.add("chain id", |error| matches!(error, Error::UnknownCode { .. }), &mut |v| more(&mut v["chainId"]));
        self.add("registry", ACCOUNT, &mut |v| flip(&mut v["registry"], at));
        self.add("image id", SLOT, &mut |v| flip(&mut v["imageId"], at));
        self.add("account's nonce", ACCOUNT, &mut |v| more(&mut v["account"]["nonce"]));
        self.add("code hash", ACCOUNT, &mut |v| flip(&mut v["account"]["codeHash"], at));
        self.add("storage root", ACCOUNT, &mut |v| flip(&mut v["account"]["storageRoot"], at));
        self.add("code", |error| matches!(error, Error::OtherCode { .. }), &mut |v| {
            flip(&mut v["account"]["code"], at)
        });
        self.add("account's node altered", ACCOUNT, &mut |v| flip(&mut v["account"]["proof"][0], at));
        self.add("account's node dropped", ACCOUNT, &mut |v| drop(v["account"]["proof"].as_array_mut().unwrap().pop()));
    }

    fn of_slots(&mut self) {
        let at = self.at;
        for (name, field) in [
            ("slot of the trail", "trail"),
            ("slot of the hash", "contentHash"),
            ("slot of sender and time", "record"),
            ("slot of the flag", "flag"),
            ("slot of the capsules", "capsulesVersion"),
        ] {
            self.add(name, SLOT, &mut |v| {
                let value = &mut v["slots"][field]["value"];
                *value = json!(if *value == json!("0x0") {
                    "0x1".to_owned()
                } else {
                    format!("{}1", value.as_str().unwrap())
                });
                if value.as_str().unwrap().len() > 66 {
                    *value = json!(format!("0x{}", "1".repeat(64)));
                }
            });
        }
        self.add("slot's node altered", SLOT, &mut |v| flip(&mut v["slots"]["record"]["proof"][0], at));
        self.add("slot's node dropped", SLOT, &mut |v| {
            drop(v["slots"]["record"]["proof"].as_array_mut().unwrap().pop())
        });
    }

    fn of_events(&mut self, random: &mut Random) {
        let (evidence, one, at) = (self.evidence, self.one, self.at);
        self.add("word before", TRAIL, &mut |v| flip(&mut v["before"], at));
        self.add("first event dropped", TRAIL, &mut |v| drop(v["events"].as_array_mut().unwrap().remove(0)));
        self.add("last event dropped", TRAIL, &mut |v| drop(v["events"].as_array_mut().unwrap().pop()));
        self.add("event doubled", TRAIL, &mut |v| {
            let events = v["events"].as_array_mut().unwrap();
            events.insert(one, events[one].clone());
        });
        self.add("event made up", TRAIL, &mut |v| {
            let made_up = json!({ "other": ["AccessRevoked", 1, 1, B256::repeat_byte(1)] });
            v["events"].as_array_mut().unwrap().push(made_up);
        });
        let entries = evidence.events.len();
        if entries > 1 {
            let first = random.below(entries - 1);
            self.add("two events exchanged", TRAIL, &mut |v| {
                v["events"].as_array_mut().unwrap().swap(first, first + 1)
            });
        }
        self.add("event's time", ALTERED, &mut |v| more(&mut v["events"][one]["own"]["time"]));
        self.add("event's block", ALTERED, &mut |v| more(&mut v["events"][one]["own"]["block"]));
        self.add("event's data", ALTERED, &mut |v| flip(&mut v["events"][one]["own"]["data"], at));
        self.add("event's topic", ALTERED, &mut |v| {
            let topics = v["events"][one]["own"]["topics"].as_array_mut().unwrap();
            let last = topics.len() - 1;
            flip(&mut topics[last], at);
        });
        self.add(
            "event hidden",
            |error| !matches!(error, Error::Altered { .. } | Error::OtherTrail { .. }),
            &mut |v| hide(v, evidence, one),
        );
    }

    fn of_receipts(&mut self) {
        let (one, at) = (self.one, self.at);
        self.add("receipt", RECEIPT, &mut |v| flip(&mut v["events"][one]["own"]["receipt"]["receipt"], at));
        self.add("receipt's node altered", RECEIPT, &mut |v| {
            flip(&mut v["events"][one]["own"]["receipt"]["proof"][0], at)
        });
        self.add("receipt's node dropped", RECEIPT, &mut |v| {
            drop(v["events"][one]["own"]["receipt"]["proof"].as_array_mut().unwrap().pop());
        });
        self.add("transaction's place", RECEIPT, &mut |v| more(&mut v["events"][one]["own"]["receipt"]["index"]));
        self.add("log's place", RECEIPT, &mut |v| more(&mut v["events"][one]["own"]["receipt"]["log"]));
        if self.own.len() > 1 {
            self.add("receipt dropped", HEADERS, &mut |v| {
                v["events"][one]["own"].as_object_mut().unwrap().remove("receipt");
            });
        }
    }

    fn of_headers(&mut self, random: &mut Random) {
        let (evidence, at) = (self.evidence, self.at);
        let before = evidence.blocks.headers.len();
        if before > 0 {
            self.add("earlier header altered", |error| !matches!(error, Error::Altered { .. }), &mut |v| {
                flip(&mut v["blocks"]["headers"][random.below(before)], at);
            });
            self.add(
                "earlier header dropped",
                |error| matches!(error, Error::Headers { .. } | Error::Receipt { .. }),
                &mut |v| {
                    v["blocks"]["headers"].as_array_mut().unwrap().pop();
                },
            );
        }
    }

    /// What only an event of its kind has.
    fn of_kind(&mut self, at: usize) {
        let Entry::Own(entry) = &self.evidence.events[at] else { return };
        let event = Event::decode_raw(entry);
        match event {
            Event::BatchRegistered(_) => {
                for (name, topic) in [("item's image", 1), ("item's sender", 2)] {
                    self.add(name, |error| matches!(error, Error::Item { .. } | Error::Event { .. }), &mut |v| {
                        flip(&mut v["events"][at]["own"]["item"]["topics"][topic], 60);
                    });
                }
                self.add("item's hashes", |error| matches!(error, Error::Item { .. }), &mut |v| {
                    v["events"][at]["own"]["item"]["hashes"].as_array_mut().unwrap().pop();
                });
                self.add("item's place", |error| matches!(error, Error::Item { .. }), &mut |v| {
                    more(&mut v["events"][at]["own"]["item"]["place"]);
                });
            }
            Event::Verified(e) => {
                self.add("verdict", ALTERED, &mut |v| {
                    v["events"][at]["own"]["topics"][3] = json!(B256::with_last_byte(u8::from(!e.valid)));
                });
                if !e.signature.is_empty() {
                    self.add("signature", ALTERED, &mut |v| {
                        let data = v["events"][at]["own"]["data"].as_str().unwrap().to_owned();
                        let place = data.find(&alloy::hex::encode(&e.signature)).expect("the signature");
                        flip(&mut v["events"][at]["own"]["data"], place - 2 + 11);
                    });
                }
            }
            Event::FlagConfirmed(_) | Event::FlagDismissed(_) => {
                let kinds = [FlagConfirmed::SIGNATURE_HASH, FlagDismissed::SIGNATURE_HASH];
                let other = kinds.into_iter().find(|kind| *kind != entry.topics[0]);
                self.add("flag's outcome", ALTERED, &mut |v| v["events"][at]["own"]["topics"][0] = json!(other));
            }
            _ => {}
        }
    }

    fn of_bytes(&mut self) {
        let malformed: Right = |error| matches!(error, Error::Malformed { .. });
        let (text, trusted) = (self.good.to_string().into_bytes(), self.trusted);
        let short = text[..self.at % text.len()].to_vec();
        self.found.push(Change { name: "cut short", bytes: short, trusted, right: malformed });
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        self.found.push(Change { name: "nested deep", bytes: deep, trusted, right: malformed });
        let other: Right = |error| matches!(error, Error::OtherBlock { .. });
        self.found.push(Change { name: "other block", bytes: text, trusted: B256::repeat_byte(1), right: other });
    }
}

/// Makes an event of the image one of the others: all hashes stay right.
fn hide(value: &mut Value, evidence: &Evidence, at: usize) {
    let Entry::Own(own) = &evidence.events[at] else { panic!("not its own") };
    let event = Event::decode_raw(own);
    let (name, fields) = medseal::evidence::outline(&event);
    value["events"][at] = json!({ "other": [name, own.block, own.time, fields] });
}

trait DecodeRaw {
    fn decode_raw(own: &medseal::evidence::OwnEvent) -> Self;
}

impl DecodeRaw for Event {
    fn decode_raw(own: &medseal::evidence::OwnEvent) -> Self {
        Event::decode_raw_log(&own.topics, &own.data).unwrap()
    }
}
