"""The world of the matrix, and the matrix as a table at the end of the run."""

from __future__ import annotations

import pytest

from tests.support.in_process import Here

from .world import World

ROWS: list[str] = []


@pytest.fixture
def rows() -> list[str]:
    return ROWS


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The sources, which serve one repo, and what is known of it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("world")
        world = World(folder)
        known = world.fill(Here(folder / "first", patch))
    yield world, known
    world.stop()


def pytest_terminal_summary(terminalreporter):
    if ROWS:
        terminalreporter.section("the fault matrix: what came of it, the time, the bytes that each source sent")
        for row in ROWS:
            terminalreporter.write_line(row)
