"""What a target is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .mutator import Mutator


class Target:
    """Seeds, the errors that are allowed, and what to do with mutated bytes."""

    name = ""
    seeds: Sequence[bytes]
    allowed: tuple[type[Exception], ...] = ()
    share = 1.0  # of the tries in a long run

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mutator = Mutator(0)

    def run(self, data: bytes) -> bool:
        raise NotImplementedError

    def stop(self) -> None:
        """End what it started."""
