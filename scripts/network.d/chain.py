"""The nodes of the proof-of-stake chain: Geth, Prysm's beacon-chain and its validator, with an equal part of the stake each."""
import json, secrets, subprocess

import genesis, links, parts

NODES = 4
LOOPBACK, SEEN = "127.0.0.1", "127.0.1.0/24"
# Kept on disk as it is made: proofs of any block are answered, and nothing is lost with a killed process.
STATE_OF_EVERY_BLOCK = ("--gcmode", "archive", "--state.scheme", "hash")
SECP256K1_PAIRS = """
const {createECDH} = require("node:crypto");
console.log(JSON.stringify(Array.from({length: Number(process.argv[1])}, () => {
  const key = createECDH("secp256k1");
  key.generateKeys();
  return {secret: key.getPrivateKey("hex").padStart(64, "0"), whole: key.getPublicKey("hex", "uncompressed"), short: key.getPublicKey("hex", "compressed")};
})));"""
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def key_pairs(count):
    """New secp256k1 keys, as Geth and libp2p both use them for their nodes."""
    return json.loads(parts.run("node", "-e", SECP256K1_PAIRS, count))


def peer_id(short):
    """libp2p's name of a secp256k1 key: identity multihash of its protobuf, in base58."""
    data = bytes([0, 37, 8, 2, 18, 33]) + bytes.fromhex(short)
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def names(node):
    return (f"geth-{node}", f"beacon-{node}", f"validator-{node}")


def geth_command(node, ports, enodes, home):
    """Geth with its RPC on this machine alone, without admin or debug calls, and with no other peers than these."""
    peers = ", ".join(f'"{enode}"' for enode in enodes)
    config = parts.write(home / "geth.toml", f'[Node.P2P]\nListenAddr = "{LOOPBACK}:{ports["geth_p2p"]}"\nStaticNodes = [{peers}]\nNoDiscovery = true\n')
    return [parts.program("geth"), "--config", config, "--datadir", home / "geth", "--networkid", genesis.CHAIN_ID, "--nodekey", home / "geth.key",
            *STATE_OF_EVERY_BLOCK, "--syncmode", "full", "--cache", 256, "--ipcdisable", "--nat", "none", "--netrestrict", SEEN,
            # On a quiet chain wallets are told to offer 1 wei; by default Geth would leave such transactions in its pool for ever.
            "--miner.gasprice", 1,
            "--http", "--http.addr", LOOPBACK, "--http.port", ports["rpc"], "--http.api", "eth,net,web3", "--http.vhosts", f"localhost,{LOOPBACK}",
            "--authrpc.addr", LOOPBACK, "--authrpc.port", ports["engine"], "--authrpc.jwtsecret", home / "jwt"]


def beacon_command(node, ports, peers, home, recipient):
    """The consensus of one Geth. QUIC is off: that of Prysm 6.1.4 ends with a panic under Go 1.26. It begins again at the head that it saved:
    at an older block, its choice otherwise, Geth builds nothing, and a network that was stopped as a whole would never go on."""
    command = [parts.program("beacon-chain"), "--accept-terms-of-use", "--datadir", home / "beacon", "--genesis-state", parts.HOME / "genesis.ssz",
               "--chain-config-file", parts.HOME / "config.yml", "--contract-deployment-block", 0, "--chain-id", genesis.CHAIN_ID,
               "--network-id", genesis.CHAIN_ID, "--execution-endpoint", f"http://{LOOPBACK}:{ports['engine']}", "--jwt-secret", home / "jwt",
               "--min-sync-peers", 0, "--minimum-peers-per-subnet", 0, "--no-discovery", "--disable-quic", "--disable-monitoring", "--sync-from", "head",
               "--p2p-priv-key", home / "beacon.key", "--p2p-local-ip", LOOPBACK, "--p2p-host-ip", f"127.0.1.{node}", "--p2p-allowlist", SEEN,
               "--p2p-tcp-port", ports["beacon_p2p"], "--p2p-udp-port", ports["beacon_udp"], "--rpc-host", LOOPBACK, "--rpc-port", ports["beacon_rpc"],
               "--http-host", LOOPBACK, "--http-port", ports["beacon_http"], "--suggested-fee-recipient", recipient]
    return command + [word for peer in peers for word in ("--peer", peer)]


def validator_command(node, ports, home, recipient):
    """The validator with this node's part of the stake. Its keys are known to everybody: Prysm's interop keys."""
    first = (node - 1) * genesis.VALIDATORS_PER_NODE
    return [parts.program("validator"), "--accept-terms-of-use", "--datadir", home / "validator", "--chain-config-file", parts.HOME / "config.yml",
            "--interop-num-validators", genesis.VALIDATORS_PER_NODE, "--interop-start-index", first, "--disable-monitoring",
            "--beacon-rpc-provider", f"{LOOPBACK}:{ports['beacon_rpc']}", "--suggested-fee-recipient", recipient]


PORTS = ("rpc", "engine", "geth_p2p", "beacon_p2p", "beacon_udp", "beacon_rpc", "beacon_http")


def make(network, recipient):
    """Keys, data folders and commands of every node. Returns the links between them."""
    nodes = range(1, NODES + 1)
    fresh = iter(parts.free_ports(NODES * len(PORTS) + 2 * NODES * (NODES - 1)))
    ports = {node: {name: next(fresh) for name in PORTS} for node in nodes}
    pairs = key_pairs(2 * NODES)
    geth_keys, beacon_keys = dict(zip(nodes, pairs[:NODES])), dict(zip(nodes, pairs[NODES:]))
    cables = []
    for node in nodes:
        home = parts.HOME / f"node-{node}"
        parts.write(home / "jwt", secrets.token_hex(32))
        parts.write(home / "geth.key", geth_keys[node]["secret"])
        parts.write(home / "beacon.key", beacon_keys[node]["secret"])
        enodes, peers = [], []
        for other in nodes:
            if other != node:
                geth_link, beacon_link = next(fresh), next(fresh)
                cables.append({"from": node, "to": other, "port": geth_link, "target": ports[other]["geth_p2p"]})
                cables.append({"from": node, "to": other, "port": beacon_link, "target": ports[other]["beacon_p2p"]})
                enodes.append(f"enode://{geth_keys[other]['whole'][2:]}@{links.address(other)}:{geth_link}?discport=0")
                peers.append(f"/ip4/{links.address(other)}/tcp/{beacon_link}/p2p/{peer_id(beacon_keys[other]['short'])}")
        geth, beacon, validator = names(node)
        network.add(geth, geth_command(node, ports[node], enodes, home), order=1)
        network.add(beacon, beacon_command(node, ports[node], peers, home, recipient), order=2)
        network.add(validator, validator_command(node, ports[node], home, recipient), order=3)
    network.state["chain"] = [{"rpc": f"http://{LOOPBACK}:{ports[node]['rpc']}", "beacon": f"http://{LOOPBACK}:{ports[node]['beacon_http']}"} for node in nodes]
    return cables


def begin():
    """Gives every Geth the genesis block."""
    running = [subprocess.Popen([parts.program("geth"), "init", "--state.scheme", "hash", "--datadir", parts.HOME / f"node-{node}" / "geth", parts.HOME / "genesis.json"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for node in range(1, NODES + 1)]
    for process in running:
        said, _ = process.communicate()
        if process.returncode != 0:
            raise parts.Problem(f"geth init failed:\n{said[-2000:]}", "scripts/network down")
