"""What a private network begins with: its funded accounts and the two genesis files, Geth's and Prysm's, made anew for each network."""
import json, secrets

import parts

CHAIN_ID = 2025325
SLOT_SECONDS, SLOTS_PER_EPOCH = 2, 6
# From the genesis to the first slot: time for every node to start.
DELAY_SECONDS = 20
VALIDATORS_PER_NODE = 16
ETHER = 10**18
FUNDS = 10_000 * ETHER
# Who acts: the names that medseal has for anvil's accounts.
ACTORS = ("admin", "sender", "reader", "stranger", "kgc", "verifier", "relayer", "operator")
DEPOSIT_CONTRACT = "0x00000000219ab540356cbb839cbe05303d7705fa"
FORKS = ("GENESIS", "ALTAIR", "BELLATRIX", "CAPELLA", "DENEB", "ELECTRA")


def accounts():
    """A new random key for each actor, in a keystore file, under one passphrase. Returns what network.json says of them."""
    folder = parts.HOME / "keystore"
    folder.mkdir(mode=0o700, exist_ok=True)
    password = parts.write(folder / "password", secrets.token_hex(16))
    made = {}
    for name in ACTORS:
        said = parts.run(parts.program("cast", "scripts/setup"), "wallet", "new", folder, name, env={"CAST_PASSWORD": password.read_text()})
        (folder / name).chmod(0o600)
        (address,) = [word for word in said.split() if word.startswith("0x") and len(word) == 42]
        made[name] = {"address": address, "keystore": str(folder / name), "password": str(password)}
    return made


def chain_config():
    """Prysm's side of the rules: every fork up to Electra from the first block, in short slots and epochs."""
    values = {
        "CONFIG_NAME": "medseal",
        "PRESET_BASE": "interop",
        "SECONDS_PER_SLOT": SLOT_SECONDS,
        "SLOTS_PER_EPOCH": SLOTS_PER_EPOCH,
        "SECONDS_PER_ETH1_BLOCK": SLOT_SECONDS,
        "ETH1_FOLLOW_DISTANCE": 8,
        "EPOCHS_PER_ETH1_VOTING_PERIOD": 2,
        "MIN_GENESIS_TIME": 0,
        "GENESIS_DELAY": 0,
        "TERMINAL_TOTAL_DIFFICULTY": 0,
        "DEPOSIT_CHAIN_ID": CHAIN_ID,
        "DEPOSIT_NETWORK_ID": CHAIN_ID,
        "DEPOSIT_CONTRACT_ADDRESS": DEPOSIT_CONTRACT,
        "FULU_FORK_VERSION": "0x60002025",
        "FULU_FORK_EPOCH": 2**64 - 1,
    }
    for number, fork in enumerate(FORKS):
        values[f"{fork}_FORK_VERSION"] = f"0x{number}0002025"
        if number:
            values[f"{fork}_FORK_EPOCH"] = 0
    return "".join(f"{key}: {value}\n" for key, value in values.items())


def geth_genesis(funded):
    """Geth's side: Prague rules (prysmctl adds the times), and the contracts that Prague calls by itself, as Geth's own development chain has them."""
    development = json.loads(parts.run(parts.program("geth"), "--dev", "dumpgenesis"))
    system = {address: entry for address, entry in development["alloc"].items() if entry.get("code")}
    blocks = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin", "london")
    blobs = {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477}
    return {
        "config": {
            "chainId": CHAIN_ID,
            **{f"{fork}Block": 0 for fork in blocks},
            "terminalTotalDifficulty": 0,
            "depositContractAddress": DEPOSIT_CONTRACT,
            "blobSchedule": {"cancun": blobs, "prague": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716}},
        },
        "nonce": "0x0",
        "timestamp": "0x0",
        "extraData": "0x",
        "gasLimit": hex(60_000_000),
        "difficulty": "0x0",
        "baseFeePerGas": hex(10**9),
        "coinbase": "0x" + "00" * 20,
        "alloc": {**system, **{address: {"balance": hex(FUNDS)} for address in funded}},
    }


def make(funded, nodes):
    """Writes config.yml, genesis.json (Geth) and genesis.ssz (Prysm) for the network of so many nodes."""
    config = parts.write(parts.HOME / "config.yml", chain_config())
    draft = parts.write_json(parts.HOME / "genesis-draft.json", geth_genesis(funded))
    parts.run(parts.program("prysmctl"), "testnet", "generate-genesis", "--fork", "electra", "--num-validators", nodes * VALIDATORS_PER_NODE,
              "--genesis-time-delay", DELAY_SECONDS, "--chain-config-file", config, "--geth-genesis-json-in", draft,
              "--geth-genesis-json-out", parts.HOME / "genesis.json", "--output-ssz", parts.HOME / "genesis.ssz")
    draft.unlink()
