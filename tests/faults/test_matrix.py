"""Every cell: loaded right, or a clear error because no source had it; in time; and never a wrong byte visible."""

from __future__ import annotations

import pytest

from .table import budget, cells, must_load
from .world import CLEAR


@pytest.mark.timeout(400)
@pytest.mark.parametrize("cell", cells(), ids=str)
def test_cell(prepared, here, cell, rows, monkeypatch):
    world, known = prepared
    if cell.source == "node":
        world.start_node(known)
    outcome = world.run(cell, here, known)
    rows.append(f"{cell.source:13} {cell.fault:32} {cell.before:5} {'alone' if cell.alone else '':6} {outcome}")
    assert outcome.wrong == []
    if must_load(cell):
        assert outcome.loaded, outcome.error
    else:
        assert outcome.loaded or isinstance(outcome.error, CLEAR), repr(outcome.error)
    assert outcome.seconds < budget(cell)
    if cell.before == "warm":
        assert sum(size for who, size in outcome.asked.items() if who != "hub") == 0
    for server in world.servers.values():
        for request in server.went_elsewhere:
            assert not {"authorization", "cookie"} & {name.lower() for name in request["headers"]}
