//! How many nodes have an object, and repairing it at as many as should have it.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::node::{KuboNode, Object};
use super::{Failures, KuboStore};
use crate::storage::{Cid, Length, MAX_OBJECT_BYTES, StoreError};

/// What one node has of an object.
#[derive(Debug)]
#[non_exhaustive]
pub enum Held {
    /// It is pinned, and every block was read and matches its address.
    Whole,
    /// It is not pinned. Its blocks may be there until the node collects its garbage.
    Not,
    /// It is pinned, and not what it should be: [`StoreError::BlockAltered`],
    /// [`StoreError::NotFound`].
    Damaged(StoreError),
    /// The node could not be asked.
    Unknown(StoreError),
}

/// One node, and what it has of an object.
#[derive(Debug)]
pub struct Replica {
    /// Where the node listens.
    pub node: String,
    /// What it has.
    pub held: Held,
}

/// The result of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// At how many nodes it was whole before.
    pub before: usize,
    /// At how many it is now.
    pub after: usize,
}

impl KuboStore {
    /// The objects that nodes keep for us: those pinned under our name at one of them at least.
    ///
    /// # Errors
    /// [`StoreError::Node`], [`StoreError::NoNode`] if none of them says.
    pub async fn pins(&self) -> Result<BTreeSet<Cid>, StoreError> {
        let (mut pins, mut failures) = (BTreeSet::new(), Failures::default());
        let nodes = &self.nodes.nodes;
        for ((at, node), answer) in nodes.iter().enumerate().zip(join_all(nodes.iter().map(KuboNode::pins)).await) {
            self.nodes.note(at, answer.as_ref().err());
            match answer {
                Ok(found) => pins.extend(found),
                Err(error) => failures.push(node, error),
            }
        }
        match failures.iter().count() == nodes.len() {
            true => Err(failures.into_error(&Cid::of(&[]))),
            false => Ok(pins),
        }
    }

    /// What each node has of an object, all of it read and checked.
    pub async fn replicas(&self, cid: &Cid) -> Vec<Replica> {
        let held = join_all(self.nodes.nodes.iter().map(|node| node.held(cid))).await;
        let nodes = self.nodes.nodes.iter().map(|node| node.name().to_owned());
        nodes.zip(held).map(|(node, held)| Replica { node, held }).collect()
    }

    /// Brings an object back to as many nodes as it should lie at; damaged replicas are replaced,
    /// and what is in order stays as it is.
    ///
    /// # Errors
    /// [`StoreError::TooFewReplicas`] if there are not enough nodes for it; that of reading it if
    /// no node has it whole; [`StoreError::NotAFile`] if it was made in another way than
    /// [`Store::put`](crate::storage::Store::put) does.
    pub async fn repair(&self, cid: &Cid) -> Result<Repaired, StoreError> {
        let nodes = self.nodes.in_order(cid);
        let held = join_all(nodes.iter().map(|(_, node)| node.held(cid))).await;
        let before = held.iter().filter(|held| matches!(held, Held::Whole)).count();
        let damaged = held.iter().any(|held| matches!(held, Held::Damaged(_)));
        if before >= self.nodes.replicas && !damaged {
            return Ok(Repaired { before, after: before });
        }
        let bytes = self.nodes.read(cid, None, Length::AtMost(MAX_OBJECT_BYTES)).await?;
        let object = Object::of(&bytes);
        if object.cid != *cid {
            return Err(StoreError::NotAFile { cid: *cid, block: *cid });
        }
        let (mut after, mut failures) = (before, Failures::default());
        let mut todo: Vec<_> = nodes.into_iter().zip(held).filter(|(_, held)| !matches!(held, Held::Whole)).collect();
        todo.sort_by_key(|(_, held)| !matches!(held, Held::Damaged(_)));
        for ((at, node), held) in todo {
            if after >= self.nodes.replicas && !matches!(held, Held::Damaged(_)) {
                continue;
            }
            let put = node.put(&object).await;
            self.nodes.note(at, put.as_ref().err());
            match put {
                Ok(()) => after += 1,
                Err(error) => failures.push(node, error),
            }
        }
        self.nodes.enough(cid, after, failures)?;
        Ok(Repaired { before, after })
    }
}

impl KuboNode {
    async fn pins(&self) -> Result<Vec<Cid>, StoreError> {
        self.rpc.pins().await.map_err(|error| self.error(error))
    }

    async fn held(&self, cid: &Cid) -> Held {
        match self.is_pinned(cid).await {
            Ok(true) => match self.look(cid).await {
                Ok(()) => Held::Whole,
                Err(error) if error.says_nothing() => Held::Unknown(error),
                Err(error) => Held::Damaged(error),
            },
            Ok(false) => Held::Not,
            Err(error) => Held::Unknown(error),
        }
    }
}
