//! Anchors: many images under one Merkle root on chain, each made a record when it is needed.

use super::job::Anchored;
use super::put::{put_and_read_back, sha256};
use super::sealed::{Sealed, Unregistered};
use super::submit::submit_once;
use super::{PipelineError, Registered, SealingJob, Sender};
use crate::chain::{ChainError, Outbox, Registry, Submitted, Wallet};
use crate::contract::EventPlace;
use crate::contract::bindings::IImageRegistry::{
    self as registry, Anchor, Anchored as AnchoredEvent, anchorCall, materializeCall,
};
use crate::contract::typed_data::RELAY_SECS;
use crate::envelope::image_id;
use crate::envelope::leaves::{Leaf, Leaves};
use crate::kgc::KeyCenter;
use crate::storage::{Cid, Length, Store};
use alloy::primitives::{Address, B256};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// An anchor on chain with its list of leaves, which was found to give the root.
#[derive(Debug, Clone)]
pub struct AnchoredList {
    /// Who made it.
    pub sender: Address,
    /// Its root.
    pub root: B256,
    /// The list.
    pub leaves: Leaves,
    /// Address of the list.
    pub leaves_cid: Cid,
    /// Where the chain says so.
    pub place: EventPlace,
}

/// An image that an anchor holds.
#[derive(Debug, Clone)]
pub struct AnchoredImage {
    /// The anchor.
    pub list: AnchoredList,
    /// Its leaf in the list, from 0.
    pub index: usize,
}

impl AnchoredImage {
    /// Its leaf.
    pub fn leaf(&self) -> &Leaf {
        &self.list.leaves.leaves()[self.index]
    }
}

/// The anchors of a sender, newest first. One whose list is not in this store, or does not give its
/// root, is left out.
///
/// # Errors
/// [`PipelineError::Chain`] if the node does not answer.
pub async fn anchors(
    registry: &Registry,
    store: &impl Store,
    sender: Address,
) -> Result<Vec<AnchoredList>, PipelineError> {
    let mut found = Vec::new();
    for (event, place) in registry.anchors(Some(sender)).await?.into_iter().rev() {
        found.extend(fetch(store, event, place, u64::MAX).await);
    }
    Ok(found)
}

/// The list of an anchor, if it is in this store, gives the root, and has no more than `most`
/// bytes. No more than its count allows is read.
async fn fetch(store: &impl Store, event: AnchoredEvent, place: EventPlace, most: u64) -> Option<AnchoredList> {
    let leaves_cid = Cid::from_bytes(&event.leavesCid).ok()?;
    let length = length_of(&event, most);
    let leaves = Leaves::decode(&store.get_by_address(&leaves_cid, length).await.ok()?).ok()?;
    let is_it = (leaves.root(), leaves.count()) == (event.root, event.count);
    is_it.then_some(AnchoredList { sender: event.sender, root: event.root, leaves, leaves_cid, place })
}

/// How long the list of an anchor may be.
fn length_of(event: &AnchoredEvent, most: u64) -> Length {
    Length::AtMost(Leaves::most_bytes(event.count).min(most))
}

/// What a search among all anchors may cost: anybody can make any number of them, of lists that
/// nobody has.
const STRANGERS_TIME: Duration = Duration::from_secs(20);
const LIST_TIME: Duration = Duration::from_secs(3);
const STRANGERS_BYTES: u64 = 64 << 20;
const STRANGERS_LISTS: usize = 1_000;

/// What was found among the anchors.
#[derive(Debug, Clone)]
pub struct AnchorSearch {
    /// The anchor that holds the image, if it was found.
    pub image: Option<AnchoredImage>,
    /// Lists of other senders that were not looked through: the search has bounds.
    pub left_out: usize,
}

/// Searches for the anchor that holds an image and whose list is in this store: first among those
/// of `own`, which are read without bounds but their counts; then, unless it is `only` theirs,
/// among the others', the newest of each sender first.
///
/// # Errors
/// [`PipelineError::Chain`] if the node does not answer.
pub async fn find_anchored(
    registry: &Registry,
    store: &impl Store,
    id: B256,
    own: Option<Address>,
    only: bool,
) -> Result<AnchorSearch, PipelineError> {
    let (chain_id, address) = (registry.chain_id(), registry.address());
    let holds = |list: &AnchoredList| {
        let is = |leaf: &Leaf| image_id(chain_id, address, list.sender, leaf.salt) == id;
        list.leaves.leaves().iter().position(is)
    };
    if let Some(own) = own {
        for list in anchors(registry, store, own).await? {
            if let Some(index) = holds(&list) {
                return Ok(AnchorSearch { image: Some(AnchoredImage { list, index }), left_out: 0 });
            }
        }
    }
    if only {
        return Ok(AnchorSearch { image: None, left_out: 0 });
    }
    let mut others = registry.anchors(None).await?;
    others.retain(|(event, _)| Some(event.sender) != own);
    let others = in_turn(others);
    let (all, began, mut left) = (others.len(), Instant::now(), STRANGERS_BYTES);
    for (looked_at, (event, place)) in others.into_iter().enumerate() {
        let time = STRANGERS_TIME.saturating_sub(began.elapsed()).min(LIST_TIME);
        if looked_at >= STRANGERS_LISTS || time.is_zero() || left == 0 {
            return Ok(AnchorSearch { image: None, left_out: all - looked_at });
        }
        let Ok(Some(list)) = tokio::time::timeout(time, fetch(store, event, place, left)).await else { continue };
        left = left.saturating_sub(Leaves::most_bytes(list.leaves.count()));
        if let Some(index) = holds(&list) {
            return Ok(AnchorSearch { image: Some(AnchoredImage { list, index }), left_out: 0 });
        }
    }
    Ok(AnchorSearch { image: None, left_out: 0 })
}

