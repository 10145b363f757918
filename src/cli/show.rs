//! `medseal show`.

use super::anchored;
use super::error::CliError;
use super::output::{Outcome, address, chain_of, say};
use super::session::Session;
use super::settings::Settings;
use crate::chain::ChainError;
use crate::pipeline::{History, PipelineError, history, lookup};
use crate::storage::{PinState, Store};
use crate::view::{AccessView, ImageView, describe, state_name};
use alloy::primitives::{Address, B256};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The image
    #[arg(value_name = "ID")]
    id: B256,
    /// Look among the anchors of this sender alone, if the image has no record
    #[arg(long, value_name = "WALLET")]
    sender: Option<Address>,
    /// Also the access of this wallet
    #[arg(long, value_name = "WALLET")]
    wallet: Option<Address>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let registry = session.registry().await?;
    let mut stored = match lookup(&registry, args.id).await {
        Err(PipelineError::Chain(ChainError::UnknownImage { image_id })) => {
            let store = session.store()?;
            return match anchored::search(&session, &registry, &store, image_id, args.sender).await? {
                Some(image) => anchored::show(&registry, &store, image_id, &image).await,
                None => Err(ChainError::UnknownImage { image_id }.into()),
            };
        }
        other => other?,
    };
    let History { record, flag, events, access } = history(&registry, &stored, args.wallet).await?;
    let (logged, place) = (&stored.logged, &stored.logged.place);
    let access = match args.wallet.zip(access) {
        Some((wallet, access)) => {
            Some(AccessView::new(wallet, &access, registry.is_authorized(args.id, wallet).await?))
        }
        None => None,
    };
    // What is shown is of one block.
    stored.record = record.clone();
    // The record does not depend on the store.
    let kept = match session.store() {
        Ok(store) => store.pin_state(&stored.cid).await.map_err(CliError::from),
        Err(error) => Err(error),
    };
    if let Err(error) = &kept {
        say(&format!("note: whether the image is pinned here is not known: {}", chain_of(error)));
    }
    let (home, image) = ((registry.chain_id(), registry.address()), (args.id, &stored));
    let pinned = kept.as_ref().ok().map(|kept| *kept == PinState::Pinned);
    let view = ImageView::new(home, image, &flag, access, pinned, &events);
    let view = view.map_err(PipelineError::from)?;
    let mut text = format!(
        "image     {}\nstate     {}, {} verifications\nsender    {}\nsha-256   {}\ncid       {} ({} bytes{})\ncapsules  {}\nblock     {} ({})\n",
        args.id,
        state_name(record.state),
        record.verifications,
        address(record.sender),
        record.contentHash,
        stored.cid,
        logged.size,
        match kept {
            Ok(PinState::Pinned) => ", pinned here".to_owned(),
            Ok(PinState::TooFew { found, wanted }) => format!(", pinned at {found} of {wanted} nodes"),
            Ok(PinState::Unpinned) => ", not pinned here".to_owned(),
            Err(_) => String::new(),
        },
        stored.capsules.cid,
        place.block_number,
        place.transaction,
    );
    for event in &events {
        let (name, what) = describe(&event.event);
        text += &format!("  block {:>6}  {name:<16} {what}\n", event.place.block_number);
    }
    Ok(Outcome::new(view, text.trim_end()))
}
