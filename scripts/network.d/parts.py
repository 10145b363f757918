"""The programs that a network is made of: started, found again by a later command, killed, stopped."""
import json, os, random, signal, socket, subprocess, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "target" / "tools" / "bin"
HOME = ROOT / "target" / "network"
LOGS = HOME / "logs"
STATE = HOME / "state.json"
GRACE_SECONDS = 30


class Problem(Exception):
    """What went wrong, and how to mend it."""

    def __init__(self, message, hint):
        super().__init__(message)
        self.hint = hint


def read_json(path):
    """The object in this file, or nothing where there is none or half of one."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def write(path, text, mode=0o600):
    """Writes the file at once or not at all, for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".new")
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    half.rename(path)
    return path


def write_json(path, value):
    return write(path, json.dumps(value, indent=2) + "\n")


def free_ports(count):
    """Ports that nobody listens on, from below those that the kernel gives to outgoing connections: they stay free while a part is down."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = []
    while len(found) < count:
        port = random.randrange(10_000, max(lowest, 20_000))
        if port not in found and not listening(port):
            found.append(port)
    return found


def listening(port):
    """Whether somebody has this port, on any address."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as test:
            test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                test.bind(("", port))
            except OSError:
                return True
    return False


def began(pid):
    """When this process began, in clock ticks since the machine's start; nothing where it does not run. Tells it from a later one of the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class Network:
    """What state.json says: the kind of network, its parts with their commands, and the processes that run them."""

    def __init__(self, state):
        self.state = state

    @classmethod
    def read(cls):
        state = read_json(STATE)
        return cls(state) if state else None

    def save(self):
        write_json(STATE, self.state)

    @property
    def parts(self):
        return self.state["parts"]

    def alive(self, name):
        process = self.parts[name].get("process")
        return bool(process) and began(process["pid"]) == process["began"]

    def add(self, name, command, env=None, order=0):
        """A part and its command. Parts of a high order need those of a low one, and are stopped before them."""
        self.parts[name] = {"command": [str(word) for word in command], "env": env or {}, "order": order}

    def start(self, *names):
        for name in names:
            if self.alive(name):
                continue
            part = self.parts[name]
            LOGS.mkdir(parents=True, exist_ok=True)
            with open(LOGS / f"{name}.log", "ab") as log:
                process = subprocess.Popen(part["command"], cwd=HOME, env={**os.environ, **part["env"]}, stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, start_new_session=True)
            part["process"] = {"pid": process.pid, "began": began(process.pid)}
            self.save()

    def signal(self, name, number):
        if self.alive(name):
            os.kill(self.parts[name]["process"]["pid"], number)

    def kill(self, *names):
        """SIGKILL: as a power cut would."""
        for name in names:
            self.signal(name, signal.SIGKILL)
        self.wait_for_end(names, GRACE_SECONDS)

    def stop(self):
        """Asks every part to end, those first that need others; kills what has not ended in time and returns its names."""
        stubborn = []
        for order in sorted({part["order"] for part in self.parts.values()}, reverse=True):
            names = [name for name, part in self.parts.items() if part["order"] == order]
            for name in names:
                self.signal(name, signal.SIGTERM)
            late = self.wait_for_end(names, GRACE_SECONDS)
            self.kill(*late)
            stubborn += late
        return stubborn

    def wait_for_end(self, names, seconds):
        """The names of those that still run when the time is over."""
        deadline = time.monotonic() + seconds
        while left := [name for name in names if self.alive(name)]:
            if time.monotonic() > deadline:
                return left
            time.sleep(0.05)
        return []

    def ended(self):
        """The parts that were started and no longer run."""
        return [name for name, part in self.parts.items() if part.get("process") and not self.alive(name)]


def log_end(name, lines=12):
    """The last lines of a part's log."""
    try:
        text = (LOGS / f"{name}.log").read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def program(name, hint="scripts/setup --nodes"):
    """The path of a program that scripts/setup put into target/tools/bin."""
    path = PROGRAMS / name
    if not os.access(path, os.X_OK):
        raise Problem(f"{name} is missing (target/tools/bin/{name})", hint)
    return path


def run(*command, env=None):
    """What the command wrote to stdout; a Problem where it failed."""
    done = subprocess.run([str(word) for word in command], cwd=HOME, env={**os.environ, **(env or {})}, capture_output=True, text=True)
    if done.returncode != 0:
        raise Problem(f"{Path(command[0]).name} failed with exit code {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}", "scripts/network down")
    return done.stdout
