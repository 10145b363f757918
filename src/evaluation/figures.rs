//! The seal figure (compare the paper's figure 3): plain, permuted, substituted, sealed, opened,
//! each with its histogram.
//!
//! Text, bars and lines are drawn by `kuva` with the font that it carries; the pictures are laid
//! over them pixel by pixel.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageFormat, RgbaImage};
use kuva::RasterBackend;
use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor, TextSpan};

pub use super::panel::{Histogram, Panel};

/// Width of the figure, in pixels.
pub const WIDTH: u32 = 1600;
const MARGIN: f64 = 40.0;
const GAP: f64 = 30.0;
const TOP: f64 = 104.0; // title and subtitle
const TITLE: f64 = 34.0; // a panel's title
const HISTOGRAM: f64 = 110.0;
const CAPTION: f64 = 24.0;

pub(super) const INK: Color = Color::Rgb(0x1f, 0x29, 0x33);
pub(super) const MUTED: Color = Color::Rgb(0x6b, 0x74, 0x80);
pub(super) const HAIR: Color = Color::Rgb(0xd5, 0xda, 0xe0);
const PAPER: Color = Color::Rgb(0xf4, 0xf6, 0xf8);
const BARS: Color = Color::Rgb(0x4a, 0x7b, 0xa6);

/// Why there is no figure.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FigureError {
    /// Too few or too many panels side by side.
    #[error("expected 1 to 6 panels, found {0}")]
    Panels(usize),
    /// A panel's grey levels are not `height * width`, or there are none.
    #[error("expected {height} x {width} grey levels, found {found}")]
    Grey {
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
        /// What there is.
        found: usize,
    },
    /// The picture could not be drawn or encoded.
    #[error("cannot draw the figure: {0}")]
    Draw(String),
}

/// Where the parts of the figure stand, in pixels.
struct Layout {
    panel: f64,
    height: f64,
}

impl Layout {
    fn of(panels: &[Panel]) -> Self {
        let count = panels.len().max(5) as f64; // fewer than five panels keep the size of five
        let panel = ((f64::from(WIDTH) - 2.0 * MARGIN - GAP * (count - 1.0)) / count).floor();
        let captions = panels.iter().map(|panel| panel.captions.len()).max().unwrap_or(0) as f64;
        let height = TOP + TITLE + panel + 22.0 + HISTOGRAM + 36.0 + CAPTION * captions + MARGIN;
        Self { panel, height }
    }

    fn left(&self, index: usize) -> f64 {
        MARGIN + index as f64 * (self.panel + GAP)
    }
}

/// Returns a PNG, [`WIDTH`] pixels wide: a row of panels, each with title, picture, histogram and
/// captions, under a title and a subtitle.
///
/// Histograms have a square-root scale, each to its own highest bin: on a linear one the background
/// of a scan hides the tissue. The same panels give the same bytes.
///
/// # Errors
/// [`FigureError`] if there are no panels or more than six, or a panel's picture does not have the
/// size it says.
pub fn seal_figure(title: &str, subtitle: &str, panels: &[Panel]) -> Result<Vec<u8>, FigureError> {
    if !(1..=6).contains(&panels.len()) {
        return Err(FigureError::Panels(panels.len()));
    }
    let layout = Layout::of(panels);
    let mut scene = Scene::new(f64::from(WIDTH), layout.height);
    let across = f64::from(WIDTH) - 2.0 * MARGIN;
    heading(&mut scene, MARGIN, 52.0, &shortened(title, across, 26.0), 26);
    scene.add(text(MARGIN, 80.0, &shortened(subtitle, across, 15.0), 15, TextAnchor::Start, MUTED));
    for (index, panel) in panels.iter().enumerate() {
        draw_panel(&mut scene, &layout, index, panel);
        if index > 0 {
            scene.add(chevron(layout.left(index) - GAP / 2.0, TOP + TITLE + layout.panel / 2.0));
        }
    }
    let drawn = RasterBackend::new().with_scale(1.0).render_scene(&scene).map_err(FigureError::Draw)?;
    let failed = |error: image::ImageError| FigureError::Draw(error.to_string());
    let mut canvas = image::load_from_memory_with_format(&drawn, ImageFormat::Png).map_err(failed)?.into_rgba8();
    for (index, panel) in panels.iter().enumerate() {
        lay_picture(&mut canvas, &layout, index, panel)?;
    }
    let mut png = Cursor::new(Vec::new());
    // Sealed pictures are noise, which no PNG filter shrinks; only the equality of the three
    // channels compresses.
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, PngFilter::NoFilter);
    DynamicImage::from(canvas).into_rgb8().write_with_encoder(encoder).map_err(failed)?;
    Ok(png.into_inner())
}

