//! What the wallets of a history do: the rare ones, each once, and the common ones at random.

use super::*;

impl History<'_> {
    /// What may not come about in a short history: a flag that is confirmed, one that is dismissed,
    /// a batch, an anchor of capsules.
    pub(super) async fn rare_ones(&mut self) {
        let mut whole = (0..self.images.len()).filter(|at| !self.images[*at].open && !self.images[*at].tampered);
        let flagged = [whole.next().unwrap(), whole.next().unwrap()];
        let now = crate::chain::block_time(self.registry).await;
        for at in flagged {
            self.verify(at, now, 4, &mut true, false);
        }
        self.register_batch();
        self.anchor_capsules();
        self.block().await;
        for (at, kind) in flagged.into_iter().zip([41, 47]) {
            self.decide(at, kind).await;
        }
        self.block().await;
    }

    /// Rarer still: pauses, keys of a KGC, the administrator's plans.
    pub(crate) async fn govern(&mut self) {
        self.call(KGC, &pauseCall {}, 1);
        self.block().await;
        self.call(KGC, &unpauseCall {}, 1);
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
        self.join_a_flag(by).await;
        let successor = if self.chain == Chain::Anvil { DEPLOYER } else { BEACON_ROOTS };
        self.call(by, &supersedeCall { successor }, 1);
        self.block().await;
    }

    /// A second verifier, whose role `by` gives and takes, observes other bytes under an open flag.
    async fn join_a_flag(&mut self, by: usize) {
        let now = crate::chain::block_time(self.registry).await;
        let at = (0..self.images.len()).find(|at| !self.images[*at].tampered).unwrap();
        if !self.images[at].open {
            self.verify(at, now, 4, &mut true, false);
        }
        let (role, account) = (Role::Verifier.id(), wallet(RELAYER).address());
        self.call(by, &IOpenZeppelin::grantRoleCall { role, account }, 1);
        self.block().await;
        let verification = Verification {
            imageId: self.images[at].id,
            verifier: account,
            observedHash: self.random.word(),
            observedAt: now,
            nonce: U256::ZERO,
            deadline: 0,
        };
        self.call(RELAYER, &recordVerificationCall { verification, signature: Bytes::new() }, 2);
        self.block().await;
        self.call(by, &IOpenZeppelin::revokeRoleCall { role, account }, 1);
    }

    /// Another administrator, after the days that it takes.
    pub(super) async fn hand_over(&mut self) {
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

    pub(super) fn anchor_capsules(&mut self) {
        let (root, leaves_cid) = (self.random.word(), Bytes::from_static(b"cid"));
        self.call(KGC, &anchorCapsulesCall { root, count: 3, leavesCid: leaves_cid }, 1);
    }

    pub(super) fn image_id(&self, sender: usize, salt: B256) -> B256 {
        medseal::envelope::image_id(self.registry.chain_id(), self.registry.address(), wallet(sender).address(), salt)
    }

    pub(super) fn add(&mut self, sender: usize, salt: B256, content: B256) {
        let id = self.image_id(sender, salt);
        self.images.push(Image { id, sender, content, flag: 0, open: false, tampered: false, version: 0 });
    }

    pub(super) fn register(&mut self) {
        let (sender, salt, content) = (SENDERS[self.random.below(3)], self.random.word(), self.random.word());
        let registration = Registration {
            salt,
            contentHash: content,
            capsulesHash: self.random.word(),
            size: 1 + self.random.next() % 1_000_000,
            ..crate::chain::registration(&wallet(sender), 1)
        };
        self.call(sender, &registerCall { registration, signature: Bytes::new() }, 1);
        self.add(sender, salt, content);
    }

    pub(super) fn register_batch(&mut self) {
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
    pub(super) fn anchor(&mut self) {
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

    pub(super) fn verify(&mut self, at: usize, now: u64, kind: usize, relayed: &mut bool, cancelled: bool) {
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

    pub(super) async fn decide(&mut self, at: usize, kind: usize) {
        let image = &mut self.images[at];
        let (image_id, sender) = (image.id, image.sender);
        let flag_id = self.registry.flag(image_id).await.unwrap().id;
        assert_eq!(flag_id >> 32, image.flag);
        image.open = false;
        image.tampered = kind < 44;
        if kind < 44 {
            self.call(ADMIN, &confirmFlagCall { imageId: image_id, flagId: flag_id }, 1);
        } else {
            self.call(sender, &dismissFlagCall { imageId: image_id, flagId: flag_id }, 1);
        }
    }
}
