"""all-MiniLM-L6-v2 from one machine to another through two nodes, with the Hub down; and what it takes on disk."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

from ipfs_accelerate_py.ipfs.node import Node
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.model import add_minilm
from tests.support.node import KuboNode

from .table import show

ROUNDS = 3
NAME = "sentence-transformers/all-MiniLM-L6-v2"


def measure(folder: Path, rounds: int) -> None:
    add_minilm(folder / "hub")
    crossings = [_cross(folder / str(n), folder / "hub") for n in range(rounds)]
    sources = ("the Hub on loopback", "the peer, Hub down", "the peer's gateway, Hub down")
    show({f"fetch from {name}": [each[name][0] for each in crossings] for name in sources})
    show({f"its weights, from {name}": [each[name][1] for each in crossings] for name in sources})
    print(f"  disk of the publishing machine, store and node: {crossings[-1]['disk'][0]:.3f} x the model")


def _cross(folder: Path, root: Path) -> dict[str, tuple[float, float]]:
    """(seconds of the whole command, seconds of the weights) by source; the ways take turns."""
    made = []

    def machine(name: str, **options: Any) -> Machine:
        made.append(Machine(folder / name, node=KuboNode, IPFS_ACCELERATE_PUBLISH="off", **options))
        return made[-1]

    try:
        with LocalHub(root) as hub:
            first = machine("a", hub=hub)
            from_hub = _fetch(first, {})
            empty = _disk(first.node.repo_path)
            done = first.hook("publish", NAME, "--json")
        assert done.returncode == 0, done.stderr
        published = json.loads(done.stdout)
        disk = (_disk(first.store) + _disk(first.node.repo_path) - empty) / published["bytes"]
        trust = {"IPFS_ACCELERATE_PUBLISHERS": published["publisher"]}
        from_peer = _fetch(machine("b", bootstrap=[first.node]), trust)
        from_gateway = _fetch(machine("c", bootstrap=[first.node]), {**trust, **_tell_of_gateway(first)})
        return {
            "the Hub on loopback": from_hub,
            "the peer, Hub down": from_peer,
            "the peer's gateway, Hub down": from_gateway,
            "disk": (disk, 0.0),
        }
    finally:
        for each in made:
            each.stop()


def _tell_of_gateway(machine: Machine) -> dict[str, str]:
    """Put `gateways` into the machine's tree; what the other then sets besides: a look-up counts as no silence."""
    node = Node(machine.node.api, 10.0)
    node.write("/ipfs_accelerate/gateways", machine.node.gateway.encode())
    node.publish(str((node.stat("/ipfs_accelerate") or {})["Hash"]))
    return {"IPFS_ACCELERATE_TIMEOUT": "5"}


def _fetch(machine: Machine, env: dict[str, str]) -> tuple[float, float]:
    began = time.perf_counter()
    done = machine.hook("fetch", NAME, "--json", env={"IPFS_ACCELERATE_LOG": "INFO", **env})
    seconds = time.perf_counter() - began
    assert done.returncode == 0, done.stderr
    weights = re.search(r"model\.safetensors: .* from (.*) in ([\d.]+) s", done.stderr)
    assert weights, done.stderr
    assert ("gateway" in weights[1]) == ("IPFS_ACCELERATE_TIMEOUT" in env), weights[0]
    return seconds, float(weights[2])


def _disk(folder: Path) -> int:
    files = (os.lstat(Path(where, name)) for where, _, names in os.walk(folder) for name in names)
    return sum({file.st_ino: file.st_blocks * 512 for file in files}.values())
