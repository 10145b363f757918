//! What `medseal seal` says of its files.

use super::Attempt;
use super::collect::LeftOut;
use crate::chain::{Submitted, Unsent};
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::cli::output::{Outcome, chain_of, error_view, say, table};
use crate::cli::session::Session;
use crate::cli::stdio::say_line;
use crate::pipeline::{Mode, Sealed};
use crate::view::{FailedFileView, SealedListView, SealedView};
use crate::words::escaped;
use alloy::primitives::Address;

pub(super) fn outcome(
    mut results: Vec<Attempt>,
    left_out: Vec<LeftOut>,
    session: &Session,
    sender: Address,
    mode: Mode,
) -> Result<Outcome, CliError> {
    if results.len() == 1 && results[0].1.is_err() {
        let (_, result) = results.remove(0);
        return Err(result.expect_err("it is one"));
    }
    if let Some(printed) = printed(&results, session) {
        return printed;
    }
    let mut rows =
        vec![["file", "image id", "bytes", "key", "cipher", "store", "chain", "gas"].map(str::to_owned).to_vec()];
    let (mut images, mut failed, mut exits, mut list) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    for (path, result) in &results {
        let name = path.display().to_string();
        let shown = escaped(&name);
        match result {
            Ok(Submitted::Printed(_)) => {}
            Ok(Submitted::Mined(sealed)) => {
                rows.push(row(&name, sealed));
                images.push(SealedView::new(&name, sealed));
                if let Some(reason) = sealed.renewed {
                    say(&format!("{shown}: sealed anew: {reason}"));
                }
                // Of damage it is said in any case.
                if let (Some(reason), Mode::Auto | Mode::Strict) = (&sealed.whole, mode)
                    && !reason.is_damage()
                {
                    tracing::info!("{shown}: sealed as plain bytes: {reason}");
                }
            }
            Err(error) => {
                exits.push(error.exit());
                list += &format!("\n  {shown}: {}", escaped(&chain_of(error)));
                failed.push(FailedFileView { file: name, error: error_view(error) });
            }
        }
    }
    if mode == Mode::Pixels {
        say("--pixels: opening returns a lossless re-encoding of the samples, not the same file");
    }
    // Where every file failed for the same kind of reason, that reason's code says more.
    exits.dedup();
    let exit = match exits.as_slice() {
        [] => 0,
        [only] if images.is_empty() => *only,
        _ => exit::FAILURE,
    };
    let mut text = if images.is_empty() { String::new() } else { table(&rows) + &together(&results) + "\n" };
    if !failed.is_empty() {
        text += &format!("not sealed, {} of {} files:{list}", failed.len(), results.len());
    }
    let left_out = left_out.into_iter().map(LeftOut::view).collect();
    let view = SealedListView { sender: sender.into(), images, failed, left_out };
    Ok(Outcome { exit, ..Outcome::new(view, text.trim_end()) })
}

/// What an external wallet must sign or send, if anything; says what failed besides.
fn printed(results: &[Attempt], session: &Session) -> Option<Result<Outcome, CliError>> {
    let of = |result: &Result<Submitted<Sealed>, CliError>| match result {
        Ok(Submitted::Printed(unsent)) => Some(unsent.clone()),
        _ => None,
    };
    let all: Vec<Unsent> = results.iter().filter_map(|(_, result)| of(result)).collect();
    if all.is_empty() {
        return None;
    }
    let mut exit = 0;
    for (path, result) in results {
        if let Err(error) = result {
            exit = exit::FAILURE;
            say_line(&format!("{}: failed: {}", path.display(), chain_of(error)));
        }
    }
    Some(session.print(all).map(|printed| Outcome { exit, ..printed }))
}

/// What the images of this run that were registered or anchored together have in common.
fn together(results: &[Attempt]) -> String {
    let mut text = String::new();
    let mut said = Vec::new();
    for (_, result) in results {
        let Ok(Submitted::Mined(sealed)) = result else { continue };
        let registered = &sealed.registered;
        if sealed.already || said.contains(&registered.transaction) {
            continue;
        }
        said.push(registered.transaction);
        let (images, transaction) = (registered.images, registered.transaction);
        match &registered.anchor {
            Some(anchored) => {
                text += &format!("\n{images} images anchored under {} ({transaction})", anchored.root);
                text += "\nto be opened, granted or verified an image needs its record: medseal materialize ID";
            }
            None if images > 1 => text += &format!("\n{images} images registered in one transaction ({transaction})"),
            None => {}
        }
    }
    text
}

fn row(name: &str, sealed: &Sealed) -> Vec<String> {
    let ms = |duration: std::time::Duration| format!("{} ms", duration.as_millis());
    let timings = sealed.timings;
    let mut row = vec![name.to_owned(), sealed.job.image_id.to_string(), sealed.job.size.to_string()];
    if sealed.already {
        row.push("sealed before; --again seals it anew".to_owned());
    } else {
        row.extend([ms(timings.key), ms(timings.cipher), ms(timings.store), ms(timings.chain)]);
        row.push(sealed.registered.gas.to_string());
    }
    row
}
