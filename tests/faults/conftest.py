"""The matrix as a table at the end of the run."""

from __future__ import annotations

import pytest

ROWS: list[str] = []


@pytest.fixture
def rows() -> list[str]:
    return ROWS


def pytest_terminal_summary(terminalreporter):
    if ROWS:
        terminalreporter.section("the fault matrix: what came of it, the time, the bytes that each source sent")
        for row in ROWS:
            terminalreporter.write_line(row)
