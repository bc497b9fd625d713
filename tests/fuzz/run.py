"""Runs one target for a while and counts: what was accepted, what was refused by which error, the slowest try."""

from __future__ import annotations

import logging
import os
import resource
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .mutator import Mutator
from .target import Target
from .targets import TARGETS, reset

SLOWEST = 5.0  # seconds that one try may take
MORE_MEMORY = 400 << 20  # bytes that the process may grow by


@dataclass
class Count:
    """What came of it."""

    tried: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    seconds: float = 0.0
    grown: int = 0

    def __str__(self) -> str:
        errors = ", ".join(f"{name} {count}" for name, count in self.refused.most_common())
        return (
            f"{self.tried:>8} tried, {self.accepted} accepted, {sum(self.refused.values())} refused ({errors}); "
            f"slowest {self.slowest:.2f} s, {self.grown >> 20} MB more memory, {self.seconds:.0f} s"
        )


def fuzz(kind: type[Target], folder: Path, seed: int, tries: int = 1 << 60, seconds: float = 1e9) -> Count:
    """Mutated bytes for one target; AssertionError or a foreign exception, with the bytes, ends it."""
    inside = folder / "store"
    inside.mkdir(parents=True)
    outside = _names(folder)
    target, count = kind(inside), Count()
    target.mutator = Mutator(seed)
    logger = logging.getLogger("ipfs_accelerate_py")
    logger.disabled = True
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    memory = _memory()
    began = time.monotonic()
    try:
        while count.tried < tries and time.monotonic() - began < seconds:
            data = target.mutator.mutate(target.seeds)
            reset()
            started = time.monotonic()
            count.tried += 1
            try:
                count.accepted += target.run(data)
            except target.allowed as error:
                count.refused[type(error).__name__] += 1
            except Exception as error:
                where = f"{kind.name}, try {count.tried} of seed {seed}"
                raise AssertionError(f"{error!r}: {where}: {data[:3000]!r}") from error
            took = time.monotonic() - started
            count.slowest = max(count.slowest, took)
            assert took < SLOWEST, f"{kind.name} took {took:.1f} s for {data[:3000]!r}"
    finally:
        logger.disabled = False
        target.stop()
    count.seconds, count.grown = time.monotonic() - began, _memory() - memory
    assert count.grown < MORE_MEMORY
    assert _names(folder) - outside <= {Path("store/source")}, "something was written and left"
    return count


def work(number: int, tries: int, seed: int) -> Count:
    """One target in a process of its own."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    with tempfile.TemporaryDirectory() as folder:
        return fuzz(TARGETS[number], Path(folder) / "here", seed, tries=tries)


def _names(folder: Path) -> set[Path]:
    return {Path(here, name).relative_to(folder) for here, _, names in os.walk(folder) for name in names}


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
