"""A member of the fleet that gives other bytes than the Hub's: no door hands them out, and it is named."""

from __future__ import annotations

import contextlib
import hashlib

import pytest

from ipfs_accelerate_py.store import layout
from tests.support.together import TogetherMachine, start_together

from .conftest import FILES, MODEL, WEIGHTS
from .test_wrong_bytes import DOORS

BYTES = FILES[f"{MODEL}/{WEIGHTS}"]
READ = (
    "sorted({__import__('hashlib').sha256(open(os.path.join(folder, name), 'rb').read()).hexdigest() "
    f"for top in (os.environ['HF_HOME'], os.environ['IPFS_ACCELERATE_HOME'], '.') for folder, _, names in os.walk(top) "
    f"for name in names if os.path.getsize(os.path.join(folder, name)) == {len(BYTES)}}})"
)


@pytest.fixture
def machines(hub, tmp_path):
    """One that asks, and one that has the file with a wrong byte."""
    pytest.importorskip("aiohttp")
    options = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "IPFS_ACCELERATE_NODE": "off"}
    honest, liar = (TogetherMachine(tmp_path / name, hub, **options) for name in ("honest", "liar"))
    for each in (honest, liar):
        each.hold(MODEL)
    blob = liar.store / layout.blob_path(MODEL, hashlib.sha256(BYTES).hexdigest())
    blob.parent.mkdir(parents=True)
    blob.write_bytes(BYTES[:-7] + b"\0" + BYTES[-6:])
    with contextlib.ExitStack() as stack:
        for each in (honest, liar):
            stack.callback(each.stop)
        start_together([honest, liar])
        honest.wait_for_word_of(liar, layout.repo_folder(MODEL))
        yield honest, liar


@pytest.mark.parametrize("door", DOORS)
def test_the_bytes_are_the_hubs_and_the_liar_is_named(run, machines, door):
    honest, liar = machines

    found = run(
        f'os.makedirs("here")\nsay("door", lambda: bool({DOORS[door]} or 1))\nsay("left", lambda: {READ})\n', on=honest
    )

    assert found == {"door": True, "left": [hashlib.sha256(BYTES).hexdigest()]}
    (corrupt,) = (row["corrupt"] for row in honest.ask_agent("status", {})["members"] if row["peer"] == liar.peer)
    assert WEIGHTS in corrupt
