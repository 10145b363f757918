//! `medseal kgc status`: the KGC's keys of all epochs, beside what the chain has of them.

use super::error::CliError;
use super::key_center::{kgc_key_file, open_keys, rewrapped_sets};
use super::kgc_published::outcome;
use super::output::{Outcome, table};
use super::session::Session;
use super::settings::Settings;
use crate::contract::ErrorKind;
use crate::kgc::file_before;
use crate::view::{EpochView, OnChainView};
use serde_json::json;

pub(super) async fn run(settings: &Settings) -> Result<Outcome, CliError> {
    let keys = open_keys(settings)?;
    let identity = keys.identity();
    let registry = Session::connect(settings, "kgc").await?.registry().await?;
    let current = registry.current_kgc_key(identity.id).await?;
    // What is not published yet is not compared with what is.
    let shown = keys.up_to(current.epoch).map_or(identity, |published| published.identity());
    let mut epochs = Vec::new();
    for one in keys.identities() {
        let on_chain = match registry.kgc_key(one.id, one.epoch).await {
            Ok(key) => Some(key),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        epochs.push(EpochView::new(&one, on_chain.as_ref()));
    }
    let sets = rewrapped_sets(settings).images().map_err(|source| {
        let path = kgc_key_file(settings).with_file_name("rewrapped");
        CliError::File { act: "read", path, source }
    })?;
    let rotating = file_before(&kgc_key_file(settings)).exists();
    let mut said = outcome(&shown, settings, Some(OnChainView::found(&current, &shown)));
    let rows = std::iter::once(["epoch", "on chain", "receipts signed by"].map(str::to_owned).to_vec());
    said.text = format!(
        "{}\n{}\n{} sets of capsules sealed anew",
        said.text,
        table(&rows.chain(epochs.iter().map(EpochView::row)).collect::<Vec<_>>()),
        sets.len()
    );
    if rotating {
        said.text += "\na rotation is not finished: medseal kgc rotate";
    }
    said.json["epochs"] = json!(epochs);
    said.json["rotating"] = json!(rotating);
    said.json["rewrapped"] = json!(sets.len());
    Ok(said)
}
