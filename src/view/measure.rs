//! Measurements of images, ciphertext and keys.

use crate::evaluation::keys::{KeyReport, KeySection};
use crate::metrics::Measurement;
use alloy::primitives::B256;
use serde::Serialize;

/// What was measured of two files.
#[derive(Debug, Clone, Serialize)]
pub struct MeasureView {
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) measurements: Vec<Measurement>,
}

/// What was counted of the keys of many images, and from what.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyReportView<'a> {
    pub(crate) folder: Option<String>,
    pub(crate) phantoms: u64,
    pub(crate) seed: u64,
    /// SHA-256 of the transformer's weights.
    pub(crate) model: B256,
    pub(crate) engine: &'a str,
    pub(crate) passed_over: Vec<PassedOverView>,
    pub(crate) picture: Option<String>,
    #[serde(flatten)]
    pub(crate) report: KeyFiguresView<'a>,
}

/// A file that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOverView {
    pub(crate) file: String,
    pub(crate) reason: String,
}

/// The figures.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyFiguresView<'a> {
    images: usize,
    repeated: usize,
    raw_bits: KeySectionView<'a>,
    derived_keys: KeySectionView<'a>,
}

impl<'a> From<&'a KeyReport> for KeyFiguresView<'a> {
    fn from(report: &'a KeyReport) -> Self {
        Self {
            images: report.images,
            repeated: report.repeated,
            raw_bits: KeySectionView::from(&report.raw_bits),
            derived_keys: KeySectionView::from(&report.derived_keys),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
struct KeySectionView<'a> {
    bits: usize,
    images: &'a [Measurement],
    levels: &'a [Measurement],
    changes: Vec<ChangeView>,
    /// How many pairs differ in so many bits.
    distances: &'a [u64],
    /// How many changes flip so many bits.
    flips: &'a [u64],
}

#[derive(Debug, Clone, Serialize)]
struct ChangeView {
    change: String,
    count: u64,
    measurements: [Measurement; 4],
}

impl<'a> From<&'a KeySection> for KeySectionView<'a> {
    fn from(section: &'a KeySection) -> Self {
        let changes = section.changes.iter().map(|(change, differences)| ChangeView {
            change: change.to_string(),
            count: differences.total(),
            measurements: differences.flip_rows(),
        });
        Self {
            bits: section.bits,
            images: &section.images,
            levels: &section.levels,
            changes: changes.collect(),
            distances: section.distances.counts(),
            flips: section.flips.counts(),
        }
    }
}
