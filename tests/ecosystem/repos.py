"""python -m tests.ecosystem.repos ROOT: the tiny repos of all cases, from fixed seeds, as a Hub's root folder."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

from .rows import ROWS


def make_repos(root: Path) -> None:
    """The same bytes every time, with the same libraries."""
    root.mkdir(parents=True)
    for module in dict.fromkeys(row.module for row in ROWS):
        importlib.import_module(module).make(root)
    for cache in root.rglob("__pycache__"):
        shutil.rmtree(cache)


if __name__ == "__main__":
    make_repos(Path(sys.argv[1]))
