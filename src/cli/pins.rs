//! `medseal pins`: which nodes hold an object, and repair where too few do.

use super::error::CliError;
use super::exit;
use super::nodes;
use super::output::{Outcome, chain_of, say, table};
use super::session::Session;
use super::settings::Settings;
use crate::pipeline::lookup;
use crate::storage::kubo::{Held, Repaired, Replica};
use crate::storage::{AnyStore, Cid};
use crate::view::{FailureView, PinnedView, PinsView, RepairedView, ReplicaView, held};
use alloy::primitives::B256;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Images by their id, or objects by their CID [default: everything that the store keeps for
    /// us]
    #[arg(value_name = "ID")]
    ids: Vec<Named>,
    /// Replace damaged replicas, and copy objects that too few nodes hold to other nodes
    #[arg(long)]
    repair: bool,
}

/// An image or an object.
#[derive(Debug, Clone)]
enum Named {
    Image(B256),
    Object(Cid),
}

impl std::str::FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("0x") {
            return text.parse().map(Self::Image).map_err(|error| format!("not an image id: {error}"));
        }
        text.parse().map(Self::Object).map_err(|error| format!("not a CID: {error}"))
    }
}

/// An object that is looked for, and what it is to its image.
struct Wanted {
    cid: Cid,
    image: Option<B256>,
    part: Option<&'static str>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let store = nodes::store(settings)?;
    let wanted = store.replicas_wanted();
    let (mut objects, mut rows, mut worst) = (Vec::new(), Vec::new(), 0);
    for object in named(args, settings, &store).await? {
        let (mut repaired, mut failed) = (None, None);
        if args.repair {
            match store.repair(&object.cid).await {
                Ok(done) => repaired = Some(done),
                Err(error) => failed = Some(CliError::from(error)),
            }
        }
        let replicas = store.replicas(&object.cid).await;
        let whole = replicas.iter().filter(|replica| matches!(replica.held, Held::Whole)).count();
        let damaged = replicas.iter().any(|replica| matches!(replica.held, Held::Damaged(_)));
        let exit = match &failed {
            Some(error) => error.exit(),
            None if damaged => exit::INVALID,
            None if whole < wanted => exit::FAILURE,
            None => 0,
        };
        // The first complaint is the one that the exit code tells of.
        worst = if worst == 0 { exit } else { worst };
        rows.push(row(&object, &replicas, whole, wanted, repaired.as_ref()));
        if let Some(error) = &failed {
            say(&format!("{}: {}", object.cid, chain_of(error)));
        }
        objects.push(PinnedView {
            cid: object.cid.to_string(),
            image: object.image,
            part: object.part,
            whole,
            nodes: replicas.iter().map(replica_view).collect(),
            repaired: repaired.as_ref().map(RepairedView::from),
            failure: failed.as_ref().map(|error| FailureView { code: error.code(), message: chain_of(error) }),
        });
    }
    let view = PinsView::new(wanted, objects);
    let (count, short) = (view.objects.len(), view.too_few);
    let text = match rows.is_empty() {
        true => "nothing is stored".to_owned(),
        false => format!("{}\n{count} objects, {short} at fewer than {wanted} nodes", table(&rows)),
    };
    Ok(Outcome { exit: worst, ..Outcome::new(view, text) })
}

/// The objects that the arguments name.
async fn named(args: &Args, settings: &Settings, store: &AnyStore) -> Result<Vec<Wanted>, CliError> {
    if args.ids.is_empty() {
        let pins = store.pins().await?.into_iter();
        return Ok(pins.map(|cid| Wanted { cid, image: None, part: None }).collect());
    }
    let mut objects = Vec::new();
    let mut registry = None;
    for id in &args.ids {
        match id {
            Named::Object(cid) => objects.push(Wanted { cid: *cid, image: None, part: None }),
            Named::Image(id) => {
                if registry.is_none() {
                    registry = Some(Session::connect(settings, "sender").await?.registry().await?);
                }
                let stored = lookup(registry.as_ref().expect("connected"), *id).await?;
                let part = |cid, part| Wanted { cid, image: Some(*id), part: Some(part) };
                objects.extend([part(stored.cid, "sealedImage"), part(stored.capsules.cid, "capsules")]);
            }
        }
    }
    Ok(objects)
}

fn replica_view(replica: &Replica) -> ReplicaView {
    let (held, error) = held(&replica.held);
    ReplicaView { node: replica.node.clone(), held, why: error.map(|error| chain_of(error)) }
}

fn row(object: &Wanted, replicas: &[Replica], whole: usize, wanted: usize, repaired: Option<&Repaired>) -> Vec<String> {
    let mark = if whole >= wanted { "ok" } else { "!!" };
    let was = repaired.filter(|done| done.before < done.after).map(|done| format!(", was {}", done.before));
    let mut row = vec![mark.to_owned(), object.cid.to_string(), format!("{whole}/{wanted}{}", was.unwrap_or_default())];
    row.extend(replicas.iter().map(|replica| format!("{} {}", replica.node, held(&replica.held).0)));
    row
}
