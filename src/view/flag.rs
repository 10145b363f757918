//! A flag, and what is decided on it.

use super::values::{Checksummed, flag_name, state_name};
use crate::contract::bindings::IImageRegistry::{Flag, RecordState};
use crate::contract::flag_number;
use alloy::primitives::B256;
use serde::Serialize;

/// A flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagView {
    /// Which of the image's flags, from 1.
    id: u64,
    state: &'static str,
    /// How many verifiers observed other bytes while it was open.
    verifiers: u32,
    verifier: Checksummed,
    raised_at: u64,
}

impl FlagView {
    /// The flag; none where there was none.
    pub fn of(flag: &Flag) -> Option<Self> {
        (flag.id != 0).then(|| Self {
            id: flag_number(flag.id),
            state: flag_name(flag.state),
            verifiers: flag.verifiers,
            verifier: flag.verifier.into(),
            raised_at: flag.raisedAt.to(),
        })
    }
}

/// The newest flag of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlaggedView {
    image_id: B256,
    state: &'static str,
    flag: Option<FlagView>,
}

impl FlaggedView {
    /// The flag of the image `id`, whose record has this state.
    pub fn new(id: B256, state: RecordState, flag: &Flag) -> Self {
        Self { image_id: id, state: state_name(state), flag: FlagView::of(flag) }
    }
}

/// A flag that was confirmed or dismissed, and the record's state since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagDecisionView {
    pub(crate) image_id: B256,
    pub(crate) flag: u64,
    pub(crate) confirmed: bool,
    pub(crate) state: &'static str,
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::super::record::tests::{flag, no_flag};
    use super::*;

    #[test]
    fn a_flag_looks_as_it_always_did() {
        let id = B256::repeat_byte(1);
        assert_eq!(
            json(FlaggedView::new(id, RecordState::Flagged, &flag())).to_string(),
            concat!(
                r#"{"flag":{"id":2,"raisedAt":1700000100,"state":"open","#,
                r#""verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","verifiers":2},"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""state":"flagged"}"#,
            )
        );
        assert_eq!(
            json(FlaggedView::new(id, RecordState::Registered, &no_flag())).to_string(),
            concat!(
                r#"{"flag":null,"imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""state":"registered"}"#,
            )
        );
        let state = state_name(RecordState::Tampered);
        assert_eq!(
            json(FlagDecisionView { image_id: id, flag: 2, confirmed: true, state }).to_string(),
            concat!(
                r#"{"confirmed":true,"flag":2,"#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""state":"tampered"}"#,
            )
        );
    }
}
