//! One figure of the keys of many images: in how many bits they differ, beside what random bits
//! would give.

use kuva::backend::svg::SvgBackend;
use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

use super::{KeyReport, KeySection};
use crate::evaluation::figures::{HAIR, INK, MUTED, heading, rect, shortened, text};
use crate::metrics::{Differences, Measurement};

const WIDTH: f64 = 1000.0;
const MARGIN: f64 = 40.0;
const GAP: f64 = 40.0;
const TOP: f64 = 90.0; // title and subtitle
const TITLE: f64 = 30.0; // a panel's title
const PLOT: f64 = 170.0;
const BELOW: f64 = 74.0; // axis and captions
const PANEL: f64 = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;

const BARS: Color = Color::Rgb(0x4a, 0x7b, 0xa6);
const CURVE: Color = Color::Rgb(0xc4, 0x4e, 0x2d);

/// Returns an SVG: for raw bits and for derived keys, a histogram of the distances between images
/// and one of the bits that one grey level flips, each with the curve of fair coins. The same
/// report gives the same bytes.
pub fn key_figure(subtitle: &str, report: &KeyReport) -> String {
    let mut scene = Scene::new(WIDTH, TOP + 2.0 * (TITLE + PLOT + BELOW) + 20.0);
    scene.font_family = Some("DejaVu Sans, Verdana, sans-serif".to_owned());
    let across = WIDTH - 2.0 * MARGIN;
    heading(&mut scene, MARGIN, 40.0, "Keys of images (bars) and of fair coins (curve)", 22);
    scene.add(text(MARGIN, 66.0, &shortened(subtitle, across, 13.0), 13, TextAnchor::Start, MUTED));
    for (row, (name, section)) in
        [("raw bits", &report.raw_bits), ("derived keys", &report.derived_keys)].iter().enumerate()
    {
        let top = TOP + row as f64 * (TITLE + PLOT + BELOW);
        let KeySection { bits, images, distances, levels, flips, .. } = section;
        let title = format!("{name}, {bits}: distance of unlike images");
        panel(&mut scene, (MARGIN, top), &title, distances, ("pairs", &images[images.len() - 4..]));
        let title = format!("{name}, {bits}: bits flipped by one grey level");
        panel(&mut scene, (MARGIN + PANEL + GAP, top), &title, flips, ("changes", levels));
    }
    SvgBackend::new().with_pretty(true).render_scene(&scene)
}

/// A histogram over every number of bits from six standard deviations below one half to as far
/// above, or as far as there are pairs.
fn panel(
    scene: &mut Scene,
    (left, top): (f64, f64),
    title: &str,
    differences: &Differences,
    (what, rows): (&str, &[Measurement]),
) {
    heading(scene, left, top + 18.0, title, 14);
    let (ideal, counts) = (differences.ideal_counts(), differences.counts());
    let (first, last) = shown(differences);
    let highest = ideal.iter().copied().chain(counts.iter().map(|count| *count as f64)).fold(1.0, f64::max);
    let floor = top + TITLE + PLOT;
    let bar = PANEL / (last - first + 1) as f64;
    let height = |value: f64| floor - PLOT * value / highest;

    let mut outline = format!("M {left:.2} {floor:.2}");
    let mut curve = Vec::new();
    for (place, bits) in (first..=last).enumerate() {
        let (from, to) = (left + place as f64 * bar, left + (place + 1) as f64 * bar);
        let level = height(counts[bits] as f64);
        outline.push_str(&format!(" L {from:.2} {level:.2} L {to:.2} {level:.2}"));
        curve.push(((from + to) / 2.0, height(ideal[bits])));
    }
    outline.push_str(&format!(" L {:.2} {floor:.2} Z", left + PANEL));
    scene.add(Primitive::Path(Box::new(PathData {
        d: outline,
        fill: Some(BARS),
        stroke: Color::None,
        stroke_width: 0.0,
        opacity: None,
        stroke_dasharray: None,
    })));
    scene.add(Primitive::PolyLine { points: curve, stroke: CURVE, stroke_width: 1.5, stroke_dasharray: None });
    scene.add(rect(left, floor, PANEL, 1.0, HAIR, None));

    let half = differences.bits() / 2;
    let at = |bits: usize| left + (bits - first) as f64 * bar + bar / 2.0;
    scene.add(text(left, floor + 16.0, &format!("{first} bits"), 11, TextAnchor::Start, MUTED));
    scene.add(text(at(half), floor + 16.0, &half.to_string(), 11, TextAnchor::Middle, MUTED));
    scene.add(text(left + PANEL, floor + 16.0, &last.to_string(), 11, TextAnchor::End, MUTED));
    let [mean, sd, least] = [0, 1, 2].map(|index| &rows[index]);
    let found = format!(
        "{} {what}: mean {} %, sd {}, least {} bits",
        differences.total(),
        number(mean.value, 2),
        number(sd.value, 2),
        number(least.value, 0),
    );
    let coins = format!("fair coins: mean 50 %, sd {}, least {} bits", number(sd.ideal, 2), number(least.ideal, 0));
    for (line, (caption, color)) in [(found, INK), (coins, MUTED)].into_iter().enumerate() {
        let y = floor + 36.0 + 16.0 * line as f64;
        scene.add(text(left, y, &shortened(&caption, PANEL, 12.0), 12, TextAnchor::Start, color));
    }
}

