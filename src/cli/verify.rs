//! `medseal verify`.

use super::error::CliError;
use super::exit;
use super::output::Outcome;
use super::session::Session;
use super::settings::Settings;
use crate::chain::Submitted;
use crate::clock::{Clock, SystemClock};
use crate::pipeline::{Verdict, lookup, observe, record_verification};
use crate::view::{RecordedView, VerificationView};
use alloy::primitives::B256;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// Log the result on chain; the contract decides, and raises a flag on what is invalid if this
    /// wallet is a verifier
    #[arg(long)]
    record: bool,
    /// Let this actor submit the transaction and pay; the verifier only signs [development chains:
    /// "relayer"]
    #[arg(long, requires = "record", value_name = "ACTOR")]
    relayer: Option<String>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "verifier").await?;
    let registry = session.registry().await?;
    let store = session.store()?;
    let stored = lookup(&registry, args.id).await?;
    let observation = observe(&registry, &store, &stored).await?;
    let (verdict, exit_code) = match observation.verdict {
        Verdict::Valid => ("valid", 0),
        Verdict::Invalid => ("invalid", exit::INVALID),
        // Nothing is known about the bytes, so nothing is logged.
        Verdict::Unavailable(error) => return Err(error.into()),
    };
    let observed = observation.observed.expect("bytes were read");
    let mut text = match verdict {
        "valid" => format!("valid: the stored bytes are those that were registered (sha-256 {observed})"),
        _ => format!("INVALID: expected sha-256 {}, found {observed}", stored.record.contentHash),
    };
    let mut entry = None;
    if args.record {
        let signers = session.signers(args.relayer.as_deref())?;
        let mut outbox = session.outbox(&signers.payer).await?;
        let now = SystemClock.unix_secs();
        let recorded = match record_verification(&registry, &mut outbox, &signers, args.id, observed, now).await? {
            Submitted::Mined(recorded) => recorded,
            Submitted::Printed(unsent) => return session.print([unsent]),
        };
        let relayer = args.relayer.is_some().then(|| signers.payer.address());
        let flagged = recorded.flag.map(|flag| format!(", raised flag {flag}")).unwrap_or_default();
        text += &format!(
            "\nlogged on chain as verification {}{flagged} ({})",
            recorded.number, recorded.receipt.transaction
        );
        entry = Some(RecordedView::new(&recorded, signers.signer.address(), relayer));
    }
    let view = VerificationView {
        image_id: args.id,
        verdict,
        expected_hash: stored.record.contentHash,
        observed_hash: observed,
        cid: stored.cid.to_string(),
        recorded: entry,
    };
    Ok(Outcome { exit: exit_code, ..Outcome::new(view, text) })
}
