//! `medseal check`: what a file of evidence proves. Opens no connection, and reads no other file
//! than those named.

use super::error::CliError;
use super::output::{Outcome, Talk, address, progress, say};
use super::settings::Settings;
use super::stdio::shown_path;
use crate::evidence::{CheckedEvidence, Evidence, EvidenceError, SignedBy, check, check_sealed};
use crate::view::{CheckView, flag_state, state_of};
use alloy::primitives::{Address, B256};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The evidence
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Hash of the evidence's last block, from somebody whom you trust
    #[arg(long, value_name = "HASH")]
    block_hash: B256,
    /// Compare this sealed image with the one that was registered
    #[arg(long, value_name = "FILE.msl")]
    sealed: Option<PathBuf>,
    /// Refuse any other registry
    #[arg(long, value_name = "CONTRACT")]
    registry: Option<Address>,
}

pub(super) fn run(args: &Args, settings: &Settings, talk: Talk) -> Result<Outcome, CliError> {
    let unread = |path: &Path, source| CliError::File { act: "read", path: path.to_owned(), source };
    let evidence = Evidence::read(&args.file).map_err(|source| unread(&args.file, source))??;
    check_home(&evidence, args.registry, settings.chain_id()?)?;
    let bar = progress(0, talk.json);
    let checked = check(&evidence, args.block_hash, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        bar.set_message("events");
    });
    bar.finish_and_clear();
    let checked = checked?;
    if let Some(path) = &args.sealed {
        let file = std::fs::File::open(path).map_err(|source| unread(path, source))?;
        check_sealed(&evidence, &checked, file).map_err(|source| unread(path, source))??;
    }
    if args.registry.is_none() {
        say("note: no --registry was given: that this is the registry you mean is assumed, not checked");
    }
    let sealed = args.sealed.as_ref().map(|path| path.display().to_string());
    let view = CheckView::new(&evidence, &checked, args.registry.is_some(), sealed);
    Ok(Outcome::new(view, text(&evidence, &checked, args)))
}

/// The chain and the registry that were asked for, where any were.
fn check_home(evidence: &Evidence, registry: Option<Address>, chain_id: Option<u64>) -> Result<(), EvidenceError> {
    let other = |what, expected, found| Err(EvidenceError::OtherRegistry { what, expected, found });
    match (registry, chain_id) {
        (Some(expected), _) if expected != evidence.registry => {
            other("registry", address(expected), address(evidence.registry))
        }
        (_, Some(expected)) if expected != evidence.chain_id => {
            other("chain", expected.to_string(), evidence.chain_id.to_string())
        }
        _ => Ok(()),
    }
}

fn signed_by(by: SignedBy) -> &'static str {
    match by {
        SignedBy::Transaction => "by its own transaction",
        SignedBy::Wallet => "signature checked",
        SignedBy::Contract => "signature of a contract wallet: checked by the registry then, not here",
    }
}

fn text(evidence: &Evidence, checked: &CheckedEvidence, args: &Args) -> String {
    use super::audit::spelled;
    let (history, image) = (&checked.history, &checked.history.image);
    let named = if args.registry.is_some() { "as you named it" } else { "that it is the one you mean" };
    let mut text = format!(
        "trusted\n  block     {} is of chain {}\n  registry  {} ({named})\n  keccak256, SHA-256 and ECDSA on secp256k1\n\nproved, up to block {} of {}\n  contract  code {}, an ImageRegistry of this program's build\n  image     {}\n  sha-256   {} ({} bytes)\n  sender    {} ({})\n  record    {}; registered ({}) {}, block {}\n  capsules  version {}, sha-256 {}",
        checked.hash,
        evidence.chain_id,
        address(evidence.registry),
        checked.block,
        spelled(checked.time),
        checked.code_hash,
        evidence.image_id,
        image.content_hash,
        image.size,
        address(image.sender),
        signed_by(history.signed_by),
        state_of(checked),
        image.kind.name(),
        spelled(history.registered_at),
        image.place.block_number,
        history.capsules_version,
        history.capsules_hash,
    );
    text += &format!("\n  verifications, all {}", history.verifications.len());
    for one in &history.verifications {
        let verdict = if one.event.valid { "valid  " } else { "INVALID" };
        let (by, at) = (address(one.event.verifier), spelled(one.time));
        text += &format!(
            "\n    {:>3} {verdict} by {by}, {at}, block {} ({})",
            one.event.number,
            one.block,
            signed_by(one.signed_by)
        );
    }
    text += &format!("\n  flags, all {}", history.flags.len());
    for flag in &history.flags {
        let (by, at) = (address(flag.verifier), spelled(flag.raised_at));
        text += &format!("\n    {:>3} {} (raised by {by}, {at}", flag.id, flag_state(flag));
        if let Some((_, by, at)) = flag.decided {
            text += &format!("; decided by {}, {}", address(by), spelled(at));
        }
        text += ")";
    }
    let (followed, receipts) = (checked.followed, checked.receipts);
    text += &format!(
        "\n  complete: events {} to {} of the registry lead to the word that the contract holds",
        // The file may be made up whole, with its numbers.
        (checked.seq + 1).saturating_sub(followed as u64),
        checked.seq
    );
    text += &match (receipts, checked.linked) {
        (0, _) => "\n  receipts: none in the file".to_owned(),
        (_, true) => format!("\n  receipts: {receipts}, in blocks that headers link to the trusted one"),
        (_, false) => {
            let blocks = checked.blocks.iter().map(|(number, hash)| format!("\n    block {number} {hash}"));
            format!(
                "\n  receipts: {receipts}, if these blocks are the chain's (nothing in the file says so):{}",
                blocks.collect::<String>()
            )
        }
    };
    if let Some(path) = &args.sealed {
        text += &format!("\n  {} is the sealed image that was registered, byte for byte", shown_path(path));
    }
    text
}
