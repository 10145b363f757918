//! Anchors as chain and store have them, and the search for the one that holds an image.

use super::PipelineError;
use crate::chain::Registry;
use crate::contract::EventPlace;
use crate::contract::bindings::IImageRegistry::Anchored as AnchoredEvent;
use crate::envelope::image_id;
use crate::envelope::leaves::{Leaf, Leaves};
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

/// What a search among others' anchors may cost: anybody can make any number of them, of lists that
/// nobody has.
struct Bounds {
    /// In all.
    time: Duration,
    /// For one list.
    each: Duration,
    bytes: u64,
    lists: usize,
}

const STRANGERS: Bounds =
    Bounds { time: Duration::from_secs(20), each: Duration::from_secs(3), bytes: 64 << 20, lists: 1_000 };

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
    Ok(search(store, in_turn(others), holds, STRANGERS).await)
}

/// Goes through these anchors in their order, as far as the bounds allow.
async fn search(
    store: &impl Store,
    anchors: Vec<(AnchoredEvent, EventPlace)>,
    holds: impl Fn(&AnchoredList) -> Option<usize>,
    mut bounds: Bounds,
) -> AnchorSearch {
    let (all, began) = (anchors.len(), Instant::now());
    for (looked_at, (event, place)) in anchors.into_iter().enumerate() {
        let time = bounds.time.saturating_sub(began.elapsed()).min(bounds.each);
        if looked_at >= bounds.lists || time.is_zero() || bounds.bytes == 0 {
            return AnchorSearch { image: None, left_out: all - looked_at };
        }
        let fetched = tokio::time::timeout(time, fetch(store, event, place, bounds.bytes)).await;
        let Ok(Some(list)) = fetched else { continue };
        bounds.bytes = bounds.bytes.saturating_sub(Leaves::most_bytes(list.leaves.count()));
        if let Some(index) = holds(&list) {
            return AnchorSearch { image: Some(AnchoredImage { list, index }), left_out: 0 };
        }
    }
    AnchorSearch { image: None, left_out: 0 }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::kubo::{Deadlines, KuboOptions, Token};
    use crate::storage::{KuboStore, LocalStore};
    use alloy::primitives::Bytes;
    use std::sync::Arc;

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

    fn leaf(salt: u8) -> Leaf {
        Leaf {
            salt: B256::repeat_byte(salt),
            content_hash: B256::ZERO,
            capsules_hash: B256::ZERO,
            header_hash: B256::ZERO,
            size: 9,
            cid: vec![7; 64],
        }
    }

    /// What is left out of a search for the fifth of five lists; nothing where it was found.
    async fn left_out(store: &impl Store, lists: &[(AnchoredEvent, EventPlace)], bounds: Bounds) -> Option<usize> {
        let is_fifth = |list: &AnchoredList| (list.leaves.leaves()[0].salt == B256::repeat_byte(5)).then_some(0);
        let AnchorSearch { image, left_out } = search(store, lists.to_vec(), is_fifth, bounds).await;
        image.is_none().then_some(left_out)
    }

    #[tokio::test]
    async fn a_search_among_others_lists_has_bounds() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(folder.path()).expect("opens");
        let mut lists = vec![];
        for salt in 1..=5 {
            let leaves = Leaves::new(vec![leaf(salt)]).expect("a leaf");
            let cid = store.put(&leaves.encode()).await.expect("put");
            lists.push(anchored(salt, 1, cid, leaves.root()));
        }
        let most = Leaves::most_bytes(1);
        assert_eq!(left_out(&store, &lists, STRANGERS).await, None);
        for (left, bounds) in [
            (None, Bounds { lists: 5, ..STRANGERS }),
            (Some(1), Bounds { lists: 4, ..STRANGERS }),
            (None, Bounds { bytes: 5 * most, ..STRANGERS }),
            (Some(1), Bounds { bytes: 4 * most, ..STRANGERS }),
            (Some(5), Bounds { time: Duration::ZERO, ..STRANGERS }),
        ] {
            assert_eq!(left_out(&store, &lists, bounds).await, left);
        }
        // A store that says nothing: each list has its time, and all of them have theirs.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", silent.local_addr().expect("its address")).parse().expect("a URL");
        let options = KuboOptions {
            nodes: vec![(url, Token::new("token"))],
            replicas: 1,
            deadlines: Deadlines::default(),
            notice: Arc::new(|_| ()),
        };
        let silent_store = KuboStore::new(options).expect("a store");
        let each = Duration::from_millis(20);
        assert_eq!(left_out(&silent_store, &lists, Bounds { each, ..STRANGERS }).await, Some(0));
        let left = left_out(&silent_store, &lists, Bounds { each, time: 2 * each, ..STRANGERS }).await;
        assert!(left.is_some_and(|left| left >= 3), "{left:?}");
    }

    #[tokio::test]
    async fn a_list_is_read_as_far_as_its_count_allows() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(folder.path()).expect("opens");
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
