"""The cells of the matrix, what each must come to, and which of them the short form has."""

from __future__ import annotations

import os

from tests.support.fault_server import FAULTS

from .file_faults import FILE_FAULTS
from .world import TIMEOUT, Cell

SERVERS = ("node", "gateway", "mirror", "hub")
FOLDERS = ("lower tier", "mirror folder")
# Faults that still give the right bytes, or that strike what these files do not need.
HARMLESS = {
    "range ignored": SERVERS,
    "gzip it never asked for": ("node", "hub"),  # their clients unpack it
    "redirect to elsewhere": (),
}
WHOLE = os.environ.get("FAULTS") == "all"
# Seconds: each source may be silent for a time budget, then the next is asked; and this machine is busy.
BUDGET = 6 * TIMEOUT + 2.0
ALONE = 30.0  # the last one is waited for 10 s of silence, for each of its questions
HUB_ALONE = 150.0  # what plain huggingface_hub gives the Hub
WARM = TIMEOUT + 0.5


def all_cells() -> list[Cell]:
    rows = [(source, fault) for source in SERVERS for fault in FAULTS]
    rows += [(source, fault) for source in FOLDERS for fault in FILE_FAULTS]
    return [
        Cell(source, fault, before, alone)
        for source, fault in rows
        for before in ("cold", "warm", "half")
        for alone in (False, True)
        if not (alone and before == "warm")  # nobody is needed there: the same cell as with another
    ]


def cells() -> list[Cell]:
    """All, or for continuous integration: each source with each fault once, and the rest by turns."""
    found = all_cells()
    if WHOLE:
        return found
    short = [cell for cell in found if not cell.alone and cell.before == "cold"]
    short += [cell for cell in found if cell.source == "hub" and cell.before == "warm"]
    others = [cell for cell in found if cell.before == "half" and not cell.alone]
    return short + others[::5]


def budget(cell: Cell) -> float:
    if cell.before == "warm":
        return WARM
    if not cell.alone:
        return BUDGET
    return HUB_ALONE if cell.source == "hub" else ALONE


def must_load(cell: Cell) -> bool:
    """Whether a source without a fault has the bytes."""
    return not cell.alone or cell.before == "warm"
