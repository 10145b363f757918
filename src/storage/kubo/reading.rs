//! One object from several nodes: the first that has it right.

use super::calls::Reach;
use super::node::{KuboNode, check_whole};
use super::{Failures, KuboNodes};
use crate::storage::unixfs::BlockWalk;
use crate::storage::{Cid, Length, StoreError};

impl KuboNodes {
    /// The object from the first node that has it right; their peers are asked once none of them
    /// has it.
    pub(super) async fn read(
        &self,
        cid: &Cid,
        sha256: Option<&[u8; 32]>,
        length: Length,
    ) -> Result<Vec<u8>, StoreError> {
        let mut failures = Failures::default();
        for (at, node) in self.in_order(cid) {
            let read = node.read(cid, sha256, length, Reach::Own).await;
            self.note(at, read.as_ref().err());
            match read {
                Ok(bytes) => return Ok(bytes),
                Err(error) => failures.push(node, error),
            }
        }
        match self.read_from_peers(cid, || BlockWalk::checked(*cid).of_length(length), &mut failures).await {
            Some(found) => check_whole(cid, sha256, length, found.into_observed().bytes),
            None => Err(failures.verdict(cid)),
        }
    }

    /// The object from the peers of the first node that has peers and has not the object itself.
    async fn read_from_peers(
        &self,
        cid: &Cid,
        walk: impl Fn() -> BlockWalk,
        failures: &mut Failures,
    ) -> Option<BlockWalk> {
        for (_, node) in self.in_order(cid) {
            let Some(failure) = failures.of(node) else { continue };
            let missing = matches!(failure, StoreError::NotFound { .. });
            if missing && node.rpc.peers().await.is_ok_and(|peers| peers > 0) {
                match node.walk(cid, walk(), Reach::Peers).await {
                    Ok(walk) => return Some(walk),
                    Err(error) => *failure = error,
                }
            }
        }
        None
    }

    /// The object as the nodes hold it, walked through as `walk` does; `look` is the same for a
    /// node of which nothing is kept. Every node is asked: a right one is not hidden by a wrong
    /// one, and a wrong one that stands behind a right one is named all the same.
    pub(super) async fn observe(
        &self,
        cid: &Cid,
        walk: impl Fn() -> BlockWalk,
        look: impl Fn() -> BlockWalk,
    ) -> Result<BlockWalk, StoreError> {
        let (mut right, mut wrong, mut failures) = (None, None, Failures::default());
        for (at, node) in self.in_order(cid) {
            let seen = match right {
                None => node.walk(cid, walk(), Reach::Own).await.map(Some),
                Some(_) => node.walk(cid, look(), Reach::Own).await.map(|_| None),
            };
            let altered = match &seen {
                Ok(Some(walk)) => walk.altered().map(|block| StoreError::BlockAltered { cid: *cid, block }),
                _ => None,
            };
            self.note(at, seen.as_ref().err().or(altered.as_ref()));
            match seen {
                Ok(None) => {}
                Ok(Some(walk)) if walk.altered().is_none() => right = Some(walk),
                Ok(Some(walk)) => wrong = wrong.or(Some(walk)),
                Err(error) => failures.push(node, error),
            }
        }
        match (right, wrong) {
            (Some(right), _) => Ok(right),
            // It is not known what a node that does not answer holds: nothing is said about the
            // object then.
            (None, Some(wrong)) if !failures.iter().any(|(_, error)| error.says_nothing()) => Ok(wrong),
            (None, Some(_)) => Err(failures.into_error(cid)),
            (None, None) => {
                let found = self.read_from_peers(cid, walk, &mut failures).await;
                found.ok_or_else(|| failures.verdict(cid))
            }
        }
    }
}

impl Failures {
    /// This node's failure.
    fn of(&mut self, node: &KuboNode) -> Option<&mut StoreError> {
        self.0.iter_mut().find(|(name, _)| name == node.name()).map(|(_, error)| error)
    }

    /// What all nodes together say about an object that none of them gave: nothing, if one of them
    /// said nothing; else that it is wrong, if one holds it so; else that it is not there.
    pub(super) fn verdict(self, cid: &Cid) -> StoreError {
        if self.iter().any(|(_, error)| error.says_nothing()) {
            return self.into_error(cid);
        }
        let missing = |error: &StoreError| matches!(error, StoreError::NotFound { .. });
        let worst = self.0.into_iter().map(|(_, error)| error).min_by_key(missing);
        worst.unwrap_or(StoreError::NotFound { cid: *cid, block: *cid })
    }
}
