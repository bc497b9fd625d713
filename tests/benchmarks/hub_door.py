"""What the door at huggingface_hub adds to a file, an import and a dataset of 60,000 files; how long `apply()` takes.

A warm file is named by its commit, so that plain asks nobody either; each figure is the median of 300 calls in one
process. The dataset is asked for by its branch, in a process that has loaded another file before: both ask the Hub for
the commit, and we read the listing that is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

from .table import alternate, show

ROUNDS = 7
FILES = 60_000
NAMES = ("model.safetensors", "config.json")  # the first of them comes without a listing
WARM = """
import time
from statistics import median
from huggingface_hub import hf_hub_download
def call():
    began = time.perf_counter()
    hf_hub_download("org/model", {name!r}, revision={commit!r})
    return time.perf_counter() - began
call()
print(median(call() for _ in range(300)))
"""
FIRST = """
import time
from huggingface_hub import hf_hub_download
hf_hub_download("org/model", "config.json")
began = time.perf_counter()
hf_hub_download("org/data", "train/00001.txt", repo_type="dataset")
print(time.perf_counter() - began)
"""
IMPORT = """
import time
began = time.perf_counter()
from huggingface_hub import hf_hub_download
print(time.perf_counter() - began)
"""
# modules as a large program has them: a hundred names each, and in some of them one of the client's functions
LATE = """
import sys, time, types
import huggingface_hub, huggingface_hub.hf_api, huggingface_hub.file_download, huggingface_hub._snapshot_download
for number in range(5000):
    module = types.ModuleType(f"module{number}")
    vars(module).update((f"name{each}", object()) for each in range(100))
    if number % 50 == 0:
        module.hf_hub_download = huggingface_hub.hf_hub_download
    sys.modules[module.__name__] = module
sys._ipfs_accelerate_quiet_import = True
import ipfs_accelerate_py
began = time.perf_counter()
ipfs_accelerate_py.auto_patch_transformers.apply()
print(time.perf_counter() - began)
assert sys.modules["module4950"].hf_hub_download is huggingface_hub.hf_hub_download
assert hasattr(huggingface_hub.hf_hub_download, "__wrapped__")
"""


def measure(folder: Path, rounds: int) -> None:
    for name in ("org/model/model.safetensors", "org/model/config.json", "datasets/org/data/train/00000.txt"):
        file = folder / "hub" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}\n")
    with LocalHub(folder / "hub") as hub:
        commit = _widen(hub)
        machine = Machine(folder / "machine", hub=hub)

        def run(code: str, hooked: bool) -> float:
            done = machine.run(code, hooked=hooked)
            assert done.returncode == 0, done.stderr
            return float(done.stdout)

        def ways(code: str) -> dict[str, Callable[[], float]]:
            return {name: lambda hooked=hooked: run(code, hooked) for name, hooked in WAYS}

        for name in NAMES:
            code = WARM.format(commit=commit, name=name)
            alternate(ways(code), 1)  # cold
            print(f"  hf_hub_download of {name} by its commit")
            show(alternate(ways(code), rounds), "us", 1e6)
        alternate(ways(FIRST), 1)
        print(f"  the first file of {FILES:,}")
        show(alternate(ways(FIRST), rounds), "ms", 1e3)
    _measure_imports(folder, rounds)


WAYS = (("plain", False), ("hooked", True))


def _widen(hub: LocalHub) -> str:
    """Give the dataset its many files, which are one; the commit of the model."""
    dataset = hub.repos["datasets", "org/data"]
    files = dataset.commits[dataset.refs["main"]]["files"]
    (one,) = files.values()
    dataset.commit({f"train/{number:05}.txt": one for number in range(FILES)}, "more", "main")
    return str(hub.repos["models", "org/model"].refs["main"])


def _measure_imports(folder: Path, rounds: int) -> None:
    environment = {**os.environ, "IPFS_ACCELERATE": "1", "IPFS_ACCELERATE_HOME": str(folder)}

    def start(code: str) -> float:
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout)

    boot = "import _ipfs_accelerate_boot"
    ways = {"plain": lambda: start(IMPORT), "hooked": lambda: start(f"{boot}\n{IMPORT}")}
    alternate(ways, 1)  # warm
    print("  from huggingface_hub import hf_hub_download")
    show(alternate(ways, 3 * rounds), "ms", 1e3)
    print("  apply() with 5,000 modules of a hundred names")
    show(alternate({"hooked": lambda: start(LATE)}, rounds), "ms", 1e3)
