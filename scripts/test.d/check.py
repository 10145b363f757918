#!/usr/bin/env python3
"""Whether Lanes, which runs all other tests, is right about suites that fail, hang, say too little or leave a process."""
import io, os, sys, tempfile, time
from contextlib import redirect_stdout
from pathlib import Path

import lanes as engine
from lanes import Failed, Lanes, Suite, children_of

engine.GRACE_SECONDS = 1

# Longer than any test here waits for it, and nobody else's.
FOREVER = f"sleep 987.{os.getpid()}"
# A process of its own session that nobody waits for, as a node that a test starts.
ORPHAN = f"(setsid {FOREVER} &) && sleep 0.2"


def bash(name, line, lane="tests", least=1, after=(), minutes=1):
    return Suite(name, least, minutes, ["bash", "-c", line], lane, after)


def sleepers():
    """Everything that still sleeps for ever, whoever its parent is."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode().strip())
        except OSError:
            continue
    return [line for line in lines if line == FOREVER]


def outcome(*suites):
    """What was printed, the passed, the summary and why it failed; whatever ran must have ended."""
    said, why = io.StringIO(), ""
    with tempfile.TemporaryDirectory() as logs, redirect_stdout(said):
        lanes = Lanes(suites, Path(logs))
        try:
            lanes.run()
        except Failed as failed:
            why = str(failed)
    assert not children_of(os.getpid()) and not sleepers(), sleepers()
    return said.getvalue(), lanes.passed, lanes.summary, why


def suites_pass_beside_each_other_and_are_printed_whole():
    began = time.monotonic()
    slow = bash("slow", "echo one; sleep 1; echo two; echo '3 passed'", least=3)
    said, passed, summary, why = outcome(slow, bash("other", "sleep 1; echo '4 passed; 0 failed'", "b"))
    assert (passed, why, len(summary)) == (7, "", 2) and time.monotonic() - began < 1.9, (passed, why)
    assert "== slow\none\ntwo\n3 passed\n" in said, said


def one_waits_for_what_it_comes_after():
    first, second = bash("first", "sleep 0.3; echo told", "a"), bash("second", "true", "b", after=("first",))
    said, passed, *_ = outcome(first, second)
    assert passed == 2 and said.index("told") < said.index("-- second: begun"), said
    assert "waits for what never ran" in outcome(bash("second", "true", after=("nobody",)))[3]


def a_failure_ends_the_others_and_their_children():
    began = time.monotonic()
    bad = bash("bad", f"{ORPHAN}; sleep 0.3; echo why; exit 7", "a")
    hangs = bash("hangs", f"trap '' INT; {ORPHAN}; {FOREVER}", "b")
    said, passed, _, why = outcome(bad, hangs, bash("never", "true", "a"))
    assert why.startswith("bad (bash -c ") and why.endswith("exit code 7") and "== bad\nwhy\n" in said, (why, said)
    assert passed == 0 and "never" not in said and time.monotonic() - began < 15


def a_killed_suite_is_a_failure():
    assert outcome(bash("killed", "kill -9 $$"))[3].endswith("killed by signal 9")


def too_few_tests_are_a_failure():
    assert outcome(bash("few", "echo '2 passed'; echo '1 passed'", least=4))[3] == "few ran 3 tests, 4 wanted"
    assert outcome(bash("none", "echo nothing", least=2))[3] == "none ran 0 tests, 2 wanted"


def over_budget_is_a_mark_and_no_failure():
    _, _, (late, early), why = outcome(bash("late", "sleep 0.2", minutes=0.001), bash("early", "true"))
    assert why == "" and late.endswith("OVER BUDGET") and "OVER" not in early


def orphans_of_a_suite_that_passed_do_not_outlive_the_run():
    assert outcome(bash("leaves one", ORPHAN))[3] == ""


def main():
    tools = (bash, sleepers, outcome, main)
    checks = [it for it in globals().values() if getattr(it, "__module__", "") == __name__ and it not in tools]
    for check in checks:
        check()
        print(f"ok {check.__name__}", flush=True)
    print(f"{len(checks)} passed")
    sys.exit(0)


main()
