//! `medseal materialize`: anchored images become records.

use super::error::CliError;
use super::output::{Outcome, table};
use super::printed;
use super::session::Session;
use super::settings::Settings;
use crate::chain::ChainError;
use crate::pipeline::{find_anchored, materialize};
use crate::view::{MaterializedListView, MaterializedView};
use alloy::primitives::B256;

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
    let wallet = session.acting_wallet()?;
    let mut outbox = session.outbox(&wallet).await?;
    let mut rows = vec![["image id", "anchor", "gas"].map(str::to_owned).to_vec()];
    let (mut images, mut held) = (Vec::new(), Vec::new());
    for id in &args.ids {
        match registry.record(*id).await {
            Ok(_) => {
                rows.push(vec![id.to_string(), "has a record already".to_owned()]);
                images.push(MaterializedView::new(*id, None));
                continue;
            }
            Err(ChainError::UnknownImage { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(image) = find_anchored(&registry, &store, *id).await? else {
            return Err(ChainError::UnknownImage { image_id: *id }.into());
        };
        let receipt = match materialize(&registry, &mut outbox, &wallet, &image).await.map_err(CliError::from) {
            Ok(receipt) => receipt,
            Err(error) if printed::held(&error).is_some() => {
                held.push(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let gas = receipt.gas_used.to_string();
        rows.push(vec![id.to_string(), image.list.root.to_string(), gas]);
        images.push(MaterializedView::new(*id, Some((image.list.root, &receipt))));
    }
    if !held.is_empty() {
        let mut all = Vec::new();
        held.iter().for_each(|error| printed::collect(&mut all, error));
        return printed::print_all(&session, &all);
    }
    Ok(Outcome::new(MaterializedListView { by: wallet.address().into(), images }, table(&rows)))
}
