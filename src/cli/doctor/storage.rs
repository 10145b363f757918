//! What `doctor` finds out about the store.

use super::{Finding, Settings, State};
use crate::cli::error::CliError;
use crate::cli::nodes;
use crate::storage::kubo::Health;
use crate::storage::{AnyStore, KuboStore, LocalStore, PinState, Store, StoreError};

/// Fewer bytes than this on a disk are too few.
const LEAST_FREE_BYTES: u64 = 1 << 30;
const GIB: f64 = (1_u64 << 30) as f64;

/// The folder of blocks, or each IPFS node and what they hold together.
pub(super) async fn store(settings: &Settings) -> Vec<Finding> {
    match nodes::kubo(settings) {
        Ok(None) => vec![folder(settings)],
        Ok(Some(store)) => ipfs(&store, settings).await,
        Err(error) => vec![Finding::failed("ipfs", &error)],
    }
}

fn folder(settings: &Settings) -> Finding {
    let folder = settings.home().join("store");
    if !folder.exists() {
        return Finding::not_good(
            "store",
            State::Absent,
            format!("{} is made when it is first used", folder.display()),
            None,
        );
    }
    match LocalStore::open(&folder) {
        Ok(_) if rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK).is_err() => wrong(
            "store",
            format!("{} can be read, and not written", folder.display()),
            "look at its owner and mode, or name another with --home",
        ),
        Ok(_) => Finding::good("store", folder.display().to_string()),
        Err(error) => Finding::failed("store", &error.into()),
    }
}

async fn ipfs(store: &KuboStore, settings: &Settings) -> Vec<Finding> {
    let wanted = store.replicas_wanted();
    let mut findings = Vec::new();
    for (node, health) in store.health().await {
        match health {
            Ok(health) => of_node(&node, &health, wanted, &mut findings),
            Err(source) => findings.push(Finding::failed("ipfs", &StoreError::Node { node, source }.into())),
        }
    }
    let open = nodes::endpoints(settings.ipfs_api().unwrap_or_default()).unwrap_or_default();
    let has_token = settings.ipfs_token_file().is_ok_and(|file| file.is_some());
    for endpoint in open.iter().filter(|endpoint| has_token && !endpoint.is_private()) {
        findings.push(wrong(
            "ipfs token",
            format!("{endpoint} gets the token in clear, and everybody between here and there with it"),
            "name the node by https, through a proxy or a tunnel of yours",
        ));
    }
    findings.push(replicas(store, wanted).await);
    findings
}

fn wrong(what: &'static str, found: String, mend: &str) -> Finding {
    Finding::not_good(what, State::Wrong, found, Some(mend.to_owned()))
}

/// What one node's answers say.
fn of_node(node: &str, health: &Health, wanted: usize, findings: &mut Vec<Finding>) {
    findings.push(Finding::good(
        "ipfs",
        format!("{node}: Kubo {}, {} objects pinned for us, {} peers", health.version, health.pins, health.peers),
    ));
    findings.push(room(node, health));
    findings.push(match health.sync {
        Some(false) => {
            let found =
                format!("{node}: blocks are not flushed to the disk (sync: false): a power cut can lose the newest");
            let mend = "set \"sync\": true for the flatfs in Datastore.Spec of $IPFS_PATH/config, and restart the node";
            // A second replica mends what the first one loses.
            let state = if wanted > 1 { State::Absent } else { State::Wrong };
            Finding::not_good("ipfs sync", state, found, Some(mend.to_owned()))
        }
        Some(true) => Finding::good("ipfs sync", format!("{node}: blocks are flushed to the disk")),
        None => {
            Finding::not_good("ipfs sync", State::Absent, format!("{node}: not a flatfs, so it is not known"), None)
        }
    });
    findings.push(match (health.exposed.as_slice(), health.authorizations) {
        ([], false) => Finding::good("ipfs api", format!("{node}: listens on this machine alone, without a token")),
        (_, true) => Finding::good("ipfs api", format!("{node}: asks for a token (API.Authorizations)")),
        (exposed, false) => wrong(
            "ipfs api",
            format!("{node}: {} is open to everybody who reaches it, as administrator", exposed.join(", ")),
            "ipfs config Addresses.API /ip4/127.0.0.1/tcp/5001, or set API.Authorizations; then restart the node",
        ),
    });
}

/// Repository, garbage collection and disk.
fn room(node: &str, health: &Health) -> Finding {
    let Health { repo_bytes, repo_limit_bytes, gc_watermark_percent, gc_period, disk_free_bytes, .. } = health;
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / GIB);
    let free = disk_free_bytes.map_or_else(|| "an unknown part of the disk".to_owned(), gib);
    let found = format!(
        "{node}: {} of {} (Datastore.StorageMax) used, {free} free; garbage is collected every {gc_period} from {gc_watermark_percent} % on if \
         the node was started with --enable-gc, and what is pinned stays",
        gib(*repo_bytes),
        gib(*repo_limit_bytes)
    );
    if disk_free_bytes.is_some_and(|free| free < LEAST_FREE_BYTES) {
        return wrong("ipfs disk", found, "make room on the node's disk: ipfs repo gc deletes what nobody pins");
    }
    if repo_bytes.saturating_mul(100) > repo_limit_bytes.saturating_mul(*gc_watermark_percent) {
        return wrong(
            "ipfs disk",
            found,
            "ipfs repo gc deletes what nobody pins; or raise Datastore.StorageMax, and restart the node",
        );
    }
    Finding::good("ipfs disk", found)
}

/// Whether every object is pinned at as many nodes as it should be.
async fn replicas(store: &KuboStore, wanted: usize) -> Finding {
    let counted = async {
        let pins = AnyStore::Kubo(store.clone()).pins().await?;
        let (mut short, count) = (0, pins.len());
        for cid in pins {
            short += usize::from(store.pin_state(&cid).await? != PinState::Pinned);
        }
        Ok::<_, StoreError>((short, count))
    };
    match counted.await {
        Ok((0, count)) => Finding::good(
            "replicas",
            format!("{count} objects, each pinned at {wanted} of {} nodes", store.node_names().len()),
        ),
        Ok((short, count)) => wrong(
            "replicas",
            format!("{short} of {count} objects are pinned at fewer than {wanted} nodes"),
            "medseal pins --repair",
        ),
        Err(error) => Finding::failed("replicas", &CliError::from(error)),
    }
}
