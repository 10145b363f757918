"""Opens what is committed, with nothing but the index beside it: the library first, then the command line."""

import json
import pathlib
import subprocess
import sys
import tempfile

from medseal import capsules, sealed
from medseal.primitives import MedSealError
from medseal.sealed import Identity

HERE = pathlib.Path(__file__).resolve().parent.parent


def unhex(text):
    return bytes.fromhex(text.removeprefix("0x"))


def refusal(act):
    """The name of the error, or None and what the act gave."""
    try:
        return None, act()
    except MedSealError as error:
        return error.name, None


def check_sealed():
    """Opens every committed sealed image with nothing but the index beside it."""
    folder = HERE / "sealed"
    good = json.loads((folder / "good.json").read_text())["cases"]
    bad = json.loads((folder / "bad.json").read_text())["cases"]
    for case in good:
        data = (folder / case["file"]).read_bytes()
        name, found = refusal(lambda: sealed.open_sealed(data, unhex(case["imageKey"])))
        assert name is None and found[1] == unhex(case["opened"]), case["name"]
    for case in bad:
        data = (folder / case["file"]).read_bytes()
        name, _ = refusal(lambda: sealed.open_sealed(data, unhex(case["imageKey"])))
        assert name == case["error"], case["name"]
    return len(good), len(bad)


def check_capsules():
    """The same for the capsules."""
    folder = HERE / "capsules"
    good, bad = (json.loads((folder / name).read_text()) for name in ("good.json", "bad.json"))
    record = good["record"]
    who = Identity(record["chainId"], *(unhex(record[key]) for key in ("registry", "sender", "salt", "modelDigest")))

    def open_one(file, by):
        stanzas = capsules.decode((folder / file).read_bytes())
        key_id, private = unhex(by["keyId"]), unhex(by["privateKey"])
        commitment = unhex(record["keyCommitment"])
        return capsules.open_stanza(
            stanzas, who, commitment, by["type"], key_id, by["epoch"], private, by["shareIndex"]
        )

    for case in good["cases"]:
        for holder in case["holders"]:
            name, found = refusal(lambda: open_one(case["file"], holder))
            assert name is None and found == unhex(holder["plaintext"]), case["name"]
    for case in bad["cases"]:
        name, _ = refusal(lambda: open_one(case["file"], case))
        assert name == case["error"], case["name"]
    return len(good["cases"]), len(bad["cases"])


def _run_open(output, *arguments):
    """Exit code and first word on stderr of the command line; a refusal must leave nothing behind."""
    command = [sys.executable, HERE / "open", *arguments, "-o", output]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        assert list(output.parent.iterdir()) == [], "a refusal left a file"
    return ended.returncode, ended.stderr.split(":")[0].strip()


def _command_lines():
    """(arguments, refusal or None, opened file) of some openings: every way to give a key, early and late refusals."""
    images, kept = HERE / "sealed", HERE / "capsules"
    for case in json.loads((images / "good.json").read_text())["cases"][:3]:
        yield [images / case["file"], "--key", case["imageKey"]], None, unhex(case["opened"])
    last = {case["error"]: case for case in json.loads((images / "bad.json").read_text())["cases"]}
    for error in ("BadMagic", "WrongKey", "FrameNotAuthentic", "PaddingNotZero"):
        yield [images / last[error]["file"], "--key", last[error]["imageKey"]], error, None
    good = json.loads((kept / "good.json").read_text())
    sealed_image, opened = kept / good["sealedImage"], unhex(good["opened"])
    cases = {case["name"]: case for case in good["cases"]}
    for holder in cases["everybody-after-unknown"]["holders"][:3]:
        yield [sealed_image, *_by_capsule(kept, cases["everybody-after-unknown"], holder)], None, opened
    unnamed = cases["everybody-after-unknown"]["holders"][1]
    yield [sealed_image, *_by_capsule(kept, cases["kgc"], unnamed)], "NoMatchingStanza", None


def _by_capsule(folder, case, holder):
    yield from ("--capsules", folder / case["file"], "--private-key", holder["privateKey"], "--type", holder["holder"])
    if holder["holder"] == "kgc":
        yield from ("--key-id", holder["keyId"], "--epoch", str(holder["epoch"]))


def check_command_line():
    """`open` does what the library does, and leaves no file where it refuses."""
    counts = [0, 0]
    for arguments, error, opened in _command_lines():
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder, "opened")
            code, name = _run_open(output, *arguments)
            assert (code, name) == ((1, error) if error else (0, "")), (arguments, code, name)
            assert error or output.read_bytes() == opened, arguments
        counts[1 if error else 0] += 1
    return tuple(counts)
