//! Events for a watch: registrations, batches, verifications, flags, grants and revocations, sent
//! as people's wallets do, as fast as the node takes them.

use crate::chain::registration;
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy::sol_types::SolCall;
use medseal::chain::{Registry, Rpc, Wallet};
use medseal::contract::bindings::IImageRegistry::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SENDER: usize = 1;
const VERIFIER: usize = 5;

struct Image {
    id: B256,
    content: B256,
}

/// Who makes the events.
pub(crate) struct Acts {
    rpc: Rpc,
    registry: Address,
    chain_id: u64,
    images: Vec<Image>,
    nonces: BTreeMap<usize, u64>,
}

impl Acts {
    pub(crate) fn new(registry: &Registry) -> Self {
        let (rpc, chain_id) = (registry.rpc().clone(), registry.chain_id());
        Self { rpc, registry: registry.address(), chain_id, images: vec![], nonces: BTreeMap::new() }
    }

    fn wallet(&self, index: usize) -> Wallet {
        Wallet::development(index, self.chain_id).expect("a development key")
    }

    async fn count(&self, index: usize) -> u64 {
        let params = vec![json!(self.wallet(index).address()), json!("latest")];
        let count = self.rpc.raw("eth_getTransactionCount", params).await.expect("a count");
        u64::from_str_radix(count.as_str().expect("hex").trim_start_matches("0x"), 16).expect("hex")
    }

    /// Signs and sends; the node that was started anew is asked what it knows.
    async fn send(&mut self, by: usize, call: &impl SolCall) -> Value {
        let nonce = match self.nonces.get(&by) {
            Some(nonce) => *nonce,
            None => self.count(by).await,
        };
        let mut transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit: 1_500_000,
            max_fee_per_gas: 20_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: TxKind::Call(self.registry),
            value: U256::ZERO,
            access_list: Default::default(),
            input: call.abi_encode().into(),
        };
        let signature = self.wallet(by).signer().sign_transaction_sync(&mut transaction).expect("signed");
        let raw = TxEnvelope::from(transaction.into_signed(signature)).encoded_2718();
        let sent = self.rpc.raw("eth_sendRawTransaction", vec![json!(Bytes::from(raw))]).await.expect("sent");
        self.nonces.insert(by, nonce + 1);
        sent
    }

    /// Waits until all that was sent is mined, and returns the hash of the last transaction.
    async fn settle(&mut self, last: Value) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        for (by, nonce) in std::mem::take(&mut self.nonces) {
            while self.count(by).await < nonce {
                assert!(Instant::now() < deadline, "wallet {by} waits for number {nonce}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        last
    }

    /// One that was not there before: what is registered again makes no event.
    fn word(&self) -> B256 {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        keccak256(NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes())
    }

    fn id(&self, salt: B256) -> B256 {
        medseal::envelope::image_id(self.chain_id, self.registry, self.wallet(SENDER).address(), salt)
    }

    async fn register(&mut self) -> Value {
        let (salt, content) = (self.word(), self.word());
        let registration = Registration { salt, contentHash: content, ..registration(&self.wallet(SENDER), 0) };
        self.images.push(Image { id: self.id(salt), content });
        self.send(SENDER, &registerCall { registration, signature: Bytes::new() }).await
    }

    async fn register_batch(&mut self, count: usize) -> Value {
        let mut items = Vec::new();
        for _ in 0..count {
            let (salt, content) = (self.word(), self.word());
            let hash = B256::repeat_byte(3);
            items.push(Item { salt, contentHash: content, headerHash: hash, capsulesHash: hash, size: 7 });
        }
        let batch = Batch { sender: self.wallet(SENDER).address(), items, deadline: 0 };
        self.send(SENDER, &registerBatchCall { batch, signature: Bytes::new() }).await
    }

    async fn verify(&mut self, at: usize, valid: bool) -> Value {
        let observed = if valid { self.images[at].content } else { B256::repeat_byte(0xbd) };
        let block = self.rpc.latest().await.expect("a block");
        let verification = Verification {
            imageId: self.images[at].id,
            verifier: self.wallet(VERIFIER).address(),
            observedHash: observed,
            observedAt: block.timestamp,
            nonce: U256::ZERO,
            deadline: 0,
        };
        self.send(VERIFIER, &recordVerificationCall { verification, signature: Bytes::new() }).await
    }

    /// Registers one image and has it found tampered with, `count` times: as many flags.
    pub(crate) async fn flags(&mut self, count: usize) {
        let first = self.images.len();
        let mut last = Value::Null;
        for _ in 0..count {
            last = self.register().await;
        }
        last = self.settle(last).await;
        for at in first..first + count {
            last = self.verify(at, false).await;
        }
        self.settle(last).await;
    }

    /// Events of many kinds by `calls` transactions, about 16 for each 10; returns the hash of the
    /// last, which is mined.
    pub(crate) async fn mixed(&mut self, calls: usize) -> Value {
        // Those that are in the chain already: wallets' transactions are mined in any order.
        let known = self.images.len();
        let mut last = Value::Null;
        for call in 0..calls {
            let at = known.checked_sub(1 + call);
            let image = at.map(|at| self.images[at].id);
            let wallet = self.wallet(2).address();
            last = match (call % 10, at, image) {
                (4, Some(at), _) => self.verify(at, true).await,
                (5 | 6, Some(at), _) => self.verify(at, false).await,
                (7, _, Some(id)) => self.send(SENDER, &grantCall { imageId: id, wallet, expiry: 4_000_000_000 }).await,
                (8, _, Some(id)) => self.send(SENDER, &revokeCall { imageId: id, wallet }).await,
                (9, ..) => self.register_batch(4).await,
                _ => self.register().await,
            };
        }
        self.settle(last).await
    }
}
