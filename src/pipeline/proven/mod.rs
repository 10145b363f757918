//! A KGC's view of the chain that rests on no single node's word: the block is one that several
//! nodes have, and what the contract holds in it is proven from its state root.

mod access;
mod any;
mod registered;

pub use any::AnyChainView;

use crate::chain::{AgreedBlock, ChainError, Profile, Quorum, QuorumError, Registry};
use crate::clock::Clock;
use crate::contract::slots::{AccessWord, SlotKey, address_in, is_key_in_use, number_in};
use crate::kgc::{
    AccessState, BlockSeen, ChainView, ChainViewError, ContractSignature, KgcIdentity, LogHead, RegisteredImage,
};
use alloy::primitives::{Address, B256, U256};
use registered::{Record, Registered, Registrations};
use std::sync::{Arc, OnceLock};

/// A KGC's view of the registry through several nodes, of which a quorum must agree.
#[derive(Debug, Clone)]
pub struct QuorumView<C> {
    nodes: Arc<Quorum>,
    profile: Profile,
    clock: C,
    registrations: Arc<Registrations>,
    /// Who published the KGC's newest key: while this process has that key, it is that one.
    publisher: Arc<OnceLock<Address>>,
}

/// The words of the slots that decide about (image, wallet) for a KGC.
struct Words {
    /// What stands in the record of an image that is registered.
    record: Option<Record>,
    access: AccessWord,
    /// Hash of the capsules that replaced those of the registration, where some did.
    replaced: Option<B256>,
    /// Whether the KGC's key is on chain, and not retired.
    key_in_use: bool,
}

impl Words {
    fn slots(image: B256, wallet: Address, kgc: &KgcIdentity) -> [SlotKey; 6] {
        let (record, capsules) = (SlotKey::of_record(image), SlotKey::of_capsules(image));
        let key = SlotKey::of_kgc_key(kgc.id, kgc.epoch).next();
        [record, record.next(), SlotKey::of_access(image, wallet), capsules, capsules.next(), key]
    }

    /// Reads what stands in the [slots](Self::slots).
    fn read(words: &[U256]) -> Option<Self> {
        let [content, sender, access, capsules, version, key] = *words else { return None };
        let content_hash = B256::from(content);
        Some(Self {
            record: address_in(sender).map(|sender| Record { sender, content_hash }),
            access: access.into(),
            replaced: (number_in(version) > 0).then(|| B256::from(capsules)),
            key_in_use: is_key_in_use(key),
        })
    }
}

impl<C: Clock> QuorumView<C> {
    /// The view through the nodes of this client, of which `quorum` must agree.
    ///
    /// # Errors
    /// [`QuorumError::TooFew`], [`QuorumError::Alone`].
    pub fn new(registry: &Registry, quorum: usize, clock: C) -> Result<Self, QuorumError> {
        let (nodes, profile) = (Arc::new(Quorum::new(registry, quorum)?), registry.profile());
        Ok(Self { nodes, profile, clock, registrations: Arc::default(), publisher: Arc::default() })
    }

    /// What it goes by, in words.
    pub fn rule(&self) -> String {
        let (quorum, nodes) = self.nodes.size();
        let of = self.nodes.names().join(", ");
        match nodes {
            1 => format!("record and access proven from a block of the node at {of} alone, which could invent both"),
            _ => format!("record and access proven from a block that {quorum} of {nodes} nodes have: {of}"),
        }
    }

    /// The nodes that do not prove what the contract holds, each with the reason.
    ///
    /// # Errors
    /// [`ChainViewError`] if they do not agree on a block.
    pub async fn without_proofs(&self) -> Result<Vec<String>, ChainViewError> {
        self.nodes.without_proofs(self.clock.unix_secs()).await.map_err(view_error)
    }

    fn check_fresh(&self, block: &AgreedBlock) -> Result<(), ChainError> {
        block.head().check_fresh(self.profile, self.clock.unix_secs())
    }

    async fn fresh(&self) -> Result<AgreedBlock, QuorumError> {
        let block = self.nodes.newest(self.clock.unix_secs()).await?;
        self.check_fresh(&block)?;
        Ok(block)
    }

