"""The short form: plain with the Hub well, hooked in every state. It runs in the environment of `make ecosystem`."""

from __future__ import annotations

import pytest

from .__main__ import KEPT
from .rows import ROWS
from .states import STATES
from .verdicts import judge
from .world import World

pytestmark = pytest.mark.timeout(600)
A_WAIT = 10.0  # seconds: what waits for the Hub takes 23 and more, and this machine may be busy


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """What plain does is kept from one run to the next, and is waited for only where the Hub is well."""
    world = World(KEPT, tmp_path_factory.mktemp("ecosystem"), plain=1, hooked=1)
    try:
        return world.measure(ROWS, ["cold", "warm"], STATES)
    finally:
        world.stop()


def test_what_is_asked_more_has_its_reason():
    assert [row.name for row in ROWS if bool(row.questions) is not bool(row.why)] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("name", STATES)
def test_as_plain_and_at_once(cells, row, name):
    assert judge(row, name, cells, slower=A_WAIT) == []
