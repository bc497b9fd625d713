"""The same cells on a machine that is in a fleet: its agent runs, and another member's, which has all or nothing."""

from __future__ import annotations

import contextlib
import shutil

import pytest

from ipfs_accelerate_py.store import layout
from tests.support.fault_server import FAULTS
from tests.support.together import TogetherMachine, start_together

from .table import WHOLE, budget, must_load
from .world import CLEAR, REPO, Cell

BODY = "one byte flipped"
SHORT = [
    *(Cell("hub", fault, before, True) for fault in (BODY, "stalls midway") for before in ("cold", "half")),
    *(Cell("hub", fault, "warm", False) for fault in ("hangs", "503 with Retry-After")),
    Cell("hub", "too short", "cold", False),
    Cell("gateway", BODY, "cold", False),
    Cell("mirror", "stalls midway", "cold", False),
    Cell("lower tier", BODY, "cold", False),
    Cell("mirror folder", "too short", "half", False),
]
CELLS = [Cell("hub", fault, "cold", alone) for fault in FAULTS for alone in (False, True)] + SHORT if WHOLE else SHORT


@pytest.fixture
def in_fleet(prepared, here, tmp_path):
    """`in_fleet(has_all)`: the store of this machine is in a fleet for as long as the context lasts."""
    pytest.importorskip("aiohttp")
    world, _ = prepared

    @contextlib.contextmanager
    def enter(has_all):
        other_store = tmp_path / "other-store"
        if has_all:
            shutil.copytree(world.tree_folder, other_store, symlinks=True)
        shared = {"IPFS_ACCELERATE_NODE": "off"}
        own = TogetherMachine(tmp_path / "own", world.hub, **shared, IPFS_ACCELERATE_HOME=str(here.store.root))
        other = TogetherMachine(tmp_path / "other", world.hub, **shared, IPFS_ACCELERATE_HOME=str(other_store))
        try:
            if has_all:
                other.hold(REPO)
            start_together([own, other])
            if has_all:
                own.wait_for_word_of(other, layout.repo_folder(REPO))
            yield
        finally:
            own.stop()
            other.stop()

    return enter


@pytest.mark.timeout(400)
@pytest.mark.parametrize("has_all", [False, True], ids=["the other has nothing", "the other has all"])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell_in_a_fleet(prepared, here, cell, has_all, in_fleet, rows):
    world, known = prepared
    outcome = world.run(cell, here, known, lambda: in_fleet(has_all))
    whose = "all" if has_all else "nothing"
    rows.append(
        f"in a fleet that has {whose:8} {cell.source:13} {cell.fault:24} {cell.before:5} {cell.alone!s:6} {outcome}"
    )
    assert outcome.wrong == []
    if must_load(cell) or (has_all and cell.fault == BODY):  # the words are right, and a member has the bytes
        assert outcome.loaded, outcome.error
    else:
        assert outcome.loaded or isinstance(outcome.error, CLEAR), repr(outcome.error)
    assert outcome.seconds < budget(cell)
