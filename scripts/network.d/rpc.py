"""Calls of the nodes' own interfaces: Geth's JSON-RPC, Prysm's and Kubo's HTTP, each with a deadline."""
import json, urllib.error, urllib.request

SECONDS = 5


class Unreachable(Exception):
    """The node did not answer, or with an error."""


def ask(url, body=None, headers=None, seconds=SECONDS, method=None):
    """The JSON that the node answers."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            said = answer.read()
            return json.loads(said) if said.strip() else None
    except urllib.error.HTTPError as error:
        raise Unreachable(f"{url} answers {error.code}: {error.read()[:300].decode(errors='replace').strip()}") from error
    except (OSError, ValueError) as error:
        raise Unreachable(f"{url}: {error}") from error


def ethereum(url, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    answer = ask(url, body, {"Content-Type": "application/json"})
    if "error" in answer:
        raise Unreachable(f"{url}, {method}: {answer['error'].get('message')}")
    return answer["result"]


def block(url, tag):
    """Number and hash of this block; nothing where the chain has none yet."""
    try:
        found = ethereum(url, "eth_getBlockByNumber", tag, False)
    except Unreachable as error:
        if "not found" in str(error):
            return None
        raise
    return found and {"number": int(found["number"], 16), "hash": found["hash"]}


def kubo(node, call, body=None, headers=None, seconds=SECONDS):
    """A call of Kubo's RPC with the token that it asks for."""
    return ask(f"{node['api']}/api/v0/{call}", body or b"", {"Authorization": f"Bearer {node['token']}", **(headers or {})}, seconds)
