//! A KGC's capsules of an old key, sealed to its newest one and anchored; and records opened as the
//! KGC itself opens them.

use super::PipelineError;
use super::kgc::NamedCall;
use super::open::{Stored, capsules_address, check_header, fetch, lookup, usable_capsules};
use super::put::{put_and_read_back, sha256};
use super::recapsule::Recapsuled;
use crate::chain::Registry;
use crate::contract::bindings::IImageRegistry::anchorCapsulesCall;
use crate::envelope::SealedImage;
use crate::envelope::capsules::{CapsuleError, Capsules};
use crate::envelope::leaves::{RewrappedLeaf, RewrappedLeaves};
use crate::kgc::{KgcKeys, Rewrapped};
use crate::storage::{Cid, Length, Store};
use alloy::primitives::{Address, B256};
use std::collections::HashSet;

/// A KGC with its keys, and where it finds and keeps capsules.
pub struct Rewrapper<'a, S> {
    /// The registry that has the records.
    pub registry: &'a Registry,
    /// The store that has sealed images and capsules.
    pub store: &'a S,
    /// The keys.
    pub keys: &'a KgcKeys,
    /// The capsules that were sealed anew.
    pub sets: &'a Rewrapped,
}

/// What became of one image's capsules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewrapStep {
    /// None of them is this KGC's.
    NotOurs,
    /// They are sealed to its newest key: as they are registered, or since an earlier run.
    Already,
    /// They were sealed to its newest key now.
    Made {
        /// The epoch that they were sealed to.
        from: u32,
    },
}

/// A record that was opened as the KGC opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedAsKgc {
    /// The epoch of the key that opened its capsule.
    pub epoch: u32,
    /// Whether the capsule is one that was sealed anew.
    pub rewrapped: bool,
}

