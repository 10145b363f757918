"""The registry's audit trail recomputed from `cast logs` alone, by the rule in contracts/src/IImageRegistry.sol; no line of MedSeal's own code is used."""
import json

from nodes import ROOT, cast, rpc

ABI = json.loads((ROOT / "contracts" / "ImageRegistry.json").read_text())["abi"]
HEAD_BITS, PAUSE_BIT = 208, 248


def keccak(data):
    return bytes.fromhex(cast("keccak", "0x" + data.hex())[2:])


def word(number):
    return int(number).to_bytes(32, "big")


def topics():
    """The events of the interface by topic 0."""
    found = {}
    for event in (entry for entry in ABI if entry["type"] == "event"):
        text = f"{event['name']}({','.join(argument['type'] for argument in event['inputs'])})"
        found[keccak(text.encode())] = event
    return found


def fields(event, log):
    """One word for each argument in the order of its declaration; bytes as their keccak256."""
    data = bytes.fromhex(log["data"][2:])
    values = [bytes.fromhex(topic[2:]) for topic in log["topics"][1:]]
    for place, argument in enumerate(argument for argument in event["inputs"] if not argument["indexed"]):
        value = data[32 * place:32 * place + 32]
        if argument["type"] == "bytes":
            start = int.from_bytes(value, "big")
            length = int.from_bytes(data[start:start + 32], "big")
            value = keccak(data[start + 32:start + 32 + length])
        values.append(value)
    return values


def replay(logs, chain_id, registry, url):
    """How many events the hash chain over these logs counts, and its head; an AssertionError names the first that does not follow."""
    known, times = topics(), {}
    domain = word(96) + word(chain_id) + bytes(12) + bytes.fromhex(registry[2:]) + word(16) + b"MedSeal audit v1".ljust(32, b"\0")
    trail = int.from_bytes(keccak(domain)[:26], "big")
    for log in logs:
        event = known.get(bytes.fromhex(log["topics"][0][2:]))
        # OpenZeppelin's own events, and the items that the event of their batch covers, are not numbered.
        if event is None or event["inputs"][-1:] == [] or event["inputs"][-1]["name"] != "trail":
            continue
        if event["name"] in ("Paused", "Unpaused"):
            trail = trail & ~(1 << PAUSE_BIT) | (event["name"] == "Paused") << PAUSE_BIT
        *values, found = fields(event, log)
        number = int(log["blockNumber"], 16)
        if number not in times:
            times[number] = int(rpc(url, "eth_getBlockByNumber", hex(number), False)["timestamp"], 16)
        hashed = keccak(word(trail) + bytes.fromhex(log["topics"][0][2:]) + word(number) + word(times[number]) + keccak(b"".join(values)))
        trail = ((trail >> HEAD_BITS) + 1) << HEAD_BITS | int.from_bytes(hashed[:26], "big")
        assert word(trail) == found, f"{event['name']} in block {number} does not follow: {word(trail).hex()}, found {found.hex()}"
    return trail >> HEAD_BITS & (1 << 40) - 1, "0x" + (trail & (1 << HEAD_BITS) - 1).to_bytes(26, "big").hex()
