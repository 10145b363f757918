#!/usr/bin/env python3
"""scripts/network as its users see it: one story, told in order; `cut` is walked in faults.py. Needs scripts/setup --nodes; prints "N passed".

    tests/network/test_network.py            the proof-of-stake network, then the small ones
    tests/network/test_network.py --small    the small ones alone
"""
import json, os, signal, subprocess, sys, urllib.error
from pathlib import Path

from nodes import (HOME, TOOLS, Acts, call, cast, environment, finalized, ipfs, kubo, network, one_chain, receipt, rpc, status, until,
                   written)


def refused(question):
    """The status that a request was refused with; nothing where it was granted."""
    try:
        question()
    except urllib.error.HTTPError as error:
        return error.code
    return None


def add(node, data):
    """The CID of these bytes, added with the settings that medseal uses."""
    edge = "medseal-network-test"
    body = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode() + data + f"\r\n--{edge}--\r\n".encode()
    path = "add?cid-version=1&raw-leaves=true&chunker=size-1048576&pin=true&quieter=true"
    return json.loads(kubo(node, path, body, {"Content-Type": f"multipart/form-data; boundary={edge}"}))["Hash"]


def send(url, account, to, value="1gwei"):
    """The hash of a transaction that was handed to this node."""
    return cast("send", "--async", "--rpc-url", url, "--keystore", account["keystore"], "--password-file", account["password"], to, "--value", value)


def processes():
    """Parts and their process ids, as state.json has them, of those that run."""
    parts = json.loads((HOME / "state.json").read_text())["parts"]
    pids = {name: part["process"]["pid"] for name, part in parts.items() if part.get("process")}
    return {name: pid for name, pid in pids.items() if runs(pid)}


