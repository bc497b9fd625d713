"""The short form: one report of each kind that users have met, and what plain leaves undone is not waited for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from .cells import PATIENT, REPORTED, Cell, all_cells, chosen
from .differences import describe
from .hubs import HUBS
from .verdicts import judge
from .world import World

pytestmark = [pytest.mark.lines, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def measured(tiny_models, tmp_path_factory):
    """Both sides of each cell; plain is left out where it waits for half a minute: there hooked must be right."""
    world = World(tiny_models, tmp_path_factory.mktemp("never-worse"))

    def measure(cell: Cell):
        found = _measure(cell)
        verdict = judge(*found, HUBS[cell.hub].silent)
        return cell, _measure(cell) if verdict.again and not verdict.late else found

    def _measure(cell: Cell):
        plain = None if cell.hub in PATIENT else world.run(cell, hooked=False)
        return plain, world.run(cell, hooked=True), world.rights(cell.load)

    try:
        world.prepare()
        with ThreadPoolExecutor(6) as pool:
            yield dict(pool.map(measure, REPORTED))
    finally:
        world.stop()


@pytest.mark.parametrize("cell", REPORTED, ids=str)
def test_never_worse(measured, cell):
    plain, hooked, rights = measured[cell]
    verdict = judge(plain, hooked, rights, HUBS[cell.hub].silent)
    assert verdict.holds or verdict.late, "\n".join(
        [verdict.why, *describe(plain or {**hooked, "value": rights[-1]}, hooked)]
    )


def test_every_state_is_in_some_cell():
    cells = all_cells()
    assert {cell.hub for cell in cells} == set(HUBS)
    assert len(chosen(cells, "matrix")) == 144
    assert chosen(cells, "load=tokenizer and not (hub=well or matrix)")
