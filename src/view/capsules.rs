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

/// Earlier capsules that were put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapsulesRestoredView {
    image_id: B256,
    /// Which set it was.
    restored: u64,
    /// Which one it is now.
    version: u64,
    hash: B256,
    cid: String,
}

impl CapsulesRestoredView {
    /// Set `restored` of the image `id`.
    pub fn new(id: B256, restored: u64, made: &Recapsuled) -> Self {
        let (version, hash, cid) = (made.version + 1, made.hash, made.cid.to_string());
        Self { image_id: id, restored, version, hash, cid }
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

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use crate::storage::Cid;

    #[test]
    fn capsules_look_as_they_always_did() {
        let (id, key_id) = (B256::repeat_byte(1), B256::repeat_byte(0x0c));
        let at = CapsulesAt { version: 2, hash: B256::repeat_byte(6), cid: Cid::of(b"newer capsules") };
        let holders = [Holder::Kgc { id: key_id, epoch: 3 }, Holder::Reader { key_id }, Holder::Recovery { key_id }];
        assert_eq!(
            json(CapsulesView::new(id, at, &holders)).to_string(),
            concat!(
                r#"{"cid":"bafkreibakr5mhzxulfb3qgmyk6tzhhmdxeip5pzgbotglbw3ssnrg5inkm","#,
                r#""hash":"0x0606060606060606060606060606060606060606060606060606060606060606","#,
                r#""holders":[{"epoch":3,"holder":"kgc","#,
                r#""keyId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"},{"epoch":null,"#,
                r#""holder":"reader","keyId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"},"#,
                r#"{"epoch":null,"holder":"recovery","#,
                r#""keyId":"0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"}],"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","version":2}"#,
            )
        );
        let made = Recapsuled { version: 2, hash: B256::repeat_byte(6), cid: at.cid, added: 1 };
        assert_eq!(
            json(CapsulesAddedView::new(id, Some(&made))).to_string(),
            concat!(
                r#"{"added":1,"cid":"bafkreibakr5mhzxulfb3qgmyk6tzhhmdxeip5pzgbotglbw3ssnrg5inkm","#,
                r#""hash":"0x0606060606060606060606060606060606060606060606060606060606060606","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","version":3}"#,
            )
        );
        assert_eq!(
            json(CapsulesAddedView::new(id, None)).to_string(),
            concat!(
                r#"{"added":0,"cid":null,"hash":null,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","version":null}"#,
            )
        );
        let public = X25519Public::from_bytes([9; 32]).expect("a key");
        assert_eq!(
            json(ReaderKeyView::new("reader.key".to_owned(), &public)).to_string(),
            concat!(
                r#"{"file":"reader.key","#,
                r#""keyId":"0x8c0cc17a04942cc4f8e0fe0b302606d3108860c126428ba2ceeb5f9ed41c2b05","#,
                r#""public":"0x0909090909090909090909090909090909090909090909090909090909090909"}"#,
            )
        );
    }
}
