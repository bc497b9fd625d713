"""How many of 8 threads succeed in the first `from transformers import AutoConfig`; one row per way, best is 8."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROUNDS = 20
CODE = """
import threading
good, start = [], threading.Barrier(8)
def first():
    start.wait()
    try:
        from transformers import AutoConfig
    except ImportError as error:
        import sys
        print(error, file=sys.stderr)
    else:
        good.append(AutoConfig)
threads = [threading.Thread(target=first) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(good))
"""


def measure(folder: Path, rounds: int) -> None:
    environment = {**os.environ, "IPFS_ACCELERATE": "1", "IPFS_ACCELERATE_HOME": str(folder)}
    ways = {"plain": "", "startup": "import _ipfs_accelerate_boot", "import": "import ipfs_accelerate_py"}
    for name, before in ways.items():
        counts = Counter(_count(f"{before}\n{CODE}", environment) for _ in range(rounds))
        row = ", ".join(f"{good}/8 in {times}" for good, times in sorted(counts.items(), reverse=True))
        print(f"  {name:7}  {row} of {rounds} interpreters", flush=True)


def _count(code: str, environment: dict[str, str]) -> int:
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)