/// The first and the last number of bits on the axis.
fn shown(differences: &Differences) -> (usize, usize) {
    let (bits, counts) = (differences.bits(), differences.counts());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a few times the root of `bits`
    let reach = (3.0 * (bits as f64).sqrt()).ceil() as usize;
    let (low, high) = ((bits / 2).saturating_sub(reach), (bits / 2 + reach).min(bits));
    let found = |mut at: std::ops::RangeInclusive<usize>, up: bool| {
        let some = |bits: &usize| counts[*bits] > 0;
        if up { at.rev().find(some) } else { at.find(some) }
    };
    (found(0..=bits, false).unwrap_or(low).min(low), found(0..=bits, true).unwrap_or(high).max(high))
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn section(bits: usize, differing: &[(u8, u8)]) -> KeySection {
        let mut counted = Differences::new(bits);
        differing.iter().for_each(|(one, other)| counted.add(&vec![*one; bits / 8], &vec![*other; bits / 8]));
        KeySection {
            bits,
            images: counted.distance_rows().to_vec(),
            distances: counted.clone(),
            levels: counted.flip_rows().to_vec(),
            flips: counted,
            changes: BTreeMap::new(),
        }
    }

    fn report(differing: &[(u8, u8)]) -> KeyReport {
        let (raw_bits, derived_keys) = (section(768, differing), section(256, differing));
        KeyReport { images: 2, repeated: 0, raw_bits, derived_keys }
    }

    #[test]
    fn a_picture_says_what_was_counted() {
        let figure = key_figure("a <subtitle>", &report(&[(0, 0x0f), (0, 0xf0), (0, 0x1f)]));
        assert!(figure.starts_with("<svg ") && figure.trim_end().ends_with("</svg>"));
        assert!(figure.contains("a &lt;subtitle&gt;") && figure.contains("raw bits, 768: distance of unlike images"));
        assert!(figure.contains("3 pairs: mean 54.17 %") && figure.contains("3 changes: mean 54.17 %"));
        assert_eq!(figure.matches("<path").count(), 8, "bars and curve of four panels");
        assert_eq!(figure, key_figure("a <subtitle>", &report(&[(0, 0x0f), (0, 0xf0), (0, 0x1f)])));
        assert_ne!(figure, key_figure("a <subtitle>", &report(&[(0, 0x0f), (0, 0xf0), (0, 0x3f)])));
    }

    #[test]
    fn the_axis_reaches_as_far_as_there_are_pairs() {
        assert_eq!(shown(&section(768, &[(0, 0x0f)]).distances), (300, 468));
        assert_eq!(shown(&section(768, &[(0, 0), (0, 0x0f)]).distances), (0, 468));
        assert_eq!(shown(&section(768, &[(0, 0xff)]).distances), (300, 768));
        assert_eq!(shown(&Differences::new(8)), (0, 8));
    }

    #[test]
    fn nothing_counted_is_drawn_too() {
        assert!(key_figure("none", &report(&[])).contains("0 pairs: mean - %"));
    }
}
