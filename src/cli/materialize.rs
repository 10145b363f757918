//! `medseal materialize`: anchored images become records.

use super::anchored::say_left_out;
use super::error::CliError;
use super::output::{Outcome, table};
use super::session::Session;
use super::settings::Settings;
use crate::chain::{ChainError, Submitted};
use crate::pipeline::{Materialized, materialize};
use crate::view::{MaterializedListView, MaterializedView};
use alloy::primitives::{Address, B256};

/// Anybody may: a record holds what the sender anchored, and is dated to the anchor.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The images
    #[arg(required = true, value_name = "ID")]
    ids: Vec<B256>,
    /// Look among the anchors of this sender alone
    #[arg(long, value_name = "WALLET")]
    sender: Option<Address>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let store = session.store()?;
    let payer = session.signers(None)?.payer;
    let mut outbox = session.outbox(&payer).await?;
    let mut rows = vec![["image id", "anchor", "gas"].map(str::to_owned).to_vec()];
    let (mut images, mut printed) = (Vec::new(), Vec::new());
    for id in &args.ids {
        let own = args.sender.or_else(|| session.own_address());
        match materialize(&registry, &store, &mut outbox, &payer, *id, (own, args.sender.is_some())).await? {
            Materialized::NotFound { left_out } => {
                say_left_out(left_out);
                return Err(ChainError::UnknownImage { image_id: *id }.into());
            }
            Materialized::Already => {
                rows.push(vec![id.to_string(), "has a record already".to_owned()]);
                images.push(MaterializedView::new(*id, None));
            }
            Materialized::Submitted { root, transaction: Submitted::Mined(receipt) } => {
                rows.push(vec![id.to_string(), root.to_string(), receipt.gas_used.to_string()]);
                images.push(MaterializedView::new(*id, Some((root, &receipt))));
            }
            Materialized::Submitted { transaction: Submitted::Printed(unsent), .. } => printed.push(unsent),
        }
    }
    if !printed.is_empty() {
        return session.print(printed);
    }
    Ok(Outcome::new(MaterializedListView { by: payer.address().into(), images }, table(&rows)))
}
