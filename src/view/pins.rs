//! Where objects lie.

use super::code::Code;
use crate::storage::StoreError;
use crate::storage::kubo::{Held, Repaired};
use alloy::primitives::B256;
use serde::Serialize;

/// Objects, and at how many nodes each should lie.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PinsView {
    wanted: usize,
    pub(crate) too_few: usize,
    pub(crate) objects: Vec<PinnedView>,
}

impl PinsView {
    /// Objects that should lie at so many nodes.
    pub fn new(wanted: usize, objects: Vec<PinnedView>) -> Self {
        let too_few = objects.iter().filter(|object| object.whole < wanted).count();
        Self { wanted, too_few, objects }
    }
}

/// An object.
#[derive(Debug, Clone, Serialize)]
pub struct PinnedView {
    pub(crate) cid: String,
    /// Null, as the part is, for an object that was named by its CID.
    pub(crate) image: Option<B256>,
    pub(crate) part: Option<&'static str>,
    /// How many nodes have it whole.
    pub(crate) whole: usize,
    pub(crate) nodes: Vec<ReplicaView>,
    pub(crate) repaired: Option<RepairedView>,
    /// Why it could not be repaired.
    pub(crate) failure: Option<FailureView>,
}

/// What a node has of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicaView {
    pub(crate) node: String,
    pub(crate) held: &'static str,
    pub(crate) why: Option<String>,
}

/// At how many nodes it was whole before, and is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RepairedView {
    before: usize,
    after: usize,
}

impl From<&Repaired> for RepairedView {
    fn from(repaired: &Repaired) -> Self {
        Self { before: repaired.before, after: repaired.after }
    }
}

/// Why it was not repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureView {
    pub(crate) code: Code,
    pub(crate) message: String,
}

/// What a node has of an object, in a word, and what is wrong with it.
pub fn held(held: &Held) -> (&'static str, Option<&StoreError>) {
    match held {
        Held::Whole => ("whole", None),
        Held::Not => ("absent", None),
        Held::Damaged(error) => ("damaged", Some(error)),
        Held::Unknown(error) => ("unknown", Some(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    #[test]
    fn pins_look_as_they_always_did() {
        let node = |node: &str, held, why: Option<&str>| ReplicaView {
            node: node.to_owned(),
            held,
            why: why.map(str::to_owned),
        };
        let image = PinnedView {
            cid: "bafy-sealed".to_owned(),
            image: Some(B256::repeat_byte(1)),
            part: Some("sealedImage"),
            whole: 1,
            nodes: vec![node("a:5001", "whole", None), node("b:5001", "damaged", Some("a block is altered"))],
            repaired: Some((&Repaired { before: 0, after: 1 }).into()),
            failure: None,
        };
        let failure = Some(FailureView { code: Code::Store, message: "no node answers".to_owned() });
        let named = PinnedView {
            cid: "bafy-named".to_owned(),
            image: None,
            part: None,
            whole: 2,
            nodes: vec![],
            repaired: None,
            failure,
        };
        let view = PinsView::new(2, vec![image, named]);
        assert_eq!(view.too_few, 1);
        assert_eq!(
            json(view).to_string(),
            concat!(
                r#"{"objects":[{"cid":"bafy-sealed","failure":null,"#,
                r#""image":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""nodes":[{"held":"whole","node":"a:5001","why":null},{"held":"damaged","node":"b:5001","#,
                r#""why":"a block is altered"}],"part":"sealedImage","repaired":{"after":1,"before":0},"whole":1},"#,
                r#"{"cid":"bafy-named","failure":{"code":"STORE","message":"no node answers"},"image":null,"#,
                r#""nodes":[],"part":null,"repaired":null,"whole":2}],"tooFew":1,"wanted":2}"#,
            )
        );
    }
}
