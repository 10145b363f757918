//! The store that the settings name.

use std::collections::BTreeSet;
use std::path::Path;

use super::kubo::{Held, Repaired, Replica};
use super::{Cid, Digested, KuboStore, Length, LocalStore, Moved, Observed, PinState, Store, StoreError};
use crate::files::Existing;

/// A folder, or IPFS nodes.
#[derive(Debug, Clone)]
pub enum AnyStore {
    /// A folder on this machine.
    Local(LocalStore),
    /// IPFS nodes.
    Kubo(KuboStore),
}

impl Store for AnyStore {
    async fn put(&self, bytes: &[u8]) -> Result<Cid, StoreError> {
        match self {
            Self::Local(store) => store.put(bytes).await,
            Self::Kubo(store) => store.put(bytes).await,
        }
    }

    async fn get_of_length(&self, cid: &Cid, sha256: &[u8; 32], length: Length) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Local(store) => store.get_of_length(cid, sha256, length).await,
            Self::Kubo(store) => store.get_of_length(cid, sha256, length).await,
        }
    }

    async fn get_by_address(&self, cid: &Cid, length: Length) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Local(store) => store.get_by_address(cid, length).await,
            Self::Kubo(store) => store.get_by_address(cid, length).await,
        }
    }

    async fn fetch_observed(&self, cid: &Cid) -> Result<Observed, StoreError> {
        match self {
            Self::Local(store) => store.fetch_observed(cid).await,
            Self::Kubo(store) => store.fetch_observed(cid).await,
        }
    }

    async fn digest_observed(&self, cid: &Cid, most: u64) -> Result<Digested, StoreError> {
        match self {
            Self::Local(store) => store.digest_observed(cid, most).await,
            Self::Kubo(store) => store.digest_observed(cid, most).await,
        }
    }

    async fn pin_state(&self, cid: &Cid) -> Result<PinState, StoreError> {
        match self {
            Self::Local(store) => store.pin_state(cid).await,
            Self::Kubo(store) => store.pin_state(cid).await,
        }
    }

    async fn remove(&self, cid: &Cid) -> Result<(), StoreError> {
        match self {
            Self::Local(store) => store.remove(cid).await,
            Self::Kubo(store) => store.remove(cid).await,
        }
    }
}

impl AnyStore {
    /// At how many places an object is kept.
    pub fn replicas_wanted(&self) -> usize {
        match self {
            Self::Local(_) => 1,
            Self::Kubo(store) => store.replicas_wanted(),
        }
    }

    /// The objects that are kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Node`], [`StoreError::NoNode`].
    pub async fn pins(&self) -> Result<BTreeSet<Cid>, StoreError> {
        match self {
            Self::Local(store) => store.pins().await,
            Self::Kubo(store) => store.pins().await,
        }
    }

    /// What each node has of an object, all of it read and checked; a folder is one node, `local`.
    pub async fn replicas(&self, cid: &Cid) -> Vec<Replica> {
        let store = match self {
            Self::Local(store) => store,
            Self::Kubo(store) => return store.replicas(cid).await,
        };
        let held = match store.pin_state(cid).await {
            Ok(PinState::Pinned) => match store.look(cid).await {
                Ok(()) => Held::Whole,
                Err(error) if error.says_nothing() => Held::Unknown(error),
                Err(error) => Held::Damaged(error),
            },
            Ok(_) => Held::Not,
            Err(error) => Held::Unknown(error),
        };
        vec![Replica { node: "local".to_owned(), held }]
    }

    /// Brings an object back to as many nodes as it should lie at. A folder has no second copy to
    /// take it from.
    ///
    /// # Errors
    /// As [`KuboStore::repair`]; for a folder as [`LocalStore::look`].
    pub async fn repair(&self, cid: &Cid) -> Result<Repaired, StoreError> {
        match self {
            Self::Local(store) => store.look(cid).await.map(|()| Repaired { before: 1, after: 1 }),
            Self::Kubo(store) => store.repair(cid).await,
        }
    }

    /// Writes `roots` to a new CAR file, each block checked.
    ///
    /// # Errors
    /// Those of [`Store::get`]: the file is not made then; [`StoreError::Unwritable`] if it cannot
    /// be.
    pub(crate) async fn export(
        &self,
        roots: &BTreeSet<Cid>,
        path: &Path,
        existing: Existing,
    ) -> Result<Moved, StoreError> {
        match self {
            Self::Local(store) => store.export(roots, path, existing).await,
            Self::Kubo(store) => store.export(roots, path, existing).await,
        }
    }

    /// Takes in and pins the objects of a CAR file.
    ///
    /// # Errors
    /// [`StoreError::Car`], and those of [`Store::put`].
    pub async fn import(&self, path: &Path) -> Result<Moved, StoreError> {
        match self {
            Self::Local(store) => store.import(path).await,
            Self::Kubo(store) => store.import(path).await,
        }
    }
}
