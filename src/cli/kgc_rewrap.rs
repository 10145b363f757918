//! `medseal kgc rewrap`: capsules of old epochs, sealed to the newest key.

use super::act::Act;
use super::capsules::register;
use super::error::CliError;
use super::key_center::{open_keys, rewrapped_sets};
use super::output::{Outcome, say};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use crate::chain::{Registry, Submitted};
use crate::kgc::{KgcKeys, Rewrapped};
use crate::pipeline::{NamedCall, PipelineError, RewrapStep, Rewrapper, check_kgc_key};
use crate::storage::AnyStore;
use alloy::primitives::{Address, B256};
use serde_json::json;
use std::collections::HashSet;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The images
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<B256>,
    /// All registered images that this KGC can open
    #[arg(long)]
    all: bool,
    /// How many sets of capsules one transaction anchors
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Register each set as the image's newest, too: by the wallet of its sender, or of an operator
    /// of theirs
    #[arg(long)]
    update: bool,
}

/// What a KGC needs to look at its capsules.
pub(super) struct Place {
    pub(super) registry: Registry,
    store: AnyStore,
    keys: KgcKeys,
    sets: Rewrapped,
}

impl Place {
    /// The place of the settings' KGC, with these keys.
    ///
    /// # Errors
    /// [`CliError`] if there is no node, registry or store.
    pub(super) async fn connect(settings: &Settings, keys: KgcKeys) -> Result<Self, CliError> {
        Self::with_sets(settings, keys, rewrapped_sets(settings)).await
    }

    /// The same with the sets of another folder.
    pub(super) async fn with_sets(settings: &Settings, keys: KgcKeys, sets: Rewrapped) -> Result<Self, CliError> {
        let session = Session::connect(settings, "kgc").await?;
        Ok(Self { registry: session.registry().await?, store: session.store()?, keys, sets })
    }

    pub(super) fn rewrapper(&self) -> Rewrapper<'_, AnyStore> {
        Rewrapper { registry: &self.registry, store: &self.store, keys: &self.keys, sets: &self.sets }
    }

    /// What was anchored by this KGC: by its publisher, and by `wallet`.
    pub(super) async fn anchored(
        &self,
        wallet: Option<Address>,
    ) -> Result<Vec<crate::envelope::leaves::RewrappedLeaf>, CliError> {
        let mut wallets = self.registry.kgc_publishers(self.keys.identity().id).await?;
        wallets.extend(wallet);
        let (mut anchored, mut seen) = (Vec::new(), HashSet::new());
        for wallet in wallets.into_iter().filter(|wallet| seen.insert(*wallet)) {
            anchored.extend(self.rewrapper().anchored(wallet).await?);
        }
        Ok(anchored)
    }
}

/// What a run came to.
#[derive(Default)]
struct Count {
    made: usize,
    already: usize,
    not_ours: usize,
    updated: usize,
    failed: Vec<(B256, PipelineError)>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let mut act = Act::begin(settings, "kgc", &Relay::default()).await?;
    let keys = open_keys(settings)?;
    // What is sealed to a key that nobody knows would be sealed again.
    check_kgc_key(&act.registry, &keys.identity()).await?;
    let (id, epoch) = (keys.identity().id, keys.identity().epoch);
    let place = Place::connect(settings, keys).await?;
    let rewrapper = place.rewrapper();
    let mut anchored = place.anchored(Some(act.by())).await?;
    let recovered = rewrapper.recover(&anchored).await?;
    let images = if args.all { place.registry.images().await? } else { args.ids.clone() };
    let (mut count, mut anchors, mut anchored_at) = (Count::default(), 0, 0);
    for (done, image_id) in images.iter().enumerate() {
        match rewrapper.rewrap(*image_id).await {
            Ok(RewrapStep::Made { .. }) => count.made += 1,
            Ok(RewrapStep::Already) => count.already += 1,
            Ok(RewrapStep::NotOurs) => count.not_ours += 1,
            Err(error) => count.failed.push((*image_id, error)),
        }
        let left = images.len() - done - 1;
        if (done + 1) % 100 == 0 || left == 0 {
            say(&format!("{} of {} images: {} sealed anew", done + 1, images.len(), count.made));
        }
        // Anchored as it goes on: what a run that is ended has done counts.
        if !args.update && (left == 0 || count.made - anchored_at >= args.batch as usize) {
            anchored_at = count.made;
            let new = rewrapper.unanchored(&anchored)?;
            for leaves in new.chunks(args.batch as usize) {
                let NamedCall { job, call } = rewrapper.anchor(leaves).await?;
                if let Submitted::Printed(unsent) = act.submit(&job, &call).await? {
                    return act.print(unsent);
                }
                anchors += 1;
            }
            anchored.extend(new);
        }
    }
    if args.update {
        count.updated = match update(&mut act, &rewrapper, &images).await? {
            Submitted::Mined(updated) => updated,
            Submitted::Printed(unsent) => return act.print(unsent),
        };
    }
    for (image_id, error) in &count.failed {
        say(&format!("{image_id}: {}", super::output::chain_of(error)));
    }
    let Count { made, already, not_ours, updated, failed } = &count;
    let object = json!({
        "kgcId": id, "epoch": epoch, "images": images.len(), "made": made, "already": already,
        "notOurs": not_ours, "recovered": recovered, "anchors": anchors, "updated": updated,
        "failed": failed.iter().map(|(image, error)| json!({
            "imageId": image, "message": super::output::chain_of(error),
        })).collect::<Vec<_>>(),
    });
    let text = format!(
        "{made} sets of capsules are sealed to epoch {epoch} now, {already} were before, {not_ours} are not this \
         KGC's, {} could not be; {anchors} anchors",
        failed.len()
    );
    let exit = if failed.is_empty() { 0 } else { super::exit::FAILURE };
    Ok(Outcome { exit, ..Outcome::new(object, text) })
}

/// Registers what was sealed anew as the images' newest capsules, by their sender or an operator.
async fn update(
    act: &mut Act,
    rewrapper: &Rewrapper<'_, AnyStore>,
    images: &[B256],
) -> Result<Submitted<usize>, CliError> {
    let mut updated = 0;
    for image_id in images {
        let Some(made) = rewrapper.to_register(*image_id).await? else { continue };
        match register(act, *image_id, &made).await? {
            Submitted::Mined(_) => updated += 1,
            Submitted::Printed(unsent) => return Ok(Submitted::Printed(unsent)),
        }
    }
    Ok(Submitted::Mined(updated))
}
