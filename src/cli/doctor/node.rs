//! What `doctor` asks each node for itself: what it is, whether it keeps up, and to whom it talks.

use super::Finding;
use crate::chain::{ChainError, Rpc};
use alloy::primitives::B256;
use serde_json::{Value, json};

/// Blocks that a node may be behind the others.
const MOST_BEHIND: u64 = 3;
/// Methods that command a node or lay it open: module, method, parameter.
const DANGEROUS: [(&str, &str, Option<&str>); 3] = [
    ("admin", "admin_nodeInfo", None),
    ("personal", "personal_listWallets", None),
    ("debug", "debug_getRawHeader", Some("latest")),
];

/// What the nodes together serve.
pub(super) struct Chain {
    pub(super) id: u64,
    pub(super) genesis: B256,
    pub(super) head: u64,
    pub(super) is_network: bool,
}

/// Looks at one node.
pub(super) async fn look(node: &Rpc, chain: &Chain, findings: &mut Vec<Finding>) {
    findings.push(match identity(node, chain).await {
        Ok(finding) => finding,
        Err(error) => Finding::failed("node", &error.into()),
    });
    if chain.is_network {
        findings.extend(peers(node).await);
    }
    findings.extend(exposed(node, chain.is_network).await);
}

async fn identity(node: &Rpc, chain: &Chain) -> Result<Finding, ChainError> {
    let at = node.endpoint();
    let (id, genesis) = (node.chain_id().await?, node.genesis().await?);
    if (id, genesis) != (chain.id, chain.genesis) {
        let found =
            format!("{at} serves chain {id} from block 0 {genesis}, expected {} from {}", chain.id, chain.genesis);
        return Ok(Finding::wrong("node", found, "take it out of the URLs, or point it to the same network"));
    }
    let (version, head) = (node.client_version().await?, node.latest().await?.number);
    let found = format!("{at}: chain {id}, {version}, block {head}");
    if node.raw("eth_syncing", vec![]).await.is_ok_and(|answer| answer != json!(false)) {
        return Ok(Finding::wrong("node", format!("{found}, still syncing"), "wait until it has caught up"));
    }
    if head.saturating_add(MOST_BEHIND) < chain.head {
        let found = format!("{found}, {} blocks behind", chain.head - head);
        return Ok(Finding::wrong(
            "node",
            found,
            "look at its peers and its consensus client, or wait until it has caught up",
        ));
    }
    Ok(Finding::good("node", found))
}

/// How many other nodes it talks to; nothing where it does not say.
async fn peers(node: &Rpc) -> Option<Finding> {
    let answer = node.raw("net_peerCount", vec![]).await.ok()?;
    let digits = answer.as_str()?.trim_start_matches("0x").to_owned();
    let at = node.endpoint();
    Some(match u64::from_str_radix(&digits, 16).ok()? {
        0 => {
            let mend = "look at --bootnodes, the firewall, and whether all nodes have the same genesis";
            Finding::wrong("peers", format!("{at} talks to no other node"), mend)
        }
        count => Finding::good("peers", format!("{at} talks to {count} other nodes")),
    })
}

/// Who else may read along, or command the node.
async fn exposed(node: &Rpc, is_network: bool) -> Vec<Finding> {
    let (what, at) = ("exposure", node.endpoint());
    let mut findings = Vec::new();
    if node.is_open_to_the_network() {
        let found = format!("{at} is asked in plain text over the network");
        let mend = "use https, or a tunnel to a port of this machine: ssh -L, WireGuard";
        findings.push(Finding::wrong(what, found, mend));
    }
    if !is_network {
        return findings;
    }
    let mut open = Vec::new();
    for (module, method, param) in DANGEROUS {
        if node.raw(method, param.map(Value::from).into_iter().collect()).await.is_ok() {
            open.push(module);
        }
    }
    if !open.is_empty() {
        let found = format!("{at} answers {}", open.join(", "));
        findings.push(Finding::wrong(what, found, "start it with --http.api eth,net,web3 and nothing else"));
    }
    let accounts = node.raw("eth_accounts", vec![]).await.ok();
    if accounts.is_some_and(|accounts| accounts.as_array().is_some_and(|accounts| !accounts.is_empty())) {
        let found = format!("{at} signs for whoever asks: it holds accounts");
        findings.push(Finding::wrong(what, found, "move its keystore away from the node; medseal signs by itself"));
    }
    if findings.is_empty() {
        findings.push(Finding::good(what, format!("{at} answers nothing that commands it")));
    }
    findings
}
