//! An image that an anchor holds, and that has no record yet.

use super::error::CliError;
use super::output::{Outcome, address, say};
use super::settings::Settings;
use crate::chain::Registry;
use crate::cli::session::Session;
use crate::contract::spelled_out;
use crate::pipeline::{AnchoredImage, PipelineError, find_anchored};
use crate::storage::{Cid, PinState, Store};
use crate::view::AnchoredView;
use alloy::primitives::{Address, B256};

/// The error that names the anchor of an image which the chain does not know, if an anchor holds
/// it.
pub(super) async fn anchored_only(image_id: B256, settings: &Settings) -> Option<CliError> {
    let session = Session::connect(settings, "sender").await.ok()?;
    let (registry, store) = (session.registry().await.ok()?, session.store().ok()?);
    let image = search(&session, &registry, &store, image_id, None).await.ok()??;
    Some(CliError::AnchoredOnly { image_id, root: image.list.root })
}

/// The anchor that holds an image: of `sender` alone, if one is named; else whoever acts is asked
/// for its own first, and what was left out of the others' is said.
///
/// # Errors
/// [`CliError::Pipeline`].
pub(super) async fn search(
    session: &Session,
    registry: &Registry,
    store: &impl Store,
    id: B256,
    sender: Option<Address>,
) -> Result<Option<AnchoredImage>, CliError> {
    let own = sender.or_else(|| session.own_address());
    let found = find_anchored(registry, store, id, own, sender.is_some()).await?;
    say_left_out(found.left_out);
    Ok(found.image)
}

/// Says that not every list was looked through, if that is so.
pub(super) fn say_left_out(lists: usize) {
    if lists > 0 {
        say(&format!(
            "note: {lists} anchored lists of other senders were not looked through, it would take too long: --sender of medseal show and materialize names whose image it is"
        ));
    }
}

/// What there is to show of it.
///
/// # Errors
/// [`CliError::Store`], [`CliError::Pipeline`].
pub(super) async fn show(
    registry: &Registry,
    store: &impl Store,
    id: B256,
    image: &AnchoredImage,
) -> Result<Outcome, CliError> {
    let (list, leaf) = (&image.list, image.leaf());
    let cid = Cid::from_bytes(&spelled_out(leaf.cid.clone().into(), leaf.content_hash)).map_err(PipelineError::from)?;
    let pinned = store.pin_state(&cid).await? == PinState::Pinned;
    let home = (registry.chain_id(), registry.address());
    let view = AnchoredView::new(home, id, image, pinned).map_err(PipelineError::from)?;
    let text = format!(
        "image     {id}\nstate     anchored, no record yet: medseal materialize ID makes it one\nsender    {}\nsha-256   {}\n\
         cid       {cid} ({} bytes{})\nanchor    {} of {} images\nblock     {} ({})",
        address(list.sender),
        leaf.content_hash,
        leaf.size,
        if pinned { ", pinned here" } else { ", not pinned here" },
        list.root,
        list.leaves.count(),
        list.place.block_number,
        list.place.transaction,
    );
    Ok(Outcome::new(view, text))
}
