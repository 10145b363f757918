"""How a network is: what each node says of itself, and whether all say the same."""
import json, time

import parts, rpc, swarm


def attempt(question):
    """The answer, or nothing where the node gives none."""
    try:
        return question()
    except rpc.Unreachable:
        return None


def beacon_peers(entry):
    return int(rpc.ask(f"{entry['beacon']}/eth/v1/node/peer_count")["data"]["connected"])


def chain_node(network, number, entry):
    said = {"node": number, "rpc": entry["rpc"], "runs": {name: network.alive(name) for name in entry["parts"]}}
    for tag, key in (("latest", "head"), ("safe", "safe"), ("finalized", "finalized")):
        said[key] = attempt(lambda: rpc.block(entry["rpc"], tag))
    peers = attempt(lambda: rpc.ethereum(entry["rpc"], "net_peerCount"))
    said["peers"] = None if peers is None else int(peers, 16)
    if "beacon" in entry:
        said["beaconPeers"] = attempt(lambda: beacon_peers(entry))
    return said


def ipfs_node(network, number, entry):
    said = {"node": swarm.name(number), "api": entry["api"], "runs": network.alive(swarm.name(number))}
    version = attempt(lambda: rpc.kubo(entry, "version"))
    said["version"] = version and version["Version"]
    peers = attempt(lambda: rpc.kubo(entry, "swarm/peers"))
    said["peers"] = None if peers is None else len(peers["Peers"] or [])
    pins = attempt(lambda: rpc.kubo(entry, "pin/ls?type=recursive&quiet=true"))
    said["pins"] = None if pins is None else len(pins.get("Keys") or {})
    return said


def of(network):
    state = network.state
    said = {"kind": state["kind"], "chainId": state["chainId"], "half": parts.read_json(parts.HOME / "cut.json") or [],
            "chain": [chain_node(network, number, entry) for number, entry in enumerate(state["chain"], 1)],
            "ipfs": [ipfs_node(network, number, entry) for number, entry in enumerate(state["ipfs"], 1)]}
    if "links" in network.parts:
        said["linksRun"] = network.alive("links")
    return said


def show_block(block):
    return "-" if block is None else f"{block['number']:,} {block['hash'][:10]}"


def text(said):
    """The condition as tables."""
    rows = [("node", "parts", "head", "safe", "finalized", "peers", "beacon peers")]
    for node in said["chain"]:
        running = sum(node["runs"].values())
        rows.append((str(node["node"]), "all run" if running == len(node["runs"]) else f"{running} of {len(node['runs'])} run",
                     show_block(node["head"]), show_block(node["safe"]), show_block(node["finalized"]), show(node["peers"]), show(node.get("beaconPeers"))))
    ipfs = [("node", "runs", "version", "peers", "pins")]
    for node in said["ipfs"]:
        ipfs.append((node["node"], "yes" if node["runs"] else "no", show(node["version"]), show(node["peers"]), show(node["pins"])))
    half = f"\ncut: {', '.join(map(str, said['half']))} against the rest\n" if said["half"] else ""
    links = "\nlinks: not running, no node reaches another\n" if said.get("linksRun") is False else ""
    return f"{said['kind']}, chain id {said['chainId']}\n\n{table(rows)}\n{table(ipfs)}{half}{links}"


def json_text(said):
    return json.dumps(said, indent=2) + "\n"


def show(value):
    return "-" if value is None else str(value)


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + "\n" for row in rows)


def ready(said):
    """What is not yet as it should be after `up` or `heal`; nothing where all is well."""
    lacking = []
    chain_peers, ipfs_peers = len(said["chain"]) - 1, len(said["ipfs"]) - 1
    for node in said["chain"]:
        if node["head"] is None or (said["kind"] == "proof-of-stake" and node["head"]["number"] < 1):
            lacking.append(f"node {node['node']} has no block")
        elif said["kind"] == "proof-of-stake" and (node["peers"] or 0) < chain_peers:
            lacking.append(f"geth-{node['node']} has {show(node['peers'])} of {chain_peers} peers")
        elif said["kind"] == "proof-of-stake" and (node["beaconPeers"] or 0) < chain_peers:
            lacking.append(f"beacon-{node['node']} has {show(node['beaconPeers'])} of {chain_peers} peers")
    for node in said["ipfs"]:
        if node["peers"] is None or node["peers"] < ipfs_peers:
            lacking.append(f"{node['node']} has {show(node['peers'])} of {ipfs_peers} peers")
    return lacking


def heads_agree(said):
    """Whether all nodes stand on one chain: the same block at the lowest head's height."""
    heads = [node["head"] for node in said["chain"]]
    if None in heads:
        return False
    lowest = min(head["number"] for head in heads)
    found = [attempt(lambda: rpc.block(node["rpc"], hex(lowest))) for node in said["chain"]]
    return None not in found and len({block["hash"] for block in found}) == 1


def split(said):
    return [] if said["kind"] != "proof-of-stake" or heads_agree(said) else ["the nodes stand on different chains"]


def wait(network, question, seconds):
    """Asks until nothing is lacking, and returns the seconds that it took; a Problem where a part ends or the time is over."""
    began = time.monotonic()
    while lacking := question(of(network)):
        if ended := network.ended():
            raise parts.Problem(f"{ended[0]} has ended:\n{parts.log_end(ended[0])}", f"look into target/network/logs/{ended[0]}.log, then scripts/network down")
        if time.monotonic() - began > seconds:
            raise parts.Problem(f"not ready after {seconds} s: {'; '.join(lacking)}", "scripts/network status, target/network/logs")
        time.sleep(0.5)
    return time.monotonic() - began
