//! What `medseal seal` says of its files.

use super::Attempt;
use super::collect::LeftOut;
use crate::chain::Wallet;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::cli::output::{Outcome, Talk, address, chain_of, hex, say, table};
use crate::cli::printed;
use crate::cli::session::Session;
use crate::pipeline::{Mode, Sealed};
use serde_json::{Value, json};

pub(super) fn outcome(
    mut results: Vec<Attempt>,
    left_out: &[LeftOut],
    session: &Session,
    wallet: &Wallet,
    mode: Mode,
    talk: Talk,
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
        let name = path.display().to_string().escape_debug().to_string();
        match result {
            Ok(sealed) => {
                rows.push(row(&name, sealed));
                images.push(image_json(&name, sealed));
                if let Some(reason) = sealed.renewed {
                    say(&format!("{name}: sealed anew: {reason}"));
                }
                // Of damage it is said in any case.
                if let (Some(reason), Mode::Auto | Mode::Strict) = (&sealed.whole, mode)
                    && talk.verbose
                    && !reason.is_damage()
                {
                    say(&format!("{name}: sealed as plain bytes: {reason}"));
                }
            }
            Err(error) => {
                exits.push(error.exit());
                list += &format!("\n  {name}: {}", chain_of(error));
                failed.push(
                    json!({ "file": name, "code": error.code(), "message": chain_of(error), "hint": error.hint() }),
                );
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
    let left_out: Vec<_> = left_out.iter().map(LeftOut::json).collect();
    let json = json!({ "sender": address(wallet.address()), "images": images, "failed": failed, "leftOut": left_out });
    let mut text = if images.is_empty() { String::new() } else { table(&rows) + &together(&results) + "\n" };
    if !failed.is_empty() {
        text += &format!("not sealed, {} of {} files:{list}", failed.len(), results.len());
    }
    Ok(Outcome { json, text: text.trim_end().to_owned(), exit })
}

/// What is handed out to be signed or sent elsewhere, if anything is; what failed besides is said.
fn printed(results: &[Attempt], session: &Session) -> Option<Result<Outcome, CliError>> {
    let mut all = Vec::new();
    let errors: Vec<_> = results.iter().filter_map(|(path, result)| Some((path, result.as_ref().err()?))).collect();
    errors.iter().for_each(|(_, error)| printed::collect(&mut all, error));
    if all.is_empty() {
        return None;
    }
    let mut exit = 0;
    for (path, error) in errors {
        if printed::held(error).is_none() {
            exit = exit::FAILURE;
            say(&format!("{}: failed: {}", path.display().to_string().escape_debug(), chain_of(error)));
        }
    }
    Some(printed::print_all(session, &all).map(|printed| Outcome { exit, ..printed }))
}

/// What the images of this run that were registered or anchored together have in common.
fn together(results: &[Attempt]) -> String {
    let mut text = String::new();
    let mut said = Vec::new();
    for sealed in results.iter().filter_map(|(_, result)| result.as_ref().ok()) {
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

fn image_json(name: &str, sealed: &Sealed) -> Value {
    let job = &sealed.job;
    json!({
        "file": name,
        "imageId": job.image_id,
        "contentHash": job.content_hash,
        "headerHash": job.header_hash,
        "size": job.size,
        "cid": job.cid,
        "capsulesHash": job.capsules_hash,
        "capsulesCid": job.capsules_cid,
        "salt": hex(job.salt),
        "transaction": sealed.registered.transaction,
        "block": sealed.registered.block,
        "gas": sealed.registered.gas.to_string(),
        "images": sealed.registered.images,
        "anchor": sealed.registered.anchor.as_ref().map(|anchored| json!({
            "root": anchored.root, "leavesCid": anchored.leaves_cid,
        })),
        "already": sealed.already,
        "renewedBecause": sealed.renewed,
        "plainBytesReason": sealed.whole.as_ref().map(ToString::to_string),
    })
}
