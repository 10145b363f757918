//! A flag, and what is decided on it.

use super::values::{Checksummed, flag_name, state_name};
use crate::contract::bindings::IImageRegistry::{Flag, RecordState};
use alloy::primitives::B256;
use serde::Serialize;

/// A flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagView {
    id: u64,
    state: &'static str,
    verifier: Checksummed,
    raised_at: u64,
}

impl FlagView {
    /// The flag; none where there was none.
    pub fn of(flag: &Flag) -> Option<Self> {
        (!flag.id.is_zero()).then(|| Self {
            id: flag.id.to(),
            state: flag_name(flag.state),
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