def runs(pid):
    """Whether there is such a process, and not only its exit code that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def listeners(pids):
    """The addresses, as the kernel writes them, at which these processes take TCP connections."""
    inodes = set()
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = os.readlink(entry)
            except FileNotFoundError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1])
    return found


def nothing_is_up():
    said = network("status", fails=True)
    assert "error: no network is up\nhint: scripts/network up" in said, said
    network("down")


def it_comes_up():
    said = network("up")
    assert "ready after" in said, said
    made = written()
    assert (made["kind"], made["chainId"], len(made["rpc"]), len(made["ipfs"])) == ("proof-of-stake", 2025325, 4, 3), made
    assert [int(rpc(url, "eth_chainId"), 16) for url in made["rpc"]] == [2025325] * 4
    env = environment()
    assert env["ETH_RPC_URL"] == ",".join(made["rpc"]) and env["IPFS_API"] == ",".join(node["api"] for node in made["ipfs"]), env
    settings = ("MEDSEAL_CHAIN_ID", "MEDSEAL_PROFILE", "MEDSEAL_BLOCK_TIME", "MEDSEAL_REPLICAS", "MEDSEAL_ACTOR")
    assert [env[name] for name in settings] == ["2025325", "network", "2", "2", "sender"], env
    assert Path(env["MEDSEAL_IPFS_TOKEN_FILE"]).read_text().split() == [node["token"] for node in made["ipfs"]]
    sender = made["accounts"]["sender"]
    assert (env["ETH_KEYSTORE"], env["ETH_PASSWORD"]) == (sender["keystore"], sender["password"]), env
    for secret in (HOME / "ipfs-token", HOME / "keystore" / "sender", HOME / "keystore" / "password", HOME / "node-1" / "jwt"):
        assert secret.stat().st_mode & 0o077 == 0, secret
    done = subprocess.run(["bash", "-c", f". {HOME}/env && as reader sh -c 'echo $MEDSEAL_ACTOR $ETH_KEYSTORE'"], capture_output=True, text=True)
    assert done.stdout.split() == ["reader", made["accounts"]["reader"]["keystore"]], done


def a_second_up_is_refused():
    before = processes()
    said = network("up", fails=True)
    assert "error: a network is up already: proof-of-stake" in said, said
    assert processes() == before


def it_listens_on_this_machine_alone():
    found = listeners(processes().values())
    # Of every Geth its RPC, engine and peer port, of every Prysm three and of the validator's none, of every Kubo two, and the links.
    assert len(found) >= 4 * 6 + 3 * 2 + 4 * 3 * 2 + 3 * 2, sorted(found)
    # The last byte of an IPv4 address comes first.
    outside = [address for address in found if not address.partition(":")[0].endswith("7F") or len(address.partition(":")[0]) != 8]
    assert not outside, outside


def geth_hides_what_is_not_for_applications():
    url = written()["rpc"][0]
    for method in ("admin_nodeInfo", "debug_setHead", "personal_listAccounts", "txpool_content", "engine_getPayloadV4"):
        assert call(url, method)["error"]["code"] == -32601, method


def heads_rise_and_agree_and_finality_follows():
    first = status()
    assert all(node["peers"] == 3 and node["beaconPeers"] == 3 for node in first["chain"]), first
    later = until("finality on every node", lambda: (said := status()) and finalized(said) > finalized(first) and one_chain(said) and said)
    for before, node in zip(first["chain"], later["chain"]):
        assert node["head"]["number"] > before["head"]["number"], (before, node)
        assert node["head"]["number"] >= node["safe"]["number"] >= node["finalized"]["number"], node


def accounts_have_ether_and_act():
    made = written()
    sender, reader = made["accounts"]["sender"], made["accounts"]["reader"]
    assert int(rpc(made["rpc"][3], "eth_getBalance", reader["address"], "latest"), 16) == 10_000 * 10**18
    assert cast("wallet", "address", "--keystore", sender["keystore"], "--password-file", sender["password"]) == sender["address"]
    transaction = send(made["rpc"][0], sender, reader["address"])
    mined = until("the receipt at another node", lambda: receipt(made["rpc"][3], transaction))
    assert mined["status"] == "0x1", mined


def kubo_asks_for_its_token():
    node = written()["ipfs"][0]
    assert refused(lambda: kubo(node, "version", token="wrong")) == 403
    assert json.loads(kubo(node, "version"))["Version"] == "0.42.0"


def what_one_node_holds_the_others_pin():
    nodes = written()["ipfs"]
    before = [node["pins"] for node in status()["ipfs"]]
    data = os.urandom(3 << 20)
    cid = add(nodes[0], data)
    for node in nodes[1:]:
        kubo(node, f"pin/add?arg={cid}")
        assert kubo(node, f"cat?arg={cid}&offline=true") == data
    assert [node["pins"] for node in status()["ipfs"]] == [pins + 1 for pins in before]
    assert cid in ipfs(nodes[2], "pin", "ls", "--type=recursive", "--quiet").decode().split()


def stranger(repo, key):
    """Whether a Kubo node with this swarm key gets a connection to node 1."""
    env = {**os.environ, "IPFS_PATH": str(repo), "LIBP2P_FORCE_PNET": "1", "IPFS_TELEMETRY": "off"}
    subprocess.run([TOOLS / "ipfs", "init", "--profile", "test"], env=env, check=True, capture_output=True)
    (repo / "swarm.key").write_text(key)
    config = json.loads((repo / "config").read_text())
    config["Routing"] = {"Type": "none"}
    config["AutoConf"] = {"Enabled": False}
    config["DNS"] = {"Resolvers": {}}
    config["Ipns"]["DelegatedPublishers"] = []
    # As node 3 would: through its link, so that the key alone decides.
    third = json.loads((HOME / "ipfs-3" / "config").read_text())["Peering"]["Peers"]
    (peer,) = [peer for peer in third if peer["ID"] == written()["ipfs"][0]["id"]]
    (repo / "config").write_text(json.dumps(config))
    with open(repo / "log", "w") as log:
        daemon = subprocess.Popen([TOOLS / "ipfs", "daemon", "--migrate=false"], env=env, stdout=log, stderr=log)
    try:
        until("the stranger's start", lambda: "Daemon is ready" in (repo / "log").read_text())
        done = subprocess.run([TOOLS / "ipfs", "swarm", "connect", f"{peer['Addrs'][0]}/p2p/{peer['ID']}"], env=env, capture_output=True, text=True)
        return done.returncode == 0
    finally:
        daemon.terminate()
        daemon.wait()


def the_swarm_lets_in_its_key_alone():
    key = (HOME / "ipfs-1" / "swarm.key").read_text()
    other = key[:-2] + ("0" if key[-2] != "0" else "1") + "\n"
    assert stranger(HOME / "stranger", key)
    assert not stranger(HOME / "stranger-without", other)


def a_killed_node_comes_back():
    network("kill", 1)
    said = status()
    assert said["chain"][0]["head"] is None and not any(said["chain"][0]["runs"].values()), said
    before = said["chain"][1]["finalized"]["number"]
    alive = lambda: status()["chain"][1]
    until("finality without one node", lambda: alive()["finalized"]["number"] > before)
    network("heal", 1)
    said = until("one chain on all nodes", lambda: (said := status()) and one_chain(said) and said)
    assert all(node["peers"] == 3 for node in said["chain"]), said


def a_killed_kubo_node_keeps_its_pins():
    pins = [node["pins"] for node in status()["ipfs"]]
    network("kill", "ipfs-2")
    assert status()["ipfs"][1]["version"] is None
    network("heal", "ipfs-2")
    assert [(node["peers"], node["pins"]) for node in status()["ipfs"]] == [(2, count) for count in pins]


def wrong_names_are_refused():
    assert "error: there is no node or part 5\nhint: nodes 1 to 4" in network("kill", 5, fails=True)
    assert "error: cut 4: 1 to 3 of 4 nodes can be cut off" in network("cut", 4, fails=True)


def down_leaves_nothing():
    before = processes()
    ports = listeners(before.values())
    network("down")
    assert processes() == {}, processes()
    left = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"}
    assert len(before) == 16 and not ports & left, ports & left


def keep_goes_on():
    before = written()
    network("up", "--keep")
    now = written()
    assert now == before
    # The one that what_one_node_holds_the_others_pin made, and that of the empty folder which every repository begins with.
    assert [node["pins"] for node in status()["ipfs"]] == [2] * 3
    # What accounts_have_ether_and_act sent is still there.
    assert int(rpc(now["rpc"][0], "eth_getBalance", now["accounts"]["reader"]["address"], "latest"), 16) == 10_000 * 10**18 + 10**9
    head = status()["chain"][0]["head"]["number"]
    until("a block after the pause", lambda: status()["chain"][0]["head"]["number"] > head)


def a_crash_of_all_is_cleaned_up():
    for pid in processes().values():
        os.kill(pid, signal.SIGKILL)
    until("the end of all", lambda: not processes())
    small_network("anvil", 31337)


def small_network(kind, chain_id):
    network("up", f"--{kind}")
    made = written()
    assert (made["kind"], made["chainId"], len(made["rpc"]), len(made["ipfs"])) == (kind, chain_id, 1, 1), made
    transaction = send(made["rpc"][0], made["accounts"]["sender"], made["accounts"]["reader"]["address"])
    until("the receipt", lambda: receipt(made["rpc"][0], transaction))
    data = os.urandom(100_000)
    assert kubo(made["ipfs"][0], f"cat?arg={add(made['ipfs'][0], data)}") == data
    assert "nothing to cut" in network("cut", 1, fails=True)
    network("kill", 1)
    network("heal", 1)
    if kind == "geth-dev":
        # anvil writes its state at an orderly end alone.
        until("the receipt after the crash", lambda: receipt(made["rpc"][0], transaction))
    network("down")
    assert processes() == {}, processes()


def a_development_chain_of_geth():
    small_network("geth-dev", 1337)


def a_development_chain_of_anvil():
    small_network("anvil", 31337)


STORY = (
    nothing_is_up, it_comes_up, a_second_up_is_refused, wrong_names_are_refused, it_listens_on_this_machine_alone,
    geth_hides_what_is_not_for_applications, accounts_have_ether_and_act, kubo_asks_for_its_token, what_one_node_holds_the_others_pin,
    the_swarm_lets_in_its_key_alone, heads_rise_and_agree_and_finality_follows, a_killed_node_comes_back, a_killed_kubo_node_keeps_its_pins,
    down_leaves_nothing, keep_goes_on, a_crash_of_all_is_cleaned_up, a_development_chain_of_geth,
)
SMALL = (nothing_is_up, a_development_chain_of_geth, a_development_chain_of_anvil)


def main():
    network("down")
    acts = Acts("private network")
    acts.run(*(SMALL if sys.argv[1:] == ["--small"] else STORY))
    acts.end()


if __name__ == "__main__":
    main()