    /// Whether the wallet's contract takes the signature, in the newest block and on a network in
    /// the safe one too: a new owner is a grant, one that was removed a revocation.
    async fn takes(
        &self,
        block: &AgreedBlock,
        wallet: Address,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<bool, QuorumError> {
        let Some(ContractSignature { digest, signature }) = signature else { return Ok(true) };
        let takes = |hash| self.nodes.contract_takes(hash, wallet, digest, signature);
        if !takes(block.header.hash).await? {
            return Ok(false);
        }
        match (self.profile, block.safe) {
            (Profile::Development, _) => Ok(true),
            (_, Some(safe)) => takes(self.nodes.block(safe).await?.header.hash).await,
            (_, None) => Ok(false),
        }
    }

    async fn words(
        &self,
        block: &AgreedBlock,
        image: B256,
        wallet: Address,
        kgc: &KgcIdentity,
    ) -> Result<Words, QuorumError> {
        let words = self.nodes.words(block, &Words::slots(image, wallet, kgc)).await?;
        Ok(Words::read(&words).expect("a word for each slot"))
    }

    /// The last second of the access that counts now.
    async fn expiry(
        &self,
        block: &AgreedBlock,
        image: B256,
        wallet: Address,
        newest: AccessWord,
    ) -> Result<u64, QuorumError> {
        match access::newest(newest, block.safe) {
            access::Newest::Decided(expiry) => Ok(expiry),
            access::Newest::AsOf(safe) => {
                let safe = self.nodes.block(safe).await?;
                let in_safe = self.nodes.words(&safe, &[SlotKey::of_access(image, wallet)]).await?;
                Ok(access::since(newest, in_safe[0].into()))
            }
        }
    }

    /// What cannot change is read first, however long that takes; then the newest block, and from
    /// it what may change. Its age is judged last, when the decision is made.
    async fn look(
        &self,
        image: B256,
        wallet: Address,
        kgc: &KgcIdentity,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<AccessState>, QuorumError> {
        let registered = match self.registrations.known(image) {
            Some(registered) => Some(registered),
            None => self.registered(image, wallet, kgc).await?,
        };
        let block = self.fresh().await?;
        if !self.takes(&block, wallet, signature).await? {
            return Ok(None);
        }
        let words = self.words(&block, image, wallet, kgc).await?;
        let access_expiry = self.expiry(&block, image, wallet, words.access).await?;
        let registration = match (words.record, registered) {
            (None, _) => None,
            (Some(record), Some(registered)) if registered.record == record => Some(of_record(&registered, &words)),
            // It was registered this very moment, or its block was replaced.
            (Some(_), _) => {
                self.registrations.forget(image);
                let nodes = vec!["the image's record has changed: ask again".to_owned()];
                return Err(QuorumError::Unproven { block: block.header.number, nodes });
            }
        };
        self.check_fresh(&block)?;
        Ok(Some(AccessState { block: seen(&block), registration, access_expiry }))
    }

    /// The registration of an image that has a record. Without one no log is read for it.
    async fn registered(
        &self,
        image: B256,
        wallet: Address,
        kgc: &KgcIdentity,
    ) -> Result<Option<Registered>, QuorumError> {
        let block = self.nodes.newest(self.clock.unix_secs()).await?;
        match self.words(&block, image, wallet, kgc).await?.record {
            Some(record) => Ok(Some(self.registrations.find(&self.nodes, image, record, &block).await?)),
            None => Ok(None),
        }
    }

    async fn anchored(&self, kgc_id: B256, log_id: B256) -> Result<LogHead, QuorumError> {
        let block = self.fresh().await?;
        let publisher = match self.publisher.get() {
            Some(publisher) => *publisher,
            None => match address_in(self.nodes.words(&block, &[SlotKey::of_publisher(kgc_id)]).await?[0]) {
                Some(publisher) => *self.publisher.get_or_init(|| publisher),
                // Nobody seals to a key that is not published, and nobody may anchor for it.
                None => return Ok(LogHead::EMPTY),
            },
        };
        let log = SlotKey::of_log(publisher, log_id);
        let words = self.nodes.words(&block, &[log, log.next()]).await?;
        Ok(LogHead { seq: number_in(words[1]), head: words[0].into() })
    }
}

/// What a KGC goes by: the newest capsules, and those of the registration where others replaced
/// them and the KGC's key is not retired.
fn of_record(registered: &Registered, words: &Words) -> RegisteredImage {
    let (capsules_hash, registered_capsules) = match words.replaced {
        None => (registered.capsules_hash, None),
        Some(newest) => (newest, words.key_in_use.then_some(registered.capsules_hash)),
    };
    RegisteredImage {
        sender: registered.record.sender,
        header_hash: registered.header_hash,
        capsules_hash,
        registered_capsules,
    }
}

fn seen(block: &AgreedBlock) -> BlockSeen {
    let head = block.head();
    BlockSeen { number: head.number, hash: head.hash, time: head.timestamp }
}

impl<C: Clock> ChainView for QuorumView<C> {
    async fn block(
        &self,
        wallet: Address,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<BlockSeen>, ChainViewError> {
        let look = async {
            let block = self.fresh().await?;
            let takes = self.takes(&block, wallet, signature).await?;
            self.check_fresh(&block)?;
            Ok(takes.then(|| seen(&block)))
        };
        look.await.map_err(view_error)
    }

    async fn anchored_log(&self, kgc_id: B256, log_id: B256) -> Result<LogHead, ChainViewError> {
        self.anchored(kgc_id, log_id).await.map_err(view_error)
    }

    async fn access_state(
        &self,
        image_id: B256,
        wallet: Address,
        kgc: &KgcIdentity,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<AccessState>, ChainViewError> {
        self.look(image_id, wallet, kgc, signature).await.map_err(view_error)
    }

    fn faults(&self) -> Vec<String> {
        self.nodes.faults()
    }
}

fn view_error(error: QuorumError) -> ChainViewError {
    match error {
        QuorumError::Chain(ChainError::Stale { age_secs, allowed_secs }) => {
            ChainViewError::Stale { age_secs, limit_secs: allowed_secs }
        }
        QuorumError::Differ { .. } | QuorumError::Behind { .. } => ChainViewError::Disagree { source: Box::new(error) },
        other => ChainViewError::Unreachable { source: Box::new(other) },
    }
}
