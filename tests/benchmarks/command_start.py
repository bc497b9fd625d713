"""Commands that must answer at once, beside an interpreter that does nothing (to reach: +60 ms at most)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.machine import SOURCE

from .table import alternate, show

ROUNDS = 50
HOOK = ["-m", "ipfs_accelerate_py.hook"]


def measure(folder: Path, rounds: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "HOME": str(folder), "IPFS_ACCELERATE": "1"}

    def start(words: list[str]) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, env=environment, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    commands = {
        "python -c pass": ["-c", "pass"],
        "status": [*HOOK, "status"],
        "status --json": [*HOOK, "status", "--json"],
        "run -c pass": [*HOOK, "run", "-c", "pass"],
        "config": [*HOOK, "config"],
        "env": [*HOOK, "env"],
        "ls": [*HOOK, "ls"],
        "--help": [*HOOK, "--help"],
    }
    ways = {name: lambda words=words: start(words) for name, words in commands.items()}
    alternate(ways, 3)  # warm
    show(alternate(ways, rounds), "ms", 1000)
