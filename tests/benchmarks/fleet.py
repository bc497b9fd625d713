"""all-MiniLM-L6-v2 from one machine to another through two nodes, with the Hub down; and what it takes on disk."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.model import add_minilm
from tests.support.node import IMPLEMENTATIONS, available

from .table import alternate, show

ROUNDS = 3
NAME = "sentence-transformers/all-MiniLM-L6-v2"


def measure(folder: Path, rounds: int) -> None:
    add_minilm(folder / "hub")
    for implementation in available():
        print(f"  {implementation}")
        _measure(folder, implementation, rounds)


def _measure(folder: Path, implementation: str, rounds: int) -> None:
    results: list[tuple[float, float, float]] = []

    def cross() -> float:
        results.append(_cross(folder / f"{implementation}-{len(results)}", folder / "hub", implementation))
        return results[-1][0]

    ways = {"fetch from the Hub on loopback": cross, "fetch from the peer, Hub down": lambda: results[-1][1]}
    show(alternate(ways, rounds))
    print(f"  disk of the publishing machine, store and node: {results[-1][2]:.3f} x the model")


def _cross(folder: Path, root: Path, implementation: str) -> tuple[float, float, float]:
    with LocalHub(root) as hub:
        first = Machine(folder / "a", hub=hub, node=IMPLEMENTATIONS[implementation], IPFS_ACCELERATE_PUBLISH="off")
        second = Machine(
            folder / "b",
            hub=hub,
            node=IMPLEMENTATIONS[implementation],
            bootstrap=[first.node],
            IPFS_ACCELERATE_PUBLISH="off",
        )
        try:
            from_hub = _fetch(first, {})
            empty = _disk(first.node.repo_path)
            done = first.hook("publish", NAME, "--json")
            assert done.returncode == 0, done.stderr
            published = json.loads(done.stdout)
            disk = (_disk(first.store) + _disk(first.node.repo_path) - empty) / published["bytes"]
            second.node.connect_to(first.node)
            second.hub = None
            from_peer = _fetch(second, {"IPFS_ACCELERATE_PUBLISHERS": published["publisher"]})
            return from_hub, from_peer, disk
        finally:
            first.stop()
            second.stop()


def _fetch(machine: Machine, env: dict[str, str]) -> float:
    began = time.perf_counter()
    done = machine.hook("fetch", NAME, "--json", env=env)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - began


def _disk(folder: Path) -> int:
    files = (os.lstat(Path(where, name)) for where, _, names in os.walk(folder) for name in names)
    return sum({file.st_ino: file.st_blocks * 512 for file in files}.values())