/// All of a panel but its picture.
fn draw_panel(scene: &mut Scene, layout: &Layout, index: usize, panel: &Panel) {
    let (left, side) = (layout.left(index), layout.panel);
    heading(scene, left, TOP + 20.0, &shortened(&panel.title, side, 17.0), 17);
    scene.add(rect(left, TOP + TITLE, side, side, PAPER, Some(HAIR)));

    let floor = TOP + TITLE + side + 22.0 + HISTOGRAM;
    let highest = panel.histogram.counts.iter().max().copied().unwrap_or(0).max(1) as f64;
    let bar = side / 256.0;
    let mut outline = format!("M {left} {floor}");
    for (bin, count) in panel.histogram.counts.iter().enumerate() {
        let top = floor - HISTOGRAM * (*count as f64 / highest).sqrt();
        let (from, to) = (left + bin as f64 * bar, left + (bin + 1) as f64 * bar);
        outline.push_str(&format!(" L {from:.2} {top:.2} L {to:.2} {top:.2}"));
    }
    outline.push_str(&format!(" L {} {floor} Z", left + side));
    scene.add(Primitive::Path(Box::new(PathData {
        d: outline,
        fill: Some(BARS),
        stroke: Color::None,
        stroke_width: 0.0,
        opacity: None,
        stroke_dasharray: None,
    })));
    scene.add(rect(left, floor, side, 1.0, MUTED, None));
    let Histogram { low, high, .. } = panel.histogram;
    scene.add(text(left, floor + 17.0, &plain_number(low), 12, TextAnchor::Start, MUTED));
    scene.add(text(left + side, floor + 17.0, &plain_number(high), 12, TextAnchor::End, MUTED));

    for (line, (what, value)) in panel.captions.iter().enumerate() {
        let y = floor + 36.0 + CAPTION * (line as f64 + 0.6);
        let value = shortened(value, side * 0.6, 14.0);
        let what = shortened(what, side - 14.0 - text_width(&value, 14.0), 14.0);
        scene.add(text(left, y, &what, 14, TextAnchor::Start, MUTED));
        scene.add(text(left + side, y, &value, 14, TextAnchor::End, INK));
    }
}

