//! A chain with thousands of random events of every kind, all made through the contract, hundreds of transactions in a block.

use super::wallet;
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::aliases::{U40, U48};
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

    /// What may not come about in a short history: a flag that is confirmed, one that is dismissed, a batch, an anchor of capsules.
    async fn rare_ones(&mut self) {
        let mut whole = (0..self.images.len()).filter(|at| !self.images[*at].open && !self.images[*at].tampered);
        let flagged = [whole.next().unwrap(), whole.next().unwrap()];
        let now = super::block_time(self.registry).await;
        for at in flagged {
            self.verify(at, now, 4, &mut true, false);
        }
        self.register_batch();
        self.anchor_capsules();
        self.block().await;
        for (at, kind) in flagged.into_iter().zip([41, 47]) {
            self.decide(at, kind);
        }
        self.block().await;
    }

    /// Rarer still: pauses, keys of a KGC, the administrator's plans.
    pub(crate) async fn govern(&mut self) {
        self.call(KGC, &pauseCall {}, 1);
        self.block().await;
        self.call(KGC, &unpauseCall {}, 1);
        self.nonce += U256::from(1) << 128;
        self.call(VERIFIER, &invalidateNonceCall {}, 1);
        let kgc = B256::repeat_byte(0x4b);
        for _ in 0..2 {
            self.epoch += 1;
            let (x25519, signer) = (self.random.word(), wallet(KGC).address());
            let call = publishKgcKeyCall { kgcId: kgc, epoch: self.epoch, x25519, receiptSigner: signer };
            self.call(KGC, &call, 1);
        }
        self.call(KGC, &retireKgcKeyCall { kgcId: kgc, epoch: self.epoch - 1 }, 1);
        self.call(ADMIN, &IOpenZeppelin::beginDefaultAdminTransferCall { newAdmin: wallet(9).address() }, 1);
        self.call(ADMIN, &IOpenZeppelin::cancelDefaultAdminTransferCall {}, 1);
        self.call(ADMIN, &IDelay::changeDefaultAdminDelayCall { newDelay: U48::from(3600) }, 1);
        self.call(ADMIN, &IDelay::rollbackDefaultAdminDelayCall {}, 1);
        self.call(ADMIN, &IDelay::changeDefaultAdminDelayCall { newDelay: U48::from(7200) }, 1);
        self.block().await;
        if self.chain == Chain::Anvil {
            self.hand_over().await;
        } else {
            self.call(ADMIN, &IOpenZeppelin::beginDefaultAdminTransferCall { newAdmin: wallet(HEIR).address() }, 1);
        }
        let (by, stranger) = (if self.chain == Chain::Anvil { HEIR } else { ADMIN }, wallet(9).address());
        self.call(by, &IOpenZeppelin::grantRoleCall { role: Role::Verifier.id(), account: stranger }, 1);
        self.call(by, &IOpenZeppelin::revokeRoleCall { role: Role::Verifier.id(), account: stranger }, 1);
        let successor = if self.chain == Chain::Anvil { DEPLOYER } else { BEACON_ROOTS };
        self.call(by, &supersedeCall { successor }, 1);
        self.block().await;
    }

    /// Another administrator, after the days that it takes.
    async fn hand_over(&mut self) {
        let heir = wallet(HEIR).address();
        self.later(2).await;
        // The first delay has come into force, which shows in storage only now.
        self.call(ADMIN, &IDelay::changeDefaultAdminDelayCall { newDelay: U48::from(90_000) }, 1);
        self.call(ADMIN, &IOpenZeppelin::beginDefaultAdminTransferCall { newAdmin: heir }, 1);
        self.block().await;
        self.later(3).await;
        self.call(HEIR, &IOpenZeppelin::acceptDefaultAdminTransferCall {}, 2);
        self.block().await;
    }

    /// A block of random calls: no two of one image, for the node orders what different wallets send.
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
                    self.nonce += U256::from(1) << 128;
                    self.call(VERIFIER, &invalidateNonceCall {}, 1);
                }
                (11..=40, Some(at)) => self.verify(at, now, kind, &mut relayed, cancelled),
                (41..=50, Some(at)) if self.images[at].open => self.decide(at, kind),
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

    fn anchor_capsules(&mut self) {
        let (root, leaves_cid) = (self.random.word(), Bytes::from_static(b"cid"));
        self.call(KGC, &anchorCapsulesCall { root, count: 3, leavesCid: leaves_cid }, 1);
    }

    fn image_id(&self, sender: usize, salt: B256) -> B256 {
        medseal::envelope::image_id(self.registry.chain_id(), self.registry.address(), wallet(sender).address(), salt)
    }

    fn add(&mut self, sender: usize, salt: B256, content: B256) {
        let id = self.image_id(sender, salt);
        self.images.push(Image { id, sender, content, flag: 0, open: false, tampered: false, version: 0 });
    }

    fn register(&mut self) {
        let (sender, salt, content) = (SENDERS[self.random.below(3)], self.random.word(), self.random.word());
        let registration = Registration {
            salt,
            contentHash: content,
            capsulesHash: self.random.word(),
            size: 1 + self.random.next() % 1_000_000,
            ..super::registration(&wallet(sender), 1)
        };
        self.call(sender, &registerCall { registration, signature: Bytes::new() }, 1);
        self.add(sender, salt, content);
    }

    fn register_batch(&mut self) {
        let more = if self.chain == Chain::Anvil { 81 } else { 11 };
        let (sender, count) = (SENDERS[self.random.below(3)], 20 + self.random.below(more));
        let item = |random: &mut Random| Item {
            salt: random.word(),
            contentHash: random.word(),
            headerHash: random.word(),
            capsulesHash: random.word(),
            size: 1 + random.next() % 1_000_000,
        };
        let mut items: Vec<Item> = (0..count).map(|_| item(&mut self.random)).collect();
        for item in &items {
            self.add(sender, item.salt, item.contentHash);
        }
        // Twice the same: the second is skipped.
        items.truncate(99);
        items.push(items[0].clone());
        let recorded = items.len() as u64 - 1;
        let batch = Batch { sender: wallet(sender).address(), items, deadline: 0 };
        self.call(sender, &registerBatchCall { batch, signature: Bytes::new() }, recorded + 1);
        self.items += recorded;
        let dropped = count as u64 - recorded;
        self.images.truncate(self.images.len() - usize::try_from(dropped).unwrap());
    }

    /// An anchor of one leaf, which becomes a record: the root is the leaf's hash.
    fn anchor(&mut self) {
        let sender = SENDERS[self.random.below(3)];
        let leaf = Leaf {
            salt: self.random.word(),
            contentHash: self.random.word(),
            cid: Bytes::from_static(b"cid"),
            capsulesHash: self.random.word(),
            headerHash: self.random.word(),
            size: 77,
        };
        let cid = keccak256(&leaf.cid);
        let inner =
            (leaf.salt, leaf.contentHash, cid, leaf.capsulesHash, leaf.headerHash, leaf.size).abi_encode_params();
        let root = keccak256(keccak256(inner));
        let address = wallet(sender).address();
        let anchor = Anchor { sender: address, root, count: 1, leavesCid: Bytes::from_static(b"leaves"), deadline: 0 };
        self.call(sender, &anchorCall { anchor, signature: Bytes::new() }, 1);
        let (salt, content) = (leaf.salt, leaf.contentHash);
        self.call(sender, &materializeCall { sender: address, root, leaf, proof: vec![] }, 1);
        self.add(sender, salt, content);
    }

    fn verify(&mut self, at: usize, now: u64, kind: usize, relayed: &mut bool, cancelled: bool) {
        let (valid, by) = (!kind.is_multiple_of(4), if kind.is_multiple_of(3) { RELAYER } else { VERIFIER });
        let observed = if valid { self.images[at].content } else { self.random.word() };
        let mut verification = Verification {
            imageId: self.images[at].id,
            verifier: wallet(by).address(),
            observedHash: observed,
            observedAt: now,
            nonce: U256::ZERO,
            deadline: 0,
        };
        let image = &mut self.images[at];
        let raises = !valid && by == VERIFIER && !image.open && !image.tampered;
        if raises {
            image.open = true;
            image.flag += 1;
        }
        let events = 1 + u64::from(raises);
        if by == VERIFIER && !*relayed && !cancelled {
            // Signed by the verifier, and sent by another.
            *relayed = true;
            (verification.nonce, verification.deadline) = (self.nonce, now + 3600);
            self.nonce += U256::from(1);
            let signature = sign(&verification, &self.registry.domain(), &wallet(VERIFIER));
            self.call(RELAYER, &recordVerificationCall { verification, signature }, events);
        } else {
            self.call(by, &recordVerificationCall { verification, signature: Bytes::new() }, events);
        }
    }

    fn decide(&mut self, at: usize, kind: usize) {
        let image = &mut self.images[at];
        let (image_id, flag_id, sender) = (image.id, U40::from(image.flag), image.sender);
        image.open = false;
        image.tampered = kind < 44;
        if kind < 44 {
            self.call(ADMIN, &confirmFlagCall { imageId: image_id, flagId: flag_id }, 1);
        } else {
            self.call(sender, &dismissFlagCall { imageId: image_id, flagId: flag_id }, 1);
        }
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
