//! A chain with thousands of random events of every kind, all made through the contract, hundreds
//! of transactions in a block.

mod acts;

use super::wallet;
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::aliases::U48;
use alloy::primitives::{Address, B256, Bytes, TxKind, U64, U256, address, hex, keccak256};
use alloy::sol_types::{SolCall, SolValue};
use medseal::chain::Registry;
use medseal::chain::sign;
use medseal::contract::bindings::IImageRegistry::*;
use medseal::contract::bindings::{IOpenZeppelin, Role};
use serde_json::{Value, json};
use std::time::Duration;

const ADMIN: usize = 0;
const SENDERS: [usize; 3] = [1, 2, 3];
const KGC: usize = 4;
const VERIFIER: usize = 5;
const RELAYER: usize = 6;
const HEIR: usize = 7;
/// Contracts that are there from the first block: on Geth (EIP-4788), and on anvil.
const BEACON_ROOTS: Address = address!("000F3df6D732807Ef1319fB7B8bB8522d0Beac02");
const DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");

/// Who makes the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// It signs for the development wallets, makes a block when it is told to, and moves its clock.
    Anvil,
    /// It makes a block a second, of what was signed elsewhere.
    Geth,
}

alloy::sol! {
    interface IDelay {
        function changeDefaultAdminDelay(uint48 newDelay) external;
        function rollbackDefaultAdminDelay() external;
    }
}

/// Numbers that are the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub(crate) fn word(&mut self) -> B256 {
        let words = [self.next(), self.next(), self.next(), self.next()];
        B256::from_slice(&words.map(u64::to_be_bytes).concat())
    }
}

struct Image {
    id: B256,
    sender: usize,
    content: B256,
    flag: u64,
    open: bool,
    tampered: bool,
    version: u64,
}

/// Makes the history.
pub(crate) struct History<'a> {
    registry: &'a Registry,
    url: &'a str,
    chain: Chain,
    random: Random,
    images: Vec<Image>,
    /// Calls of the next block, each by whom, and how many events it makes, items included.
    calls: Vec<(usize, Bytes)>,
    /// Events so far, items included.
    pub(crate) events: u64,
    nonce: U256,
    epoch: u32,
    log: u64,
    /// Items of batches so far: events that have no number.
    items: u64,
    http: reqwest::Client,
}

impl<'a> History<'a> {
    /// Begins with the roles; anvil makes its blocks when it is told to, from now on.
    pub(crate) async fn begin(registry: &'a Registry, url: &'a str, chain: Chain, seed: u64) -> Self {
        let events = registry.audit().await.unwrap().seq;
        let (http, random) = (reqwest::Client::new(), Random(seed));
        let mut history = Self {
            registry,
            url,
            chain,
            random,
            images: vec![],
            calls: vec![],
            events,
            nonce: U256::ZERO,
            epoch: 0,
            log: 0,
            items: 0,
            http,
        };
        if chain == Chain::Anvil {
            history.ask("evm_setBlockGasLimit", json!(["0x2540be400"])).await;
            history.ask("evm_setAutomine", json!([false])).await;
        }
        let roles = [(Role::Verifier, VERIFIER), (Role::Arbiter, ADMIN), (Role::Pauser, KGC), (Role::Kgc, KGC)];
        for (role, account) in roles {
            let call = IOpenZeppelin::grantRoleCall { role: role.id(), account: wallet(account).address() };
            history.call(ADMIN, &call, 1);
        }
        history.block().await;
        history
    }

