"""The small networks: one chain endpoint, anvil or `geth --dev`, with the same interface as the large one."""
import time

import chain, genesis, parts, rpc

LOOPBACK = "127.0.0.1"
KINDS = {"geth-dev": 1337, "anvil": 31337}
SECONDS = 30


def make(network):
    """The chain's one command."""
    kind = network.state["kind"]
    (port,) = parts.free_ports(1)
    home = parts.HOME / "node-1"
    home.mkdir(parents=True, exist_ok=True)
    if kind == "anvil":
        command = [parts.program("anvil", "scripts/setup"), "--host", LOOPBACK, "--port", port, "--hardfork", "prague", "--chain-id", KINDS[kind],
                   "--state", home / "state.json"]
    else:
        command = [parts.program("geth"), "--dev", "--dev.gaslimit", 60_000_000, "--datadir", home / "geth", *chain.STATE_OF_EVERY_BLOCK, "--ipcdisable",
                   "--http", "--http.addr", LOOPBACK, "--http.port", port, "--http.api", "eth,net,web3", "--http.vhosts", f"localhost,{LOOPBACK}"]
    network.add("chain-1", command, order=1)
    network.state["chain"] = [{"rpc": f"http://{LOOPBACK}:{port}"}]


def fund(network):
    """Gives each account its ether: anvil does so when asked, Geth's development account sends it."""
    url = network.state["chain"][0]["rpc"]
    addresses = [account["address"] for account in network.state["accounts"].values()]
    if network.state["kind"] == "anvil":
        for address in addresses:
            rpc.ethereum(url, "anvil_setBalance", address, hex(genesis.FUNDS))
        return
    (rich,) = rpc.ethereum(url, "eth_accounts")
    # Geth counts by itself what waits in its pool, and now and then gives two the same number.
    first = int(rpc.ethereum(url, "eth_getTransactionCount", rich, "latest"), 16)
    for number, address in enumerate(addresses, first):
        rpc.ethereum(url, "eth_sendTransaction", {"from": rich, "to": address, "value": hex(genesis.FUNDS), "nonce": hex(number)})
    deadline = time.monotonic() + SECONDS
    while any(int(rpc.ethereum(url, "eth_getBalance", address, "latest"), 16) == 0 for address in addresses):
        if time.monotonic() > deadline:
            raise parts.Problem(f"the accounts have no ether after {SECONDS} s", "scripts/network down")
        time.sleep(0.2)
