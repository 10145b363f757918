#!/usr/bin/env python3
"""Two machines, as far as one can show it: two network namespaces with a cable between them, and no folder in common.

    target/tools/venv/bin/python tests/network/two_machines.py

On one a hospital has its chain, its IPFS node, its key center, and seals a scan. On the other a reader has a wallet, the deployment file, the
certificate of the key center and three addresses, and opens it. Needs no root, but a system that allows user namespaces (`unshare -Urnm true`),
target/debug/medseal (cargo build) and scripts/setup --python --nodes; prints "N passed".
"""
import asyncio, json, os, shutil, subprocess, sys, tempfile, threading
from pathlib import Path
from urllib.parse import urlsplit

from nodes import HOME, ROOT, Acts, network
from world import PROGRAM, World

HOSPITAL, READER, BITS = "10.77.0.1", "10.77.0.2", 24
SCAN = ROOT / "tests" / "data" / "frames.dcm"
# What a command may take where nobody answers.
PATIENCE_SECONDS = 120


class Machine:
    """A network of its own, and a view of the disk without the hospital's folders, until the process that holds them ends."""

    def __init__(self, hidden):
        hide = " && ".join(f"mount -t tmpfs none '{folder}'" for folder in hidden)
        # It ends with us, whatever happens: its input does.
        self.holder = subprocess.Popen(["unshare", "-nm", "sh", "-c", f"{hide} && echo hidden && exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "hidden\n"

    def command(self, *words, folder="/"):
        return ["nsenter", "-t", str(self.holder.pid), "-n", "-m", "--", "sh", "-c", 'cd "$0" && exec "$@"', str(folder), *map(str, words)]

    def plug(self, name, address):
        """Gives its end of the cable an address."""
        there = ("import sys; from pyroute2 import IPRoute; name, address, bits = sys.argv[1:]; net = IPRoute(); net.link('set', index=1, state='up'); "
                 "(port,) = net.link_lookup(ifname=name); net.addr('add', index=port, address=address, prefixlen=int(bits)); net.link('set', index=port, state='up')")
        subprocess.run(self.command(sys.executable, "-c", there, name, address, BITS), check=True)


def cable(machine):
    """A cable from here to another machine; returns what pulls it out."""
    from pyroute2 import IPRoute

    net = IPRoute()
    net.link("set", index=1, state="up")
    net.link("add", ifname="hospital", kind="veth", peer={"ifname": "reader", "net_ns_fd": f"/proc/{machine.holder.pid}/ns/net"})
    (port,) = net.link_lookup(ifname="hospital")
    net.addr("add", index=port, address=HOSPITAL, prefixlen=BITS)
    net.link("set", index=port, state="up")
    machine.plug("reader", READER)
    return lambda: net.link("set", index=port, state="down")


def published(url):
    """A service of the hospital's at its address on the cable, passed on byte by byte; returns its URL there."""
    target = urlsplit(url)

    async def copy(reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader, writer):
        try:
            back, forth = await asyncio.open_connection(target.hostname, target.port)
        except OSError:
            return writer.close()
        await asyncio.gather(copy(reader, forth), copy(back, writer))

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, HOSPITAL, 0))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return f"http://{HOSPITAL}:{server.sockets[0].getsockname()[1]}"


