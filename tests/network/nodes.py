"""scripts/network and its nodes as a test sees them."""
import json, os, subprocess, time, urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "target" / "network"
TOOLS = ROOT / "target" / "tools" / "bin"
SLOT_SECONDS = 2
# How long a condition is waited for; no test asks how fast it came.
PATIENCE_SECONDS = 150


def network(*words, fails=False):
    """What scripts/network said; it must succeed, or fail with exit code 1 where that is wanted."""
    done = subprocess.run([ROOT / "scripts" / "network", *map(str, words)], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == (1 if fails else 0), f"scripts/network {' '.join(map(str, words))} ended with {done.returncode}:\n{said}"
    return said


def status():
    return json.loads(network("status", "--json"))


def written():
    return json.loads((HOME / "network.json").read_text())


def environment():
    """The variables that target/network/env sets in a shell."""
    done = subprocess.run(["bash", "-c", ". ./env && env -0"], cwd=HOME, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
    values = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    return {name: value for name, value in values.items() if name.startswith(("ETH_", "IPFS_", "MEDSEAL_"))}


def until(what, question):
    """The first answer that is not false."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(1)
    return answer


def call(url, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=10) as answer:
        return json.load(answer)


def rpc(url, method, *params):
    answer = call(url, method, *params)
    assert "error" not in answer, answer
    return answer["result"]


def receipt(url, transaction):
    return rpc(url, "eth_getTransactionReceipt", transaction)


def kubo(node, path, body=b"", headers=None, token=None):
    headers = {"Authorization": f"Bearer {token or node['token']}", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(f"{node['api']}/api/v0/{path}", body, headers), timeout=20) as answer:
        return answer.read()


def ipfs(node, *words):
    """What Kubo's own program prints for this node."""
    command = [TOOLS / "ipfs", "--api-auth", f"bearer:{node['token']}", *map(str, words)]
    done = subprocess.run(command, env={**os.environ, "IPFS_PATH": node["repo"]}, capture_output=True)
    assert done.returncode == 0, f"ipfs {words}: {done.stderr.decode()}"
    return done.stdout


def cast(*words):
    done = subprocess.run([TOOLS / "cast", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, f"cast {words}: {done.stderr}"
    return done.stdout.strip()


def block_hashes(said, number):
    return [rpc(node["rpc"], "eth_getBlockByNumber", hex(number), False) for node in said["chain"]]


def one_chain(said):
    """Whether every node has the same block at the lowest head's height."""
    if any(node["head"] is None for node in said["chain"]):
        return False
    blocks = block_hashes(said, min(node["head"]["number"] for node in said["chain"]))
    return None not in blocks and len({block["hash"] for block in blocks}) == 1


def finalized(said):
    return min(node["finalized"]["number"] if node["finalized"] else 0 for node in said["chain"])


class Acts:
    """Acts told in order: each prints its name, the last line how many there were; the network is taken down whatever happens."""

    def __init__(self, title):
        self.title, self.passed = title, 0

    def run(self, *acts):
        for act in acts:
            began = time.monotonic()
            name = act.__name__
            try:
                act()
            except BaseException:
                print(f"FAILED {self.title}: {name}", flush=True)
                network("down")
                raise
            self.passed += 1
            print(f"ok {self.title}: {name} ({time.monotonic() - began:.1f} s)", flush=True)

    def end(self):
        print(f"{self.title}: {self.passed} passed", flush=True)
