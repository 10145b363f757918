//! A node's health: its version, and the settings that decide whether objects are kept.

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::Value;

use super::KuboStore;
use super::error::IpfsError;
use super::node::KuboNode;

/// A node's health and settings.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Health {
    /// Its version.
    pub version: String,
    /// How many objects it keeps for us.
    pub pins: usize,
    /// To how many peers it is connected.
    pub peers: usize,
    /// Bytes of its repository.
    pub repo_bytes: u64,
    /// Bytes from which on it is full: `Datastore.StorageMax`. Kept to only by a node that collects
    /// its garbage.
    pub repo_limit_bytes: u64,
    /// Percent of these at which garbage is collected: `Datastore.StorageGCWatermark`.
    pub gc_watermark_percent: u64,
    /// How often garbage is collected, if the node was started with `--enable-gc`:
    /// `Datastore.GCPeriod`.
    pub gc_period: String,
    /// Bytes left on its disk, if it says so.
    pub disk_free_bytes: Option<u64>,
    /// Whether a block is on the disk when the node says that it is: `sync` of the flatfs in
    /// `Datastore.Spec`. `None` for another store.
    pub sync: Option<bool>,
    /// Whether its RPC asks everybody for a token: `API.Authorizations`.
    pub authorizations: bool,
    /// Addresses of its RPC that are not this machine's alone.
    pub exposed: Vec<String>,
}

impl KuboStore {
    /// Asks each node how it is.
    pub async fn health(&self) -> Vec<(String, Result<Health, IpfsError>)> {
        let healths = join_all(self.nodes.nodes.iter().map(KuboNode::health)).await;
        self.node_names().into_iter().zip(healths).collect()
    }
}

impl KuboNode {
    async fn health(&self) -> Result<Health, IpfsError> {
        let rpc = &self.rpc;
        let version: Version = rpc.ask("version", &[]).await?;
        let config: Value = rpc.ask("config/show", &[]).await?;
        let repo: Repo = rpc.ask("repo/stat", &[("size-only", "true")]).await?;
        let system: Value = rpc.ask("diag/sys", &[]).await?;
        let datastore = &config["Datastore"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Health {
            version: version.version,
            pins: rpc.pins().await?.len(),
            peers: rpc.peers().await?,
            repo_bytes: repo.repo_size,
            repo_limit_bytes: repo.storage_max,
            gc_watermark_percent: datastore["StorageGCWatermark"].as_u64().unwrap_or(90),
            gc_period: text(&datastore["GCPeriod"]),
            disk_free_bytes: system["diskinfo"]["free_space"].as_u64(),
            sync: flatfs_sync(&datastore["Spec"]),
            authorizations: config["API"]["Authorizations"].as_object().is_some_and(|all| !all.is_empty()),
            exposed: addresses(&config["Addresses"]["API"]).into_iter().filter(|address| is_exposed(address)).collect(),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Repo {
    repo_size: u64,
    storage_max: u64,
}

/// The `sync` of the flatfs somewhere in a datastore's specification.
fn flatfs_sync(spec: &Value) -> Option<bool> {
    if spec["type"] == "flatfs" {
        return Some(spec["sync"].as_bool().unwrap_or(true));
    }
    let inner = spec["mounts"].as_array().map(Vec::as_slice).unwrap_or_default();
    inner.iter().chain(spec.get("child")).find_map(flatfs_sync)
}

/// One address, or a list of them.
fn addresses(value: &Value) -> Vec<String> {
    let all = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    all.iter().filter_map(|address| address.as_str().map(str::to_owned)).collect()
}

/// Whether others than this machine reach a multiaddr.
fn is_exposed(address: &str) -> bool {
    let mut parts = address.trim_start_matches('/').split('/');
    match (parts.next(), parts.next()) {
        (Some("unix"), _) | (_, Some("localhost")) => false,
        (_, Some(host)) => !host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_sync_of_a_flatfs_is_found_where_kubo_puts_it() {
        let flatfs = |sync: Value| {
            json!({ "type": "mount", "mounts": [
                { "mountpoint": "/blocks", "type": "measure", "child": { "type": "flatfs", "path": "blocks", "sync": sync } },
                { "mountpoint": "/", "type": "measure", "child": { "type": "levelds", "path": "datastore" } },
            ] })
        };
        assert_eq!(flatfs_sync(&flatfs(json!(true))), Some(true));
        assert_eq!(flatfs_sync(&flatfs(json!(false))), Some(false));
        let pebble = json!({ "type": "measure", "child": { "type": "pebbleds", "path": "pebbleds" } });
        assert_eq!(flatfs_sync(&pebble), None);
    }

    #[test]
    fn an_rpc_that_others_reach_is_exposed() {
        for (address, exposed) in [
            ("/ip4/127.0.0.1/tcp/5001", false),
            ("/ip6/::1/tcp/5001", false),
            ("/dns4/localhost/tcp/5001", false),
            ("/unix/run/ipfs.sock", false),
            ("/ip4/0.0.0.0/tcp/5001", true),
            ("/ip6/::/tcp/5001", true),
            ("/ip4/10.0.0.5/tcp/5001", true),
            ("/dns4/ipfs.example/tcp/5001", true),
            ("", true),
        ] {
            assert_eq!(is_exposed(address), exposed, "{address}");
        }
        assert_eq!(addresses(&json!(["/ip4/127.0.0.1/tcp/1", "/ip4/0.0.0.0/tcp/2"])).len(), 2);
        assert_eq!(addresses(&json!("/ip4/0.0.0.0/tcp/2")), ["/ip4/0.0.0.0/tcp/2"]);
    }
}
