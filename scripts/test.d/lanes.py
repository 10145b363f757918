"""Runs suites of tests in lanes: one after the other in each lane, the lanes beside each other."""
import ctypes, os, re, signal, subprocess, time
from dataclasses import dataclass, field
from pathlib import Path

ADOPT_ORPHANS, GRACE_SECONDS, GIVES_WAY = 36, 15, 15


@dataclass
class Suite:
    """A command, and how many tests it must at least say have passed; `minutes` is what it may take, on two cores."""

    name: str
    least: int
    minutes: float
    command: list
    lane: str = "tests"
    after: tuple = ()
    env: dict = field(default_factory=dict)
    # It only computes: what waits for a chain's next block comes first.
    gives_way: bool = False


class Failed(Exception):
    """A suite failed; the message says which and how."""


def children_of(pid):
    """Every process that descends from this one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(parents.get(pid, []))
    for child in found:
        found += parents.get(child, [])
    return found


def count_of(log, least):
    """The sum of what "N passed" says in a log. A suite that only checks says nothing and counts as one."""
    count = sum(map(int, re.findall(r"\b(\d+) passed\b", log)))
    return 1 if count == 0 and least == 1 else count


class Lanes:
    """One run of suites. Each writes a log of its own, which is printed in whole when the suite has ended."""

    def __init__(self, suites, logs):
        self.waiting, self.logs, self.running, self.summary = list(suites), logs, {}, []
        self.passed, self.began, self.ended = 0, time.monotonic(), set()
        logs.mkdir(parents=True, exist_ok=True)
        # What a suite leaves behind becomes our child, and doesn't outlive us.
        ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)

    def run(self):
        """Runs all of them. Whatever happens, no process of theirs is left at the end."""
        try:
            self.start()
            while self.running:
                pid, status = os.waitpid(-1, 0)
                if pid in self.running:
                    self.end(*self.running.pop(pid), os.waitstatus_to_exitcode(status))
                    self.start()
            if self.waiting:
                raise Failed(f"{self.waiting[0].name} waits for what never ran: {' '.join(self.waiting[0].after)}")
        finally:
            self.stop()

    def start(self):
        """Starts the next suite of each lane that is free, if what it comes after has ended."""
        busy = {suite.lane for suite, *_ in self.running.values()}
        for suite in list(self.waiting):
            if suite.lane not in busy and self.ended.issuperset(suite.after):
                self.waiting.remove(suite)
                log = self.logs / f"{re.sub('[^a-z]+', '-', suite.name.lower()).strip('-')}.log"
                with open(log, "wb") as file:
                    process = subprocess.Popen(
                        suite.command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
                        env={**os.environ, **suite.env}, preexec_fn=lambda way=suite.gives_way: prepare(way))
                self.running[process.pid] = (suite, process, log, time.monotonic())
                print(f"-- {suite.name}: begun", flush=True)
            busy.add(suite.lane)

    def end(self, suite, process, log, began, code):
        process.returncode = code
        minutes = (time.monotonic() - began) / 60
        text = log.read_text(errors="replace")
        count = count_of(text, suite.least)
        print(f"\n== {suite.name}\n{text.rstrip()}", flush=True)
        if code != 0:
            how = f"exit code {code}" if code > 0 else f"killed by signal {-code}"
            raise Failed(f"{suite.name} ({' '.join(map(str, suite.command))}): {how}")
        if count < suite.least:
            raise Failed(f"{suite.name} ran {count} tests, {suite.least} wanted")
        self.passed += count
        self.ended.add(suite.name)
        self.summary.append(f"{suite.name:28} {count:6} passed {budget(minutes, suite.minutes)}")
        print(f"-- {suite.name}: {count} passed", flush=True)

    def stop(self):
        """Asks the suites that run to end, then kills all that is left of them."""
        for pid in self.running:
            os.killpg(pid, signal.SIGINT)
        deadline = time.monotonic() + GRACE_SECONDS
        while (left := children_of(os.getpid())) and time.monotonic() < deadline and self.running:
            self.reap()
            time.sleep(0.05)
        while left:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.reap()
            time.sleep(0.05)
            left = children_of(os.getpid())

    def reap(self):
        try:
            while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                if ended in self.running:
                    self.running.pop(ended)[1].returncode = -signal.SIGKILL
        except ChildProcessError:
            pass


def prepare(gives_way):
    """In the new process: Ctrl-C reaches it even where this shell runs us in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if gives_way:
        os.nice(GIVES_WAY)


def budget(minutes, allowed):
    """Minutes beside those that it may take; more is said, and is no failure: machines are shared."""
    return f"{minutes:6.1f} of {allowed:4.1f} min{'   OVER BUDGET' if minutes > allowed else ''}"
