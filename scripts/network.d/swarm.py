"""The Kubo nodes: a private swarm of their own, which nobody enters without its key, and an RPC that asks for a token."""
import secrets

import links, parts, rpc

NODES = 3
LOOPBACK = "127.0.0.1"
# Whoever lacks the swarm's key gets no connection, and a node without one does not start.
ENVIRONMENT = {"LIBP2P_FORCE_PNET": "1", "IPFS_TELEMETRY": "off"}


def name(node):
    return f"ipfs-{node}"


def repo(node):
    return parts.HOME / name(node)


def configure(config, ports, peers, token):
    """Loopback only, TCP only (a private swarm has no QUIC), nothing found or announced outside the list of peers."""
    config["Addresses"].update({"API": f"/ip4/{LOOPBACK}/tcp/{ports['api']}", "Gateway": [], "Swarm": [f"/ip4/{LOOPBACK}/tcp/{ports['swarm']}"]})
    config["API"] = {"Authorizations": {"medseal": {"AuthSecret": f"bearer:{token}", "AllowedPaths": ["/api/v0"]}}}
    config["Bootstrap"] = []
    config["Routing"] = {"Type": "none"}
    config["Peering"] = {"Peers": peers}
    for section in ("AutoConf", "AutoTLS", "Provide"):
        config.setdefault(section, {})["Enabled"] = False
    config["DNS"] = {"Resolvers": {}}
    config["Ipns"] = {**config.get("Ipns", {}), "DelegatedPublishers": []}
    config["Discovery"]["MDNS"]["Enabled"] = False
    swarm = config["Swarm"]
    # Every peer is reached by a link of scripts/network, never at the address that it listens on.
    swarm["AddrFilters"] = ["/ip4/127.0.0.0/ipcidr/24"] if peers else []
    swarm["DisableNatPortMap"] = True
    swarm["RelayClient"] = {"Enabled": False}
    swarm["RelayService"] = {"Enabled": False}
    swarm["Transports"] = {**swarm.get("Transports", {}), "Network": {kind: False for kind in ("QUIC", "WebTransport", "WebRTCDirect", "Websocket", "Relay")}}


def swarm_key():
    return f"/key/swarm/psk/1.0.0/\n/base16/\n{secrets.token_hex(32)}\n"


def make(network, nodes):
    """Repositories and commands of so many nodes, each the peer of every other. Returns the links between them."""
    ipfs = parts.program("ipfs")
    nodes = range(1, nodes + 1)
    fresh = iter(parts.free_ports(len(nodes) * (len(nodes) + 1)))
    ports = {node: {"api": next(fresh), "swarm": next(fresh)} for node in nodes}
    key, token = swarm_key(), secrets.token_hex(32)
    for node in nodes:
        parts.run(ipfs, "init", "--profile", "test", env={"IPFS_PATH": str(repo(node)), **ENVIRONMENT})
        parts.write(repo(node) / "swarm.key", key)
    ids = {node: parts.read_json(repo(node) / "config")["Identity"]["PeerID"] for node in nodes}
    cables = []
    for node in nodes:
        peers = []
        for other in nodes:
            if other != node:
                port = next(fresh)
                cables.append({"from": node, "to": other, "port": port, "target": ports[other]["swarm"]})
                peers.append({"ID": ids[other], "Addrs": [f"/ip4/{links.address(other)}/tcp/{port}"]})
        config = parts.read_json(repo(node) / "config")
        configure(config, ports[node], peers, token)
        parts.write_json(repo(node) / "config", config)
        network.add(name(node), [ipfs, "daemon", "--migrate=false"], env={"IPFS_PATH": str(repo(node)), **ENVIRONMENT}, order=1)
    network.state["ipfs"] = [{"api": f"http://{LOOPBACK}:{ports[node]['api']}", "token": token, "repo": str(repo(node)), "id": ids[node]} for node in nodes]
    return cables


def connect(network):
    """Has every running node call all its peers now, instead of when its patience says so."""
    for node, entry in enumerate(network.state["ipfs"], 1):
        config = parts.read_json(repo(node) / "config")
        for peer in config["Peering"]["Peers"]:
            try:
                rpc.kubo(entry, f"swarm/connect?arg={peer['Addrs'][0]}/p2p/{peer['ID']}")
            except rpc.Unreachable:
                # Down, or on the other side of a cut.
                pass
