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

#[cfg(test)]
pub(super) mod tests {
    use super::super::json;
    use super::*;
    use crate::evaluation::keys::Change;
    use crate::metrics::{BandVerdict, Differences};

    pub(in crate::view) fn rows() -> Vec<Measurement> {
        let row = Measurement {
            name: "npcr",
            label: "NPCR",
            unit: "%",
            value: Some(99.5),
            ideal: Some(99.609_375),
            band: Some((99.5, 99.75)),
            verdict: BandVerdict::Within,
        };
        vec![Measurement { value: None, ideal: None, band: None, verdict: BandVerdict::Undefined, ..row.clone() }, row]
    }

    pub(in crate::view) fn report() -> KeyReport {
        let section = |bits: usize| {
            let mut differences = Differences::new(bits);
            differences.add(&[0b0000_0011], &[0]);
            KeySection {
                bits,
                images: rows(),
                distances: differences.clone(),
                levels: rows(),
                flips: differences.clone(),
                changes: [(Change::Swap, differences)].into(),
            }
        };
        KeyReport { images: 5, repeated: 1, raw_bits: section(8), derived_keys: section(8) }
    }

    #[test]
    fn measurements_look_as_they_always_did() {
        let (first, second) = ("a.png".to_owned(), "a.msl".to_owned());
        assert_eq!(
            json(MeasureView { first, second, measurements: rows() }).to_string(),
            concat!(
                r#"{"first":"a.png","measurements":[{"band":null,"ideal":null,"label":"NPCR","name":"npcr","#,
                r#""unit":"%","value":null,"verdict":"undefined"},{"band":[99.5,99.75],"ideal":99.609375,"#,
                r#""label":"NPCR","name":"npcr","unit":"%","value":99.5,"verdict":"within"}],"second":"a.msl"}"#,
            )
        );
    }

    #[test]
    fn a_report_on_keys_looks_as_it_always_did() {
        let passed_over = vec![PassedOverView { file: "x.txt".to_owned(), reason: "it is no image".to_owned() }];
        let report = report();
        let view = KeyReportView {
            folder: Some("scans".to_owned()),
            phantoms: 0,
            seed: 1,
            model: B256::repeat_byte(0x3d),
            engine: "tract",
            passed_over,
            picture: None,
            report: KeyFiguresView::from(&report),
        };
        assert_eq!(
            json(view).to_string(),
            concat!(
                r#"{"derivedKeys":{"bits":8,"changes":[{"change":"two samples swapped","count":1,"#,
                r#""measurements":[{"band":[-20.710678118654755,120.71067811865476],"ideal":50.0,"#,
                r#""label":"flipped bits, mean","name":"meanFlips","unit":"%","value":25.0,"verdict":"within"},"#,
                r#"{"band":null,"ideal":1.4142135623730951,"label":"flipped bits, sd","name":"sdFlips","#,
                r#""unit":"bit","value":2.0,"verdict":"notJudged"},{"band":[0.0,8.0],"ideal":4.0,"#,
                r#""label":"flipped bits, least","name":"leastFlips","unit":"bit","value":2.0,"verdict":"within"},"#,
                r#"{"band":[0.0,100.0],"ideal":63.671875,"label":"changes that flip >= 45 %","name":"enoughFlips","#,
                r#""unit":"%","value":0.0,"verdict":"within"}]}],"distances":[0,0,1,0,0,0,0,0,0],"flips":[0,0,1,0,"#,
                r#"0,0,0,0,0],"images":[{"band":null,"ideal":null,"label":"NPCR","name":"npcr","unit":"%","#,
                r#""value":null,"verdict":"undefined"},{"band":[99.5,99.75],"ideal":99.609375,"label":"NPCR","#,
                r#""name":"npcr","unit":"%","value":99.5,"verdict":"within"}],"levels":[{"band":null,"ideal":null,"#,
                r#""label":"NPCR","name":"npcr","unit":"%","value":null,"verdict":"undefined"},{"band":[99.5,"#,
                r#"99.75],"ideal":99.609375,"label":"NPCR","name":"npcr","unit":"%","value":99.5,"#,
                r#""verdict":"within"}]},"engine":"tract","folder":"scans","images":5,"#,
                r#""model":"0x3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d","#,
                r#""passedOver":[{"file":"x.txt","reason":"it is no image"}],"phantoms":0,"picture":null,"#,
                r#""rawBits":{"bits":8,"changes":[{"change":"two samples swapped","count":1,"#,
                r#""measurements":[{"band":[-20.710678118654755,120.71067811865476],"ideal":50.0,"#,
                r#""label":"flipped bits, mean","name":"meanFlips","unit":"%","value":25.0,"verdict":"within"},"#,
                r#"{"band":null,"ideal":1.4142135623730951,"label":"flipped bits, sd","name":"sdFlips","#,
                r#""unit":"bit","value":2.0,"verdict":"notJudged"},{"band":[0.0,8.0],"ideal":4.0,"#,
                r#""label":"flipped bits, least","name":"leastFlips","unit":"bit","value":2.0,"verdict":"within"},"#,
                r#"{"band":[0.0,100.0],"ideal":63.671875,"label":"changes that flip >= 45 %","name":"enoughFlips","#,
                r#""unit":"%","value":0.0,"verdict":"within"}]}],"distances":[0,0,1,0,0,0,0,0,0],"flips":[0,0,1,0,"#,
                r#"0,0,0,0,0],"images":[{"band":null,"ideal":null,"label":"NPCR","name":"npcr","unit":"%","#,
                r#""value":null,"verdict":"undefined"},{"band":[99.5,99.75],"ideal":99.609375,"label":"NPCR","#,
                r#""name":"npcr","unit":"%","value":99.5,"verdict":"within"}],"levels":[{"band":null,"ideal":null,"#,
                r#""label":"NPCR","name":"npcr","unit":"%","value":null,"verdict":"undefined"},{"band":[99.5,"#,
                r#"99.75],"ideal":99.609375,"label":"NPCR","name":"npcr","unit":"%","value":99.5,"#,
                r#""verdict":"within"}]},"repeated":1,"seed":1}"#,
            )
        );
    }
}
