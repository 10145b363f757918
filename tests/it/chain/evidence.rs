//! Evidence of a hundred images of a chain with events of every kind: accepted as it is, refused with any change.

use super::history::{Chain, History, Random};
use super::{CHAIN_ID, World, registration, wallet};
use alloy::primitives::aliases::U40;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall, SolEvent, SolEventInterface};
use medseal::chain::sign;
use medseal::contract::bindings::IImageRegistry::{
    FlagConfirmed, FlagDismissed, IImageRegistryEvents as Event, Registration, Verification, confirmFlagCall,
    dismissFlagCall, recordVerificationCall, registerCall,
};
use medseal::evidence::{CollectOptions, Entry, Evidence, EvidenceError as Error, SignedBy, check, collect};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SEED: u64 = 0x5eed_0e71;
const BUNDLES: usize = 100;
const OPTIONS: CollectOptions = CollectOptions { block: None, most_headers: 8192, receipts: true };

/// A changed file: how, and which errors are right.
struct Change {
    name: &'static str,
    bytes: Vec<u8>,
    trusted: B256,
    right: Right,
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
fn changes(evidence: &Evidence, trusted: B256, random: &mut Random) -> Vec<Change> {
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

/// The images of the log, those with the most events first.
async fn images(world: &World) -> Vec<B256> {
    let head = world.rpc.latest().await.unwrap().number;
    let mut counts: BTreeMap<B256, usize> = BTreeMap::new();
    for event in world.registry.log(head).await.unwrap() {
        let id = match event.event {
            Event::Registered(e) => e.imageId,
            Event::RegisteredInBatch(e) => e.imageId,
            Event::Materialized(e) => e.imageId,
            Event::Verified(e) => e.imageId,
            Event::FlagRaised(e) => e.imageId,
            Event::FlagConfirmed(e) => e.imageId,
            Event::FlagDismissed(e) => e.imageId,
            _ => continue,
        };
        *counts.entry(id).or_default() += 1;
    }
    let mut images: Vec<(B256, usize)> = counts.into_iter().collect();
    images.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    images.into_iter().map(|(id, _)| id).collect()
}

/// Sends a call of a development wallet, or of any other that anvil is told to speak for.
async fn send(world: &World, from: Address, call: &impl SolCall) {
    let sent = json!([{ "from": from, "to": world.registry.address(), "data": Bytes::from(call.abi_encode()) }]);
    let hash = world.raw("eth_sendTransaction", sent).await;
    let receipt = world.raw("eth_getTransactionReceipt", json!([hash])).await;
    assert_eq!(receipt["status"], "0x1", "{receipt}");
}

/// Registrations that the sender only signed, the last of them a wallet that is a contract.
async fn relayed(world: &World) -> Vec<B256> {
    let mut ids = Vec::new();
    // Returns 0x1626ba7e, whatever it is asked (ERC-1271).
    let contract = Address::repeat_byte(0xc7);
    world.raw("anvil_setCode", json!([contract, "0x631626ba7e60e01b5f5260205ff3"])).await;
    for salt in 200_u8..206 {
        let deadline = super::block_time(&world.registry).await + 3600;
        let mut signed = Registration { deadline, ..registration(&wallet(1), salt) };
        let mut signature = sign(&signed, &world.registry.domain(), &wallet(1));
        if salt == 205 {
            (signed.sender, signature) = (contract, Bytes::from_static(b"anything"));
        }
        let sender = signed.sender;
        send(world, wallet(6).address(), &registerCall { registration: signed, signature }).await;
        let home = (CHAIN_ID, world.registry.address());
        ids.push(medseal::envelope::image_id(home.0, home.1, sender, B256::repeat_byte(salt)));
    }
    ids
}

/// A flag that is confirmed on the first image; one dismissed and one confirmed on the second.
async fn flagged(world: &World, ids: &[B256]) {
    let (verifier, admin, sender) = (wallet(5).address(), wallet(0).address(), wallet(1).address());
    let observed_at = super::block_time(&world.registry).await;
    let invalid = |image_id, number: u8| recordVerificationCall {
        verification: Verification {
            imageId: image_id,
            verifier,
            observedHash: B256::repeat_byte(number),
            observedAt: observed_at,
            nonce: U256::ZERO,
            deadline: 0,
        },
        signature: Bytes::new(),
    };
    let flag = |number: u64| U40::from(number);
    send(world, verifier, &invalid(ids[0], 1)).await;
    send(world, admin, &confirmFlagCall { imageId: ids[0], flagId: flag(1) }).await;
    send(world, verifier, &invalid(ids[1], 2)).await;
    send(world, sender, &dismissFlagCall { imageId: ids[1], flagId: flag(1) }).await;
    send(world, verifier, &invalid(ids[1], 3)).await;
    send(world, admin, &confirmFlagCall { imageId: ids[1], flagId: flag(2) }).await;
    send(world, verifier, &invalid(ids[1], 4)).await;
}

#[tokio::test]
async fn a_hundred_are_accepted_and_refused_with_any_change() {
    let world = World::start().await;
    let mut ids = relayed(&world).await;
    let url = world.node.rpc_url();
    let mut history = History::begin(&world.registry, &url, Chain::Anvil, SEED).await;
    for calls in [60, 150, 150, 150, 150] {
        history.random_block(calls).await;
    }
    world.automine(true).await;
    flagged(&world, &ids).await;
    let known: BTreeSet<B256> = ids.iter().copied().collect();
    let others = images(&world).await.into_iter().filter(|id| !known.contains(id));
    ids.extend(others.take(BUNDLES - known.len()));
    let mut random = Random(SEED);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut accepted, mut seen, mut fewest, mut flags, mut verifications) = (0, BTreeSet::new(), usize::MAX, 0, 0);
    for id in &ids {
        let (evidence, hash) = collect(&world.registry, *id, &OPTIONS, |_, _| {}).await.unwrap();
        let bytes = evidence.to_bytes();
        let evidence = Evidence::decode(&bytes).unwrap();
        let checked = check(&evidence, hash, |_, _| {}).unwrap_or_else(|error| panic!("{id}: {error}"));
        accepted += 1;
        let (record, story) = (world.registry.record(*id).await.unwrap(), &checked.history);
        assert_eq!(record.verifications.to::<usize>(), story.verifications.len());
        assert_eq!((record.contentHash, record.sender), (story.image.content_hash, story.image.sender));
        assert_eq!(record.registeredAt.to::<u64>(), story.registered_at);
        assert!(checked.linked && checked.receipts > 0);
        seen.insert(format!("{} {}", story.image.kind.name(), story.signed_by.name()));
        seen.extend(
            story.verifications.iter().map(|one| format!("verified {} {}", one.event.valid, one.signed_by.name())),
        );
        seen.extend(story.flags.iter().map(|flag| format!("flag {:?}", flag.decided.map(|(confirmed, ..)| confirmed))));
        (flags, verifications) = (flags + story.flags.len(), verifications + story.verifications.len());
        assert!(story.verifications.iter().all(|one| one.signed_by != SignedBy::Contract));

        let mut kinds = BTreeSet::new();
        for Change { name, bytes, trusted, right } in changes(&evidence, hash, &mut random) {
            let result = Evidence::decode(&bytes).and_then(|changed| check(&changed, trusted, |_, _| {}));
            match result {
                Err(error) if right(&error) => *refused.entry(name).or_default() += 1,
                Err(error) => panic!("{id}, {name}: refused for another reason: {error}"),
                Ok(_) => panic!("{id}, {name}: accepted"),
            }
            kinds.insert(name);
        }
        fewest = fewest.min(kinds.len());
    }
    let total: usize = refused.values().sum();
    eprintln!("{accepted} of {} accepted ({verifications} verifications, {flags} flags)", ids.len());
    eprintln!("{total} changes of {} kinds refused, at least {fewest} kinds of each file", refused.len());
    eprintln!("{refused:?}\n{seen:?}");
    assert_eq!(accepted, BUNDLES);
    assert!(fewest >= 20, "{fewest}");
    for kind in [
        "alone contract",
        "alone wallet",
        "alone transaction",
        "batch transaction",
        "leaf transaction",
        "verified true wallet",
        "verified false transaction",
    ] {
        assert!(seen.contains(kind), "{kind}");
    }
    for kind in ["flag None", "flag Some(true)", "flag Some(false)"] {
        assert!(seen.contains(kind), "{kind}");
    }
}

#[tokio::test]
async fn receipts_and_headers_may_be_left_out_and_an_image_that_is_not_there_is_said() {
    let world = World::start().await;
    let id = world.register(&wallet(1), 7).await;
    for _ in 0..5 {
        world.mine().await;
    }
    world.register(&wallet(1), 8).await;
    let options = [
        (OPTIONS, (1, true)),
        (CollectOptions { most_headers: 3, ..OPTIONS }, (1, false)),
        (CollectOptions { receipts: false, ..OPTIONS }, (0, false)),
    ];
    for (options, expected) in options {
        let (evidence, hash) = collect(&world.registry, id, &options, |_, _| {}).await.unwrap();
        let checked = check(&evidence, hash, |_, _| {}).unwrap();
        assert_eq!((checked.receipts, checked.linked), expected);
        assert_eq!((checked.followed, checked.seq), (2, 3));
    }
    let unknown = collect(&world.registry, B256::repeat_byte(1), &OPTIONS, |_, _| {}).await.unwrap_err();
    assert_eq!(unknown.kind(), medseal::contract::ErrorKind::NotFound, "{unknown}");
    let early = CollectOptions { block: Some(world.registry.first_block()), ..OPTIONS };
    let early = collect(&world.registry, id, &early, |_, _| {}).await.unwrap_err();
    assert!(matches!(early, medseal::evidence::CollectError::NotYet { .. }), "{early}");
}