    async fn ask(&self, method: &'static str, params: Value) -> Value {
        let params = params.as_array().unwrap().clone();
        self.registry.rpc().raw(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    async fn later(&self, days: u64) {
        self.ask("evm_increaseTime", json!([days * 86_400])).await;
    }

    fn call(&mut self, by: usize, call: &impl SolCall, events: u64) {
        self.calls.push((by, call.abi_encode().into()));
        self.events += events;
    }

    async fn count(&self, by: usize) -> u64 {
        let count = self.ask("eth_getTransactionCount", json!([wallet(by).address(), "latest"])).await;
        serde_json::from_value::<U64>(count).unwrap().to()
    }

    /// Sends the calls and waits until they are in blocks; each must have made its events.
    pub(crate) async fn block(&mut self) {
        let calls = std::mem::take(&mut self.calls);
        let (mut counts, mut sent_as) = ([0; 10], Vec::new());
        for (by, count) in counts.iter_mut().enumerate() {
            *count = self.count(by).await;
        }
        for part in calls.chunks(500) {
            let requests = part.iter().map(|(by, data)| {
                let number = counts[*by];
                counts[*by] += 1;
                self.request(*by, number, data)
            });
            let body = Value::from_iter(requests).to_string();
            let sent = self.http.post(self.url).header("content-type", "application/json").body(body);
            let answers: Vec<Value> = serde_json::from_str(&sent.send().await.unwrap().text().await.unwrap()).unwrap();
            let refused: Vec<&Value> = answers.iter().filter(|answer| answer.get("error").is_some()).collect();
            assert!(refused.is_empty(), "{} of {}: {}", refused.len(), answers.len(), refused[0]);
            sent_as.extend(answers.into_iter().map(|answer| answer["result"].clone()));
        }
        if self.chain == Chain::Anvil {
            self.ask("evm_mine", json!([])).await;
        }
        for (by, count) in counts.iter().enumerate() {
            while self.count(by).await < *count {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        // Where it was cancelled, another was drawn.
        self.nonce = self.registry.nonce(wallet(VERIFIER).address()).await.unwrap();
        let numbered = self.registry.audit().await.unwrap().seq;
        if numbered + self.items != self.events {
            let mut reverted = Vec::new();
            for ((by, data), transaction) in calls.iter().zip(&sent_as) {
                let receipt = self.ask("eth_getTransactionReceipt", json!([transaction])).await;
                if receipt["status"] != "0x1" {
                    let name = IImageRegistryCalls::name_by_selector(data[..4].try_into().unwrap());
                    reverted.push(format!("{name:?} of {by}: {} gas", receipt["gasUsed"]));
                }
            }
            panic!("{numbered} events with a number, {} items, expected {}: {reverted:?}", self.items, self.events);
        }
    }

    fn request(&self, by: usize, number: u64, data: &Bytes) -> Value {
        // New storage costs `geth --dev` four times as much: it has the rules of a fork to come.
        let of_a_byte = if self.chain == Chain::Anvil { 600 } else { 2_000 };
        let (wallet, to, gas) = (wallet(by), self.registry.address(), 400_000 + of_a_byte * data.len() as u64);
        let (method, sent) = match self.chain {
            Chain::Anvil => {
                // With its number: the node takes the calls of one request in any order.
                let (gas, number) = (U64::from(gas), U64::from(number));
                let sent = json!({ "from": wallet.address(), "to": to, "data": data, "gas": gas, "nonce": number });
                ("eth_sendTransaction", sent)
            }
            Chain::Geth => {
                let mut transaction = TxEip1559 {
                    chain_id: self.registry.chain_id(),
                    nonce: number,
                    gas_limit: gas,
                    max_fee_per_gas: 20_000_000_000,
                    max_priority_fee_per_gas: 1_000_000_000,
                    to: TxKind::Call(to),
                    input: data.clone(),
                    ..Default::default()
                };
                let signature = wallet.signer().sign_transaction_sync(&mut transaction).unwrap();
                let signed: TxEnvelope = transaction.into_signed(signature).into();
                ("eth_sendRawTransaction", json!(hex::encode_prefixed(signed.encoded_2718())))
            }
        };
        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [sent] })
    }

    /// A block of random calls: no two of one image, for the node orders what different wallets
    /// send.
    pub(crate) async fn random_block(&mut self, calls: usize) {
        let free = self.images.len();
        let mut touched = std::collections::BTreeSet::new();
        let (mut relayed, mut cancelled) = (false, false);
        let now = super::block_time(self.registry).await;
        for _ in 0..calls {
            let kind = self.random.below(100);
            let at = if free == 0 { None } else { Some(self.random.below(free)).filter(|at| touched.insert(*at)) };
            match (kind, at) {
                (0, _) => self.register_batch(),
                (1..=3, _) => self.anchor(),
                (4..=5, _) => {
                    self.log += 1;
                    let (head, seq) = (self.random.word(), self.log);
                    let call = anchorLogCall { logId: B256::repeat_byte(1), logSeq: seq, logHead: head };
                    self.call(KGC, &call, 1);
                }
                (6, _) => self.anchor_capsules(),
                (7..=9, _) => {
                    let (by, operator) = (SENDERS[self.random.below(3)], wallet(self.random.below(10)).address());
                    self.call(by, &setOperatorCall { operator, allowed: kind != 9 }, 1);
                }
                (10, _) if !relayed && !cancelled => {
                    cancelled = true;
                    self.call(VERIFIER, &invalidateNonceCall {}, 1);
                }
                (11..=40, Some(at)) => self.verify(at, now, kind, &mut relayed, cancelled),
                (41..=50, Some(at)) if self.images[at].open => self.decide(at, kind).await,
                (41..=65, Some(at)) => {
                    let (id, by) = (self.images[at].id, self.images[at].sender);
                    let wallet = wallet(self.random.below(10)).address();
                    if kind < 50 {
                        self.call(by, &revokeCall { imageId: id, wallet }, 1);
                    } else {
                        self.call(by, &grantCall { imageId: id, wallet, expiry: now + 10_000_000 }, 1);
                    }
                }
                (66..=70, Some(at)) => {
                    let (hash, image) = (self.random.word(), &mut self.images[at]);
                    let (image_id, version, by) = (image.id, image.version, image.sender);
                    image.version += 1;
                    let cid = Bytes::from_static(b"an odd length");
                    self.call(
                        by,
                        &updateCapsulesCall { imageId: image_id, version, capsulesHash: hash, capsulesCid: cid },
                        1,
                    );
                }
                _ => self.register(),
            }
        }
        self.block().await;
    }
}

/// At least so many events of every kind.
pub(crate) async fn history(registry: &Registry, url: &str, chain: Chain, seed: u64, events: u64) -> u64 {
    let mut history = History::begin(registry, url, chain, seed).await;
    history.random_block(60).await;
    while history.events < events / 2 {
        history.random_block(200).await;
    }
    history.rare_ones().await;
    history.govern().await;
    while history.events < events {
        history.random_block(200).await;
    }
    history.events
}
