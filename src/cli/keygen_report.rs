//! `medseal keygen-report`.

use super::error::CliError;
use super::output::{Outcome, Talk, chain_of, check_free, progress, say, table, write_file};
use super::settings::Settings;
use super::stdio::say_line;
use super::stdio::shown_path;
use super::{seal, transformer};
use crate::evaluation::keys::{KeyReport, KeySection, KeySurvey, Subject, key_figure, small_phantom};
use crate::imaging::{Format, Limits, decode};
use crate::metrics::{BandVerdict, Differences};
use crate::pipeline::PipelineError;
use crate::view::{KeyFiguresView, KeyReportView, PassedOverView};
use crate::words::escaped;
use std::path::{Path, PathBuf};

/// Balance, correlation and distance of raw bits and derived keys, and how many bits the smallest
/// changes to an image flip, each compared with fair coins. No chain is needed, and nothing is
/// sealed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder with images; its subfolders are searched too
    #[arg(value_name = "DIR", required_unless_present = "phantoms")]
    folder: Option<PathBuf>,
    /// Generate this many head phantoms, instead of the folder or in addition to it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    phantoms: Option<u64>,
    /// About how many changes to try, spread over the images: one level in one sample, swaps,
    /// shifts, constants
    #[arg(long, value_name = "N", default_value_t = 4400, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    changes: u64,
    /// Seed that decides which samples are changed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Draw the histograms of distances and flips, as SVG
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Overwrite the picture
    #[arg(long, requires = "picture")]
    force: bool,
}

/// A file that was passed over, and why.
struct Skipped {
    file: PathBuf,
    reason: String,
}

pub(super) fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    if let Some(picture) = &args.picture {
        check_free(picture, args.force)?;
    }
    let files = match &args.folder {
        Some(folder) => files_under(folder)?,
        None => Vec::new(),
    };
    let (files, others): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|path| seal::not_a_file(path).is_none());
    let mut vit = transformer::load(settings)?;
    let model = (vit.model_digest(), vit.engine().to_string());
    let skip = |file: PathBuf| Some(Skipped { reason: seal::not_a_file(&file)?, file });
    let mut skipped: Vec<Skipped> = others.into_iter().filter_map(skip).collect();
    let report = {
        let phantoms = args.phantoms.unwrap_or(0);
        let all = files.len() + usize::try_from(phantoms).unwrap_or(usize::MAX);
        let each = args.changes.div_ceil(all.max(1) as u64);
        let bar = progress(all, talk.json);
        let mut survey = KeySurvey::new(&mut vit, args.seed)?;
        for file in files {
            bar.set_message(escaped(&file.display().to_string()));
            match subject(&file) {
                Ok(subject) => survey.add(subject, each)?,
                Err(reason) => skipped.push(Skipped { file, reason }),
            }
            bar.inc(1);
        }
        for number in 0..phantoms {
            bar.set_message("phantoms");
            survey.add(small_phantom(number), each)?;
            bar.inc(1);
        }
        bar.set_message("counting");
        if survey.images() < 2 {
            bar.finish_and_clear();
            return Err(too_few(args, survey.images(), &skipped));
        }
        let report = survey.report();
        bar.finish_and_clear();
        report
    };
    if let Some(picture) = &args.picture {
        let digest = format!("{:x}", model.0);
        let (images, changes) = (report.images, report.raw_bits.flips.total());
        let subtitle = format!("{images} images, {changes} changes by one level; model {}...", &digest[..16]);
        write_file(picture, key_figure(&subtitle, &report).as_bytes(), args.force)?;
    }
    if !talk.json {
        for Skipped { file, reason } in skipped.iter().take(if talk.verbose { usize::MAX } else { 5 }) {
            say_line(&format!("passed over {}: {reason}", file.display()));
        }
        if skipped.len() > 5 && !talk.verbose {
            say(&format!("and {} more: -v names them", skipped.len() - 5));
        }
    }
    let text = text(&report, &model, args.picture.as_deref());
    Ok(Outcome::new(view(args, &report, &model, &skipped), text))
}

