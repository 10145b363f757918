//! Anchors: many images under one Merkle root on chain, each made a record when it is needed.

use super::anchored::{AnchorSearch, AnchoredList, anchors, find_anchored};
use super::job::Anchored;
use super::put::{put_and_read_back, sha256};
use super::sealed::{Sealed, Unregistered};
use super::submit::submit_once;
use super::{PipelineError, Registered, SealingJob, Sender};
use crate::chain::{ChainError, Outbox, Registry, Submitted, Wallet};
use crate::contract::bindings::IImageRegistry::{self as registry, Anchor, anchorCall, materializeCall};
use crate::contract::typed_data::RELAY_SECS;
use crate::envelope::leaves::{Leaf, Leaves};
use crate::kgc::KeyCenter;
use crate::storage::{Cid, Store};
use alloy::primitives::{Address, B256};
use std::time::Instant;

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
