"""`hf cache verify` says of a cache that was filled through the hook what it says of one that plain has filled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.machine import Machine

from .conftest import MODEL, WEIGHTS

FILL = {
    "a snapshot": "snapshot_download(MODEL)",
    "one file": "hf_hub_download(MODEL, WEIGHTS)",
    "a folder": 'snapshot_download(MODEL, local_dir="here")',
}
VERIFY = """
import sys
from huggingface_hub.cli.hf import main
sys.argv = ["hf", "cache", "verify", *sys.argv[1:]]
main()
"""


def verify(machine: Machine, hooked: bool, *more: str) -> tuple[int, str]:
    done = machine.run(VERIFY, MODEL, *more, hooked=hooked)
    lines = (done.stdout + done.stderr).splitlines()
    text = "\n".join(sorted(line for line in lines if not line.startswith("Hint:")))  # of the day, about other things
    return done.returncode, text.replace(str(machine.home), "HOME")


def damage(machine: Machine, of_a_folder: bool) -> None:
    below = machine.home / "here" if of_a_folder else machine.cache / "hub"
    (file,) = {path.resolve() for path in below.rglob(Path(WEIGHTS).name) if path.is_file()}
    file.chmod(0o600)
    with file.open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"changed")


@pytest.mark.parametrize("harm", [False, True], ids=["whole", "damaged"])
@pytest.mark.parametrize("fill", FILL)
def test_as_plain(run, hub, tmp_path, fill, harm):
    more = ("--local-dir", "here") if fill == "a folder" else ()
    said = {}
    for hooked in (False, True):
        machine = Machine(tmp_path / f"hooked-{hooked}", hub=hub, HF_HUB_DISABLE_PROGRESS_BARS="1", NO_COLOR="1")
        run(f'say("fill", lambda: {FILL[fill]} and 1)', on=machine, hooked=hooked)
        if harm:
            damage(machine, bool(more))
        said[hooked] = verify(machine, hooked, *more)
        assert verify(machine, not hooked, *more) == said[hooked]

    assert said[True] == said[False]
    assert said[True][0] == (1 if harm else 0)
    assert (WEIGHTS in said[True][1]) is harm