/// Anchors so that each sender has its turn: the newest of each, then the one before it of each,
/// and so on. Who makes many waits for itself.
fn in_turn(anchors: Vec<(AnchoredEvent, EventPlace)>) -> Vec<(AnchoredEvent, EventPlace)> {
    let mut made: BTreeMap<Address, usize> = BTreeMap::new();
    let mut ranked: Vec<_> = anchors
        .into_iter()
        .rev()
        .map(|anchor| {
            let rank = made.entry(anchor.0.sender).or_default();
            *rank += 1;
            (*rank, anchor)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, anchor)| anchor).collect()
}

/// What became of an image that was to have a record.
#[derive(Debug)]
pub enum Materialized {
    /// It has one: nothing was sent.
    Already,
    /// No anchor was found that holds it, and so many lists of others were not looked through.
    NotFound {
        /// How many.
        left_out: usize,
    },
    /// Its record was submitted.
    Submitted {
        /// Root of the anchor that holds it.
        root: B256,
        /// The transaction.
        transaction: Submitted,
    },
}

/// Makes an anchored image a record, dated to the anchor, unless it has one. Anybody may.
///
/// # Errors
/// [`PipelineError::Chain`], [`PipelineError::Outbox`].
pub async fn materialize(
    registry: &Registry,
    store: &impl Store,
    outbox: &mut Outbox,
    payer: &Wallet,
    id: B256,
    (own, only): (Option<Address>, bool),
) -> Result<Materialized, PipelineError> {
    match registry.record(id).await {
        Ok(_) => return Ok(Materialized::Already),
        Err(ChainError::UnknownImage { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let AnchorSearch { image, left_out } = find_anchored(registry, store, id, own, only).await?;
    let Some(image) = image else { return Ok(Materialized::NotFound { left_out }) };
    let (list, leaf) = (&image.list, image.leaf());
    let call = materializeCall {
        sender: list.sender,
        root: list.root,
        leaf: registry::Leaf {
            salt: leaf.salt,
            contentHash: leaf.content_hash,
            cid: leaf.cid.clone().into(),
            capsulesHash: leaf.capsules_hash,
            headerHash: leaf.header_hash,
            size: leaf.size,
        },
        proof: list.leaves.proof(image.index).expect("the leaf is in its list"),
    };
    let job = format!("materialize:{id}");
    let transaction = submit_once(registry, outbox, payer, &job, || registry.transaction(&call)).await?;
    Ok(Materialized::Submitted { root: list.root, transaction })
}

impl<K: KeyCenter, S: Store> Sender<'_, K, S> {
    /// Anchors these images under one root, after their list of leaves was stored and read back.
    /// What an earlier anchor of the sender holds is not anchored again.
    ///
    /// # Errors
    /// [`PipelineError`]; the jobs stay, and a later call with the same files goes on.
    pub async fn anchor(&mut self, images: Vec<Unregistered>) -> Result<Submitted<Vec<Sealed>>, PipelineError> {
        let started = Instant::now();
        let before = anchors(self.registry, self.store, self.signers.signer.address()).await?;
        let mut new = Vec::new();
        for one in &images {
            let leaf = leaf(&one.job)?;
            if !before.iter().any(|list| list.leaves.leaves().contains(&leaf)) {
                new.push(leaf);
            }
        }
        let mut made = None;
        if !new.is_empty() {
            made = match self.make_anchor(Leaves::new(new)?).await? {
                Submitted::Mined(registered) => Some(registered),
                Submitted::Printed(unsent) => return Ok(Submitted::Printed(unsent)),
            };
        }
        let each = started.elapsed() / u32::try_from(images.len().max(1)).unwrap_or(u32::MAX);
        let mut sealed = Vec::new();
        for one in images {
            let leaf = leaf(&one.job)?;
            let registered = match before.iter().find(|list| list.leaves.leaves().contains(&leaf)) {
                Some(list) => self.anchored_before(list).await?,
                None => made.clone().expect("it is one of the new ones"),
            };
            sealed.push(one.finish(registered, each)?);
        }
        Ok(Submitted::Mined(sealed))
    }

    async fn make_anchor(&mut self, leaves: Leaves) -> Result<Submitted<Registered>, PipelineError> {
        let bytes = leaves.encode();
        let (leaves_cid, root) = (Cid::of(&bytes), leaves.root());
        // Without its list a root is worth nothing.
        put_and_read_back(self.store, &bytes, leaves_cid, sha256(&bytes)).await?;
        let (registry, sender) = (self.registry, self.signers.signer.address());
        let anchor = Anchor {
            sender,
            root,
            count: leaves.count(),
            leavesCid: leaves_cid.to_bytes().into(),
            deadline: registry.checked_time(self.clock.unix_secs()).await? + RELAY_SECS,
        };
        let signature = self.signers.signature(&anchor, &registry.domain());
        let id = format!("anchor:{}:{sender}:{root}", registry.address());
        let make = || registry.transaction(&anchorCall { anchor, signature });
        let submitted = submit_once(registry, self.outbox, &self.signers.payer, &id, make).await?;
        let images = u64::from(leaves.count());
        Ok(submitted.map(|receipt| Registered {
            transaction: receipt.transaction,
            block: receipt.block_number,
            gas: receipt.gas_used / images,
            images,
            anchor: Some(Anchored { root, leaves_cid: leaves_cid.to_string() }),
        }))
    }

    async fn anchored_before(&self, list: &AnchoredList) -> Result<Registered, PipelineError> {
        let images = u64::from(list.leaves.count());
        let (gas, _) = self.registry.cost_of(list.place.transaction).await?;
        Ok(Registered {
            transaction: list.place.transaction,
            block: list.place.block_number,
            gas: gas / images,
            images,
            anchor: Some(Anchored { root: list.root, leaves_cid: list.leaves_cid.to_string() }),
        })
    }

    /// Whether chain and store still have the anchor that holds this job's image.
    pub(super) async fn is_anchored(&self, job: &SealingJob, anchored: &Anchored) -> Result<bool, PipelineError> {
        let leaf = leaf(job)?;
        let lists = anchors(self.registry, self.store, self.signers.signer.address()).await?;
        Ok(lists.iter().any(|list| list.root == anchored.root && list.leaves.leaves().contains(&leaf)))
    }
}

fn leaf(job: &SealingJob) -> Result<Leaf, PipelineError> {
    let (cid, _) = job.chain_cids()?;
    Ok(Leaf {
        salt: job.salt,
        content_hash: job.content_hash,
        capsules_hash: job.capsules_hash,
        header_hash: job.header_hash,
        size: job.size,
        cid: cid.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::LocalStore;
    use alloy::primitives::Bytes;

    fn anchored(sender: u8, count: u32, leaves_cid: Cid, root: B256) -> (AnchoredEvent, EventPlace) {
        let (sender, leaves_cid) = (Address::repeat_byte(sender), Bytes::from(leaves_cid.to_bytes()));
        let event = AnchoredEvent { sender, root, count, leavesCid: leaves_cid, ..Default::default() };
        let place = EventPlace { block_number: 1, block_hash: B256::ZERO, transaction: B256::ZERO, log_index: 0 };
        (event, place)
    }

    #[test]
    fn each_sender_has_its_turn() {
        let cid = Cid::of(b"list");
        let by = |sender, count| anchored(sender, count, cid, B256::ZERO);
        let made = vec![by(1, 1), by(2, 1), by(1, 2), by(1, 3), by(1, 4), by(2, 2)];
        let order: Vec<(u8, u32)> = in_turn(made).iter().map(|(event, _)| (event.sender[0], event.count)).collect();
        assert_eq!(order, [(2, 2), (1, 4), (1, 3), (2, 1), (1, 2), (1, 1)]);
    }

    #[tokio::test]
    async fn a_list_is_read_as_far_as_its_count_allows() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(folder.path()).expect("opens");
        let leaf = |salt| Leaf {
            salt: B256::repeat_byte(salt),
            content_hash: B256::ZERO,
            capsules_hash: B256::ZERO,
            header_hash: B256::ZERO,
            size: 9,
            cid: vec![7; 64],
        };
        let leaves = Leaves::new((1..=3).map(leaf).collect()).expect("leaves");
        let bytes = leaves.encode();
        assert_eq!(bytes.len() as u64, Leaves::most_bytes(3), "the longest there is");
        let cid = store.put(&bytes).await.expect("put");
        let found = |count, most| {
            let (event, place) = anchored(1, count, cid, leaves.root());
            fetch(&store, event, place, most)
        };
        assert!(found(3, u64::MAX).await.is_some_and(|list| list.leaves == leaves));
        for (count, most) in [(2, u64::MAX), (4, u64::MAX), (3, bytes.len() as u64 - 1), (0, u64::MAX)] {
            assert!(found(count, most).await.is_none(), "{count}, {most}");
        }
        // Whatever lies under the address that a stranger names: it is not read to its end.
        let large = store.put(&vec![7; 9 << 20]).await.expect("put");
        let length = length_of(&anchored(2, 1, large, B256::ZERO).0, u64::MAX);
        let refused = store.get_by_address(&large, length).await.expect_err("too long");
        assert!(matches!(refused, crate::storage::StoreError::Limit { limit: 215, .. }), "{refused}");
    }
}