impl<S: Store> Rewrapper<'_, S> {
    /// Seals an image's capsules of an old key to the newest one, stores them, reads them back and
    /// keeps them, unless an earlier run did.
    ///
    /// # Errors
    /// [`PipelineError::Store`], [`PipelineError::Chain`]; [`PipelineError::Capsule`] where they do
    /// not open, as with an old key that is gone.
    pub async fn rewrap(&self, image_id: B256) -> Result<RewrapStep, PipelineError> {
        let (stored, registered) = match self.registered(image_id).await? {
            Some(found) => found,
            None => return Ok(RewrapStep::NotOurs),
        };
        let kept = self.sets.get(image_id).map_err(PipelineError::Rewrapped)?;
        let newest = |set: &Capsules| self.keys.epochs_in(set).first().map_or(0, |(epoch, _)| *epoch);
        // What was sealed anew before is opened with the later key.
        let source = kept.filter(|kept| newest(kept) > newest(&registered)).unwrap_or(registered);
        let from = newest(&source);
        if from >= self.keys.identity().epoch {
            return Ok(RewrapStep::Already);
        }
        let (new, _) = self.reseal(&stored, &source).await?;
        self.sets.put(image_id, &new).map_err(PipelineError::Rewrapped)?;
        Ok(RewrapStep::Made { from })
    }

    /// Returns an image's newest capsules with those of an old key sealed to the newest one, stored
    /// and read back, to be registered by whoever may; nothing where they need not be.
    ///
    /// # Errors
    /// As [`Rewrapper::rewrap`].
    pub async fn to_register(&self, image_id: B256) -> Result<Option<Recapsuled>, PipelineError> {
        let Some((stored, registered)) = self.registered(image_id).await? else { return Ok(None) };
        let newest = self.keys.epochs_in(&registered).first().map_or(0, |(epoch, _)| *epoch);
        if newest >= self.keys.identity().epoch {
            return Ok(None);
        }
        let (cid, hash) = self.reseal(&stored, &registered).await?.1;
        Ok(Some(Recapsuled { version: stored.capsules.version, hash, cid, added: 0 }))
    }

    /// Seals a set's capsules of an old key to the newest one, stores the set and reads it back.
    async fn reseal(&self, stored: &Stored, source: &Capsules) -> Result<(Capsules, (Cid, B256)), PipelineError> {
        let sealed = fetch(self.store, stored).await?;
        let image = SealedImage::decode(&sealed)?;
        check_header(self.registry, stored, &image)?;
        let (context, commitment) = (image.header().context(), image.header().key_commitment);
        let new = self.keys.rewrap(source, &context, &commitment)?;
        let new = new.ok_or(CapsuleError::NoMatchingStanza { key_id: self.keys.identity().id, epoch: 0 })?;
        let bytes = new.encode();
        let (cid, hash) = (Cid::of(&bytes), sha256(&bytes));
        put_and_read_back(self.store, &bytes, cid, hash).await?;
        Ok((new, (cid, hash)))
    }

    /// Opens this KGC's capsule of an image as for a release, and gives nothing out.
    ///
    /// # Errors
    /// [`PipelineError::Capsule`] where no capsule opens, or the key in it is not the one that the
    /// header commits to; [`PipelineError::Store`], [`PipelineError::Chain`].
    pub async fn open(&self, image_id: B256) -> Result<Option<OpenedAsKgc>, PipelineError> {
        let Some((stored, registered)) = self.registered(image_id).await? else { return Ok(None) };
        let sealed = fetch(self.store, &stored).await?;
        let image = SealedImage::decode(&sealed)?;
        check_header(self.registry, &stored, &image)?;
        let (context, commitment) = (image.header().context(), image.header().key_commitment);
        let held = self.keys.epochs_in(&registered).iter().any(|(_, held)| *held);
        let kept = if held { None } else { self.sets.get(image_id).map_err(PipelineError::Rewrapped)? };
        let rewrapped = kept.is_some();
        let (_, epoch) = self.keys.open_own(&kept.unwrap_or(registered), &context, &commitment)?;
        Ok(Some(OpenedAsKgc { epoch, rewrapped }))
    }

    /// Whether an image could not be opened any more without the keys of an epoch.
    ///
    /// # Errors
    /// [`PipelineError::Store`], [`PipelineError::Chain`].
    pub async fn needs(&self, image_id: B256, epoch: u32) -> Result<bool, PipelineError> {
        let Some((_, registered)) = self.registered(image_id).await? else { return Ok(false) };
        let kept = self.sets.get(image_id).map_err(PipelineError::Rewrapped)?;
        let mut held = [Some(registered), kept].into_iter().flatten().flat_map(|set| self.keys.epochs_in(&set));
        let (needed, other) = held.by_ref().filter(|(_, held)| *held).partition::<Vec<_>, _>(|(of, _)| *of == epoch);
        Ok(!needed.is_empty() && other.is_empty())
    }

    /// What the chain says of an image, and its newest capsules that can be had; nothing where none
    /// of them is this KGC's.
    async fn registered(&self, image_id: B256) -> Result<Option<(Stored, Capsules)>, PipelineError> {
        let stored = lookup(self.registry, image_id).await?;
        let is_ours = |set: &Capsules| match self.keys.epochs_in(set).is_empty() {
            false => Ok(()),
            true => Err(CapsuleError::NoMatchingStanza { key_id: self.keys.identity().id, epoch: 0 }),
        };
        match usable_capsules(self.store, &stored, is_ours).await {
            Ok((bytes, _)) => {
                let set = Capsules::decode(&bytes)?;
                Ok(is_ours(&set).is_ok().then_some((stored, set)))
            }
            Err(PipelineError::Capsule(CapsuleError::NoMatchingStanza { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The capsules that `wallet` anchored, oldest first. A list that is not in this store, or does
    /// not give its root, is left out.
    ///
    /// # Errors
    /// [`PipelineError::Chain`].
    pub async fn anchored(&self, wallet: Address) -> Result<Vec<RewrappedLeaf>, PipelineError> {
        let mut found = Vec::new();
        for anchor in self.registry.capsule_anchors(wallet).await? {
            let Ok(cid) = Cid::from_bytes(&anchor.leavesCid) else { continue };
            let length = Length::Exactly(RewrappedLeaves::bytes_of(anchor.count));
            let Ok(bytes) = self.store.get_by_address(&cid, length).await else { continue };
            let Ok(list) = RewrappedLeaves::decode(&bytes) else { continue };
            if (list.root(), list.count()) == (anchor.root, anchor.count) {
                found.extend_from_slice(list.leaves());
            }
        }
        Ok(found)
    }

    /// Gets back what was anchored and is not kept here, as after a restore; returns how many sets.
    ///
    /// # Errors
    /// [`PipelineError::Rewrapped`] where they cannot be kept. What the store does not have is left
    /// out: it is made again while the old key is there.
    pub async fn recover(&self, anchored: &[RewrappedLeaf]) -> Result<usize, PipelineError> {
        let (mut recovered, mut seen) = (0, HashSet::new());
        // The newest of an image is anchored last.
        for leaf in anchored.iter().rev().filter(|leaf| seen.insert(leaf.image_id)) {
            if self.sets.get(leaf.image_id).map_err(PipelineError::Rewrapped)?.is_some() {
                continue;
            }
            let (cid, length) = (capsules_address(&[], leaf.capsules_hash), Length::AtMost(Capsules::MAX_BYTES));
            let Ok(bytes) = self.store.get_of_length(&cid, &leaf.capsules_hash.0, length).await else { continue };
            let Ok(set) = Capsules::decode(&bytes) else { continue };
            self.sets.put(leaf.image_id, &set).map_err(PipelineError::Rewrapped)?;
            recovered += 1;
        }
        Ok(recovered)
    }

    /// The sets that are kept here and not anchored yet, in order of image.
    ///
    /// # Errors
    /// [`PipelineError::Rewrapped`].
    pub fn unanchored(&self, anchored: &[RewrappedLeaf]) -> Result<Vec<RewrappedLeaf>, PipelineError> {
        let anchored: HashSet<_> = anchored.iter().map(|leaf| (leaf.image_id, leaf.capsules_hash)).collect();
        let mut new = Vec::new();
        for image_id in self.sets.images().map_err(PipelineError::Rewrapped)? {
            let Some(set) = self.sets.get(image_id).map_err(PipelineError::Rewrapped)? else { continue };
            let capsules_hash = B256::from(set.hash());
            if !anchored.contains(&(image_id, capsules_hash)) {
                new.push(RewrappedLeaf { image_id, capsules_hash });
            }
        }
        Ok(new)
    }

    /// Stores the list of these sets, and returns the call that anchors it.
    ///
    /// # Errors
    /// [`PipelineError::Leaves`], [`PipelineError::Store`].
    pub async fn anchor(&self, leaves: &[RewrappedLeaf]) -> Result<NamedCall<anchorCapsulesCall>, PipelineError> {
        let list = RewrappedLeaves::new(leaves.to_vec())?;
        let (bytes, root) = (list.encode(), list.root());
        let cid = Cid::of(&bytes);
        put_and_read_back(self.store, &bytes, cid, sha256(&bytes)).await?;
        let call = anchorCapsulesCall { root, count: list.count(), leavesCid: cid.to_bytes().into() };
        Ok(NamedCall { job: format!("rewrapped:{}:{root}", self.registry.address()), call })
    }
}
