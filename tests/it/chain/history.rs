//! A chain with thousands of random events of every kind, all made through the contract, hundreds of transactions in a block.

use super::{CHAIN_ID, World, wallet};
use alloy::primitives::aliases::{U40, U48};
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::{SolCall, SolValue};
use medseal::chain::bindings::IImageRegistry::*;
use medseal::chain::bindings::{IOpenZeppelin, Role};
use medseal::chain::typed_data;
use serde_json::{Value, json};

const ADMIN: usize = 0;
const SENDERS: [usize; 3] = [1, 2, 3];
const KGC: usize = 4;
const VERIFIER: usize = 5;
const RELAYER: usize = 6;
const HEIR: usize = 7;

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
    world: &'a World,
    random: Random,
    images: Vec<Image>,
    /// Calls of the next block, each by whom, and how many events it makes, items included.
    calls: Vec<(usize, Bytes)>,
    /// Events so far, items included.
    pub(crate) events: u64,
    nonce: U256,
    epoch: u32,
    log: u64,
    http: reqwest::Client,
}

impl<'a> History<'a> {
    /// Begins with the roles; the chain makes its blocks when it is told to, from now on.
    pub(crate) async fn begin(world: &'a World, seed: u64) -> Self {
        world.grant_role(Role::Verifier, wallet(VERIFIER).address()).await;
        world.grant_role(Role::Arbiter, wallet(ADMIN).address()).await;
        world.grant_role(Role::Pauser, wallet(KGC).address()).await;
        world.grant_role(Role::Kgc, wallet(KGC).address()).await;
        world.raw("evm_setBlockGasLimit", json!(["0x2540be400"])).await;
        world.automine(false).await;
        let (_, events) = world.registry.audit().await.unwrap();
        let http = reqwest::Client::new();
        let random = Random(seed);
        Self { world, random, images: vec![], calls: vec![], events, nonce: U256::ZERO, epoch: 0, log: 0, http }
    }

    fn call(&mut self, by: usize, call: &impl SolCall, events: u64) {
        self.calls.push((by, call.abi_encode().into()));
        self.events += events;
    }

    /// Sends the calls and makes a block of them; each must have made its events.
    pub(crate) async fn block(&mut self) {
        let to = self.world.registry.address();
        let calls = std::mem::take(&mut self.calls);
        for part in calls.chunks(500) {
            let request: Vec<Value> = part
                .iter()
                .map(|(by, data)| {
                    let gas = 400_000 + 60 * data.len();
                    let sent =
                        json!({ "from": wallet(*by).address(), "to": to, "data": data, "gas": format!("{gas:#x}") });
                    json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_sendTransaction", "params": [sent] })
                })
                .collect();
            let sent = self.http.post(self.world.node.rpc_url()).body(Value::from(request).to_string());
            let answer = sent.header("content-type", "application/json").send().await.unwrap().text().await.unwrap();
            assert!(!answer.contains("\"error\""), "{}", &answer[..answer.len().min(2000)]);
        }
        self.world.mine().await;
    }

    /// The rare ones: pauses, keys of a KGC, the administrator's plans.
    pub(crate) async fn govern(&mut self) {
        let later = |days: u64| json!([days * 86_400]);
        self.call(KGC, &pauseCall {}, 1);
        self.block().await;
        self.call(KGC, &unpauseCall {}, 1);
        let (kgc, heir) = (B256::repeat_byte(0x4b), wallet(HEIR).address());
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
        self.world.raw("evm_increaseTime", later(2)).await;
        // The first delay has come into force, which shows in storage only now.
        self.call(ADMIN, &IDelay::changeDefaultAdminDelayCall { newDelay: U48::from(90_000) }, 1);
        self.call(ADMIN, &IOpenZeppelin::beginDefaultAdminTransferCall { newAdmin: heir }, 1);
        self.block().await;
        self.world.raw("evm_increaseTime", later(3)).await;
        self.call(HEIR, &IOpenZeppelin::acceptDefaultAdminTransferCall {}, 2);
        self.block().await;
        let stranger = wallet(9).address();
        self.call(HEIR, &IOpenZeppelin::grantRoleCall { role: Role::Verifier.id(), account: stranger }, 1);
        self.call(HEIR, &IOpenZeppelin::revokeRoleCall { role: Role::Verifier.id(), account: stranger }, 1);
        let successor = Address::repeat_byte(0x5c);
        self.world.raw("anvil_setCode", json!([successor, "0x00"])).await;
        self.call(HEIR, &supersedeCall { successor }, 1);
        self.block().await;
    }

    /// A block of random calls: no two of one image, for the node orders what different wallets send.
    pub(crate) async fn random_block(&mut self, calls: usize) {
        let free = self.images.len();
        let mut touched = std::collections::BTreeSet::new();
        let (mut relayed, mut cancelled) = (false, false);
        let now = super::block_time(&self.world.registry).await;
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
                (6, _) => {
                    let call = anchorCapsulesCall {
                        root: self.random.word(),
                        count: 3,
                        leavesCid: Bytes::from_static(b"cid"),
                    };
                    self.call(KGC, &call, 1);
                }
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

    fn image_id(&self, sender: usize, salt: B256) -> B256 {
        medseal::envelope::image_id(CHAIN_ID, self.world.registry.address(), wallet(sender).address(), salt)
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
        let (sender, count) = (SENDERS[self.random.below(3)], 20 + self.random.below(81));
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
        let (valid, by) = (kind % 4 != 0, if kind % 3 == 0 { RELAYER } else { VERIFIER });
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
            let signature = typed_data::sign(&verification, &self.world.registry.domain(), &wallet(VERIFIER));
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
pub(crate) async fn history(world: &World, seed: u64, events: u64) -> u64 {
    let mut history = History::begin(world, seed).await;
    history.random_block(60).await;
    while history.events < events / 2 {
        history.random_block(200).await;
    }
    history.govern().await;
    while history.events < events {
        history.random_block(200).await;
    }
    history.events
}
