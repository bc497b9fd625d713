"""The columns of the matrix: what the Hub does, and what this machine has already."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.local_hub import LocalHub

from .rows import Row


@dataclass(frozen=True)
class State:
    """`warm`: after the same load of the same side with the Hub well. `late`: the hook is activated when the libraries
    have been imported. `limit`: seconds after which a load counts as one that never ends.
    """

    fault: dict[str, Any] = field(default_factory=dict)
    there: bool = True
    warm: bool = False
    late: bool = False
    flipped: bool = False
    limit: float = 100.0

    @property
    def well(self) -> bool:
        return self.there and not self.fault and not self.flipped

    @contextlib.contextmanager
    def serve(
        self, row: Row, root: Path, port: int, flipped: tuple[str, str] | None = None, xet: bool = False
    ) -> Iterator[list[Any]]:
        """The log of a Hub with the row's repos. `flipped`: another file (repo, path) than the row's weights."""
        if not self.there:
            yield []
            return
        with LocalHub(port=port, xet=xet) as hub:
            for repo in row.repos:
                kind, _, name = repo.rpartition("datasets/")
                hub.add(name, str(root / repo), "datasets" if kind or repo.startswith("datasets/") else "models")
            if self.fault:
                hub.fault(**self.fault)
            if self.flipped:
                repo, path = flipped or (row.repos[0], row.weights)
                for fault in _flips(root / repo / path, repo, path, row.flip if not flipped else -3):
                    hub.fault(**fault)
            yield hub.log


def _flips(file: Path, repo: str, path: str, where: int) -> list[dict[str, Any]]:
    """The file by its address at the Hub and at the CDN, where only its own name and digest are."""
    size = file.stat().st_size
    at = where if where >= 0 else max(0, size + where)
    name = re.escape(path.rpartition("/")[2])
    there = rf"GET /{re.escape(repo)}/resolve/[^/]+/{re.escape(path)}"
    return [
        {"match": f"{there}(\\?|$)", "corrupt": at},
        {"match": rf"GET /_blob/{_sha256(file)}\?filename={name}&", "corrupt": at},
        {"match": rf"GET /_xet/xorb/{_sha256(file)}", "corrupt": at + 8},  # behind the header of the first chunk
    ]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


STATES = {
    "cold": State(),
    "warm": State(warm=True),
    "refusing": State(there=False, warm=True),
    "hanging": State(fault={"hang": True}, warm=True, limit=40.0),
    "503": State(fault={"status": 503}, warm=True),
    "flipped": State(flipped=True),
    "late": State(late=True),
    "late refusing": State(there=False, warm=True, late=True),
}
DOWN = ("refusing", "hanging", "503", "late refusing")
