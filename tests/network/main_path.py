#!/usr/bin/env python3
"""The main path as people walk it, the same on every chain and store: deploy, seal, register, verify, tamper, flag, grant, open, audit.

    tests/network/main_path.py                   on all four: anvil-local anvil geth-dev network
    tests/network/main_path.py KIND...           on these; `faults` after `network` goes on with tests/network/faults.py on the same network

Each actor has a keystore of its own, and only the environment says which chain and which store. After each change `cast call`, `cast logs`, `ipfs cat`
and `ipfs pin ls` must say what `medseal show --json` says. Needs target/debug/medseal (cargo build) and scripts/setup --nodes; prints "N passed" for each.
"""
import json, os, sys

import audit, faults
from nodes import ROOT, Acts, cast, ipfs, network, until
from world import BLOCK_BYTES, World, sha256

# What `scripts/network up` is given, and whether the store is a folder instead of its Kubo nodes.
KINDS = {"anvil-local": (["--anvil"], True), "anvil": (["--anvil"], False), "geth-dev": (["--geth-dev"], False), "network": ([], False)}
STATES = {"registered": 1, "flagged": 2, "tampered": 3}


class MainPath:
    """One walk. The names of its acts are what is printed."""

    def __init__(self, world):
        self.world, self.images = world, {}
        # What follows needs no more; the last transaction is waited for until it is final, and with it all before it.
        world.settings["MEDSEAL_WAIT"] = "mined"
        data = ROOT / "tests" / "data"
        # Split slice by slice, decoded for the key, and plain bytes of several IPFS blocks.
        self.files = {"frames.dcm": (data / "frames.dcm").read_bytes(), "head_16bit.png": (data / "head_16bit.png").read_bytes(),
                      "report.bin": os.urandom(2 * BLOCK_BYTES + 1)}

    def acts(self):
        return (self.deploy, self.publish_the_kgc_key, self.seal_and_register, self.verify_on_chain, self.refuse_who_is_not_authorised, self.grant, self.open,
                self.open_through_the_service, self.revoke, self.tamper_and_flag, self.confirm_the_flag, self.audit_the_events)

    def agree(self, name, stored=None):
        """What `medseal show` says of an image, once the chain's and the store's own programs have said the same; `stored` is what lies there in its stead."""
        world, image = self.world, self.images[name]
        shown = world.medseal("stranger", "show", image["imageId"])
        record = shown["record"]
        said = [record["contentHash"], record["sender"], str(record["registeredAt"]), str(STATES[record["state"]]), str(record["verifications"])]
        assert world.record(image["imageId"]) == said, (world.record(image["imageId"]), said)
        logs = [log for log in world.logs() if image["imageId"] in log["topics"][1:2]]
        places = [(log["transactionHash"], int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in logs]
        assert places == [(event["transaction"], event["block"], event["logIndex"]) for event in shown["events"]], (places, shown["events"])
        holders = world.holders(image["cid"])
        assert len(holders) == world.replicas and shown["pinned"] is True, (holders, shown["pinned"])
        assert shown["registration"]["cid"] == image["cid"] and shown["capsules"]["cid"] == image["capsulesCid"], shown
        assert len(world.holders(image["capsulesCid"])) == world.replicas
        for node in holders:
            data = ipfs(node, "cat", image["cid"])
            assert sha256(data) == (stored or record["contentHash"]) and len(data) == shown["registration"]["size"], (image["cid"], sha256(data))
        return shown

    def kinds(self, shown):
        return [event["event"] for event in shown["events"]]

    def deploy(self):
        world, deployed = self.world, self.world.deploy()
        assert deployed["chainId"] == world.made["chainId"] and not deployed["already"], deployed
        # The block with it may not have come to the farthest node yet.
        until("the contract at the farthest node", lambda: cast("code", "--rpc-url", world.made["rpc"][-1], world.registry) != "0x")
        for role, actor in (("VERIFIER_ROLE", "verifier"), ("ARBITER_ROLE", "admin"), ("KGC_ROLE", "kgc")):
            assert world.call("hasRole(bytes32,address)(bool)", cast("keccak", role), world.address(actor)) == [True], role
        assert world.medseal("admin", "deploy")["already"] is True

    def publish_the_kgc_key(self):
        made = self.world.medseal("kgc", "kgc", "init")
        assert self.world.medseal("kgc", "kgc", "status")["onChain"] == {"epoch": made["epoch"], "retired": False, "same": True}

    def seal_and_register(self):
        world = self.world
        for name, data in self.files.items():
            world.write(f"scans/{name}", data)
        sealed = world.medseal("sender", "seal", "scans")
        assert sealed["failed"] == [] and sealed["sender"] == world.address("sender"), sealed
        self.images = {image["file"].removeprefix("scans/"): image for image in sealed["images"]}
        assert set(self.images) == set(self.files), sealed
        assert self.images["report.bin"]["cid"].startswith("bafybei") and self.images["report.bin"]["size"] > 2 * BLOCK_BYTES
        for name, kind in (("frames.dcm", "RegisteredInBatch"), ("head_16bit.png", "RegisteredInBatch"), ("report.bin", "Registered")):
            shown = self.agree(name)
            assert shown["record"]["state"] == "registered" and shown["record"]["contentHash"] == self.images[name]["contentHash"], shown
            assert self.kinds(shown) == [kind], shown
        again = world.medseal("sender", "seal", "scans")
        assert [image["already"] for image in again["images"]] == [True] * 3, again

    def verify_on_chain(self):
        found = self.world.medseal("verifier", "verify", self.images["frames.dcm"]["imageId"], "--record")
        assert (found["verdict"], found["recorded"]["number"], found["recorded"]["flag"]) == ("valid", 1, None), found
        shown = self.agree("frames.dcm")
        assert (shown["record"]["verifications"], shown["events"][-1]["valid"]) == (1, True), shown
        assert shown["events"][-1]["verifier"] == self.world.address("verifier"), shown

    def opened(self, actor, name):
        output = self.world.path(f"opened-by-{actor}")
        done = self.world.medseal(actor, "open", self.images[name]["imageId"], "-o", output, "--force")
        return done["byteForByte"] is True and output.read_bytes() == self.files[name]

    def refused(self, actor, name):
        answer = self.world.medseal(actor, "open", self.images[name]["imageId"], "-o", "refused", exit=4)
        return answer["code"] == "NOT_AUTHORIZED" and not self.world.path("refused").exists()

    def authorised(self, actor, name):
        (answer,) = self.world.call("isAuthorized(bytes32,address)(bool)", self.images[name]["imageId"], self.world.address(actor))
        return answer

    def refuse_who_is_not_authorised(self):
        assert self.refused("reader", "frames.dcm") and not self.authorised("reader", "frames.dcm")

    def grant(self):
        world = self.world
        done = world.medseal("sender", "grant", self.images["frames.dcm"]["imageId"], world.address("reader"), MEDSEAL_WAIT="safe")
        assert self.authorised("reader", "frames.dcm")
        shown = self.agree("frames.dcm")
        last = shown["events"][-1]
        assert (last["event"], last["wallet"], last["expiry"]) == ("AccessGranted", world.address("reader"), done["expiry"]), last

    def open(self):
        assert self.opened("reader", "frames.dcm")
        assert all(self.opened("sender", name) for name in self.files)
        assert self.refused("stranger", "frames.dcm") and self.refused("reader", "report.bin")

    def open_through_the_service(self):
        """The key center as a process of its own, over TLS: who asks it has a wallet, the deployment file and its URL."""
        world, image = self.world, self.images["frames.dcm"]["imageId"]
        url, served = world.serve_kgc()
        elsewhere = {"MEDSEAL_KGC": url, "MEDSEAL_KGC_CA": str(world.path("tls/cert.pem"))}
        if not world.local_store:
            elsewhere["MEDSEAL_HOME"] = str(world.path("elsewhere"))
        try:
            output = world.path("opened-elsewhere")
            world.medseal("reader", "open", image, "-o", output, **elsewhere)
            assert output.read_bytes() == self.files["frames.dcm"]
            answer = world.medseal("stranger", "open", image, "-o", "refused", exit=4, **elsewhere)
            assert answer["code"] == "NOT_AUTHORIZED" and not world.path("refused").exists(), answer
        finally:
            served.terminate()
            _, talk = served.communicate()
        assert served.returncode == 0, talk
        home = world.path("elsewhere") if not world.local_store else world.path(".medseal")
        receipts = {actor: [json.loads(path.read_text()) for path in (home / actor / "receipts").iterdir()] for actor in ("reader", "stranger")}
        decided = {actor: [(receipt["decision"], receipt["reason"]) for receipt in kept] for actor, kept in receipts.items()}
        assert decided == {"reader": [(2, "")], "stranger": [(3, "not-authorised")]}, decided
        # The log's head was anchored when it stopped: each receipt is a line under it.
        lines = world.path(".medseal/kgc/release.log").read_text().splitlines()
        anchored = world.call("logHeadOf(address,bytes32)((bytes32,uint64,uint48))", world.address("kgc"), receipts["reader"][0]["logId"])
        assert str(len(lines)) in (str(word).split(" ")[0] for word in anchored), (len(lines), anchored)
        for (receipt,) in receipts.values():
            line = json.loads(lines[receipt["logSeq"] - 1])
            assert (line["requestDigest"], line["reason"]) == (receipt["requestDigest"], receipt["reason"]), (line, receipt)

    def revoke(self):
        self.world.medseal("sender", "revoke", self.images["frames.dcm"]["imageId"], self.world.address("reader"))
        assert self.refused("reader", "frames.dcm") and not self.authorised("reader", "frames.dcm")

    def tamper_and_flag(self):
        world, image = self.world, self.images["head_16bit.png"]
        altered = sha256(world.alter(image["cid"]))
        found = world.medseal("verifier", "verify", image["imageId"], "--record", exit=3)
        assert (found["verdict"], found["observedHash"], found["expectedHash"]) == ("invalid", altered, image["contentHash"]), found
        assert found["recorded"]["flag"] == 1 and found["recorded"]["valid"] is False, found
        shown = self.agree("head_16bit.png", None if world.local_store else altered)
        assert (shown["record"]["state"], shown["flag"]["state"], shown["flag"]["verifier"]) == ("flagged", "open", world.address("verifier")), shown
        assert self.kinds(shown) == ["RegisteredInBatch", "Verified", "FlagRaised"], shown
        answer = world.medseal("sender", "open", image["imageId"], "-o", "tampered", exit=3)
        assert answer["code"] == "TAMPERED" and not world.path("tampered").exists(), answer

    def confirm_the_flag(self):
        world, image = self.world, self.images["head_16bit.png"]
        answer = world.medseal("stranger", "flag", "confirm", image["imageId"], exit=4)
        assert world.medseal("admin", "flag", "confirm", image["imageId"], MEDSEAL_WAIT="finalized")["state"] == "tampered", answer
        shown = world.medseal("stranger", "show", image["imageId"])
        assert (shown["record"]["state"], shown["flag"]["state"]) == ("tampered", "confirmed"), shown
        assert world.record(image["imageId"])[3] == "3"
        # The others are as they were.
        assert self.opened("sender", "frames.dcm") and self.agree("report.bin")["record"]["state"] == "registered"

    def audit_the_events(self):
        world = self.world
        logs = world.logs()
        for url in world.made["rpc"]:
            count, head = audit.replay(logs, world.made["chainId"], world.registry, url)
            said = world.call("audit()(bytes26,uint40)", url=url)
            assert [said[0], int(said[1])] == [head, count], (said, head, count)
        shown = [event for name in self.files for event in world.medseal("stranger", "show", self.images[name]["imageId"])["events"]]
        assert [self.kinds({"events": shown}).count(kind) for kind in ("Verified", "FlagRaised", "FlagConfirmed", "AccessGranted", "AccessRevoked")] == [2, 1, 1, 1, 1]
        try:
            audit.replay(logs[:-2] + logs[-1:], world.made["chainId"], world.registry, world.made["rpc"][0])
        except AssertionError:
            return
        raise AssertionError("a log without one of its events passed for whole")


def walk(kind, then=()):
    flags, local_store = KINDS[kind]
    network("down")
    print(f"== {kind}: {network('up', *flags).splitlines()[0]}", flush=True)
    world = World(local_store)
    path = Acts(f"main path on {kind}")
    path.run(*MainPath(world).acts())
    path.end()
    del world.settings["MEDSEAL_WAIT"]
    for later in then:
        later(world)
    network("down")


def main():
    wanted = sys.argv[1:] or list(KINDS)
    then = [faults.walk] if "faults" in wanted else []
    unknown = [kind for kind in wanted if kind not in KINDS and kind != "faults"]
    if unknown or then and "network" not in wanted:
        sys.exit(f"usage: main_path.py [{' | '.join(KINDS)} [faults]]...")
    for kind in wanted:
        if kind in KINDS:
            walk(kind, then if kind == "network" else ())


if __name__ == "__main__":
    main()
