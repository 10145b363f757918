#!/usr/bin/env python3
"""What a network of several nodes is for: a Geth and a Kubo node die while images are sealed, and the network falls into halves and grows together.

    tests/network/faults.py    on a network of its own; tests/network/main_path.py network faults: on the one that the main path was walked on

No image may be lost, recorded twice or kept at fewer nodes than was asked for. Prints the counts, and "N passed".
"""
import os, struct, time, zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import audit
from nodes import SLOT_SECONDS, Acts, finalized, network, one_chain, receipt, rpc, status, until
from world import World

IMAGES = 100
# So many are stored before the nodes die.
BEFORE = 30
CUT_SLOTS = 10
# Topic 0 of the events that make an image a record.
RECORDING = {"0x" + topic.hex() for topic, event in audit.topics().items() if event["name"] in ("Registered", "RegisteredInBatch", "Materialized")}


def png(width, height):
    """A grey picture of noise."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + os.urandom(width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


class Faults:
    def __init__(self, world):
        self.world, self.images = world, []

    def acts(self):
        return (self.a_geth_and_a_kubo_node_die_while_images_are_sealed, self.what_the_dead_node_held_is_made_again, self.the_nodes_come_back,
                self.there_is_one_record_of_each, self.every_image_opens, self.halves_each_make_a_record, self.the_halves_grow_together)

    def recorded(self, image_ids, url=None):
        """How many events make each of these images a record, at this node."""
        counts = Counter(log["topics"][1] for log in self.world.logs(url) if log["topics"][0] in RECORDING)
        return [counts[image_id] for image_id in image_ids]

    def jobs(self):
        folder = Path(self.world.settings["MEDSEAL_HOME"]) / "sender" / "jobs"
        return len([path for path in folder.iterdir() if path.is_dir()]) if folder.exists() else 0

    def pins(self, images, *words, exit=0):
        """Where these images and their capsules lie."""
        said = self.world.medseal("sender", "pins", *(image["imageId"] for image in images), *words, exit=exit)
        assert (said["wanted"], len(said["objects"])) == (self.world.replicas, 2 * len(images)), (said["wanted"], len(said["objects"]))
        return said

    def a_geth_and_a_kubo_node_die_while_images_are_sealed(self):
        world, known = self.world, self.jobs()
        for number in range(IMAGES):
            world.write(f"hundred/{number:03}.png", png(128, 128))
        sealing = world.start("sender", "seal", "hundred", "--batch", 25, "--wait", "mined")
        until(f"{BEFORE} sealed images", lambda: self.jobs() >= known + BEFORE or sealing.poll() is not None)
        assert sealing.poll() is None, sealing.communicate()
        network("kill", "geth-1", "ipfs-1")
        at = self.jobs() - known
        sealed = world.end(sealing)
        self.images = sealed["images"]
        assert (len(self.images), sealed["failed"]) == (IMAGES, []), sealed["failed"]
        print(f"geth-1 and ipfs-1 killed at image {at} of {IMAGES}; {len(self.images)} sealed, {len(sealed['failed'])} failed")

    def what_the_dead_node_held_is_made_again(self):
        short = self.pins(self.images, exit=1)["tooFew"]
        assert 0 < short < 2 * IMAGES, short
        repaired = self.pins(self.images, "--repair")
        assert repaired["tooFew"] == 0, repaired["tooFew"]
        made = sum(1 for entry in repaired["objects"] if entry["repaired"]["before"] < entry["repaired"]["after"])
        print(f"without ipfs-1 {short} of {len(repaired['objects'])} objects were at too few nodes; {made} made again at the others")
        assert made == short

    def the_nodes_come_back(self):
        network("heal")
        said = self.pins(self.images, "--repair")
        assert said["tooFew"] == 0, said["tooFew"]
        print(f"healed: {len(said['objects']) - said['tooFew']} of {len(said['objects'])} objects at {said['wanted']} nodes or more")

    def there_is_one_record_of_each(self):
        world = self.world
        again = world.medseal("sender", "seal", "hundred")
        assert [image["already"] for image in again["images"]] == [True] * IMAGES
        ids = [image["imageId"] for image in self.images]
        assert [image["imageId"] for image in again["images"]] == ids and len(set(ids)) == IMAGES
        for url in world.made["rpc"]:
            counts = until("the records at every node", lambda: (found := self.recorded(ids, url)) and min(found) and found)
            assert counts == [1] * IMAGES, counts
        latest = max(int(rpc(world.made["rpc"][0], "eth_getTransactionReceipt", image["transaction"])["blockNumber"], 16) for image in again["images"])
        until("all of them final", lambda: finalized(status()) >= latest)
        print(f"{sum(counts)} records of {IMAGES} images at each of {len(world.made['rpc'])} nodes, all final")

    def every_image_opens(self):
        def opens(image):
            output = self.world.path(f"opened/{image['imageId']}")
            output.parent.mkdir(exist_ok=True)
            self.world.medseal("sender", "open", image["imageId"], "-o", output)
            return output.read_bytes() == self.world.path(image["file"]).read_bytes()
        with ThreadPoolExecutor(2) as pool:
            opened = list(pool.map(opens, self.images))
        print(f"{opened.count(True)} of {IMAGES} images opened byte for byte")
        assert opened == [True] * IMAGES

    def half(self, numbers, nodes):
        """The settings of somebody who reaches these nodes alone."""
        rpcs, ipfs = self.world.made["rpc"], self.world.made["ipfs"]
        return {"ETH_RPC_URL": ",".join(rpcs[number - 1] for number in numbers), "IPFS_API": ",".join(ipfs[number - 1]["api"] for number in nodes),
                "MEDSEAL_REPLICAS": str(len(nodes)), "MEDSEAL_IPFS_TOKEN_FILE": str(self.token())}

    def token(self):
        path = self.world.path("one-token")
        path.write_text(self.world.made["ipfs"][0]["token"])
        path.chmod(0o600)
        path.chmod(0o600)
        return path

    def halves_each_make_a_record(self):
        """One of the two halves will lose, and nobody knows which: each makes a record, by a sender of its own."""
        world = self.world
        network("cut", 2)
        begun = status()["chain"]
        assert [node["peers"] for node in begun] == [1] * len(begun), begun
        self.halves = {"sender": self.half((1, 2), (1, 2)), "operator": self.half((3, 4), (3,))}
        self.torn = {}
        for actor, settings in self.halves.items():
            world.write(f"{actor}.png", png(64, 64))
            sealed = world.medseal(actor, "seal", f"{actor}.png", "--wait", "mined", **settings)
            self.torn[actor] = sealed["images"][0]
        time.sleep(CUT_SLOTS * SLOT_SECONDS)
        urls = world.made["rpc"]
        self.places = {}
        for actor, (own, other) in {"sender": (urls[:2], urls[2:]), "operator": (urls[2:], urls[:2])}.items():
            image_id = self.torn[actor]["imageId"]
            until("the record at both nodes of its half", lambda: [self.recorded([image_id], url) for url in own] == [[1]] * 2)
            assert [self.recorded([image_id], url) for url in other] == [[0]] * 2, actor
            self.places[actor] = receipt(own[0], self.torn[actor]["transaction"])["blockHash"]
        said = status()
        assert not one_chain(said) and said["half"] == [1, 2], said
        # Half of the stake makes nothing final.
        assert finalized(said) <= min(node["head"]["number"] for node in begun), said

    def the_halves_grow_together(self):
        world, urls = self.world, self.world.made["rpc"]
        since = finalized(status())
        print(network("heal").strip())
        until("one chain and finality", lambda: (now := status()) and one_chain(now) and finalized(now) > since)
        kept = {actor: rpc(urls[0], "eth_getBlockByHash", block, False) for actor, block in self.places.items()}
        on_chain = {actor: block is not None and rpc(urls[0], "eth_getBlockByNumber", block["number"], False)["hash"] == block["hash"] for actor, block in kept.items()}
        for actor, image in self.torn.items():
            # What anybody does who is not sure: the same command again. It waits until the record is final.
            again = world.medseal(actor, "seal", f"{actor}.png")["images"][0]
            assert again["imageId"] == image["imageId"], (again, image)
            number = int(receipt(urls[0], again["transaction"])["blockNumber"], 16)
            until("the record is final", lambda: finalized(status()) >= number)
            counts = [self.recorded([image["imageId"]], url) for url in urls]
            assert counts == [[1]] * len(urls), counts
            assert {tuple(world.record(image["imageId"], url, "finalized")) for url in urls} == {tuple(world.record(image["imageId"]))}
            world.medseal(actor, "open", image["imageId"], "-o", f"{actor}.opened")
            assert world.path(f"{actor}.opened").read_bytes() == world.path(f"{actor}.png").read_bytes()
        lost = [actor for actor, stands in on_chain.items() if not stands]
        assert len(lost) == 1, on_chain
        counts = [self.recorded([image["imageId"] for image in self.torn.values()], url) for url in urls]
        assert counts == [[1, 1]] * len(urls), counts
        print(f"the block of the {lost[0]}'s record was in the losing half and is gone; {len(self.torn)} images, {sum(counts[0])} records, the same at {len(urls)} nodes")
        said = self.pins([*self.images, *self.torn.values()], "--repair")
        assert said["tooFew"] == 0, said["tooFew"]
        print(f"{len(said['objects'])} of {len(said['objects'])} objects at {said['wanted']} nodes or more")


def walk(world):
    acts = Acts("faults on the network")
    acts.run(*Faults(world).acts())
    acts.end()


def main():
    network("down")
    network("up")
    world = World()
    world.deploy()
    world.medseal("kgc", "kgc", "init")
    walk(world)
    network("down")


if __name__ == "__main__":
    main()