/// Everything in the folder and in those inside it, in order of their paths; links to folders are
/// not followed.
fn files_under(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |source| CliError::File { act: "read", path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_type().map_err(failed)?.is_dir() {
            files.extend(files_under(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What a key of this file is made of, or why it counts as no image.
fn subject(file: &Path) -> Result<Subject, String> {
    let bytes = seal::read(file).map_err(|error| chain_of(&error))?;
    let scan = decode(&bytes, &Limits::default()).map_err(|error| chain_of(&PipelineError::from(error)))?;
    match (scan.format(), scan.into_image()) {
        (_, Some(image)) => Ok(Subject::Image(image)),
        (Format::Unknown, None) => Err("it is no image that is known".to_owned()),
        (_, None) => Ok(Subject::Bytes(bytes)),
    }
}

fn too_few(args: &Args, found: usize, skipped: &[Skipped]) -> CliError {
    let place = match &args.folder {
        Some(folder) => folder.display().to_string(),
        None => "the phantoms".to_owned(),
    };
    let passed_over = match skipped {
        [] => String::new(),
        [first, ..] => format!(
            "; {} files were passed over, the first, {}, because: {}",
            skipped.len(),
            first.file.display(),
            first.reason
        ),
    };
    CliError::TooFewImages { place, found, passed_over }
}

fn text(report: &KeyReport, (digest, engine): &(alloy::primitives::B256, String), picture: Option<&Path>) -> String {
    let mut text = format!("{} unlike images", report.images);
    if report.repeated > 0 {
        text += &format!(" ({} more are repetitions)", report.repeated);
    }
    text += &format!("; model {digest:x}; {engine}\n");
    for (name, section) in sections(report) {
        text += &format!("\n{name}, {} bits of each image\n", section.bits);
        let lines = section.images.iter().map(|row| format!("  {row}\n"));
        text += &lines.collect::<String>();
        text += &format!("{name}, one grey level in one sample, {} changes\n", section.flips.total());
        let lines = section.levels.iter().map(|row| format!("  {row}\n"));
        text += &lines.collect::<String>();
    }
    let mut rows = vec![["", "", "raw bits", "", "", "derived keys", "", ""].map(str::to_owned).to_vec()];
    let head = ["each change by itself", "changes", "mean flips", "band", ">= 45 %", "mean flips", "band", ">= 45 %"];
    rows.push(head.map(str::to_owned).to_vec());
    for (change, raw) in &report.raw_bits.changes {
        let mut row = vec![change.to_string(), raw.total().to_string()];
        row.extend(cells(raw));
        row.extend(report.derived_keys.changes.get(change).map(cells).into_iter().flatten());
        rows.push(row);
    }
    text += &format!("\n{}", table(&rows));
    if let Some(picture) = picture {
        text += &format!("\n\npicture: {}", shown_path(picture));
    }
    text
}

/// Mean flips, band with a mark where they lie outside, share of changes that flip enough.
fn cells(differences: &Differences) -> [String; 3] {
    let [mean, _, _, enough] = differences.flip_rows();
    let percent = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2} %"));
    let band = mean.band.map_or_else(String::new, |(low, high)| format!("{low:.1} .. {high:.1}"));
    let mark = if mean.verdict == BandVerdict::Outside { " OUTSIDE" } else { "" };
    [percent(mean.value), band + mark, percent(enough.value)]
}

fn sections(report: &KeyReport) -> [(&'static str, &KeySection); 2] {
    [("raw bits", &report.raw_bits), ("derived keys", &report.derived_keys)]
}

fn view<'a>(
    args: &Args,
    report: &'a KeyReport,
    (digest, engine): &'a (alloy::primitives::B256, String),
    skipped: &[Skipped],
) -> KeyReportView<'a> {
    let path = |path: &Path| path.display().to_string();
    let passed_over =
        skipped.iter().map(|Skipped { file, reason }| PassedOverView { file: path(file), reason: reason.clone() });
    KeyReportView {
        folder: args.folder.as_deref().map(path),
        phantoms: args.phantoms.unwrap_or(0),
        seed: args.seed,
        model: *digest,
        engine,
        passed_over: passed_over.collect(),
        picture: args.picture.as_deref().map(path),
        report: KeyFiguresView::from(report),
    }
}
