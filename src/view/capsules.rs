//! For whom an image's key is sealed.

use crate::envelope::capsules::{Holder, X25519Public};
use crate::pipeline::{CapsulesAt, Recapsuled};
use alloy::primitives::B256;
use serde::Serialize;

/// The newest capsules of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapsulesView {
    image_id: B256,
    version: u64,
    hash: B256,
    cid: String,
    pub(crate) holders: Vec<HolderView>,
}

impl CapsulesView {
    /// The capsules at `at`, one for each of these holders.
    pub fn new<'a>(id: B256, at: CapsulesAt, holders: impl IntoIterator<Item = &'a Holder>) -> Self {
        let holders = holders.into_iter().map(HolderView::from).collect();
        Self { image_id: id, version: at.version, hash: at.hash, cid: at.cid.to_string(), holders }
    }
}

/// One for whom the key is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HolderView {
    pub(crate) holder: &'static str,
    pub(crate) key_id: B256,
    /// Of a Key Generation Center's key; the others have none.
    pub(crate) epoch: Option<u32>,
}

impl From<&Holder> for HolderView {
    fn from(holder: &Holder) -> Self {
        let (holder, key_id, epoch) = match *holder {
            Holder::Kgc { id, epoch } => ("kgc", id, Some(epoch)),
            Holder::Reader { key_id } => ("reader", key_id, None),
            Holder::Recovery { key_id } => ("recovery", key_id, None),
            Holder::Share { id, epoch, .. } => ("share", id, Some(epoch)),
        };
        Self { holder, key_id, epoch }
    }
}

/// Readers for whom the key was sealed too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapsulesAddedView {
    image_id: B256,
    added: usize,
    /// Null, as hash and CID are, where all of them had a capsule.
    version: Option<u64>,
    hash: Option<B256>,
    cid: Option<String>,
}

impl CapsulesAddedView {
    /// What was made for the image `id`, if anything had to be.
    pub fn new(id: B256, made: Option<&Recapsuled>) -> Self {
        Self {
            image_id: id,
            added: made.map_or(0, |made| made.added),
            version: made.map(|made| made.version + 1),
            hash: made.map(|made| made.hash),
            cid: made.map(|made| made.cid.to_string()),
        }
    }
}

/// A reader's key: the public half of what went into a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReaderKeyView {
    file: String,
    pub(crate) public: B256,
    key_id: B256,
}

impl ReaderKeyView {
    /// The key in `file`.
    pub fn new(file: String, public: &X25519Public) -> Self {
        Self { file, public: public.as_bytes().into(), key_id: public.key_id() }
    }
}