/// Lays the picture into its square, as large as it fits, small ones with sharp pixels.
fn lay_picture(canvas: &mut RgbaImage, layout: &Layout, index: usize, panel: &Panel) -> Result<(), FigureError> {
    let (height, width) = (panel.height, panel.width);
    let wrong = || FigureError::Grey { height, width, found: panel.grey.len() };
    let grey = GrayImage::from_raw(width, height, panel.grey.clone()).ok_or_else(wrong)?;
    if panel.grey.is_empty() || panel.grey.len() as u64 != u64::from(width) * u64::from(height) {
        return Err(wrong());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below WIDTH
    let (side, left, top) = (layout.panel as u32, layout.left(index) as i64, (TOP + TITLE) as i64);
    let longer = u64::from(width.max(height));
    let fitted = |size: u32| u32::try_from(u64::from(size) * u64::from(side) / longer).unwrap_or(side).max(1);
    let filter = if longer <= u64::from(side) { FilterType::Nearest } else { FilterType::Triangle };
    let picture = imageops::resize(&grey, fitted(width), fitted(height), filter);
    let (x, y) = (i64::from(side - picture.width()) / 2, i64::from(side - picture.height()) / 2);
    imageops::overlay(canvas, &DynamicImage::from(picture).into_rgba8(), left + x, top + y);
    Ok(())
}

pub(super) fn text(x: f64, y: f64, content: &str, size: u32, anchor: TextAnchor, color: Color) -> Primitive {
    // A dollar sign would open a formula.
    let content = content.replace('$', "\\$");
    Primitive::Text { x, y, content, size, anchor, rotate: None, bold: false, color: Some(color) }
}

pub(super) fn heading(scene: &mut Scene, x: f64, y: f64, content: &str, size: u32) {
    let span =
        TextSpan { text: content.to_owned(), bold: true, italic: false, underline: false, code: false, math: false };
    scene.add(Primitive::RichText { x, y, spans: vec![span], size, anchor: TextAnchor::Start, color: Some(INK) });
}

pub(super) fn rect(x: f64, y: f64, width: f64, height: f64, fill: Color, stroke: Option<Color>) -> Primitive {
    Primitive::Rect { x, y, width, height, fill, stroke, stroke_width: Some(1.0), opacity: None }
}

/// A small arrow head pointing right, from one panel to the next.
fn chevron(x: f64, y: f64) -> Primitive {
    let points = vec![(x - 4.0, y - 8.0), (x + 4.0, y), (x - 4.0, y + 8.0)];
    Primitive::PolyLine { points, stroke: MUTED, stroke_width: 2.0, stroke_dasharray: None }
}

/// About how wide a text is in the font at hand: a little more than prose and numbers take.
fn text_width(content: &str, size: f64) -> f64 {
    content.chars().count() as f64 * size * 0.62
}

/// The text, cut with an ellipsis where it is wider than `width`.
pub(super) fn shortened(content: &str, width: f64, size: f64) -> String {
    if text_width(content, size) <= width {
        return content.to_owned();
    }
    let mut kept = String::new();
    for character in content.chars() {
        if text_width(&kept, size) + 2.0 * size * 0.62 > width {
            break;
        }
        kept.push(character);
    }
    kept + "…"
}

/// A number on an axis: whole where it is whole.
fn plain_number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 { format!("{value:.0}") } else { format!("{value:.3e}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // places in the figure, below WIDTH
    use super::*;

    fn decoded(png: &[u8]) -> image::RgbImage {
        image::load_from_memory_with_format(png, ImageFormat::Png).expect("a PNG").into_rgb8()
    }

    /// A panel of one colour, `width x height`.
    fn flat(width: u32, height: u32, grey: u8, captions: usize) -> Panel {
        let captions = vec![("horizontal correlation".to_owned(), "0.9981".to_owned()); captions];
        let histogram = Histogram::of(&[0.0, 255.0]);
        Panel { title: "plain".into(), width, height, grey: vec![grey; (width * height) as usize], histogram, captions }
    }

    #[test]
    fn pictures_stand_in_their_places() {
        let greys = [10, 60, 110, 160, 210];
        let sizes = [(256, 256), (512, 512), (1, 1), (31, 17), (300, 1000)];
        let panels: Vec<_> = greys.iter().zip(sizes).map(|(grey, (w, h))| flat(w, h, *grey, 2)).collect();
        let png = seal_figure("title", "subtitle", &panels).expect("a figure");
        let figure = decoded(&png);
        let layout = Layout::of(&panels);
        assert_eq!((figure.width(), f64::from(figure.height())), (1600, layout.height.ceil()));
        for (index, grey) in greys.into_iter().enumerate() {
            let x = (layout.left(index) + layout.panel / 2.0) as u32;
            let y = (TOP + TITLE + layout.panel / 2.0) as u32;
            assert_eq!(figure.get_pixel(x, y).0, [grey; 3], "panel {index}");
        }
        let corner = figure.get_pixel(1599, figure.height() - 1).0;
        assert_eq!((figure.get_pixel(0, 0).0, corner), ([255; 3], [255; 3]));
        assert_eq!(seal_figure("title", "subtitle", &panels).expect("a figure"), png, "the same bytes again");
    }

    /// Bars of 1 and of 0.25 of the highest: full height and half of it, by the square root.
    #[test]
    fn bars_have_their_heights() {
        let values: Vec<f64> = [vec![0.0; 400], vec![1.0; 100]].concat();
        let panel = Panel { histogram: Histogram::of(&values), ..flat(8, 8, 0, 0) };
        let layout = Layout::of(std::slice::from_ref(&panel));
        let figure = decoded(&seal_figure("t", "s", &[panel]).expect("a figure"));
        let floor = (TOP + TITLE + layout.panel + 22.0 + HISTOGRAM) as u32;
        let height = |x: u32| (1..130).take_while(|up| figure.get_pixel(x, floor - up).0 != [255; 3]).count();
        let (left, right) = (layout.left(0) as u32, (layout.left(0) + layout.panel) as u32 - 1);
        assert!(height(left).abs_diff(110) <= 1, "{}", height(left));
        assert!(height(right).abs_diff(55) <= 1, "{}", height(right));
        assert_eq!(height((left + right) / 2), 0);
    }

    #[test]
    fn what_cannot_be_drawn() {
        assert_eq!(seal_figure("", "", &[]), Err(FigureError::Panels(0)));
        assert_eq!(seal_figure("", "", &vec![flat(4, 4, 0, 0); 7]), Err(FigureError::Panels(7)));
        for (width, height, found) in [(4, 4, 15), (4, 4, 17), (0, 4, 0), (4, 0, 0)] {
            let panel = Panel { width, height, grey: vec![0; found], ..flat(1, 1, 0, 0) };
            assert_eq!(seal_figure("", "", &[panel]), Err(FigureError::Grey { height, width, found }));
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(shortened("plain", 100.0, 17.0), "plain");
        let cut = shortened(&"w".repeat(200), 280.0, 17.0);
        assert!(cut.ends_with('…') && text_width(&cut, 17.0) <= 280.0, "{cut}");
    }
}
