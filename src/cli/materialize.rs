//! `medseal materialize`: anchored images become records.

use super::error::CliError;
use super::output::{Outcome, address, table};
use super::session::Session;
use super::settings::Settings;
use crate::chain::Submitted;
use crate::pipeline::{Materialized, materialize};
use alloy::primitives::B256;
use serde_json::{Value, json};

/// Anybody may: a record holds what the sender anchored, and is dated to the anchor.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The images
    #[arg(required = true, value_name = "ID")]
    ids: Vec<B256>,
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
        match materialize(&registry, &store, &mut outbox, &payer, *id).await? {
            Materialized::Already => {
                rows.push(vec![id.to_string(), "has a record already".to_owned()]);
                images.push(json!({ "imageId": id, "root": null, "already": true, "transaction": null, "gas": null }));
            }
            Materialized::Submitted { root, transaction: Submitted::Mined(receipt) } => {
                let gas = receipt.gas_used.to_string();
                rows.push(vec![id.to_string(), root.to_string(), gas.clone()]);
                images.push(json!({
                    "imageId": id, "root": root, "already": false, "transaction": receipt.transaction, "gas": gas,
                }));
            }
            Materialized::Submitted { transaction: Submitted::Printed(unsent), .. } => printed.push(unsent),
        }
    }
    if !printed.is_empty() {
        return session.print(printed);
    }
    let json = json!({ "by": address(payer.address()), "images": Value::Array(images) });
    Ok(Outcome::new(json, table(&rows)))
}
