"""`import transformers` in a fresh interpreter, without and with the boot module of the startup file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .table import alternate, show

ROUNDS = 15
CODE = "import time; t = time.perf_counter(); import transformers; print(time.perf_counter() - t)"


def measure(folder: Path, rounds: int) -> None:
    environment = {**os.environ, "IPFS_ACCELERATE": "1", "IPFS_ACCELERATE_HOME": str(folder)}

    def start(code: str) -> float:
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout)

    ways = {"plain": lambda: start(CODE), "hooked": lambda: start(f"import _ipfs_accelerate_boot; {CODE}")}
    alternate(ways, 1)  # warm
    show(alternate(ways, rounds))