class TwoMachines:
    """The acts, in their order."""

    def __init__(self, elsewhere):
        self.world, self.folder, self.served, self.machine = World(), elsewhere, None, None

    def acts(self):
        return (self.the_hospital_seals, self.the_reader_gets_what_it_needs, self.the_reader_sees_nothing_of_the_hospitals, self.it_opens,
                self.a_stranger_does_not, self.without_the_cable_it_says_so)

    def the_hospital_seals(self):
        world = self.world
        world.settings["MEDSEAL_WAIT"] = "mined"
        world.deploy()
        world.medseal("kgc", "kgc", "init")
        world.write("scan.dcm", SCAN.read_bytes())
        (image,) = world.medseal("sender", "seal", "scan.dcm")["images"]
        self.image = image["imageId"]
        world.medseal("sender", "grant", self.image, world.address("reader"))

    def the_reader_gets_what_it_needs(self):
        """Its wallet, the deployment file, the key center's certificate and the addresses: all else stays at the hospital."""
        world = self.world
        machine = Machine([world.folder, HOME])
        self.machine, self.unplug = machine, cable(machine)
        url, self.served = world.serve_kgc(HOSPITAL)
        for actor in ("reader", "stranger"):
            account = world.made["accounts"][actor]
            (self.folder / actor).mkdir(mode=0o700)
            for part in ("keystore", "password"):
                shutil.copy(account[part], self.folder / actor / part)
        deployments = Path(world.settings["MEDSEAL_DEPLOYMENTS"])
        shutil.copytree(deployments, self.folder / "deployments")
        shutil.copy(world.path("tls/cert.pem"), self.folder / "cert.pem")
        first = world.made["ipfs"][0]
        (self.folder / "token").write_text(first["token"])
        (self.folder / "token").chmod(0o600)
        self.settings = {"ETH_RPC_URL": published(world.made["rpc"][0]), "IPFS_API": published(first["api"]), "MEDSEAL_KGC": url, "MEDSEAL_KGC_CA": "cert.pem",
                         "MEDSEAL_IPFS_TOKEN_FILE": "token", "MEDSEAL_DEPLOYMENTS": "deployments"}

    def medseal(self, actor, *words, exit=0):
        """`medseal` on the reader's machine."""
        mine = {"MEDSEAL_HOME": f"home-{actor}", "ETH_KEYSTORE": f"{actor}/keystore", "ETH_PASSWORD": f"{actor}/password", "MEDSEAL_ACTOR": actor}
        rest = {name: value for name, value in os.environ.items() if not name.startswith(("ETH_", "IPFS_", "MEDSEAL_"))}
        done = subprocess.run(self.machine.command(PROGRAM, "--json", *words, folder=self.folder), env={**rest, **self.settings, **mine}, capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS)
        assert done.returncode == exit, (words, done.returncode, done.stdout, done.stderr)
        answer = json.loads(done.stdout)
        return answer["result"] if "result" in answer else answer["error"]

    def the_reader_sees_nothing_of_the_hospitals(self):
        for hidden in (self.world.folder, HOME):
            seen = subprocess.run(self.machine.command("ls", "-A", hidden), capture_output=True, text=True, check=True).stdout
            assert seen == "" and list(Path(hidden).iterdir()), seen
        local = urlsplit(self.world.made["rpc"][0])
        reach = f"import socket; socket.create_connection(({local.hostname!r}, {local.port}), timeout=5)"
        assert subprocess.run(self.machine.command(sys.executable, "-c", reach), capture_output=True).returncode != 0

    def it_opens(self):
        done = self.medseal("reader", "open", self.image, "-o", "opened.dcm")
        assert done["byteForByte"] is True and (self.folder / "opened.dcm").read_bytes() == SCAN.read_bytes(), done
        (receipt,) = (self.folder / "home-reader" / "reader" / "receipts").iterdir()
        assert json.loads(receipt.read_text())["decision"] == 2

    def a_stranger_does_not(self):
        answer = self.medseal("stranger", "open", self.image, "-o", "refused", exit=4)
        assert answer["code"] == "NOT_AUTHORIZED" and not (self.folder / "refused").exists(), answer

    def without_the_cable_it_says_so(self):
        self.unplug()
        answer = self.medseal("reader", "open", self.image, "-o", "never", exit=6)
        assert not (self.folder / "never").exists(), answer
        self.served.terminate()
        _, talk = self.served.communicate()
        assert self.served.returncode == 0, talk

    def end(self):
        """Leaves nothing behind."""
        for process in (self.served, self.machine and self.machine.holder):
            if process:
                process.kill()


def main():
    if os.environ.get("MEDSEAL_INSIDE") != "1":
        # A user namespace gives the rights that cables need, in networks of one's own.
        os.execvpe("unshare", ["unshare", "-Urnm", "--kill-child", sys.executable, __file__], {**os.environ, "MEDSEAL_INSIDE": "1"})
    # Where two stood apart, the loopback of each is down at first.
    from pyroute2 import IPRoute

    IPRoute().link("set", index=1, state="up")
    network("down")
    network("up", "--anvil")
    acts = Acts("two machines")
    with tempfile.TemporaryDirectory(prefix="medseal-elsewhere-") as folder:
        machines = TwoMachines(Path(folder))
        try:
            acts.run(*machines.acts())
        finally:
            machines.end()
    network("down")
    acts.end()


if __name__ == "__main__":
    main()
