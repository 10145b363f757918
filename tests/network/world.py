"""A folder in which people use `medseal` on the network that is up, as a shell would that has read target/network/env."""
import base64, hashlib, json, os, subprocess, tempfile
from pathlib import Path

from nodes import ROOT, cast, environment, ipfs, network, written

PROGRAM = ROOT / "target" / "debug" / "medseal"
BLOCK_BYTES = 1 << 20


def multihash(cid):
    """The multihash in a CIDv1 of base32."""
    text = cid[1:].upper()
    data = base64.b32decode(text + "=" * (-len(text) % 8))
    assert cid[0] == "b" and data[0] == 1 and data[1] in (0x55, 0x70), cid
    return data[2:]


class World:
    """Everything here is settings of the environment: the same acts run on every chain and on every store."""

    def __init__(self, local_store=False):
        self.made, self.local_store = written(), local_store
        self.settings = environment()
        if local_store:
            for name in ("IPFS_API", "MEDSEAL_IPFS_TOKEN_FILE", "MEDSEAL_REPLICAS"):
                del self.settings[name]
        self.replicas = int(self.settings.get("MEDSEAL_REPLICAS", 1))
        # Kept while the world is; the network's own folder would be taken for somebody's.
        self.temporary = tempfile.TemporaryDirectory(prefix="medseal-network-")
        self.folder = Path(self.temporary.name)
        (self.folder / "kgc-password").write_text("a passphrase for this test\n")
        (self.folder / "kgc-password").chmod(0o600)
        self.settings |= {"MEDSEAL_HOME": str(self.folder / ".medseal"), "MEDSEAL_DEPLOYMENTS": str(self.folder / "deployments"),
                          "MEDSEAL_KGC_PASSWORD": str(self.folder / "kgc-password")}

    def command(self, actor, **more):
        """The environment of this actor, without what the caller's own shell says."""
        rest = {name: value for name, value in os.environ.items() if not name.startswith(("ETH_", "IPFS_", "MEDSEAL_"))}
        account = self.made["accounts"][actor]
        mine = {"MEDSEAL_ACTOR": actor, "ETH_KEYSTORE": account["keystore"], "ETH_PASSWORD": account["password"]}
        return {"cwd": self.folder, "env": {**rest, **self.settings, **mine, **more}, "text": True}

    def start(self, actor, *words, **more):
        """`medseal` at work, for a test that does something meanwhile."""
        return subprocess.Popen([PROGRAM, "--json", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **self.command(actor, **more))

    def end(self, process, exit=0):
        said, talk = process.communicate()
        assert process.returncode == exit, f"{' '.join(process.args[2:])} ended with {process.returncode}, not {exit}:\n{said}{talk}"
        answer = json.loads(said)
        return answer["result"] if "result" in answer else answer["error"]

    def medseal(self, actor, *words, exit=0, **more):
        """The result of a command that ends with this exit code, or its error."""
        return self.end(self.start(actor, *words, **more), exit)

    def serve_kgc(self, address="127.0.0.1"):
        """A key center that serves over TLS, with a certificate of its own. Returns its URL and the process."""
        make = (
            "import datetime, ipaddress, pathlib, sys; from cryptography import x509; from cryptography.hazmat.primitives import hashes, serialization as s;"
            "from cryptography.hazmat.primitives.asymmetric import ec; key = ec.generate_private_key(ec.SECP256R1()); now = datetime.datetime.now(datetime.timezone.utc);"
            "name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'a key center')]); day = datetime.timedelta(days=1);"
            "here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(sys.argv[2]))]);"
            "cert = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)"
            ".not_valid_before(now - day).not_valid_after(now + day).add_extension(here, False).sign(key, hashes.SHA256()); folder = pathlib.Path(sys.argv[1]);"
            "(folder / 'cert.pem').write_bytes(cert.public_bytes(s.Encoding.PEM));"
            "(folder / 'key.pem').write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))"
        )
        tls = self.path("tls")
        tls.mkdir(mode=0o700)
        subprocess.run([ROOT / "target" / "tools" / "venv" / "bin" / "python", "-c", make, tls, address], check=True)
        (tls / "key.pem").chmod(0o600)
        words = ("kgc", "serve", "--listen", f"{address}:0", "--tls-cert", tls / "cert.pem", "--tls-key", tls / "key.pem")
        process = self.start("kgc", *words)
        said = ""
        for line in process.stderr:
            said += line
            if " listens at " in line:
                return line.split(" listens at ")[1].strip(), process
        raise AssertionError(said)

    def address(self, actor):
        return self.made["accounts"][actor]["address"]

    def deploy(self):
        """The registry and its Key Generation Center, with every role at a wallet of its own."""
        roles = ("--verifier", self.address("verifier"), "--arbiter", self.address("admin"), "--pauser", self.address("admin"), "--kgc", self.address("kgc"))
        self.deployed = self.medseal("admin", "deploy", *roles)
        self.registry = self.deployed["address"]
        return self.deployed

    def call(self, signature, *words, url=None, block="latest"):
        """What the contract answers to `cast call`: the values of its one struct, or its values."""
        answer = json.loads(cast("call", "--json", "--rpc-url", url or self.made["rpc"][0], "--block", block, self.registry, signature, *words))
        return answer[0] if "((" in signature and isinstance(answer[0], list) else answer

    def record(self, image_id, url=None, block="latest"):
        """Hash, sender, time, state and number of verifications, as the contract has them."""
        text = cast("call", "--rpc-url", url or self.made["rpc"][0], "--block", block, self.registry, "recordOf(bytes32)((bytes32,address,uint48,uint8,uint40))", image_id)
        return [word.split(" ")[0] for word in text.strip("()").split(", ")]

    def logs(self, url=None):
        """Every event of the registry, oldest first, as `cast logs` prints them."""
        url = url or self.made["rpc"][0]
        return json.loads(cast("logs", "--json", "--rpc-url", url, "--from-block", self.deployed["block"], "--to-block", "latest", "--address", self.registry))

    def node(self, api):
        """The number of the Kubo node with this address."""
        return 1 + [node["api"] for node in self.made["ipfs"]].index(api.rstrip("/"))

    def pins(self):
        return [ipfs(node, "pin", "ls", "--type=recursive", "--quiet").decode().split() for node in self.made["ipfs"]]

    def holders(self, cid):
        """The Kubo nodes that pin this object, by Kubo's own word; of the local store the one that was given its CAR file, while it was whole."""
        if self.local_store and cid not in self.pins()[0]:
            car = self.folder / "moved.car"
            self.medseal("sender", "store", "export", car, cid, "--force")
            ipfs(self.made["ipfs"][0], "dag", "import", "--pin-roots", car)
        return [node for node, pins in zip(self.made["ipfs"], self.pins()) if cid in pins]

    def blocks(self, cid):
        """The files that hold a block, one for each replica, and the part that must not run while one is changed."""
        if self.local_store:
            return [(Path(self.settings["MEDSEAL_HOME"]) / "store" / "blocks" / cid[-3:-1] / cid, None)]
        key = base64.b32encode(multihash(cid)).decode().rstrip("=")
        return [(Path(node["repo"]) / "blocks" / key[-3:-1] / f"{key}.data", f"ipfs-{self.node(node['api'])}") for node in self.holders(cid)]

    def alter(self, cid):
        """Changes one byte of a block in every place where it lies, as somebody who has got at the disks would. Returns the bytes that lie there now."""
        places = self.blocks(cid)
        assert len(places) == self.replicas, places
        for path, part in places:
            if part:
                network("kill", part)
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.chmod(0o600)
            path.write_bytes(data)
            if part:
                network("heal", part)
        return bytes(data)

    def path(self, name):
        return self.folder / name

    def write(self, name, data):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def sha256(data):
    return "0x" + hashlib.sha256(data).hexdigest()
