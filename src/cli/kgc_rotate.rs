//! `medseal kgc rotate | retire | destroy`: the key of a new epoch, and the end of an old one.

use super::act::Act;
use super::error::CliError;
use super::key_center::{kgc_key_file, open_keys, open_with_passphrase};
use super::kgc_published::publish;
use super::kgc_rewrap::Place;
use super::output::{Outcome, say};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use super::stdio::shown_path;
use crate::chain::Submitted;
use crate::contract::bindings::IImageRegistry::retireKgcKeyCall;
use crate::kgc::{file_before, os_random, replace_key_file};
use crate::pipeline::{Rotation, next_rotation};
use serde_json::json;

/// Makes the key of the next epoch, in the key file first, and publishes it. Wherever an earlier
/// run ended, this one goes on from there.
pub(super) async fn rotate(settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "kgc").await?;
    let registry = session.registry().await?;
    let (keys, passphrase) = open_with_passphrase(settings)?;
    let (file, before) = (kgc_key_file(settings), file_before(&kgc_key_file(settings)));
    let failed = |act, path: &std::path::Path| {
        let path = path.to_owned();
        move |source| CliError::File { act, path, source }
    };
    // It is kept from before the new key is in the file until the chain has that.
    let begun = before.exists()
        && std::fs::read(&before).map_err(failed("read", &before))?
            != std::fs::read(&file).map_err(failed("read", &file))?;
    let keys = match next_rotation(&registry, &keys).await? {
        Rotation::Publish => keys,
        Rotation::Make if begun => keys,
        Rotation::Make => {
            let next = keys.with_next_epoch(&mut os_random()).ok_or(CliError::TooManyEpochs)?;
            replace_key_file(&file, &next, passphrase.as_deref().map(String::as_str), &mut os_random())?;
            next
        }
    };
    let identity = keys.identity();
    let receipt = match publish(&session, &identity).await? {
        None => None,
        Some(Submitted::Printed(unsent)) => return session.print([unsent]),
        Some(Submitted::Mined(receipt)) => Some(receipt),
    };
    match std::fs::remove_file(&before) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed("remove", &before)(error)),
        _ => {}
    }
    say("note: the backup must be made anew: the old one has no key of this epoch (medseal kgc backup)");
    say("note: a running `medseal kgc serve` has the old key until it is started again");
    let object = json!({
        "kgcId": identity.id,
        "epoch": identity.epoch,
        "epochs": keys.identities().iter().map(|one| one.epoch).collect::<Vec<_>>(),
        "x25519": alloy::primitives::B256::from(*identity.public.as_bytes()),
        "receiptSigner": identity.receipt_signer,
        "keyFile": file.display().to_string(),
        "transaction": receipt.map(|receipt| receipt.transaction),
        "backUp": true,
    });
    let text = format!(
        "epoch {} of KGC {} is on chain: new images are sealed to it\nkey file {}: back it up now; start \
         `medseal kgc serve` again\nto seal the capsules of earlier epochs to it: medseal kgc rewrap --all",
        identity.epoch,
        identity.id,
        shown_path(&file)
    );
    Ok(Outcome::new(object, text))
}

/// Says on chain that a key is no longer to be sealed to.
pub(super) async fn retire(epoch: u32, settings: &Settings) -> Result<Outcome, CliError> {
    let mut act = Act::begin(settings, "kgc", &Relay::default()).await?;
    let id = open_keys(settings)?.identity().id;
    let already = act.registry.kgc_key(id, epoch).await?.retired;
    let mut receipt = None;
    if !already {
        let job = format!("retire:{id}:{epoch}:{}", act.registry.address());
        receipt = match act.submit(&job, &retireKgcKeyCall { kgcId: id, epoch }).await? {
            Submitted::Mined(receipt) => Some(receipt),
            Submitted::Printed(unsent) => return act.print(unsent),
        };
    }
    let text = match already {
        true => format!("epoch {epoch} was retired before"),
        false => format!("epoch {epoch} is retired: what was sealed to it and replaced since is not opened any more"),
    };
    let object = json!({ "kgcId": id, "epoch": epoch, "retired": true, "already": already });
    Ok(Outcome::new(act.json(object, receipt.as_ref()), text))
}

/// Takes the keys of an earlier epoch out of the key file, if no image needs them any more.
pub(super) async fn destroy(epoch: u32, settings: &Settings) -> Result<Outcome, CliError> {
    let (keys, passphrase) = open_with_passphrase(settings)?;
    let left = keys.without(epoch).ok_or(CliError::NoSuchEpoch { epoch })?;
    let place = Place::connect(settings, keys).await?;
    let mut needed = 0;
    for image_id in place.registry.images().await.map_err(CliError::from)? {
        needed += usize::from(place.rewrapper().needs(image_id, epoch).await?);
    }
    if needed > 0 {
        return Err(CliError::EpochNeeded { epoch, images: needed });
    }
    let file = kgc_key_file(settings);
    replace_key_file(&file, &left, passphrase.as_deref().map(String::as_str), &mut os_random())?;
    // What is destroyed is not kept beside it.
    let before = file_before(&file);
    std::fs::remove_file(&before).map_err(|source| CliError::File { act: "remove", path: before, source })?;
    let identity = left.identity();
    let epochs: Vec<u32> = left.identities().iter().map(|one| one.epoch).collect();
    let object = json!({ "kgcId": identity.id, "destroyed": epoch, "epochs": epochs });
    let text = format!("the key file has no keys of epoch {epoch} any more; backups that were made before still do");
    Ok(Outcome::new(object, text))
}
